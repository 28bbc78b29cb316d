"""The server's side of SNPP as a sans-IO engine: bytes in, events and bytes out.

The engine knows the commands and their order. What it cannot know (is the secret right, what does
the core say, what became of a tag) it asks its host by an event, and reads on when the host has
called `answer`. What a command does is the table of `parsers.snpp_commands`.
"""

from datetime import tzinfo
from enum import StrEnum
from typing import Final

from parsers.snpp import (
    MAX_BAD_COMMANDS,
    MAX_LINE_BYTES,
    MAX_MESSAGE_BYTES,
    line_text,
    reply_line,
    split_command,
)
from parsers.snpp_commands import (
    COMMANDS,
    HELP_LINES,
    Draft,
    Event,
    PagerAsked,
    Submitted,
    take_message,
)

MAX_WAITING_BYTES: Final = 65_536
"""What a client may send ahead while its last command is at work."""


class Phase(StrEnum):
    """What the engine does with the next line."""

    COMMAND = "command"
    DATA = "data"
    WAITING = "waiting"
    CLOSED = "closed"


_BEGINS: Final = {354: Phase.DATA, 221: Phase.CLOSED}


class ServerEngine:
    """One connection. `receive_data`, `events_received`, `answer`, `data_to_send`.

    Args:
        server_zone: for HOLD without an offset.
        greeting: the words of the first line; short, because some clients read it in one piece.

    Attributes:
        phase: what the next line is.
        progress: commands and messages taken as a whole; a peer that only drips octets makes none.
    """

    def __init__(self, server_zone: tzinfo, greeting: str = "Callgate SNPP") -> None:
        self.phase = Phase.COMMAND
        self.progress = 0
        self._zone = server_zone
        self._in = bytearray()
        self._out = bytearray(reply_line(220, greeting))
        self._events: list[Event] = []
        self._asked: Event | None = None
        self._draft = Draft()
        self._lines: list[str] = []
        self._message_bytes = 0
        self._skipping = False
        self._bad = 0

    def receive_data(self, data: bytes) -> None:
        """Take octets from the peer; lines may end in CRLF or LF."""
        if self.phase is Phase.CLOSED:
            return
        self._in += data
        if self.phase is Phase.WAITING and len(self._in) > MAX_WAITING_BYTES:
            self.close(421, "Too much sent ahead, Goodbye")
            return
        self._advance()

    def receive_eof(self) -> None:
        """Take the end of the peer's octets: what was not sent with SEND is nothing."""
        self.phase = Phase.CLOSED
        self._in.clear()

    def events_received(self) -> list[Event]:
        """Return what the host has to answer; at most one, the engine waits for it."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """Return octets for the peer."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def answer(self, code: int, text: str) -> None:
        """Answer the event that was asked last, and read on; a 4xx code closes."""
        asked, self._asked = self._asked, None
        assert asked is not None, "nothing was asked"
        if self.phase is Phase.CLOSED:
            return
        self.phase = Phase.COMMAND
        went_well = code // 100 in {2, 8, 9}
        match asked:
            case PagerAsked(pager=pager) if went_well:
                self._draft.pagers.append(pager)
            case Submitted() if code != 554:  # noqa: PLR2004  (a technical failure: SEND may be said again)
                self._draft.clear()
            case _:
                pass
        self._reply(code, text)
        self._advance()

    def close(self, code: int, text: str) -> None:
        """Say a last word: a timeout, a shutdown, too many of something."""
        if self.phase is not Phase.CLOSED:
            self._reply(code, text)
            self.phase = Phase.CLOSED
            self._in.clear()

    # --- lines ----------------------------------------------------------------------------------

    def _advance(self) -> None:
        while self.phase in {Phase.COMMAND, Phase.DATA}:
            end = self._in.find(b"\n")
            if end < 0:
                self._check_length()
                return
            line = bytes(self._in[:end])
            del self._in[: end + 1]
            self._line(line.removesuffix(b"\r"))

    def _check_length(self) -> None:
        """Drop what has no end: a line that is too long is refused once and skipped."""
        if len(self._in) <= MAX_LINE_BYTES:
            return
        if self.phase is Phase.DATA:
            self._message_bytes = MAX_MESSAGE_BYTES + 1
        elif not self._skipping:
            self._too_long()
        self._skipping = True
        self._in.clear()

    def _line(self, line: bytes) -> None:
        skipped, self._skipping = self._skipping, False
        if self.phase is Phase.DATA:
            self._data_line(b"-" if skipped else line)
        elif len(line) > MAX_LINE_BYTES:
            self._too_long()
        elif not skipped:
            self._command_line(line_text(line))

    def _too_long(self) -> None:
        self._bad_command(f"Lines have at most {MAX_LINE_BYTES} octets")

    def _command_line(self, line: str) -> None:
        verb, rest = split_command(line)
        command = COMMANDS.get(verb)
        if command is None:
            self._bad_command("Command not implemented")
            return
        self._bad = 0
        self.progress += 1
        for words in HELP_LINES if verb == "HELP" else ():
            self._reply(214, words)
        answer = command(self._draft, rest, self._zone)
        if isinstance(answer, tuple):
            self._reply(*answer)
        else:
            self._asked = answer
            self._events.append(answer)
            self.phase = Phase.WAITING

    def _bad_command(self, text: str) -> None:
        self._bad += 1
        if self._bad >= MAX_BAD_COMMANDS:
            self.close(421, "Too many errors, Goodbye")
        else:
            self._reply(500, text)

    def _reply(self, code: int, text: str) -> None:
        self._out += reply_line(code, text)
        if code in _BEGINS:
            self.phase = _BEGINS[code]
        elif code // 100 == 4:  # noqa: PLR2004  (RFC 1861: the connection is being closed)
            self.phase = Phase.CLOSED

    def _data_line(self, line: bytes) -> None:
        if line == b".":
            self.phase = Phase.COMMAND
            self.progress += 1
            too_long = self._message_bytes > MAX_MESSAGE_BYTES + 1
            self._reply(*take_message(self._draft, "\n".join(self._lines), too_long=too_long))
            self._lines.clear()
            self._message_bytes = 0
            return
        # A doubled dot stands for one; a single one is what clients that know no stuffing sent.
        unstuffed = line[1:] if line.startswith(b"..") else line
        self._message_bytes += len(unstuffed) + 1
        if self._message_bytes <= MAX_MESSAGE_BYTES + 1:
            self._lines.append(line_text(unstuffed))
        else:
            self._lines.clear()
