"""Who: customers, users, their addresses, phones, directory, secrets and freezes."""

from sqlalchemy import Index, PrimaryKeyConstraint, Table, UniqueConstraint

from call_core.storage.tables.base import integer, metadata, words

customers = Table(
    "customers",
    metadata,
    words("id", key=True),
    words("name"),
    words("currency"),
    words("plan"),
    integer("credit_limit_micros", default=0),
    words("tariff"),
    words("regions"),
    words("opted_in", default=""),
    integer("daily_spend_micros", null=True),
    integer("vouched_daily_spend_micros", null=True),
    integer("concurrent_calls", null=True),
    integer("billing_code_required", default=0),
    words("state", default="active"),
    integer("launched_calls", default=0),
    integer("created_wall_ms"),
    UniqueConstraint("name", name="uq_customers_name"),
)

users = Table(
    "users",
    metadata,
    words("id", key=True),
    words("customer_id"),
    words("name"),
    words("role"),
    words("timezone"),
    words("country"),
    words("area_code", default=""),
    words("state", default="active"),
    words("default_phone_id", default=""),
    words("password_hash", default=""),
    integer("created_wall_ms"),
    Index("ix_users_customer", "customer_id", "name"),
)

senders = Table(
    "senders",
    metadata,
    words("id", key=True),
    words("user_id"),
    words("space"),
    words("address"),
    words("channel"),
    integer("position", default=0),
    integer("opted_out", default=0),
    integer("created_wall_ms"),
    UniqueConstraint("space", "address", name="uq_senders_address"),
    Index("ix_senders_user", "user_id", "position"),
)

phones = Table(
    "phones",
    metadata,
    words("id", key=True),
    words("user_id"),
    words("label"),
    words("folded"),
    words("number"),
    words("extension", default=""),
    words("verified", default=""),
    integer("accept_key", default=1),
    integer("created_wall_ms"),
    UniqueConstraint("user_id", "folded", name="uq_phones_label"),
)

directory = Table(
    "directory",
    metadata,
    words("customer_id"),
    words("user_id"),
    words("folded"),
    words("name"),
    words("number"),
    words("extension", default=""),
    PrimaryKeyConstraint("customer_id", "user_id", "folded", name="pk_directory"),
)

speed_dials = Table(
    "speed_dials",
    metadata,
    words("user_id"),
    integer("slot"),
    words("target"),
    PrimaryKeyConstraint("user_id", "slot", name="pk_speed_dials"),
)

billing_codes = Table(
    "billing_codes",
    metadata,
    words("customer_id"),
    words("code"),
    PrimaryKeyConstraint("customer_id", "code", name="pk_billing_codes"),
)

tokens = Table(
    "tokens",
    metadata,
    words("id", key=True),
    words("user_id"),
    words("hash"),
    words("label"),
    words("scopes"),
    integer("created_wall_ms"),
    integer("expires_wall_ms", null=True),
    integer("last_used_wall_ms", null=True),
    integer("revoked_wall_ms", null=True),
    UniqueConstraint("hash", name="uq_tokens_hash"),
    Index("ix_tokens_user", "user_id"),
)

sessions = Table(
    "sessions",
    metadata,
    words("hash", key=True),
    words("user_id"),
    words("address"),
    integer("created_wall_ms"),
    integer("expires_wall_ms"),
    integer("revoked_wall_ms", null=True),
)

sign_in_codes = Table(
    "sign_in_codes",
    metadata,
    words("address", key=True),
    words("user_id"),
    words("hash"),
    integer("expires_wall_ms"),
    integer("tries", default=0),
)

freezes = Table(
    "freezes",
    metadata,
    words("kind"),
    words("target"),
    integer("created_wall_ms"),
    PrimaryKeyConstraint("kind", "target", name="pk_freezes"),
)
