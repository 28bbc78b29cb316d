"""What the store counts: for `/metrics`, for budgets in tests and for benchmarks."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """How often one unit ran and what it cost.

    Attributes:
        runs: finished runs, failed ones and repetitions included.
        statements: statements in all runs together.
        most_statements: statements in the costliest run.
    """

    runs: int
    statements: int
    most_statements: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts since the store was opened, and the queues now.

    Attributes:
        units: runs of units, failed ones and repetitions included.
        failed: runs that raised.
        statements: statements in all units together.
        commits: transactions that ended in COMMIT.
        synced: commits that wrote something, each made durable once.
        largest_batch: most units in one commit.
        repeated: units that were run again after a lost transaction or a deadlock.
        refused: units turned away because too many waited or for too long.
        waiting_running: units of running calls that wait now.
        waiting_new: units of new requests that wait now.
        longest_wait_ms: the longest that any unit has waited.
        by_unit: figures by the unit's function name.
    """

    units: int
    failed: int
    statements: int
    commits: int
    synced: int
    largest_batch: int
    repeated: int
    refused: int
    waiting_running: int
    waiting_new: int
    longest_wait_ms: int
    by_unit: Mapping[str, UnitFigures]


class Figures:
    """The counters behind `Statistics`; every thread of one store adds to the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_unit: dict[str, list[int]] = {}
        self._failed = self._commits = self._synced = self._largest_batch = self._repeated = 0

    def ran(self, name: str, statements: int, *, failed: bool) -> None:
        """Count one run of the unit `name`."""
        with self._lock:
            counts = self._by_unit.setdefault(name, [0, 0, 0])
            counts[0] += 1
            counts[1] += statements
            counts[2] = max(counts[2], statements)
            self._failed += failed

    def committed(self, units: int, *, wrote: bool) -> None:
        """Count one commit of `units` units."""
        with self._lock:
            self._commits += 1
            self._synced += wrote
            self._largest_batch = max(self._largest_batch, units)

    def repeating(self) -> None:
        """Count one unit that has to run again."""
        with self._lock:
            self._repeated += 1

    def statistics(
        self, *, refused: int, waiting: tuple[int, int], longest_wait_ms: int
    ) -> Statistics:
        """Return the counts so far, together with what the queues say."""
        with self._lock:
            by_unit = {name: UnitFigures(*counts) for name, counts in self._by_unit.items()}
            return Statistics(
                units=sum(unit.runs for unit in by_unit.values()),
                failed=self._failed,
                statements=sum(unit.statements for unit in by_unit.values()),
                commits=self._commits,
                synced=self._synced,
                largest_batch=self._largest_batch,
                repeated=self._repeated,
                refused=refused,
                waiting_running=waiting[0],
                waiting_new=waiting[1],
                longest_wait_ms=longest_wait_ms,
                by_unit=by_unit,
            )
