"""Which mail is due when."""

import random

import pytest

from channels.imap.backlog import SKIP_S, TRY_LIMIT, Backlog, Backoff


class Highest(random.Random):
    """Chance that always takes the upper bound."""

    def uniform(self, a: float, b: float) -> float:
        """Return the upper bound."""
        del a
        return b


def backlog() -> Backlog:
    """Return one with pauses of 1, 2, 4, 8, 8 s."""
    made = Backlog(Backoff(1.0, 8.0, Highest()))
    made.opened(7)
    return made


@pytest.mark.parametrize(
    ("failures", "pause_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (5000, 8.0)]
)
def test_pauses_double_up_to_the_longest(failures: int, pause_s: float) -> None:
    """However many there were."""
    assert Backoff(1.0, 8.0, Highest()).pause_s(failures) == pause_s


def test_jitter_takes_up_to_half_away() -> None:
    """Mailboxes that failed together do not come back together."""
    backoff = Backoff(1.0, 8.0, random.Random(5))  # noqa: S311  (jitter)
    pauses = [backoff.pause_s(3) for _ in range(200)]
    assert 2.0 <= min(pauses) < 2.2
    assert 3.8 < max(pauses) <= 4.0


def test_all_mail_is_due_oldest_first() -> None:
    """Whatever order the server names it in."""
    assert backlog().due([9, 3, 5], 0.0) == [3, 5, 9]


def test_a_mail_that_failed_waits_and_the_others_do_not() -> None:
    """It is due again at the instant and not before."""
    made = backlog()
    assert (made.failed(3, 10.0), made.failed(3, 10.0)) == (1, 2)
    assert made.due([3, 5], 11.9) == [5]
    assert made.due([3, 5], 12.0) == [5, 3]
    assert (made.wait_s(11.5, 60.0), made.wait_s(13.0, 60.0)) == (0.5, 0.0)


def test_those_that_failed_come_last() -> None:
    """A server that hangs up at one of them has given out all others by then."""
    made = backlog()
    made.failed(4, 0.0)
    made.failed(3, 0.0)
    assert made.due([6, 5, 4, 3], 1.0) == [5, 6, 3, 4]


def test_a_mail_is_hopeless_when_others_came_through_meanwhile() -> None:
    """Not when the server gives out nothing at all, however long that lasts."""
    made = backlog()
    made.given()
    for _ in range(TRY_LIMIT + 1):
        made.failed(3, 0.0)
    assert (made.is_hopeless(3), made.is_hopeless(5)) == (False, False)
    made.given()
    assert (made.is_hopeless(3), made.is_hopeless(5)) == (True, False)


def test_a_mail_is_not_hopeless_before_the_last_try() -> None:
    """One failure less than the limit."""
    made = backlog()
    for _ in range(TRY_LIMIT - 1):
        made.failed(3, 0.0)
    made.given()
    assert not made.is_hopeless(3)
    made.failed(3, 0.0)
    assert made.is_hopeless(3)


def test_a_mail_that_is_skipped_has_one_try_an_hour_later() -> None:
    """And is given up anew when that fails too."""
    made = backlog()
    for _ in range(TRY_LIMIT):
        made.failed(3, 0.0)
    made.given()
    made.skip(3, 10.0)
    assert not made.is_hopeless(3)
    assert (made.due([3, 5], 9.9 + SKIP_S), made.due([3, 5], 10.0 + SKIP_S)) == ([5], [5, 3])
    made.failed(3, 10.0 + SKIP_S)
    assert made.is_hopeless(3)


def test_a_core_that_cannot_take_mail_puts_everything_off() -> None:
    """At least as long as it asked for, at most the longest pause; pauses grow until it answers."""
    made = backlog()
    made.core_failed(0.0, 5.0)
    assert (made.due([3], 4.9), made.due([3], 5.0), made.wait_s(1.0, 60.0)) == ([], [3], 4.0)
    made.core_failed(5.0, 30.0)
    assert (made.due([3], 12.9), made.due([3], 13.0)) == ([], [3])
    made.answered(3, "Done")
    made.core_failed(20.0, 0.0)
    assert (made.due([3], 20.9), made.due([3], 21.0)) == ([], [3])


def test_an_answered_mail_has_a_destination_until_it_has_left() -> None:
    """It must only be moved."""
    made = backlog()
    made.answered(3, "Done")
    assert made.destination(3) == "Done"
    made.moved(3)
    assert made.destination(3) is None


def test_moves_that_were_begun_are_known_after_a_reconnect() -> None:
    """What was answered and not seen leaving, until a look at the folder says it is gone."""
    made = backlog()
    made.answered(4, "Failed")
    made.answered(3, "Done")
    made.opened(7)
    assert made.begun() == [3, 4]
    made.due([4], 0.0)
    assert made.begun() == [4]


def test_a_mail_that_somebody_else_took_is_forgotten() -> None:
    """Nothing grows with the mails that were ever seen."""
    made = backlog()
    made.failed(3, 0.0)
    made.answered(4, "Done")
    assert made.due([5], 0.0) == [5]
    assert (made.destination(4), made.due([3], 0.0), made.failed(3, 0.0)) == (None, [3], 1)


@pytest.mark.parametrize(("uid_validity", "due"), [(7, []), (8, [3])])
def test_uids_mean_nothing_under_another_uid_validity(uid_validity: int, due: list[int]) -> None:
    """A reconnect to the same folder keeps what is known, a folder made anew does not."""
    made = backlog()
    made.failed(3, 0.0)
    made.opened(uid_validity)
    assert made.due([3], 0.5) == due


def test_without_failures_the_wait_is_the_poll() -> None:
    """New mail is pushed; the poll is the safety net."""
    assert backlog().wait_s(0.0, 60.0) == 60.0
