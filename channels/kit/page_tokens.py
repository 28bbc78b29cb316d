"""One-time tokens for the forms of pages: forgery, double tap and repeat in one.

A token is `nonce.signature`. The nonce holds the second of issue and 64 random bits; the signature
is an HMAC-SHA256 (RFC 2104) cut to 96 bits, with a key derived from the secret of the session that
the page was made for. So a token is checked without any table, dies with its session, and cannot
be made on another site. It becomes *one-time* by being the request's external id: the core claims
that id, and a repeat gets the stored outcome again and launches nothing.

Short on purpose (36 characters): the smallest pages that carry one may be 1,400 bytes long.
"""

import base64
import hashlib
import hmac
import random
from enum import StrEnum

PAGE_LIFETIME_S = 3600
MICRO_PAGE_LIFETIME_S = 600  # pages without cookies, where the token travels in links and bodies
MAX_CLOCK_AHEAD_S = 60  # nodes' clocks differ; a token from further ahead was not made by us
MAX_TOKEN_LENGTH = 64
MAX_SEALED_LENGTH = 3500  # a browser refuses cookies over 4,096 bytes, name and attributes included

_TIME_LENGTH = 8  # hexadecimal digits; enough until 2106
_SIGNATURE_BYTES = 12
_KEY_PURPOSE = b"callgate form token 1"


class TokenState(StrEnum):
    """What a form's token turned out to be."""

    VALID = "valid"
    FORGED = "forged"
    EXPIRED = "expired"


def _letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _signature(session_secret: str, text: str) -> str:
    key = hmac.digest(session_secret.encode(), _KEY_PURPOSE, "sha256")
    return _letters(hmac.digest(key, text.encode(), "sha256")[:_SIGNATURE_BYTES])


def issue(session_secret: str, now_wall_ms: int, rng: random.Random) -> str:
    """Return a fresh token for one form of one page.

    Args:
        session_secret: what the page's visitor holds (a session token, a visit cookie).
        now_wall_ms: when the page is made.
        rng: `random.SystemRandom` in production.
    """
    nonce = f"{now_wall_ms // 1000:0{_TIME_LENGTH}x}" + _letters(
        rng.getrandbits(64).to_bytes(8, "big")
    )
    return f"{nonce}.{_signature(session_secret, nonce)}"


def check(
    session_secret: str, token: str, now_wall_ms: int, lifetime_s: int = PAGE_LIFETIME_S
) -> TokenState:
    """Tell whether `token` was issued for this session, and not too long ago.

    A token that is VALID may have been used before; the core's claim tells.
    """
    nonce, _, signature = token.partition(".")
    expected = _signature(session_secret, nonce)
    if len(token) > MAX_TOKEN_LENGTH or not hmac.compare_digest(
        signature.encode(), expected.encode()
    ):
        return TokenState.FORGED
    age_s = now_wall_ms // 1000 - int(nonce[:_TIME_LENGTH], 16)
    if age_s < -MAX_CLOCK_AHEAD_S:
        return TokenState.FORGED
    return TokenState.VALID if age_s <= lifetime_s else TokenState.EXPIRED


def fingerprint(*parts: str) -> str:
    """Return a hash of what a form said, so that another content under a used token is seen."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def seal(session_secret: str, text: str) -> str:
    """Return `text` in a form that a browser may keep for us and cannot change; "" if too long.

    Sealed text is signed, not secret.
    """
    body = _letters(text.encode())
    sealed = f"{body}.{_signature(session_secret, body)}"
    return sealed if len(sealed) <= MAX_SEALED_LENGTH else ""


def unseal(session_secret: str, sealed: str) -> str:
    """Return what was sealed for this session, "" for anything else."""
    body, _, signature = sealed.partition(".")
    if len(sealed) > MAX_SEALED_LENGTH or not hmac.compare_digest(
        signature.encode(), _signature(session_secret, body).encode()
    ):
        return ""
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
