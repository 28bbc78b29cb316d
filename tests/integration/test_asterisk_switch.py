"""The Asterisk switch on a real Asterisk 22, with deploy/asterisk and SIP telephones."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from call_core.contracts import EventKind, Order, Prompt, SwitchEvent
from call_core.switches.asterisk_ari import AsteriskSwitch
from call_core.switches.asterisk_client import AriClient
from call_core.switches.simulator_phone import PhoneResult, PhoneScript
from gateway.clocks import WallClock
from tests.support.asterisk import PASSWORD, Asterisk, running_asterisk
from tests.support.orders import an_order

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
ALICE, BOB, CAROL = "+12025550101", "+12025550102", "+12025550103"
SERVICE = "+12025550143"
WAIT_S = 30.0
SLACK_MS = 1_500


class Bench:
    """The switch on one Asterisk; everything that it tells is in `told`."""

    def __init__(self, asterisk: Asterisk) -> None:
        self.asterisk = asterisk
        self.phones = asterisk.phones
        self.told: list[SwitchEvent] = []
        self.wall = WallClock()
        self.start()

    def start(self) -> None:
        """Be a fresh process."""
        self.client = AriClient(self.asterisk.url, "callgate", PASSWORD)
        self.switch = AsteriskSwitch(
            name="asterisk",
            client=self.client,
            wall=self.wall,
            app="callgate",
            trunks={"main"},
            ports=100,
            plus=True,
            media={},
        )
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.switch.events():
            self.told.append(event)

    async def die(self) -> None:
        """Be gone, as after a kill: nothing is said to Asterisk any more."""
        self._reader.cancel()
        await asyncio.wait({self._reader})
        await self.client.aclose()

    async def up(self, times: int = 1) -> None:
        """Wait until we have been told so often that the switch is there."""
        await until(
            lambda: sum(event.kind is EventKind.SWITCH_BACK for event in self.told) >= times
        )

    def order(self, leg_id: str, number: str, limit_s: int = 600, ring_s: int = 20) -> Order:
        """Return an order on the trunk."""
        made = an_order(
            leg_id,
            at_call_ms=self.wall.now_ms(),
            number=number,
            ring_timeout_s=ring_s,
            limit_s=limit_s,
        )
        return replace(made, trunk="main")

    def of(self, leg_id: str) -> list[EventKind]:
        """Return what was told of a leg, each thing once."""
        found = {event.event_id: event.kind for event in self.told if event.leg_id == leg_id}
        return list(found.values())

    async def one(self, leg_id: str, kind: EventKind) -> SwitchEvent:
        """Wait for an event of a leg."""
        await until(lambda: kind in self.of(leg_id))
        return next(e for e in self.told if e.leg_id == leg_id and e.kind is kind)

    async def answered(self, leg_id: str, number: str) -> None:
        """Ring a number until it is answered."""
        await self.switch.originate(self.order(leg_id, number))
        await self.one(leg_id, EventKind.ANSWERED)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something."""
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110  (it looks at another program)
            await asyncio.sleep(0.02)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A switch on an Asterisk of its own."""
    async with running_asterisk() as asterisk:
        made = Bench(asterisk)
        await made.up()
        yield made
        await made.die()


async def test_each_way_of_not_answering_has_its_cause(bench: Bench) -> None:
    """Busy, rejected, unreachable, never answered: SIP's answers as Q.850 causes."""
    ways = {
        PhoneResult.BUSY: 17,
        PhoneResult.REJECT: 21,
        PhoneResult.UNREACHABLE: 20,
        PhoneResult.NO_ANSWER: 19,
    }
    for n, result in enumerate(ways):
        bench.phones.scripts[f"+1202555020{n}"] = PhoneScript(ring_ms=200, result=result)
        await bench.switch.originate(bench.order(f"leg_{n}", f"+1202555020{n}", ring_s=1))
    for n, cause in enumerate(ways.values()):
        ended = await bench.one(f"leg_{n}", EventKind.ENDED)
        assert (ended.cause, ended.answered_call_ms, ended.by_us) == (cause, None, False)


