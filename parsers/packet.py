"""Small sealed packets of a desktop client: one datagram asks, one answers. Format of our own.

Every number is big-endian, every instant milliseconds since 1970 UTC. A request:

    offset  octets  what
    0       2       "CG"
    2       1       version, 1
    3       1       what follows: 1 request, 2 answer
    4       10      device: the first octets of sha256(API token)
    14      12      nonce of the seal, new for every datagram
    26      …       sealed: 12 id of the command, 8 sent, 1 asked (1 command, 2 names), UTF-8 text
            16      tag

and an answer, where the device is left out:

    4       12      nonce of the seal
    16      …       sealed: 12 id of the command, 8 the server's time, 1 status, 1 state of the
                    call, 1 length of the ref, the ref, UTF-8 text
            16      tag

The seal is ChaCha20-Poly1305 (RFC 8439) over the plain octets too. Both keys come from sha256(API
token) by HKDF (RFC 5869), one for each direction, so an answer is never taken for a request. The id
stays when a command is sent again; the nonce and the time are new. So a datagram that somebody
recorded and plays back, even later under a corrected clock, carries an id that was seen before.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from call_core.errors import ParseError

MAX_REQUEST_BYTES = 512
MAX_ANSWER_BYTES = 256
DEVICE_BYTES = 10
NONCE_BYTES = 12
ID_BYTES = 12
TAG_BYTES = 16
MAX_REF_BYTES = 9
MAX_INSTANT_MS = 1 << 63

_MARK = b"CG\x01"
_REQUEST, _ANSWER = 1, 2
_HEAD_BYTES = len(_MARK) + 1
_TIME_BYTES = 8
_REQUEST_HEAD_BYTES = _HEAD_BYTES + DEVICE_BYTES + NONCE_BYTES
_ANSWER_HEAD_BYTES = _HEAD_BYTES + NONCE_BYTES
_REQUEST_FIXED_BYTES = ID_BYTES + _TIME_BYTES + 1
_ANSWER_FIXED_BYTES = ID_BYTES + _TIME_BYTES + 3
_HASH_BYTES = 32
MAX_TEXT_BYTES = MAX_REQUEST_BYTES - _REQUEST_HEAD_BYTES - _REQUEST_FIXED_BYTES - TAG_BYTES
MAX_ANSWER_TEXT_BYTES = (
    MAX_ANSWER_BYTES - _ANSWER_HEAD_BYTES - _ANSWER_FIXED_BYTES - MAX_REF_BYTES - TAG_BYTES
)
_REQUEST_LABEL = b"callgate packet 1: request"
_ANSWER_LABEL = b"callgate packet 1: answer"


class Asked(IntEnum):
    """What a request is for: COMMAND is a line of the grammar; NAMES the names behind one."""

    COMMAND = 1
    NAMES = 2


class Status(IntEnum):
    """How a command ended: a kind of outcome, or why there is none.

    CLOCK: the sent time is too far from the server's, nothing was done, correct it and ask again.
    LATER: a failure of the server's own; the same id may be sent again.
    """

    LAUNCHED = 1
    SCHEDULED = 2
    ASKED = 3
    DONE = 4
    TOLD = 5
    REFUSED = 6
    CLOCK = 7
    LATER = 8
    NAMES = 9


class CallState(IntEnum):
    """Whether the call that an answer is about still goes on."""

    NONE = 0
    LIVE = 1
    OVER = 2


@dataclass(frozen=True, slots=True)
class Keys:
    """What one device seals with; never printed.

    Attributes:
        device: how its datagrams name it.
        request, answer: ChaCha20-Poly1305 keys.
    """

    device: bytes
    request: bytes
    answer: bytes

    def __repr__(self) -> str:
        return f"Keys(device={self.device.hex()})"


@dataclass(frozen=True, slots=True)
class PacketRequest:
    """What a device asks: `command_id` is the external id of all repeats of one command."""

    command_id: bytes
    sent_wall_ms: int
    text: str
    asked: Asked = Asked.COMMAND


@dataclass(frozen=True, slots=True)
class PacketAnswer:
    """What the server says; `server_wall_ms` is its clock, `ref` names the call, "" if none."""

    command_id: bytes
    server_wall_ms: int
    status: Status
    text: str
    ref: str = ""
    state: CallState = CallState.NONE


def token_hash(token: str) -> bytes:
    """Return sha256 of an API token, the form in which the server keeps it."""
    return hashlib.sha256(token.encode()).digest()


def keys_of(hashed: bytes) -> Keys:
    """Return the keys of a token, from its sha256."""
    assert len(hashed) == _HASH_BYTES, "not a sha256"
    return Keys(hashed[:DEVICE_BYTES], _key(hashed, _REQUEST_LABEL), _key(hashed, _ANSWER_LABEL))


def _key(hashed: bytes, label: bytes) -> bytes:
    return HKDF(SHA256(), _HASH_BYTES, salt=None, info=label).derive(hashed)


# --- request ------------------------------------------------------------------------------------


def device_of(datagram: bytes) -> bytes | None:
    """Return which device a datagram says that it is from; None when it is no request."""
    shortest = _REQUEST_HEAD_BYTES + _REQUEST_FIXED_BYTES + TAG_BYTES
    if not shortest <= len(datagram) <= MAX_REQUEST_BYTES or not _is(datagram, _REQUEST):
        return None
    return datagram[_HEAD_BYTES : _HEAD_BYTES + DEVICE_BYTES]


def seal_request(request: PacketRequest, keys: Keys, nonce: bytes) -> bytes:
    """Return the datagram of a request.

    Args:
        request: what to ask.
        keys: the device's own.
        nonce: 12 random octets, never used before with these keys.

    Raises:
        ParseError: `too_long`, the text has more than `MAX_TEXT_BYTES` octets.
    """
    text = request.text.encode()
    if len(text) > MAX_TEXT_BYTES:
        raise ParseError("too_long", limit=MAX_TEXT_BYTES)
    plain = _start(request.command_id, request.sent_wall_ms) + bytes((request.asked,)) + text
    return _sealed(_head(_REQUEST) + keys.device, nonce, plain, keys.request)


def open_request(datagram: bytes, keys: Keys) -> PacketRequest | None:
    """Return a request; None unless the device's own key sealed exactly this."""
    if device_of(datagram) != keys.device:
        return None
    plain = _opened(datagram, _REQUEST_HEAD_BYTES, keys.request)
    if plain is None:
        return None
    rest = plain[ID_BYTES + _TIME_BYTES :]
    try:
        return PacketRequest(plain[:ID_BYTES], _instant(plain), rest[1:].decode(), Asked(rest[0]))
    except ValueError:
        return None


