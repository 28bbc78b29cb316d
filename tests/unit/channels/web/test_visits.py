"""Cookies by the scheme of the public address, and what is read of a form."""

from typing import Any

import pytest
from fastapi import Request, Response

from channels.web.visits import MAX_FORM_FIELDS, Cookies, read_form


def test_https_makes_cookies_secure() -> None:
    """Over https a cookie is Secure and belongs to this host alone; over http it cannot be."""
    for secure in (True, False):
        response = Response()
        Cookies(secure=secure, session_days=30).set_session(response, "token")
        cookie = response.headers.getlist("set-cookie")[0]
        assert cookie.startswith("__Host-callgate_session=token") is secure
        assert ("Secure" in cookie) is secure
        assert "HttpOnly" in cookie
        assert "Path=/" in cookie


def form(body: bytes) -> Request:
    """Return a request with this form."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"to=+mom+&from=", {"to": "mom", "from": ""}),
        (b"to=a&to=b", {"to": "b"}),
        (b"to=m%00o%07m%0D%0Abob", {"to": "mom\nbob"}),
        (b"to=%C3%A9", {"to": "é"}),
        (b"to=%FF", None),
        (b"to=\xff", None),
        (b"&".join([b"a=1"] * MAX_FORM_FIELDS), {"a": "1"}),
        (b"&".join([b"a=1"] * (MAX_FORM_FIELDS + 1)), None),
        (b"", {}),
    ],
)
async def test_forms_are_read_strictly(body: bytes, fields: dict[str, str] | None) -> None:
    """Blanks around and control characters within are dropped; what is not UTF-8 is no form."""
    assert await read_form(form(body)) == fields
