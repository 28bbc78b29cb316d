"""What a test can see of its world: calls, records, books, notices, orders."""

from call_core.calls.model import Call
from call_core.contracts import Cdr, Order
from call_core.engine.engine import Engine
from call_core.ledger.accounts import Account, available
from call_core.ledger.transfers import Transfer
from call_core.notices import Notice
from call_core.notices import from_json as notice_from_json
from call_core.storage import ledger_rows
from gateway import books
from tests.support.world_parts import (
    EVERY_MESSAGE,
    Bill,
    CountedStore,
    RecordingSimulator,
    cdrs_of,
    every_call,
    every_row,
)


class Looking:
    """The reading half of `World`; nothing here changes anything."""

    store: CountedStore
    engine: Engine
    sim: RecordingSimulator

    async def calls(self) -> list[Call]:
        """Return every call, oldest first; of running ones, what their driver knows."""
        stored = await self.store.read(every_call)
        live = self.engine.driver.live
        return [live[call.id].call if call.id in live else call for call in stored]

    async def only_call(self) -> Call:
        """Return the one call there is."""
        (call,) = await self.calls()
        return call

    async def cdrs(self, call_id: str) -> list[Cdr]:
        """Return the records of a call, party by party."""
        return await self.store.read(cdrs_of, call_id)

    async def bill(self, call_id: str = "") -> list[Bill]:
        """Return what each leg of a call (the only one) cost and how it ended."""
        return [
            Bill(cdr.leg, cdr.billable_s, cdr.total_micros, cdr.hangup_cause, cdr.hangup_by)
            for cdr in await self.cdrs(call_id or (await self.only_call()).id)
        ]

    def orders(self) -> list[Order]:
        """Return every order that the switch was given, in order."""
        return self.sim.ordered

    async def transfers(self, call_id: str) -> list[Transfer]:
        """Return what a call left in the books."""
        return await self.store.read(books.transfers_of_call, call_id)

    async def account(self, customer_id: str) -> Account:
        """Return a customer's account."""
        found = await self.store.read(ledger_rows.read_account, customer_id)
        assert found is not None, customer_id
        return found

    async def balance(self, customer_id: str) -> int:
        """Return what a customer can still spend."""
        return available(await self.account(customer_id))

    async def spent(self, customer_id: str) -> int:
        """Return what a customer has paid for calls."""
        return (await self.account(customer_id)).debits_posted

    async def notices(self, call_id: str = "") -> list[Notice]:
        """Return what users were told (of one call), oldest first."""
        rows = await self.store.read(every_row, EVERY_MESSAGE)
        return [
            notice_from_json(body)
            for kind, body, about in rows
            if kind == "notice" and call_id in ("", about)
        ]
