"""Bodies become the commands that the grammar would make."""

from typing import Any

import pytest
from pydantic import ValidationError

from call_core.commands import Amount, Call, Command, Conference, Drop, Mute, Name, Number, When
from call_core.errors import ParseError
from channels.api.bodies import (
    CallBody,
    CommandBody,
    ConferenceBody,
    PartyBody,
    call_of,
    conference_of,
    party_command,
)
from parsers.grammar import parse


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({"to": "mom"}, Call(Name("mom"))),
        ({"to": " +442079460018 "}, Call(Number("+442079460018"))),
        ({"to": "*7"}, parse("call *7")),
        (
            {"to": "mom", "from": "office", "billing_code": "ACME-12", "private": True},
            Call(Name("mom"), Name("office"), "ACME-12", private=True),
        ),
        (
            {"to": "mom", "max_cost": "5.00", "max_minutes": 20},
            Call(Name("mom"), max_cost=Amount("5.00", "USD"), max_minutes=20),
        ),
        ({"to": "mom", "at": "in 10"}, parse("call mom in 10")),
        ({"to": "mom", "at": "tue 10:00 london"}, parse("call mom at tue 10:00 london")),
    ],
)
def test_a_call_body_is_a_call(body: dict[str, Any], command: Command) -> None:
    """Amounts are in the customer's currency, `at` is read as in any message."""
    assert call_of(CallBody(**body), "USD") == command


@pytest.mark.parametrize(
    ("at", "timezone", "hour", "zone"),
    [
        ("2026-12-01T09:00:00Z", None, 9, "UTC"),
        ("2026-12-01T09:00:00+02:00", "Europe/London", 7, "UTC"),
        ("2026-12-01T09:00", None, 9, ""),
        ("2026-12-01T09:00", "Europe/London", 9, "Europe/London"),
    ],
)
def test_at_may_be_rfc_3339(at: str, timezone: str | None, hour: int, zone: str) -> None:
    """An offset decides; without one the body's zone does, else the user's own."""
    body = CallBody(to="mom", at=at, timezone=timezone)
    when = When(text=at, day=1, month=12, year=2026, hour=hour, minute=0, zone=zone)
    assert call_of(body, "USD") == Call(Name("mom"), at=when)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to": "mom 555 1212"}, "not_understood"),
        ({"to": "mom", "at": "2026-13-01T09:00Z"}, "time_invalid"),
        ({"to": "mom", "at": "2026-12-01T09:00:30Z"}, "time_invalid"),
        ({"to": "mom", "at": "soon"}, "time_not_understood"),
    ],
)
def test_words_that_cannot_be_read_are_refused_by_code(body: dict[str, Any], code: str) -> None:
    """The shape was right, the words were not: the core answers with the parser's own reason."""
    command = call_of(CallBody(**body), "USD")
    assert isinstance(command, ParseError)
    assert command.code == code


def test_a_conference_body_is_a_conference() -> None:
    """Names and numbers may be mixed; length and title are its own."""
    body = ConferenceBody(participants=["mom", "+442079460018"], title="weekly", minutes=30)
    people = (Name("mom"), Number("+442079460018"))
    assert conference_of(body, "USD") == Conference(people, minutes=30, title="weekly")


def test_a_wrong_participant_refuses_all() -> None:
    """Nobody is left out in silence."""
    body = ConferenceBody(participants=["mom", "bob 555 1212"])
    assert isinstance(conference_of(body, "USD"), ParseError)


@pytest.mark.parametrize(
    ("action", "command"), [("mute", Mute(2, "4F7")), ("drop", Drop(2, "4F7"))]
)
def test_a_party_is_changed_by_number(action: Any, command: Command) -> None:  # noqa: ANN401  (a literal of the model)
    """The number is the party's own in the call."""
    assert party_command(PartyBody(action=action), 2, "4F7") == command


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("to", "m" * 80, "m" * 81),
        ("from", "m" * 80, "m" * 81),
        ("billing_code", "c" * 40, "c" * 41),
        ("at", "t" * 60, "t" * 61),
        ("timezone", "z" * 60, "z" * 61),
        ("max_minutes", 1440, 1441),
        ("max_cost", "9" * 9 + ".999999", "9" * 10),
        ("max_cost", "0.000001", "0.0000001"),
    ],
)
def test_each_field_has_a_limit(field: str, good: object, bad: object) -> None:
    """At the limit a value is taken, one past it the body is refused."""
    CallBody.model_validate({"to": "mom", field: good})
    with pytest.raises(ValidationError):
        CallBody.model_validate({"to": "mom", field: bad})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\t", "\x00", "\x85", "\u2028"])
def test_a_field_of_one_line_holds_no_line_break(end: str) -> None:
    """Nothing of ours that has lines (a mail, a list, a log) gets one more; commands may have."""
    with pytest.raises(ValidationError):
        ConferenceBody(participants=["mom", "bob"], title=f"a{end}Bcc: x@y.example")
    with pytest.raises(ValidationError):
        CallBody(to=f"mom{end}bob")
    if end in ("\n", "\r\n"):
        CommandBody(text=f"conf mom{end}bob")


def test_lists_and_lines_have_limits() -> None:
    """Two hundred participants are read (the core refuses more than it can hold), no more."""
    ConferenceBody(participants=["m"] * 200)
    CommandBody(text="m" * 1000)
    for wrong in (["m"] * 201, []):
        with pytest.raises(ValidationError):
            ConferenceBody(participants=wrong)
    with pytest.raises(ValidationError):
        CommandBody(text="m" * 1001)
