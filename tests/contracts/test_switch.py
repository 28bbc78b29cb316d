"""What every switch must do, whichever network is behind it.

A switch joins by a bench: a subclass of `SwitchBench` that says how its far ends are scripted and
how its time passes, and a subclass of `SwitchContract` whose `bench` fixture yields it. Spans are
short, because on a real switch (`test_asterisk.py`) they pass in real time.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from call_core.contracts import EventKind, Prompt, Switch, SwitchEvent
from call_core.switches.simulator import Simulator
from call_core.switches.simulator_client import RemoteSimulator
from call_core.switches.simulator_faults import Faults
from call_core.switches.simulator_phone import PhoneResult, PhoneScript
from call_core.switches.simulator_server import SimulatorServer
from tests.support.clocks import FakeClock, settle
from tests.support.orders import an_order

ALICE, BOB = "+12025550101", "+12025550102"
ANSWERS = PhoneScript(ring_ms=2_000)
SILENT = PhoneScript(ring_ms=2_000, press="")


class SwitchBench(ABC):
    """A switch with scripted telephones behind it; everything that it tells is in `told`.

    Attributes:
        slack_ms: how late something may happen that has an instant.
        minutes_ms: for how long it is asked how a leg ended.
    """

    switch: Switch
    slack_ms = 0
    minutes_ms = 120_000

    def __init__(self) -> None:
        self.told: list[SwitchEvent] = []
        self._reader: asyncio.Task[None] | None = None

    @abstractmethod
    def now_ms(self) -> int:
        """Return the switch's time."""

    @abstractmethod
    def script(self, number: str, script: PhoneScript) -> None:
        """Say how the phone at a number behaves from now on."""

    @abstractmethod
    async def pass_ms(self, by_ms: int) -> None:
        """Let time pass, and whatever happens in it."""

    @abstractmethod
    async def restart(self, dead_for_ms: int) -> None:
        """Kill our side of the switch, leave it dead for a while, start it again and listen."""

    @abstractmethod
    async def repeat_and_delay(self) -> None:
        """From now on every event is told twice, the copy later; order may change."""

    @abstractmethod
    async def refuse_orders(self) -> None:
        """From now on no order becomes a leg, and the switch knows that."""

    def listen(self) -> None:
        """Begin to read what the switch tells."""
        self._reader = asyncio.create_task(self._read())

    async def deafen(self) -> None:
        """Stop reading; the switch goes on."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
            self._reader = None

    async def _read(self) -> None:
        async for event in self.switch.events():
            self.told.append(event)

    def of(self, leg_id: str) -> list[EventKind]:
        """Return the kinds of what was told of a leg, in order."""
        return [event.kind for event in self.told if event.leg_id == leg_id]

    def one(self, leg_id: str, kind: EventKind) -> SwitchEvent:
        """Return the only event of a kind that was told of a leg."""
        (event,) = [e for e in self.told if e.leg_id == leg_id and e.kind is kind]
        return event

    async def until(self, true: Callable[[], bool], within_ms: int) -> None:
        """Let time pass until something is true: as long as it may take, where time is moved."""
        if not true():
            await self.pass_ms(within_ms)
        assert true()

    async def reached(self, leg_id: str, kind: EventKind, within_ms: int = 1_000) -> SwitchEvent:
        """Let time pass until this was told of a leg, once."""
        await self.until(lambda: kind in self.of(leg_id), within_ms)
        return self.one(leg_id, kind)

    async def answered(self, leg_id: str, number: str, **changes: int) -> None:
        """Originate a leg and wait until its phone, which rings two seconds, is answered."""
        await self.switch.originate(
            an_order(leg_id, number=number, at_call_ms=self.now_ms(), **changes)
        )
        await self.reached(leg_id, EventKind.ANSWERED, 3_000)

    def at(self, at_ms: int, wanted_ms: int) -> bool:
        """Whether something happened at its instant."""
        return 0 <= at_ms - wanted_ms <= self.slack_ms


@pytest.mark.anyio
class SwitchContract:
    """The contract; subclasses name the switch."""

    async def test_a_phone_rings_then_is_answered(self, bench: SwitchBench) -> None:
        """Ringing comes before answered, with the switch's own times."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        assert bench.of("leg_a") == [EventKind.RINGING, EventKind.ANSWERED]
        ringing = bench.one("leg_a", EventKind.RINGING)
        answered = bench.one("leg_a", EventKind.ANSWERED)
        assert ringing.at_call_ms < answered.at_call_ms <= bench.now_ms()
        assert (answered.leg_id, answered.call_id) == ("leg_a", "call_1")

    async def test_an_order_repeated_rings_once(self, bench: SwitchBench) -> None:
        """The leg id names the attempt: the same order again rings no second phone."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        await bench.switch.originate(an_order("leg_a", number=ALICE, at_call_ms=bench.now_ms()))
        await bench.pass_ms(5_000)
        assert bench.of("leg_a") == [EventKind.RINGING, EventKind.ANSWERED]
        assert [leg.leg_id for leg in await bench.switch.live_legs()] == ["leg_a"]

    async def test_an_order_repeated_after_the_end_rings_nobody(self, bench: SwitchBench) -> None:
        """A leg that has ended is still known by its id."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        await bench.switch.hang_up("leg_a", 16)
        await bench.reached("leg_a", EventKind.ENDED)
        await bench.switch.originate(an_order("leg_a", number=ALICE, at_call_ms=bench.now_ms()))
        await bench.pass_ms(5_000)
        assert bench.of("leg_a") == [EventKind.RINGING, EventKind.ANSWERED, EventKind.ENDED]
        assert await bench.switch.live_legs() == []

    @pytest.mark.parametrize(
        ("result", "cause"),
        [
            (PhoneResult.BUSY, 17),
            (PhoneResult.NO_ANSWER, 19),
            (PhoneResult.REJECT, 21),
            (PhoneResult.UNREACHABLE, 20),
        ],
    )
    async def test_an_unanswered_leg_ends_with_its_cause(
        self, bench: SwitchBench, result: PhoneResult, cause: int
    ) -> None:
        """Each way of not answering has its Q.850 cause and no answer time."""
        bench.script(ALICE, PhoneScript(ring_ms=2_000, result=result))
        await bench.switch.originate(
            an_order("leg_a", number=ALICE, at_call_ms=bench.now_ms(), ring_timeout_s=4)
        )
        ended = await bench.reached("leg_a", EventKind.ENDED, 6_000)
        assert (ended.cause, ended.answered_call_ms, ended.by_us) == (cause, None, False)
        assert EventKind.ANSWERED not in bench.of("leg_a")

    async def test_ended_carries_its_own_answer_time(self, bench: SwitchBench) -> None:
        """The last event is enough for a bill: it has both instants of the same switch."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        await bench.pass_ms(3_000)
        await bench.switch.hang_up("leg_a", 16)
        ended = await bench.reached("leg_a", EventKind.ENDED)
        assert ended.answered_call_ms == bench.one("leg_a", EventKind.ANSWERED).at_call_ms
        assert (ended.cause, ended.by_us) == (16, True)
        assert bench.of("leg_a")[-1] is EventKind.ENDED

    async def test_hanging_up_what_is_not_there_is_harmless(self, bench: SwitchBench) -> None:
        """An unknown leg, and one that has ended, may be hung up, muted, limited, bridged."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        await bench.switch.hang_up("leg_a", 16)
        await bench.reached("leg_a", EventKind.ENDED)
        before = len(bench.told)
        for leg_id in ("leg_a", "leg_unknown"):
            await bench.switch.hang_up(leg_id, 16)
            await bench.switch.mute(leg_id, muted=True)
            await bench.switch.play(leg_id, Prompt.BUSY, {})
            await bench.switch.stop(leg_id)
            await bench.switch.limit(leg_id, bench.now_ms() + 1_000)
            await bench.switch.bridge("bridge_1", [leg_id])
        await bench.pass_ms(5_000)
        assert len(bench.told) == before

    async def test_a_ringing_leg_can_be_hung_up(self, bench: SwitchBench) -> None:
        """A leg that nobody answered ends because we said so, without an answer time."""
        bench.script(ALICE, PhoneScript(ring_ms=20_000))
        await bench.switch.originate(an_order("leg_a", number=ALICE, at_call_ms=bench.now_ms()))
        await bench.reached("leg_a", EventKind.RINGING, 2_000)
        await bench.switch.hang_up("leg_a", 16)
        ended = await bench.reached("leg_a", EventKind.ENDED)
        await bench.pass_ms(3_000)
        assert (ended.answered_call_ms, ended.by_us) == (None, True)
        assert bench.of("leg_a") == [EventKind.RINGING, EventKind.ENDED]

    async def test_a_limit_ends_the_leg_though_nobody_listens(self, bench: SwitchBench) -> None:
        """The armed limit is the switch's own: it works while we are deaf or dead."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        until = bench.now_ms() + 3_000
        await bench.switch.limit("leg_a", until)
        await bench.deafen()
        await bench.pass_ms(4_000 + bench.slack_ms)
        assert await bench.switch.live_legs() == []
        ended = await bench.switch.ended_leg("leg_a")
        assert ended is not None
        assert bench.at(ended.at_call_ms, until)
        assert (ended.by_us, ended.cause) == (True, 16)

    async def test_the_last_limit_counts(self, bench: SwitchBench) -> None:
        """An extension replaces the limit before it, and so does a shorter one."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        start = bench.now_ms()
        for offset_ms in (2_000, 60_000, 5_000):
            await bench.switch.limit("leg_a", start + offset_ms)
        ended = await bench.reached("leg_a", EventKind.ENDED, 6_000)
        assert bench.at(ended.at_call_ms, start + 5_000)

    async def test_a_limit_replaces_that_of_the_order(self, bench: SwitchBench) -> None:
        """More time was paid for: the leg outlives what its order said."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE, limit_s=4)
        until = bench.now_ms() + 7_000
        await bench.switch.limit("leg_a", until)
        ended = await bench.reached("leg_a", EventKind.ENDED, 8_000)
        assert bench.at(ended.at_call_ms, until)
        assert ended.by_us

    async def test_the_limit_of_the_order_ends_the_leg(self, bench: SwitchBench) -> None:
        """An order carries its own end, counted from the answer."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE, limit_s=4)
        ended = await bench.reached("leg_a", EventKind.ENDED, 4_000)
        assert ended.answered_call_ms is not None
        assert bench.at(ended.at_call_ms, ended.answered_call_ms + 4_000)
        assert ended.by_us

    @pytest.mark.parametrize("count", [2, 64])
    async def test_answered_legs_are_bridged(self, bench: SwitchBench, count: int) -> None:
        """Each leg is told bridged once, although the bridge is asked for twice."""
        legs = [f"leg_{n}" for n in range(count)]
        for n, leg_id in enumerate(legs):
            bench.script(f"+1202555{n:04}", SILENT)
            await bench.switch.originate(
                an_order(leg_id, number=f"+1202555{n:04}", at_call_ms=bench.now_ms())
            )
        for leg_id in legs:
            await bench.reached(leg_id, EventKind.ANSWERED, 4_000)
        await bench.switch.bridge("bridge_1", legs)
        await bench.switch.bridge("bridge_1", legs)
        for leg_id in legs:
            bridged = await bench.reached(leg_id, EventKind.BRIDGED)
            assert bench.one(leg_id, EventKind.ANSWERED).at_call_ms <= bridged.at_call_ms
        assert {leg.bridge for leg in await bench.switch.live_legs()} == {"bridge_1"}

    async def test_the_first_leg_is_bridged_when_the_second_comes(self, bench: SwitchBench) -> None:
        """A leg alone in its bridge talks to nobody yet; a third does not bridge it again."""
        for n in range(3):
            bench.script(f"+1202555010{n}", SILENT)
            await bench.answered(f"leg_{n}", f"+1202555010{n}")
        await bench.switch.bridge("bridge_1", ["leg_0"])
        await bench.pass_ms(1_000)
        assert EventKind.BRIDGED not in bench.of("leg_0")
        for leg_id in ("leg_1", "leg_2"):
            await bench.switch.bridge("bridge_1", [leg_id])
            await bench.reached(leg_id, EventKind.BRIDGED)
            await bench.pass_ms(1_000)
        first, second, third = (bench.one(f"leg_{n}", EventKind.BRIDGED) for n in range(3))
        assert first.at_call_ms == second.at_call_ms < third.at_call_ms

    async def test_a_ringing_leg_cannot_be_bridged(self, bench: SwitchBench) -> None:
        """There is nobody at the phone yet: the answer is bridge_failed, and it goes on ringing."""
        bench.script(ALICE, PhoneScript(ring_ms=20_000))
        await bench.switch.originate(an_order("leg_a", number=ALICE, at_call_ms=bench.now_ms()))
        await bench.reached("leg_a", EventKind.RINGING)
        await bench.switch.bridge("bridge_1", ["leg_a"])
        await bench.reached("leg_a", EventKind.BRIDGE_FAILED)
        assert bench.of("leg_a") == [EventKind.RINGING, EventKind.BRIDGE_FAILED]

    async def test_somebody_who_has_talked_enough_hangs_up(self, bench: SwitchBench) -> None:
        """The far end's own hang-up is not ours, and the other leg lives on."""
        bench.script(ALICE, SILENT)
        bench.script(BOB, PhoneScript(ring_ms=2_000, talk_ms=5_000))
        await bench.answered("leg_a", ALICE)
        await bench.answered("leg_b", BOB)
        await bench.switch.bridge("bridge_1", ["leg_a", "leg_b"])
        ended = await bench.reached("leg_b", EventKind.ENDED, 6_000)
        assert bench.at(ended.at_call_ms, bench.one("leg_b", EventKind.BRIDGED).at_call_ms + 5_000)
        assert not ended.by_us
        assert [leg.leg_id for leg in await bench.switch.live_legs()] == ["leg_a"]

    async def test_muting_ends_nothing(self, bench: SwitchBench) -> None:
        """A muted leg stays where it is, as often as it is asked."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        for muted in (True, True, False, False):
            await bench.switch.mute("leg_a", muted=muted)
        await bench.pass_ms(2_000)
        assert bench.of("leg_a") == [EventKind.RINGING, EventKind.ANSWERED]

    async def test_a_prompt_is_answered_by_a_key(self, bench: SwitchBench) -> None:
        """A person keys what the prompt asks for; the prompt tells its end."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        await bench.switch.play("leg_a", Prompt.ACCEPT, {"destination": "London"})
        assert (await bench.reached("leg_a", EventKind.DIGIT, 6_000)).digit == "1"
        await bench.reached("leg_a", EventKind.PROMPT_ENDED)

    async def test_each_digit_is_one_event(self, bench: SwitchBench) -> None:
        """Four digits keyed are four events with four ids, in order."""
        bench.script(ALICE, PhoneScript(ring_ms=2_000, press="4821"))
        await bench.answered("leg_a", ALICE)
        await bench.switch.play("leg_a", Prompt.VERIFY, {})
        await bench.until(lambda: bench.of("leg_a").count(EventKind.DIGIT) >= 4, 6_000)
        digits = [event for event in bench.told if event.kind is EventKind.DIGIT]
        assert [event.digit for event in digits] == ["4", "8", "2", "1"]
        assert len({event.event_id for event in digits}) == 4

    async def test_voicemail_answers_and_keys_nothing(self, bench: SwitchBench) -> None:
        """A machine hears the prompt to its end."""
        bench.script(ALICE, PhoneScript(ring_ms=2_000, result=PhoneResult.VOICEMAIL))
        await bench.answered("leg_a", ALICE)
        await bench.switch.play("leg_a", Prompt.ACCEPT, {"destination": "London"})
        await bench.reached("leg_a", EventKind.PROMPT_ENDED, 20_000)
        assert EventKind.DIGIT not in bench.of("leg_a")

    async def test_a_stopped_prompt_has_ended(self, bench: SwitchBench) -> None:
        """Stopping is an end like another: told once."""
        bench.script(ALICE, SILENT)
        await bench.answered("leg_a", ALICE)
        await bench.switch.play("leg_a", Prompt.HOLD_TONE, {})
        await bench.pass_ms(5_000)
        assert EventKind.PROMPT_ENDED not in bench.of("leg_a")
        await bench.switch.stop("leg_a")
        await bench.switch.stop("leg_a")
        await bench.reached("leg_a", EventKind.PROMPT_ENDED)

    async def test_live_legs_are_listed(self, bench: SwitchBench) -> None:
        """Reconcile sees each leg's call, shard and answer."""
        bench.script(ALICE, ANSWERS)
        bench.script(BOB, PhoneScript(ring_ms=20_000))
        ordered = bench.now_ms()
        await bench.switch.originate(an_order("leg_b", number=BOB, at_call_ms=ordered))
        await bench.answered("leg_a", ALICE)
        live = {leg.leg_id: leg for leg in await bench.switch.live_legs()}
        assert set(live) == {"leg_a", "leg_b"}
        assert (live["leg_b"].call_id, live["leg_b"].shard) == ("call_1", 3)
        assert (live["leg_b"].answered_call_ms, live["leg_b"].since_call_ms) == (None, ordered)
        answered = bench.one("leg_a", EventKind.ANSWERED)
        assert live["leg_a"].answered_call_ms == answered.at_call_ms

    async def test_how_a_leg_ended_is_known_for_minutes(self, bench: SwitchBench) -> None:
        """Reconcile gets the very event that may have been lost."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        assert await bench.switch.ended_leg("leg_a") is None
        await bench.switch.hang_up("leg_a", 16)
        await bench.pass_ms(bench.minutes_ms)
        assert await bench.switch.ended_leg("leg_a") == bench.one("leg_a", EventKind.ENDED)
        assert await bench.switch.ended_leg("leg_unknown") is None

    async def test_an_order_refused_for_certain_is_no_leg(self, bench: SwitchBench) -> None:
        """The refusal names a cause and is sure; there is nothing to hang up."""
        await bench.refuse_orders()
        await bench.switch.originate(an_order("leg_a", number=ALICE, at_call_ms=bench.now_ms()))
        failed = await bench.reached("leg_a", EventKind.ORIGINATE_FAILED)
        assert failed.certain
        assert failed.cause != 16
        assert await bench.switch.live_legs() == []

    async def test_a_repeated_event_has_the_same_id(self, bench: SwitchBench) -> None:
        """What is told twice can be recognised: equal ids are equal events."""
        bench.script(ALICE, ANSWERS)
        await bench.repeat_and_delay()
        await bench.switch.originate(an_order("leg_a", number=ALICE, at_call_ms=bench.now_ms()))
        await bench.pass_ms(10_000)
        await bench.switch.hang_up("leg_a", 16)
        await bench.pass_ms(10_000)
        events = {event.event_id: event for event in bench.told}
        assert len(events) == 3
        assert len(bench.told) == 6
        assert all(events[event.event_id] == event for event in bench.told)

    async def test_legs_outlive_our_process(self, bench: SwitchBench) -> None:
        """After a restart legs are there, what was missed is asked for, and the future is told."""
        bench.script(ALICE, ANSWERS)
        bench.script(BOB, PhoneScript(ring_ms=10_000))
        await bench.answered("leg_a", ALICE)
        limit = bench.now_ms() + 3_000
        await bench.switch.limit("leg_a", limit)
        await bench.switch.originate(an_order("leg_b", number=BOB, at_call_ms=bench.now_ms()))
        before = len(bench.told)
        await bench.restart(dead_for_ms=5_000)
        assert [leg.leg_id for leg in await bench.switch.live_legs()] == ["leg_b"]
        ended = await bench.switch.ended_leg("leg_a")
        assert ended is not None
        assert bench.at(ended.at_call_ms, limit)
        await bench.reached("leg_b", EventKind.ANSWERED, 6_000)
        kinds = [event.kind for event in bench.told[before:]]
        assert kinds == [EventKind.SWITCH_BACK, EventKind.ANSWERED]

    async def test_health_counts_legs(self, bench: SwitchBench) -> None:
        """A switch says whether it is up and how full it is."""
        bench.script(ALICE, ANSWERS)
        await bench.answered("leg_a", ALICE)
        health = await bench.switch.health()
        assert (health.up, health.legs) == (True, 1)
        assert health.ports >= 64
        assert health.detail


class SimulatorBench(SwitchBench):
    """The simulator with a clock moved by hand."""

    switch: Simulator

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.clock = FakeClock()
        self._phones: dict[str, PhoneScript] = {}
        self.switch = self.fresh()

    def fresh(self) -> Simulator:
        """Return the simulator as a new process makes it."""
        return Simulator(
            name="simulator",
            clock=self.clock,
            phones=self._phones,
            default=PhoneScript(),
            orders_path=self._path,
            ports=100,
            rng=random.Random(1),  # noqa: S311  (faults, not secrets)
        )

    def now_ms(self) -> int:
        """Return the fake clock's time."""
        return self.clock.now_ms()

    def script(self, number: str, script: PhoneScript) -> None:
        """Write the phone book."""
        self._phones[number] = script

    async def pass_ms(self, by_ms: int) -> None:
        """Move the clock."""
        await self.clock.advance(by_ms)
        await settle()

    async def restart(self, dead_for_ms: int) -> None:
        """Drop the simulator without a word, and make a new one on the same file."""
        await self.deafen()
        self.switch.close()
        self.clock.jump(dead_for_ms)
        self.switch = self.fresh()
        self.listen()

    async def repeat_and_delay(self) -> None:
        """Switch the faults on."""
        self.switch.faults = Faults(repeat=1, reorder_ms=3_000)

    async def refuse_orders(self) -> None:
        """Switch the fault on."""
        self.switch.faults = Faults(originate_fail=1)


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[SimulatorBench]:
    """Run a simulator on a bench, and leave nothing behind."""
    bench = SimulatorBench(path)
    bench.listen()
    await settle()
    try:
        yield bench
    finally:
        await bench.deafen()
        bench.switch.close()


