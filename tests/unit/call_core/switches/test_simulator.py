import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from call_core.contracts import EventKind, Prompt, SwitchEvent
from call_core.switches.simulator import SHOW_ENDED_MS, Simulator
from call_core.switches.simulator_faults import Faults
from call_core.switches.simulator_leg import PhoneState
from call_core.switches.simulator_phone import PhoneResult, PhoneScript
from tests.support.clocks import FakeClock, settle
from tests.support.orders import an_order

ALICE, BOB = "+12025550101", "+12025550102"


class Desk:
    """A simulator with a clock moved by hand and a reader of its events."""

    def __init__(self, ports: int = 3, faults: Faults = Faults(), seed: int = 1) -> None:  # noqa: B008  (frozen)
        self.clock = FakeClock()
        self.phones: dict[str, PhoneScript] = {}
        self.told: list[SwitchEvent] = []
        self.arrived_ms: list[int] = []
        self.simulator = Simulator(
            name="simulator",
            clock=self.clock,
            phones=self.phones,
            default=PhoneScript(ring_ms=900),
            orders_path=None,
            ports=ports,
            rng=random.Random(seed),  # noqa: S311  (faults, not secrets)
            faults=faults,
        )
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.simulator.events():
            self.told.append(event)
            self.arrived_ms.append(self.clock.now_ms())

    async def ring(self, leg_id: str, number: str = ALICE) -> None:
        """Originate one leg; a phone of the default script is answered a second later."""
        order = an_order(leg_id, number=number, at_call_ms=self.clock.now_ms())
        await self.simulator.originate(order)

    def kinds(self) -> list[EventKind]:
        """Return the kinds of all that was told."""
        return [event.kind for event in self.told]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk with three ports and nothing wrong."""
    made = Desk()
    await settle()
    yield made
    made.simulator.close()
    await made.reader


async def run(desk: Desk, by_ms: int) -> None:
    """Let time pass and everybody run."""
    await desk.clock.advance(by_ms)
    await settle()


async def end(desk: Desk) -> None:
    """Close a desk made inside a test."""
    desk.simulator.close()
    await desk.reader


@pytest.mark.anyio
async def test_events_come_at_their_instant(desk: Desk) -> None:
    """The reader sleeps until something is due, and is woken for earlier things."""
    await desk.ring("leg_1")
    await run(desk, 60_000)
    await desk.simulator.hang_up("leg_1", 16)
    await settle()
    assert desk.kinds() == [EventKind.RINGING, EventKind.ANSWERED, EventKind.ENDED]
    assert desk.arrived_ms == [event.at_call_ms for event in desk.told]


@pytest.mark.anyio
async def test_a_late_loop_tells_the_true_instants(desk: Desk) -> None:
    """When the process slept, times are still those of the script, in order."""
    start = desk.clock.now_ms()
    await desk.ring("leg_1")
    await settle()
    desk.clock.jump(50_000)
    await settle()
    assert [event.at_call_ms - start for event in desk.told] == [100, 1_000]


@pytest.mark.anyio
async def test_the_switch_takes_an_order_now() -> None:
    """An order written down long ago rings from the moment it arrives, not in the past."""
    desk = Desk()
    start = desk.clock.now_ms()
    await desk.simulator.originate(an_order("leg_1", number=ALICE, at_call_ms=start - 90_000))
    await run(desk, 1_000)
    assert [event.at_call_ms - start for event in desk.told] == [100, 1_000]
    await end(desk)


@pytest.mark.anyio
async def test_ports_are_a_limit(desk: Desk) -> None:
    """Three legs fit, the fourth is refused for certain with cause 34, until one ends."""
    for n in range(4):
        await desk.ring(f"leg_{n}")
    await settle()
    (failed,) = desk.told
    assert (failed.leg_id, failed.kind) == ("leg_3", EventKind.ORIGINATE_FAILED)
    assert (failed.cause, failed.certain) == (34, True)
    assert await desk.simulator.ended_leg("leg_3") == failed
    await desk.simulator.hang_up("leg_0", 16)
    await desk.ring("leg_3")
    await desk.ring("leg_4")
    health = await desk.simulator.health()
    assert (health.legs, health.ports) == (3, 3)
    assert {leg.leg_id for leg in await desk.simulator.live_legs()} == {"leg_1", "leg_2", "leg_4"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("faults", "live", "certain"),
    [
        (Faults(originate_fail=1), 0, True),
        (Faults(lost_originate=1), 0, False),
        (Faults(lost_originate_answer=1), 1, False),
    ],
)
async def test_orders_go_wrong_on_purpose(
    faults: Faults,
    live: int,
    certain: bool,  # noqa: FBT001  (a column of the table)
) -> None:
    """Refused, lost on the way, or taken while the answer was lost: only the first is certain."""
    desk = Desk(faults=faults)
    await desk.ring("leg_1")
    await settle()
    assert desk.kinds() == [EventKind.ORIGINATE_FAILED]
    assert desk.told[0].certain is certain
    assert len(await desk.simulator.live_legs()) == live
    desk.simulator.faults = Faults()
    await desk.ring("leg_1")
    assert len(await desk.simulator.live_legs()) == (0 if certain else 1)
    await end(desk)


@pytest.mark.anyio
async def test_a_dropped_event_is_known_to_reconcile() -> None:
    """What the wire lost can be asked for."""
    desk = Desk(faults=Faults(drop=1))
    await desk.ring("leg_1")
    await run(desk, 2_000)
    assert desk.told == []
    assert (await desk.simulator.live_legs())[0].answered_call_ms is not None
    await desk.simulator.hang_up("leg_1", 16)
    ended = await desk.simulator.ended_leg("leg_1")
    assert ended is not None
    assert ended.answered_call_ms is not None
    await end(desk)


@pytest.mark.anyio
async def test_delay_moves_the_arrival_only() -> None:
    """A slow wire changes when we hear of it, not when it was."""
    desk = Desk(faults=Faults(delay_ms=40))
    start = desk.clock.now_ms()
    await desk.ring("leg_1")
    await run(desk, 5_000)
    assert [event.at_call_ms - start for event in desk.told] == [100, 1_000]
    assert [at - start for at in desk.arrived_ms] == [140, 1_040]
    await end(desk)


@pytest.mark.anyio
async def test_the_same_seed_makes_the_same_faults() -> None:
    """A failing run can be repeated from its seed; another seed is another run."""
    runs = [await faulty_run(seed) for seed in (5, 5, 6)]
    assert runs[0] == runs[1] != runs[2]


async def faulty_run(seed: int) -> list[str]:
    """Return what a bad wire tells of thirty calls."""
    desk = Desk(ports=30, faults=Faults(drop=0.2, repeat=0.3, reorder_ms=2_000), seed=seed)
    for n in range(30):
        await desk.ring(f"leg_{n}")
        await run(desk, 130)
    await run(desk, 10_000)
    await end(desk)
    return [event.event_id for event in desk.told]


@pytest.mark.anyio
async def test_a_broken_wire_loses_what_happens(desk: Desk) -> None:
    """SWITCH_LOST, silence, refused commands, SWITCH_BACK; legs went on meanwhile."""
    await desk.ring("leg_1")
    await run(desk, 500)
    desk.simulator.disconnect()
    desk.simulator.disconnect()
    await run(desk, 1_000)
    with pytest.raises(ConnectionError, match="simulator"):
        await desk.simulator.live_legs()
    assert not (await desk.simulator.health()).up
    desk.simulator.reconnect()
    desk.simulator.reconnect()
    await settle()
    assert desk.kinds() == [EventKind.RINGING, EventKind.SWITCH_LOST, EventKind.SWITCH_BACK]
    assert len({event.event_id for event in desk.told}) == 3
    assert (await desk.simulator.live_legs())[0].answered_call_ms is not None


@pytest.mark.anyio
async def test_a_person_plays_a_phone(desk: Desk) -> None:
    """Ring, pick up, hear, key, put down: all by hand, all told like any phone."""
    desk.phones[BOB] = PhoneScript(result=PhoneResult.MANUAL)
    await desk.ring("leg_1", BOB)
    assert not desk.simulator.pick_up("leg_1")
    await run(desk, 2_000)
    assert [status.state for status in desk.simulator.phones()] == [PhoneState.RINGING]
    assert not desk.simulator.keypress("leg_1", "1")
    assert desk.simulator.pick_up("leg_1")
    assert not desk.simulator.pick_up("leg_1")
    await desk.simulator.play("leg_1", Prompt.ACCEPT, {"destination": "London"})
    (status,) = desk.simulator.phones()
    assert (status.prompt, status.words) == (Prompt.ACCEPT, (("destination", "London"),))
    assert not desk.simulator.keypress("leg_1", "A")
    assert desk.simulator.keypress("leg_1", "1")
    assert desk.simulator.put_down("leg_1")
    assert not desk.simulator.put_down("leg_1")
    await settle()
    assert desk.kinds() == [
        EventKind.RINGING,
        EventKind.ANSWERED,
        EventKind.DIGIT,
        EventKind.ENDED,
    ]
    assert not desk.told[-1].by_us


@pytest.mark.anyio
async def test_what_a_hand_did_outlives_a_kill(tmp_path: Path) -> None:
    """A phone picked up by hand is still answered after a restart."""
    clock = FakeClock()

    def start() -> Simulator:
        return Simulator(
            name="simulator",
            clock=clock,
            phones={},
            default=PhoneScript(result=PhoneResult.MANUAL),
            orders_path=tmp_path / "simulator.jsonl",
            ports=3,
            rng=random.Random(1),  # noqa: S311  (faults, not secrets)
        )

    simulator = start()
    await simulator.originate(an_order("leg_1", at_call_ms=clock.now_ms()))
    clock.jump(2_000)
    assert simulator.pick_up("leg_1")
    simulator.close()
    clock.jump(40_000)
    again = start()
    assert [leg.answered_call_ms for leg in await again.live_legs()] == [clock.now_ms() - 40_000]
    assert [status.state for status in again.phones()] == [PhoneState.ANSWERED]
    again.close()


@pytest.mark.anyio
async def test_a_phone_put_down_is_shown_for_a_moment(desk: Desk) -> None:
    """Up to ten seconds later, and no longer."""
    await desk.ring("leg_1")
    await run(desk, 2_000)
    desk.simulator.put_down("leg_1")
    await run(desk, SHOW_ENDED_MS - 1)
    assert [status.state for status in desk.simulator.phones()] == [PhoneState.ENDED]
    await run(desk, 1)
    assert desk.simulator.phones() == []


@pytest.mark.anyio
async def test_events_have_one_reader(desk: Desk) -> None:
    """A second reader is refused, because each event would reach only one of the two."""
    with pytest.raises(RuntimeError, match="one consumer"):
        await anext(desk.simulator.events())


@pytest.mark.anyio
async def test_closing_ends_the_reader_and_the_commands() -> None:
    """After `close` the reader's loop is over, and a command says so; closing twice is harmless."""
    desk = Desk()
    await desk.ring("leg_1")
    await settle()
    desk.simulator.close()
    desk.simulator.close()
    await desk.reader
    with pytest.raises(ConnectionError):
        await desk.ring("leg_2")
    assert not (await desk.simulator.health()).up


@pytest.mark.anyio
async def test_another_reader_may_follow(desk: Desk) -> None:
    """When the reader was cancelled the next one gets what it left."""
    await desk.ring("leg_1")
    await run(desk, 500)
    desk.reader.cancel()
    await asyncio.wait({desk.reader})
    desk.clock.jump(1_000)
    event = await anext(desk.simulator.events())
    assert event.kind is EventKind.ANSWERED
    desk.reader = asyncio.create_task(settle())


@pytest.mark.anyio
async def test_a_clock_that_fails_is_heard() -> None:
    """A defect of the clock ends the reader with that error, never in silence."""

    class Broken(FakeClock):
        async def sleep_until(self, at_ms: int) -> None:
            raise OverflowError(at_ms)

    simulator = Simulator(
        name="simulator",
        clock=Broken(),
        phones={},
        default=PhoneScript(),
        orders_path=None,
        ports=1,
        rng=random.Random(1),  # noqa: S311  (faults, not secrets)
    )
    with pytest.raises(OverflowError):
        await anext(simulator.events())
