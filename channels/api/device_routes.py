"""The one route that needs no token: a device joins by the code that `device` showed elsewhere."""

import hashlib
from http import HTTPStatus

from fastapi import APIRouter, Request

from channels.api.bodies import DeviceBody
from channels.api.door import Door, IdempotencyKey
from channels.api.models import DeviceOut
from channels.api.problems import Problem, ProblemRoute, declared
from channels.kit.shown_once import ShownOnce

_NOT_JOINED = (
    "That code is wrong, was used, is older than ten minutes, or too many were tried from where "
    "you are. Write `device` on a channel that knows you for a fresh one."
)


def router(door: Door) -> APIRouter:
    """Return the route by which a device joins."""
    routes = APIRouter(route_class=ProblemRoute)
    shown = ShownOnce()

    # {"code": "7K3F-9QTD", "label": "laptop"}
    @routes.post(
        "/devices", tags=["directory"], status_code=HTTPStatus.CREATED, responses=declared()
    )
    async def join(body: DeviceBody, request: Request, key: IdempotencyKey = None) -> DeviceOut:
        """Trade a code for a device's key; the key is shown this once, and your addresses are told.

        The code works once; a repeat within a minute under the same Idempotency-Key gets the same
        key. Thirty may be tried an hour from one network address; whoever guesses is told the same
        whatever was wrong.
        """
        repeat = hashlib.sha256(f"{key}\n{body.model_dump_json()}".encode()).hexdigest()
        if key and (before := shown.again(repeat, door.now_ms())):
            return DeviceOut.model_validate_json(before)
        peer = request.client.host if request.client is not None else ""
        joined = await door.core.join_device(body.code, body.label, peer)
        if joined is None:
            raise Problem(HTTPStatus.FORBIDDEN, "not_joined", _NOT_JOINED)
        user, label, token = joined
        made = DeviceOut(user=user, label=label, token=token)
        if key:
            shown.remember(repeat, made.model_dump_json(), door.now_ms())
        return made

    return routes
