"""The lines between a simulator of its own and its nodes."""

from dataclasses import asdict

import pytest

from call_core.contracts import EventKind, LiveLeg, Prompt, SwitchEvent, SwitchHealth
from call_core.switches import simulator_wire as wire
from tests.support.orders import an_order


def test_everything_that_goes_over_comes_out_as_it_was() -> None:
    """Orders, events, legs and health survive the wire."""
    event = SwitchEvent("e", EventKind.ENDED, "leg_1", "call_1", 5, answered_call_ms=2, by_us=True)
    line = wire.encode(wire.event_message(event))
    assert line.endswith(b"\n")
    assert wire.event_of(wire.decode(line)["event"]) == event
    order, leg = an_order("leg_1", at_call_ms=0), LiveLeg("leg_1", "call_1", 3, None, "", 7)
    health = SwitchHealth(up=True, detail="fine", legs=1, ports=2)
    for made, read in ((order, wire.order_of), (leg, wire.leg_of), (health, wire.health_of)):
        assert read(wire.decode(wire.encode(asdict(made)))) == made
    assert wire.prompt_of("accept") is Prompt.ACCEPT


@pytest.mark.parametrize("line", [b"[]\n", b"no\n", b"\xff\n"])
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    """The connection ends then."""
    with pytest.raises(ValueError, match=r"."):
        wire.decode(line)
