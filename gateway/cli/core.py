"""How commands reach the core: the same door as every channel, as the operator."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.cli.common import FAILED, CliError, answer, load, run_async

if TYPE_CHECKING:
    from call_core.administration import Administration
    from call_core.commands import Command
    from call_core.errors import ParseError
    from call_core.outcomes import Outcome
    from gateway.wiring import Core

R = TypeVar("R")


def with_core(config: Path | None, work: "Callable[[Core], Awaitable[R]]") -> R:
    """Open the core of the settings, do one piece of work with it, close it."""

    async def run() -> R:
        from gateway.wiring import open_core

        async with open_core(load(config), drive=False) as core:
            return await work(core)

    return run_async(run)


def administer(config: Path | None, asked: "Administration", *, as_json: bool) -> "Outcome":
    """Ask for one administrative command and print what came of it."""

    async def work(core: "Core") -> "Outcome":
        return await ask(core, asked)

    outcome = with_core(config, work)
    print_outcome(outcome, as_json=as_json)
    return outcome


async def ask(
    core: "Core",
    asked: "Administration | Command | ParseError",
    *,
    user_id: str | None = None,
    text: str = "",
) -> "Outcome":
    """Hand one command to the door.

    Raises:
        CliError: it was refused.
    """
    from gateway import operator_door

    now_ms = core.wall.now_ms()
    try:
        return await operator_door.ask(core, asked, now_ms, user_id=user_id, text=text)
    except operator_door.RefusedError as error:
        raise CliError(
            " ".join(words(error.outcome).split()), FAILED, code=error.outcome.code
        ) from error


async def find_user(core: "Core", name: str) -> str:
    """Return the id of the user of a name or id.

    Raises:
        CliError: there is none, or there are several.
    """
    from gateway.operator_reads import users_named

    found = await core.store.read(users_named, name)
    if not found:
        raise CliError(f"There is no user {name}.", code="no_user")
    if len(found) > 1:
        ids = ", ".join(f"{row.user_id} ({row.customer_name})" for row in found)
        raise CliError(f"Several users are named {name}; say which by id: {ids}.", code="ambiguous")
    return found[0].user_id


def words(outcome: "Outcome") -> str:
    """Return an outcome in words, at full length."""
    from channels.kit.render import render

    return render(outcome)


def print_outcome(outcome: "Outcome", *, as_json: bool, **more: Any) -> None:  # noqa: ANN401  (JSON values)
    """Print an outcome: its words, or everything in it as JSON."""
    answer(outcome_data(outcome) | more, words(outcome), as_json=as_json)


def outcome_data(outcome: "Outcome") -> dict[str, Any]:
    """Return an outcome as a JSON object, `ok` first."""
    import json

    from call_core.outcomes import to_json

    return {"ok": True, **json.loads(to_json(outcome))}
