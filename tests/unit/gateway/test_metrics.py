"""The figures of /metrics."""

from dataclasses import dataclass

import pytest

from gateway.metrics import CPS_WINDOW_S, Metrics


@dataclass
class Standing:
    """A wall clock that is set by hand."""

    at_ms: int = 1_790_000_000_000

    def now_ms(self) -> int:
        """Return where it stands."""
        return self.at_ms

    async def sleep_until(self, at_ms: int) -> None:
        """Jump."""
        self.at_ms = max(self.at_ms, at_ms)


@pytest.fixture
def clock() -> Standing:
    """The clock of the test."""
    return Standing()


@pytest.fixture
def metrics(clock: Standing) -> Metrics:
    """Nothing counted yet."""
    return Metrics(clock)


def lines(metrics: Metrics) -> list[str]:
    """Return the exposition without comments."""
    return [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]


def test_requests_are_counted_by_channel_and_code(metrics: Metrics) -> None:
    """Two of one kind and one of another."""
    for channel, code in (("smtp", "launched"), ("smtp", "launched"), ("web", "refused")):
        metrics.request_answered(channel, code)
    assert 'callgate_requests_total{channel="smtp",code="launched"} 2.0' in lines(metrics)
    assert 'callgate_requests_total{channel="web",code="refused"} 1.0' in lines(metrics)


def test_asr_and_acd_are_the_fields_own(metrics: Metrics) -> None:
    """ASR is answered by ended, ACD the mean of the answered ones."""
    for answered_ms in (60_000, 30_000, None, None):
        metrics.leg_ended("smtp", "t1", answered_ms=answered_ms, pdd_ms=500)
    labels = '{channel="smtp",trunk="t1"}'
    assert f"callgate_asr_ratio{labels} 0.5" in lines(metrics)
    assert f"callgate_acd_seconds{labels} 45.0" in lines(metrics)
    assert f"callgate_pdd_seconds_count{labels} 4.0" in lines(metrics)


def test_a_trunk_without_an_answer_has_no_acd(metrics: Metrics) -> None:
    """A mean of nothing is not shown as zero."""
    metrics.leg_ended("smtp", "t1", answered_ms=None, pdd_ms=None)
    text = "\n".join(lines(metrics))
    assert "callgate_asr_ratio" in text
    assert "callgate_acd_seconds{" not in text
    assert "callgate_pdd_seconds_count{" not in text


def test_cps_looks_at_the_last_seconds_only(metrics: Metrics, clock: Standing) -> None:
    """Twenty legs in a second are 2 per second over ten, and none after the window."""
    for _ in range(20):
        metrics.leg_originated("api", "t1")
    wanted = 'callgate_cps{channel="api",trunk="t1"} 2.0'
    clock.at_ms += (CPS_WINDOW_S - 1) * 1000
    assert wanted in lines(metrics)
    clock.at_ms += 1000
    assert wanted not in lines(metrics)


def test_states_are_asked_for_when_somebody_looks(metrics: Metrics) -> None:
    """A watched figure is the one of now."""
    state: dict[tuple[str, ...], float] = {("CONNECTED",): 3.0}
    metrics.watch("callgate_calls", "Calls by state.", ("state",), lambda: state)
    assert 'callgate_calls{state="CONNECTED"} 3.0' in lines(metrics)
    state["CONNECTED",] = 4.0
    assert 'callgate_calls{state="CONNECTED"} 4.0' in lines(metrics)


def test_a_single_figure_needs_no_label(metrics: Metrics) -> None:
    """The key () is the figure itself; commits are in seconds."""
    metrics.watch("callgate_outbox_age_seconds", "Oldest waiting.", (), lambda: {(): 7.0})
    metrics.committed(2.0)
    assert "callgate_outbox_age_seconds 7.0" in lines(metrics)
    assert "callgate_commit_seconds_sum 0.002" in lines(metrics)
