"""Values as words."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.outcomes import Instant, Money, Phone, Seconds, Value
from channels.kit.wording import (
    CUT,
    Style,
    clean,
    cut_at_word,
    format_instant,
    format_phone,
    format_seconds,
    format_value,
    plain_words,
    shorten,
)

_NOV_23 = 1_795_424_400_000  # Mon 23 Nov 2026 09:00 UTC
_SHORT = Style(full=False)
_WORDS = MappingProxyType(
    {"change": MappingProxyType({"operator": ("The operator can change this.", "Ask them.")})}
)


@pytest.mark.parametrize(
    ("name", "value", "full", "short"),
    [
        ("price", Money(1_250_000, "USD"), "$1.25", "$1.25"),
        ("price", Money(3_200_000, "EUR"), "EUR 3.20", "EUR 3.20"),
        ("price", Money(-12_500, "USD"), "-$0.0125", "-$0.0125"),
        ("at", Instant(_NOV_23, "UTC"), "Mon 23 Nov 2026 09:00 UTC", "Mon 23 Nov 09:00 UTC"),
        ("number", Phone("+442079460018", "12"), "+44 20 7946 0018 x12", "+44 20 7946 0018 x12"),
        ("talk", Seconds(65), "1:05", "1:05"),
        ("count", 0, "0", "0"),
        ("to", "Žofia", "Žofia", "Zofia"),
        ("change", "operator", "The operator can change this.", "Ask them."),
        ("change", "SOME_body", "some body", "some body"),
    ],
)
def test_values_by_type(name: str, value: Value, full: str, short: str) -> None:
    """Figures are the same in full and in short; words and dates are shorter."""
    assert format_value(name, value, Style(words=_WORDS)) == full
    assert format_value(name, value, Style(full=False, words=_WORDS)) == short


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("", "Mon 23 Nov 2026 09:00 GMT (London)"),
        ("long", "Mon 23 Nov 2026 09:00 GMT (London)"),
        ("short", "Mon 23 Nov 09:00 GMT"),
        ("time", "Mon 09:00"),
    ],
)
def test_a_spec_chooses_the_form_of_an_instant(spec: str, text: str) -> None:
    """`short` and `long` go against the style; `time` is the day and the clock alone."""
    assert format_value("at", Instant(_NOV_23, "Europe/London"), Style(), spec) == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/New_York", "Mon 23 Nov 2026 04:00 EST (New York)"),
        ("Asia/Kathmandu", "Mon 23 Nov 2026 14:45 UTC+5:45 (Kathmandu)"),
        ("America/Sao_Paulo", "Mon 23 Nov 2026 06:00 UTC-3 (Sao Paulo)"),
        ("Pacific/Kiritimati", "Mon 23 Nov 2026 23:00 UTC+14 (Kiritimati)"),
        ("No/Where", "Mon 23 Nov 2026 09:00 UTC (Where)"),
        ("../etc/passwd", "Mon 23 Nov 2026 09:00 UTC (passwd)"),
    ],
)
def test_an_instant_says_its_zone(zone: str, text: str) -> None:
    """Letters where the zone has some, else the offset; an unknown zone is UTC and says so."""
    assert format_instant(_NOV_23, zone) == text


def test_an_instant_without_a_zone_is_shown_in_the_readers() -> None:
    """The reader's zone stands in when the value names none."""
    style = Style(timezone="Asia/Tokyo")
    assert format_value("at", Instant(_NOV_23, ""), style) == "Mon 23 Nov 2026 18:00 JST (Tokyo)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (5, "0:05"),
        (60, "1 min"),
        (61, "1:01"),
        (720, "12 min"),
        (3661, "1:01:01"),
        (3600, "60 min"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    """Whole minutes are said as minutes, others as on a clock."""
    assert format_seconds(seconds) == text


def test_a_number_without_extension() -> None:
    """The international form, nothing behind it."""
    assert format_phone("+16169779933") == "+1 616-977-9933"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("mom\r\nBcc: x", "mom Bcc: x"),
        ("a\u202eb", "a b"),
        ("  two   words ", "two words"),
        ("\u2028x\x00", "x"),
    ],
)
def test_what_people_wrote_stays_on_one_line(text: str, seen: str) -> None:
    """No line break, no mark of direction, no control character gets through."""
    assert clean(text) == seen
    assert plain_words("NOT_Accepted") == "not accepted"


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("Bob", 3, "Bob"),
        ("Bobby", 4, "Bo.."),
        ("Bobby", 1, "Bo.."),
        ("Anna Maria", 8, "Anna M.."),
        ("mom 0207 946 0018", 10, "mom.."),
        ("pay $1250.75 now", 9, "pay.."),
        ("pay EUR 1250 now", 9, "pay.."),
        ("+44 20 7946 0018 x12", 6, "+44 20 7946 0018 x12"),
        ("(616) 977-9933", 6, "(616) 977-9933"),
    ],
)
def test_words_are_shortened_and_numbers_are_not(text: str, most: int, shown: str) -> None:
    """The cut is marked, falls outside numbers, and a number alone is kept whole."""
    assert shorten(text, most) == shown


@pytest.mark.parametrize("name", ["ref", "example", "code", "digits"])
def test_what_is_copied_is_never_shortened(name: str) -> None:
    """Refs, commands and codes are whole in every style; names are not."""
    style = Style(full=False, word_limit=4)
    assert format_value(name, "call mom max", style) == "call mom max"
    assert format_value("to", "call mom max", style) == "ca.."


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("one two", 7, "one two"),
        ("one two three", 9, "one two.."),
        ("call +44 20 7946 0018 now", 20, "call.."),
        ("unbreakable", 5, ".."),
    ],
)
def test_the_last_resort_cuts_between_words(text: str, most: int, shown: str) -> None:
    """Whole words stay; a number with blanks in it is one word."""
    assert cut_at_word(text, most) == shown


@given(st.text(max_size=60), st.integers(4, 60))
def test_shortening_keeps_to_its_length(text: str, most: int) -> None:
    """A shortened text fits, or it was one whole number."""
    shown = shorten(text, most)
    assert len(shown) <= most or (shown == text and text[-1:] != CUT)
