"""One person, one conference, five devices: each over its own real protocol."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from typing import Protocol

import pytest

from call_core.contracts import CallView, Principal
from channels.kit.contract import Identity
from gateway.server import Running

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]
WAIT_S = 30.0


class Gateway(Protocol):
    """What this test needs of the fixture."""

    identity: Identity
    service: Running
    addresses: Mapping[str, str]


async def say(gateway: Gateway, channel: str, text: str) -> None:
    """Send one line as a client of `channel` would."""
    made = next(each for each in gateway.service.channels if each.name == channel)
    await made.probe(replace(gateway.identity, address=gateway.addresses[channel]), text)


async def until(gateway: Gateway, who: Principal, reached: Callable[[CallView], bool]) -> CallView:
    """Wait until the user's newest call is as wanted, as the pages show it."""
    async with asyncio.timeout(WAIT_S):
        while True:
            page = await gateway.service.core.calls(who, 1, "")
            if page.items and reached(page.items[0]):
                return page.items[0]
            await asyncio.sleep(0.05)


def party(view: CallView, label: str) -> str:
    """Return the state of a party, "" while there is none of that name."""
    found = [each for each in view.parties if each.label == label]
    if not found:
        return ""
    return "muted" if found[0].muted else found[0].state.lower()


TALKING = ("accepted", "bridged")


@pytest.mark.anyio
async def test_a_conference_is_run_from_every_device(gateway: Gateway) -> None:
    """Launched by mail, joined by a text message, muted by phone, ended by pager: one bill."""
    core = gateway.service.core
    who = await core.principal_of_token(gateway.identity.token, core.wall.now_ms())
    assert who is not None

    await say(gateway, "smtp", "conf mom, carol")
    view = await until(gateway, who, lambda call: party(call, "mom") in TALKING)
    assert (view.kind, view.channel) == ("conference", "smtp")

    await say(gateway, "twilio_sms", "add voicemail")
    await until(gateway, who, lambda call: party(call, "voicemail") != "")

    await say(gateway, "wap", "mute mom")
    await until(gateway, who, lambda call: party(call, "mom") == "muted")

    watched = core.call_events(who, view.id)
    assert party(await anext(watched), "mom") == "muted"
    assert isinstance(watched, AsyncGenerator)
    await watched.aclose()

    await say(gateway, "snpp", f"hangup {view.ref}")
    ended = await until(gateway, who, lambda call: call.ended_call_ms is not None)
    records = await core.cdrs(who, 100, "", ended.id)
    assert {record.channel for record in records.items} == {"smtp"}
    assert sum(record.total_micros for record in records.items) == ended.cost_micros > 0
