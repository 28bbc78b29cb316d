"""What must never reach a log."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.masking import MIN_PHONE_DIGITS, mask_number, mask_text, mask_value

NUMBERS = [
    ("call +44 20 7946 0018 now", "call +44…0018 now"),
    ("+16169779933", "+1…9933"),
    ("(616) 977-9933 x12", "…9933 x12"),
    ("616.977.9933", "…9933"),
    ("011 44 20 7946 0018", "…0018"),
    ("+44 (0)20 7946\u20130018", "+44…0018"),
    ("to=%2B442079460018&x=1", "to=+44…0018&x=1"),
    ("https://h/call/+442079460018/events", "https://h/call/+44…0018/events"),
    ('{"to":"+442079460018"}', '{"to":"+44…0018"}'),
    ("user2079460018", "user…0018"),
    ("\uff12\uff10\uff17\uff19\uff14\uff16\uff10\uff10\uff11\uff18", "…\uff10\uff10\uff11\uff18"),
    ("\uff0b442079460018", "+44…0018"),
    ("+880 1712 345678", "+880…5678"),
    ("tel:+442079460018;ext=7", "tel:+44…0018;ext=7"),
    ("(415) 555\u20111212", "…1212"),
    ("4155\u200b551212", "…1212"),
    ("(415)+555-1212", "…1212"),
]
SECRETS = [
    ("password=hunter2", "password=***"),
    ("passwords = hunter2", "passwords = ***"),
    ('{"token": "abc def", "n": 1}', '{"token": ***, "n": 1}'),
    ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
    ("sent Bearer abcdef123456 along", "sent Bearer *** along"),
    ("AUTH PLAIN AGFkYQBzZWNyZXQ=", "AUTH PLAIN ***"),
    ("postgresql://cg:hunter2@db/x", "postgresql://cg:***@db/x"),
    ("postgresql://cg:p@ss@db/x", "postgresql://cg:***@db/x"),
    ("x-api-key: abc", "x-api-key: ***"),
    ("set-cookie: sid=abc; Path=/", "set-cookie: ***; Path=/"),
    ("pin=1234", "pin=***"),
    ("/wap/0123456789abcdefghjkmn/menu", "/wap/***/menu"),
]
KEPT = [
    "127.0.0.1:54321 took 12 ms",
    "at 2026-11-22T02:36:00.123 from 10.0.0.1",
    "call_01J9ZK4M3N5P7Q8RSTVWXYZ012 ended",
    "4 of 12 parties, 30/6, port 8080",
    "spinning: fast",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "4F7",
]


@pytest.mark.parametrize(("text", "masked"), NUMBERS)
def test_digits_of_a_number_are_hidden_however_it_is_written(text: str, masked: str) -> None:
    """Country code and last four digits are all that is left of a telephone number."""
    assert mask_text(text) == masked


@pytest.mark.parametrize(("text", "masked"), SECRETS)
def test_secrets_are_hidden_in_any_text(text: str, masked: str) -> None:
    """Passwords, tokens, cookies and credentials in URLs leave nothing."""
    assert mask_text(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_number_stays(text: str) -> None:
    """Addresses, instants, our ids and small figures are still readable."""
    assert mask_text(text) == text


def test_the_shortest_number_is_hidden_and_one_digit_less_is_not() -> None:
    """Seven digits are a telephone number, six are a figure."""
    digits = "1234567"[:MIN_PHONE_DIGITS]
    assert mask_text(digits) == "…4567"
    assert mask_text(digits[:-1]) == digits[:-1]


def test_values_are_masked_at_any_depth_and_under_secret_names() -> None:
    """What is logged as a structure is masked like text, and a secret's name hides its value."""
    value = {
        "to": 442079460018,
        "at_ms": 1790000000000,
        "inner": [{"password": "x"}, b"+442079460018", ("+16169779933",)],
        "api_token": "abc",
        "secret_id": "s1",
        "ok": True,
    }
    masked = mask_value(value)
    assert masked["to"] == "…0018"
    assert masked["at_ms"] == 1790000000000
    assert masked["inner"] == [{"password": "***"}, "+44…0018", ["+1…9933"]]
    assert masked["api_token"] == "***"
    assert masked["ok"] is True


def test_a_structure_that_is_too_deep_is_hidden_whole() -> None:
    """A value that contains itself many times over neither hangs nor leaks."""
    value: object = "+442079460018"
    for _ in range(50):
        value = [value]
    assert "7946" not in json.dumps(mask_value(value))


def test_a_number_keeps_its_country_code_only_with_a_plus() -> None:
    """Without a plus nobody knows which digits are the country's."""
    assert mask_number("+442079460018") == "+44…0018"
    assert mask_number("442079460018") == "…0018"


@given(
    st.text(max_size=60), st.from_regex(r"\+[1-9][0-9]{7,13}", fullmatch=True), st.text(max_size=60)
)
def test_no_context_uncovers_a_number(before: str, number: str, after: str) -> None:
    """Whatever stands around it, a number never comes out whole."""
    assert number not in mask_text(f"{before} {number} {after}")
