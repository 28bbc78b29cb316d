"""Bodies are read up to a limit, whatever length was declared."""

from typing import Any

import pytest
from fastapi import Request

from channels.kit.http_body import read_limited, replayed


def request_of(*pieces: bytes) -> Request:
    """Return a request whose body comes in these pieces."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return Request({"type": "http", "headers": [], "method": "POST"}, receive)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("pieces", "body"),
    [((b"",), b""), ((b"abc", b"de"), b"abcde"), ((b"abc", b"def"), None), ((b"x" * 99,), None)],
)
async def test_a_body_is_read_up_to_its_limit(
    pieces: tuple[bytes, ...], body: bytes | None
) -> None:
    """Five bytes pass a limit of five; the sixth does not, in whatever pieces they come."""
    assert await read_limited(request_of(*pieces), 5) == body


@pytest.mark.anyio
async def test_a_read_body_can_be_read_again() -> None:
    """The handler behind finds the body as if nobody had looked."""
    assert await replayed(request_of(), b"again").body() == b"again"
