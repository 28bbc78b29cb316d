"""Sealed packets: round trips, limits, and everything that must not open."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from call_core.errors import ParseError
from parsers import packet
from parsers.packet import Asked, CallState, PacketAnswer, PacketRequest, Status

KEYS = packet.keys_of(packet.token_hash("cg_one"))
OTHER = packet.keys_of(packet.token_hash("cg_two"))
ID, NONCE = b"i" * 12, b"n" * 12
REQUEST = PacketRequest(ID, 1_790_000_000_000, "call mom")
ANSWER = PacketAnswer(ID, 1_790_000_000_001, Status.LAUNCHED, "Calling mom.", "4F7", CallState.LIVE)
IDS = st.binary(min_size=12, max_size=12)
INSTANTS = st.integers(0, packet.MAX_INSTANT_MS - 1)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.builds(PacketRequest, IDS, INSTANTS, WORDS, st.sampled_from(Asked)), IDS)
def test_a_request_reads_back(request: PacketRequest, nonce: bytes) -> None:
    """What a device seals is what the server opens."""
    assert packet.open_request(packet.seal_request(request, KEYS, nonce), KEYS) == request


@given(
    st.builds(
        PacketAnswer,
        IDS,
        INSTANTS,
        st.sampled_from(Status),
        WORDS,
        st.sampled_from(["", "4F7", "4F7G2C3D4"]),
        st.sampled_from(CallState),
    ),
    IDS,
)
def test_an_answer_reads_back(answer: PacketAnswer, nonce: bytes) -> None:
    """What the server seals is what the device opens."""
    assert packet.open_answer(packet.seal_answer(answer, KEYS, nonce), KEYS) == answer


@given(st.binary(max_size=600))
def test_any_octets_are_nothing(octets: bytes) -> None:
    """Noise opens as nothing and raises nothing."""
    for datagram in (octets, b"CG\x01\x01" + octets, b"CG\x01\x02" + octets):
        assert packet.open_request(datagram, KEYS) is None
        assert packet.open_answer(datagram, KEYS) is None


def test_the_longest_request_fills_a_datagram() -> None:
    """The longest text makes exactly 512 octets, and one letter more is refused."""
    longest = replace(REQUEST, text="x" * packet.MAX_TEXT_BYTES)
    sealed = packet.seal_request(longest, KEYS, NONCE)
    assert len(sealed) == packet.MAX_REQUEST_BYTES == 512
    assert packet.open_request(sealed, KEYS) == longest
    assert packet.device_of(sealed + b"x") is None
    with pytest.raises(ParseError, match="too_long"):
        packet.seal_request(replace(longest, text=longest.text + "x"), KEYS, NONCE)


def test_the_longest_answer_fills_a_datagram() -> None:
    """Longest text and ref make exactly 256 octets; one more of either is refused."""
    text, ref = "x" * packet.MAX_ANSWER_TEXT_BYTES, "r" * packet.MAX_REF_BYTES
    longest = replace(ANSWER, text=text, ref=ref)
    sealed = packet.seal_answer(longest, KEYS, NONCE)
    assert len(sealed) == packet.MAX_ANSWER_BYTES == 256
    assert packet.open_answer(sealed, KEYS) == longest
    assert packet.open_answer(sealed + b"x", KEYS) is None
    for longer in (replace(longest, text=f"{text}x"), replace(longest, ref=f"{ref}x")):
        with pytest.raises(ParseError, match="too_long"):
            packet.seal_answer(longer, KEYS, NONCE)


def test_a_changed_octet_opens_nothing() -> None:
    """The seal covers every octet, the plain ones too."""
    request = packet.seal_request(REQUEST, KEYS, NONCE)
    answer = packet.seal_answer(ANSWER, KEYS, NONCE)
    for place in range(len(request)):
        assert packet.open_request(_changed(request, place), KEYS) is None
    for place in range(len(answer)):
        assert packet.open_answer(_changed(answer, place), KEYS) is None


def _changed(datagram: bytes, place: int) -> bytes:
    return datagram[:place] + bytes((datagram[place] ^ 1,)) + datagram[place + 1 :]


def test_another_key_opens_nothing() -> None:
    """One device reads nothing of another, whatever name it takes."""
    sealed = packet.seal_request(REQUEST, replace(OTHER, device=KEYS.device), NONCE)
    assert packet.open_request(sealed, KEYS) is None
    assert packet.open_answer(packet.seal_answer(ANSWER, OTHER, NONCE), KEYS) is None


def test_a_packet_of_one_direction_is_none_of_the_other() -> None:
    """An answer that is sent back is no request; each direction has its key."""
    assert packet.open_request(packet.seal_answer(ANSWER, KEYS, NONCE), KEYS) is None
    assert packet.open_answer(packet.seal_request(REQUEST, KEYS, NONCE), KEYS) is None
    assert KEYS.request != KEYS.answer


@pytest.mark.parametrize(
    "request_", [replace(REQUEST, sent_wall_ms=packet.MAX_INSTANT_MS)], ids=["no instant"]
)
def test_what_was_sealed_but_makes_no_sense_is_nothing(request_: PacketRequest) -> None:
    """A device with the right key still has to keep to the format."""
    assert packet.open_request(packet.seal_request(request_, KEYS, NONCE), KEYS) is None


def test_a_ref_longer_than_its_packet_is_nothing() -> None:
    """A length that points behind the end is refused."""
    odd = PacketAnswer(ID, 1, Status.DONE, "", "4F7")
    whole = packet.seal_answer(odd, KEYS, NONCE)
    assert packet.open_answer(whole, KEYS) == odd
    front, body = b"CG\x01\x02" + NONCE, ID + (1).to_bytes(8, "big")
    for tail in (
        b"\x04\x00\x09ab",
        b"\x04\x00\x0a" + b"a" * 10,
        b"\x63\x00\x00",
        b"\x04\x00\x00\xff",
    ):
        sealed = ChaCha20Poly1305(KEYS.answer).encrypt(NONCE, body + tail, front)
        assert packet.open_answer(front + sealed, KEYS) is None


def test_keys_do_not_show_themselves() -> None:
    """A log that prints them tells the device only."""
    assert repr(KEYS) == f"Keys(device={KEYS.device.hex()})"
