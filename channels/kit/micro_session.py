"""Sessions of pages without cookies: a sealed state in every POST body, new on every page.

The state holds the core's session token, encrypted, with the second of issue and a nonce:

    nonce (4 bytes of seconds, 5 random) | session, encrypted | signature (10 bytes)

Base64 of it is 68 characters for a session of 32. It is valid for ten minutes and every answer
carries a new one, so what a gateway in between logs or a phone keeps is worth nothing soon after;
the session token itself never leaves us, and a state of one channel is none on another. The nonce
is the page's *request id*: the same state with the same content is the same request, and the core
answers it again and does nothing. No table is kept, so any process that has the same key continues.

Encryption is a stream of HMAC-SHA256 (RFC 2104) over the nonce and a counter, the signature is
HMAC-SHA256 over all before it, cut to 80 bits, with two keys that are made from the one given.
"""

import base64
import binascii
import hmac
import random
from collections import OrderedDict
from dataclasses import dataclass

from channels.kit.page_tokens import (
    MAX_CLOCK_AHEAD_S,
    MICRO_PAGE_LIFETIME_S,
    TokenState,
    fingerprint,
)

MAX_STATE_LENGTH = 128
SIGN_IN_REPEAT_S = 60
MAX_SIGN_INS_REMEMBERED = 256

_TIME_BYTES = 4
_RANDOM_BYTES = 5
_NONCE_BYTES = _TIME_BYTES + _RANDOM_BYTES
_SIGNATURE_BYTES = 10
_BLOCK_BYTES = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """What a state turned out to be; `session` and `request_id` are "" unless it is valid.

    Attributes:
        session: the core's session token; "" for a page that was made before signing in.
        request_id: names the page that the state was made for.
    """

    state: TokenState
    session: str = ""
    request_id: str = ""


class MicroSessions:
    """Makes and opens the states of one channel."""

    def __init__(self, key: bytes, channel: str, rng: random.Random) -> None:
        """Make the two keys.

        Args:
            key: a secret of the deployment, or random bytes; then states end with the process.
            channel: whose states these are.
            rng: `random.SystemRandom` in production.
        """
        self._stream_key = hmac.digest(key, f"callgate {channel} stream".encode(), "sha256")
        self._sign_key = hmac.digest(key, f"callgate {channel} signature".encode(), "sha256")
        self._rng = rng

    def issue(self, session: str, now_wall_ms: int) -> str:
        """Return a fresh state for one page; `session` is "" before signing in."""
        nonce = (now_wall_ms // 1000).to_bytes(_TIME_BYTES, "big") + self._rng.getrandbits(
            8 * _RANDOM_BYTES
        ).to_bytes(_RANDOM_BYTES, "big")
        body = nonce + self._mixed(nonce, session.encode())
        return base64.urlsafe_b64encode(body + self._signature(body)).rstrip(b"=").decode("ascii")

    def open(self, state: str, now_wall_ms: int) -> Opened:
        """Return what a state holds; a VALID one may have been used before, the core tells."""
        sealed = _decoded(state)
        body, signature = sealed[:-_SIGNATURE_BYTES], sealed[-_SIGNATURE_BYTES:]
        if len(body) < _NONCE_BYTES or not hmac.compare_digest(signature, self._signature(body)):
            return Opened(TokenState.FORGED)
        nonce = body[:_NONCE_BYTES]
        age_s = now_wall_ms // 1000 - int.from_bytes(nonce[:_TIME_BYTES], "big")
        if age_s < -MAX_CLOCK_AHEAD_S:
            return Opened(TokenState.FORGED)
        if age_s > MICRO_PAGE_LIFETIME_S:
            return Opened(TokenState.EXPIRED)
        session = self._mixed(nonce, body[_NONCE_BYTES:]).decode()
        return Opened(TokenState.VALID, session, nonce.hex())

    def _mixed(self, nonce: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt: the same operation."""
        blocks = -(-len(data) // _BLOCK_BYTES)
        stream = b"".join(
            hmac.digest(self._stream_key, nonce + bytes([block]), "sha256")
            for block in range(blocks)
        )
        return bytes(left ^ right for left, right in zip(data, stream, strict=False))

    def _signature(self, body: bytes) -> bytes:
        return hmac.digest(self._sign_key, body, "sha256")[:_SIGNATURE_BYTES]


def _decoded(state: str) -> bytes:
    """Return the bytes of a state, none for what is not one; each state has one writing."""
    if len(state) > MAX_STATE_LENGTH:
        return b""
    try:
        sealed = base64.b64decode(state + "=" * (-len(state) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    written = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")
    return sealed if written == state else b""


class RecentSignIns:
    """The sign-ins of the last minute, for a double tap on the same page.

    A one-time code works once: without this the second tap, whose answer the phone shows, would
    fail. Kept in memory and bounded; what is kept is found only with the page's own request id.
    """

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def remember(self, key: tuple[str, str, str], session: str, now_wall_ms: int) -> None:
        """Keep a session under (request id, address, secret)."""
        self._sessions[fingerprint(*key)] = (now_wall_ms, session)
        while len(self._sessions) > MAX_SIGN_INS_REMEMBERED:
            self._sessions.popitem(last=False)

    def again(self, key: tuple[str, str, str], now_wall_ms: int) -> str | None:
        """Return the session that the same page, address and secret opened just now."""
        oldest_ms = now_wall_ms - SIGN_IN_REPEAT_S * 1000
        while self._sessions and next(iter(self._sessions.values()))[0] < oldest_ms:
            self._sessions.popitem(last=False)
        kept = self._sessions.get(fingerprint(*key))
        return kept[1] if kept else None
