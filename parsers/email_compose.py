"""Mail that we send: small plain text that no machine answers (RFC 3834 section 3).

Our Message-IDs carry a tag, the outbox id and the ref of the call, so that an answer is recognised
even when its subject was changed: `<callgate.obx_01J9….4F7@gw.example.org>`.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from call_core.ids import is_ref

TEXT_LENGTH_LIMIT = 8_192
FIELD_LENGTH_LIMIT = 998  # RFC 5322 section 2.1.1
REFERENCES_LENGTH_LIMIT = 900  # so that the field stays on one line: folding would encode the ids

_TAG = "callgate"
_POLICY = SMTP.clone(max_line_length=FIELD_LENGTH_LIMIT)
_BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})  # Unicode categories that no field may hold
_OWN_ID = re.compile(rf"{_TAG}\.([^.@\s]+)\.([^.@\s]*)@([^@\s]+)")


@dataclass(frozen=True, slots=True)
class OwnMessageId:
    """The parts of a Message-ID that we made; `ref` is "" when it was about no call."""

    outbox_id: str
    ref: str


def own_message_id(outbox_id: str, ref: str, domain: str) -> str:
    """Return the Message-ID of an outbox row, without angle brackets."""
    return f"{_TAG}.{outbox_id}.{ref}@{domain}"


def parse_own_message_id(message_id: str, own_domains: Collection[str]) -> OwnMessageId | None:
    """Return what one of our own Message-IDs says, None for anybody else's."""
    match = _OWN_ID.fullmatch(message_id)
    if match is None or match.group(3).lower() not in own_domains:
        return None
    ref = match.group(2)
    return OwnMessageId(match.group(1), ref.upper() if is_ref(ref) else "")


def compose_reply(
    *,
    message_id: str,
    date_ms: int,
    from_address: str,
    to_address: str,
    subject: str,
    text: str,
    ref: str = "",
    thread: str = "",
    from_name: str = "",
) -> bytes:
    """Return one mail as octets with CRLF line ends.

    Sample (its head):

        From: Callgate <call@gw.example.org>
        Subject: [4F7] Calling mom
        In-Reply-To: <20021123.1@device.example.net>
        Auto-Submitted: auto-replied

    Args:
        message_id: without angle brackets; the same for every try, so that a repeat is seen.
        date_ms: when it was decided, milliseconds since 1970 UTC.
        from_address: ours.
        to_address: the one recipient.
        subject: without the ref.
        text: the body, at most `TEXT_LENGTH_LIMIT` characters.
        ref: the call it is about; put before the subject in brackets.
        thread: References of the answered mail and its own Message-ID last, separated by blanks;
            "" when nothing is answered.
        from_name: display name.

    Raises:
        ValueError: a field holds a line break or another control character or is too long, or the
            text is too long.
    """
    if len(text) > TEXT_LENGTH_LIMIT:
        raise ValueError(f"the text is longer than {TEXT_LENGTH_LIMIT} characters")
    references = _last_references(thread)
    sender = f'"{_escaped(from_name)}" <{from_address}>' if from_name else from_address
    fields = {
        "From": sender,
        "To": to_address,
        "Subject": f"[{ref}] {subject}" if ref else subject,
        "Date": format_datetime(datetime.fromtimestamp(date_ms // 1000, UTC)),
        "Message-ID": f"<{message_id}>",
        "Auto-Submitted": "auto-replied" if references else "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Loop": from_address,
    }
    if references:
        fields["In-Reply-To"] = f"<{references[-1]}>"
        fields["References"] = " ".join(f"<{reference}>" for reference in references)
    message = EmailMessage(policy=_POLICY)
    for name, value in fields.items():
        message[name] = _checked(name, value)
    message.set_content(
        text, charset="utf-8", cte="7bit" if _fits_7bit(text) else "quoted-printable"
    )
    return message.as_bytes()


def _last_references(thread: str) -> list[str]:
    """Return as many of the last ids as fit; the very last, the answered mail, always."""
    kept: list[str] = []
    length = 0
    for reference in reversed(thread.split()):
        length += len(reference) + len(" <>")
        if kept and length > REFERENCES_LENGTH_LIMIT:
            break
        kept.append(reference)
    return kept[::-1]


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _checked(name: str, value: str) -> str:
    """Return the value; a line break in it would begin a field of somebody else's choice."""
    breaks = any(unicodedata.category(letter) in _BREAKS for letter in value)
    if breaks or len(f"{name}: {value}") > FIELD_LENGTH_LIMIT:
        raise ValueError(f"{name} holds a control character or is too long")
    return value


def _fits_7bit(text: str) -> bool:
    return text.isascii() and all(len(line) < FIELD_LENGTH_LIMIT for line in text.splitlines())
