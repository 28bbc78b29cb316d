"""A carrier's message centre by SMPP 3.4, as small as Kannel needs it.

It takes one bind, sends texts (deliver_sm), takes texts (submit_sm) and says with a receipt that
they were delivered. A text that is not acknowledged with status 0 counts as not taken.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

BIND_TRANSCEIVER, SUBMIT, DELIVER, ENQUIRE_LINK, UNBIND = 9, 4, 5, 0x15, 6
RESPONSE = 0x80000000
INTERNATIONAL, E164_PLAN = 1, 1
RECEIPT, HEADER = 0x04, 0x40
UCS2 = 8
_HEAD = struct.Struct(">IIII")


@dataclass
class SmppCentre:
    """One carrier.

    Attributes:
        port: where it listens.
        bound: the system id and password of who has bound.
        submitted: texts that were sent by us: `(from, to, text)`.
        acknowledged: how many of our texts Kannel has taken.
    """

    port: int = 0
    bound: list[tuple[str, str]] = field(default_factory=list)
    submitted: list[tuple[str, str, str]] = field(default_factory=list)
    acknowledged: int = 0
    _writer: asyncio.StreamWriter | None = None
    _sequence: int = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["SmppCentre"]:
        """Listen on loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            if self._writer is not None:
                self._writer.close()
            server.close()

    def deliver(
        self, sender: str, text: bytes, *, coding: int = 0, esm_class: int = 0, to: str = "12345"
    ) -> None:
        """Send one text; numbers are international and without a sign, as carriers write them."""
        body = b"\0" + _address(sender) + _address(to) + bytes([esm_class, 0, 0]) + b"\0\0"
        body += bytes([0, 0, coding, 0, len(text)]) + text
        self._sequence += 1
        self._send(DELIVER, self._sequence, body)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length, command, status, sequence = _HEAD.unpack(await reader.readexactly(16))
                self._take(command, status, sequence, await reader.readexactly(length - 16))

    def _take(self, command: int, status: int, sequence: int, body: bytes) -> None:
        match command:
            case 9:
                name, password = body.split(b"\0")[:2]
                self.bound.append((name.decode(), password.decode()))
                self._send(BIND_TRANSCEIVER | RESPONSE, sequence, b"centre\0")
            case 4:
                self._submit(sequence, body)
            case 0x15 | 6:
                self._send(command | RESPONSE, sequence, b"")
            case 0x80000005:
                self.acknowledged += status == 0
            case _:
                pass  # answers of Kannel's to what we never ask

    def _submit(self, sequence: int, body: bytes) -> None:
        rest = body[body.index(b"\0") + 1 :]
        sender, rest = _read_address(rest)
        receiver, rest = _read_address(rest)
        rest = rest[3:]  # esm_class, protocol, priority
        for _ in range(2):  # schedule and validity
            rest = rest[rest.index(b"\0") + 1 :]
        coding, length = rest[2], rest[4]
        text = rest[5 : 5 + length].decode("utf-16-be" if coding == UCS2 else "ascii")
        self.submitted.append((sender, receiver, text))
        name = f"{len(self.submitted):08x}"
        self._send(SUBMIT | RESPONSE, sequence, name.encode() + b"\0")
        receipt = f"id:{name} sub:001 dlvrd:001 submit date:2611230400 done date:2611230401 "
        receipt += "stat:DELIVRD err:000 text:"
        self.deliver(receiver, receipt.encode(), esm_class=RECEIPT, to=sender)

    def _send(self, command: int, sequence: int, body: bytes) -> None:
        assert self._writer is not None, "bound"
        self._writer.write(_HEAD.pack(16 + len(body), command, 0, sequence) + body)


def _address(number: str) -> bytes:
    return bytes([INTERNATIONAL, E164_PLAN]) + number.lstrip("+").encode() + b"\0"


def _read_address(data: bytes) -> tuple[str, bytes]:
    end = data.index(b"\0", 2)
    return data[2:end].decode(), data[end + 1 :]
