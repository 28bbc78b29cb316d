"""Whether the process answers, and whether it may get work."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from gateway import health
from gateway.clocks import WallClock
from gateway.health import Check, Readiness, health_router
from gateway.metrics import Metrics

pytestmark = pytest.mark.anyio


async def get(readiness: Readiness, path: str) -> httpx2.Response:
    """Ask one of the routes."""
    app = FastAPI()
    app.include_router(health_router(readiness, Metrics(WallClock())))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://t"
    ) as asking:
        return await asking.get(path)


async def fine() -> Check:
    """Everything works."""
    return Check(ok=True, detail="durable on one machine")


async def broken() -> Check:
    """The check itself fails."""
    raise RuntimeError("password=hunter2")


async def stuck() -> Check:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("started", "draining", "status", "detail"),
    [
        (False, False, 503, "starting"),
        (True, False, 200, "running"),
        (True, True, 503, "draining: no new work, running work is finished"),
    ],
)
async def test_ready_is_between_start_and_drain(
    started: bool,  # noqa: FBT001  (a column of the table)
    draining: bool,  # noqa: FBT001  (as above)
    status: int,
    detail: str,
) -> None:
    """Before the start and while draining no work may come; the process lives all the while."""
    readiness = Readiness()
    readiness.started, readiness.draining = started, draining
    answer = await get(readiness, "/readyz")
    assert answer.status_code == status
    assert answer.json()["checks"]["process"]["detail"] == detail
    assert (await get(readiness, "/healthz")).status_code == 200


async def test_every_check_must_be_ok() -> None:
    """One that works keeps it ready and shows its words; one that breaks does not, nor leak."""
    readiness = Readiness()
    readiness.started = True
    readiness.add("store", fine)
    answer = await get(readiness, "/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["store"]["detail"] == "durable on one machine"
    readiness.add("switch", broken)
    answer = await get(readiness, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["switch"] == {"ok": False, "detail": "failed: RuntimeError"}


async def test_a_check_that_hangs_is_a_check_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look itself ends in time."""
    monkeypatch.setattr(health, "CHECK_TIMEOUT_S", 0.01)
    readiness = Readiness()
    readiness.started = True
    readiness.add("switch", stuck)
    assert (await readiness.look())["switch"].ok is False


async def test_metrics_are_in_the_exposition_format() -> None:
    """Prometheus reads them."""
    answer = await get(Readiness(), "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "callgate_commit_seconds_bucket" in answer.text
