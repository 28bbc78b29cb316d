"""Form tokens: bound to a session, short-lived, and nothing that another can make."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit import page_tokens
from channels.kit.page_tokens import TokenState, check, fingerprint, issue, seal, unseal

NOW_MS = 1_790_000_000_000
SESSION = "s3ss10n"
HOUR_MS = page_tokens.PAGE_LIFETIME_S * 1000


def make(session: str = SESSION, now_ms: int = NOW_MS) -> str:
    """Return a token made with a seeded source."""
    return issue(session, now_ms, random.Random(7))  # noqa: S311  (repeatable)


@pytest.mark.parametrize(
    ("age_ms", "state"),
    [
        (0, TokenState.VALID),
        (HOUR_MS, TokenState.VALID),
        (HOUR_MS + 1000, TokenState.EXPIRED),
        (-page_tokens.MAX_CLOCK_AHEAD_S * 1000, TokenState.VALID),
        (-(page_tokens.MAX_CLOCK_AHEAD_S + 1) * 1000, TokenState.FORGED),
    ],
)
def test_a_token_lives_for_an_hour(age_ms: int, state: TokenState) -> None:
    """At the limit it is good, one second past it is not; one from the future is forged."""
    assert check(SESSION, make(), NOW_MS + age_ms) is state


def test_micro_pages_may_ask_for_a_shorter_life() -> None:
    """The lifetime is the page's own choice."""
    later_ms = NOW_MS + (page_tokens.MICRO_PAGE_LIFETIME_S + 1) * 1000
    lifetime_s = page_tokens.MICRO_PAGE_LIFETIME_S
    assert check(SESSION, make(), later_ms, lifetime_s) is TokenState.EXPIRED


def test_a_token_of_another_session_is_forged() -> None:
    """A token that somebody got for their own session opens nothing in another."""
    assert check("another", make(), NOW_MS) is TokenState.FORGED


@pytest.mark.parametrize("token", ["", ".", "x", "6aaa.bbb", "é.é", "." * 70, "0" * 65])
def test_what_is_no_token_is_forged(token: str) -> None:
    """Any text may come in the field; none of it raises."""
    assert check(SESSION, token, NOW_MS) is TokenState.FORGED


@given(st.integers(0, 34), st.characters(codec="ascii"))
def test_any_changed_letter_is_noticed(place: int, letter: str) -> None:
    """Every letter of the token is under the signature or is the signature."""
    token = make()
    changed = token[:place] + letter + token[place + 1 :]
    assert (check(SESSION, changed, NOW_MS) is TokenState.VALID) == (changed == token)


def test_tokens_are_short_and_differ() -> None:
    """Two forms of one page have two tokens, each of 36 characters."""
    rng = random.Random(1)  # noqa: S311  (repeatable)
    tokens = {issue(SESSION, NOW_MS, rng) for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {36}


def test_a_fingerprint_keeps_its_parts_apart() -> None:
    """Moving a letter from one part to the next is another content."""
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint("ab", "c") == fingerprint("ab", "c")


@given(st.text(max_size=300))
def test_sealed_text_comes_back(text: str) -> None:
    """Whatever was sealed for a session is read by it, and by no other."""
    sealed = seal(SESSION, text)
    assert unseal(SESSION, sealed) == text
    assert unseal("another", sealed) == ""
    assert unseal(SESSION, f"A{sealed}") == ""


def test_what_no_cookie_can_hold_is_not_sealed() -> None:
    """At the limit a text is sealed, past it nothing is."""
    longest = (page_tokens.MAX_SEALED_LENGTH - 17) * 3 // 4
    assert unseal(SESSION, seal(SESSION, "x" * longest)) == "x" * longest
    assert seal(SESSION, "x" * (longest + 2)) == ""
