"""The pda channel: routes, which device is looking, and an organizer for the parity test."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from channels.kit.contract import Channel, ChannelSettings, Environment, Identity
from channels.kit.micro.client import launch
from channels.kit.micro.html import HtmlWriter
from channels.kit.micro.pages import BOOK
from channels.kit.micro.settings import MicroSettings
from channels.kit.micro.site import MicroSite
from channels.pda.application import FILE_NAME, application
from parsers.small_html import MAX_PAGE_BYTES, Dialect

PATH = "/pda"
PALM_HEADERS: Mapping[str, str] = {
    "Accept": "text/html, text/plain, image/gif",
    "User-Agent": "Mozilla/2.0 (compatible; Elaine/3.0)",
}
_POCKET_WORDS = ("Windows CE", "IEMobile")
_POCKET_HEADER = "ua-pixels"  # UA-pixels: 240x320


class PdaSettings(MicroSettings):
    """Settings of the pages for organizers."""


class PdaChannel(Channel):
    """Pages for organizers."""

    name = "pda"
    id_space = "pda"
    about = "Palm Web Clipping and 240 pixel pages for organizers, and an application to keep."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "live status"}
    )
    Settings = PdaSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, PdaSettings)
        rng = random.SystemRandom()
        self._site = MicroSite(self.name, environment, settings.sessions(self.name, rng), BOOK, rng)
        self._writers = {dialect: HtmlWriter(dialect, PATH) for dialect in Dialect}

    def routers(self) -> Sequence[APIRouter]:
        """Return the pages' address, where GET signs in and POST does everything, and the file."""
        routes = APIRouter()

        async def get(request: Request) -> Response:
            return await self._site.get(self._writer(request), MAX_PAGE_BYTES)

        async def post(request: Request) -> Response:
            return await self._site.post(request, self._writer(request), MAX_PAGE_BYTES)

        routes.add_api_route(
            f"{PATH}/app", self._download, methods=["GET", "HEAD"], include_in_schema=False
        )
        for path in (PATH, f"{PATH}/{{anything:path}}"):
            routes.add_api_route(path, get, methods=["GET", "HEAD"], include_in_schema=False)
            routes.add_api_route(path, post, methods=["POST"], include_in_schema=False)
        return (routes,)

    async def _download(self) -> Response:
        page = application(self.environment.public_url, PATH)
        headers = {
            "Content-Disposition": f'attachment; filename="{FILE_NAME}"',
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-cache",
        }
        return Response(page, headers=headers)

    def _writer(self, request: Request) -> HtmlWriter:
        agent = request.headers.get("user-agent", "")
        is_pocket = _POCKET_HEADER in request.headers or any(w in agent for w in _POCKET_WORDS)
        return self._writers[Dialect.POCKET if is_pocket else Dialect.CLIPPING]

    async def probe(self, identity: Identity, text: str) -> str:
        """Walk the pages as a Palm VII, return the answer's words."""
        return await launch(self.environment.public_url, PATH, identity, text, PALM_HEADERS)
