"""What every command shares: exit statuses, errors in one sentence, `--json`, `--config`."""

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

from gateway.printable import printable

OK = 0
FAILED = 1
USAGE = 2
CONFIGURATION = 3
DATABASE = 4
_INTERRUPTED = 130

P = ParamSpec("P")
R = TypeVar("R")

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="The settings; callgate.toml if not said."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


class CliError(Exception):
    """A command cannot be done; the message is one sentence for standard error."""

    def __init__(self, sentence: str, status: int = FAILED, **details: object) -> None:
        super().__init__(sentence)
        self.status = status
        self.details = details


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Make a command end as documented: one sentence on standard error, the right exit status."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except CliError as error:
            _fail(error, as_json=bool(kwargs.get("as_json")))
        except (KeyboardInterrupt, BrokenPipeError):
            raise SystemExit(_INTERRUPTED) from None
        except Exception as error:
            known = _known(error)
            if known is None:
                raise
            _fail(known, as_json=bool(kwargs.get("as_json")))

    run.__doc__ = _unwrapped(inspect.getdoc(function) or "")
    return run


def _unwrapped(text: str) -> str:
    """Return paragraphs as one line each, for `--help` to wrap to the terminal's width."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def run_async(work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Run one coroutine function to its end, on uvloop where that is installed."""
    try:
        import uvloop
    except ImportError:
        import asyncio

        return asyncio.run(work())
    return uvloop.run(work())


def load(config: Path | None, overrides: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  (Settings, imported late)
    """Return the settings and send logs to standard error, warnings and worse only."""
    from gateway import logs
    from gateway.settings_file import load_settings

    settings = load_settings(config, os.environ, overrides)
    quiet = settings.logs.model_copy(update={"level": "warning"})
    logs.configure(quiet)
    return settings


def answer(data: dict[str, Any], text: str, *, as_json: bool, flush: bool = False) -> None:
    """Print a result: the object, or the words for a person."""
    shown = json.dumps(data, ensure_ascii=False) if as_json else text
    print(printable(shown), flush=flush)


def note(text: str) -> None:
    """Tell a person something that is not the result."""
    print(printable(text), file=sys.stderr)


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _fail(error: CliError, *, as_json: bool) -> None:
    if as_json:
        told = {"ok": False, "error": str(error), **error.details}
        print(printable(json.dumps(told, ensure_ascii=False)))
    print(printable(f"callgate: {error}"), file=sys.stderr)
    raise SystemExit(error.status)


def _known(error: Exception) -> CliError | None:
    """Return the sentence and status of an error that is not a defect of ours."""
    from call_core.errors import CallCoreError, StoreUnavailable
    from gateway.http_listener import ListenError
    from gateway.settings_file import SettingsError

    match error:
        case SettingsError() | ListenError():
            return CliError(str(error), CONFIGURATION)
        case StoreUnavailable():
            return CliError(
                f"The database cannot be used ({error}); `callgate doctor` says more.", DATABASE
            )
        case CallCoreError():
            return CliError(f"It could not be done now ({error.code}); try again.", DATABASE)
        case OSError():
            where = f": {error.filename}" if error.filename else ""
            return CliError(f"{error.strerror or error}{where}.")
        case _:
            return None
