"""Sessions without cookies: sealed, ten minutes long, of one channel, new on every page."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit.micro_session import (
    MAX_SIGN_INS_REMEMBERED,
    MAX_STATE_LENGTH,
    SIGN_IN_REPEAT_S,
    MicroSessions,
    Opened,
    RecentSignIns,
)
from channels.kit.page_tokens import MAX_CLOCK_AHEAD_S, MICRO_PAGE_LIFETIME_S, TokenState

NOW_MS = 1_790_000_000_000
SESSION = "0123456789abcdefghjkmnpqrstvwxyz"
KEY = b"k" * 32
FORGED = Opened(TokenState.FORGED)


def sessions(key: bytes = KEY, channel: str = "wap") -> MicroSessions:
    """Return sessions with a seeded source."""
    return MicroSessions(key, channel, random.Random(7))  # noqa: S311  (repeatable)


@pytest.mark.parametrize(
    ("age_s", "state"),
    [
        (0, TokenState.VALID),
        (MICRO_PAGE_LIFETIME_S, TokenState.VALID),
        (MICRO_PAGE_LIFETIME_S + 1, TokenState.EXPIRED),
        (-MAX_CLOCK_AHEAD_S, TokenState.VALID),
        (-MAX_CLOCK_AHEAD_S - 1, TokenState.FORGED),
    ],
)
def test_a_state_lives_for_ten_minutes(age_s: int, state: TokenState) -> None:
    """At the limit it is good, one second past it is not; one from the future is forged."""
    made = sessions().issue(SESSION, NOW_MS)
    assert sessions().open(made, NOW_MS + age_s * 1000).state is state


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_a_state_gives_back_its_session(session: str) -> None:
    """Whoever has the key continues, with another process too."""
    opened = sessions().open(sessions().issue(session, NOW_MS), NOW_MS)
    assert (opened.state, opened.session) == (TokenState.VALID, session)


def test_every_page_has_another_state_and_id() -> None:
    """Two pages of one second are two requests, and neither shows the session."""
    made = sessions()
    states = {made.issue(SESSION, NOW_MS) for _ in range(100)}
    assert len({made.open(state, NOW_MS).request_id for state in states}) == 100
    assert {len(state) for state in states} == {68}
    assert not any(SESSION[:8] in state for state in states)


@pytest.mark.parametrize("place", [0, 11, 12, 30, 54, 55, 66, 67])
@pytest.mark.parametrize("letter", "AB9_")
def test_a_changed_state_is_forged(place: int, letter: str) -> None:
    """Any letter that differs spoils it; the last one cannot be written in two ways."""
    made = sessions().issue(SESSION, NOW_MS)
    changed = made[:place] + letter + made[place + 1 :]
    assert sessions().open(changed, NOW_MS) == FORGED or changed == made


@pytest.mark.parametrize("text", ["", "x", "=", "ü", "A" * 24, "A" * 68, "A" * 5000, "a b", "\0"])
def test_what_is_no_state_is_forged(text: str) -> None:
    """Nothing that somebody sends is an error of ours."""
    assert sessions().open(text, NOW_MS) == FORGED


def test_a_state_has_a_limit() -> None:
    """A session that makes it longer than the limit is not read."""
    fitting = sessions().issue("s" * 77, NOW_MS)
    assert len(fitting) == MAX_STATE_LENGTH
    assert sessions().open(fitting, NOW_MS).session == "s" * 77
    assert sessions().open(sessions().issue("s" * 78, NOW_MS), NOW_MS) == FORGED


def test_a_state_is_good_on_its_channel_with_its_key_only() -> None:
    """A page of one channel opens nothing on another, nor at another deployment."""
    made = sessions().issue(SESSION, NOW_MS)
    assert sessions(channel="pda").open(made, NOW_MS) == FORGED
    assert sessions(key=b"x" * 32).open(made, NOW_MS) == FORGED


def test_a_double_tap_on_signing_in_finds_the_session() -> None:
    """The same page, address and secret within a minute; nothing else."""
    recent, key = RecentSignIns(), ("page", "anna", "123456")
    recent.remember(key, SESSION, NOW_MS)
    assert recent.again(key, NOW_MS + SIGN_IN_REPEAT_S * 1000) == SESSION
    assert recent.again(("page", "anna", "123457"), NOW_MS) is None
    assert recent.again(("other", "anna", "123456"), NOW_MS) is None
    assert recent.again(key, NOW_MS + SIGN_IN_REPEAT_S * 1000 + 1) is None


def test_only_so_many_sign_ins_are_remembered() -> None:
    """At the limit the first is kept, one past it is forgotten."""
    recent = RecentSignIns()
    for number in range(MAX_SIGN_INS_REMEMBERED):
        recent.remember((str(number), "", ""), SESSION, NOW_MS)
    assert recent.again(("0", "", ""), NOW_MS) == SESSION
    recent.remember(("one more", "", ""), SESSION, NOW_MS)
    assert recent.again(("0", "", ""), NOW_MS) is None
