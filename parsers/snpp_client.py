"""The client's side of SNPP as a sans-IO engine that plays a script.

A script is a generator: it yields a command and is given the reply. `page_script` pages somebody,
two-way with choices where the carrier has level 3, plainly where it has not; `status_script` asks
what became of messages. Scripts end with a value, the `result`; the engine says QUIT by itself.

    C: 2WAY                       S: 250 OK
    C: PAGE 5550100001            S: 850 Pager online
    C: RTYP MULTICHOICE           S: 250 OK
    C: MCRE 1 Call back now       S: 250 OK
    C: MESS Busy: mom. 4F7.       S: 250 OK
    C: SEND                       S: 861 123456 654321 Delivered, awaiting reply
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from parsers.snpp import (
    MAX_CHOICE_CHARS,
    MAX_CHOICES,
    MAX_LINE_BYTES,
    MAX_REPLY_LINES,
    MessageStatus,
    Reply,
    ascii_text,
    parse_reply,
    parse_status,
)

T = TypeVar("T")
Script = Generator[str, Reply, T]
_TECHNICAL_FAILURE: Final = 554
_WELL: Final = frozenset({2, 8, 9})


class SnppRefused(Exception):
    """The server did not do what the script needs.

    Attributes:
        reply: its last word; code 0 when the connection ended or the words were no reply.
        is_temporary: whether the same may go well later.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.code} {reply.text}")
        self.reply = reply
        self.is_temporary = reply.code in {0, _TECHNICAL_FAILURE} or reply.family in {4, 7}


@dataclass(frozen=True, slots=True)
class PageOrder:
    """One message to a pager.

    Attributes:
        choices: labels of the multiple-choice reply; code 1 is the first.
        no_queue: refuse rather than wait when the pager is out of reach.
    """

    pager: str
    text: str
    choices: tuple[str, ...] = ()
    login: str = ""
    secret: str = ""
    expire_hours: int | None = None
    no_queue: bool = False


@dataclass(frozen=True, slots=True)
class Paged:
    """A message that the carrier took.

    Attributes:
        tag, pass_code: how MSTA asks about it; "" for a plain page.
        code, text: the reply to SEND.
        offered: how many choices the carrier took.
    """

    tag: str
    pass_code: str
    code: int
    offered: int = 0
    text: str = ""


