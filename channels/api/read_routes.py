"""Routes that only show: records, money, prices, directory, what became of a request."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from call_core.commands import Rate
from call_core.contracts import Principal
from channels.api.bodies import MAX_TARGET_LENGTH, PRINTABLE
from channels.api.call_routes import DEFAULT_LIMIT, MAX_ID_LENGTH, Cursor, Limit
from channels.api.door import Ask, Door
from channels.api.models import (
    AddressOut,
    BalanceOut,
    CdrOut,
    DirectoryEntryOut,
    ListView,
    PhoneOut,
    RateOut,
    RequestOut,
)
from channels.api.problems import Problem, ProblemRoute, declared
from channels.api.views import (
    address_out,
    balance_out,
    cdr_out,
    entry_out,
    outcome_out,
    phone_out,
    request_out,
)

MAX_PREFIX_LENGTH = 40


def router(door: Door) -> APIRouter:
    """Return the routes that only show."""
    routes = APIRouter(route_class=ProblemRoute)
    Looks = Annotated[Principal, Depends(door.caller("read"))]  # noqa: N806  (names a type)

    @routes.get("/cdrs", tags=["money"], responses=declared())
    async def list_records(
        who: Looks,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = "",
        call_id: Annotated[
            str, Query(max_length=MAX_ID_LENGTH, pattern=PRINTABLE, description="of one call")
        ] = "",
    ) -> ListView[CdrOut]:
        """The finished record of every leg, newest first; unanswered legs have charge 0."""
        page = await door.core.cdrs(who, limit, cursor, call_id)
        return ListView[CdrOut](items=[cdr_out(cdr) for cdr in page.items], next=page.next or None)

    @routes.get("/balance", tags=["money"], responses=declared())
    async def show_balance(who: Looks) -> BalanceOut:
        """What is left, what is held, and the limits."""
        return balance_out(await door.core.balance(who))

    @routes.get("/directory", tags=["directory"], responses=declared())
    async def list_directory(
        who: Looks,
        prefix: Annotated[
            str,
            Query(
                max_length=MAX_PREFIX_LENGTH,
                pattern=PRINTABLE,
                description="names that begin with this",
            ),
        ] = "",
    ) -> ListView[DirectoryEntryOut]:
        """Names that can be called, your own before the company's."""
        entries = await door.core.directory(who, prefix)
        return ListView[DirectoryEntryOut](items=[entry_out(entry) for entry in entries])

    @routes.get("/phones", tags=["directory"], responses=declared())
    async def list_phones(who: Looks) -> ListView[PhoneOut]:
        """Your own phones, the default first."""
        phones = await door.core.phones(who)
        return ListView[PhoneOut](items=[phone_out(phone) for phone in phones])

    @routes.get("/addresses", tags=["directory"], responses=declared())
    async def list_addresses(who: Looks) -> ListView[AddressOut]:
        """Your own addresses, in the order in which they are written to, then your devices."""
        addresses = await door.core.addresses(who)
        return ListView[AddressOut](items=[address_out(address) for address in addresses])

    @routes.get("/requests/{request_id}", tags=["calls"], responses=declared(HTTPStatus.NOT_FOUND))
    async def show_request(
        request_id: Annotated[str, Path(max_length=MAX_ID_LENGTH, pattern=PRINTABLE)], who: Looks
    ) -> RequestOut:
        """What became of a request, on whatever channel it came."""
        seen = await door.core.request(who, request_id)
        if seen is None:
            raise Problem(HTTPStatus.NOT_FOUND, "no_such_request", "No such request of yours.")
        return request_out(seen, who.timezone, test=door.test)

    _rates(door, routes)
    return routes


def _rates(door: Door, routes: APIRouter) -> None:
    """Add the one route that asks the core a question instead of reading."""
    Looks = Annotated[Principal, Depends(door.caller("read"))]  # noqa: N806  (names a type)

    @routes.get(
        "/rates", tags=["money"], responses=declared(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
    )
    async def show_rates(
        who: Looks,
        to: Annotated[
            str,
            Query(
                min_length=1,
                max_length=MAX_TARGET_LENGTH,
                pattern=PRINTABLE,
                description="a country, a place or a number",
                examples=["ghana"],
            ),
        ],
    ) -> RateOut:
        """Prices of a destination."""
        command = Rate(to)
        outcome = await door.submit(who, Ask(command, "GET /rates", to, None))
        door.refuse(outcome, command, who)
        told = outcome_out(outcome, who.timezone, test=door.test)
        return RateOut(to=to, text=told.text, items=told.rows)
