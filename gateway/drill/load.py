"""Callers who want calls launched, whatever dies: each asks again, with one key, until answered."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ASK_S = 5.0
GIVE_UP_S = 90.0
_AGAIN_S = 0.2
_LEAST_STATUS, _FINAL_BELOW, _TOO_MANY = 200, 500, 429


@dataclass(slots=True)
class Load:
    """A steady stream of launches.

    Args:
        tokens: whose they are, in turn.
        ports: tells where the nodes listen now.
        per_second: how many launches.
        prefix: of the keys.

    Attributes:
        answers: outcome code by key; None where nobody ever answered.
        accepted_at: when each launch was accepted, by the monotonic clock.
        conferences: keys of scheduled ones.
    """

    tokens: Sequence[str]
    ports: Callable[[], Sequence[int]]
    per_second: float
    prefix: str = "drill"
    answers: dict[str, str | None] = field(default_factory=dict)
    accepted_at: list[float] = field(default_factory=list)
    repeats: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _stopped: bool = False

    async def run(self) -> None:
        """Launch until `stop`, then wait for the answers that are still out."""
        while not self._stopped:
            self.launch(f"call +4420794{len(self.answers):05d}")
            await asyncio.sleep(1 / self.per_second)
        await asyncio.gather(*self._tasks)

    def stop(self) -> None:
        """Launch nothing more."""
        self._stopped = True

    def launch(self, text: str) -> None:
        """Ask for one line of the grammar."""
        key = f"{self.prefix}-{len(self.answers)}"
        self.answers[key] = None
        task = asyncio.create_task(self._ask(key, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, key: str, text: str) -> None:
        number = int(key.rpartition("-")[2])
        token = self.tokens[number % len(self.tokens)]
        until = time.monotonic() + GIVE_UP_S
        for tries in range(10_000):
            ports = self.ports()
            port = ports[(number + tries) % len(ports)]
            try:
                async with asyncio.timeout(ASK_S):
                    status, body = await _post(port, token, key, {"text": text})
            except (OSError, ValueError, EOFError, TimeoutError):
                status, body = 0, {}
            if _LEAST_STATUS <= status < _FINAL_BELOW and status != _TOO_MANY:
                self.answers[key] = str(body.get("code", status))
                self.accepted_at.append(time.monotonic())
                return
            self.repeats += 1
            if time.monotonic() > until:
                return
            await asyncio.sleep(_AGAIN_S)

    def longest_gap_s(self) -> float:
        """Return the longest time without an accepted launch."""
        times = sorted(self.accepted_at)
        return max((b - a for a, b in itertools.pairwise(times)), default=0.0)


async def _post(
    port: int, token: str, key: str, body: dict[str, str]
) -> tuple[int, dict[str, object]]:
    """Send one command to a node's API and return status and answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        sent = json.dumps(body).encode()
        head = (
            "POST /api/v1/commands HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
        )
        writer.write(head.encode() + sent)
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
    first, _, rest = answer.partition(b"\r\n")
    words = first.split()
    if len(words) < 2:  # noqa: PLR2004  (version and status)
        raise EOFError("the node went away in the middle of its answer")
    return int(words[1]), json.loads(rest.partition(b"\r\n\r\n")[2] or b"{}")
