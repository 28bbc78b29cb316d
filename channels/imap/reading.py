"""From the octets of a mail to the folder that it belongs in, by way of the core's answer.

Runs in the mailbox's own thread: reading a large mail may cost 100 ms, checking a signature a
look-up in the DNS. Only the question to the core is put on the event loop.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from call_core.contracts import Clock
from call_core.errors import ParseError
from call_core.outcomes import Outcome, Refused
from call_core.requests import Evidence, Request
from channels.imap.settings import MailboxSettings
from channels.kit.mail_in import SENDER_REFUSALS, request_of
from channels.kit.mail_out import MailOutSettings
from channels.kit.mail_trust import evidence_of_results
from parsers.email_message import HEADER_SIZE_LIMIT, MESSAGE_SIZE_LIMIT, MailMessage, decode_message

CHANNEL = "imap"
_HEAD_END = re.compile(rb"\r?\n\r?\n")

_log = structlog.get_logger(__name__)

# (content, message) -> evidence; raises when nobody knows now.
Verifier = Callable[[bytes, MailMessage], Evidence]
Lookup = Callable[[str, str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it was fetched.

    Attributes:
        content: all octets, or the first 64 KiB of the head of one that is too large.
        too_large: that it is over `MESSAGE_SIZE_LIMIT`.
    """

    content: bytes
    too_large: bool = False


class MailReader:
    """Handles the mails of one mailbox.

    Args:
        name: the mailbox's name, for the log.
        ask: puts a request to the core and waits for the outcome.
        verifier: evaluates signatures; None when that is not asked for.
    """

    def __init__(
        self,
        name: str,
        settings: MailboxSettings,
        mail_out: MailOutSettings,
        wall: Clock,
        ask: Callable[[Request], Outcome],
        verifier: Verifier | None = None,
    ) -> None:
        self._settings = settings
        self._mail_out = mail_out
        self._wall = wall
        self._ask = ask
        self._verifier = verifier
        self._log = _log.bind(mailbox=name)
        self._own_domains = (*(each.lower() for each in settings.domains), mail_out.domain)

    def handle(self, mail: Mail) -> str:
        """Return the folder that the mail belongs in, after its outcome was committed.

        Raises:
            CallCoreError: the core cannot take it now.
            Exception: anything else that is ours, or a name server's; it may be tried again.
        """
        try:
            if mail.too_large:
                raise ParseError("mail_too_large", limit=MESSAGE_SIZE_LIMIT)  # noqa: TRY301  (one answer for all that cannot be read)
            message = self._decode(mail.content)
        except ParseError as error:
            self._log.info("mail_unreadable", code=error.code)
            return self._refuse(mail, error)
        if _is_automatic(message):
            self._log.info("mail_automatic")
            return self._settings.done_folder
        evidence = self._evidence(mail.content, message)
        outcome = self._ask(self._request(message, evidence))
        if isinstance(outcome, Refused) and outcome.code in SENDER_REFUSALS:
            # There is no session to say it in, and later nothing is said to a stranger.
            self._log.info("mail_sender_refused")
            return self._settings.failed_folder
        return self._settings.done_folder

    def give_up(self, mail: Mail) -> str:
        """Return where a mail goes that failed too often, and tell its sender if possible."""
        self._log.error("mail_given_up")
        try:
            return self._refuse(mail, ParseError("mail_not_handled"))
        except Exception:  # noqa: BLE001  (telling may fail as the rest did; it must be filed)
            self._log.exception("mail_sender_not_told")
            return self._settings.failed_folder

    def _refuse(self, mail: Mail, error: ParseError) -> str:
        """File a mail that cannot be read, and let the core tell its sender when it is known.

        The head alone says who wrote; nothing of the mail can launch a call any more. The core
        answers only people it knows, and those of whom nobody vouches for rarely.
        """
        content = _head(mail.content)
        try:
            head = self._decode(content)
        except ParseError:
            return self._settings.failed_folder  # nobody can tell whose it is
        if not _is_automatic(head):
            request = self._request(head, self._evidence(content, head, signed=False))
            # Not the mail's own id: when it is put back into the folder it shall be handled.
            own_id = f"refused:{request.external_id}"
            self._ask(replace(request, external_id=own_id, command=error, text="", replay_ids=()))
        return self._settings.failed_folder

    def _decode(self, content: bytes) -> MailMessage:
        return decode_message(
            content,
            envelope_from=None,
            envelope_to=(),
            own_addresses=(self._mail_out.from_address,),
            own_domains=self._own_domains,
        )

    def _evidence(self, content: bytes, message: MailMessage, *, signed: bool = True) -> Evidence:
        """Return how sure we are of the author.

        Unless `content` is what was `signed`, a head alone, no signature can be verified.
        """
        if self._settings.trusted:
            return Evidence.PROVEN
        if self._settings.authserv_id:
            return evidence_of_results(message, self._settings.authserv_id)
        if self._verifier is None or not signed:
            return Evidence.CLAIMED
        return self._verifier(content, message)

    def _request(self, message: MailMessage, evidence: Evidence) -> Request:
        return request_of(
            message, channel=CHANNEL, evidence=evidence, received_wall_ms=self._wall.now_ms()
        )


def verifier_of(lookup: Lookup | None) -> Verifier:
    """Return the check of signatures.

    Which host sent the mail cannot be seen in a mailbox, so SPF is not evaluated; and as a mail
    without a good signature may have passed by SPF, none is called forged: it is claimed.

    Args:
        lookup: the DNS; None asks the system's name servers.

    Raises:
        ImportError: the extra mailauth is not installed.
    """
    from channels.kit.mail_verify import (  # noqa: PLC0415  (an extra)
        Delivery,
        look_up,
        verified_evidence,
    )

    unseen = Delivery(peer="", greeting="", envelope_from="")

    def verify(content: bytes, message: MailMessage) -> Evidence:
        found = verified_evidence(content, message, unseen, lookup or look_up)
        return max(found, Evidence.CLAIMED)

    return verify


def _is_automatic(message: MailMessage) -> bool:
    return message.automatic is not None and not message.automatic.may_launch


def _head(content: bytes) -> bytes:
    """Return the fields of a mail, with an empty body; of a long head only its first fields."""
    found = _HEAD_END.search(content)
    head = content[: found.start()] if found else content
    if len(head) > HEADER_SIZE_LIMIT:
        head = head[:HEADER_SIZE_LIMIT].rpartition(b"\n")[0].removesuffix(b"\r")
    return head + b"\r\n\r\n"
