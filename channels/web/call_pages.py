"""One call: its page, live by server-sent events, its controls, and its bill when it is over."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from call_core.commands import Command, Drop, HangUp, Lock, Mute, Redial, Unlock, Unmute
from call_core.contracts import CallView, Principal
from call_core.errors import ParseError
from channels.web.site import Site
from channels.web.visits import Visit, visit_of
from parsers.grammar import parse

RECORDS_SHOWN = 200
MAX_ID_LENGTH = 60
PARTY_DIGITS = 2  # parties are numbered 0 to 63
_FULL = "Too many live pages are open. This one shows the call as it is now; reload it to see more."

_WITH_VALUE = frozenset({"add", "extend", "move"})
_PLAIN: Mapping[str, Callable[[str], Command]] = {
    "hangup": HangUp,
    "lock": Lock,
    "unlock": Unlock,
}
_FOR_PARTY: Mapping[str, Callable[[int, str], Command]] = {
    "mute": Mute,
    "unmute": Unmute,
    "drop": Drop,
    "redial": Redial,
}


@dataclass(frozen=True, slots=True)
class _Watched:
    visit: Visit
    who: Principal
    call: CallView


def router(site: Site) -> APIRouter:
    """Return the routes of one call."""
    routes = APIRouter()
    _pages(site, routes)
    _events(site, routes)
    return routes


async def _find(site: Site, who: Principal, call_id: str) -> CallView:
    known = call_id.isprintable() and len(call_id) <= MAX_ID_LENGTH
    call = await site.core.call(who, call_id) if known else None
    if call is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such call of yours.")
    return call


def _pages(site: Site, routes: APIRouter) -> None:
    async def show(visit: Visit, who: Principal) -> Response:
        call = await _find(site, who, visit.request.path_params["call_id"])
        over = call.state == "ENDED"
        records = await site.core.cdrs(who, RECORDS_SHOWN, "", call.id) if over else None
        return site.html(
            visit,
            "call.html",
            answer=None if over else site.said(visit),
            call=call,
            records=records.items if records else (),
            why=await site.core.explain(who, call.id) if over else (),
        )

    async def control(visit: Visit, who: Principal) -> Response:
        call = await _find(site, who, visit.request.path_params["call_id"])
        command = control_of(visit.fields, call.ref)
        return await site.do(visit, who, command, f"/calls/{call.id}")

    site.page(routes, "/calls/{call_id}", show)
    site.form(routes, "/calls/{call_id}/control", control)


def _events(site: Site, routes: APIRouter) -> None:
    async def watched(call_id: str, request: Request) -> _Watched:
        now_wall_ms = site.environment.wall.now_ms()
        visit = await visit_of(request, site.core, site.cookies, now_wall_ms, site.rng)
        if visit.signed_in is None:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "Please sign in.")
        call = await _find(site, visit.signed_in, call_id)
        if site.streams.full:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, _FULL, {"Retry-After": "30"})
        return _Watched(visit, visit.signed_in, call)

    # event: call
    # id: 7
    # data: <div data-shape="CONNECTED …">…
    @routes.get(
        "/calls/{call_id}/events", response_class=EventSourceResponse, include_in_schema=False
    )
    async def events(
        seen: Annotated[_Watched, Depends(watched)],
    ) -> AsyncIterator[ServerSentEvent]:
        async for call in site.streams.watch(site.core, seen.who, seen.call.id):
            fragment = site.text(seen.visit, "live.html", call=call)
            name = "end" if call.state == "ENDED" else "call"
            yield ServerSentEvent(event=name, id=str(call.version), raw_data=fragment)


def control_of(fields: Mapping[str, str], ref: str) -> Command | ParseError:
    """Return the command of a button on a call's page.

    Args:
        fields: `action`, for one party `party`, for some actions `value`.
        ref: the call's.
    """
    action = fields.get("action", "")
    if action in _WITH_VALUE:
        return parse(f"{action} {fields.get('value', '')} {ref}")
    if action in _PLAIN:
        return _PLAIN[action](ref)
    party = fields.get("party", "")
    if action in _FOR_PARTY and party.isascii() and party.isdigit() and len(party) <= PARTY_DIGITS:
        return _FOR_PARTY[action](int(party), ref)
    return ParseError("not_understood", leftover=action, example=f"who {ref}")
