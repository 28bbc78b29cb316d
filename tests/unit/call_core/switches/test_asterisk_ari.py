"""What becomes of a leg when Asterisk's answer comes late or not at all, without a socket."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from call_core.contracts import EventKind, Order, Prompt
from call_core.switches.asterisk_ari import AsteriskSwitch
from call_core.switches.asterisk_client import AriClient, AriError
from call_core.switches.asterisk_dial import Originate
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio
LEG = "call_1.0.1"
ORDER = Order(
    leg_id=LEG,
    call_id="call_1",
    shard=0,
    number="+12125550101",
    trunk="main",
    caller_id="",
    private=False,
    post_dial="",
    ring_timeout_s=45,
    limit_s=60,
    at_call_ms=1_000,
)


class Client:
    """An Asterisk whose answer to an originate gets lost after the phone was answered."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.there: dict[str, Any] = {}
        self.switch: AsteriskSwitch

    async def originate(self, order: Originate) -> None:
        """Be answered at once, and answer too late."""
        channel = {
            "id": order.channel_id,
            "state": "Up",
            "channelvars": {**order.variables, "CALLGATE_ANSWERED": "1500"},
            "dialplan": {"app_name": "Stasis"},
        }
        self.there = channel
        at = "2026-11-28T06:40:00.123+0000"
        self.switch._take({"type": "StasisStart", "timestamp": at, "channel": channel})  # noqa: SLF001  (as from its socket)
        raise AriError("no answer in time")

    async def channel(self, _: str) -> Mapping[str, Any]:
        """It is there."""
        if self.away:
            raise AriError("no answer in time")
        return self.there

    async def play(self, _: str, __: str, media: str) -> bool:
        """Play it."""
        if self.away:
            raise AriError("no answer in time")
        self.asked.append(media)
        return True

    async def stop_playing(self, _: str) -> None:
        """Stop."""

    async def make_bridge(self, _: str) -> None:
        """Make it."""

    async def add(self, _: str, channel_id: str) -> int:
        """Put it in."""
        self.asked.append(f"add {channel_id}")
        return 204


@pytest.fixture
def switch() -> AsteriskSwitch:
    """A switch that is connected to it."""
    client = Client()
    client.switch = AsteriskSwitch(
        name="asterisk",
        client=cast("AriClient", client),
        wall=FakeClock(1_000),
        app="callgate",
        trunks=["main"],
        ports=9,
        plus=True,
        media={Prompt.BUSY: ["sound:busy", "sound:again"]},
    )
    client.switch._connected = True  # noqa: SLF001  (without a socket)
    return client.switch


async def test_a_leg_answered_before_its_order_is_answered_can_be_used(
    switch: AsteriskSwitch,
) -> None:
    """The order's answer was lost, the leg is there: it hears what it is to hear."""
    await switch.originate(ORDER)
    assert switch._told.get_nowait().kind is EventKind.ANSWERED  # noqa: SLF001  (what is told)
    await switch.play(LEG, Prompt.BUSY, {})
    await switch.bridge("call_1", [LEG])
    assert cast("Client", switch._client).asked == ["sound:busy", f"add {LEG}"]  # noqa: SLF001  (its twin)


async def test_a_leg_that_could_not_be_looked_for_is_found_when_it_is_ordered_again(
    switch: AsteriskSwitch,
) -> None:
    """Neither the order's answer came nor the look's; the leg waits for no reconcile."""
    client = cast("Client", switch._client)  # noqa: SLF001  (its twin)
    client.away = True
    with pytest.raises(AriError):
        await switch.originate(ORDER)
    client.away = False
    await switch.originate(ORDER)
    await switch.bridge("call_1", [LEG])
    assert client.asked == [f"add {LEG}"]


async def test_a_part_that_was_silenced_meanwhile_is_not_played(switch: AsteriskSwitch) -> None:
    """Whoever wanted the next part comes after whoever stopped it all."""
    await switch.originate(ORDER)
    await switch.play(LEG, Prompt.BUSY, {})
    leg = switch._legs.live[LEG]  # noqa: SLF001  (as its events do)
    await switch.stop(LEG)
    await switch._play_next(leg)  # noqa: SLF001  (as its events do)
    assert cast("Client", switch._client).asked == ["sound:busy"]  # noqa: SLF001  (its twin)


async def test_a_later_part_that_cannot_be_played_ends_what_is_said(
    switch: AsteriskSwitch,
) -> None:
    """Whoever waits for the end of it goes on, instead of listening to silence."""
    await switch.originate(ORDER)
    await switch.play(LEG, Prompt.BUSY, {})
    leg = switch._legs.live[LEG]  # noqa: SLF001  (as its events do)
    cast("Client", switch._client).away = True  # noqa: SLF001  (its twin)
    playback = {"id": leg.playing, "target_uri": f"channel:{LEG}"}
    at = "2026-11-28T06:40:03.123+0000"
    switch._take({"type": "PlaybackFinished", "timestamp": at, "playback": playback})  # noqa: SLF001  (as from its socket)
    await asyncio.wait(switch._tidying)  # noqa: SLF001  (what nobody waits for)
    told = [switch._told.get_nowait().kind for _ in range(switch._told.qsize())]  # noqa: SLF001  (what is told)
    assert told == [EventKind.ANSWERED, EventKind.PROMPT_ENDED]
    assert not leg.playing