# --- answer -------------------------------------------------------------------------------------


def seal_answer(answer: PacketAnswer, keys: Keys, nonce: bytes) -> bytes:
    """Return the datagram of an answer; its text is at most `MAX_ANSWER_TEXT_BYTES` octets.

    Raises:
        ParseError: `too_long`, the text or the ref.
    """
    text, ref = answer.text.encode(), answer.ref.encode()
    if len(text) > MAX_ANSWER_TEXT_BYTES or len(ref) > MAX_REF_BYTES:
        raise ParseError("too_long", limit=MAX_ANSWER_TEXT_BYTES)
    told = bytes((answer.status, answer.state, len(ref))) + ref + text
    plain = _start(answer.command_id, answer.server_wall_ms) + told
    return _sealed(_head(_ANSWER), nonce, plain, keys.answer)


def open_answer(datagram: bytes, keys: Keys) -> PacketAnswer | None:
    """Return an answer; None unless the server sealed exactly this for the device."""
    shortest = _ANSWER_HEAD_BYTES + _ANSWER_FIXED_BYTES + TAG_BYTES
    if not shortest <= len(datagram) <= MAX_ANSWER_BYTES or not _is(datagram, _ANSWER):
        return None
    plain = _opened(datagram, _ANSWER_HEAD_BYTES, keys.answer)
    if plain is None:
        return None
    status, state, ref_bytes, *_ = rest = plain[ID_BYTES + _TIME_BYTES :]
    if ref_bytes > min(MAX_REF_BYTES, len(rest) - 3):
        return None
    ref, text = rest[3 : 3 + ref_bytes], rest[3 + ref_bytes :]
    try:
        return PacketAnswer(
            plain[:ID_BYTES],
            _instant(plain),
            Status(status),
            text.decode(),
            ref.decode(),
            CallState(state),
        )
    except ValueError:
        return None


# --- both ---------------------------------------------------------------------------------------


def _head(kind: int) -> bytes:
    return _MARK + bytes((kind,))


def _is(datagram: bytes, kind: int) -> bool:
    return datagram[:_HEAD_BYTES] == _head(kind)


def _start(command_id: bytes, at_wall_ms: int) -> bytes:
    assert len(command_id) == ID_BYTES, "an id has 12 octets"
    return command_id + at_wall_ms.to_bytes(_TIME_BYTES, "big")


def _instant(plain: bytes) -> int:
    """Return the instant behind the id.

    Raises:
        ValueError: no clock shows it, and no column holds it.
    """
    at_wall_ms = int.from_bytes(plain[ID_BYTES : ID_BYTES + _TIME_BYTES], "big")
    if at_wall_ms >= MAX_INSTANT_MS:
        raise ValueError("no instant")
    return at_wall_ms


def _sealed(head: bytes, nonce: bytes, plain: bytes, key: bytes) -> bytes:
    assert len(nonce) == NONCE_BYTES, "a nonce has 12 octets"
    front = head + nonce
    return front + ChaCha20Poly1305(key).encrypt(nonce, plain, front)


def _opened(datagram: bytes, head_bytes: int, key: bytes) -> bytes | None:
    front, sealed = datagram[:head_bytes], datagram[head_bytes:]
    try:
        return ChaCha20Poly1305(key).decrypt(front[-NONCE_BYTES:], sealed, front)
    except InvalidTag:
        return None
