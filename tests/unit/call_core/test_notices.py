"""Notices survive the outbox."""

import pytest

from call_core.notices import Notice, from_json, to_json
from call_core.outcomes import Money, Phrase, Seconds


@pytest.mark.parametrize(
    "notice",
    [
        Notice("bare"),
        Notice(
            "receipt",
            "4F7",
            {"total": Money(12, "USD"), "lines": (Phrase("line", {"talk": Seconds(5)}),)},
            120,
        ),
    ],
    ids=lambda notice: notice.code,
)
def test_what_is_stored_is_what_will_be_said(notice: Notice) -> None:
    """Every notice comes back equal."""
    assert from_json(to_json(notice)) == notice


def test_the_stored_form() -> None:
    """Compact and sorted: what waits in the outbox must stay readable."""
    assert to_json(Notice("x")) == '{"code":"x","expires_after_s":0,"fields":{},"ref":""}'
