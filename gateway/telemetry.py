"""Traces by OpenTelemetry, when `telemetry.endpoint` is set: where a request's time went.

A trace is one request and everything that came of it:

    request ─┬─ unit handle        from asking to the commit
             ├─ originate          the switch was asked for a leg
             ├─ unit advance_call  an event of the switch, or a deadline
             ├─ hang_up            the switch was asked to end a leg
             └─ leg                from originate to its end, in the switch's own time

Ids of trace and root are derived from the request's id, so what happens after a restart, or on
another node, belongs to the same trace. Spans carry what log lines carry (`call_id`, `request_id`,
`channel`) and never a number or a text. They are handed to a thread that sends them in batches;
one that cannot be sent is lost, and no call waits for it.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog

from call_core.calls.model import Call, Leg
from call_core.outcomes import Outcome
from call_core.requests import Request
from call_core.storage.store import UnitRun
from gateway.settings import Settings
from gateway.settings_file import SettingsError
from gateway.settings_sections import TelemetrySettings

PATH = "/v1/traces"
TIMEOUT_S = 5
BATCH_DELAY_MS = 1_000
MOST_WAITING = 8_192
"""Spans that wait to be sent; more are dropped."""
_NS_PER_MS = 1_000_000
_CARRIED = ("call_id", "request_id", "channel")
TRACE_MODULES = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
MISSING = (
    "telemetry.endpoint is set, but OpenTelemetry is not installed: install callgate[otel], or "
    "empty the setting."
)


@contextlib.asynccontextmanager
async def tracing(settings: Settings, *, drive: bool) -> "AsyncIterator[Telemetry | None]":
    """Send traces within the context; None when none are wanted.

    Args:
        settings: what was configured.
        drive: False in a command line beside the service, which traces nothing.

    Raises:
        SettingsError: the extra is not installed.
    """
    if not (drive and settings.telemetry.endpoint):
        yield None
        return
    try:
        traces = Telemetry(settings.telemetry, settings.node)
    except ImportError as error:
        raise SettingsError(MISSING) from error
    try:
        yield traces
    finally:
        await asyncio.to_thread(traces.close)


class Telemetry:
    """Makes spans of what the core's hooks tell; `close` sends what is left."""

    def __init__(self, settings: TelemetrySettings, node: str) -> None:
        # An extra: who wants no traces need not install it.
        from opentelemetry import trace  # noqa: PLC0415  (an extra)
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  (an extra)
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  (an extra)
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  (an extra)
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  (an extra)
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415  (an extra)
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased  # noqa: PLC0415  (an extra)

        class Ids(RandomIdGenerator):
            """Gives the root of a trace the ids that its request has; the rest is random."""

            root: tuple[int, int] | None = None

            def generate_trace_id(self) -> int:
                return self.root[0] if self.root else super().generate_trace_id()

            def generate_span_id(self) -> int:
                return self.root[1] if self.root else super().generate_span_id()

        self._trace = trace
        self._ids = Ids()
        exporter = OTLPSpanExporter(
            endpoint=settings.endpoint.rstrip("/") + PATH,
            headers={name: value.get_secret_value() for name, value in settings.headers.items()},
            timeout=TIMEOUT_S,
        )
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(settings.share),
            resource=Resource.create(
                {
                    "service.name": settings.service_name,
                    "service.instance.id": node,
                }
            ),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=MOST_WAITING,
                schedule_delay_millis=BATCH_DELAY_MS,
                export_timeout_millis=TIMEOUT_S * 1000,
            )
        )
        self._tracer = self._provider.get_tracer("callgate")

    def close(self) -> None:
        """Send what is left, for a few seconds at most; blocks."""
        self._provider.force_flush(TIMEOUT_S * 1000)
        self._provider.shutdown()

    # --- what the core's hooks tell -------------------------------------------------------------

    def answered(
        self, request: Request, request_id: str, outcome: Outcome | None, began_ns: int
    ) -> None:
        """Write the root of a request's trace; no outcome is a failure of ours."""
        given = {
            "channel": request.channel,
            "request_id": request_id,
            "call_id": str(getattr(outcome, "call_id", "")),
            "code": "" if outcome is None else outcome.code,
        }
        self._write("request", given, _wall_ns(began_ns), failed=outcome is None, is_root=True)

    def ran(self, run: UnitRun) -> None:
        """Write one unit of work."""
        given = {"unit": run.name, "error": run.error}
        began, ended = _wall_ns(run.began_ns), _wall_ns(run.ended_ns)
        self._write(f"unit {run.name}", given, began, ended, failed=bool(run.error))

    def asked(self, verb: str, call: Call, leg: Leg, began_ns: int) -> None:
        """Write that the switch was asked for a leg, or to end one."""
        self._write(verb, _of_leg(call, leg), _wall_ns(began_ns))

    def changed(self, before: Call, after: Call) -> None:
        """Write the legs that ended in one change of a call."""
        for leg in after.legs():
            was = before.leg(leg.id)
            if not leg.ended or (was is not None and was.ended):
                continue
            if leg.originated_call_ms is None or leg.ended_call_ms is None:
                continue
            ended_ns = time.time_ns()  # noqa: TID251  (OpenTelemetry counts in the system's clock)
            length_ns = (leg.ended_call_ms - leg.originated_call_ms) * _NS_PER_MS
            given = _of_leg(after, leg) | {
                "cause": leg.cause,
                "hangup_by": leg.hangup_by,
                "answered": leg.answered_call_ms is not None,
            }
            self._write("leg", given, ended_ns - max(0, length_ns), ended_ns)

    # --- spans ----------------------------------------------------------------------------------

    def _write(
        self,
        name: str,
        given: Mapping[str, Any],
        began_ns: int,
        ended_ns: int | None = None,
        *,
        failed: bool = False,
        is_root: bool = False,
    ) -> None:
        bound = structlog.contextvars.get_contextvars()
        carried = {key: bound[key] for key in _CARRIED if key in bound}
        attributes = {k: v for k, v in {**carried, **given}.items() if v not in ("", None)}
        request_id = str(attributes.get("request_id", ""))
        ids = ids_of(request_id) if request_id else None
        parent = self._trace.set_span_in_context(self._trace.INVALID_SPAN)
        if ids is not None and not is_root:
            above = self._trace.SpanContext(*ids, is_remote=True, trace_flags=_sampled())
            parent = self._trace.set_span_in_context(self._trace.NonRecordingSpan(above))
        self._ids.root = ids if is_root else None
        kind = self._trace.SpanKind.SERVER if is_root else self._trace.SpanKind.INTERNAL
        span = self._tracer.start_span(
            name,
            context=parent,
            kind=kind,
            attributes={f"callgate.{key}": value for key, value in attributes.items()},
            start_time=began_ns,
        )
        self._ids.root = None
        if failed:
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(ended_ns)


def ids_of(request_id: str) -> tuple[int, int]:
    """Return the ids of a request's trace and of its root."""
    digest = hashlib.blake2b(request_id.encode(), digest_size=24).digest()
    return int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:]) or 1


def _sampled() -> Any:  # noqa: ANN401  (a type of the extra)
    from opentelemetry.trace import TraceFlags  # noqa: PLC0415  (an extra)

    return TraceFlags(TraceFlags.SAMPLED)


def _of_leg(call: Call, leg: Leg) -> dict[str, Any]:
    return {
        "call_id": call.id,
        "request_id": call.request_id,
        "channel": call.channel,
        "leg_id": leg.id,
        "trunk": leg.trunk,
    }


def _wall_ns(monotonic_ns: int) -> int:
    """Return when something was that was timed by the monotonic clock."""
    now_ns = time.time_ns()  # noqa: TID251  (OpenTelemetry counts in the system's clock)
    return now_ns - (time.monotonic_ns() - monotonic_ns)
