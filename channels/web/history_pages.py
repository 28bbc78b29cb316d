"""Past calls with what they cost, page by page, and the records as a file for a spreadsheet."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import StreamingResponse

from call_core.contracts import Principal
from channels.web import export
from channels.web.site import Site
from channels.web.visits import Visit, plain

CALLS_SHOWN = 25
RECORDS_READ = 200  # records read at once for the file
MAX_CURSOR_LENGTH = 200


def router(site: Site) -> APIRouter:
    """Return the routes of the history."""

    async def show(visit: Visit, who: Principal) -> Response:
        cursor = plain(visit.request.query_params.get("after", ""))
        if len(cursor) > MAX_CURSOR_LENGTH:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "That page of the history is not known.")
        page = await site.core.calls(who, CALLS_SHOWN, cursor)
        return site.html(visit, "history.html", page=page, first=not cursor)

    async def records(visit: Visit, who: Principal) -> Response:
        del visit
        name = 'attachment; filename="callgate-records.csv"'
        return StreamingResponse(
            _lines(site, who),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": name},
        )

    routes = APIRouter()
    site.page(routes, "/calls", show)
    site.page(routes, "/cdrs.csv", records)
    return routes


async def _lines(site: Site, who: Principal) -> AsyncIterator[str]:
    yield export.header()
    cursor = ""
    while True:
        page = await site.core.cdrs(who, RECORDS_READ, cursor, "")
        yield "".join(export.line(record) for record in page.items)
        cursor = page.next
        if not cursor:
            return
