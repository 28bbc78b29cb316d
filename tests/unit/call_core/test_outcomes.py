"""Outcomes survive being stored."""

import json
from typing import get_args

import pytest

from call_core.outcomes import (
    Asked,
    Done,
    Instant,
    Launched,
    Money,
    Outcome,
    Phone,
    Phrase,
    Refused,
    Scheduled,
    Seconds,
    Told,
    Value,
    decode_fields,
    encode_fields,
    from_json,
    to_json,
)

FIELDS: dict[str, Value] = {
    "words": "caf\u00e9 \u2713 \"quoted\" {'$money': 1}",
    "empty": "",
    "count": -3,
    "big": 2**60,
    "price": Money(-1, "USD"),
    "at": Instant(1_700_000_000_000, "Europe/London"),
    "to": Phone("+442079460018", "12"),
    "left": Seconds(65),
    "rows": (Phrase("row", {"cost": Money(5, "EUR"), "inner": (Phrase("deep"),)}), Phrase("bare")),
    "none": (),
}
ROWS = (Phrase("a", {"to": Phone("+1")}), Phrase("b"))
OUTCOMES: list[Outcome] = [
    Launched("call_launched", "4F7", "call_1", FIELDS),
    Scheduled("call_scheduled", "4F7", "call_1", FIELDS),
    Asked("which", "4F7", ROWS, FIELDS),
    Done("added", "4F7", "call_1", FIELDS),
    Told("who", "4F7", ROWS, more=True, fields=FIELDS),
    Refused("no_call", "4F7", "call_1", FIELDS),
    Done("bare"),
    Told("bare"),
    Refused("bare"),
    Asked("bare", ""),
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: f"{outcome.kind}-{outcome.code}")
def test_what_is_stored_is_what_was_said(outcome: Outcome) -> None:
    """Every outcome comes back equal, type and all values included."""
    stored = to_json(outcome)
    assert from_json(stored) == outcome
    assert type(from_json(stored)) is type(outcome)
    assert to_json(from_json(stored)) == stored


def test_every_outcome_is_tried() -> None:
    """The table above has one of each kind, and their kinds differ."""
    assert {type(outcome) for outcome in OUTCOMES} == set(get_args(Outcome))
    assert len({made.kind for made in get_args(Outcome)}) == len(get_args(Outcome))


def test_the_stored_form() -> None:
    """Compact, sorted, typed values under a tag: what is in the database must stay readable."""
    outcome = Refused("too_dear", "4F7", fields={"cost": Money(5, "USD"), "n": 1})
    assert to_json(outcome) == (
        '{"call_id":"","code":"too_dear","fields":{"cost":{"$money":[5,"USD"]},"n":1},'
        '"kind":"refused","ref":"4F7"}'
    )


def test_fields_alone_survive() -> None:
    """Fields are JSON values and come back as they were."""
    assert decode_fields(json.loads(json.dumps(encode_fields(FIELDS)))) == FIELDS
