"""Identifiers and refs."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.ids import (
    REF_CONSONANTS,
    REF_DIGITS,
    is_ref,
    new_code,
    new_id,
    new_ref,
    new_secret,
)

CROCKFORD = set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


class Fixed:
    """Random bits that are all alike."""

    def __init__(self, *, ones: bool) -> None:
        self.ones = ones

    def getrandbits(self, k: int, /) -> int:
        """Return `k` bits, all 1 or all 0."""
        return (1 << k) - 1 if self.ones else 0


def test_an_id_is_its_prefix_and_26_characters() -> None:
    """The layout of a ULID: 48 bits of time, 80 of chance, most significant first."""
    assert new_id("call", 0, Fixed(ones=False)) == "call_" + "0" * 26
    assert new_id("call", 1, Fixed(ones=False)) == "call_" + "0000000001" + "0" * 16
    assert new_id("call", 0, Fixed(ones=True)) == "call_" + "0" * 10 + "Z" * 16
    assert new_id("msg", 2**48 - 1, Fixed(ones=True)) == "msg_7" + "Z" * 25


def test_time_beyond_its_48_bits_does_not_make_an_id_longer() -> None:
    """The length is fixed; the year 10889 sorts wrongly and nothing breaks."""
    assert new_id("call", 2**48, Fixed(ones=False)) == new_id("call", 0, Fixed(ones=False))


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1), st.integers(0, 2**32))
def test_ids_sort_by_time(early: int, late: int, seed: int) -> None:
    """Of two ids the one made later is greater, whatever chance adds."""
    rng = random.Random(seed)  # noqa: S311  (a seed makes the test repeatable)
    first, second = new_id("x", early, rng), new_id("x", late, rng)
    assert set(first[2:]) <= CROCKFORD
    if early != late:
        assert (first < second) is (early < late)


@pytest.mark.parametrize("length", [1, 22, 40])
def test_secrets_are_small_letters_and_digits(length: int) -> None:
    """Each character carries five bits."""
    assert new_secret(Fixed(ones=True), length) == "z" * length
    assert new_secret(Fixed(ones=False), length) == "0" * length
    assert len(new_secret(random.SystemRandom())) == 22


def test_codes_are_decimal_digits() -> None:
    """Six by default, each from its own draw."""
    codes = {new_code(random.Random(seed)) for seed in range(50)}  # noqa: S311  (as above)
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert {digit for code in codes for digit in code} == set("0123456789")
    assert new_code(Fixed(ones=False), 4) == "0000"


@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_new_ref_is_a_ref(seed: int, pairs: int) -> None:
    """A digit and pairs of consonant and digit, recognised in any case."""
    ref = new_ref(random.Random(seed), pairs)  # noqa: S311  (as above)
    assert len(ref) == 1 + 2 * pairs
    assert is_ref(ref)
    assert is_ref(ref.lower())


def test_the_letters_of_refs() -> None:
    """16 consonants and 8 digits that are not mistaken for each other; no vowel, so no word."""
    assert (len(REF_CONSONANTS), len(REF_DIGITS)) == (16, 8)
    assert not set("AEIOUY01") & set(REF_CONSONANTS + REF_DIGITS)


REFS = """
    4F7 4f7 2B2 9Z9 4F7G2 4F7G2H3 4F7G2H3J4
"""
NOT_REFS = """
    4 4F F47 447 4FF 4A7 1F7 4F1 0F7 4F77 4F7G 4F7G2H3J4K5 4-7 4F7. 4\u00e97 \uff14F7 4\u212a7
"""


@pytest.mark.parametrize("text", REFS.split())
def test_refs(text: str) -> None:
    """These name calls."""
    assert is_ref(text)


@pytest.mark.parametrize("text", ["", " 4F7", "4F7 ", *NOT_REFS.split()])
def test_what_is_no_ref(text: str) -> None:
    """These do not: other letters, other order, other length."""
    assert not is_ref(text)
