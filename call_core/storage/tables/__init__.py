"""Every table, once. Hot columns hold only integers and text, the same on both databases.

Instants are milliseconds: `*_call_ms` by the switch's clock, `*_wall_ms` by ours. Money is in
micros. Telephone digits of calls stand in `numbers` alone, so that they can be erased without
touching a record. `transfers`, `cdrs`, `cdr_amendments` and `audit` are append-only (triggers in
`append_only.py`). Calls carry `(shard, epoch, version)`: who may write them, and which write it is.
"""

from call_core.storage.tables.base import metadata
from call_core.storage.tables.calls import (
    COUNTS_A_CALLEE,
    calls,
    counters,
    legs,
    numbers,
    parties,
    ports,
    refs,
    shards,
)
from call_core.storage.tables.money import accounts, cdr_amendments, cdrs, rates, tariffs, transfers
from call_core.storage.tables.people import (
    billing_codes,
    customers,
    directory,
    freezes,
    phones,
    senders,
    sessions,
    sign_in_codes,
    speed_dials,
    tokens,
    users,
)
from call_core.storage.tables.proof import audit, facts
from call_core.storage.tables.requests import (
    inbox,
    list_rests,
    outbox,
    questions,
    replay_claims,
    requests,
    undos,
)

APPEND_ONLY = ("transfers", "cdrs", "cdr_amendments", "audit")

__all__ = [
    "APPEND_ONLY",
    "COUNTS_A_CALLEE",
    "accounts",
    "audit",
    "billing_codes",
    "calls",
    "cdr_amendments",
    "cdrs",
    "counters",
    "customers",
    "directory",
    "facts",
    "freezes",
    "inbox",
    "legs",
    "list_rests",
    "metadata",
    "numbers",
    "outbox",
    "parties",
    "phones",
    "ports",
    "questions",
    "rates",
    "refs",
    "replay_claims",
    "requests",
    "senders",
    "sessions",
    "shards",
    "sign_in_codes",
    "speed_dials",
    "tariffs",
    "tokens",
    "transfers",
    "undos",
    "users",
]