class ClientEngine(Generic[T]):
    """One connection that plays one script.

    Attributes:
        result: the script's value once it ended, else None.
        failed: why it ended badly.
        is_over: whether there is nothing more to say but what `data_to_send` holds.
        said_send: whether SEND went out and its reply did not come yet: nobody knows then.
    """

    def __init__(self, script: Script[T]) -> None:
        self.result: T | None = None
        self.failed: SnppRefused | None = None
        self.said_send = False
        self._script = script
        self._in = bytearray()
        self._out = bytearray()
        self._before: list[str] = []
        self._greeted = False
        self.is_over = False

    def receive_data(self, data: bytes) -> None:
        """Take octets from the server."""
        self._in += data
        while not self.is_over and (end := self._in.find(b"\n")) >= 0:
            line = self._in[:end].decode("latin-1")
            del self._in[: end + 1]
            self._line(line)
        if len(self._in) > MAX_LINE_BYTES and not self.is_over:
            self._fail(Reply(0, "a line without end"))

    def receive_eof(self) -> None:
        """Take the end of the connection."""
        if not self.is_over:
            self._fail(Reply(0, "the connection ended"))

    def data_to_send(self) -> bytes:
        """Return octets for the server."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _line(self, line: str) -> None:
        found = parse_reply(line)
        if found is None:
            self._fail(Reply(0, "that is no reply"))
            return
        code, more, text = found
        if more:
            self._before.append(text)
            if len(self._before) > MAX_REPLY_LINES:
                self._fail(Reply(0, "a reply without end"))
            return
        before, self._before = tuple(self._before), []
        self._reply(Reply(code, text, before))

    def _reply(self, reply: Reply) -> None:
        self.said_send = False
        try:
            line = self._script.send(reply) if self._greeted else self._begin(reply)
        except StopIteration as done:
            self.result = done.value
            self.is_over = True
            self._say("QUIT")
        except SnppRefused as refused:
            self._fail(refused.reply)
        else:
            self._say(line)

    def _begin(self, greeting: Reply) -> str:
        """Take the greeting: any 2xx, one server in use says 250."""
        if greeting.family not in _WELL:
            raise SnppRefused(greeting)
        self._greeted = True
        return next(self._script)

    def _say(self, line: str) -> None:
        self.said_send = line == "SEND"
        self._out += f"{ascii_text(line)}\r\n".encode("ascii")

    def _fail(self, reply: Reply) -> None:
        self.failed = SnppRefused(reply)
        self.is_over = True
        self._script.close()


def page_script(order: PageOrder) -> Script[Paged]:
    """Page somebody; falls back to a plain page where the carrier has no level 3."""
    yield from _log_in(order.login, order.secret)
    if order.choices:
        paged = yield from _two_way(order)
        if paged is not None:
            return paged
    yield from _must(f"PAGE {order.pager}")
    yield from _must(f"MESS {order.text}")
    reply = yield from _must("SEND")
    return Paged("", "", reply.code, text=reply.text)


def _two_way(order: PageOrder) -> Script[Paged | None]:
    """Page in a two-way transaction; None when carrier or pager cannot, with the state reset."""
    begun = yield "2WAY"
    if begun.family not in _WELL:
        _temporary(begun)
        return None
    if order.no_queue:
        yield "NOQU"
    if order.expire_hours is not None:
        yield f"EXPT {order.expire_hours}"
    taken = yield f"PAGE {order.pager}"
    if taken.family not in _WELL:
        _temporary(taken)
        yield from _must("RESE")
        return None
    offered = yield from _offer(order.choices)
    yield from _must(f"MESS {order.text}")
    sent = yield from _must("SEND")
    tag, _, rest = sent.text.partition(" ")
    return Paged(tag, rest.split(" ")[0], sent.code, offered, sent.text)


def _offer(choices: Sequence[str]) -> Script[int]:
    """Offer choices; returns how many were taken. None is no failure: the message names them."""
    kind = yield "RTYP MULTICHOICE"
    if kind.family not in _WELL:
        return 0
    taken = 0
    for number, label in enumerate(choices[:MAX_CHOICES], start=1):
        reply = yield f"MCRE {number} {label[:MAX_CHOICE_CHARS]}"
        if reply.family not in _WELL:
            break
        taken = number
    return taken


def status_script(
    tags: Sequence[tuple[str, str]], login: str = "", secret: str = ""
) -> Script[list[MessageStatus]]:
    """Ask what became of messages, `(tag, pass code)`."""
    yield from _log_in(login, secret)
    found = []
    for tag, pass_code in tags:
        reply = yield f"MSTA {tag} {pass_code}"
        if reply.family == 4 or reply.code == _TECHNICAL_FAILURE:  # noqa: PLR2004  (closing)
            raise SnppRefused(reply)
        found.append(parse_status(reply))
    return found


def drop_script(tags: Sequence[tuple[str, str]], login: str = "", secret: str = "") -> Script[int]:
    """Tell the carrier that messages need no longer be kept; whatever it answers is well."""
    yield from _log_in(login, secret)
    for tag, pass_code in tags:
        yield f"KTAG {tag} {pass_code}"
    return len(tags)


def _log_in(login: str, secret: str) -> Script[None]:
    if login:
        yield from _must(f"LOGI {login} {secret}".rstrip())


def _must(line: str) -> Script[Reply]:
    """Say something that has to go well."""
    reply = yield line
    if reply.family not in _WELL:
        raise SnppRefused(reply)
    return reply


def _temporary(reply: Reply) -> None:
    """Give up on what may go well later; a refusal for good is tried in the plain way."""
    if reply.family in {4, 7} or reply.code == _TECHNICAL_FAILURE:
        raise SnppRefused(reply)
