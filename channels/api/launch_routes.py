"""Routes that ask for something: calls, conferences, any line of the grammar, control."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from call_core.commands import HangUp
from call_core.contracts import CallView, Principal
from channels.api.bodies import (
    CallBody,
    CommandBody,
    ConferenceBody,
    PartyBody,
    call_of,
    conference_of,
    party_command,
)
from channels.api.call_routes import CallId, find_call
from channels.api.door import Ask, Door, IdempotencyKey
from channels.api.models import OutcomeOut
from channels.api.problems import ProblemRoute, declared
from parsers.grammar import parse

MAX_PARTY = 63
_LAUNCH_PROBLEMS = declared(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_CONTROL_PROBLEMS = declared(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


def router(door: Door) -> APIRouter:
    """Return the routes that change something."""
    routes = APIRouter(route_class=ProblemRoute)
    _launching(routes, door)
    _controlling(routes, door)
    return routes


def _launching(routes: APIRouter, door: Door) -> None:
    May = Annotated[Principal, Depends(door.caller("call"))]  # noqa: N806  (names a type)
    Looks = Annotated[Principal, Depends(door.caller("read"))]  # noqa: N806  (names a type)

    # {"to": "+44 20 7946 0018", "from": "office", "max_cost": "5.00"}
    @routes.post("/calls", tags=["launch"], status_code=202, responses=_LAUNCH_PROBLEMS)
    async def launch_call(
        body: CallBody, who: May, response: Response, key: IdempotencyKey = None
    ) -> OutcomeOut:
        """Ring your own phone, then `to`, and connect them; later when `at` is given."""
        command = call_of(body, who.currency)
        ask = Ask(command, "POST /calls", body.model_dump_json(), key)
        return await door.answer(who, ask, response)

    # {"participants": ["mom", "+442079460018"], "at": "mon 9am", "minutes": 30}
    @routes.post("/conferences", tags=["launch"], status_code=202, responses=_LAUNCH_PROBLEMS)
    async def launch_conference(
        body: ConferenceBody, who: May, response: Response, key: IdempotencyKey = None
    ) -> OutcomeOut:
        """Ring your own phone, then every participant; later when `at` is given."""
        command = conference_of(body, who.currency)
        ask = Ask(command, "POST /conferences", body.model_dump_json(), key)
        return await door.answer(who, ask, response)

    # {"text": "call mom max $5"}
    @routes.post(
        "/commands",
        tags=["launch"],
        responses={
            202: {"model": OutcomeOut, "description": "Something is under way"},
            **_LAUNCH_PROBLEMS,
        },
    )
    async def send_command(
        body: CommandBody, who: Looks, response: Response, key: IdempotencyKey = None
    ) -> OutcomeOut:
        """Say any line of the grammar, as if it came by message; also answers questions."""
        ask = Ask(parse(body.text), "POST /commands", body.model_dump_json(), key, body.text)
        return await door.answer(who, ask, response)


def _controlling(routes: APIRouter, door: Door) -> None:
    May = Annotated[Principal, Depends(door.caller("call"))]  # noqa: N806  (names a type)

    @routes.delete("/calls/{call_id}", tags=["calls"], responses=_CONTROL_PROBLEMS)
    async def hang_up(
        call_id: CallId, who: May, response: Response, key: IdempotencyKey = None
    ) -> OutcomeOut:
        """End a call."""
        call = await find_call(door, who, call_id)
        ask = Ask(HangUp(call.ref), f"DELETE {call.id}", "", key)
        return await door.answer(who, ask, response)

    # {"action": "mute"}
    @routes.patch("/calls/{call_id}/parties/{party}", tags=["calls"], responses=_CONTROL_PROBLEMS)
    async def change_party(
        call_id: CallId,
        party: Annotated[int, Path(ge=0, le=MAX_PARTY, description="the party's number `n`")],
        body: PartyBody,
        who: May,
        response: Response,
        key: IdempotencyKey = None,
    ) -> OutcomeOut:
        """Mute, unmute, drop or redial one party."""
        call: CallView = await find_call(door, who, call_id)
        route = f"PATCH {call.id} {party}"
        command = party_command(body, party, call.ref)
        ask = Ask(command, route, body.model_dump_json(), key)
        return await door.answer(who, ask, response)
