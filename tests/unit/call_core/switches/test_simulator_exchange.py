import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from call_core.contracts import EventKind, Prompt, SwitchEvent
from call_core.switches import simulator_exchange
from call_core.switches.simulator_commands import (
    Command,
    HangUp,
    Key,
    Limit,
    PickUp,
    Play,
    PutDown,
    Stop,
)
from call_core.switches.simulator_exchange import KEEP_ENDED_MS, Exchange
from call_core.switches.simulator_leg import PhoneState
from call_core.switches.simulator_phone import PhoneResult, PhoneScript
from call_core.switches.simulator_script import events
from tests.support.orders import an_order

PHONE = PhoneScript(ring_ms=1_000, press="")

SCRIPTS = st.builds(
    PhoneScript,
    ring_ms=st.integers(0, 8_000),
    result=st.sampled_from(PhoneResult),
    press=st.text("0123456789*#", max_size=4),
    press_after_ms=st.integers(0, 6_000),
    talk_ms=st.sampled_from([0, 0, 1, 3_000]),
)
# What is done, to which leg, how long after the step before.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["ring", "play", "stop", "join", "limit", "hang_up", "key", "pick_up", "put_down"]
        ),
        st.integers(0, 4),
        st.sampled_from([0, 0, 1, 100, 900, 4_000]),
    ),
    max_size=40,
)


class World:
    """An exchange of at most five legs, and everything that it told."""

    def __init__(self, path: Path | None, scripts: Sequence[PhoneScript]) -> None:
        self.now = 1_000
        self.told: list[SwitchEvent] = []
        self.path = path
        self.scripts = scripts
        self.exchange = Exchange(path, self.now)

    def step(self, what: str, n: int, after_ms: int) -> None:
        """Let time pass, then do one thing as the simulator would."""
        self.pass_ms(after_ms)
        leg_id = f"leg_{n}"
        leg = self.exchange.legs.get(leg_id)
        if what == "ring" and not self.exchange.knows(leg_id):
            order = an_order(leg_id, at_call_ms=self.now, ring_timeout_s=5, limit_s=20)
            self.exchange.ring(order, self.scripts[n])
        elif leg is not None and what == "pick_up" and leg.ringing_call_ms is not None:
            if leg.answered_call_ms is None:
                self.exchange.give([(leg, PickUp(self.now))])
        elif leg is not None and what in ALWAYS:
            self.exchange.give([(leg, ALWAYS[what](self.now))])
        elif leg is not None and leg.answered_call_ms is not None and what == "join":
            self.exchange.join(f"bridge_{n % 2}", [leg], self.now)
        elif leg is not None and leg.answered_call_ms is not None and what in ANSWERED:
            self.exchange.give([(leg, ANSWERED[what](self.now))])
        self.pass_ms(0)

    def pass_ms(self, by_ms: int) -> None:
        """Let time pass; what is told lies in it."""
        before, self.now = self.now, self.now + by_ms
        told = self.exchange.advance(self.now)
        assert all(before <= event.at_call_ms <= self.now for event in told)
        for leg in self.exchange.legs.values():
            assert leg.timeline == events(leg.order, leg.script, leg.commands)
        self.told += told

    def restart(self) -> None:
        """Drop the exchange without a word and go on from the file."""
        self.exchange.close()
        self.exchange = Exchange(self.path, self.now)

    def future(self) -> dict[str, list[SwitchEvent]]:
        """Return what is still to come."""
        return {key: leg.timeline[leg.happened :] for key, leg in self.exchange.legs.items()}


ALWAYS: dict[str, Callable[[int], Command]] = {
    "limit": lambda now: Limit(now, now + 2_500),
    "hang_up": lambda now: HangUp(now, 16),
    "put_down": PutDown,
}
ANSWERED: dict[str, Callable[[int], Command]] = {
    "play": lambda now: Play(now, (Prompt.ACCEPT, Prompt.HOLD_TONE, Prompt.BUSY)[now % 3]),
    "stop": Stop,
    "key": lambda now: Key(now, "5"),
}


