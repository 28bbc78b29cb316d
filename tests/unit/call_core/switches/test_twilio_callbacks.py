"""What Twilio says of a call, in our words."""

import pytest

from call_core.switches.twilio_callbacks import (
    CallStatus,
    Token,
    cause_of,
    cause_of_error,
    instant_ms,
    seconds_of,
    status_of,
    token_of,
    token_of_url,
)

TOKEN = Token("callgate", "leg_01ABC", "call_01ABC", 3, 180)


def test_a_token_comes_back_from_the_address_that_it_was_put_into() -> None:
    """Whatever else stands in the query."""
    url = f"https://calls.example/voice/twilio/gather?{TOKEN.query(n='2', k='7')}#rc=3"
    assert token_of_url(url) == TOKEN


@pytest.mark.parametrize(
    "changed",
    [
        {"d": ""},
        {"leg": "leg 1"},
        {"leg": "l" * 129},
        {"call": "<x>"},
        {"shard": "-1"},
        {"limit": "12345678901"},
        {"limit": ""},
    ],
)
def test_an_address_that_is_not_ours_names_no_leg(changed: dict[str, str]) -> None:
    """Missing, foreign and too long values are none of ours."""
    query = {"d": "callgate", "leg": "leg_1", "call": "call_1", "shard": "0", "limit": "60"}
    assert token_of(query) is not None
    assert token_of(query | changed) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tue, 14 Nov 2023 22:13:20 +0000", 1_700_000_000_000),
        ("Wed, 15 Nov 2023 00:13:20 +0200", 1_700_000_000_000),
        ("", None),
        (None, None),
        ("yesterday", None),
        ("Tue, 14 Nov 99999999999 22:13:20 +0000", None),
    ],
)
def test_instants_are_read_to_the_second(text: str | None, found: int | None) -> None:
    """In RFC 2822, in any zone; anything else is none."""
    assert instant_ms(text) == found


@pytest.mark.parametrize(
    ("status", "sip", "cause"),
    [
        ("completed", "200", 16),
        ("canceled", "487", 16),
        ("busy", "486", 17),
        ("busy", "603", 21),
        ("busy", None, 17),
        ("failed", "404", 1),
        ("failed", "480", 20),
        ("failed", "503", 41),
        ("failed", "999", 41),
        ("failed", None, 41),
        ("no-answer", "487", 19),
        ("no-answer", "480", 20),
        ("no-answer", None, 19),
    ],
)
def test_each_end_has_a_cause(status: str, sip: str | None, cause: int) -> None:
    """The network's words count where they say more than the state."""
    found = status_of(status)
    assert found is not None
    assert cause_of(found, sip) == cause


@pytest.mark.parametrize(("code", "cause"), [(21215, 57), (21211, 28), (10004, 34), (99999, 41)])
def test_each_refusal_has_a_cause(code: int, cause: int) -> None:
    """A refusal that we do not know is temporary: another trunk may be tried."""
    assert cause_of_error(code) == cause


def test_unknown_words_are_none() -> None:
    """A state that Twilio adds one day ends nothing."""
    assert status_of("paused") is None
    assert status_of(None) is None
    assert status_of("in-progress") is CallStatus.IN_PROGRESS
    assert [seconds_of(text) for text in ("42", "", None, "-1", "1.5")] == [42, 0, 0, 0, 0]
