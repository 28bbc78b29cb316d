from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from call_core.commands import When
from call_core.schedule import (
    ChoiceReason,
    Due,
    TimeChoice,
    TimeNote,
    TimeProblem,
    TimeProblemCode,
    local_time,
    resolve,
)

NEW_YORK, LONDON = "America/New_York", "Europe/London"
Code = TimeProblemCode


def _ms(local: str, zone: str = NEW_YORK) -> int:
    """Instant of a local time (the second one of two when it ends in `*`)."""
    at = datetime.fromisoformat(local.rstrip("*"))
    return int(at.replace(tzinfo=ZoneInfo(zone), fold=int("*" in local)).timestamp() * 1000)


FRIDAY_2PM = _ms("2026-11-20T14:00")


@pytest.mark.parametrize(
    ("when", "local"),
    [
        (When("friday 4pm", weekday=5, hour=4, meridiem="pm"), "2026-11-20T16:00"),
        (When("friday 1pm", weekday=5, hour=1, meridiem="pm"), "2026-11-27T13:00"),
        (When("mon 9am", weekday=1, hour=9, meridiem="am"), "2026-11-23T09:00"),
        (When("9am", hour=9, meridiem="am"), "2026-11-21T09:00"),
        (When("3pm", hour=3, meridiem="pm"), "2026-11-20T15:00"),
        (When("tonight at 8", day_offset=0, hour=8, meridiem="pm"), "2026-11-20T20:00"),
        (When("tomorrow 9am", day_offset=1, hour=9, meridiem="am"), "2026-11-21T09:00"),
        (When("1530", hour=15, minute=30), "2026-11-20T15:30"),
        (When("noon", hour=12), "2026-11-21T12:00"),
        (When("midnight", hour=0), "2026-11-21T00:00"),
        (When("12am", hour=12, meridiem="am"), "2026-11-21T00:00"),
        (When("12pm", hour=12, meridiem="pm"), "2026-11-21T12:00"),
        (When("14:00", hour=14), "2026-11-21T14:00"),
        (When("14:01", hour=14, minute=1), "2026-11-20T14:01"),
        (When("23:59", hour=23, minute=59), "2026-11-20T23:59"),
        (When("dec 1 at 3 in the afternoon", day=1, month=12, hour=15), "2026-12-01T15:00"),
        (When("1 nov 9:00", day=1, month=11, hour=9), "2027-11-01T09:00"),
        (When("12 nov 9:00", day=12, month=11, hour=9), "2027-11-12T09:00"),
        (When("midnight tonight", day_offset=0, hour=0, night=True), "2026-11-21T00:00"),
        (When("tonight 1am", day_offset=0, hour=1, meridiem="am", night=True), "2026-11-21T01:00"),
        (When("5 am today", day_offset=1, hour=5, meridiem="am", night=True), "2026-11-21T05:00"),
        (
            When("tonight at 2", day_offset=0, hour=2, hour_doubt=True, night=True),
            "2026-11-21T02:00",
        ),
        (When("the 5th 9:00", day=5, hour=9), "2026-12-05T09:00"),
        (When("the 31st 9:00", day=31, hour=9), "2026-12-31T09:00"),
        (When("fri 25 dec 9:00", weekday=5, day=25, month=12, hour=9), "2026-12-25T09:00"),
        (When("1/1/2027 9:00", day=1, month=1, year=2027, hour=9), "2027-01-01T09:00"),
        (When("in 10", in_minutes=10), "2026-11-20T14:10"),
        (When("in 366 days", in_minutes=366 * 1440), "2027-11-21T14:00"),
        (When("4/4", day=4, month=4, hour=9, day_month_doubt=True), "2027-04-04T09:00"),
        (When("13/4", day=13, month=4, hour=9, day_month_doubt=True), "2027-04-13T09:00"),
        (When("today 9", day_offset=0, hour=9, hour_doubt=True), "2026-11-20T21:00"),
    ],
)
def test_the_next_occurrence_is_meant(when: When, local: str) -> None:
    """Friday 20 November 2026, 14:00 in New York: every time means its next occurrence there."""
    due = resolve(when, FRIDAY_2PM, NEW_YORK)
    assert isinstance(due, Due), due
    assert (due.at_ms, due.zone, due.note) == (_ms(local), NEW_YORK, TimeNote.NONE)


