"""The home page: launch a call or a conference, write any command line, see what is running."""

from fastapi import APIRouter, Response

from call_core.contracts import CallView, Principal
from channels.web import formatting
from channels.web.answers import Answer
from channels.web.site import HOME, Site
from channels.web.visits import Visit
from parsers.page_form import decode

RUNNING_SHOWN = 20
NAMES_OFFERED = 200  # in the list under the TO field; keeps the page small on a slow line


def router(site: Site) -> APIRouter:
    """Return the routes of the home page."""

    async def show(visit: Visit, who: Principal, answer: Answer | None = None) -> Response:
        recent = await site.core.calls(who, RUNNING_SHOWN, "")
        return site.html(
            visit,
            "home.html",
            answer=answer,
            typed=visit.fields,
            running=[call for call in recent.items if _unfinished(call)],
            phones=await site.core.phones(who),
            names=(await site.core.directory(who, ""))[:NAMES_OFFERED],
        )

    async def submit(visit: Visit, who: Principal) -> Response:
        return await site.do(visit, who, decode(visit.fields), visit.fields.get("back", HOME))

    routes = APIRouter()
    site.page(routes, HOME, show)
    for path in ("/call", "/conference", "/command"):
        site.form(routes, path, submit)
    site.showing[HOME] = show
    return routes


def _unfinished(call: CallView) -> bool:
    return formatting.is_live(call) or call.state == "SCHEDULED"
