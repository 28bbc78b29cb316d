"""A house account is made by whoever needs it first, also when several do at once."""

import asyncio

import pytest

from call_core.ledger.accounts import AccountKind, house_account
from call_core.ledger.transfers import Transfer, TransferCode, TransferKind
from call_core.storage import ledger_rows
from call_core.storage.ledger_rows import Entry
from call_core.storage.transaction import Tx
from tests.integration.service.conftest import EVERY_STORE
from tests.support.service import Service

pytestmark = pytest.mark.anyio

CASH = house_account(AccountKind.OPERATOR_CASH, "CHF", "s7")
REVENUE = house_account(AccountKind.OPERATOR_REVENUE, "CHF", "s7")
AT_ONCE = 8


def _post(tx: Tx, n: int) -> None:
    transfer = Transfer(
        id=f"first:{n}",
        debit_account=CASH,
        credit_account=REVENUE,
        amount_micros=1,
        currency="CHF",
        kind=TransferKind.SINGLE,
        code=TransferCode.ADJUSTMENT,
        at_call_ms=n,
    )
    ledger_rows.post_entries(tx, [Entry(transfer)], n)


def _posted(tx: Tx) -> list[int]:
    found = [tx.one(ledger_rows.READ_ACCOUNT, id=account) for account in (CASH, REVENUE)]
    assert None not in found
    return [each.debits_posted + each.credits_posted for each in found if each is not None]


@EVERY_STORE
async def test_first_users_of_an_account_lose_nothing(service: Service) -> None:
    """What each of them posted is in the balance."""
    store = service.world.store
    await asyncio.gather(*(store.run(_post, n) for n in range(AT_ONCE)))
    assert await store.read(_posted) == [AT_ONCE, AT_ONCE]
