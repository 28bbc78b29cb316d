"""What one SNPP session asks and is told: events of the engine to the core, outcomes to replies."""

import asyncio
from dataclasses import dataclass

import structlog

from call_core.commands import Command
from call_core.contracts import Principal
from call_core.errors import CallCoreError, ParseError
from call_core.outcomes import Asked, Outcome, Refused
from call_core.requests import Evidence, Request
from channels.kit.contract import Environment, fault_of
from channels.kit.mail_in import SENDER_REFUSALS
from channels.kit.pager_login import Guessing, normal_address, principal_of_pager
from channels.kit.put_off import put_off
from channels.kit.render import Budget, render
from channels.kit.repeats import Repeats, digest_of
from channels.snpp.settings import SnppSettings
from channels.snpp.tags import Tags
from parsers.grammar import parse
from parsers.snpp import MessageStatus, format_status
from parsers.snpp_commands import (
    MULTICHOICE,
    Event,
    LoginAsked,
    PagerAsked,
    PingAsked,
    StatusAsked,
    Submission,
    Submitted,
    TagDropped,
)

CHANNEL = "snpp"
WRONG_LOGIN = (550, "Unknown pager or wrong secret; LOGI pager secret")
NOT_SERVED = (550, "No such pager here")
NO_TAG = (550, "Unknown tag or pass code")
HOLD_MISPLACED = (550, "HOLD goes with a call; say other times in the message, as in: at 6pm")

