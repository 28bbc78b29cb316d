"""A request: one message as it arrived, normalised by its channel."""

from dataclasses import dataclass
from enum import IntEnum

from call_core.administration import Administration
from call_core.commands import Command
from call_core.errors import ParseError


class Evidence(IntEnum):
    """How sure the channel is of who wrote; order matters, more is surer.

    FORGED: proved not to be from the sender. CLAIMED: nobody vouched. VOUCHED: the door is
    authentic but not the person. PROVEN: the person is.
    """

    FORGED = 0
    CLAIMED = 1
    VOUCHED = 2
    PROVEN = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What a channel hands to the core.

    Attributes:
        channel: the channel's registry name (`smtp`, `web`, `api`, …).
        id_space: whose external ids these are; smtp and imap share `mail`.
        external_id: the message's own id there; repeating it repeats nothing but the answer.
        sender: normalised address in the channel's own form, where news go; with `user_id` it may
            be "", when the channel has nowhere to send them.
        user_id: set when the channel authenticated the user itself (session, token, device key).
        evidence: how sure the channel is.
        received_wall_ms: when it came in.
        sent_wall_ms: when the sender says it was sent; None where the wire has no such time.
        command: what was asked, or why it could not be read.
        text: the words themselves, kept 30 days for the history and for `Name` typos.
        fingerprint: hash of the content: the same external id with another one is refused.
        reply_to_ref: the call that a reply belongs to (mail subject `[4F7]`), or None.
        thread: what a reply must carry to be threaded (mail: Message-ID, References), or "".
        replay_ids: further ids that must never be seen again (DKIM `b=` hashes, nonces).
        scopes: what the token may do; everything for a person.
        in_session: the channel answers within its own session, so no outbox row is written.
        page_rows: how many rows of a list one answer holds; the rest waits for `more`. 0 is all.
    """

    channel: str
    id_space: str
    external_id: str
    sender: str
    evidence: Evidence
    received_wall_ms: int
    command: Command | Administration | ParseError
    text: str = ""
    fingerprint: str = ""
    user_id: str | None = None
    sent_wall_ms: int | None = None
    reply_to_ref: str | None = None
    thread: str = ""
    replay_ids: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("read", "call", "admin")
    in_session: bool = False
    page_rows: int = 0