@pytest.mark.parametrize(
    ("when", "zone", "local"),
    [
        (When("3pm london", hour=15, zone="london"), LONDON, "2026-11-21T15:00"),
        (When("7pm london", hour=19, minute=1, zone="London"), LONDON, "2026-11-20T19:01"),
        (
            When("nov 25 3:30p PST", day=25, month=11, hour=15, minute=30, zone="PST"),
            "America/Los_Angeles",
            "2026-11-25T15:30",
        ),
        (When("9:00 usa", hour=9, zone="usa"), NEW_YORK, "2026-11-21T09:00"),
        (When("9:00 ghana", hour=9, zone="ghana"), "Africa/Accra", "2026-11-21T09:00"),
        (When("9:00 ist", hour=9, zone="ist"), "Asia/Kolkata", "2026-11-21T09:00"),
        (When("9:00 utc+2", hour=9, zone="utc+2"), "Etc/GMT-2", "2026-11-21T09:00"),
    ],
)
def test_a_place_names_the_clock(when: When, zone: str, local: str) -> None:
    """With a place the next occurrence on the clock there is meant, and its zone is echoed."""
    due = resolve(when, FRIDAY_2PM, NEW_YORK)
    assert isinstance(due, Due), due
    assert (due.at_ms, due.zone) == (_ms(local, zone), zone)
    assert zone in due.local


@pytest.mark.parametrize(
    ("user_zone", "zone"),
    [
        ("Europe/Dublin", "Europe/Dublin"),
        ("Asia/Jerusalem", "Asia/Jerusalem"),
        ("Asia/Kolkata", "Asia/Kolkata"),
        ("Etc/UTC", "Asia/Kolkata"),
    ],
)
def test_an_abbreviation_means_the_users_own_clock_first(user_zone: str, zone: str) -> None:
    """IST is Irish time for somebody in Ireland."""
    due = resolve(When("9:00 ist", hour=9, zone="ist"), FRIDAY_2PM, user_zone)
    assert isinstance(due, Due)
    assert due.zone == zone


@pytest.mark.parametrize(
    ("when", "reason", "locals_"),
    [
        (
            When("9", hour=9, hour_doubt=True),
            ChoiceReason.AM_PM,
            ["2026-11-20T21:00", "2026-11-21T09:00"],
        ),
        (
            When("tonight 3", day_offset=0, hour=3, hour_doubt=True, night=True),
            ChoiceReason.AM_PM,
            ["2026-11-20T15:00", "2026-11-21T03:00"],
        ),
        (
            When("12", hour=12, hour_doubt=True),
            ChoiceReason.AM_PM,
            ["2026-11-21T00:00", "2026-11-21T12:00"],
        ),
        (
            When("3/4 9am", day=3, month=4, hour=9, meridiem="am", day_month_doubt=True),
            ChoiceReason.DAY_MONTH,
            ["2027-03-04T09:00", "2027-04-03T09:00"],
        ),
        (
            When("3/4 9", day=3, month=4, hour=9, hour_doubt=True, day_month_doubt=True),
            ChoiceReason.DAY_MONTH,
            ["2027-03-04T09:00", "2027-03-04T21:00", "2027-04-03T09:00", "2027-04-03T21:00"],
        ),
    ],
)
def test_doubt_is_a_choice(when: When, reason: ChoiceReason, locals_: list[str]) -> None:
    """Every reading is offered with its full echo, in order of time; nothing is guessed."""
    choice = resolve(when, FRIDAY_2PM, NEW_YORK)
    assert isinstance(choice, TimeChoice)
    assert choice.reason is reason
    assert [due.at_ms for due in choice.choices] == [_ms(local) for local in locals_]


@pytest.mark.parametrize(
    ("place", "user_zone", "names"),
    [
        ("portland", LONDON, ["Portland Oregon US", "Portland Maine US"]),
        ("usa", LONDON, ["New York", "Chicago", "Denver", "Phoenix", "Los Angeles"]),
    ],
)
def test_which_place_is_asked(place: str, user_zone: str, names: list[str]) -> None:
    """Two towns of one name, or a country with many clocks, are a question."""
    choice = resolve(When("9:00", hour=9, zone=place), FRIDAY_2PM, user_zone)
    assert isinstance(choice, TimeChoice)
    assert choice.reason is ChoiceReason.WHICH_PLACE
    assert [due.place for due in choice.choices][: len(names)] == names


def test_no_more_choices_than_one_digit_can_pick() -> None:
    """Russia with am or pm in doubt has more readings than nine; nine are offered."""
    choice = resolve(When("9", hour=9, hour_doubt=True, zone="russia"), FRIDAY_2PM, LONDON)
    assert isinstance(choice, TimeChoice)
    assert len(choice.choices) == 9


@pytest.mark.parametrize(
    ("now", "when", "local", "zone", "note"),
    [
        (
            "2027-03-10T12:00",
            When("sun 2:30", weekday=7, hour=2, minute=30),
            "2027-03-14T03:00",
            NEW_YORK,
            TimeNote.DST_GAP,
        ),
        (
            "2026-10-30T12:00",
            When("sun 1:30", weekday=7, hour=1, minute=30),
            "2026-11-01T01:30",
            NEW_YORK,
            TimeNote.DST_OVERLAP,
        ),
        (
            "2026-11-01T01:45",
            When("1:30", hour=1, minute=30),
            "2026-11-01T01:30*",
            NEW_YORK,
            TimeNote.DST_OVERLAP,
        ),
        (
            "2026-11-01T01:45*",
            When("1:30", hour=1, minute=30),
            "2026-11-02T01:30",
            NEW_YORK,
            TimeNote.NONE,
        ),
        (
            "2026-10-01T12:00",
            When("4 oct 2:15", day=4, month=10, hour=2, minute=15),
            "2026-10-04T02:30",
            "Australia/Lord_Howe",
            TimeNote.DST_GAP,
        ),
        (
            "2011-12-01T12:00",
            When("30 dec 10:00", day=30, month=12, hour=10),
            "2011-12-31T00:00",
            "Pacific/Apia",
            TimeNote.DST_GAP,
        ),
    ],
)
def test_edges_of_daylight_saving(
    now: str, when: When, local: str, zone: str, note: TimeNote
) -> None:
    """A skipped time moves to the first after it, a doubled one is the first still to come."""
    due = resolve(when, _ms(now, zone), zone)
    assert isinstance(due, Due), due
    assert (due.at_ms, due.note) == (_ms(local, zone), note)


