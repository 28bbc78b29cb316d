"""The API channel itself: settings, routes, shutdown, and a client for the parity test."""

import random
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from fastapi import APIRouter
from pydantic import Field

from channels.api import (
    call_routes,
    device_routes,
    directory_routes,
    launch_routes,
    read_routes,
)
from channels.api.client import launch
from channels.api.document import closing_routes, document
from channels.api.door import PREFIX, Door
from channels.kit.contract import Channel, ChannelSettings, Environment, Identity
from channels.kit.streams import Streams


class ApiSettings(ChannelSettings):
    """Settings of the JSON API."""

    max_streams: int = Field(
        default=500, ge=1, description="event streams of calls that may be open at once"
    )


class ApiChannel(Channel):
    """JSON over HTTP."""

    name = "api"
    id_space = "api"
    about = "JSON over HTTP with an OpenAPI document."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "live status"}
    )
    Settings = ApiSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, ApiSettings)
        self._streams = Streams(settings.max_streams)
        self._door = Door(environment, random.SystemRandom())

    def routers(self) -> Sequence[APIRouter]:
        """Return the routes, and last the answers for whatever else is asked under their prefix.

        In one router, so that nobody puts the last before the first.
        """
        parts = (
            launch_routes.router(self._door),
            call_routes.router(self._door, self._streams),
            read_routes.router(self._door),
            directory_routes.router(self._door),
            device_routes.router(self._door),
        )
        routes = APIRouter(prefix=PREFIX)
        for part in parts:
            routes.include_router(part)
        made = partial(document, routes, self.environment.public_url)
        everything = APIRouter()
        everything.include_router(routes)
        everything.include_router(closing_routes(parts, made))
        return (everything,)

    async def stop(self) -> None:
        """End the event streams, which would hold the server's shutdown."""
        self._streams.stop()

    async def probe(self, identity: Identity, text: str) -> str:
        """POST what `text` says as JSON with the identity's token; return the answer's words."""
        return await launch(self.environment.public_url, identity, text)
