"""Twilio as a voice switch meets it: Calls, Conferences, documents and signed callbacks, by HTTP.

One account. `twilio_voice_calls` has the life of its calls; this is the REST interface in front.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx2
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from call_core.contracts import Clock
from call_core.switches.simulator_phone import PhoneScript
from gateway.http_listener import HttpListener
from tests.support.twilio_voice_calls import (
    ACCOUNT,
    API,
    SERVICE,
    TOKEN,
    TwinCall,
    TwinConference,
    TwinExchange,
    event_of,
    snake,
    stamp,
)


class TwilioTwin(TwinExchange):
    """One account at Twilio, on loopback.

    Attributes:
        requests: method, path and form of everything that was asked.
        verified: numbers that it may show.
    """

    def __init__(
        self,
        clock: Clock,
        phones: Mapping[str, PhoneScript],
        default: PhoneScript,
        calls_per_second: float = 1,
    ) -> None:
        super().__init__(clock, phones, default, calls_per_second)
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.verified = {SERVICE}

    @contextlib.asynccontextmanager
    async def running(
        self, routes: Callable[[str], APIRouter] | None = None
    ) -> AsyncIterator["TwilioTwin"]:
        """Serve on loopback, with routes of ours beside it when the test has no gateway."""
        listener = HttpListener("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.port}"
        app = FastAPI()
        if routes is not None:
            app.include_router(routes(self.url))
        app.api_route("/{path:path}", methods=["GET", "POST"])(self._asked)
        await listener.start(app)
        try:
            yield self
        finally:
            await self.stop()
            await listener.stop()

    async def _asked(self, path: str, request: Request) -> Response:
        self.busy += 1
        try:
            return await self._answer_rest(f"/{path}", request)
        finally:
            self.busy -= 1

    async def _answer_rest(self, path: str, request: Request) -> Response:
        given = httpx2.BasicAuth(ACCOUNT, TOKEN)
        expected = next(given.sync_auth_flow(httpx2.Request("GET", self.url)))
        if request.headers.get("authorization") != expected.headers["authorization"]:
            return _error(401, 20003)
        async with request.form() as form:
            said: dict[str, Any] = {name: str(form[name]) for name in form}
            many = [str(each) for each in form.getlist("StatusCallbackEvent")]
        if many:
            said["StatusCallbackEvent"] = many
        query = dict(request.query_params)
        self.requests.append((request.method, path, said or query))
        if not path.startswith(API):
            return _error(404, 20404)
        rest = path.removeprefix(API).removesuffix(".json").strip("/").split("/")
        return await self._routed(request.method, rest, said, query)

    async def _routed(
        self, method: str, rest: list[str], said: dict[str, Any], query: dict[str, str]
    ) -> Response:
        match rest:
            case ["Calls"]:
                return self._create(said) if method == "POST" else self._page("calls", query)
            case ["Calls", sid, *behind] if sid in self.calls:
                return await self._call(method, self.calls[sid], behind, said)
            case ["Conferences"]:
                return self._page("conferences", query)
            case ["Conferences", sid, "Participants"]:
                return self._page("participants", {"sid": sid})
            case ["Conferences", sid, "Participants", call_sid]:
                return self._participant(sid, call_sid, said)
            case [""]:
                return JSONResponse({"sid": ACCOUNT, "status": "active"})
            case _:
                return _error(404, 20404)

    def _page(self, name: str, query: dict[str, str]) -> Response:
        match name:
            case "calls":
                found = self._listed(query)
            case "conferences":
                found = self._rooms()
            case _:
                found = self._members(query["sid"])
        return JSONResponse({name: found, "next_page_uri": None})

    async def _call(
        self, method: str, call: TwinCall, behind: list[str], said: dict[str, Any]
    ) -> Response:
        if behind == ["Events"]:
            return JSONResponse({"events": call.events, "next_page_uri": None})
        return await self._update(call, said) if method == "POST" else JSONResponse(call.shown())

    def _create(self, said: dict[str, Any]) -> Response:
        faults = self.faults
        if faults.refuse is not None:
            return _error(*faults.refuse)
        if said.get("From") not in self.verified:
            return _error(400, 21210)
        if faults.drop_creates:
            faults.drop_creates -= 1
            return _error(500, 0)
        call = self.create(said)
        if faults.lose_creates:
            faults.lose_creates -= 1
            return _error(500, 0)
        return JSONResponse(call.shown(), 201)

    async def _update(self, call: TwinCall, said: dict[str, Any]) -> Response:
        if call.has_ended():
            return _error(400, 21220)
        call.events.append(event_of("POST", f"{self.url}{API}/Calls/{call.sid}.json", snake(said)))
        if "StatusCallback" in said:
            call.said["StatusCallback"] = said["StatusCallback"]
        if "TimeLimit" in said:
            call.time_limit_s = int(said["TimeLimit"])
            if call.answered_ms is not None:
                self.limit(call)
        if said.get("Status") == "completed":
            talked = call.answered_ms is not None
            self.spawn(self.end(call, "completed" if talked else "canceled"))
        elif "Twiml" in said:
            call.turn += 1
            await self.leave(call)
            self.spawn(self.obey(call, call.turn, said["Twiml"]))
        return JSONResponse(call.shown())

    def _listed(self, query: dict[str, str]) -> list[dict[str, Any]]:
        status, to = query.get("Status"), query.get("To")
        return [
            call.shown()
            for call in reversed(self.calls.values())
            if status in (None, call.status) and to in (None, call.said["To"])
        ]

    def _rooms(self) -> list[dict[str, Any]]:
        rooms = [room for room in self.conferences.values() if room.members]
        return [
            {"sid": room.sid, "friendly_name": room.name, "status": "in-progress"} for room in rooms
        ]

    def _room(self, sid: str) -> TwinConference | None:
        found = [room for room in self.conferences.values() if room.sid == sid]
        return found[0] if found else None

    def _members(self, sid: str) -> list[dict[str, Any]]:
        room = self._room(sid)
        return [
            {
                "call_sid": call_sid,
                "label": self.calls[call_sid].label,
                "muted": self.calls[call_sid].muted,
                "date_created": stamp(came),
            }
            for call_sid, came in ({} if room is None else room.members).items()
        ]

    def _participant(self, sid: str, call_sid: str, said: dict[str, Any]) -> Response:
        room = self._room(sid)
        if room is None or call_sid not in room.members:
            return _error(404, 20404)
        call = self.calls[call_sid]
        if "Muted" in said:
            call.muted = said["Muted"] == "true"
        if "AnnounceUrl" in said:
            self.spawn(self.announce(call, room, said["AnnounceUrl"]))
        return JSONResponse({"call_sid": call_sid, "muted": call.muted})


def _error(status: int, code: int) -> Response:
    return JSONResponse({"code": code, "message": "of the twin", "status": status}, status)
