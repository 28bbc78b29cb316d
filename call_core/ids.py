"""Identifiers: made by the caller, so that every step can be repeated without harm.

Row ids are 26 characters that sort by time (48 bits of milliseconds, 80 random bits, Crockford's
base 32: the layout of a ULID). A *ref* is how people name a call: `4F7`.
"""

from typing import Protocol

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REF_DIGITS = "23456789"
REF_CONSONANTS = "BCDFGHJKNPQRTVWZ"
_REF_LENGTHS = (3, 5, 7, 9)


class Bits(Protocol):
    """A source of random bits: `random.SystemRandom`, or a seeded `random.Random` in tests."""

    def getrandbits(self, k: int, /) -> int:
        """Return `k` random bits."""


def new_id(prefix: str, now_ms: int, rng: Bits) -> str:
    """Return a fresh id such as `call_01J9…`; `prefix` names the kind of row.

    Args:
        prefix: short kind, without the underscore.
        now_ms: milliseconds since 1970, UTC; only for the sort order.
        rng: source of the 80 random bits.
    """
    value = ((now_ms & (1 << 48) - 1) << 80) | rng.getrandbits(80)
    letters = [_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(letters)}"


def new_secret(rng: Bits, length: int = 22) -> str:
    """Return `length` letters and digits, 5 bits each, for tokens and sessions."""
    return "".join(_CROCKFORD[rng.getrandbits(5)] for _ in range(length)).lower()


def new_code(rng: Bits, length: int = 6) -> str:
    """Return a one-time code of decimal digits."""
    return "".join(str(rng.getrandbits(32) % 10) for _ in range(length))


def new_ref(rng: Bits, pairs: int = 1) -> str:
    """Return a ref: a digit, then `pairs` times consonant and digit (`4F7`, `4F7G2`)."""
    tail = "".join(
        REF_CONSONANTS[rng.getrandbits(4)] + REF_DIGITS[rng.getrandbits(3)] for _ in range(pairs)
    )
    return REF_DIGITS[rng.getrandbits(3)] + tail


def is_ref(text: str) -> bool:
    """Whether `text` has the shape of a ref; case does not matter."""
    upper = text.upper()
    return (
        len(upper) in _REF_LENGTHS
        and all(letter in REF_DIGITS for letter in upper[::2])
        and all(letter in REF_CONSONANTS for letter in upper[1::2])
    )
