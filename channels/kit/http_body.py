"""Reading a request's body up to a limit, so that each channel can refuse in its own words."""

from typing import Any

from fastapi import Request


async def read_limited(request: Request, limit_bytes: int) -> bytes | None:
    """Return the whole body, None when it is longer than `limit_bytes`; reads no further than that.

    The declared length is not believed: what arrives is counted.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit_bytes:
            return None
    return bytes(body)


def replayed(request: Request, body: bytes) -> Request:
    """Return the request again with a body that was read already."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)
