import pytest

from parsers.wctp import Result, Version, format_time, parse_time, version_of

AT_MS = 1_795_201_200_000


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.0", Version.V1_0),
        ("wctp-dtd-v1r1", Version.V1_1),
        ("wctp-dtd-v1r1.dtd", Version.V1_1),
        ("wctp-dtd-v1r2", Version.V1_2),
        ("WCTP-DTD-V1R3", Version.V1_3),
        ("1.3", Version.V1_3),
        ("wctpv1-0", Version.V1_0),
        ("", Version.V1_1),
        ("wctp-dtd-v1r4", None),
        ("2.0", None),
        ("wctp", None),
    ],
)
def test_versions_are_read_loosely(text: str, version: Version | None) -> None:
    """As they are seen on the wire; a missing one is 1.1, an unknown one nothing."""
    assert version_of(text) is version


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-11-20T19:00:00", AT_MS),
        ("2026-11-20T19:00:00Z", AT_MS),
        ("2026-11-20T14:00:00-05:00", AT_MS),
        ("2026-11-20T19:00:00.500", AT_MS + 500),
        ("20 Nov 2026", None),
        ("", None),
        ("2026-13-20T19:00:00", None),
    ],
)
def test_times_are_utc(text: str, at_ms: int | None) -> None:
    """`YYYY-MM-DDThh:mm:ss` without a zone; one that says its zone is believed."""
    assert parse_time(text) == at_ms


def test_a_time_is_written_without_zone() -> None:
    """As the specification has it."""
    assert format_time(AT_MS) == "2026-11-20T19:00:00"


@pytest.mark.parametrize(
    ("code", "success", "temporary"),
    [
        *((200, True, False), (211, True, False), (300, False, False), (304, False, True)),
        *((402, False, False), (503, False, False), (600, False, True), (606, False, True)),
    ],
)
def test_families_decide(code: int, success: bool, temporary: bool) -> None:  # noqa: FBT001  (columns)
    """Gateways misuse single codes, never families."""
    assert (Result(code).is_success, Result(code).is_temporary) == (success, temporary)
