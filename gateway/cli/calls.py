"""`calls live`, `calls hangup`, `call`: running calls, and one command line of a user."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.common import Config, Json, answer, command, load, note, run_async
from gateway.cli.core import administer, ask, find_user, outcome_data, with_core, words

if TYPE_CHECKING:
    from call_core.contracts import CallView
    from call_core.outcomes import Outcome
    from gateway.wiring import Core

calls = typer.Typer(help="Running calls.", no_args_is_help=True)
END_TIMEOUT_S = 120


@calls.command("live")
@command
def live(*, config: Config = None, as_json: Json = False) -> None:
    """List every call that is not over, of all customers.

    Example: callgate calls live --json
    """

    async def work(core: "Core") -> "list[CallView]":
        from gateway.operator_reads import live_calls

        return await live_calls(core, core.store)

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
    from gateway.serve_lock import is_served

    settings = load(config)
    carries = settings.switch == "simulator" and not is_served(settings)

    async def work() -> None:
        from gateway.wiring import open_core

        async with open_core(settings, drive=carries) as core:
            if carries:
                await core.start([])
            try:
                outcome = await say(core, user, " ".join(text))
                ended = await _carried(core, outcome) if carries else []
            finally:
                if carries:
                    await core.stop()
        shown = "\n".join([words(outcome), *ended])
        answer(outcome_data(outcome) | {"bill": ended}, shown, as_json=as_json)

    run_async(work)


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
    """Wait until a call has ended and return the arithmetic of its bill, line by line."""
    import asyncio

    from gateway.operator_reads import owner_of_call

    async with asyncio.timeout(END_TIMEOUT_S):
        who = await core.store.read(owner_of_call, call_id)
        assert who is not None, call_id
        async for view in core.call_events(who, call_id):
            if view.ended_call_ms is not None:
                break
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