class TestSimulator(SwitchContract):
    """The simulator keeps the contract."""

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[SwitchBench]:
        """A simulator with a file of its own."""
        async with listening(tmp_path / "simulator.jsonl") as bench:
            yield bench


class RemoteBench(SwitchBench):
    """A simulator behind its socket, as a node of several has it."""

    switch: RemoteSimulator

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._inside = SimulatorBench(folder / "ny.json")
        self._path = folder / "ny.sock"
        self._server: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Serve the simulator, and be its node."""
        server = SimulatorServer(self._inside.switch, self._path)
        await server.listen()
        self._server = asyncio.create_task(server.run())
        self.switch = RemoteSimulator("ny", self._path, self._inside.clock, frozenset(range(9)))
        self.listen()

    async def close(self) -> None:
        """Let the node and the simulator's process die."""
        await self.deafen()
        self.switch.close()
        self._inside.switch.close()
        if self._server is not None:
            self._server.cancel()
            await asyncio.gather(self._server, return_exceptions=True)

    def now_ms(self) -> int:
        """Return the simulator's time."""
        return self._inside.now_ms()

    def script(self, number: str, script: PhoneScript) -> None:
        """Write the simulator's phone book."""
        self._inside.script(number, script)

    async def pass_ms(self, by_ms: int) -> None:
        """Move the simulator's clock, step by step, so that what it tells arrives meanwhile."""
        until = self.now_ms() + by_ms
        while self.now_ms() < until:
            due = self._inside.clock.next_sleeper_ms()
            await self._inside.pass_ms(min(until, due or until) - self.now_ms())
            await self.switch.health()

    async def restart(self, dead_for_ms: int) -> None:
        """Let the simulator's process die too, and both come back."""
        await self.close()
        self._inside.clock.jump(dead_for_ms)
        self._inside.switch = self._inside.fresh()
        await self.open()

    async def repeat_and_delay(self) -> None:
        """Switch the faults on."""
        await self._inside.repeat_and_delay()

    async def refuse_orders(self) -> None:
        """Switch the fault on."""
        await self._inside.refuse_orders()


class TestRemoteSimulator(SwitchContract):
    """A simulator of its own process keeps the contract over its socket."""

    pytestmark = pytest.mark.enable_socket

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[SwitchBench]:
        """A simulator with a socket of its own."""
        bench = RemoteBench(tmp_path)
        await bench.open()
        await bench.switch.health()
        bench.told.clear()  # that the switch is there
        yield bench
        await bench.close()
