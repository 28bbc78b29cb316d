import pytest

from call_core.numbering import E164, Home, NumberKind, format_for_people, masked, normalise


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+442079460018", "+44 20 7946 0018"),
        ("+16169779933", "+1 616-977-9933"),
        ("+871773111632", "+871773111632"),
        ("+390212345678", "+39 02 1234 5678"),
    ],
)
def test_numbers_are_shown_in_international_form(text: str, shown: str) -> None:
    """People see spaces where they expect them; a forgotten code stays as it is."""
    assert format_for_people(text) == shown


def test_an_extension_is_shown() -> None:
    """The extension follows behind an x."""
    number = normalise("616 977 9933 x12", Home("US"))
    assert isinstance(number, E164)
    assert format_for_people(number) == "+1 616-977-9933 x12"
    assert masked(number) == "+1…9933"


def test_a_number_of_a_forgotten_code_stays_as_it_is() -> None:
    """What was a number when it was dialled is shown years later."""
    number = E164("+871773111632", "12", 871, "001", NumberKind.SATELLITE)
    assert format_for_people(number) == "+871773111632 x12"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+442079460018", "+44…0018"),
        ("+16169779933", "+1…9933"),
        ("+6834112", "+683…12"),
        ("+871773111632", "+…1632"),
        ("442079460018", "+44…0018"),
        ("", "+…"),
    ],
)
def test_masked_numbers_keep_country_and_end(text: str, shown: str) -> None:
    """Logs show where a call goes and enough to recognise it, never the whole number."""
    assert masked(text) == shown
