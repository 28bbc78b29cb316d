"""Errors answer whose fault it is, whether a retry helps, and under which code."""

import pytest

from call_core.errors import (
    CallCoreError,
    CommitUnknown,
    DeliveryError,
    Fenced,
    Overloaded,
    ParseError,
    StoreUnavailable,
)


def test_equal_reasons_are_equal_answers() -> None:
    """Code and fields decide, so that a stored answer can be compared."""
    error = ParseError("too_long", limit=80)
    assert error == ParseError("too_long", limit=80)
    assert hash(error) == hash(ParseError("too_long", limit=80))
    for other in (ParseError("too_long", limit=81), ParseError("empty", limit=80), "too_long"):
        assert error != other


def test_a_parse_error_shows_what_was_wrong() -> None:
    """Code and fields are in its text for the log."""
    error = ParseError("too_long", limit=80)
    assert (error.code, dict(error.fields), str(error)) == ("too_long", {"limit": 80}, "too_long")
    assert repr(error) == "ParseError('too_long', {'limit': 80})"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (CallCoreError, "internal"),
        (StoreUnavailable, "store_unavailable"),
        (Overloaded, "overloaded"),
        (CommitUnknown, "commit_unknown"),
        (Fenced, "fenced"),
    ],
)
def test_our_own_failures_are_temporary(kind: type[CallCoreError], code: str) -> None:
    """Nothing that is our fault is ever permanent to the peer."""
    error = kind("why")
    assert isinstance(error, CallCoreError)
    assert (error.code, error.retryable, str(error)) == (code, True, "why")


@pytest.mark.parametrize("retryable", [True, False])
@pytest.mark.parametrize("uncertain", [True, False])
def test_a_delivery_error_says_what_may_be_done(*, retryable: bool, uncertain: bool) -> None:
    """Whether to try again, and whether it may have arrived after all."""
    error = DeliveryError("450 later", retryable=retryable, uncertain=uncertain)
    assert (error.retryable, error.uncertain, str(error)) == (retryable, uncertain, "450 later")


def test_a_refusal_is_certain_by_default() -> None:
    """Only who knows of a doubt says so."""
    assert not DeliveryError("550 no", retryable=False).uncertain
