"""Twilio's signature, compared with Twilio's own package."""

import hashlib
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from parsers.twilio_signature import (
    SETTINGS_LENGTH_LIMIT,
    SIGNATURE_LENGTH_LIMIT,
    Keys,
    Signed,
    is_authentic,
    sign,
)

TOKEN, OLD, SHARED = "token", "old token", "shared secret"
URL = "https://calls.example.com/sms/twilio"
FORM = [("Body", "call mom"), ("FromZip", ""), ("MessageSid", "SM1"), ("To", "+1")]
KEYS = Keys((TOKEN, OLD), {"key1": SHARED})


class Several(dict[str, list[str]]):
    """Fields with several values, in the form that Twilio's package knows."""

    def getlist(self, name: str) -> list[str]:
        """Return all values."""
        return self[name]


def theirs(url: str, form: list[tuple[str, str]], key: str, algorithm: str = "HMAC_SHA1") -> str:
    """Return the signature that Twilio's package makes."""
    fields = Several()
    for name, value in form:
        fields.setdefault(name, []).append(value)
    signature = RequestValidator(key).compute_signature(url, fields, algorithm)
    assert isinstance(signature, str)
    return signature


def check(signature: str, url: str = URL, settings: str = "", keys: Keys = KEYS) -> bool:
    """Return whether the form above is authentic under a signature."""
    return is_authentic(Signed(url, FORM, b"", signature, settings), keys)


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=20)), max_size=8), st.text())
def test_signatures_are_those_of_twilios_package(form: list[tuple[str, str]], key: str) -> None:
    """Blank, repeated and non-ASCII values included, by both algorithms."""
    encodable = not any("\ud800" <= letter <= "\udfff" for letter in f"{form}{key}")
    if encodable:
        assert sign(URL, form, key) == theirs(URL, form, key)
        assert sign(URL, form, key, "sha256") == theirs(URL, form, key, "HMAC_SHA256")


@pytest.mark.parametrize(
    ("signed_url", "url", "authentic"),
    [
        (URL, URL, True),
        (URL, f"{URL}#rc=3&rp=all", True),
        ("https://calls.example.com:443/sms/twilio", URL, True),
        (URL, "https://calls.example.com:443/sms/twilio", True),
        (URL, "https://calls.example.com:8443/sms/twilio", True),
        ("http://calls.example.com:80/a?b=", "http://calls.example.com/a?b=", True),
        ("https://[2001:db8::1]:443/a", "https://[2001:db8::1]/a", True),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]:8443/a", True),
        ("https://user:pass@calls.example.com/a", "https://user:pass@calls.example.com/a", True),
        (URL, f"{URL}/", False),
        (URL, f"{URL}?", False),
        (f"{URL}?a=%7e", f"{URL}?a=%7E", False),
        (URL, "http://calls.example.com/sms/twilio", False),
        (URL, "https://calls.example.org/sms/twilio", False),
        ("mailto:a", "mailto:a", True),
    ],
)
def test_the_address_is_that_which_twilio_was_given(
    signed_url: str, url: str, *, authentic: bool
) -> None:
    """Byte for byte, but for the port, of which Twilio is not of one mind."""
    assert check(theirs(signed_url, FORM, TOKEN), url) is authentic


SHARED_1 = "key=key1,algorithm=HMAC_SHA256"


