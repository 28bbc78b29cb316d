"""Sends what the outbox holds: at least once, in order per address and call, with other ways out.

`attempted_at` is committed before a message is handed over, so that a crash in between is known as
an unknown result: mail is then sent again (its Message-ID is the same), a text message is not. What
this process knows of a message and cannot write down at that moment is no unknown result: it is
written as soon as the store takes it.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from call_core.contracts import Clock, DeliveryReport
from call_core.engine.watch import woken_or
from call_core.errors import CallCoreError, CommitUnknown, DeliveryError
from call_core.storage import outbox_rows, people_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.units.house import Tenure

log = structlog.get_logger(__name__)

Deliver = Callable[[OutboxRow], Awaitable[None]]
BATCH = 50
MOST_IN_FLIGHT = 200
"""Messages of one channel that are begun at a look, and that are under way: what one channel cannot
get rid of takes no other's place."""
RETRY_S = (5, 15, 60, 300, 900, 1800, 3600)
RETRIES_BEFORE_OTHER_ADDRESS = 4
MOST_ATTEMPTS = 24
"""Tries at the last address there is, some 19 hours; then the message is dead."""
DELIVER_TIMEOUT_S = 120
UNCERTAIN_AGAIN = frozenset({"smtp", "imap"})
"""Channels on which a message whose fate is unknown is sent again; on the others it is not."""
REPORT_TRIES = 20
REPORT_PAUSE_S = 0.25
_POLL_S = 1.0
LAST_WORDS_S = 8.0
"""How long `quiesce` waits for what is being handed over."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is done with a message after an attempt: `state`, or another try at `due_wall_ms`."""

    state: str = "waiting"
    due_wall_ms: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """What this process knows of a message while it is not written down.

    Attributes:
        row: as it was read before its attempt.
        attempted_wall_ms: what the attempt wrote, by which it is told from another process's.
        attempt: what became of it; None: it was certainly not handed over.
    """

    row: OutboxRow
    attempted_wall_ms: int
    attempt: Attempt | None


