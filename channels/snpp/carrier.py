"""Our side as a client of a paging carrier: page a user, and turn their answer into a request.

A message with choices goes out in a two-way transaction (RFC 1861 level 3); where the carrier has
none, plainly. Tags that wait for an answer are kept in memory and asked for with growing pauses;
after a restart an answer to an earlier page is lost, and the user's next message is a new request.
"""

import asyncio
import contextlib
import heapq
import ssl
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

import structlog

from call_core.errors import CallCoreError, DeliveryError
from call_core.requests import Evidence, Request
from channels.kit.contract import Environment, Outgoing
from channels.kit.render import Budget, render
from channels.kit.repeats import digest_of
from channels.kit.reply_choices import reply_choices
from channels.snpp.settings import SnppSettings
from parsers.grammar import parse
from parsers.snpp import MessageStatus
from parsers.snpp_client import (
    ClientEngine,
    Paged,
    PageOrder,
    Script,
    drop_script,
    page_script,
    status_script,
)

CHANNEL = "snpp"
READ_BYTES = 4096
MOST_WAITING = 10_000  # pages whose answer is asked for; the oldest go first
MOST_ASKED = 50
"""Pages asked for in one connection: what a slow carrier can say within one time-out."""
LONGEST_PAUSE_S = 300.0
_REPLIED_CHOICE = 888
_REPLIED_TEXT = 889

T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Waiting:
    """A page whose answer is awaited."""

    paged: Paged
    message: Outgoing
    commands: tuple[str, ...]
    until_s: float
    pause_s: float
    due_s: float