@settings(max_examples=100, deadline=None)
@given(st.lists(SCRIPTS, min_size=5, max_size=5), STEPS)
def test_every_leg_has_one_life(
    scripts: list[PhoneScript], steps: list[tuple[str, int, int]]
) -> None:
    """One ENDED per leg, last; ringing, answered, bridged, ended in order; ids never repeat."""
    world = World(None, scripts)
    for what, n, after_ms in steps:
        world.step(what, n, after_ms)
    legs = {event.leg_id for event in world.told} | set(world.exchange.legs)
    world.pass_ms(100_000)
    assert not world.exchange.legs
    assert len({event.event_id for event in world.told}) == len(world.told)
    assert [event.at_call_ms for event in world.told] == sorted(e.at_call_ms for e in world.told)
    for leg_id in legs:
        check_life([event for event in world.told if event.leg_id == leg_id])


def check_life(life: list[SwitchEvent]) -> None:
    """Check what one leg told from its beginning to its end."""
    kinds = [event.kind for event in life]
    assert kinds.count(EventKind.ENDED) == 1
    assert kinds[-1] is EventKind.ENDED
    answered = [event.at_call_ms for event in life if event.kind is EventKind.ANSWERED]
    assert life[-1].answered_call_ms == (answered[0] if answered else None)
    for earlier, later in (
        (EventKind.RINGING, EventKind.ANSWERED),
        (EventKind.ANSWERED, EventKind.BRIDGED),
        (EventKind.ANSWERED, EventKind.DIGIT),
        (EventKind.ANSWERED, EventKind.PROMPT_ENDED),
    ):
        if later in kinds:
            assert earlier in kinds[: kinds.index(later)]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(SCRIPTS, min_size=5, max_size=5), STEPS, STEPS, st.sampled_from([0, 1, 500, 30_000])
)
def test_a_restart_changes_nothing_but_what_is_told(
    tmp_path: Path,
    scripts: list[PhoneScript],
    before: list[tuple[str, int, int]],
    after: list[tuple[str, int, int]],
    dead_ms: int,
) -> None:
    """Killed at any step and started later, legs, futures and ends are as if it had lived."""
    path = tmp_path / "simulator.jsonl"
    path.unlink(missing_ok=True)
    killed, lived = World(path, scripts), World(None, scripts)
    for step in before:
        killed.step(*step)
        lived.step(*step)
    killed.now += dead_ms
    lived.pass_ms(dead_ms)
    killed.restart()
    told = len(lived.told)
    assert killed.future() == lived.future()
    assert [leg.live() for leg in killed.exchange.legs.values()] == [
        leg.live() for leg in lived.exchange.legs.values()
    ]
    killed.told.clear()
    for step in after:
        killed.step(*step)
        lived.step(*step)
    assert by_instant(killed.told) == by_instant(lived.told[told:])
    ended = [f"leg_{n}" for n in range(5)]
    assert [killed.exchange.ended(e) for e in ended] == [lived.exchange.ended(e) for e in ended]
    killed.exchange.close()


def by_instant(events: list[SwitchEvent]) -> list[SwitchEvent]:
    """Return events in an order that leaves only those of one leg as they came."""
    return sorted(events, key=lambda event: (event.at_call_ms, event.leg_id))


def test_an_end_is_forgotten_after_ten_minutes() -> None:
    """The millisecond before it is known, then not, as soon as another leg ends."""
    world = World(None, [PHONE] * 5)
    world.step("ring", 0, 0)
    world.step("hang_up", 0, 100)
    ended_at = world.told[-1].at_call_ms
    world.step("ring", 1, ended_at + KEEP_ENDED_MS - 1 - world.now)
    world.step("hang_up", 1, 0)
    assert world.exchange.ended("leg_0") is not None
    world.step("ring", 2, 1)
    world.step("hang_up", 2, 0)
    assert world.exchange.ended("leg_0") is None
    assert world.exchange.ended("leg_1") is not None


