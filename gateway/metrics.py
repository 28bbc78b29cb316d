"""The figures of `/metrics`, in a registry of their own.

The core and the channels count through `Metrics`; what is a state rather than an event (calls by
state, legs up, the age of the oldest hold) is asked for when somebody looks, by `watch`.
"""

import asyncio
from collections import Counter as Tally
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from call_core.contracts import Clock
from call_core.errors import CallCoreError

CONTENT_TYPE = CONTENT_TYPE_LATEST
CPS_WINDOW_S = 10
LOOK_TIMEOUT_S = 2
_PDD_S = (0.25, 0.5, 1, 2, 4, 8, 16, 32)
_CALL_S = (6, 30, 60, 180, 600, 1800, 3600, 7200)
_COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

_log = structlog.get_logger(__name__)

Labels = tuple[str, ...]
Read = Callable[[], Mapping[Labels, float]]


class Metrics:
    """Counts what happens; one per process.

    Attributes:
        registry: holds everything; further collectors may be registered with it.
    """

    def __init__(self, wall: Clock) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "callgate_requests",
            "Requests answered, by channel and code of the outcome.",
            ("channel", "code"),
            registry=self.registry,
        )
        self._legs = Counter(
            "callgate_legs",
            "Legs that ended, by channel, trunk and whether they were answered.",
            ("channel", "trunk", "answered"),
            registry=self.registry,
        )
        self._pdd = Histogram(
            "callgate_pdd_seconds",
            "From originate to the first ringing or answer.",
            ("channel", "trunk"),
            buckets=_PDD_S,
            registry=self.registry,
        )
        self._length = Histogram(
            "callgate_answered_leg_seconds",
            "Answered time of legs.",
            ("channel", "trunk"),
            buckets=_CALL_S,
            registry=self.registry,
        )
        self._commit = Histogram(
            "callgate_commit_seconds",
            "From asking for a unit of work to its commit.",
            buckets=_COMMIT_S,
            registry=self.registry,
        )
        self._before: list[Callable[[], Awaitable[None]]] = []
        self._quality = _Quality(wall)
        self.registry.register(self._quality)

    def request_answered(self, channel: str, code: str) -> None:
        """Count one outcome."""
        self._requests.labels(channel, code).inc()

    def leg_originated(self, channel: str, trunk: str) -> None:
        """Count one leg that a switch was asked for."""
        self._quality.originated(channel, trunk)

    def leg_ended(
        self, channel: str, trunk: str, *, answered_ms: int | None, pdd_ms: int | None
    ) -> None:
        """Count one leg that is over.

        Args:
            channel: the channel that launched its call.
            trunk: the trunk that carried it.
            answered_ms: how long it was answered, None when it never was.
            pdd_ms: from originate to ringing or answer, None when neither came.
        """
        answered = "no" if answered_ms is None else "yes"
        self._legs.labels(channel, trunk, answered).inc()
        if answered_ms is not None:
            self._length.labels(channel, trunk).observe(answered_ms / 1000)
        if pdd_ms is not None:
            self._pdd.labels(channel, trunk).observe(pdd_ms / 1000)
        self._quality.ended(channel, trunk, answered_ms)

    def committed(self, duration_ms: float) -> None:
        """Count one unit of work that was committed."""
        self._commit.observe(duration_ms / 1000)

    def watch(self, name: str, documentation: str, labels: Sequence[str], read: Read) -> None:
        """Show a state whenever somebody looks.

        Args:
            name: the metric's name, unit last (`callgate_outbox_age_seconds`).
            documentation: one sentence.
            labels: names of the labels; () for a single figure under the key ().
            read: returns the figures by label values; must not block.
        """
        self.registry.register(_Watched(name, documentation, tuple(labels), read))

    def before_reading(self, look: Callable[[], Awaitable[None]]) -> None:
        """Have figures that must be waited for (of a database) looked up before each answer."""
        self._before.append(look)

    async def read(self) -> bytes:
        """Return everything as of now; what cannot be looked up is left out."""
        for look in self._before:
            try:
                async with asyncio.timeout(LOOK_TIMEOUT_S):
                    await look()
            except (CallCoreError, TimeoutError) as error:
                _log.warning("metrics.not_read", error=repr(error))
        return self.text()

    def text(self) -> bytes:
        """Return the exposition format of everything."""
        return generate_latest(self.registry)


class _Watched(Collector):
    def __init__(self, name: str, documentation: str, labels: Labels, read: Read) -> None:
        self._name, self._documentation, self._labels, self._read = (
            name,
            documentation,
            labels,
            read,
        )

    def describe(self) -> Iterator[Metric]:
        """Name the metric without asking for its figures."""
        yield GaugeMetricFamily(self._name, self._documentation, labels=self._labels)

    def collect(self) -> Iterator[Metric]:
        """Ask for the figures now."""
        family = GaugeMetricFamily(self._name, self._documentation, labels=self._labels)
        for values, figure in self._read().items():
            family.add_metric(values, figure)
        yield family


class _Quality(Collector):
    """ASR, ACD and CPS per channel and trunk, as the telephone field defines them.

    ASR is answered legs by legs ended, ACD the mean answered time of answered legs, both since
    the start; CPS is legs originated per second over the last ten.
    """

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._ended: Tally[Labels] = Tally()
        self._answered: Tally[Labels] = Tally()
        self._answered_ms: Tally[Labels] = Tally()
        self._seconds: deque[tuple[int, Tally[Labels]]] = deque(maxlen=CPS_WINDOW_S + 1)

    def originated(self, channel: str, trunk: str) -> None:
        second = self._wall.now_ms() // 1000
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, Tally()))
        self._seconds[-1][1][channel, trunk] += 1

    def ended(self, channel: str, trunk: str, answered_ms: int | None) -> None:
        self._ended[channel, trunk] += 1
        if answered_ms is not None:
            self._answered[channel, trunk] += 1
            self._answered_ms[channel, trunk] += answered_ms

    def describe(self) -> Iterator[Metric]:
        """Name the metrics without computing them."""
        yield from self._families()

    def collect(self) -> Iterator[Metric]:
        """Compute the ratios now."""
        asr, acd, cps = self._families()
        for labels, ended in self._ended.items():
            answered = self._answered[labels]
            asr.add_metric(labels, answered / ended)
            if answered:
                acd.add_metric(labels, self._answered_ms[labels] / answered / 1000)
        for labels, count in self._recent().items():
            cps.add_metric(labels, count / CPS_WINDOW_S)
        yield from (asr, acd, cps)

    def _recent(self) -> Tally[Labels]:
        oldest = self._wall.now_ms() // 1000 - CPS_WINDOW_S
        total: Tally[Labels] = Tally()
        for second, tally in self._seconds:
            if second > oldest:
                total.update(tally)
        return total

    @staticmethod
    def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
        labels = ("channel", "trunk")
        return (
            GaugeMetricFamily("callgate_asr_ratio", "Legs answered by legs ended.", labels=labels),
            GaugeMetricFamily("callgate_acd_seconds", "Mean answered time.", labels=labels),
            GaugeMetricFamily("callgate_cps", "Legs originated per second.", labels=labels),
        )
