"""Peers that keep a list: what was acknowledged, and how; what was not is sent again.

Every request has an id of its own and rings a number that no other request rings, so that one that
is lost or done twice shows in two ways.
"""

import asyncio
import json
import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from tests.soak.site import MAIL, PAGER, Site

PAUSE_S = 0.05
TO = "call@callgate.example"
SMTP_SOURCE = shutil.which("smtp-source", path=f"{os.environ['PATH']}:/usr/sbin")
REPLY_TIMEOUT_S = 20
_REPEAT_SHARE = 0.05
_SNPP_TEMPORARY = frozenset({"421", "554"})
_HTTP_TEMPORARY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the same octets however often it is sent.

    Attributes:
        key: its Idempotency-Key, or the left side of its Message-ID.
        number: what it rings.
        date: of the mail, none when empty.
    """

    key: str
    number: str
    date: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One request as its client remembers it.

    Attributes:
        channel: `api`, `smtp`, or `smtp-source`, which does not tell the reply.
        number: what it rings.
        reply: the call's id or the reply line; a repeat must get the same. A mail that was kept
            in a burst has no ref in its reply yet.
    """

    channel: str
    number: str
    reply: str


@dataclass(slots=True)
class Tally:
    """What all clients together know.

    Attributes:
        acknowledged: by external id.
        failures: by what the peer said; "gone" is a lost connection.
        wrong: sentences about answers that must not be.
    """

    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    repeated: int = 0


Send = Callable[[Site, Asked], Awaitable[tuple[str, str]]]


class Clients:
    """Clients of both kinds that send until told to stop, then finish what they began.

    Attributes:
        tally: what they know.
        scheduled: numbers that somebody asked to ring later.
    """

    def __init__(
        self, site: Site, rng: random.Random, pause_s: float = PAUSE_S, *, dated: bool = True
    ) -> None:
        self.tally = Tally()
        self.scheduled: list[str] = []
        self._dated = dated
        self._site = site
        self._rng = rng
        self._pause_s = pause_s
        self._numbers = iter(range(10_000_000))
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start_pager(self) -> None:
        """Start a pager that asks for the balance again and again; its answers have no id."""
        self._tasks.append(asyncio.create_task(self._page()))

    def start(self, of_each: int) -> None:
        """Start so many clients of each kind, and one of Postfix's where that is installed."""
        kinds = [("api", post_call), ("smtp", send_mail)] * of_each
        if SMTP_SOURCE is not None:
            kinds.append(("smtp-source", send_by_postfix))
        self._tasks += [asyncio.create_task(self._run(*kind)) for kind in kinds]

    async def stop(self) -> None:
        """Begin nothing new and return when every request is acknowledged."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)

    async def _run(self, channel: str, send: Send) -> None:
        while not self._stopping.is_set():
            serial = next(self._numbers)
            date = formatdate() if self._dated else ""
            asked = Asked(f"{channel}-{serial}", f"+44207{serial:07}", date)
            await self._one(channel, send, asked)
            await asyncio.sleep(self._rng.uniform(0, 2 * self._pause_s))

    async def _page(self) -> None:
        while not self._stopping.is_set():
            serial = next(self._numbers)
            await self._until_acknowledged(send_page, Asked(f"snpp-{serial}", "", ""))
            await asyncio.sleep(self._rng.uniform(0, 4 * self._pause_s))

    async def _one(self, channel: str, send: Send, asked: Asked) -> None:
        """Send until it is acknowledged; now and then once more."""
        reply = await self._until_acknowledged(send, asked)
        self.tally.acknowledged[asked.key] = Acknowledged(channel, asked.number, reply)
        if self._rng.random() < _REPEAT_SHARE:
            again = await self._until_acknowledged(send, asked)
            self.tally.repeated += 1
            if again != reply and not (channel == "smtp" and again.startswith(f"{reply} ")):
                told = f"{asked.key} was answered {reply}, and {again} when repeated"
                self.tally.wrong.append(told)

    async def _until_acknowledged(self, send: Send, asked: Asked) -> str:
        while True:
            try:
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    kind, reply = await send(self._site, asked)
            except TimeoutError:
                kind, reply = "later", "no reply"
            except (OSError, EOFError):
                kind, reply = "later", "gone"
            if kind == "done":
                return reply
            self.tally.failures[reply] += 1
            if kind == "refused":
                self.tally.wrong.append(f"{asked.key} was refused: {reply}")
                return reply
            await asyncio.sleep(self._rng.uniform(0.01, 0.1))


async def post_call(site: Site, asked: Asked) -> tuple[str, str]:
    """POST one call; return `done` and its id, `later` or `refused` and the status."""
    return await _post(site, "calls", asked.key, {"to": asked.number})


async def post_command(site: Site, asked: Asked, minutes: int) -> tuple[str, str]:
    """POST a call in so many minutes, by the switch's clock."""
    text = f"call {asked.number} in {minutes}"
    return await _post(site, "commands", asked.key, {"text": text})