@pytest.mark.parametrize(
    ("key", "algorithm", "settings", "authentic"),
    [
        (TOKEN, "HMAC_SHA1", "", True),
        (OLD, "HMAC_SHA1", "", True),
        ("other", "HMAC_SHA1", "", False),
        ("", "HMAC_SHA1", "", False),
        (SHARED, "HMAC_SHA256", SHARED_1, True),
        (SHARED, "HMAC_SHA256", " algorithm=HMAC_SHA256 , key=key1 ", True),
        (SHARED, "HMAC_SHA1", "key=key1,algorithm=HMAC_SHA1", False),
        (SHARED, "HMAC_SHA256", "", False),
        (SHARED, "HMAC_SHA256", "key=key2,algorithm=HMAC_SHA256", False),
        (SHARED, "HMAC_SHA256", "key=key1", False),
        (SHARED, "HMAC_SHA256", f"{SHARED_1},key=key1", False),
        (TOKEN, "HMAC_SHA1", SHARED_1, False),
        (TOKEN, "HMAC_SHA1", "algorithm=HMAC_SHA1", False),
        (TOKEN, "HMAC_SHA256", "algorithm=HMAC_SHA256", False),
        (TOKEN, "HMAC_SHA1", "nonsense", False),
        ("", "HMAC_SHA256", "key=,algorithm=HMAC_SHA256", False),
    ],
)
def test_only_keys_that_we_hold_count_and_nothing_is_downgraded(
    key: str, algorithm: str, settings: str, *, authentic: bool
) -> None:
    """A header that names a shared key is checked by that key alone, by SHA-256."""
    assert check(theirs(URL, FORM, key, algorithm), settings=settings) is authentic


def test_without_keys_nothing_is_authentic() -> None:
    """An empty token signs nothing."""
    assert not check(theirs(URL, FORM, ""), keys=Keys())
    assert not check(theirs(URL, FORM, ""), keys=Keys(("",)))


@pytest.mark.parametrize("change", [("Body", "call eve"), ("Extra", ""), ("MessageSid", "SM2")])
def test_a_changed_field_is_seen(change: tuple[str, str]) -> None:
    """Every field is signed, blank ones too."""
    form = [pair for pair in FORM if pair[0] != change[0]] + [change]
    signature = theirs(URL, FORM, TOKEN)
    assert not is_authentic(Signed(URL, form, b"", signature), KEYS)


def test_the_values_of_a_repeated_field_count_once_each() -> None:
    """The order on the wire does not matter, nor does a value that is there twice."""
    form = [("M", "b"), ("M", "a"), ("M", "b")]
    signature = theirs(URL, form, TOKEN)
    assert is_authentic(Signed(URL, form, b"", signature), KEYS)
    assert is_authentic(Signed(URL, [("M", "a"), ("M", "b")], b"", signature), KEYS)


@pytest.mark.parametrize(
    ("hashed", "count", "authentic"),
    [(b'{"a":1}', 1, True), (b"{}", 1, False), (b'{"a":1}', 2, False), (b'{"a":1}', 0, False)],
)
def test_another_body_is_covered_by_its_hash(hashed: bytes, count: int, *, authentic: bool) -> None:
    """Of a JSON body only the URL is signed, so the URL must hold the body's SHA-256, once."""
    body = b'{"a":1}'
    digest = hashlib.sha256(hashed).hexdigest()
    url = f"{URL}?" + "&".join(["x=1", *[f"bodySHA256={digest}"] * count])
    signature = theirs(url, [], TOKEN)
    assert is_authentic(Signed(url, None, body, signature), KEYS) is authentic


def test_a_get_is_signed_by_its_url_alone() -> None:
    """All fields are in the query, and none is signed twice."""
    url = f"{URL}?MessageSid=SM1&Body=a+b&Empty="
    assert parse_qsl("Empty=", keep_blank_values=True)
    assert is_authentic(Signed(url, (), b"", theirs(url, [], TOKEN)), KEYS)


@pytest.mark.parametrize("signature", ["", "x" * (SIGNATURE_LENGTH_LIMIT + 1), "\u20ac", "\ud800"])
def test_odd_signatures_are_only_wrong(signature: str) -> None:
    """Missing, endless or not ASCII: no exception, and no."""
    assert not check(signature)


def test_the_settings_header_has_a_limit() -> None:
    """At the limit it is read, one past it is refused."""
    signature = theirs(URL, FORM, SHARED, "HMAC_SHA256")
    padded = SHARED_1 + " " * (SETTINGS_LENGTH_LIMIT - len(SHARED_1))
    assert check(signature, settings=padded)
    assert not check(signature, settings=f"{padded} ")