# How a choice that the client offered says what came of its message.
_YES = frozenset({"yes", "ok", "done", "calling", "launched"})
_NO = frozenset({"no", "refused", "failed", "error"})
_QUESTION = frozenset({"?", "question", "asked"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all sessions of the channel share."""

    environment: Environment
    settings: SnppSettings
    guessing: Guessing
    repeats: Repeats
    tags: Tags


class SnppSession:
    """Who is logged in on one connection, and the answers to its events."""

    def __init__(self, shared: Shared, peer: str) -> None:
        self._shared = shared
        self._environment = shared.environment
        self._peer = peer
        self._who: Principal | None = None
        self._login = ""
        self._wrong = 0

    async def answer(self, event: Event) -> tuple[int, str]:
        """Return the reply to an event; whatever fails here is ours and temporary."""
        try:
            return await self._answer(event)
        except CallCoreError as error:
            fault = fault_of(error)
            _log.warning("page_not_taken", code=error.code)
            return fault.snpp, fault.text
        except Exception as error:  # noqa: BLE001  (a defect of ours must not end in silence)
            _log.error("snpp_session_failed", exc_info=error)
            fault = fault_of(error)
            return fault.snpp, fault.text

    async def _answer(self, event: Event) -> tuple[int, str]:
        match event:
            case LoginAsked(login, secret):
                return await self._log_in(login, secret, (250, "Logged in"))
            case PagerAsked():
                return await self._pager(event)
            case PingAsked(pager):
                return (821, "Online") if self._is_served(pager) else NOT_SERVED
            case Submitted(message):
                return await self._submit(message)
            case StatusAsked(tag, pass_code):
                return self._status(tag, pass_code)
            case TagDropped(tag, pass_code):
                known = self._shared.tags.drop(self._user_id, tag, pass_code, self._now_ms())
                return (250, "Dropped") if known else NO_TAG

    def _now_ms(self) -> int:
        return self._environment.wall.now_ms()

    @property
    def _user_id(self) -> str:
        return self._who.user_id if self._who is not None else ""

    # --- who ------------------------------------------------------------------------------------

    async def _log_in(self, login: str, secret: str, well: tuple[int, str]) -> tuple[int, str]:
        self._who, self._login = None, ""
        if secret:
            await self._slow_down(login)
            self._who = await principal_of_pager(
                self._environment.core, CHANNEL, login, secret, self._now_ms()
            )
            if self._who is None:
                return self._wrong_secret(login)
            self._shared.guessing.succeeded(self._peer, normal_address(login))
            self._login = normal_address(login)
            return well
        return WRONG_LOGIN  # asking for the secret is no guess: clients then prompt for it

    async def _slow_down(self, login: str) -> None:
        delay_ms = self._shared.guessing.delay_ms(self._peer, normal_address(login), self._now_ms())
        if delay_ms:
            await asyncio.sleep(delay_ms / 1000)

    def _wrong_secret(self, login: str) -> tuple[int, str]:
        self._shared.guessing.failed(self._peer, normal_address(login), self._now_ms())
        self._wrong += 1
        if self._wrong >= self._shared.settings.max_logins:
            return 421, "Too many wrong secrets, Goodbye"
        return WRONG_LOGIN

    async def _pager(self, event: PagerAsked) -> tuple[int, str]:
        well = (850, "Online") if event.two_way else (250, "Pager accepted")
        if event.secret:
            return await self._log_in(event.pager, event.secret, well)
        return well if self._is_served(event.pager) else NOT_SERVED

    def _is_served(self, pager: str) -> bool:
        served = self._shared.settings.service_ids
        wanted = normal_address(pager)
        return not served or wanted in {*map(normal_address, served), self._login}

    # --- what -----------------------------------------------------------------------------------

    async def _submit(self, message: Submission) -> tuple[int, str]:
        now_call_ms = self._environment.call.now_ms()
        command = put_off(parse(message.text), message.hold_wall_ms, now_call_ms)
        if command is None:
            return HOLD_MISPLACED
        if self._who is None:
            await self._slow_down("")
        outcome = await self._environment.core.handle(self._request(message, command))
        if isinstance(outcome, Refused) and outcome.code in SENDER_REFUSALS:
            return self._wrong_secret("")
        return self._reply(message, outcome)

    def _request(self, message: Submission, command: Command | ParseError) -> Request:
        """Return the request; without a login it is nobody's, and only emergencies are answered."""
        now_wall_ms = self._now_ms()
        pagers = sorted(normal_address(pager) for pager in message.pagers)
        digest = digest_of(self._login, *pagers, message.text, str(message.hold_wall_ms))
        who = self._who
        return Request(
            channel=CHANNEL,
            id_space=CHANNEL,
            external_id=self._shared.repeats.external_id(digest, now_wall_ms),
            sender=self._login,
            user_id=who.user_id if who else None,
            evidence=Evidence.VOUCHED if who else Evidence.FORGED,
            received_wall_ms=now_wall_ms,
            command=command,
            text=message.text,
            fingerprint=digest,
            scopes=who.scopes if who else (),
            in_session=True,
        )

    def _reply(self, message: Submission, outcome: Outcome) -> tuple[int, str]:
        zone = self._who.timezone if self._who else "UTC"
        test = self._environment.test_texts
        text = render(outcome, Budget.PAGER80, zone, test=test)
        if not message.two_way or self._who is None:
            return (550 if isinstance(outcome, Refused) else 250), text
        code, words = _two_way_answer(message, outcome, text)
        status = MessageStatus(code, 1, self._now_ms(), words)
        tag, pass_code = self._shared.tags.keep(self._user_id, status, message.expire_hours)
        return 861, f"{tag} {pass_code} Delivered, awaiting reply"

    def _status(self, tag: str, pass_code: str) -> tuple[int, str]:
        found = self._shared.tags.find(self._user_id, tag, pass_code, self._now_ms())
        return NO_TAG if found is None else (found.code, format_status(found))


def _two_way_answer(message: Submission, outcome: Outcome, text: str) -> tuple[int, str]:
    """Return code and words of MSTA: one of the choices offered when it fits, else the text."""
    fitting = _YES
    if isinstance(outcome, Refused | Asked):
        fitting = _NO if isinstance(outcome, Refused) else _QUESTION
    if message.reply_type == MULTICHOICE:
        for code, label in message.choices:
            if label.casefold() in fitting:
                return 888, f"{code} {text}"
    return 889, text
