"""The checks of `callgate init`'s answers, and its settings file."""

import stat
from collections.abc import Callable
from pathlib import Path

import phonenumbers
import pytest

from gateway import first_run
from gateway.settings_file import load_settings


@pytest.mark.parametrize(
    ("check", "text", "made"),
    [
        (first_run.check_currency, " usd ", "USD"),
        (first_run.check_mail, " ada@hill.example ", "ada@hill.example"),
        (first_run.check_phone, "+44 20 7946 0018", "+442079460018"),
        (first_run.check_timezone, " Europe/London", "Europe/London"),
        (first_run.check_country, "gb", "GB"),
    ],
)
def test_right_answers_are_put_in_order(check: Callable[[str], str], text: str, made: str) -> None:
    """Blanks and small letters are no mistake."""
    assert check(text) == made


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (first_run.check_currency, "dollars"),
        (first_run.check_mail, "ada"),
        (first_run.check_mail, "ada @x.example"),
        (first_run.check_mail, "@x.example"),
        (first_run.check_phone, "020 7946 0018"),
        (first_run.check_phone, "+44 1"),
        (first_run.check_phone, ""),
        (first_run.check_timezone, "London"),
        (first_run.check_country, "UK"),
        (first_run.check_country, ""),
    ],
)
def test_wrong_answers_are_explained_with_an_example(
    check: Callable[[str], str], text: str
) -> None:
    """The sentence repeats what was said and shows a right one."""
    with pytest.raises(ValueError, match="write") as refused:
        check(text)
    assert repr(text) in str(refused.value)


def test_the_phone_tells_country_and_zone() -> None:
    """What can be guessed is not asked twice."""
    assert first_run.country_of("+442079460018") == "GB"
    assert first_run.timezone_of("+442079460018") == "Europe/London"
    assert first_run.country_of("+870773111632") == "US"
    assert first_run.timezone_of("+870773111632") == "UTC"


@pytest.mark.parametrize("country", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_has_a_number_for_the_test_call(country: str) -> None:
    """The first call goes to a number of the own country, which a new customer may call."""
    number = phonenumbers.parse(first_run.example_in(country))
    assert phonenumbers.is_valid_number(number)


def test_the_settings_file_is_private_valid_and_never_overwritten(tmp_path: Path) -> None:
    """Only its owner reads it, the program takes it, and a second one is refused."""
    file = tmp_path / "new" / "callgate.toml"
    first_run.write_settings(file)
    assert stat.S_IMODE(file.stat().st_mode) == first_run.OWNER_ONLY
    assert load_settings(file, {}).switch == "simulator"
    with pytest.raises(FileExistsError):
        first_run.write_settings(file)