@pytest.mark.parametrize(
    ("when", "code"),
    [
        (When("today 9am", day_offset=0, hour=9, meridiem="am"), Code.IN_THE_PAST),
        (When("today 14:00", day_offset=0, hour=14), Code.IN_THE_PAST),
        (When("20 nov 1pm", day=20, month=11, hour=13), Code.IN_THE_PAST),
        (When("fri 20 nov 1pm", weekday=5, day=20, month=11, hour=13), Code.IN_THE_PAST),
        (When("1 nov 2026", day=1, month=11, year=2026, hour=9), Code.IN_THE_PAST),
        (When("19 nov 9am", day=19, month=11, hour=9, meridiem="am"), Code.IN_THE_PAST),
        (When("13 nov 9am", day=13, month=11, hour=9, meridiem="am"), Code.IN_THE_PAST),
        (When("1 jan 1", day=1, month=1, year=1, hour=9), Code.IN_THE_PAST),
        (When("in 0", in_minutes=0), Code.IN_THE_PAST),
        (When("in 366 days and a minute", in_minutes=366 * 1440 + 1), Code.TOO_FAR),
        (When("in ages", in_minutes=10**12), Code.TOO_FAR),
        (When("22 nov 2027", day=22, month=11, year=2027, hour=9), Code.TOO_FAR),
        (When("1 jan 2028", day=1, month=1, year=2028, hour=9), Code.TOO_FAR),
        (When("29 feb", day=29, month=2, hour=9), Code.TOO_FAR),
        (When("9:00 lodnon", hour=9, zone="lodnon"), Code.UNKNOWN_PLACE),
        (When("9:00 antarctica", hour=9, zone="bouvet island"), Code.UNKNOWN_PLACE),
        (When("monday", weekday=1), Code.HOUR_MISSING),
        (When("30 feb", day=30, month=2, hour=9), Code.NO_SUCH_DATE),
        (When("in june", month=6, hour=9), Code.NO_SUCH_DATE),
        (When("24:00", hour=24), Code.NO_SUCH_TIME),
        (When("9:60", hour=9, minute=60), Code.NO_SUCH_TIME),
        (When("13pm", hour=13, meridiem="pm"), Code.NO_SUCH_TIME),
        (When("0am", hour=0, meridiem="am"), Code.NO_SUCH_TIME),
        (When("mon 25 dec", weekday=1, day=25, month=12, hour=9), Code.WEEKDAY_MISMATCH),
        (
            When("mon 1 nov 26", weekday=1, day=1, month=11, year=2026, hour=9),
            Code.NO_SUCH_DATE,
        ),
    ],
)
def test_what_has_no_instant_says_why(when: When, code: TimeProblemCode) -> None:
    """Each impossible time has its own reason and repeats the words."""
    problem = resolve(when, FRIDAY_2PM, NEW_YORK)
    assert isinstance(problem, TimeProblem), problem
    assert problem.code is code
    assert problem.fields["text"] == when.text


@pytest.mark.parametrize(
    ("when", "field", "value"),
    [
        (When("9 lodnon", hour=9, zone="lodnon"), "suggestion", "London"),
        (
            When("mon 25 dec", weekday=1, day=25, month=12, hour=9),
            "date",
            "Fri 25 Dec 2026",
        ),
        (
            When("today 9:00", day_offset=0, hour=9),
            "local",
            "Fri 20 Nov 2026 09:00 America/New_York (UTC-5)",
        ),
        (When("2029", day=1, month=1, year=2029, hour=9), "days", 366),
    ],
)
def test_problem_fields_help(when: When, field: str, value: object) -> None:
    """A problem carries what the sentence needs."""
    problem = resolve(when, FRIDAY_2PM, NEW_YORK)
    assert isinstance(problem, TimeProblem)
    assert problem.fields[field] == value


def test_local_time_of_a_place() -> None:
    """The callee's own time is the same instant in their words."""
    due = local_time(FRIDAY_2PM, LONDON, "London")
    assert due == Due(
        FRIDAY_2PM, LONDON, "Fri 20 Nov 2026 19:00 Europe/London (UTC+0)", place="London"
    )