@pytest.mark.parametrize("inform", [False, True], ids=["rfc2833", "info"])
async def test_a_key_accepts(bench: Bench, *, inform: bool) -> None:
    """A key is heard once, in speech and as SIP INFO; the prompt ends when it is stopped."""
    if inform:
        await asyncio.to_thread(bench.asterisk.set_endpoint, "dtmf_mode=auto_info")
    bench.phones.inform = inform
    bench.phones.press_after_s = 1.0
    bench.phones.scripts[ALICE] = PhoneScript(ring_ms=200)
    await bench.answered("leg_a", ALICE)
    await bench.switch.play("leg_a", Prompt.ACCEPT, {"ending": "0 0 1 8"})
    assert (await bench.one("leg_a", EventKind.DIGIT)).digit == "1"
    await bench.switch.stop("leg_a")
    await bench.one("leg_a", EventKind.PROMPT_ENDED)
    kinds = [event.kind for event in bench.told if event.leg_id == "leg_a"]
    assert kinds.count(EventKind.DIGIT) == kinds.count(EventKind.PROMPT_ENDED) == 1


async def test_voicemail_hears_the_prompt_to_its_end(bench: Bench) -> None:
    """Early media is ringing, not an answer; a machine keys nothing."""
    bench.phones.early = True
    bench.phones.scripts[ALICE] = PhoneScript(ring_ms=300, result=PhoneResult.VOICEMAIL)
    await bench.answered("leg_a", ALICE)
    await bench.switch.play("leg_a", Prompt.NO_ANSWER, {})
    await bench.one("leg_a", EventKind.PROMPT_ENDED)
    assert bench.of("leg_a") == [EventKind.RINGING, EventKind.ANSWERED, EventKind.PROMPT_ENDED]


async def test_speech_flows_both_ways_and_no_number_to_the_other(bench: Bench) -> None:
    """In a private call no SIP message to either side has the other's number."""
    await bench.answered("leg_a", ALICE)
    await bench.switch.play("leg_a", Prompt.HOLD_TONE, {})
    hidden = replace(bench.order("leg_b", BOB), private=True, caller_id="")
    await bench.switch.originate(hidden)
    await bench.one("leg_b", EventKind.ANSWERED)
    await bench.switch.bridge("call_1", ["leg_a", "leg_b"])
    await bench.one("leg_b", EventKind.BRIDGED)
    a, b = bench.phones.of(ALICE), bench.phones.of(BOB)
    before = (a.media.heard, b.media.heard)
    await until(lambda: a.media.heard > before[0] + 50 and b.media.heard > before[1] + 50)
    await bench.switch.hang_up("leg_b", 16)
    await bench.one("leg_b", EventKind.ENDED)
    assert not [said for said in a.said if BOB[1:] in said]
    assert not [said for said in b.said if ALICE[1:] in said or SERVICE[1:] in said]
    assert "anonymous" in b.said[0]


async def test_a_conference_of_sixty_four(bench: Bench) -> None:
    """All are bridged and hear; when all have gone, the bridge is gone too."""
    legs = [f"leg_{n}" for n in range(64)]
    for n, leg_id in enumerate(legs):
        await bench.switch.originate(bench.order(leg_id, f"+120255503{n:02}"))
    for leg_id in legs:
        await bench.one(leg_id, EventKind.ANSWERED)
    await bench.switch.bridge("call_1", legs)
    for leg_id in legs:
        await bench.one(leg_id, EventKind.BRIDGED)
    assert {leg.bridge for leg in await bench.switch.live_legs()} == {"call_1"}
    heard = {each.number: each.media.heard for each in bench.phones.up()}
    await until(lambda: all(d.media.heard > heard[d.number] + 20 for d in bench.phones.up()))
    for leg_id in legs:
        await bench.switch.hang_up(leg_id, 16)
    for leg_id in legs:
        await bench.one(leg_id, EventKind.ENDED)
    async with asyncio.timeout(WAIT_S):
        while await bench.client.bridges():  # noqa: ASYNC110  (it looks at another program)
            await asyncio.sleep(0.05)


async def test_a_limit_is_replaced_and_ends_the_leg(bench: Bench) -> None:
    """The last limit counts; the end is ours, and at its instant."""
    await bench.answered("leg_a", ALICE)
    now = bench.wall.now_ms()
    await bench.switch.limit("leg_a", now + 1_000)
    await bench.switch.limit("leg_a", now + 3_000)
    ended = await bench.one("leg_a", EventKind.ENDED)
    assert ended.by_us
    assert 0 <= ended.at_call_ms - (now + 3_000) < SLACK_MS


