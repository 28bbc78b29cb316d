"""Who looks at a page, and whether a form that was sent may be believed.

Cookies: the session is the core's opaque token; before signing in, a random *visit* stands in for
it, so that the sign-in form too has a token bound to its visitor. Both are HttpOnly, SameSite=Lax,
and Secure (with the `__Host-` prefix, RFC 6265bis section 4.1.3) when the public address is https.

A form must pass two tests: the browser's own word on where it came from (Fetch Metadata,
https://www.w3.org/TR/fetch-metadata/, or the Origin header), and the one-time token in it. Pages
are sent with `Referrer-Policy: no-referrer`, under which browsers write `Origin: null` for their
own forms; so `null` says nothing, and the token decides.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request, Response

from call_core.contracts import CallCore, Principal
from call_core.ids import new_secret
from channels.kit import page_tokens
from channels.kit.http_body import read_limited

MAX_FORM_BYTES = 32_768
MAX_FORM_FIELDS = 40
TOKEN_FIELD = "form"  # noqa: S105  (the name of a form field, not a secret)

_CONTROLS = dict.fromkeys({*range(32), 127} - {9, 10})  # what no person types and no column keeps
_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser.

    Attributes:
        request: as it came.
        secret: what this visitor's form tokens are bound to: the session token or the visit.
        signed_in: who it is, None before signing in.
        now_wall_ms: when it came.
        fields: the form's fields, stripped, without the token; empty for a GET.
        token: the form's one-time token; "" for a GET.
        fresh: whether the visit cookie has to be set.
    """

    request: Request
    secret: str
    signed_in: Principal | None
    now_wall_ms: int
    fields: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Cookies:
    """The names and attributes of our cookies."""

    secure: bool
    session_days: int

    @property
    def session(self) -> str:
        """Name of the session cookie."""
        return f"{self._prefix}callgate_session"

    @property
    def visit(self) -> str:
        """Name of the cookie of a visitor who has not signed in."""
        return f"{self._prefix}callgate_visit"

    @property
    def _prefix(self) -> str:
        return "__Host-" if self.secure else ""

    def set_session(self, response: Response, token: str) -> None:
        """Give the browser its session; the visit it had before is forgotten."""
        self._set(response, self.session, token, self.session_days * 86_400)
        self.drop(response, self.visit)

    def set_visit(self, response: Response, secret: str) -> None:
        """Give the browser a visit, until it closes."""
        self._set(response, self.visit, secret, None)

    def drop(self, response: Response, name: str) -> None:
        """Take a cookie away."""
        response.delete_cookie(name, secure=self.secure, httponly=True, samesite="lax")

    def _set(self, response: Response, name: str, value: str, max_age_s: int | None) -> None:
        response.set_cookie(
            name, value, max_age=max_age_s, secure=self.secure, httponly=True, samesite="lax"
        )


async def visit_of(
    request: Request, core: CallCore, cookies: Cookies, now_wall_ms: int, rng: random.Random
) -> Visit:
    """Return who looks at a page; a visitor without any cookie gets a fresh visit."""
    session = request.cookies.get(cookies.session, "")
    who = await core.principal_of_session(session, now_wall_ms) if session else None
    if who is not None:
        return Visit(request, session, who, now_wall_ms)
    secret = request.cookies.get(cookies.visit, "")
    if secret:
        return Visit(request, secret, None, now_wall_ms)
    return Visit(request, new_secret(rng), None, now_wall_ms, fresh=True)


def came_from_us(request: Request, public_url: str) -> bool:
    """Whether the browser says that one of our own pages sent this, or does not say."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin", "null")
    if origin == "null":
        return True
    ours = urlsplit(public_url)
    theirs = urlsplit(origin)
    if (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc):
        return True
    return theirs.netloc == request.headers.get("host", "")


# text=call+mom&form=6ab0…IcQ.2nS7…
async def read_form(request: Request) -> Mapping[str, str] | None:
    """Return a form's fields, stripped, the last of equal names; None when it is not a form.

    Raises:
        HTTPException: 413, it is longer than `MAX_FORM_BYTES`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM_TYPE:
        return None
    body = await read_limited(request, MAX_FORM_BYTES)
    if body is None:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That form is too long.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MAX_FORM_FIELDS,
            errors="strict",
        )
    except ValueError:
        return None
    return {name: plain(value) for name, value in pairs}


def plain(text: str) -> str:
    """Return what a visitor wrote without blanks around it and control characters within."""
    return text.translate(_CONTROLS).strip()


def token_state(visit: Visit, token: str) -> page_tokens.TokenState:
    """Tell whether a form's token is this visitor's."""
    return page_tokens.check(visit.secret, token, visit.now_wall_ms)
