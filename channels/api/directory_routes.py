"""Routes that write the directory: one's own names, and for administrators the company's."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from call_core.administration import ForgetEntry, SaveEntry
from call_core.commands import Forget, Number, Save
from call_core.contracts import Principal
from call_core.errors import ParseError
from channels.api.bodies import PRINTABLE, EntryBody
from channels.api.door import Ask, Asking, Door, IdempotencyKey
from channels.api.models import OutcomeOut
from channels.api.problems import ProblemRoute, declared
from parsers.grammar import is_saveable_name
from parsers.targets import MAX_NAME_CHARS

_PROBLEMS = declared(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_EXAMPLE = "save bob +44 20 7946 0018"
EntryName = Annotated[
    str,
    Path(
        min_length=1,
        max_length=MAX_NAME_CHARS,
        pattern=PRINTABLE,
        description="the name, as it is called",
        examples=["bob"],
    ),
]


def router(door: Door) -> APIRouter:
    """Return the routes that change the directory."""
    routes = APIRouter(route_class=ProblemRoute)
    May = Annotated[Principal, Depends(door.caller("call"))]  # noqa: N806  (names a type)

    # {"number": "+44 20 7946 0018", "shared": true}
    @routes.put("/directory/{name}", tags=["directory"], responses=_PROBLEMS)
    async def save_entry(
        name: EntryName, body: EntryBody, who: May, response: Response, key: IdempotencyKey = None
    ) -> OutcomeOut:
        """Keep a number under a name; an entry of that name is replaced."""
        command: Asking = Save(name, Number(body.number))
        if not is_saveable_name(name):
            command = ParseError("name_not_allowed", name=name, example=_EXAMPLE)
        elif body.shared:
            command = SaveEntry(who.customer_id, name, body.number)
        ask = Ask(command, f"PUT /directory/{name}", body.model_dump_json(), key)
        return await door.answer(who, ask, response)

    @routes.delete("/directory/{name}", tags=["directory"], responses=_PROBLEMS)
    async def forget_entry(
        name: EntryName,
        who: May,
        response: Response,
        *,
        shared: Annotated[bool, Query(description="the company's entry of that name")] = False,
        key: IdempotencyKey = None,
    ) -> OutcomeOut:
        """Remove a name."""
        command = ForgetEntry(who.customer_id, name) if shared else Forget(name)
        ask = Ask(command, f"DELETE /directory/{name}", str(shared), key)
        return await door.answer(who, ask, response)

    return routes