async def _post(site: Site, route: str, key: str, content: object) -> tuple[str, str]:
    body = json.dumps(content).encode()
    head = (
        f"POST /api/v1/{route} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {site.token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", site.ports["http"])
    try:
        writer.write(head.encode() + body)
        await writer.drain()
        status_line = await _line(reader)
        status, headers = int(status_line.split()[1]), {}
        while line := await _line(reader):
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        answer = json.loads(await reader.readexactly(int(headers["content-length"])))
    finally:
        writer.close()
    if status == 202:
        return "done", str(answer["call_id"])
    if status in _HTTP_TEMPORARY and "retry-after" in headers:
        return "later", f"{status} {answer['code']}"
    return "refused", f"{status} {answer}"


async def send_mail(site: Site, asked: Asked) -> tuple[str, str]:
    """Send one mail; return `done` and the reply, `later` or `refused` and the reply."""
    said = ("EHLO soak.example\r\n", f"MAIL FROM:<{MAIL}>\r\n", f"RCPT TO:<{TO}>\r\n",
            "DATA\r\n", f"{_mail(asked)}.\r\n")  # fmt: skip
    reader, writer = await asyncio.open_connection("127.0.0.1", site.ports["smtp"])
    try:
        reply = await _reply(reader)
        for words in said:
            if reply[0] not in "23":
                break
            writer.write(words.encode())
            await writer.drain()
            reply = await _reply(reader)
    finally:
        writer.close()
    return {"2": "done", "4": "later"}.get(reply[0], "refused"), reply


async def send_by_postfix(site: Site, asked: Asked) -> tuple[str, str]:
    """Let Postfix's own client send one mail; its status says whether it was taken."""
    assert SMTP_SOURCE is not None
    where = f"127.0.0.1:{site.ports['smtp']}"
    process = await asyncio.create_subprocess_exec(
        *(SMTP_SOURCE, "-m", "1", "-F", "/dev/stdin", "-f", MAIL, "-t", TO, where),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _, told = await process.communicate(_mail(asked).replace("\r", "").encode())
    if process.returncode == 0:
        return "done", ""
    return ("refused" if b"rejected: 5" in told else "later"), told.decode().strip()


def _mail(asked: Asked) -> str:
    date = f"Date: {asked.date}\r\n" if asked.date else ""
    return (
        f"From: {MAIL}\r\nTo: {TO}\r\nMessage-ID: <{asked.key}@soak.example>\r\n{date}\r\n"
        f"call {asked.number}\r\n"
    )


async def send_page(site: Site, asked: Asked) -> tuple[str, str]:
    """Page `balance`; return `done`, `later` or `refused` and the reply."""
    del asked
    said = (f"LOGI {PAGER} {site.password}", "PAGE callgate", "MESS balance", "SEND")
    reader, writer = await asyncio.open_connection("127.0.0.1", site.ports["snpp"])
    try:
        reply = await _reply(reader)
        for words in said:
            if reply[0] != "2":
                break
            writer.write(f"{words}\r\n".encode())
            await writer.drain()
            reply = await _reply(reader)
    finally:
        writer.close()
    kind = "later" if reply[:3] in _SNPP_TEMPORARY else "done" if reply[0] == "2" else "refused"
    return kind, reply


async def _reply(reader: asyncio.StreamReader) -> str:
    while (line := await _line(reader))[3:4] == "-":
        pass
    return line


async def _line(reader: asyncio.StreamReader) -> str:
    line = await reader.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return line.decode().rstrip("\r\n")
