from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from call_core.schedule.wall_clock import Moment, TimeNote, show_local, to_local, to_moments

NEW_YORK, LORD_HOWE, APIA = "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"


def _utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("local", "zone", "utc"),
    [
        ("2026-11-20T09:00", NEW_YORK, ["2026-11-20T14:00"]),
        ("2027-03-14T01:59", NEW_YORK, ["2027-03-14T06:59"]),
        ("2027-03-14T03:00", NEW_YORK, ["2027-03-14T07:00"]),
        ("2026-11-01T00:59", NEW_YORK, ["2026-11-01T04:59"]),
        ("2026-11-01T02:00", NEW_YORK, ["2026-11-01T07:00"]),
        ("2026-06-01T12:00", "Asia/Kathmandu", ["2026-06-01T06:15"]),
    ],
)
def test_an_ordinary_local_time_is_one_instant(local: str, zone: str, utc: list[str]) -> None:
    """Just before and after every change of the clock a local time is still one instant."""
    moments = to_moments(datetime.fromisoformat(local), zone)
    assert moments == tuple(Moment(_utc(at), TimeNote.NONE) for at in utc)


@pytest.mark.parametrize(
    ("local", "zone", "utc"),
    [
        ("2027-03-14T02:00", NEW_YORK, "2027-03-14T07:00"),
        ("2027-03-14T02:30", NEW_YORK, "2027-03-14T07:00"),
        ("2027-03-14T02:59", NEW_YORK, "2027-03-14T07:00"),
        ("2026-10-04T02:00", LORD_HOWE, "2026-10-03T15:30"),
        ("2026-10-04T02:15", LORD_HOWE, "2026-10-03T15:30"),
        ("2011-12-30T10:00", APIA, "2011-12-30T10:00"),
    ],
)
def test_a_time_that_the_clock_skips_becomes_the_first_after_it(
    local: str, zone: str, utc: str
) -> None:
    """In the gap of an hour, of half an hour (Lord Howe) and of a day (Samoa 2011)."""
    (moment,) = to_moments(datetime.fromisoformat(local), zone)
    assert moment == Moment(_utc(utc), TimeNote.DST_GAP)


@pytest.mark.parametrize(
    ("local", "zone", "utc"),
    [
        ("2026-11-01T01:00", NEW_YORK, ("2026-11-01T05:00", "2026-11-01T06:00")),
        ("2026-11-01T01:59", NEW_YORK, ("2026-11-01T05:59", "2026-11-01T06:59")),
        ("2026-04-05T01:45", LORD_HOWE, ("2026-04-04T14:45", "2026-04-04T15:15")),
    ],
)
def test_a_time_that_the_clock_shows_twice_is_two_instants(
    local: str, zone: str, utc: tuple[str, str]
) -> None:
    """Both are given, the earlier first."""
    moments = to_moments(datetime.fromisoformat(local), zone)
    assert moments == tuple(Moment(_utc(at), TimeNote.DST_OVERLAP) for at in utc)


@pytest.mark.parametrize(
    ("utc", "zone", "shown"),
    [
        ("2026-11-23T09:00", "Europe/London", "Mon 23 Nov 2026 09:00 Europe/London (UTC+0)"),
        ("2026-07-01T12:05", NEW_YORK, "Wed 1 Jul 2026 08:05 America/New_York (UTC-4)"),
        ("2026-07-01T12:05", "Asia/Kathmandu", "Wed 1 Jul 2026 17:50 Asia/Kathmandu (UTC+5:45)"),
        (
            "2026-07-01T12:05",
            "America/St_Johns",
            "Wed 1 Jul 2026 09:35 America/St_Johns (UTC-2:30)",
        ),
    ],
)
def test_the_echo_has_weekday_date_time_zone_and_offset(utc: str, zone: str, shown: str) -> None:
    """Nothing is left to guess in the echo of a time."""
    assert show_local(_utc(utc), zone) == shown


def test_to_local_keeps_the_instant() -> None:
    """A local time is the same instant in other words."""
    local = to_local(_utc("2026-07-01T12:05"), NEW_YORK)
    assert local == datetime(2026, 7, 1, 8, 5, tzinfo=ZoneInfo(NEW_YORK))
