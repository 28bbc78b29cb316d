"""Stops one unit in the middle, so that another can be seen beside it; where there are threads."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Self

from sqlalchemy import func, select, text

from call_core.storage.statements import select_statement
from call_core.storage.store import Store
from call_core.storage.transaction import Tx

LOCKS_AWAITED = select_statement(
    select(func.count())
    .select_from(text("pg_stat_activity"))
    .where(text("datname = current_database()"), text("wait_event_type = 'Lock'")),
    name="locks_awaited",
)
_LONGEST_S = 60


class Pause:
    """Lets a function wait in its own thread, the first time it is called.

    pause = Pause()
    monkeypatch.setattr(launch, "launch", pause.after(launch.launch))
    async with pause:
        task = asyncio.create_task(...)
        await pause.reached()
        ...
    await task  # it went on when the block was left
    """

    def __init__(self) -> None:
        self._entered = threading.Event()
        self._go_on = threading.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._go_on.set()

    def before(self, usual: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with the pause before it."""

        def method(*given: Any, **more: Any) -> Any:  # noqa: ANN401  (of any function)
            self._wait()
            return usual(*given, **more)

        return method

    def after(self, usual: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with the pause behind it."""

        def method(*given: Any, **more: Any) -> Any:  # noqa: ANN401  (of any function)
            found = usual(*given, **more)
            self._wait()
            return found

        return method

    def _wait(self) -> None:
        if not self._entered.is_set():
            self._entered.set()
            assert self._go_on.wait(_LONGEST_S)

    async def reached(self) -> None:
        """Return once the function waits."""
        assert await asyncio.to_thread(self._entered.wait, _LONGEST_S)


def _waiting(tx: Tx) -> int:
    return int(tx.all(LOCKS_AWAITED)[0][0])


async def done_or_waiting(store: Store, task: "asyncio.Task[Any]") -> None:
    """Return once a unit has been done, or waits for what another has locked."""
    while not task.done() and not await store.read(_waiting):
        pass
