"""Does the requests that the inbox kept: the door's other half."""

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

import structlog

from call_core import request_json
from call_core.engine.engine import Engine
from call_core.outcomes import Outcome
from call_core.requests import Request
from call_core.storage.inbox_rows import InboxRow
from call_core.storage.store import Priority, Store
from call_core.storage.transaction import Tx
from call_core.units.handle import Driving, Handled
from call_core.units.house import House, Stamp
from call_core.units.inbox import do_kept, give_up

Unit: TypeAlias = Callable[[Tx, House, Sequence[InboxRow], Sequence[Stamp], Driving], list[Handled]]


class KeptWork:
    """What `engine.inbox` calls.

    Args:
        store, engine: the door's.
        follow: told what was committed for each request.
        observed: told each request, its id, its answer and when its work began.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        follow: Callable[[Handled], None],
        observed: Callable[[Request, str, Outcome | None, int], None],
    ) -> None:
        self._store = store
        self._engine = engine
        self._follow = follow
        self._observed = observed

    async def do(self, rows: Sequence[InboxRow]) -> None:
        """Do requests of one person, in their order."""
        await self._run(do_kept, rows)

    async def give_up(self, rows: Sequence[InboxRow]) -> None:
        """Tell their sender that they cannot be done."""
        await self._run(give_up, rows)

    async def _run(self, unit: Unit, rows: Sequence[InboxRow]) -> None:
        began_ns = time.monotonic_ns()
        driver = self._engine.driver
        stamps = [driver.stamp() for _ in rows]
        done = await self._store.run(
            unit,
            self._engine.house,
            rows,
            stamps,
            driver,
            priority=Priority.NEW,
            key=request_id_of(stamps[0]),
        )
        for row, stamp, handled in zip(rows, stamps, done, strict=True):
            request, key = request_json.from_json(row.body), request_id_of(stamp)
            with structlog.contextvars.bound_contextvars(request_id=key, channel=request.channel):
                self._follow(handled)
            self._observed(request, key, handled.outcome, began_ns)


def request_id_of(stamp: Stamp) -> str:
    """Return the first id that a unit makes: its request's.

    By it a commit whose answer was lost is found again.
    """
    return stamp.again().new_id("req")
