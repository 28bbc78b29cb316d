"""Proof and housekeeping: the audit, and facts about the database itself."""

from sqlalchemy import Index, PrimaryKeyConstraint, Table

from call_core.storage.tables.base import integer, metadata, words

audit = Table(
    "audit",
    metadata,
    words("node"),
    integer("seq"),
    words("previous_hash"),
    words("hash"),
    integer("at_wall_ms"),
    words("actor"),
    words("action"),
    words("subject"),
    words("detail"),
    PrimaryKeyConstraint("node", "seq", name="pk_audit"),
    Index("ix_audit_subject", "subject"),
)

facts = Table(
    "facts",
    metadata,
    words("key", key=True),
    words("value"),
)
