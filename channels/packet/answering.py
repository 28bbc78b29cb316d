"""From a datagram to the datagram that answers it; None is silence."""

import hashlib
import os

import structlog

from call_core.commands import Command
from call_core.contracts import Principal
from call_core.errors import CallCoreError, ParseError
from call_core.outcomes import Asked, Done, Launched, Outcome, Refused, Scheduled, Told
from call_core.requests import Evidence, Request
from channels.kit.contract import Environment, fault_of
from channels.kit.render import Budget, render
from channels.packet.settings import PacketSettings
from parsers import packet
from parsers.grammar import parse
from parsers.packet import CallState, PacketAnswer, PacketRequest, Status

PAGE_ROWS = 3  # lines of a list that surely fit an answer
MS_PER_S = 1000
WRONG_CLOCK = (
    "Your clock differs from ours; nothing was done. Ask again by the time of this answer."
)
MAY_NOT_READ = "This device may not read. Use a token with the scope read."

_STATUSES: dict[type[Outcome], Status] = {
    Launched: Status.LAUNCHED,
    Scheduled: Status.SCHEDULED,
    Asked: Status.ASKED,
    Done: Status.DONE,
    Told: Status.TOLD,
    Refused: Status.REFUSED,
}

log = structlog.get_logger(__name__)


class Answering:
    """Opens datagrams, hands commands to the core, seals what it says."""

    def __init__(self, settings: PacketSettings, environment: Environment) -> None:
        self._tolerance_ms = settings.clock_tolerance_s * MS_PER_S
        self._core = environment.core
        self._wall = environment.wall
        self._test = environment.test_texts

    async def answer(self, datagram: bytes) -> bytes | None:
        """Return the answer to one datagram; None when nobody proved to be a device of ours."""
        device = packet.device_of(datagram)
        if device is None:
            return None
        now_wall_ms = self._wall.now_ms()
        try:
            known = await self._core.device(device.hex(), now_wall_ms)
        except CallCoreError as error:
            # Without the key nothing can be sealed; the client sends again.
            log.warning("packet.device_unknown_now", code=error.code)
            return None
        if known is None:
            return None
        who, hashed = known
        keys = packet.keys_of(hashed)
        request = packet.open_request(datagram, keys)
        if request is None:
            log.info("packet.not_opened", device=device.hex())
            return None
        told = await self._told(who, request, now_wall_ms)
        return packet.seal_answer(told, keys, os.urandom(packet.NONCE_BYTES))

    async def _told(self, who: Principal, request: PacketRequest, now_wall_ms: int) -> PacketAnswer:
        if abs(request.sent_wall_ms - now_wall_ms) > self._tolerance_ms:
            return self._answer(request, Status.CLOCK, WRONG_CLOCK)
        try:
            if request.asked is packet.Asked.NAMES:
                return await self._names(who, request)
            return await self._command(who, request, now_wall_ms)
        except Exception as error:
            if not isinstance(error, CallCoreError):
                log.exception("packet.failed", command_id=request.command_id.hex())
            return self._answer(request, Status.LATER, fault_of(error).text)

    async def _command(
        self, who: Principal, request: PacketRequest, now_wall_ms: int
    ) -> PacketAnswer:
        command: Command | ParseError
        try:
            command = parse(request.text)
        except ParseError as error:
            command = error
        outcome = await self._core.handle(
            Request(
                channel="packet",
                id_space="packet",
                external_id=request.command_id.hex(),
                sender="",
                user_id=who.user_id,
                evidence=Evidence.PROVEN,
                received_wall_ms=now_wall_ms,
                sent_wall_ms=request.sent_wall_ms,
                command=command,
                text=request.text,
                fingerprint=hashlib.sha256(request.text.encode()).hexdigest()[:32],
                scopes=who.scopes,
                in_session=True,
                page_rows=PAGE_ROWS,
            )
        )
        ref = outcome.ref or str(getattr(command, "ref", "") or "")
        state = await self._state(who, getattr(outcome, "call_id", "") or ref)
        text = _fitting(outcome, who.timezone, test=self._test)
        return self._answer(request, _STATUSES[type(outcome)], text, outcome.ref, state)

    async def _state(self, who: Principal, call_id_or_ref: str) -> CallState:
        """Return whether a call goes on; what was done stays done when it cannot be read."""
        if not call_id_or_ref or "read" not in who.scopes:
            return CallState.NONE
        try:
            view = await self._core.call(who, call_id_or_ref)
        except CallCoreError:
            return CallState.NONE
        if view is None:
            return CallState.NONE
        return CallState.LIVE if view.ended_call_ms is None else CallState.OVER

    async def _names(self, who: Principal, request: PacketRequest) -> PacketAnswer:
        """Return the names behind the one that was sent, as many as there is room for."""
        if "read" not in who.scopes:
            return self._answer(request, Status.REFUSED, MAY_NOT_READ)
        entries = await self._core.directory(who, "")
        names = sorted({each.name for each in entries if each.name > request.text})
        room, told = packet.MAX_ANSWER_TEXT_BYTES, ""
        for name in names:
            longer = f"{told}\n{name}" if told else name
            if len(longer.encode()) > room:
                break
            told = longer
        return self._answer(request, Status.NAMES, told)

    def _answer(
        self,
        request: PacketRequest,
        status: Status,
        text: str,
        ref: str = "",
        state: CallState = CallState.NONE,
    ) -> PacketAnswer:
        return PacketAnswer(request.command_id, self._wall.now_ms(), status, text, ref, state)


def _fitting(outcome: Outcome, timezone: str, *, test: bool) -> str:
    """Return the words: those of a text message, those of a pager where letters are wide."""
    text = render(outcome, Budget.SMS160, timezone, test=test)
    if len(text.encode()) <= packet.MAX_ANSWER_TEXT_BYTES:
        return text
    return render(outcome, Budget.PAGER80, timezone, test=test)