class Outbox:
    """Delivers due messages through the channels.

    Args:
        store: where they wait.
        wall: our clock.
        deliver: by channel name: hands one message to the next hop.
        node: for the audit.
        tenure: which shards' messages are this process's to send.
    """

    def __init__(
        self,
        store: Store,
        wall: Clock,
        deliver: Mapping[str, Deliver],
        node: str,
        tenure: Tenure | None = None,
    ) -> None:
        self._store = store
        self._wall = wall
        self._deliver = deliver
        self._node = node
        self._tenure = tenure or Tenure({0: 1})
        self._wake = asyncio.Event()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._unwritten: dict[int, Unwritten] = {}
        # The channel of each of both: what is remembered is bounded as what is under way.
        self._places: dict[int, str] = {}
        self._looked_wall_ms: int | None = None
        self._quiet = False
        self.sent = 0
        self.dead = 0

    def wake(self) -> None:
        """Look now rather than in a second."""
        self._wake.set()

    def _is_quiet(self) -> bool:
        """Whether nothing is to be begun: asked anew after each wait, during which it may be."""
        return self._quiet

    def hold(self) -> None:
        """Begin with nothing until `release`: the channels are not open yet."""
        self._quiet = True

    def release(self) -> None:
        """Begin with what waits."""
        self._quiet = False
        self.wake()

    async def quiesce(self) -> None:
        """Begin with no further message; wait for those that are being handed over, and their end.

        Channels are closed after this: what is cut short at a carrier may have gone out or not.
        """
        self._quiet = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                while self._in_flight or self._unwritten:
                    self._write_late()
                    await asyncio.wait(list(self._in_flight.values()))

    async def run(self) -> None:
        """Deliver until cancelled; what is being handed over then is cut short."""
        try:
            while True:
                self._wake.clear()
                try:
                    started = await self.start_due()
                except CallCoreError as error:
                    log.warning("outbox.store_unavailable", error=error.code)
                    started = []
                if len(started) < BATCH:
                    await self._wait()
        finally:
            cut_short = list(self._in_flight.values())
            for task in cut_short:
                task.cancel()
            await asyncio.gather(*cut_short, return_exceptions=True)

    async def _wait(self) -> None:
        """Wait for a message, for the next one that is due again, or a second."""
        try:
            next_ms = await self._store.read(_next_due, self._wall.now_ms())
        except CallCoreError:
            next_ms = None
        try:
            # Not wait_for: on Python 3.11 it loses a cancellation that comes with the wake-up.
            async with asyncio.timeout(_POLL_S):
                await woken_or(self._wake, self._wall, next_ms)
        except TimeoutError:
            return

    async def start_due(self) -> list[asyncio.Task[None]]:
        """Begin with what is due now, each message by itself: a slow one holds up no other.

        Returns:
            What was begun, at most `BATCH` of each channel, and what is written late. None of these
            tasks raises.
        """
        started = self._write_late()
        if self._is_quiet():
            return started
        # What ends while the database is read would be taken for what an earlier process left.
        places = dict(self._places)
        now_wall_ms = self._wall.now_ms()
        if self._looked_wall_ms is None or now_wall_ms < self._looked_wall_ms:
            # The clock was set back, perhaps while nothing ran.
            await self._store.run(_pull, now_wall_ms)
        self._looked_wall_ms = now_wall_ms
        shards = (tuple(self._tenure.epochs), self._tenure.shards)
        rows = await self._store.read(_due, now_wall_ms, places, *shards)
        if self._is_quiet():
            return started  # since the database was asked: channels may be closed by now
        return started + [self._begin(row, partial(self._one, row)) for row in rows]

    def _write_late(self) -> list[asyncio.Task[None]]:
        """Begin to write what is known of messages and could not be written at its time."""
        return [
            self._begin(known.row, partial(self._written_late, known))
            for seq, known in self._unwritten.items()
            if seq not in self._in_flight
        ]

    def _begin(self, row: OutboxRow, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        self._places[row.seq] = row.channel
        self._in_flight[row.seq] = task = asyncio.create_task(self._safely(row, work))
        task.add_done_callback(partial(self._ended, row.seq))
        return task

    def _ended(self, seq: int, _: asyncio.Task[None]) -> None:
        """Look again: the next message of this call may go now."""
        del self._in_flight[seq]
        if seq not in self._unwritten:
            del self._places[seq]
        self._wake.set()

    async def _safely(self, row: OutboxRow, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except CallCoreError as error:
            log.warning("outbox.store_unavailable", error=error.code, outbox_id=row.id)
        except Exception:
            log.exception("outbox.failed", outbox_id=row.id)
        else:
            return
        # It is still to do; without a pause it would be tried again at once and for ever.
        await asyncio.sleep(_POLL_S)

    async def report(self, report: DeliveryReport) -> None:
        """Note what a carrier says became of a message that it had taken.

        The report may be faster than the commit that the message was taken, so it waits for that.
        """
        state = "too_early"
        for _ in range(REPORT_TRIES):
            now = self._wall.now_ms()
            state = await self._store.run(_reported, report, now, self._node)
            if state != "too_early":
                break
            await asyncio.sleep(REPORT_PAUSE_S)
        log.info("outbox.report", outbox_id=report.message_id, state=state, reason=report.reason)
        if state == "waiting":
            self.wake()
        self.dead += state == "dead"

    async def _one(self, row: OutboxRow) -> None:
        now = self._wall.now_ms()
        if row.expires_wall_ms is not None and row.expires_wall_ms < now:
            await self._finish(row, Attempt("expired", reason="too late to matter"))
            return
        if self._is_unknown(row):
            await self._finish(row, Attempt("dead", reason="sent or not, nobody knows"))
            return
        try:
            attempted = await self._store.run(_attempt, row, now, _retry_at(row, now))
        except CommitUnknown:
            self._unwritten[row.seq] = Unwritten(row, now, None)
            raise
        if attempted is None:
            await self._finish(row, Attempt("elsewhere", reason="opted out"))
        elif attempted:
            attempt = await self._hand_over(row)
            self._unwritten[row.seq] = Unwritten(row, now, attempt)
            await self._finish(row, attempt)
            del self._unwritten[row.seq]

    @staticmethod
    def _is_unknown(row: OutboxRow) -> bool:
        """Whether an earlier process died while handing this over, where that forbids a repeat."""
        return row.attempted_wall_ms is not None and row.channel not in UNCERTAIN_AGAIN

    async def _hand_over(self, row: OutboxRow) -> Attempt:
        deliver = self._deliver.get(row.channel)
        if deliver is None:
            return Attempt("dead", reason=f"there is no channel {row.channel}")
        try:
            # One channel that hangs must not hold up everybody's messages for ever.
            async with asyncio.timeout(DELIVER_TIMEOUT_S):
                await deliver(row)
        except DeliveryError as error:
            return self._after_failure(row, error)
        except TimeoutError:
            return self._after_failure(
                row, DeliveryError("no answer in time", retryable=True, uncertain=True)
            )
        except Exception as error:
            log.exception("outbox.channel_failed", channel=row.channel, outbox_id=row.id)
            return self._after_failure(row, DeliveryError(repr(error), retryable=True))
        self.sent += 1
        return Attempt("sent")

    def _after_failure(self, row: OutboxRow, error: DeliveryError) -> Attempt:
        if error.uncertain and row.channel not in UNCERTAIN_AGAIN:
            return Attempt("dead", reason=f"sent or not, nobody knows: {error}")
        due = _retry_at(row, self._wall.now_ms())
        if error.retryable and row.attempts + 1 < RETRIES_BEFORE_OTHER_ADDRESS:
            return Attempt("waiting", due, str(error))
        last = error.retryable and row.attempts + 1 < MOST_ATTEMPTS
        return Attempt("elsewhere", due if last else 0, str(error))

    async def _finish(self, row: OutboxRow, attempt: Attempt) -> None:
        if attempt.state == "waiting":
            log.info("outbox.retry", outbox_id=row.id, reason=attempt.reason)
            await self._store.run(_failed, row)
            return
        state = await self._store.run(_finish, row, attempt, self._wall.now_ms(), self._node)
        self._count_dead(state, row, attempt.reason)

    async def _written_late(self, known: Unwritten) -> None:
        state = await self._store.run(_finish_late, known, self._wall.now_ms(), self._node)
        del self._unwritten[known.row.seq]
        log.info("outbox.written_late", outbox_id=known.row.id, state=state)
        self._count_dead(state, known.row, known.attempt.reason if known.attempt else "")

    def _count_dead(self, state: str, row: OutboxRow, reason: str) -> None:
        if state == "dead":
            self.dead += 1
            log.warning("outbox.dead", outbox_id=row.id, reason=reason)


def _due(
    tx: Tx, now_wall_ms: int, places: Mapping[int, str], owned: tuple[int, ...], shards: int
) -> list[OutboxRow]:
    """Return what may be begun now: of each channel as much as it has places free."""
    mask, held = sum(1 << shard for shard in owned), Counter(places.values())
    found: list[OutboxRow] = []
    for (channel,) in tx.all(outbox_rows.CHANNELS):
        room = min(BATCH, MOST_IN_FLIGHT - held[channel])
        if room > 0:
            due = {"channel": channel, "now": now_wall_ms, "most": room + held[channel]}
            rows = tx.all(outbox_rows.DUE, **due, mask=mask, shards=shards)
            found += [row for row in rows if row.seq not in places][:room]
    return found


def _next_due(tx: Tx, after_wall_ms: int) -> int | None:
    row = tx.one(outbox_rows.NEXT_DUE, after=after_wall_ms)
    return None if row is None else row[0]


def _pull(tx: Tx, now_wall_ms: int) -> None:
    """Make due what no pause of ours can have put so far off."""
    furthest = now_wall_ms + RETRY_S[-1] * 1000
    tx.write(outbox_rows.PULL, now=now_wall_ms, furthest=furthest)


def _retry_at(row: OutboxRow, now_wall_ms: int) -> int:
    return now_wall_ms + RETRY_S[min(row.attempts, len(RETRY_S) - 1)] * 1000


def _attempt(tx: Tx, row: OutboxRow, now_wall_ms: int, due_wall_ms: int) -> bool | None:
    """Commit that a message is about to be handed over.

    Returns:
        False when somebody else has finished it; None when its address opted out since.
    """
    if _has_opted_out(tx, row):
        return None
    return (
        tx.run(
            outbox_rows.ATTEMPT,
            key_seq=row.seq,
            key_address=row.address,
            seen=row.attempts,
            attempted_wall_ms=now_wall_ms,
            due_wall_ms=due_wall_ms,
        )
        == 1
    )


def _failed(tx: Tx, row: OutboxRow) -> None:
    """Note that the attempt certainly failed, so that nobody takes it for one cut short."""
    tx.write(outbox_rows.FAILED, key_seq=row.seq)


def _finish(tx: Tx, row: OutboxRow, attempt: Attempt, now_wall_ms: int, node: str) -> str:
    """Write the end of a message, or give it to the user's next address."""
    if attempt.state == "elsewhere":
        other = _next_address(tx, row)
        if other is not None:
            tx.write(
                outbox_rows.RETARGET,
                key_seq=row.seq,
                channel=other[0],
                address=other[1],
                due_wall_ms=now_wall_ms,
                tried=json.dumps([*_tried(row), row.address]),
            )
            return "waiting"
        if attempt.due_wall_ms:
            tx.write(outbox_rows.FAILED, key_seq=row.seq)
            return "waiting"
        attempt = Attempt("dead", reason=attempt.reason)
    tx.write(outbox_rows.FINISH, key_seq=row.seq, state=attempt.state)
    if attempt.state == "dead":
        tx.audit(AuditEntry(now_wall_ms, node, "outbox.dead", row.id))
    return attempt.state


def _finish_late(tx: Tx, known: Unwritten, now_wall_ms: int, node: str) -> str:
    """Write what could not be written at its time.

    Returns:
        The state now; `unchanged` when the attempt is not there, was written after all, or somebody
        else has gone on with the message meanwhile.
    """
    row, attempt = known.row, known.attempt
    # Locked, since the lost commit may still be under way.
    found = tx.one(outbox_rows.LOCKED, seq=row.seq)
    if found != ("waiting", row.address, row.attempts + 1, known.attempted_wall_ms):
        return "unchanged"
    if attempt is None:
        tx.write(
            outbox_rows.TAKE_BACK,
            key_seq=row.seq,
            due_wall_ms=row.due_wall_ms,
            attempted_wall_ms=row.attempted_wall_ms,
            attempts=row.attempts,
        )
        return "waiting"
    if attempt.state == "waiting":
        _failed(tx, row)
        return "waiting"
    return _finish(tx, row, attempt, now_wall_ms, node)


def _reported(tx: Tx, report: DeliveryReport, now_wall_ms: int, node: str) -> str:
    """Write what became of a message that was handed over.

    Returns:
        Its state now; `too_early` when it is still being handed over, `unchanged` for a report that
        comes again, or about another address than the last one.
    """
    row = tx.one(outbox_rows.HANDED_OVER, id=report.message_id)
    if row is None or (row.channel, row.address) != (report.channel, report.address):
        return "unchanged"
    if tx.one(outbox_rows.IS_WAITING, seq=row.seq) is not None:
        return "too_early"
    late = row.expires_wall_ms is not None and row.expires_wall_ms < now_wall_ms
    if report.delivered or late:
        state = "delivered" if report.delivered else "expired"
        tx.write(outbox_rows.FINISH, key_seq=row.seq, state=state)
        return state
    tx.write(outbox_rows.FINISH, key_seq=row.seq, state="waiting")
    return _finish(tx, row, Attempt("elsewhere", reason=report.reason), now_wall_ms, node)


def _has_opted_out(tx: Tx, row: OutboxRow) -> bool:
    return any(
        opted_out and address == row.address
        for _, _, address, _, opted_out in tx.all(people_rows.SENDERS, user_id=row.user_id)
    )


def _tried(row: OutboxRow) -> list[str]:
    return json.loads(row.tried) if row.tried else []


def _next_address(tx: Tx, row: OutboxRow) -> tuple[str, str] | None:
    """Return the user's next address that has not failed with this message; None without one.

    After the end of the list come those at its beginning: a message may have begun in the middle.
    """
    listed = tx.all(people_rows.SENDERS, user_id=row.user_id)
    # An address may stand there more than once, for two channels: go on behind the last.
    at = max((n for n, each in enumerate(listed) if each[2] == row.address), default=-1)
    tried = {*_tried(row), row.address}
    following = (
        (channel, address)
        for _, _, address, channel, opted_out in listed[at + 1 :] + listed[: at + 1]
        if not opted_out and address not in tried
    )
    return next(following, None)
