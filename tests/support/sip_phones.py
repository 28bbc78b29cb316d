"""Telephones behind a trunk: a SIP user agent for every number, in this process, with its media.

Each behaves as a `PhoneScript` says, looked up by number when it is rung. Everything that was said
to them is kept, for tests that look for what must not be said.
"""

import asyncio
import random
import re
import struct
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast
from zlib import crc32

from call_core.switches.simulator_phone import PhoneResult, PhoneScript

EVENTS, ULAW = 101, 0
HEAD_BYTES, PACKET_BYTES, VOICES = 12, 160, 120
PACKET_S = 0.02
REFUSALS = {
    PhoneResult.BUSY: (486, "Busy Here"),
    PhoneResult.REJECT: (603, "Decline"),
    PhoneResult.UNREACHABLE: (480, "Temporarily Unavailable"),
}
KEYS = "0123456789*#"


def voice_of(number: str) -> int:
    """Return the octet that a telephone speaks."""
    return crc32(number.encode()) % VOICES


def header(message: str, name: str) -> str:
    """Return the first header of a name, "" when there is none."""
    found = re.search(rf"(?im)^{name}\s*:\s*(.*?)\r?$", message)
    return found.group(1) if found else ""


class Media(asyncio.DatagramProtocol):
    """One phone's RTP: sends speech and keys, counts the packets both ways.

    Attributes:
        heard, sent: voice packets that came, packets that went.
        voices: how many of what came were of whose voice alone, by `Dialog.voice`.
        hears: set with the first voice.
    """

    def __init__(self) -> None:
        self.heard = 0
        self.sent = 0
        self.hears = asyncio.Event()
        self.voices: Counter[int] = Counter()
        self.peer: tuple[str, int] | None = None
        self._ssrc = random.getrandbits(32)
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Count voice."""
        del addr
        if data[1] & 0x7F == ULAW:
            self.heard += 1
            voice = data[HEAD_BYTES:]
            if voice == voice[:1] * len(voice):
                self.voices[voice[0]] += 1
            self.hears.set()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self.transport is not None
        return int(self.transport.get_extra_info("sockname")[1])

    def send(self, payload_type: int, payload: bytes, stamp: int) -> None:
        """Send one packet."""
        if self.transport is None or self.peer is None or self.transport.is_closing():
            return
        self.sent += 1
        head = struct.pack("!BBHII", 0x80, payload_type, self.sent & 0xFFFF, stamp, self._ssrc)
        self.transport.sendto(head + payload, self.peer)


@dataclass
class Dialog:
    """One call to a phone; it speaks in a voice of its number's, one octet over and over.

    Attributes:
        answered_s, ended_s: when, by the machine's monotonic clock.
    """

    number: str
    invite: str
    script: PhoneScript
    tag: str
    media: Media
    said: list[str]
    answered: bool = False
    ended: bool = False
    answered_s: float = 0.0
    ended_s: float = 0.0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def voice(self) -> int:
        """The octet that it speaks."""
        return voice_of(self.number)


class Phones(asyncio.DatagramProtocol):
    """All telephones of the world, on one SIP port.

    Attributes:
        scripts: by number; others answer after 0.2 s and key nothing.
        dialogs: by Call-ID, every call that came.
        inform: keys by SIP INFO instead of RFC 2833.
        early: send early media before the answer, instead of ringing.
        speak: send voice all the time, a packet every `packet_s`.
    """

    def __init__(self) -> None:
        self.scripts: dict[str, PhoneScript] = {}
        self.default = PhoneScript(ring_ms=200, press="")
        self.dialogs: dict[str, Dialog] = {}
        self.press_after_s = 0.3
        self.inform = False
        self.early = False
        self.speak = True
        self.packet_s = PACKET_S
        self._transport: asyncio.DatagramTransport | None = None
        self._peer = ("127.0.0.1", 0)

    async def start(self) -> int:
        """Listen; return the port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self._transport = transport
        self._port = int(transport.get_extra_info("sockname")[1])
        return self._port

    def close(self) -> None:
        """Fall silent."""
        for dialog in self.dialogs.values():
            self._end(dialog)
        if self._transport is not None:
            self._transport.close()

    def of(self, number: str) -> Dialog:
        """Return the newest call to a number."""
        return [each for each in self.dialogs.values() if each.number == number][-1]

    def up(self, number: str = "") -> list[Dialog]:
        """Return the calls that are answered and not over."""
        return [
            each
            for each in self.dialogs.values()
            if each.answered and not each.ended and number in ("", each.number)
        ]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take one SIP message."""
        message = data.decode("utf-8", "replace")
        self._peer = addr
        call_id = header(message, "Call-ID")
        dialog = self.dialogs.get(call_id)
        if dialog is not None:
            dialog.said.append(message)
        match message.split(" ", 1)[0]:
            case "INVITE":
                self._invited(call_id, message, dialog)
            case "BYE" | "CANCEL":
                self._ended_by_them(message, dialog)
            case "OPTIONS" | "INFO" | "UPDATE" | "NOTIFY":
                self._reply(message, 200, "OK", dialog)
            case _:
                pass

    def _invited(self, call_id: str, message: str, dialog: Dialog | None) -> None:
        if dialog is None:
            self._spawn_call(call_id, message)
        elif dialog.answered:
            self._reply(message, 200, "OK", dialog, sdp=True)

    def _ended_by_them(self, message: str, dialog: Dialog | None) -> None:
        self._reply(message, 200, "OK", dialog)
        if dialog is not None:
            if message.startswith("CANCEL"):
                self._reply(dialog.invite, 487, "Request Terminated", dialog)
            self._end(dialog)

    def _spawn_call(self, call_id: str, message: str) -> None:
        found = re.match(r"INVITE sip:([^@;>]*)@", message)
        number = found.group(1) if found else ""
        script = self.scripts.get(number, self.default)
        tag = f"{random.getrandbits(40):x}"
        dialog = Dialog(number, message, script, tag, Media(), [message])
        self.dialogs[call_id] = dialog
        dialog.tasks.append(asyncio.create_task(self._live(dialog)))

    async def _live(self, dialog: Dialog) -> None:
        loop = asyncio.get_running_loop()
        script = dialog.script
        self._reply(dialog.invite, 100, "Trying", None)
        if script.result in (PhoneResult.BUSY, PhoneResult.UNREACHABLE):
            self._refuse(dialog)
            return
        await loop.create_datagram_endpoint(lambda: dialog.media, local_addr=("127.0.0.1", 0))
        if self.early:
            self._reply(dialog.invite, 183, "Session Progress", dialog, sdp=True)
        else:
            self._reply(dialog.invite, 180, "Ringing", dialog)
        if script.result is PhoneResult.NO_ANSWER:
            return
        await asyncio.sleep(script.ring_ms / 1000)
        if script.result is PhoneResult.REJECT:
            self._refuse(dialog)
            return
        dialog.media.peer = _where(dialog.invite)
        dialog.answered = True
        dialog.answered_s = time.monotonic()
        self._reply(dialog.invite, 200, "OK", dialog, sdp=True)
        if self.speak:
            dialog.tasks.append(asyncio.create_task(_speak(dialog, self.packet_s)))
        await self._use(dialog)

    async def _use(self, dialog: Dialog) -> None:
        """From the first voice that it hears: key what the script says, hang up when it says so."""
        script = dialog.script
        await dialog.media.hears.wait()
        if script.talk_ms:
            dialog.tasks.append(asyncio.create_task(self._talk(dialog)))
        await asyncio.sleep(self.press_after_s)
        for key in script.press if script.result is PhoneResult.ANSWER else "":
            await self.press(dialog, key)

    async def _talk(self, dialog: Dialog) -> None:
        await asyncio.sleep(dialog.script.talk_ms / 1000)
        self.hang_up(dialog)

    async def press(self, dialog: Dialog, key: str) -> None:
        """Press one key for a tenth of a second."""
        if self.inform:
            self._request(
                dialog, "INFO", "application/dtmf-relay", f"Signal={key}\r\nDuration=100\r\n"
            )
            await asyncio.sleep(0.15)
            return
        stamp = int(time.monotonic() * 8000) & 0xFFFFFFFF
        event = KEYS.index(key)
        for n in range(5):
            dialog.media.send(EVENTS, struct.pack("!BBH", event, 10, 160 * (n + 1)), stamp)
            await asyncio.sleep(PACKET_S)
        for _ in range(3):
            dialog.media.send(EVENTS, struct.pack("!BBH", event, 0x80 | 10, 960), stamp)
        await asyncio.sleep(0.1)

    def hang_up(self, dialog: Dialog) -> None:
        """Put the phone down."""
        if not dialog.ended:
            self._request(dialog, "BYE")
            self._end(dialog)

    def _refuse(self, dialog: Dialog) -> None:
        self._reply(dialog.invite, *REFUSALS[dialog.script.result], dialog)
        dialog.ended = True

    def _end(self, dialog: Dialog) -> None:
        if not dialog.ended:
            dialog.ended_s = time.monotonic()
        dialog.ended = True
        current = asyncio.current_task() if dialog.tasks else None
        for task in dialog.tasks:
            if task is not current:
                task.cancel()
        if dialog.media.transport is not None:
            dialog.media.transport.close()

    def _request(self, dialog: Dialog, method: str, kind: str = "", body: str = "") -> None:
        target = re.search(r"<([^>]+)>", header(dialog.invite, "Contact"))
        assert target is not None
        number = random.getrandbits(16) + 1
        lines = [
            f"{method} {target.group(1)} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{random.getrandbits(48):x}",
            f"From: {header(dialog.invite, 'To')};tag={dialog.tag}",
            f"To: {header(dialog.invite, 'From')}",
            f"Call-ID: {header(dialog.invite, 'Call-ID')}",
            f"CSeq: {number} {method}",
            "Max-Forwards: 70",
            *([f"Content-Type: {kind}"] if kind else []),
            f"Content-Length: {len(body)}",
        ]
        self._send("\r\n".join([*lines, "", body]))

    def _reply(
        self, message: str, status: int, words: str, dialog: Dialog | None, *, sdp: bool = False
    ) -> None:
        to = header(message, "To")
        if dialog is not None and ";tag=" not in to:
            to += f";tag={dialog.tag}"
        body = ""
        if sdp and dialog is not None:
            body = (
                "v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                f"m=audio {dialog.media.port} RTP/AVP {ULAW} {EVENTS}\r\n"
                "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
            )
        vias = re.findall(r"(?im)^Via\s*:\s*(.*?)\r?$", message)
        lines = [
            f"SIP/2.0 {status} {words}",
            *(f"Via: {via}" for via in vias),
            f"From: {header(message, 'From')}",
            f"To: {to}",
            f"Call-ID: {header(message, 'Call-ID')}",
            f"CSeq: {header(message, 'CSeq')}",
            f"Contact: <sip:phone@127.0.0.1:{self._port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._send("\r\n".join([*lines, "", body]))

    def _send(self, message: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(message.encode(), self._peer)


async def _speak(dialog: Dialog, packet_s: float) -> None:
    stamp, words = 0, bytes([dialog.voice]) * PACKET_BYTES
    with suppress(asyncio.CancelledError):
        while not dialog.ended:
            dialog.media.send(ULAW, words, stamp)
            stamp = (stamp + PACKET_BYTES) & 0xFFFFFFFF
            await asyncio.sleep(packet_s)


def _where(invite: str) -> tuple[str, int]:
    """Return where an offer wants its media."""
    port = re.search(r"(?m)^m=audio (\d+)", invite)
    host = re.search(r"(?m)^c=IN IP4 (\S+)", invite)
    assert port is not None
    assert host is not None
    return host.group(1), int(port.group(1))
