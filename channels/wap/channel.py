"""The wap channel: settings, routes, and a telephone for the parity test."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from pydantic import Field

from channels.kit.contract import Channel, ChannelSettings, Environment, Identity
from channels.kit.micro.client import launch
from channels.kit.micro.html import HtmlWriter
from channels.kit.micro.page import Writer
from channels.kit.micro.pages import BOOK
from channels.kit.micro.settings import MicroSettings
from channels.kit.micro.site import MicroSite
from channels.wap.deck import DeckWriter
from channels.wap.negotiate import Kind, kind_for
from parsers import small_html, wml
from parsers.small_html import Dialect

PATH = "/wap"
PHONE_HEADERS: Mapping[str, str] = {
    "Accept": "*/*, text/vnd.wap.wml, text/vnd.wap.wmlscript",
    "User-Agent": "Nokia7110/1.0 (04.84)",
}


class WapSettings(MicroSettings):
    """Settings of the pages for telephones."""

    max_deck_bytes: int = Field(
        default=wml.MAX_COMPILED_BYTES,
        ge=1100,
        le=8000,
        description="most bytes of a compiled deck; the smallest phones take 1,397 with headers",
    )


class WapChannel(Channel):
    """Decks and pages for telephones."""

    name = "wap"
    id_space = "wap"
    about = "WML decks, XHTML-MP and HTML 3.2 for telephones that browse, without cookies."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "live status"}
    )
    Settings = WapSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, WapSettings)
        rng = random.SystemRandom()
        self._site = MicroSite(self.name, environment, settings.sessions(self.name, rng), BOOK, rng)
        self._writers: Mapping[Kind, tuple[Writer, int]] = {
            Kind.WML: (DeckWriter(PATH), settings.max_deck_bytes),
            Kind.XHTML_MP: (HtmlWriter(Dialect.XHTML_MP, PATH), small_html.MAX_PAGE_BYTES),
            Kind.HTML: (HtmlWriter(Dialect.CLIPPING, PATH), small_html.MAX_PAGE_BYTES),
        }

    def routers(self) -> Sequence[APIRouter]:
        """Return the one address: GET signs in, POST does everything."""
        routes = APIRouter()

        async def get(request: Request) -> Response:
            return await self._site.get(*self._writers[kind_for(request.headers)])

        async def post(request: Request) -> Response:
            return await self._site.post(request, *self._writers[kind_for(request.headers)])

        for path in (PATH, f"{PATH}/{{anything:path}}"):
            routes.add_api_route(path, get, methods=["GET", "HEAD"], include_in_schema=False)
            routes.add_api_route(path, post, methods=["POST"], include_in_schema=False)
        return (routes,)

    async def probe(self, identity: Identity, text: str) -> str:
        """Walk the decks as a telephone behind a WAP gateway, return the answer's words."""
        return await launch(self.environment.public_url, PATH, identity, text, PHONE_HEADERS)
