"""The core's views as JSON: decimals, RFC 3339, nothing lost."""

import pytest

from call_core.outcomes import Fields, Instant, Money, Phone, Phrase, Seconds
from channels.api.models import CdrOut
from channels.api.views import call_out, cdr_out, plain_fields, rfc3339, rfc3339_or_none
from tests.support.scripted_core import NOW_MS, a_call, a_record

CDR_FIELDS = (
    "id call_id ref party attempt leg channel request_id user from to destination prefix rate_id "
    "setup_at answer_at end_at end_estimated duration_s billable_s price_per_minute connect_fee "
    "charge tax total currency buy_cost buy_currency billing_code hangup_cause hangup_by switch "
    "trunk explanation"
)


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (NOW_MS, "2026-09-21T14:13:20.000Z"),
        (NOW_MS + 7, "2026-09-21T14:13:20.007Z"),
    ],
)
def test_instants_are_utc_with_milliseconds(at_ms: int, text: str) -> None:
    """Every time has the same shape."""
    assert rfc3339(at_ms) == rfc3339_or_none(at_ms) == text


def test_a_record_has_exactly_the_promised_fields() -> None:
    """The list is a promise to clients: no field more, none less, in order."""
    shown = cdr_out(a_record()).model_dump(by_alias=True)
    assert list(shown) == CDR_FIELDS.split()
    assert [shown[name] for name in ("from", "price_per_minute", "charge", "buy_cost")] == [
        "+442079460999",
        "0.04",
        "0.04",
        "0.0125",
    ]
    assert shown["answer_at"] == "2026-09-21T14:13:25.500Z"


def test_no_money_is_a_number() -> None:
    """A client that reads JSON numbers as floats never meets an amount."""
    fields = CdrOut.model_fields
    assert all(fields[name].annotation is str for name in ("charge", "tax", "total", "buy_cost"))


def test_a_call_shows_parties_and_legs() -> None:
    """Running cost of the call and of each party, the times of each leg."""
    shown = call_out(a_call()).model_dump()
    assert shown["cost"] == "0.06"
    assert [party["number"] for party in shown["parties"]] == ["+442079460999", "+442079460018"]
    assert shown["parties"][0]["legs"][0]["ringing_at"] == "2026-09-21T14:13:21.000Z"
    assert shown["due_at"] is None


def test_typed_values_become_plain_json() -> None:
    """Each kind of value of an outcome has one JSON form."""
    fields: Fields = {
        "price": Money(40_000, "USD"),
        "at": Instant(NOW_MS, "Europe/London"),
        "number": Phone("+442079460018", "12"),
        "left": Seconds(65),
        "count": 3,
        "rows": (Phrase("row", {"price": Money(1, "USD")}),),
    }
    assert plain_fields(fields) == {
        "price": {"amount": "0.04", "currency": "USD"},
        "at": "2026-09-21T14:13:20.000Z",
        "number": "+442079460018 x12",
        "left": 65,
        "count": 3,
        "rows": [{"code": "row", "fields": {"price": {"amount": "0.000001", "currency": "USD"}}}],
    }