class Carrier:
    """The carrier's server, and the pages that wait for an answer."""

    def __init__(self, settings: SnppSettings, environment: Environment) -> None:
        self._settings = settings
        self._environment = environment
        self._tls = ssl.create_default_context() if settings.carrier_tls else None
        self._waiting: dict[str, _Waiting] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask for answers."""
        if self._settings.carrier_host:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def deliver(self, message: Outgoing) -> None:
        """Page one user.

        Raises:
            DeliveryError: there is no carrier, or it did not take the page.
        """
        if not self._settings.carrier_host:
            raise DeliveryError("no paging carrier is set (snpp.carrier_host)", retryable=False)
        choices = reply_choices(message.content, message.timezone, self._settings.choices)
        order = PageOrder(
            pager=message.address,
            text=render(message.content, Budget.PAGER80, message.timezone, test=message.test),
            choices=tuple(choice.label for choice in choices),
            login=self._settings.carrier_login,
            secret=self._settings.carrier_secret.get_secret_value(),
            no_queue=self._settings.carrier_no_queue,
        )
        paged = await self._talk(page_script(order))
        if paged.tag:
            self._await_answer(paged, message, tuple(choice.command for choice in choices))

    def _await_answer(self, paged: Paged, message: Outgoing, commands: tuple[str, ...]) -> None:
        now_s, pause_s = _now_s(), self._settings.carrier_poll_s
        until_s = now_s + self._settings.carrier_answer_s
        self._waiting[paged.tag] = _Waiting(
            paged, message, commands, until_s, pause_s, now_s + pause_s
        )
        while len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._wake.set()

    # --- answers --------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            due_s = min((each.due_s for each in self._waiting.values()), default=None)
            pause_s = None if due_s is None else max(0.0, due_s - _now_s())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            try:
                await self.ask()
            except Exception as error:  # noqa: BLE001  (a defect of ours must not end the asking)
                _log.error("carrier_poll_failed", exc_info=error)

    async def ask(self) -> None:
        """Ask the carrier about the pages that have been due for the longest."""
        now_s = _now_s()
        due = [each for each in self._waiting.values() if each.due_s <= now_s]
        due = heapq.nsmallest(MOST_ASKED, due, key=attrgetter("due_s"))
        if not due:
            return
        for each in due:
            each.pause_s = min(each.pause_s * 2, LONGEST_PAUSE_S)
            each.due_s = now_s + each.pause_s
        tags = [(each.paged.tag, each.paged.pass_code) for each in due]
        try:
            statuses = await self._talk(status_script(tags, *self._login))
        except DeliveryError as error:
            _log.info("carrier_poll_later", reason=str(error))
            statuses = []
        done = [
            each
            for each, status in zip(due, statuses, strict=False)
            if status.is_final and await self._taken(each, status)
        ]
        over = [each for each in due if each.until_s <= now_s and each not in done]
        for each in (*done, *over):
            self._waiting.pop(each.paged.tag, None)
        await self._drop([*done, *over])

    async def _taken(self, waiting: _Waiting, status: MessageStatus) -> bool:
        """Hand an answer to the core; False when that has to be tried again."""
        text = _answer_text(waiting, status)
        if not text:
            return True
        message = waiting.message
        digest = digest_of(message.address, text)
        request = Request(
            channel=CHANNEL,
            id_space=CHANNEL,
            external_id=f"answer.{message.id}",
            sender=message.address,
            evidence=Evidence.VOUCHED,
            received_wall_ms=self._environment.wall.now_ms(),
            command=parse(text, reply_to_ref=message.ref or None),
            text=text,
            fingerprint=digest,
            reply_to_ref=message.ref or None,
        )
        try:
            await self._environment.core.handle(request)
        except CallCoreError as error:
            _log.warning("answer_not_taken", code=error.code)
            return False
        except Exception as error:  # noqa: BLE001  (a defect of ours must not lose the others)
            _log.error("answer_failed", message_id=message.id, exc_info=error)
            return False
        return True

    async def _drop(self, pages: list[_Waiting]) -> None:
        if not pages:
            return
        tags = [(each.paged.tag, each.paged.pass_code) for each in pages]
        with contextlib.suppress(DeliveryError):  # a courtesy: the carrier forgets by itself
            await self._talk(drop_script(tags, *self._login))

    # --- the line -------------------------------------------------------------------------------

    @property
    def _login(self) -> tuple[str, str]:
        settings = self._settings
        return settings.carrier_login, settings.carrier_secret.get_secret_value()

    async def _talk(self, script: Script[T]) -> T:
        settings = self._settings
        return await talk(
            script,
            settings.carrier_host,
            settings.carrier_port,
            timeout_s=settings.carrier_timeout_s,
            tls=self._tls,
        )


def _answer_text(waiting: _Waiting, status: MessageStatus) -> str:
    """Return the command that an answer means, "" for none."""
    if status.code == _REPLIED_TEXT:
        return status.text
    if status.code != _REPLIED_CHOICE:
        return ""
    code, _, _ = status.text.partition(" ")
    number = int(code) if code.isascii() and code.isdigit() and len(code) <= 4 else 0  # noqa: PLR2004  (choice codes are short)
    return waiting.commands[number - 1] if 0 < number <= len(waiting.commands) else ""


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def talk(
    script: Script[T], host: str, port: int, *, timeout_s: float, tls: ssl.SSLContext | None = None
) -> T:
    """Play a script with a server.

    Raises:
        DeliveryError: it could not be reached or did not do it; `uncertain` when the message was
            sent and no reply came.
    """
    engine = ClientEngine(script)
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            try:
                await _play(engine, reader, writer)
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        if engine.result is not None:
            return engine.result
        raise DeliveryError(
            f"pager carrier: {error!r}", retryable=True, uncertain=engine.said_send
        ) from error
    if engine.failed is not None:
        refused = engine.failed
        lost = engine.said_send and refused.reply.code == 0
        raise DeliveryError(
            f"pager carrier: {refused}", retryable=refused.is_temporary, uncertain=lost
        ) from refused
    assert engine.result is not None, "a script that went well has a value"
    return engine.result


async def _play(
    engine: ClientEngine[T], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while not engine.is_over:
        data = await reader.read(READ_BYTES)
        if data:
            engine.receive_data(data)
        else:
            engine.receive_eof()
        writer.write(engine.data_to_send())
        await writer.drain()
