"""The WCTP channel itself: route, outgoing messages, and a client for the parity test."""

import random
from collections.abc import Sequence
from typing import ClassVar

import httpx2
from fastapi import APIRouter, Request, Response

from call_core.ids import new_id
from channels.kit.contract import Channel, ChannelSettings, Environment, Identity, Outgoing
from channels.kit.http_body import read_limited
from channels.wctp.sender import MEDIA_TYPE, Sender, post
from channels.wctp.service import Service
from channels.wctp.settings import WctpSettings
from channels.wctp.waiting import Waiting
from parsers.wctp import MAX_BODY_BYTES, Control, Message, Payload
from parsers.wctp_write import document, operation

PATH = "/wctp"
PROBE_TIMEOUT_S = 20.0
_SECRET_BITS = 256
_HOUR_MS = 3_600_000


class WctpChannel(Channel):
    """Pagers by WCTP, both ways."""

    name = "wctp"
    id_space = "wctp"
    about = "POST a command as a WCTP message; answers are pushed or polled, with choices."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "receipts"}
    )
    Settings = WctpSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, WctpSettings)
        self._rng = random.SystemRandom()
        secret = self._rng.getrandbits(_SECRET_BITS).to_bytes(_SECRET_BITS // 8, "big")
        waiting = Waiting(secret, settings.keep_hours * _HOUR_MS)
        self._sender = Sender(settings, environment, waiting)
        self._service = Service(settings, environment, waiting, self._sender)

    def routers(self) -> Sequence[APIRouter]:
        """Return the endpoint."""
        routes = APIRouter()

        @routes.post(PATH, include_in_schema=False)
        async def receive(request: Request) -> Response:
            peer = request.client.host if request.client else ""
            body = await read_limited(request, MAX_BODY_BYTES)
            answer = await self._service.answer(body, peer)
            # A body in one piece has a Content-Length, which old clients need.
            return Response(answer, media_type=MEDIA_TYPE)

        return (routes,)

    async def stop(self) -> None:
        """Let the receipts go out that are on their way."""
        await self._service.finish()
        await self._sender.close()

    async def deliver(self, message: Outgoing) -> None:
        """Push a message to the user's pager, or let it wait to be polled."""
        await self._sender.deliver(message)

    async def probe(self, identity: Identity, text: str) -> str:
        """POST `text` as an enterprise host would that takes no responses; return the answer."""
        now_ms = self.environment.wall.now_ms()
        message = Message(
            operation="SubmitRequest",
            sender_id=identity.address,
            security_code=identity.password,
            recipients=("callgate",),
            payload=Payload(text),
            control=Control(new_id("probe", now_ms, self._rng), allow_response=False),
            submitted_ms=now_ms,
        )
        url = f"{self.environment.public_url.rstrip('/')}{PATH}"
        async with httpx2.AsyncClient(timeout=PROBE_TIMEOUT_S) as client:
            result = await post(client, url, document(operation(message)))
        return result.text
