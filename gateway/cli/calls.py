"""`calls live`, `calls hangup`, `call`: running calls, and one command line of a user."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.common import CliError, Config, Json, answer, command, load, note, run_async
from gateway.cli.core import administer, ask, find_user, outcome_data, with_core, words

if TYPE_CHECKING:
    from call_core.contracts import CallView
    from call_core.outcomes import Outcome
    from gateway.settings import Settings
    from gateway.wiring import Core

calls = typer.Typer(help="Running calls.", no_args_is_help=True)
END_TIMEOUT_S = 600


@calls.command("live")
@command
def live(*, config: Config = None, as_json: Json = False) -> None:
    """List every call that is not over, of all customers.

    Example: callgate calls live --json
    """

    async def work(core: "Core") -> "list[CallView]":
        from call_core.queries import live_calls

        rules = core.engine.house.rules
        return await core.store.read(live_calls, core.call_clock.now_ms(), rules)

    found = with_core(config, work)
    data = [_call_data(each) for each in found]
    text = "\n".join(_call_line(each) for each in found) or "No call is running."
    answer({"ok": True, "calls": data}, text, as_json=as_json)


@calls.command("hangup")
@command
def hang_up(
    ref: Annotated[str, typer.Argument(metavar="REF", help="A call's id or ref, like 4F7.")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """End a call, as the operator.

    Example: callgate calls hangup 4F7
    """
    from call_core.administration import HangUpCall

    administer(config, HangUpCall(ref), as_json=as_json)


@command
def call(
    user: Annotated[str, typer.Argument(metavar="USER", help="A user's name or id.")],
    text: Annotated[list[str], typer.Argument(metavar="TEXT…", help="Any line of the grammar.")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Do one command line for a user, as if it had come by message.

    When `callgate serve` runs, it carries the call. When it does not and the switch is the
    simulator, the call is carried here until it has ended.

    Example: callgate call Ada call +44 20 7946 0018 code ACME-12
    """
    from gateway.serve_lock import is_served, serving

    settings = load(config)
    line = " ".join(text)
    if settings.simulated and not is_served(settings):
        with serving(settings):
            outcome, bill = run_async(lambda: _carry(settings, user, line))
    else:
        outcome, bill = with_core(config, lambda core: say(core, user, line)), []
    shown = "\n".join([words(outcome), *bill])
    answer(outcome_data(outcome) | {"bill": bill}, shown, as_json=as_json)


async def _carry(settings: "Settings", user: str, line: str) -> "tuple[Outcome, list[str]]":
    """Do one line, and carry the call that it launches to its end."""
    from gateway.wiring import open_core

    async with open_core(settings) as core:
        await core.start()
        try:
            outcome = await say(core, user, line)
            return outcome, await _carried(core, outcome)
        finally:
            await core.stop()


async def say(core: "Core", user: str, text: str) -> "Outcome":
    """Hand one line of the grammar to the door for a user.

    Raises:
        CliError: it was refused, or there is no such user.
    """
    from parsers.grammar import parse

    return await ask(core, parse(text), user_id=await find_user(core, user), text=text)


async def _carried(core: "Core", outcome: "Outcome") -> list[str]:
    """Wait for the end of the call that an outcome launched; return its bill in lines."""
    from call_core.outcomes import Launched

    if not isinstance(outcome, Launched):
        return []
    note(words(outcome))
    return await bill_of(core, outcome.call_id)


async def bill_of(core: "Core", call_id: str) -> list[str]:
    """Wait until a call has ended and return the arithmetic of its bill, line by line.

    Raises:
        CliError: it is still up after ten minutes.
    """
    import asyncio

    from gateway.operator_reads import owner_of_call

    who = await core.store.read(owner_of_call, call_id)
    assert who is not None, call_id
    try:
        async with asyncio.timeout(END_TIMEOUT_S):
            async for view in core.call_events(who, call_id):
                if view.ended_call_ms is not None:
                    break
    except TimeoutError as error:
        raise CliError(
            f"The call is still up after {END_TIMEOUT_S} seconds; it goes on, and is billed, as "
            "soon as `callgate serve` runs. `callgate calls hangup` ends it."
        ) from error
    return list(await core.explain(who, call_id))


def _call_data(view: "CallView") -> dict[str, Any]:
    from call_core.money import format_amount

    return {
        "id": view.id,
        "ref": view.ref,
        "kind": view.kind,
        "state": view.state,
        "channel": view.channel,
        "user": view.user_name,
        "cost": format_amount(view.cost_micros),
        "currency": view.currency,
        "parties": [
            {"n": each.n, "role": each.role, "number": each.number, "state": each.state}
            for each in view.parties
        ],
    }


def _call_line(view: "CallView") -> str:
    from call_core.money import format_money

    parties = ", ".join(f"{each.number} {each.state.lower()}" for each in view.parties)
    cost = format_money(view.cost_micros, view.currency)
    return (
        f"{view.ref}  {view.state:<10} {view.channel:<8} {view.user_name:<16} {cost:>10}  {parties}"
    )
