"""Calls: the whole, its parties, legs and digits; refs, shards, ports, counters."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint, text

from call_core.storage.tables.base import integer, metadata, words

_LIVE = text("ended_wall_ms IS NULL")
_UNSETTLED = text("settled = 0 AND holds > 0")
_DIGITS = text("digits <> ''")
COUNTS_A_CALLEE = "(substr(kind, 1, 7) = 'callee:' OR substr(kind, 1, 6) = 'block:')"
"""Counters per called number, whose kind holds its digits."""

calls = Table(
    "calls",
    metadata,
    words("id", key=True),
    words("ref"),
    words("kind"),
    words("user_id"),
    words("customer_id"),
    words("channel"),
    words("address"),
    words("request_id"),
    words("thread"),
    words("state"),
    words("reason", default=""),
    words("title", default=""),
    words("billing_code", default=""),
    integer("private", default=0),
    integer("locked", default=0),
    words("currency"),
    integer("cap_micros", null=True),
    integer("max_seconds", null=True),
    integer("stated_seconds", null=True),
    integer("free_first_leg", default=0),
    words("switch", default=""),
    integer("shard", default=0),
    integer("epoch", default=0),
    integer("version", default=1),
    words("command"),
    words("timezone"),
    integer("created_wall_ms"),
    integer("due_call_ms", null=True),
    integer("launched_call_ms", null=True),
    integer("talk_call_ms", null=True),
    integer("grace_call_ms", null=True),
    integer("warned_call_ms", null=True),
    integer("retry_money_call_ms", null=True),
    integer("ended_call_ms", null=True),
    integer("ended_wall_ms", null=True),
    Index("ix_calls_user", "user_id", "created_wall_ms"),
    Index("ix_calls_customer", "customer_id", "created_wall_ms"),
    Index("ix_calls_ref", "customer_id", "ref", "created_wall_ms"),
    Index("ix_calls_launched", "user_id", "launched_call_ms"),
    # Every column is asked for, so that no planner prefers an index of all that ever ended.
    Index(
        "ix_calls_live",
        "customer_id",
        "ended_wall_ms",
        "user_id",
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    ),
    Index("ix_calls_due", "due_call_ms", sqlite_where=_LIVE, postgresql_where=_LIVE),
)

refs = Table(
    "refs",
    metadata,
    words("user_id"),
    words("ref"),
    words("call_id"),
    integer("taken_wall_ms"),
    PrimaryKeyConstraint("user_id", "ref", name="pk_refs"),
    Index("ix_refs_call", "call_id"),
)

parties = Table(
    "parties",
    metadata,
    words("call_id"),
    integer("n"),
    words("role"),
    words("label"),
    words("number_id"),
    integer("accept", default=0),
    integer("muted", default=0),
    integer("dropped", default=0),
    integer("redials", default=0),
    PrimaryKeyConstraint("call_id", "n", name="pk_parties"),
)

numbers = Table(
    "numbers",
    metadata,
    words("id", key=True),
    words("call_id"),
    words("digits"),
    words("extension"),
    words("masked"),
    words("region"),
    integer("created_wall_ms"),
    Index("ix_numbers_call", "call_id"),
    Index("ix_numbers_digits", "created_wall_ms", sqlite_where=_DIGITS, postgresql_where=_DIGITS),
)

legs = Table(
    "legs",
    metadata,
    words("id", key=True),
    words("call_id"),
    integer("n"),
    integer("attempt"),
    words("number_id"),
    words("caller_number_id"),
    words("state"),
    words("trunk"),
    words("terms"),
    words("buy_terms"),
    integer("accept", default=0),
    words("keys", default="1"),
    words("keyed", default=""),
    integer("moves", default=0),
    integer("originated_call_ms", null=True),
    integer("ringing_call_ms", null=True),
    integer("answered_call_ms", null=True),
    integer("accepted_call_ms", null=True),
    integer("bridged_call_ms", null=True),
    integer("ended_call_ms", null=True),
    integer("cause", default=0),
    words("hangup_by", default=""),
    integer("hangup_asked", default=0),
    integer("end_estimated", default=0),
    integer("holds", default=0),
    integer("held_micros", default=0),
    integer("paid_seconds", default=0),
    integer("charge_micros", default=0),
    integer("settled", default=0),
    integer("free", default=0),
    UniqueConstraint("call_id", "n", "attempt", name="uq_legs_attempt"),
    Index("ix_legs_unsettled", "call_id", sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED),
)

shards = Table(
    "shards",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    words("owner"),
    integer("epoch"),
    integer("lease_until_wall_ms"),
)

ports = Table(
    "ports",
    metadata,
    words("switch"),
    words("trunk"),
    integer("used"),
    PrimaryKeyConstraint("switch", "trunk", name="pk_ports"),
)

counters = Table(
    "counters",
    metadata,
    words("subject"),
    words("kind"),
    integer("bucket"),
    integer("value"),
    PrimaryKeyConstraint("subject", "kind", "bucket", name="pk_counters"),
    Index("ix_counters_kind", "kind", "bucket"),
    Index(
        "ix_counters_callees",
        "bucket",
        sqlite_where=text(COUNTS_A_CALLEE),
        postgresql_where=text(COUNTS_A_CALLEE),
    ),
)
