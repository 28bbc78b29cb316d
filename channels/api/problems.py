"""Every error of the API, as RFC 9457 problem details with a stable `code`.

One table maps the codes of refusals to statuses; one route class turns whatever is raised into a
problem, so that no other shape of error can leave.
"""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException  # FastAPI raises its parent's, too

from call_core.errors import CallCoreError, ParseError
from channels.kit.contract import fault_of
from channels.kit.http_body import read_limited, replayed

MEDIA_TYPE = "application/problem+json"
HEADERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
MAX_FIELD_ERRORS = 20
MAX_BODY_BYTES = 65_536
_log = structlog.get_logger(__name__)


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="where, as a JSON Pointer into the body or a parameter's name")
    message: str


class ChoiceBody(BaseModel):
    """One numbered choice of a question."""

    text: str = Field(description="what to POST to /api/v1/commands as `text`", examples=["4F7 1"])
    label: str = Field(description="what it does, for people")


class ProblemBody(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="`about:blank`, or `urn:callgate:problem:CODE`")
    title: str
    status: int
    code: str = Field(description="stable name of the reason")
    detail: str = Field(description="a sentence for people")
    ref: str | None = Field(default=None, description="the call or question it is about")
    call_id: str | None = None
    answer: str | None = Field(
        default=None, description="what to POST to /api/v1/commands as `text` to answer a question"
    )
    choices: list[ChoiceBody] | None = Field(
        default=None, description="the choices of a question, in order"
    )
    errors: list[FieldProblem] | None = None


class Problem(Exception):
    """Ends a request with a problem. Their side, or a refusal of the core."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.members = {name: value for name, value in members.items() if value}


# HTTP/1.1 402 Payment Required
# Content-Type: application/problem+json
#
# {"type": "urn:callgate:problem:balance_short", "title": "Payment Required", "status": 402,
#  "code": "balance_short", "detail": "Your balance of $0.10 does not cover …", "ref": "4F7"}
def response_of(problem: Problem) -> Response:
    """Return a problem as a response."""
    body = {
        "type": f"urn:callgate:problem:{problem.code}",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "code": problem.code,
        "detail": problem.detail,
        **problem.members,
    }
    return JSONResponse(
        body, problem.status.value, {**HEADERS, **problem.headers}, media_type=MEDIA_TYPE
    )


def of_validation(error: RequestValidationError) -> Problem:
    """Return what is wrong with a body or parameters; a body that is no JSON at all is a 400."""
    found = error.errors()
    fields = [
        FieldProblem(field=_pointer(item["loc"]), message=item["msg"]).model_dump()
        for item in found[:MAX_FIELD_ERRORS]
    ]
    if any(item["type"] == "json_invalid" for item in found):
        return Problem(HTTPStatus.BAD_REQUEST, "invalid_json", "The body is not JSON.")
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_request",
        "Some fields are missing, unknown or of the wrong kind; see `errors`.",
        errors=fields,
    )


def of_http(error: HTTPException) -> Problem:
    """Return an error of the framework (wrong method, too large, …) as a problem."""
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    return Problem(status, code, str(error.detail), error.headers)


def of_fault(error: Exception, path: str) -> Problem:
    """Return a failure of ours: temporary, with the time after which to try again."""
    fault = fault_of(error)
    code = error.code if isinstance(error, CallCoreError) else "internal"
    if not isinstance(error, CallCoreError):
        _log.error("api_failed", path=path, exc_info=error)
    retry = {"Retry-After": str(fault.retry_after_s)}
    return Problem(HTTPStatus(fault.http), code, fault.text, retry)


class ProblemRoute(APIRoute):
    """A route whose every error is a problem."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's own handler."""
        handle = super().get_route_handler()
        has_body = self.body_field is not None

        async def handle_with_problems(request: Request) -> Response:
            try:
                response = await handle(await _with_body(request) if has_body else request)
            except Problem as problem:
                return response_of(problem)
            except RequestValidationError as error:
                return response_of(of_validation(error))
            except HTTPException as error:
                return response_of(of_http(error))
            except ParseError as error:
                detail = "That could not be read."
                return response_of(Problem(HTTPStatus.BAD_REQUEST, error.code, detail))
            except Exception as error:  # noqa: BLE001  (whatever it was, the client gets a problem)
                return response_of(of_fault(error, self.path))
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return handle_with_problems


async def _with_body(request: Request) -> Request:
    """Read the body; refuse other media and bodies that are too long."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send the body as Content-Type: application/json.",
        )
    body = await read_limited(request, MAX_BODY_BYTES)
    if body is None:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "content_too_large",
            f"The body is longer than {MAX_BODY_BYTES} bytes.",
        )
    return replayed(request, body)


def _pointer(location: tuple[int | str, ...]) -> str:
    where, *rest = location
    if where == "body":
        return "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in rest)
    return str(rest[-1]) if rest else str(where)


def declared(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of a route for the OpenAPI document."""
    always = (
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {
        status.value: {
            "description": status.phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({*always, *statuses})
    }
