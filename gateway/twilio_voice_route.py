"""Where Twilio asks what a call shall do, and tells what it does: `POST /voice/twilio/…`.

Whoever is not Twilio is turned away before anything is read: every request is signed, over the very
address that we gave. The two tones are public and hold nothing.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import structlog
from fastapi import APIRouter, Request, Response

from call_core.errors import ParseError
from channels.kit.http_body import read_limited
from channels.kit.twilio_door import TwilioDoor

PATH: Final = "/voice/twilio"
BODY_LIMIT_BYTES: Final = 16_384
_XML: Final = "text/xml; charset=utf-8"
_DAY_S: Final = 86_400
_log = structlog.get_logger(__name__)


class TakesCallbacks(Protocol):
    """A switch that Twilio speaks to."""

    def receive(self, what: str, query: Mapping[str, str], fields: Mapping[str, str]) -> str | None:
        """Take a request whose signature was checked; return the document that it asks for."""


def twilio_voice_router(
    switch: TakesCallbacks, door: TwilioDoor, tones: Mapping[str, bytes]
) -> APIRouter:
    """Return the routes of one switch.

    Args:
        switch: what is told.
        door: knows whether Twilio speaks.
        tones: WAV files by name.
    """
    routes = APIRouter()

    async def asked(request: Request) -> Response:
        body = await read_limited(request, BODY_LIMIT_BYTES)
        if body is None:
            return Response("Too long.", 413)
        try:
            fields = door.fields(request, body)
        except ParseError:
            return Response("Unreadable.", 400)
        if fields is None:
            _log.warning("twilio_voice.forged", path=request.url.path)
            return Response("Not signed by Twilio.", 403)
        what = request.path_params["what"]
        document = switch.receive(what, dict(request.query_params), dict(fields))
        if document is None:
            return Response(status_code=204)
        return Response(document, media_type=_XML)

    async def tone(request: Request) -> Response:
        sound = tones.get(request.path_params["name"])
        if sound is None:
            return Response(status_code=404)
        headers = {"cache-control": f"public, max-age={_DAY_S}"}
        return Response(sound, media_type="audio/x-wav", headers=headers)

    routes.add_route(f"{PATH}/{{name}}.wav", tone, methods=["GET", "POST"], include_in_schema=False)
    routes.add_route(f"{PATH}/{{what}}", asked, methods=["POST"], include_in_schema=False)
    return routes
