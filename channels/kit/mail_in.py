"""A decoded mail as a request: the same for a mail that came by SMTP and one read over IMAP."""

import hashlib

from call_core.requests import Evidence, Request
from parsers.email_command import command_of, text_of
from parsers.email_message import MailMessage

ID_SPACE = "mail"  # smtp and imap share it, so one mail that came both ways is one request

# A sender whom we do not know and one who is forged get the same words, in the session, and
# nothing later: neither a spammer nor a bystander shall learn which addresses may launch calls.
SENDER_REFUSALS = frozenset({"unknown_sender", "forged"})


def request_of(
    message: MailMessage,
    *,
    channel: str,
    evidence: Evidence,
    received_wall_ms: int,
    user_id: str | None = None,
) -> Request:
    """Return the request that a mail is.

    Args:
        message: decoded; `message.automatic` must allow a launch.
        channel: the channel's registry name.
        evidence: how sure the channel is of the From address, or of the user.
        received_wall_ms: when it came in.
        user_id: the user whose password was given (SMTP AUTH), or None.
    """
    answerable = message.automatic is None or message.automatic.may_reply
    return Request(
        channel=channel,
        id_space=ID_SPACE,
        external_id=message.external_id,
        sender="" if user_id else message.from_address,
        user_id=user_id,
        evidence=evidence,
        received_wall_ms=received_wall_ms,
        sent_wall_ms=message.date_ms,
        command=command_of(message),
        text=text_of(message),
        fingerprint=message.content_fingerprint,
        reply_to_ref=message.reply_ref,
        thread=message.thread,
        replay_ids=tuple(_replay_id(signature.b) for signature in message.dkim_signatures),
        in_session=not answerable,
    )


def _replay_id(signature: str) -> str:
    """Return the id of a DKIM signature: seen under another Message-ID it is a replay."""
    return f"dkim:{hashlib.sha256(signature.encode()).hexdigest()[:40]}"
