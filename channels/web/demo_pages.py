"""Pages that exist only where the demo put something behind them: phones to answer, mail to read.

They are open to everybody who reaches the demo: the mailbox is where the one-time code for signing
in arrives.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol, runtime_checkable

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from channels.web.site import Site
from channels.web.visits import Visit

PHONES = "/demo/phones"
MAILBOX = "/demo/mailbox"
MESSAGES_SHOWN = 50
_KEYS = frozenset("0123456789*#")


class WallPhone(Protocol):
    """One phone of the demo's wall.

    Attributes:
        number: E.164. label: whose it is. state: `idle`, `ringing`, `talking`, ….
        leg_id: the leg that rings or talks there, "" when idle.
        heard: the words that the phone says now, "" if none.
    """

    @property
    def number(self) -> str: ...  # noqa: D102  (described above)
    @property
    def label(self) -> str: ...  # noqa: D102  (described above)
    @property
    def state(self) -> str: ...  # noqa: D102  (described above)
    @property
    def leg_id(self) -> str: ...  # noqa: D102  (described above)
    @property
    def heard(self) -> str: ...  # noqa: D102  (described above)


@runtime_checkable
class PhoneWall(Protocol):
    """The demo's phones, as people would hold them (`environment.extras["phones"]`)."""

    def phones(self) -> Sequence[WallPhone]:
        """Return every phone as it is now."""

    async def pick_up(self, leg_id: str) -> None:
        """Answer a ringing phone; nothing when it does not ring any more."""

    async def keypress(self, leg_id: str, digit: str) -> None:
        """Press a key on an answered phone."""

    async def put_down(self, leg_id: str) -> None:
        """Hang up, or refuse a ringing call."""


class Letter(Protocol):
    """A mail that the gateway sent, in the demo's mailbox."""

    @property
    def id(self) -> str: ...  # noqa: D102  (a mail's own id)
    @property
    def to(self) -> str: ...  # noqa: D102  (the address)
    @property
    def subject(self) -> str: ...  # noqa: D102  (one line)
    @property
    def body(self) -> str: ...  # noqa: D102  (plain text)
    @property
    def sent_wall_ms(self) -> int: ...  # noqa: D102  (when it was handed over)


@runtime_checkable
class Mailbox(Protocol):
    """What the demo sent by mail (`environment.extras["mailbox"]`)."""

    def messages(self) -> Sequence[Letter]:
        """Return every mail, oldest first."""


def router(site: Site) -> APIRouter:
    """Return the routes of what the demo offers; none elsewhere. Adds their links to the pages."""
    routes = APIRouter()
    wall = site.environment.extras.get("phones")
    if isinstance(wall, PhoneWall):
        _phone_routes(site, routes, wall)
        site.links.append((PHONES, "Demo phones"))
    mailbox = site.environment.extras.get("mailbox")
    if isinstance(mailbox, Mailbox):
        _mailbox_routes(site, routes, mailbox)
        site.links.append((MAILBOX, "Demo mailbox"))
    return routes


def _phone_routes(site: Site, routes: APIRouter, wall: PhoneWall) -> None:
    async def show(visit: Visit) -> Response:
        return site.html(visit, "demo_phones.html", phones=wall.phones())

    async def act(visit: Visit) -> Response:
        leg_id, action = visit.fields.get("leg", ""), visit.fields.get("action", "")
        key = visit.fields.get("key", "")
        if leg_id in {phone.leg_id for phone in wall.phones() if phone.leg_id}:
            if action == "pick_up":
                await wall.pick_up(leg_id)
            elif action == "put_down":
                await wall.put_down(leg_id)
            elif action == "press" and key in _KEYS:
                await wall.keypress(leg_id, key)
        return RedirectResponse(PHONES, HTTPStatus.SEE_OTHER)

    site.open_page(routes, PHONES, show)
    site.open_form(routes, PHONES, act)


def _mailbox_routes(site: Site, routes: APIRouter, mailbox: Mailbox) -> None:
    async def show(visit: Visit) -> Response:
        newest = list(reversed(mailbox.messages()))[:MESSAGES_SHOWN]
        return site.html(visit, "demo_mailbox.html", messages=newest)

    site.open_page(routes, MAILBOX, show)