def test_only_so_many_ends_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy switch forgets the oldest first."""
    monkeypatch.setattr(simulator_exchange, "KEEP_ENDED_LEGS", 2)
    world = World(None, [PHONE] * 5)
    for n in range(3):
        world.step("ring", n, 0)
        world.step("hang_up", n, 10)
    assert [world.exchange.knows(f"leg_{n}") for n in range(3)] == [False, True, True]


def test_the_file_does_not_grow_with_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of calls later it holds the running leg and the few ends still known."""
    monkeypatch.setattr(simulator_exchange, "REWRITE_AFTER_LINES", 100)
    monkeypatch.setattr(simulator_exchange, "KEEP_ENDED_LEGS", 5)
    path = tmp_path / "simulator.jsonl"
    exchange = Exchange(path, 0)
    exchange.ring(an_order("leg_long", at_call_ms=0), PHONE)
    longest = 0
    for n in range(1_000):
        now = 10 + n
        exchange.ring(an_order(f"leg_{n}", at_call_ms=now), PHONE)
        exchange.give([(exchange.legs[f"leg_{n}"], HangUp(now, 16))])
        exchange.advance(now)
        longest = max(longest, path.read_bytes().count(b"\n"))
    exchange.close()
    assert longest <= 100
    again = Exchange(path, 2_000)
    assert list(again.legs) == ["leg_long"]
    assert again.knows("leg_999")
    again.close()


def bridged(world: World) -> list[str]:
    """Return which legs were told that they talk, in order."""
    return [event.leg_id for event in world.told if event.kind is EventKind.BRIDGED]


def test_a_leg_that_moves_leaves_its_bridge() -> None:
    """Who comes to the bridge that it left is alone there."""
    world = World(None, [PHONE] * 5)
    for n in range(4):
        world.step("ring", n, 0)
    world.pass_ms(2_000)
    for n in (0, 2):
        world.step("join", n, 0)
    legs = world.exchange.legs
    world.exchange.join("other", [legs["leg_0"], legs["leg_2"]], world.now)
    world.pass_ms(0)
    assert bridged(world) == ["leg_0", "leg_2", "leg_0", "leg_2"]
    world.exchange.join("bridge_0", [legs["leg_1"]], world.now)
    world.pass_ms(0)
    assert len(bridged(world)) == 4
    world.exchange.join("bridge_0", [legs["leg_3"]], world.now)
    world.pass_ms(0)
    assert bridged(world)[4:] == ["leg_1", "leg_3"]


def test_a_bridge_outlives_a_kill(tmp_path: Path) -> None:
    """Who comes after the restart talks at once with those who are still there."""
    world = World(tmp_path / "simulator.jsonl", [PHONE] * 5)
    for n in (0, 2, 4):
        world.step("ring", n, 0)
    world.pass_ms(2_000)
    world.step("join", 0, 0)
    world.restart()
    world.step("join", 2, 10)
    assert bridged(world) == ["leg_0", "leg_2"]
    world.restart()
    world.step("join", 4, 10)
    assert bridged(world) == ["leg_0", "leg_2", "leg_4"]
    world.exchange.close()


def test_phones_are_shown_as_they_are() -> None:
    """Two talk, one rings, one was put down a moment ago; a refused order shows no phone."""
    world = World(None, [PHONE, PHONE, PHONE, PhoneScript(result=PhoneResult.MANUAL), PHONE])
    for n in range(4):
        world.step("ring", n, 0)
    world.pass_ms(2_000)
    for n in (0, 2):
        world.step("join", n, 0)
    world.step("hang_up", 1, 500)
    shown = world.exchange.statuses(world.now + 9_999, 10_000)
    assert [(status.leg_id, status.state) for status in shown] == [
        ("leg_0", PhoneState.TALKING),
        ("leg_2", PhoneState.TALKING),
        ("leg_3", PhoneState.RINGING),
        ("leg_1", PhoneState.ENDED),
    ]
    assert len(world.exchange.statuses(world.now + 10_000, 10_000)) == 3
    world.step("hang_up", 2, 0)
    assert world.exchange.statuses(world.now, 0)[0].state is PhoneState.ANSWERED


def test_five_thousand_legs_are_one_queue() -> None:
    """Every leg is looked at when something is due, and only then."""
    exchange = Exchange(None, 0)
    rng = random.Random(3)  # noqa: S311  (ring times, not secrets)
    for n in range(5_000):
        script = PhoneScript(ring_ms=rng.randrange(1_000, 20_000))
        exchange.ring(an_order(f"leg_{n}", at_call_ms=0), script)
    told = [event for now in range(0, 21_000, 100) for event in exchange.advance(now)]
    assert len(told) == 10_000
    assert [event.at_call_ms for event in told] == sorted(event.at_call_ms for event in told)
    assert exchange.next_due_call_ms() is not None
    assert len(exchange.legs) == 5_000
