"""The gate: who counts, who is let in, and what the others are told."""

import json

import pytest

from gateway.admission import ALWAYS, BUSY, BUSY_AND_CLOSED, Gate, Ticket


def test_a_full_gate_lets_nobody_in_until_somebody_leaves() -> None:
    """As many are inside as it was told, and each that is sent away is counted."""
    gate = Gate(2)
    tickets = [Ticket(gate), Ticket(gate)]
    for ticket in tickets:
        assert gate.lets_in(b"/api/v1/calls")
        ticket.enter()
    assert not gate.lets_in(b"/api/v1/calls")
    tickets[0].leave()
    assert gate.lets_in(b"/api/v1/calls")
    assert (gate.inside, gate.sent_away) == (1, 1)


@pytest.mark.parametrize("url", ALWAYS)
def test_health_is_always_told(url: bytes) -> None:
    """A process with much to do is not dead."""
    gate = Gate(1)
    ticket = Ticket(gate)
    ticket.enter()
    assert gate.inside == 1
    assert gate.lets_in(url)
    assert gate.sent_away == 0


def test_a_ticket_counts_once() -> None:
    """Entering and leaving twice is harmless; what was answered before it was here never counts."""
    gate = Gate(5)
    ticket, early = Ticket(gate), Ticket(gate)
    ticket.enter()
    ticket.enter()
    assert gate.inside == 1
    ticket.leave()
    ticket.leave()
    early.leave()
    early.enter()
    assert gate.inside == 0


def test_a_ticket_that_is_forgotten_gives_its_place_back() -> None:
    """Whatever happened to its request."""
    gate = Gate(1)
    ticket = Ticket(gate)
    ticket.enter()
    assert gate.inside == 1
    del ticket
    assert gate.inside == 0


@pytest.mark.parametrize(("answer", "closes"), [(BUSY, False), (BUSY_AND_CLOSED, True)])
def test_the_answer_is_whole(answer: bytes, closes: bool) -> None:  # noqa: FBT001  (a row)
    """It says 503, when to come back, and a problem of exactly the length it names."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 503 Service Unavailable"
    assert b"retry-after: 5" in lines
    assert b"content-length: %d" % len(body) in lines
    assert (b"connection: close" in lines) is closes
    assert json.loads(body)["code"] == "overloaded"
