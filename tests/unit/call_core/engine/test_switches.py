"""Several switches as one: whose a call is, and everything that is told in one stream."""

import random
from collections.abc import AsyncIterator, Sequence

import pytest

from call_core.contracts import EventKind, SwitchEvent
from call_core.engine.switches import SwitchSet, as_set
from call_core.switches.simulator import Simulator
from call_core.switches.simulator_phone import PhoneScript
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio


class Telling(Simulator):
    """A simulator that tells what it was given, then ends or breaks."""

    def __init__(self, name: str, told: Sequence[SwitchEvent], error: Exception | None) -> None:
        super().__init__(
            name=name,
            clock=FakeClock(0),
            phones={},
            default=PhoneScript.from_seconds(),
            orders_path=None,
            ports=1,
            rng=random.Random(1),  # noqa: S311  (no faults)
        )
        self._given, self._error = told, error

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Tell."""
        for event in self._given:
            yield event
        if self._error is not None:
            raise self._error


def _event(kind: EventKind, leg_id: str = "") -> SwitchEvent:
    return SwitchEvent(f"{kind}:{leg_id}", kind, leg_id, "", 0)


def _switch(name: str, *told: SwitchEvent, error: Exception | None = None) -> Telling:
    return Telling(name, told, error)


async def test_the_events_of_all_come_and_those_of_a_whole_switch_say_which() -> None:
    """A leg's events are as they were; the stream ends when every switch has ended."""
    ringing, lost = _event(EventKind.RINGING, "leg_1"), _event(EventKind.SWITCH_LOST)
    for switches in ([_switch("ny", ringing, lost)], [_switch("ny", lost), _switch("la", ringing)]):
        told = [event async for event in SwitchSet(switches).events()]
        assert sorted((event.kind, event.switch) for event in told) == [
            ("ringing", ""),
            ("switch_lost", "ny"),
        ]


async def test_what_breaks_one_stream_is_not_swallowed() -> None:
    """A defect of a switch is seen, whichever it is."""
    switches = SwitchSet([_switch("ny"), _switch("la", error=ZeroDivisionError())])
    with pytest.raises(ZeroDivisionError):
        _ = [event async for event in switches.events()]


async def test_a_call_is_on_its_switch_and_on_the_first_when_that_is_gone() -> None:
    """A switch that was taken out of the settings leaves its calls to the first."""
    ny, la = _switch("ny"), _switch("la")
    switches = SwitchSet([ny, la])
    assert (switches.of("la"), switches.of("gone")) == (la, ny)
    assert as_set(switches) is switches
    assert list(as_set(la)) == [la]
    la.cut_guard_ms = 500
    assert switches.cut_guard_ms == 500


async def test_two_switches_of_one_name_are_refused() -> None:
    """Nobody could tell whose a call is."""
    with pytest.raises(ValueError, match="two switches"):
        SwitchSet([_switch("ny"), _switch("ny")])
