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

from gateway.cli.known_errors import CONFIGURATION, DATABASE, FAILED, OK, USAGE, known
from gateway.printable import printable

__all__ = ["CONFIGURATION", "DATABASE", "FAILED", "OK", "USAGE"]
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
            sys.stdout.flush()
        except CliError as error:
            _fail(error, as_json=bool(kwargs.get("as_json")))
        except (KeyboardInterrupt, BrokenPipeError):
            _print_no_more()
            raise SystemExit(_INTERRUPTED) from None
        except Exception as error:
            found = known(error)
            if found is None:
                raise
            _fail(CliError(*found), as_json=bool(kwargs.get("as_json")))

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


def answer(data: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result at once: the object, or the words for a person."""
    shown = json.dumps(data, ensure_ascii=False) if as_json else text
    print(printable(shown), flush=True)


def note(text: str) -> None:
    """Tell a person something that is not the result."""
    print(printable(text), file=sys.stderr)


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _fail(error: CliError, *, as_json: bool) -> None:
    try:
        if as_json:
            told = {"ok": False, "error": str(error), **error.details}
            print(printable(json.dumps(told, ensure_ascii=False)))
        sys.stdout.flush()
    except (OSError, UnicodeEncodeError):
        _print_no_more()
    sentence = " ".join(str(error).split())  # a server may say it in several lines
    print(printable(f"callgate: {sentence}"), file=sys.stderr)
    raise SystemExit(error.status)


def _print_no_more() -> None:
    """Throw away what standard output does not take; Python would try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
