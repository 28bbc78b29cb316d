"""`/healthz` (does the process answer), `/readyz` (may it get work), `/metrics`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from gateway.metrics import CONTENT_TYPE, Metrics

CHECK_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work before work is taken; `detail` is a sentence for people."""

    ok: bool
    detail: str


Checker = Callable[[], Awaitable[Check]]


class Readiness:
    """Whether this process may get work: it has started, does not drain, and every check is ok."""

    def __init__(self) -> None:
        self._checkers: dict[str, Checker] = {}
        self.started = False
        self.draining = False

    def add(self, name: str, checker: Checker) -> None:
        """Add a check; it is asked at every look and may take two seconds."""
        self._checkers[name] = checker

    async def look(self) -> dict[str, Check]:
        """Return the state of everything, by name."""
        found = {"process": self._process()}
        answers = await asyncio.gather(*(self._ask(each) for each in self._checkers.values()))
        return found | dict(zip(self._checkers, answers, strict=True))

    def _process(self) -> Check:
        if self.draining:
            return Check(ok=False, detail="draining: no new work, running work is finished")
        if not self.started:
            return Check(ok=False, detail="starting")
        return Check(ok=True, detail="running")

    @staticmethod
    async def _ask(checker: Checker) -> Check:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                return await checker()
        except TimeoutError:
            return Check(ok=False, detail=f"no answer within {CHECK_TIMEOUT_S:g} s")
        except Exception as error:  # noqa: BLE001  (a check that breaks is a check that failed)
            return Check(ok=False, detail=f"failed: {type(error).__name__}")


def health_router(readiness: Readiness, metrics: Metrics) -> APIRouter:
    """Return the three routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        checks = await readiness.look()
        ready = all(check.ok for check in checks.values())
        shown = {name: {"ok": check.ok, "detail": check.detail} for name, check in checks.items()}
        return JSONResponse(
            {"status": "ready" if ready else "not ready", "checks": shown},
            status_code=200 if ready else 503,
        )

    @router.get("/metrics")
    async def read_metrics() -> Response:
        return Response(await metrics.read(), media_type=CONTENT_TYPE)

    return router
