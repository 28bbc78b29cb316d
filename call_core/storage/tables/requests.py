"""Requests and answers: the inbox, claims, questions, lists, undo, and the outbox."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from call_core.storage.tables.base import integer, metadata, words

_WAITING = text("state = 'waiting'")
_TEXT = text("text <> ''")

_SEQ = BigInteger().with_variant(Integer, "sqlite")

inbox = Table(
    "inbox",
    metadata,
    Column("seq", _SEQ, primary_key=True),
    words("space"),
    words("principal"),
    words("external_id"),
    words("fingerprint"),
    integer("lane"),
    integer("received_wall_ms"),
    words("body"),
    UniqueConstraint("space", "principal", "external_id", name="uq_inbox_claim"),
)

requests = Table(
    "requests",
    metadata,
    words("id", key=True),
    words("space"),
    words("principal"),
    words("external_id"),
    words("fingerprint"),
    words("channel"),
    words("user_id"),
    words("sender"),
    integer("evidence"),
    integer("received_wall_ms"),
    integer("sent_wall_ms", null=True),
    words("text"),
    words("thread"),
    words("outcome"),
    words("call_id"),
    UniqueConstraint("space", "principal", "external_id", name="uq_requests_claim"),
    Index("ix_requests_received", "received_wall_ms"),
    Index("ix_requests_text", "received_wall_ms", sqlite_where=_TEXT, postgresql_where=_TEXT),
    Index("ix_requests_user", "user_id", "received_wall_ms"),
)

replay_claims = Table(
    "replay_claims",
    metadata,
    words("space"),
    words("replay_id"),
    words("request_id"),
    integer("seen_wall_ms"),
    PrimaryKeyConstraint("space", "replay_id", name="pk_replay_claims"),
    Index("ix_replay_claims_seen", "seen_wall_ms"),
)

questions = Table(
    "questions",
    metadata,
    words("user_id", key=True),
    words("ref"),
    words("body"),
    integer("expires_wall_ms"),
)

list_rests = Table(
    "list_rests",
    metadata,
    words("user_id", key=True),
    words("body"),
    integer("expires_wall_ms"),
)

undos = Table(
    "undos",
    metadata,
    words("user_id", key=True),
    words("body"),
    integer("expires_wall_ms"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _SEQ, primary_key=True),
    words("id"),
    words("user_id"),
    words("channel"),
    words("address"),
    words("call_id"),
    words("ref"),
    words("kind"),
    words("body"),
    words("thread"),
    words("timezone"),
    integer("created_wall_ms"),
    integer("due_wall_ms"),
    integer("expires_wall_ms", null=True),
    integer("attempted_wall_ms", null=True),
    integer("attempts", default=0),
    words("state", default="waiting"),
    words("tried", default=""),
    UniqueConstraint("id", name="uq_outbox_id"),
    Index(
        "ix_outbox_waiting",
        "channel",
        "due_wall_ms",
        "seq",
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    ),
    Index(
        "ix_outbox_order",
        "address",
        "call_id",
        "seq",
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    ),
    Index("ix_outbox_created", "created_wall_ms"),
)