async def test_a_dead_gateway_overruns_nothing(bench: Bench) -> None:
    """A leg that is answered while nobody is there ends with its order's limit, and is known.

    So does one that was bridged with a limit of its own; a phone that was busy is known too.
    """
    bench.phones.scripts[BOB] = PhoneScript(ring_ms=1_000, press="")
    bench.phones.scripts[CAROL] = PhoneScript(ring_ms=900, result=PhoneResult.REJECT)
    await bench.answered("leg_a", ALICE)
    until_ms = bench.wall.now_ms() + 2_500
    await bench.switch.limit("leg_a", until_ms)
    await bench.switch.originate(bench.order("leg_b", BOB, limit_s=2))
    await bench.switch.originate(bench.order("leg_c", CAROL))
    await bench.one("leg_c", EventKind.RINGING)
    await bench.die()
    await until(lambda: all(dialog.ended for dialog in bench.phones.dialogs.values()))
    bench.start()
    await bench.up(2)
    assert await bench.switch.live_legs() == []
    a, b, c = [await bench.switch.ended_leg(f"leg_{name}") for name in "abc"]
    assert a is not None
    assert b is not None
    assert c is not None
    assert b.answered_call_ms is not None
    assert 0 <= a.at_call_ms - until_ms < SLACK_MS
    assert 0 <= b.at_call_ms - (b.answered_call_ms + 2_000) < SLACK_MS
    assert (a.by_us, b.by_us, c.by_us, c.cause, c.answered_call_ms) == (True, True, False, 21, None)
    assert await bench.switch.ended_leg("leg_unknown") is None


async def test_a_fresh_process_finds_and_rules_the_legs(bench: Bench) -> None:
    """What was answered meanwhile is listed, rings nobody again, and can be bridged and ended."""
    bench.phones.scripts[BOB] = PhoneScript(ring_ms=700, press="")
    await bench.answered("leg_a", ALICE)
    order = bench.order("leg_b", BOB)
    await bench.switch.originate(order)
    await bench.die()
    await until(lambda: len(bench.phones.up()) == 2)
    bench.start()
    await bench.up(2)
    await bench.switch.originate(order)
    answered = await bench.one("leg_b", EventKind.ANSWERED)  # the dialplan has waited for us
    live = {leg.leg_id: leg for leg in await bench.switch.live_legs()}
    assert set(live) == {"leg_a", "leg_b"}
    assert live["leg_b"].answered_call_ms == answered.at_call_ms
    assert len(bench.phones.dialogs) == 2
    await bench.switch.bridge("call_1", ["leg_a", "leg_b"])
    await bench.one("leg_b", EventKind.BRIDGED)
    for leg_id in ("leg_a", "leg_b"):
        await bench.switch.hang_up(leg_id, 16)
        assert (await bench.one(leg_id, EventKind.ENDED)).by_us


async def test_another_process_takes_the_events_away(bench: Bench) -> None:
    """The first says that the switch is lost, and legs go on."""
    await bench.answered("leg_a", ALICE)
    other = AriClient(bench.asterisk.url, "callgate", PASSWORD)
    async with other.events("callgate"):
        await until(lambda: bench.told[-1].kind is EventKind.SWITCH_LOST)
        assert not (await bench.switch.health()).up
        with pytest.raises(ConnectionError):
            await bench.switch.hang_up("leg_a", 16)
    await other.aclose()
    await bench.up(2)
    assert [leg.leg_id for leg in await bench.switch.live_legs()] == ["leg_a"]


async def test_what_is_not_there_is_harmless(bench: Bench) -> None:
    """Unknown legs may be hung up, muted, limited, bridged; an unknown trunk is a sure refusal."""
    for leg_id in ("leg_unknown", "leg_gone"):
        await bench.switch.hang_up(leg_id, 16)
        await bench.switch.mute(leg_id, muted=True)
        await bench.switch.play(leg_id, Prompt.BUSY, {})
        await bench.switch.stop(leg_id)
        await bench.switch.limit(leg_id, bench.wall.now_ms() + 1_000)
        await bench.switch.bridge("call_1", [leg_id])
    await bench.switch.originate(replace(bench.order("leg_x", ALICE), trunk="other"))
    failed = await bench.one("leg_x", EventKind.ORIGINATE_FAILED)
    assert failed.certain
    assert bench.phones.dialogs == {}


async def test_the_configuration_is_closed(bench: Bench) -> None:
    """Only the modules that are listed are there; no caller without an address of a trunk."""
    loaded = bench.asterisk.command("module show")
    for name in ("app_system", "app_dial", "func_shell", "res_manager", "chan_iax2", "res_agi"):
        assert name not in loaded
    assert "main" in bench.asterisk.command("pjsip show endpoints")
    assert "anonymous" not in bench.asterisk.command("pjsip show endpoints")
