"""Routes that show calls: the list, one call, and one call live."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from call_core.contracts import CallView, Principal
from channels.api.bodies import PRINTABLE
from channels.api.door import Door
from channels.api.models import CallOut, ListView
from channels.api.problems import Problem, ProblemRoute, declared
from channels.api.views import call_out
from channels.kit.streams import Streams

MAX_ID_LENGTH = 60
MAX_CURSOR_LENGTH = 200
MAX_LIMIT = 200
DEFAULT_LIMIT = 50

CallId = Annotated[
    str,
    Path(max_length=MAX_ID_LENGTH, pattern=PRINTABLE, description="a call's id or its ref"),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="how many at most")]
Cursor = Annotated[
    str,
    Query(max_length=MAX_CURSOR_LENGTH, pattern=PRINTABLE, description="`next` of the part before"),
]


@dataclass(frozen=True, slots=True)
class Watching:
    """A call that may be followed, and by whom."""

    who: Principal
    call: CallView


async def find_call(door: Door, who: Principal, call_id: str) -> CallView:
    """Return a call that `who` may see.

    Raises:
        Problem: 404, the same for a call of somebody else's.
    """
    call = await door.core.call(who, call_id)
    if call is None:
        raise Problem(HTTPStatus.NOT_FOUND, "no_such_call", f"No call {call_id} of yours.")
    return call


def router(door: Door, streams: Streams) -> APIRouter:
    """Return the routes that show calls."""
    routes = APIRouter(route_class=ProblemRoute, tags=["calls"])
    Looks = Annotated[Principal, Depends(door.caller("read"))]  # noqa: N806  (names a type)

    @routes.get("/calls", responses=declared())
    async def list_calls(
        who: Looks, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = ""
    ) -> ListView[CallOut]:
        """Calls, newest first, running and scheduled ones included."""
        page = await door.core.calls(who, limit, cursor)
        return ListView[CallOut](
            items=[call_out(call) for call in page.items], next=page.next or None
        )

    @routes.get("/calls/{call_id}", responses=declared(HTTPStatus.NOT_FOUND))
    async def show_call(call_id: CallId, who: Looks) -> CallOut:
        """One call: parties, legs, states, running cost."""
        return call_out(await find_call(door, who, call_id))

    async def watching(call_id: CallId, who: Looks) -> Watching:
        call = await find_call(door, who, call_id)
        if streams.full:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too_many_streams",
                "Too many streams are open; read the call itself, or try again.",
                {"Retry-After": "30"},
            )
        return Watching(who, call)

    # event: call
    # id: 7
    # data: {"id": "call_…", "ref": "4F7", "state": "CONNECTED", "cost": "0.12", …}
    @routes.get(
        "/calls/{call_id}/events",
        response_class=EventSourceResponse,
        responses=declared(HTTPStatus.NOT_FOUND),
    )
    async def follow_call(
        seen: Annotated[Watching, Depends(watching)],
    ) -> AsyncIterator[ServerSentEvent]:
        """The call after every change, as server-sent events; the last one is named `end`."""
        async for call in streams.watch(door.core, seen.who, seen.call.id):
            name = "end" if call.state == "ENDED" else "call"
            yield ServerSentEvent(data=call_out(call), event=name, id=str(call.version))

    return routes
