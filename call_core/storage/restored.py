"""A database that came out of a backup says so, and stays frozen until somebody releases it.

Calls that were launched in the hours that a restore lost must not be launched and billed twice: the
core launches nothing that was sent before `restored_wall_ms` and fires no schedule while the fact
stands.
"""

from sqlalchemy import bindparam, delete, select

from call_core.storage.statements import select_statement, write_statement
from call_core.storage.tables import facts
from call_core.storage.transaction import Tx

RESTORED_FACT = "restored_wall_ms"
"""Key in `facts`; its value is when the restore happened, in wall milliseconds."""

_FIND = select_statement(select(facts.c.value).where(facts.c.key == bindparam("key")))
_REMOVE = write_statement(delete(facts).where(facts.c.key == bindparam("key")))


def restored_wall_ms(tx: Tx) -> int | None:
    """Return when the database was restored; None when it was not, or has been released since."""
    row = tx.one(_FIND, key=RESTORED_FACT)
    return None if row is None else int(row[0])


def release_restored(tx: Tx) -> bool:
    """Let a restored database work again; False when it was not frozen."""
    return tx.run(_REMOVE, key=RESTORED_FACT) > 0


def mark_texts(now_wall_ms: int) -> tuple[str, str]:
    """Return the SQL that freezes a database, for a restore, which has no unit to run in."""
    return (
        f"DELETE FROM facts WHERE key = '{RESTORED_FACT}'",  # noqa: S608  (a constant)
        f"INSERT INTO facts (key, value) VALUES ('{RESTORED_FACT}', '{now_wall_ms:d}')",  # noqa: S608  (a constant and an int)
    )
