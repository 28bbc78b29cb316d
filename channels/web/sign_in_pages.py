"""Signing in and out: an address, then a one-time code from the mail or a password.

The words are the same whether the address is known or not, and so is the second form.
"""

from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from call_core.contracts import Principal
from channels.web.site import HOME, SIGN_IN, Site
from channels.web.visits import Visit

MAX_ADDRESS_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, as erratum 1690 counts it
MAX_SECRET_LENGTH = 128

_WRONG = (
    "That code or password is not right, or the code is too old. Try again, or ask for another."
)
_NO_ADDRESS = "Please write your mail address, like anna@example.com."


def router(site: Site) -> APIRouter:
    """Return the routes of signing in and out."""

    async def show(visit: Visit) -> Response:
        if visit.signed_in is not None:
            return RedirectResponse(HOME, HTTPStatus.SEE_OTHER)
        return site.html(visit, "sign_in.html", error="")

    async def ask_for_code(visit: Visit) -> Response:
        address = visit.fields.get("address", "")
        if not address or len(address) > MAX_ADDRESS_LENGTH:
            response = site.html(visit, "sign_in.html", error=_NO_ADDRESS)
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
            return response
        await site.core.start_sign_in(address, visit.now_wall_ms)
        return site.html(visit, "sign_in_code.html", address=address, error="")

    routes = APIRouter()
    site.open_page(routes, SIGN_IN, show)
    site.open_form(routes, SIGN_IN, ask_for_code)
    _sessions(site, routes)
    return routes


def _sessions(site: Site, routes: APIRouter) -> None:
    async def sign_in(visit: Visit) -> Response:
        address = visit.fields.get("address", "")
        secret = visit.fields.get("secret", "")
        token = None
        if len(address) <= MAX_ADDRESS_LENGTH and 0 < len(secret) <= MAX_SECRET_LENGTH:
            token = await site.core.sign_in(address, secret, visit.now_wall_ms)
        if token is None:
            response = site.html(visit, "sign_in_code.html", address=address, error=_WRONG)
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
            return response
        welcome = RedirectResponse(HOME, HTTPStatus.SEE_OTHER)
        site.cookies.set_session(welcome, token)
        return welcome

    async def sign_out(visit: Visit, _: Principal) -> Response:
        await site.core.sign_out(visit.secret)
        farewell = RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
        site.cookies.drop(farewell, site.cookies.session)
        return farewell

    site.open_form(routes, f"{SIGN_IN}/code", sign_in)
    site.form(routes, "/sign-out", sign_out)
