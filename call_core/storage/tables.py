"""Every table, once. Hot columns hold only integers and text, the same on both databases.

# schema: stable

Instants are milliseconds: `*_call_ms` by the switch's clock, `*_wall_ms` by ours. Money is in
micros. Telephone digits of calls stand in `numbers` alone, so that they can be erased without
touching a record. `transfers`, `cdrs`, `cdr_amendments` and `audit` are append-only (triggers in
`append_only.py`). Calls carry `(shard, epoch, version)`: who may write them, and which write it is.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()


def _int(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    server = None if default is None else text(str(default))
    return Column(name, BigInteger, nullable=null, server_default=server)


def _text(name: str, *, key: bool = False, default: str | None = None) -> Column[str]:
    server = None if default is None else text(f"'{default}'")
    return Column(name, Text, primary_key=key, nullable=False, server_default=server)


# --- who ----------------------------------------------------------------------------------------

customers = Table(
    "customers",
    metadata,
    _text("id", key=True),
    _text("name"),
    _text("currency"),
    _text("plan"),
    _int("credit_limit_micros", default=0),
    _text("tariff"),
    _text("regions"),
    _text("opted_in", default=""),
    _int("daily_spend_micros", null=True),
    _int("vouched_daily_spend_micros", null=True),
    _int("concurrent_calls", null=True),
    _int("billing_code_required", default=0),
    _text("state", default="active"),
    _int("launched_calls", default=0),
    _int("created_wall_ms"),
    UniqueConstraint("name", name="uq_customers_name"),
)

users = Table(
    "users",
    metadata,
    _text("id", key=True),
    _text("customer_id"),
    _text("name"),
    _text("role"),
    _text("timezone"),
    _text("country"),
    _text("area_code", default=""),
    _text("state", default="active"),
    _text("default_phone_id", default=""),
    _text("password_hash", default=""),
    _int("created_wall_ms"),
    Index("ix_users_customer", "customer_id", "name"),
)

senders = Table(
    "senders",
    metadata,
    _text("id", key=True),
    _text("user_id"),
    _text("space"),
    _text("address"),
    _text("channel"),
    _int("position", default=0),
    _int("opted_out", default=0),
    _int("created_wall_ms"),
    UniqueConstraint("space", "address", name="uq_senders_address"),
    Index("ix_senders_user", "user_id", "position"),
)

phones = Table(
    "phones",
    metadata,
    _text("id", key=True),
    _text("user_id"),
    _text("label"),
    _text("folded"),
    _text("number"),
    _text("extension", default=""),
    _text("verified", default=""),
    _int("accept_key", default=1),
    _int("created_wall_ms"),
    UniqueConstraint("user_id", "folded", name="uq_phones_label"),
)

directory = Table(
    "directory",
    metadata,
    _text("customer_id"),
    _text("user_id"),
    _text("folded"),
    _text("name"),
    _text("number"),
    _text("extension", default=""),
    PrimaryKeyConstraint("customer_id", "user_id", "folded", name="pk_directory"),
)

speed_dials = Table(
    "speed_dials",
    metadata,
    _text("user_id"),
    _int("slot"),
    _text("target"),
    PrimaryKeyConstraint("user_id", "slot", name="pk_speed_dials"),
)

billing_codes = Table(
    "billing_codes",
    metadata,
    _text("customer_id"),
    _text("code"),
    PrimaryKeyConstraint("customer_id", "code", name="pk_billing_codes"),
)

tokens = Table(
    "tokens",
    metadata,
    _text("id", key=True),
    _text("user_id"),
    _text("hash"),
    _text("label"),
    _text("scopes"),
    _int("created_wall_ms"),
    _int("expires_wall_ms", null=True),
    _int("last_used_wall_ms", null=True),
    _int("revoked_wall_ms", null=True),
    UniqueConstraint("hash", name="uq_tokens_hash"),
    Index("ix_tokens_user", "user_id"),
)

sessions = Table(
    "sessions",
    metadata,
    _text("hash", key=True),
    _text("user_id"),
    _text("address"),
    _int("created_wall_ms"),
    _int("expires_wall_ms"),
    _int("revoked_wall_ms", null=True),
)

sign_in_codes = Table(
    "sign_in_codes",
    metadata,
    _text("address", key=True),
    _text("user_id"),
    _text("hash"),
    _int("expires_wall_ms"),
    _int("tries", default=0),
)

freezes = Table(
    "freezes",
    metadata,
    _text("kind"),
    _text("target"),
    _int("created_wall_ms"),
    PrimaryKeyConstraint("kind", "target", name="pk_freezes"),
)

# --- requests and answers -----------------------------------------------------------------------

requests = Table(
    "requests",
    metadata,
    _text("id", key=True),
    _text("space"),
    _text("principal"),
    _text("external_id"),
    _text("fingerprint"),
    _text("channel"),
    _text("user_id"),
    _text("sender"),
    _int("evidence"),
    _int("received_wall_ms"),
    _int("sent_wall_ms", null=True),
    _text("text"),
    _text("thread"),
    _text("outcome"),
    _text("call_id"),
    UniqueConstraint("space", "principal", "external_id", name="uq_requests_claim"),
    Index("ix_requests_received", "received_wall_ms"),
    Index("ix_requests_user", "user_id", "received_wall_ms"),
)

replay_claims = Table(
    "replay_claims",
    metadata,
    _text("space"),
    _text("replay_id"),
    _text("request_id"),
    _int("seen_wall_ms"),
    PrimaryKeyConstraint("space", "replay_id", name="pk_replay_claims"),
    Index("ix_replay_claims_seen", "seen_wall_ms"),
)

questions = Table(
    "questions",
    metadata,
    _text("user_id", key=True),
    _text("ref"),
    _text("body"),
    _int("expires_wall_ms"),
)

list_rests = Table(
    "list_rests",
    metadata,
    _text("user_id", key=True),
    _text("body"),
    _int("expires_wall_ms"),
)

undos = Table(
    "undos",
    metadata,
    _text("user_id", key=True),
    _text("body"),
    _int("expires_wall_ms"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _text("id"),
    _text("user_id"),
    _text("channel"),
    _text("address"),
    _text("call_id"),
    _text("ref"),
    _text("kind"),
    _text("body"),
    _text("thread"),
    _text("timezone"),
    _int("created_wall_ms"),
    _int("due_wall_ms"),
    _int("expires_wall_ms", null=True),
    _int("attempted_wall_ms", null=True),
    _int("attempts", default=0),
    _text("state", default="waiting"),
    UniqueConstraint("id", name="uq_outbox_id"),
    Index(
        "ix_outbox_waiting",
        "due_wall_ms",
        "seq",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_outbox_created", "created_wall_ms"),
)

# --- calls --------------------------------------------------------------------------------------

_LIVE = text("ended_wall_ms IS NULL")

calls = Table(
    "calls",
    metadata,
    _text("id", key=True),
    _text("ref"),
    _text("kind"),
    _text("user_id"),
    _text("customer_id"),
    _text("channel"),
    _text("address"),
    _text("request_id"),
    _text("thread"),
    _text("state"),
    _text("reason", default=""),
    _text("title", default=""),
    _text("billing_code", default=""),
    _int("private", default=0),
    _int("locked", default=0),
    _text("currency"),
    _int("cap_micros", null=True),
    _int("max_seconds", null=True),
    _int("stated_seconds", null=True),
    _int("free_first_leg", default=0),
    _text("switch", default=""),
    _int("shard", default=0),
    _int("epoch", default=0),
    _int("version", default=1),
    _text("command"),
    _text("timezone"),
    _int("created_wall_ms"),
    _int("due_call_ms", null=True),
    _int("launched_call_ms", null=True),
    _int("talk_call_ms", null=True),
    _int("grace_call_ms", null=True),
    _int("warned_call_ms", null=True),
    _int("retry_money_call_ms", null=True),
    _int("ended_call_ms", null=True),
    _int("ended_wall_ms", null=True),
    Index("ix_calls_user", "user_id", "created_wall_ms"),
    Index("ix_calls_customer", "customer_id", "created_wall_ms"),
    Index("ix_calls_live", "customer_id", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_calls_due", "due_call_ms", sqlite_where=_LIVE, postgresql_where=_LIVE),
)

refs = Table(
    "refs",
    metadata,
    _text("user_id"),
    _text("ref"),
    _text("call_id"),
    _int("taken_wall_ms"),
    PrimaryKeyConstraint("user_id", "ref", name="pk_refs"),
    Index("ix_refs_call", "call_id"),
)

parties = Table(
    "parties",
    metadata,
    _text("call_id"),
    _int("n"),
    _text("role"),
    _text("label"),
    _text("number_id"),
    _int("accept", default=0),
    _int("muted", default=0),
    _int("dropped", default=0),
    _int("redials", default=0),
    PrimaryKeyConstraint("call_id", "n", name="pk_parties"),
)

numbers = Table(
    "numbers",
    metadata,
    _text("id", key=True),
    _text("call_id"),
    _text("digits"),
    _text("extension"),
    _text("masked"),
    _text("region"),
    _int("created_wall_ms"),
    Index("ix_numbers_call", "call_id"),
    Index("ix_numbers_created", "created_wall_ms"),
)

legs = Table(
    "legs",
    metadata,
    _text("id", key=True),
    _text("call_id"),
    _int("n"),
    _int("attempt"),
    _text("number_id"),
    _text("caller_number_id"),
    _text("state"),
    _text("trunk"),
    _text("terms"),
    _text("buy_terms"),
    _int("accept", default=0),
    _int("moves", default=0),
    _int("originated_call_ms", null=True),
    _int("ringing_call_ms", null=True),
    _int("answered_call_ms", null=True),
    _int("accepted_call_ms", null=True),
    _int("bridged_call_ms", null=True),
    _int("ended_call_ms", null=True),
    _int("cause", default=0),
    _text("hangup_by", default=""),
    _int("hangup_asked", default=0),
    _int("end_estimated", default=0),
    _int("holds", default=0),
    _int("held_micros", default=0),
    _int("paid_seconds", default=0),
    _int("charge_micros", default=0),
    _int("settled", default=0),
    UniqueConstraint("call_id", "n", "attempt", name="uq_legs_attempt"),
)

shards = Table(
    "shards",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    _text("owner"),
    _int("epoch"),
    _int("lease_until_wall_ms"),
)

ports = Table(
    "ports",
    metadata,
    _text("switch"),
    _text("trunk"),
    _int("used"),
    PrimaryKeyConstraint("switch", "trunk", name="pk_ports"),
)

counters = Table(
    "counters",
    metadata,
    _text("subject"),
    _text("kind"),
    _int("bucket"),
    _int("value"),
    PrimaryKeyConstraint("subject", "kind", "bucket", name="pk_counters"),
)

# --- money --------------------------------------------------------------------------------------

tariffs = Table(
    "tariffs",
    metadata,
    _text("name", key=True),
    _text("currency"),
    _text("timezone"),
    _int("quantum_micros"),
    _int("active_version"),
    _int("loaded_version"),
)

rates = Table(
    "rates",
    metadata,
    _text("tariff"),
    _int("version"),
    _int("row"),
    _text("prefix"),
    _text("destination"),
    _int("price_micros_per_minute"),
    _int("connect_fee_micros"),
    _int("first_increment_s"),
    _int("next_increment_s"),
    _int("minimum_s"),
    _int("effective_from_ms", null=True),
    _int("effective_to_ms", null=True),
    _text("days"),
    _text("hours"),
    _int("blocked"),
    PrimaryKeyConstraint("tariff", "version", "row", name="pk_rates"),
)

accounts = Table(
    "accounts",
    metadata,
    _text("id", key=True),
    _text("currency"),
    _text("kind"),
    _int("credit_limit_micros", null=True),
    _int("debits_pending", default=0),
    _int("debits_posted", default=0),
    _int("credits_pending", default=0),
    _int("credits_posted", default=0),
)

transfers = Table(
    "transfers",
    metadata,
    _text("id", key=True),
    _text("debit_account"),
    _text("credit_account"),
    _int("amount_micros"),
    _text("currency"),
    _text("kind"),
    _text("pending_id"),
    _text("code"),
    _text("call_id"),
    _text("leg_id"),
    _int("at_call_ms"),
    _int("at_wall_ms"),
    Index("ix_transfers_call", "call_id"),
    Index("ix_transfers_wall", "at_wall_ms"),
    Index(
        "uq_transfers_end",
        "pending_id",
        unique=True,
        sqlite_where=text("pending_id <> ''"),
        postgresql_where=text("pending_id <> ''"),
    ),
)

cdrs = Table(
    "cdrs",
    metadata,
    _text("id", key=True),
    _text("call_id"),
    _text("ref"),
    _text("customer_id"),
    _text("user_id"),
    _int("party"),
    _int("attempt"),
    _text("leg"),
    _text("channel"),
    _text("request_id"),
    _text("user"),
    _text("from_number_id"),
    _text("to_number_id"),
    _text("destination"),
    _text("prefix"),
    _text("rate_id"),
    _int("setup_call_ms"),
    _int("answer_call_ms", null=True),
    _int("end_call_ms"),
    _int("end_estimated"),
    _int("duration_s"),
    _int("billable_s"),
    _int("price_micros_per_minute"),
    _int("connect_fee_micros"),
    _int("charge_micros"),
    _int("tax_micros"),
    _int("total_micros"),
    _text("currency"),
    _int("buy_cost_micros"),
    _text("buy_currency"),
    _text("billing_code"),
    _text("hangup_cause"),
    _text("hangup_by"),
    _text("switch"),
    _text("trunk"),
    _text("explanation"),
    _int("created_wall_ms"),
    Index("ix_cdrs_call", "call_id"),
    Index("ix_cdrs_user", "user_id", "created_wall_ms", "id"),
    Index("ix_cdrs_customer", "customer_id", "created_wall_ms", "id"),
    Index("ix_cdrs_created", "created_wall_ms", "id"),
)

cdr_amendments = Table(
    "cdr_amendments",
    metadata,
    _text("id", key=True),
    _text("cdr_id"),
    _text("call_id"),
    _text("field"),
    _text("old"),
    _text("new"),
    _text("reason"),
    _text("actor"),
    _text("transfer_id"),
    _int("at_wall_ms"),
    Index("ix_cdr_amendments_cdr", "cdr_id"),
    Index("ix_cdr_amendments_call", "call_id"),
)

# --- proof and housekeeping ---------------------------------------------------------------------

audit = Table(
    "audit",
    metadata,
    _text("node"),
    _int("seq"),
    _text("previous_hash"),
    _text("hash"),
    _int("at_wall_ms"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _text("detail"),
    PrimaryKeyConstraint("node", "seq", name="pk_audit"),
    Index("ix_audit_subject", "subject"),
)

facts = Table(
    "facts",
    metadata,
    _text("key", key=True),
    _text("value"),
)

APPEND_ONLY = ("transfers", "cdrs", "cdr_amendments", "audit")
