"""From a whole mail to the reply that its sender's server gets."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiosmtpd.smtp import Envelope, Session

from call_core.contracts import Principal
from call_core.errors import CallCoreError, ParseError
from call_core.outcomes import Outcome, Refused
from call_core.requests import Evidence, Request
from channels.kit.contract import Environment, fault_of
from channels.kit.mail_in import SENDER_REFUSALS, request_of
from channels.kit.mail_out import MailOutSettings
from channels.kit.mail_trust import evidence_of_results
from channels.smtp import replies
from channels.smtp.protocol import SmtpProtocol
from channels.smtp.settings import Network, SmtpSettings
from parsers.email_message import MailMessage, decode_message

CHANNEL = "smtp"
INLINE_SIZE_LIMIT = 16_384  # octets; a larger mail is decoded in a thread, it may cost 100 ms
STOP_TIMEOUT_S = 20.0  # how long mails that were sent completely may still take to be committed

# (content, message, peer, greeting, envelope sender) -> evidence, None when nobody knows now.
Verifier = Callable[[bytes, MailMessage, str, str, str], Awaitable[Evidence | None]]

_log = structlog.get_logger(__name__)


class MailHandler:
    """What aiosmtpd asks: about recipients, and about whole mails."""

    def __init__(
        self, settings: SmtpSettings, environment: Environment, verifier: Verifier | None
    ) -> None:
        self._verifier = verifier
        self._settings = settings
        self._environment = environment
        self._domains = frozenset(domain.lower() for domain in settings.domains)
        self._stopping = False
        self._at_work: set[asyncio.Task[str]] = set()

    async def finish(self) -> None:
        """Take nothing new and wait for what was taken."""
        self._stopping = True
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=STOP_TIMEOUT_S)

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self,
        server: SmtpProtocol,  # noqa: ARG002  (aiosmtpd's signature)
        session: Session,  # noqa: ARG002  (as above)
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002  (as above)
    ) -> str:
        """Take addresses of our domains only: nothing is ever relayed."""
        if self._domains and address.rpartition("@")[2].lower() not in self._domains:
            return replies.NOT_OURS
        if len(envelope.rcpt_tos) >= self._settings.max_recipients:
            return replies.TOO_MANY_RECIPIENTS
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name)
        self,
        server: SmtpProtocol,  # noqa: ARG002  (aiosmtpd's signature)
        session: Session,
        envelope: Envelope,
    ) -> str:
        """Take one mail. A peer that hangs up meanwhile does not undo what is being committed."""
        if self._stopping:
            return replies.STOPPING
        work = asyncio.create_task(self._take(session, envelope))
        self._at_work.add(work)
        work.add_done_callback(self._at_work.discard)
        return await asyncio.shield(work)

    async def handle_exception(self, error: Exception) -> str:
        """Whatever goes wrong here is ours and temporary; aiosmtpd would say 500, for ever."""
        _log.error("smtp_session_failed", exc_info=error)
        return replies.FAILED.format(text=fault_of(error).text)

    async def _take(self, session: Session, envelope: Envelope) -> str:
        try:
            return await self._answer(session, envelope)
        except ParseError as error:
            _log.info("mail_unreadable", code=error.code)
            return (
                replies.TOO_LARGE
                if error.code == "mail_too_large"
                else replies.UNREADABLE.format(code=error.code)
            )
        except CallCoreError as error:
            fault = fault_of(error)
            _log.warning("mail_not_taken", code=error.code)
            return f"{fault.smtp} 4.3.0 {fault.text}"
        except Exception as error:  # noqa: BLE001  (a defect of ours must not lose the mail)
            return await self.handle_exception(error)

    async def _answer(self, session: Session, envelope: Envelope) -> str:
        """Return the reply to one mail, after its request was committed."""
        message = await self._decode(envelope)
        signal = message.automatic
        if signal is not None and not signal.may_launch:
            _log.info("mail_automatic", kind=signal.kind, detail=signal.detail)
            return replies.DROPPED
        who = _principal(session)
        evidence = await self._evidence(envelope, message, session, who)
        if evidence is None:
            return replies.LOOKUP_FAILED
        outcome = await self._environment.core.accept(self._request(message, evidence, who))
        return replies.ACCEPTED if outcome is None else _reply(outcome)

    def _request(self, message: MailMessage, evidence: Evidence, who: Principal | None) -> Request:
        return request_of(
            message,
            channel=CHANNEL,
            evidence=evidence,
            received_wall_ms=self._environment.wall.now_ms(),
            user_id=who.user_id if who else None,
        )

    async def _decode(self, envelope: Envelope) -> MailMessage:
        content = envelope.original_content or b""
        recipients = tuple(envelope.rcpt_tos)
        mail_out: MailOutSettings = self._environment.mail
        own = self._domains or {address.rpartition("@")[2].lower() for address in recipients}

        def decode() -> MailMessage:
            return decode_message(
                content,
                envelope_from=_sender(envelope),
                envelope_to=recipients,
                own_addresses=(mail_out.from_address,),
                own_domains=(*own, mail_out.domain),
            )

        return decode() if len(content) <= INLINE_SIZE_LIMIT else await asyncio.to_thread(decode)

    async def _evidence(
        self, envelope: Envelope, message: MailMessage, session: Session, who: Principal | None
    ) -> Evidence | None:
        """Return how sure we are of the sender, None when that cannot be found out now."""
        peer = _address(session.peer)
        if who is not None or _within(peer, self._settings.trusted_networks):
            return Evidence.PROVEN
        if self._settings.authserv_id and _within(peer, self._settings.relay_networks):
            return evidence_of_results(message, self._settings.authserv_id)
        if self._verifier is None:
            return Evidence.CLAIMED
        delivery = (str(peer), session.host_name or "", _sender(envelope))
        return await self._verifier(envelope.original_content or b"", message, *delivery)


def _principal(session: Session) -> Principal | None:
    """Return who gave a password in this session."""
    who: object = session.auth_data
    return who if isinstance(who, Principal) else None


def _sender(envelope: Envelope) -> str:
    """Return MAIL FROM; aiosmtpd keeps the brackets of `<>`."""
    return (envelope.mail_from or "").strip("<>")


def _reply(outcome: Outcome) -> str:
    if isinstance(outcome, Refused) and outcome.code in SENDER_REFUSALS:
        return replies.UNKNOWN_SENDER
    if isinstance(outcome, Refused) and outcome.code == "emergency":
        return replies.EMERGENCY.format(digits=outcome.fields["digits"])
    if isinstance(outcome, Refused) and outcome.code == "same_id_other_content":
        return replies.SAME_ID
    return f"{replies.ACCEPTED} {outcome.ref}".rstrip()


def _address(peer: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address:  # noqa: ANN401  (a socket's name)
    """Return the peer's address; IPv4 that came through an IPv6 socket is IPv4."""
    address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _within(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Sequence[Network]
) -> bool:
    return any(address in network for network in networks)
