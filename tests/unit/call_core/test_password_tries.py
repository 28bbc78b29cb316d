"""Who guesses passwords is refused for a while, and nobody else is."""

import pytest

from call_core.password_tries import MOST_REMEMBERED, WINDOW_MS, WRONG_TRIES, PasswordTries

ADA = "ada@example.com"


def _after(wrong: int, *, every_ms: int = 0) -> PasswordTries:
    """Return what is known after so many wrong passwords, the first at instant 0."""
    tries = PasswordTries()
    for number in range(wrong):
        tries.failed(ADA, number * every_ms)
    return tries


@pytest.mark.parametrize(("wrong", "refused"), [(WRONG_TRIES - 1, False), (WRONG_TRIES, True)])
def test_the_fifth_wrong_one_closes_the_name(wrong: int, *, refused: bool) -> None:
    """Four wrong passwords change nothing; after five the name is refused, however it is typed."""
    tries = _after(wrong)
    assert tries.refused(f" {ADA.upper()} ", 0) is refused
    assert not tries.refused("bob@example.com", 0)


@pytest.mark.parametrize(("after_ms", "refused"), [(WINDOW_MS - 1, True), (WINDOW_MS, False)])
def test_a_refusal_ends(after_ms: int, *, refused: bool) -> None:
    """Ten minutes after the last wrong password the name is looked at again."""
    assert _after(WRONG_TRIES).refused(ADA, after_ms) is refused


@pytest.mark.parametrize(
    ("every_ms", "refused"), [(WINDOW_MS // 4 - 1, True), (WINDOW_MS // 4, False)]
)
def test_slow_mistakes_are_no_guessing(every_ms: int, *, refused: bool) -> None:
    """Five wrong passwords within ten minutes close the name, over ten minutes they do not."""
    tries = _after(WRONG_TRIES, every_ms=every_ms)
    assert tries.refused(ADA, every_ms * (WRONG_TRIES - 1)) is refused


def test_a_right_password_clears_the_name() -> None:
    """What went wrong before it does not count any more."""
    tries = _after(WRONG_TRIES - 1)
    tries.succeeded(ADA)
    tries.failed(ADA, 0)
    assert not tries.refused(ADA, 0)


@pytest.mark.parametrize(
    ("others", "refused"), [(MOST_REMEMBERED - 1, True), (MOST_REMEMBERED, False)]
)
def test_memory_is_bounded(others: int, *, refused: bool) -> None:
    """The name that failed longest ago is forgotten first."""
    tries = _after(WRONG_TRIES)
    for number in range(others):
        tries.failed(str(number), 0)
    assert tries.refused(ADA, 0) is refused
