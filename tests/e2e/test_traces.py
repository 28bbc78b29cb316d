"""Traces of a whole gateway, as a collector on loopback gets them."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Protocol

import httpx2
import pytest
from pydantic import SecretStr

from channels.kit.contract import Identity
from gateway.settings_sections import TelemetrySettings
from gateway.telemetry import ids_of
from tests.support.otlp import Collector, collecting

pytest.importorskip("opentelemetry.sdk.trace", reason="needs the extra otel")
WAIT_S = 60.0
LEGS = 2


class Gateway(Protocol):
    """What these tests need of the fixture."""

    url: str
    identity: Identity


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Take what is exported."""
    with collecting() as made:
        yield made


@pytest.fixture
def sections(collector: Collector) -> Mapping[str, object]:
    """Send traces to the collector."""
    key = {"x-key": SecretStr("hunter2")}
    made = TelemetrySettings(endpoint=collector.url, service_name="ring", headers=key)
    return {"telemetry": made}


@pytest.mark.anyio
async def test_a_call_is_one_trace_from_request_to_hang_up(
    gateway: Gateway, collector: Collector
) -> None:
    """Request, unit, originate, hang-up and legs share the request's trace and name the call."""
    headers = {"Authorization": f"Bearer {gateway.identity.token}"}
    async with httpx2.AsyncClient(base_url=f"{gateway.url}/api/v1", headers=headers) as client:
        call_id = (await client.post("/calls", json={"to": "mom"})).json()["call_id"]
        async with asyncio.timeout(WAIT_S):
            while (await client.get(f"/calls/{call_id}")).json()["state"] != "CONNECTED":  # noqa: ASYNC110  (polls)
                await asyncio.sleep(0.1)
        await client.delete(f"/calls/{call_id}")
        async with asyncio.timeout(WAIT_S):
            while len(collector.named("leg")) < LEGS or not collector.named("hang_up"):  # noqa: ASYNC110  (another thread's list)
                await asyncio.sleep(0.1)
    [request] = [
        each for each in collector.named("request") if each["callgate.code"] == "call_launched"
    ]
    request_id = request["callgate.request_id"]
    trace_id, root_id = ids_of(request_id)
    same = [span for span in collector.spans if int.from_bytes(span.trace_id) == trace_id]
    names = {span.name for span in same}
    assert {"request", "unit handle", "originate", "unit advance_call", "hang_up", "leg"} <= names
    [root] = [span for span in same if not span.parent_span_id]
    assert (root.name, int.from_bytes(root.span_id)) == ("request", root_id)
    assert all(span.parent_span_id in (b"", root.span_id) for span in same)
    for name in ("originate", "hang_up", "leg", "unit advance_call"):
        for attributes in collector.named(name):
            assert attributes["callgate.call_id"] == call_id
            assert attributes["callgate.request_id"] == request_id
            assert attributes["callgate.channel"] == "api"
    [resource] = [dict(each) for each in {tuple(each.items()) for each in collector.resources}]
    assert resource["service.name"] == "ring"
    assert collector.headers["x-key"] == "hunter2"
    assert "2079460018" not in str(collector.spans)
