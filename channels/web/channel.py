"""The web channel itself: settings, routes, shutdown, and a browser for the parity test."""

import random
from collections.abc import Sequence
from typing import ClassVar

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import Field

from channels.kit.contract import Channel, ChannelSettings, Environment, Identity
from channels.kit.streams import Streams
from channels.web import (
    account_pages,
    call_pages,
    demo_pages,
    history_pages,
    home_pages,
    own_pages,
    sign_in_pages,
)
from channels.web.browser import launch
from channels.web.site import HEADERS, STATIC_MAX_AGE_S, Site


class WebSettings(ChannelSettings):
    """Settings of the pages for people."""

    max_live_pages: int = Field(
        default=500, ge=1, description="call pages that may follow a call live at once"
    )
    session_days: int = Field(
        default=30, ge=1, le=400, description="how long a browser keeps its session"
    )


class WebChannel(Channel):
    """Pages for people."""

    name = "web"
    id_space = "web"
    about = "Pages for people, without need of script."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "live status"}
    )
    Settings = WebSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, WebSettings)
        self._streams = Streams(settings.max_live_pages)
        self._site = Site(environment, self._streams, settings.session_days, random.SystemRandom())

    def routers(self) -> Sequence[APIRouter]:
        """Return every page's route in one router."""
        routes = APIRouter()
        for pages in (
            sign_in_pages,
            home_pages,
            call_pages,
            history_pages,
            account_pages,
            own_pages,
            demo_pages,
        ):
            routes.include_router(pages.router(self._site))
        routes.include_router(_static_routes(self._site))
        return (routes,)

    async def stop(self) -> None:
        """End the live pages, which would hold the server's shutdown."""
        self._streams.stop()

    async def probe(self, identity: Identity, text: str) -> str:
        """Sign in with the password, fill the form that fits `text`, return the answer's words."""
        return await launch(self.environment.public_url, identity, text)


def _static_routes(site: Site) -> APIRouter:
    routes = APIRouter()

    @routes.get("/static/{name}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        if name not in site.static:
            raise HTTPException(404)
        file = site.static[name]
        fresh = request.url.query == file.digest
        lasting = f"public, max-age={STATIC_MAX_AGE_S}, immutable" if fresh else "no-cache"
        headers = {**HEADERS, "Cache-Control": lasting, "ETag": f'"{file.digest}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    return routes
