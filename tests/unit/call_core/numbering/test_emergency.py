import phonenumbers
import pytest
from phonenumbers import PhoneMetadata

from call_core.numbering import emergency_numbers, is_emergency, is_emergency_in


def test_the_set_holds_the_known_numbers() -> None:
    """Every emergency number people know is in the set, and nothing but three digits."""
    assert {"112", "911", "999", "000", "110", "118", "119", "111", "108"} <= emergency_numbers()
    assert {len(number) for number in emergency_numbers()} == {3}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "112",
            "112 ",
            " 9-1-1",
            "(911)",
            "911.",
            "911!",
            '"911"',
            "9 1 1",
            "911#",
            "tel:911",
            "911 911",
            "112112",
        ),
        *("+1 911", "+44 999", "+44 (0) 999", "+112", "1911", "1-911"),
        *("011 44 999", "00112", "0044112", "0011 1 911", "010 119", "009 112"),
        *("911 x5", "911,,5", "9ll", "9I1", "\uff19\uff11\uff11", "٩١١", "*112"),
    ],
)
def test_emergency_is_recognised_in_any_dress(text: str) -> None:
    """Junk, prefixes and country codes do not hide a call for help."""
    assert is_emergency(text)


@pytest.mark.parametrize(
    "text",
    [
        *("x112", "+1 911 555 0123", "911 555 0123", "616 977 9933 x911", "616 977 9933,,911"),
        *("mom", "ill", "lol", "", "*7", "27112", "0112", "office 911", "+44 20 7946 0018"),
        *("91", "9111", "110 110", "+911 911", "+999 1", "1-800-FLOWERS", "9" + " " * 80 + "11"),
    ],
)
def test_other_targets_pass(text: str) -> None:
    """Extensions, ordinary numbers and names are no emergency."""
    assert not is_emergency(text)


@pytest.mark.parametrize(
    ("text", "countries", "expected"),
    [
        ("15", ["FR"], True),
        ("15", ["US"], False),
        ("15", ["US", "FR"], True),
        ("15", [], False),
        ("+33 15", ["FR"], True),
        ("3315", ["FR"], True),
        ("810 1 911", ["RU"], True),
        ("810 1 911", ["US"], False),
        ("44999", ["GB"], True),
        ("44999", ["US"], False),
        ("911", [], True),
        ("112", ["XX"], True),
        ("mom", ["FR"], False),
        ("+", ["FR"], False),
        ("15 rue", ["FR"], False),
        ("+33 1 40 20 50 50", ["FR"], False),
    ],
)
def test_emergency_by_country(text: str, countries: list[str], expected: bool) -> None:  # noqa: FBT001  (a table's column)
    """Two-digit numbers, and forms that are ordinary elsewhere, count where the caller may be."""
    assert is_emergency_in(text, countries) is expected


def test_no_country_has_an_emergency_number_of_more_than_six_digits() -> None:
    """So longer ones need not be looked for (`_MOST_DIGITS`)."""
    for region in phonenumbers.SUPPORTED_SHORT_REGIONS:
        metadata = PhoneMetadata.short_metadata_for_region(region)
        emergency = None if metadata is None else metadata.emergency
        if metadata is None or emergency is None or not emergency.national_number_pattern:
            continue
        general = metadata.general_desc
        assert general is not None
        assert max(emergency.possible_length or general.possible_length) <= 6, region
