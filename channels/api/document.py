"""The OpenAPI document of the API, and the answers for addresses that it does not have."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from channels.api.door import PREFIX
from channels.api.problems import HEADERS, Problem, ProblemBody, ProblemRoute, response_of

TITLE = "Callgate"
VERSION = "1"
_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_TAGS = [
    {"name": "launch", "description": "Launch calls and conferences, say any command."},
    {"name": "calls", "description": "Follow and control calls."},
    {"name": "money", "description": "Records, balance, prices."},
    {"name": "directory", "description": "Names that can be called."},
]
_DESCRIPTION = (
    "Launch telephone calls: your own phone rings first, then the other party. A refusal is a "
    "problem (RFC 9457) with a stable `code`. A question is a 409 with the text that answers it: "
    "POST that to `/api/v1/commands`. Money is a decimal string, times are RFC 3339 in UTC."
)


def document(routes: APIRouter, public_url: str) -> dict[str, Any]:
    """Return the OpenAPI document of `routes`."""
    made = get_openapi(
        title=TITLE,
        version=VERSION,
        description=_DESCRIPTION,
        routes=routes.routes,
        tags=_TAGS,
        servers=[{"url": public_url}],
    )
    schemas = made["components"]["schemas"]
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["ProblemBody"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return made


def closing_routes(routers: Sequence[APIRouter], make: Callable[[], dict[str, Any]]) -> APIRouter:
    """Return the document's own route and, last, the one for whatever else is asked under it.

    Args:
        routers: the routes that there are, for telling a wrong method from a wrong address.
        make: makes the document; called in a thread, once, by the first who asks for it, since it
            takes a good part of a second.
    """
    routes = APIRouter(prefix=PREFIX, route_class=ProblemRoute, include_in_schema=False)
    made = cache(make)
    known: dict[str, set[str]] = {}
    for route in (route for router in routers for route in router.routes):
        assert isinstance(route, APIRoute)
        known.setdefault(route.path, set()).update(route.methods or ())
    patterns = [(_pattern(path), ", ".join(sorted(known[path]))) for path in known]

    @routes.get("/openapi.json")
    def openapi() -> Response:
        """Return the OpenAPI document."""
        return JSONResponse(made(), headers={**HEADERS, "Cache-Control": "public, max-age=300"})

    async def nothing(request: Request) -> Response:
        return response_of(_why_not(request, patterns))

    for path in ("", "/{rest:path}"):
        routes.add_api_route(path, nothing, methods=_EVERY_METHOD)
    return routes


def _why_not(request: Request, known: list[tuple[re.Pattern[str], str]]) -> Problem:
    for pattern, allowed in known:
        if pattern.fullmatch(request.url.path):
            return Problem(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "method_not_allowed",
                f"Use {allowed} here.",
                {"Allow": allowed},
            )
    detail = f"There is nothing here; see {PREFIX}/openapi.json."
    return Problem(HTTPStatus.NOT_FOUND, "not_found", detail)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(PREFIX + re.sub(r"\{[^}]+\}", "[^/]+", path))
