"""Every error is a problem, whatever raised it."""

import httpx2
import pytest

from call_core.errors import CommitUnknown, Overloaded, StoreUnavailable
from channels.api.problems import MAX_BODY_BYTES
from tests.support.scripted_core import ScriptedCore

JSON = {"content-type": "application/json"}


def check_problem(response: httpx2.Response, status: int, code: str) -> None:
    """Fail unless the response is a problem of this status and code."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:callgate:problem:{code}"
    assert body["title"]
    assert body["detail"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b'{"to":', JSON, 400, "invalid_json"),
        (b"", JSON, 422, "invalid_request"),
        (b"[1]", JSON, 422, "invalid_request"),
        (b'{"to": "\xff"}', JSON, 400, "bad_request"),
        (b"to=mom", {}, 415, "unsupported_media_type"),
        (b"{}", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        (b" " * (MAX_BODY_BYTES + 1), JSON, 413, "content_too_large"),
        (b" " * MAX_BODY_BYTES, JSON, 400, "invalid_json"),
        (b"[" * 60_000, JSON, 400, "bad_request"),
    ],
)
async def test_bad_bodies_are_problems(
    client: httpx2.AsyncClient, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """What is no JSON, too long, of another type or of the wrong shape is told apart."""
    response = await client.post("/calls", content=content, headers=headers)
    check_problem(response, status, code)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["/to"]),
        ({"to": "mom", "speed": 3}, ["/speed"]),
        ({"to": 5}, ["/to"]),
        ({"to": "mom", "max_cost": 5.0}, ["/max_cost"]),
        ({"to": "mom", "max_cost": "5e1"}, ["/max_cost"]),
        ({"to": "mom", "max_minutes": "20", "private": "yes"}, ["/max_minutes", "/private"]),
        ({"to": "m" * 81}, ["/to"]),
        ({"to": "m\x00m"}, ["/to"]),
    ],
)
async def test_wrong_fields_are_named(
    client: httpx2.AsyncClient, core: ScriptedCore, body: dict[str, object], fields: list[str]
) -> None:
    """Unknown fields, numbers for money, and text over its limit never reach the core."""
    response = await client.post("/calls", json=body)
    check_problem(response, 422, "invalid_request")
    assert [error["field"] for error in response.json()["errors"]] == fields
    assert not core.asked


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "code", "retry_after"),
    [
        (Overloaded(), "overloaded", "5"),
        (StoreUnavailable(), "store_unavailable", "30"),
        (CommitUnknown(), "commit_unknown", "10"),
        (RuntimeError("secret detail"), "internal", "10"),
    ],
)
async def test_our_own_failures_are_temporary(
    client: httpx2.AsyncClient, core: ScriptedCore, error: Exception, code: str, retry_after: str
) -> None:
    """A failure of ours is a 503 with a time to come back, and tells nothing of the inside."""
    core.fault = error
    response = await client.post("/calls", json={"to": "mom"})
    check_problem(response, 503, code)
    assert response.headers["retry-after"] == retry_after
    assert "secret" not in response.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/nothing", 404, "not_found", None),
        ("GET", "", 404, "not_found", None),
        ("GET", "/calls/", 404, "not_found", None),
        ("PUT", "/calls", 405, "method_not_allowed", "POST, GET"),
        ("POST", "/calls/call_1", 405, "method_not_allowed", "DELETE, GET"),
        ("DELETE", "/balance", 405, "method_not_allowed", "GET"),
    ],
)
async def test_unknown_addresses_and_methods_are_problems(
    client: httpx2.AsyncClient, method: str, path: str, status: int, code: str, allow: str | None
) -> None:
    """The framework's own 404 and 405 never show."""
    response = await client.request(method, path)
    check_problem(response, status, code)
    if allow:
        assert set(response.headers["allow"].split(", ")) == set(allow.split(", "))
