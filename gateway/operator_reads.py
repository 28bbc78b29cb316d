"""What the operator looks at: users by name, whose a call is, records for export.

The core shows each user what is theirs; the operator's tools take the place of the owner to read
through the same views, so a call looks here as it looks on its owner's page.
"""

from collections.abc import Iterator

from sqlalchemy import bindparam, select

from call_core import queries
from call_core.contracts import Cdr, Principal
from call_core.storage import people_rows, tables
from call_core.storage.people_rows import CallerRow
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx

PAGE = 500
_C = tables.calls
_OWNER = select_statement(
    select(_C.c.user_id).where(_C.c.id == bindparam("call_id")), name="owner_of_call"
)


def principal_of_row(row: CallerRow) -> Principal:
    """Return a user as the core's reads know them."""
    return Principal(
        user_id=row.user_id,
        user_name=row.user_name,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        role="member",
        timezone=row.timezone,
        country=row.country,
        currency=row.currency,
        scopes=("read",),
        session_id="",
    )


def users_named(tx: Tx, name: str) -> list[CallerRow]:
    """Return the users of an id or a name (a query)."""
    return tx.all(people_rows.CALLERS_BY_NAME, name=name)


def owner_of_call(tx: Tx, call_id: str) -> Principal | None:
    """Return whose call it is, None when there is no such call (a query)."""
    row = tx.one(_OWNER, call_id=call_id)
    return None if row is None else _principal(tx, row[0])


def every_cdr(tx: Tx, since_wall_ms: int) -> Iterator[Cdr]:
    """Yield every record written at an instant or later, oldest first (a query)."""
    cursor = f"{since_wall_ms}."
    while True:
        page = queries.cdrs_since(tx, cursor, PAGE)
        yield from page.items
        if len(page.items) < PAGE:
            return
        cursor = page.next


def _principal(tx: Tx, user_id: str) -> Principal:
    row = tx.one(people_rows.CALLER_OF_USER, user_id=user_id)
    assert row is not None, user_id
    return principal_of_row(row)
