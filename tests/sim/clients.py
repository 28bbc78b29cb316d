"""Clients that do not give up: they repeat what was not acknowledged, and sometimes what was."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from call_core.errors import CallCoreError
from call_core.outcomes import Done, Outcome, to_json
from call_core.requests import Request
from tests.sim.node import Node

PATIENCE_S = 12
MOST_TRIES = 2_000
BURSTS = 0.6
"""How many tries come in a burst: where the core may promise instead of answering."""
_PROMISED = Done("promised")


@dataclass
class Sent:
    """A request and every answer to it.

    Attributes:
        told: the answers, as JSON; all must be one.
        other_told: answers to the same id with other content.
        promised: whether it was acknowledged before it was done, as in a burst.
    """

    request: Request
    told: list[str] = field(default_factory=list)
    other_told: list[str] = field(default_factory=list)
    promised: bool = False
    done: bool = False


class Clients:
    """Sends requests until they are acknowledged.

    Args:
        rng: how patient they are.
        node: which node takes requests now, None when none does.
        note: for the trace.
        acknowledged: called at the very moment of each answer.
        promised: called at the very moment of each promise.
        failed: told of an error that no channel expects.
    """

    def __init__(
        self,
        rng: random.Random,
        node: Callable[[], Node | None],
        note: Callable[[str, str], None],
        acknowledged: Callable[[Sent, Outcome], None],
        promised: Callable[[Sent], None],
        failed: Callable[[str, str], None],
    ) -> None:
        self._rng = rng
        self._node = node
        self._note = note
        self._acknowledged = acknowledged
        self._promised = promised
        self._failed = failed
        self.sent: list[Sent] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> int:
        """How many requests have no answer yet."""
        return sum(not each.done for each in self.sent)

    def send(self, request: Request) -> Sent:
        """Begin to send; sometimes twice at once."""
        sent = Sent(request)
        self.sent.append(sent)
        copies = 2 if self._rng.random() < 0.1 else 1
        self._tasks = [task for task in self._tasks if not task.done()]
        for _ in range(copies):
            task = asyncio.get_running_loop().create_task(self._insist(sent))
            self._tasks.append(task)
        return sent

    def again(self) -> None:
        """Repeat an old request, word for word or with other words under the same id."""
        if not self.sent:
            return
        sent = self._rng.choice(self.sent[-40:])
        if self._rng.random() < 0.3 and sent.told:
            other = replace(sent.request, fingerprint="other words", text="call bob")
            self._tasks.append(asyncio.get_running_loop().create_task(self._other(sent, other)))
        else:
            self._tasks.append(asyncio.get_running_loop().create_task(self._insist(sent)))

    async def _insist(self, sent: Sent) -> None:
        for _ in range(MOST_TRIES):
            outcome = await self._try(sent.request, burst=self._rng.random() < BURSTS)
            if outcome is _PROMISED:
                sent.promised = sent.done = True
                self._promised(sent)
                return
            if outcome is not None:
                sent.told.append(to_json(outcome))
                self._acknowledged(sent, outcome)
                sent.done = True
                return
            await asyncio.sleep(self._rng.choice((0, 0.1, 1, 5, 20)))

    async def _other(self, sent: Sent, other: Request) -> None:
        outcome = await self._try(other)
        if outcome is not None:
            sent.other_told.append(outcome.code)

    async def _try(self, request: Request, *, burst: bool = False) -> Outcome | None:
        node = self._node()
        if node is None:
            return None
        task = node.do(_accepted(node, request) if burst else node.core.handle(request))
        done, _ = await asyncio.wait([task], timeout=PATIENCE_S)
        if not done or task.cancelled():
            return None
        error = task.exception()
        if error is None:
            return task.result()
        if not isinstance(error, CallCoreError):
            self._failed("a_known_error", f"{request.external_id} {error!r}")
            return None
        self._note("refused for now", f"{request.external_id} {error.code}")
        return None

    async def stop(self) -> None:
        """Give up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _accepted(node: Node, request: Request) -> Outcome:
    """Ask as mail and text messages do."""
    return await node.core.accept(request) or _PROMISED
