"""Where the user is rung and where requests of theirs come from: phones, addresses, pagers."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Response

from call_core.administration import AddSender
from call_core.commands import Command, Detach, Device, Number, OwnPhone, UsePhone
from call_core.contracts import Principal
from call_core.errors import ParseError
from call_core.outcomes import Done
from channels.kit import pager_login
from channels.kit.shown_once import ShownOnce
from channels.web.answers import Answer, answer_of
from channels.web.site import Site
from channels.web.visits import Visit

MAX_NUMBER_LENGTH = 60
MAX_LABEL_LENGTH = 60
MAX_ADDRESS_LENGTH = 254
KINDS: Mapping[str, str] = {
    "smtp": "mail",
    "imap": "mail",
    "twilio_sms": "text message",
    "kannel_sms": "text message",
    "snpp": "pager (SNPP)",
    "wctp": "pager (WCTP)",
    "packet": "device",
}
_EXAMPLE = "device"
_GONE = "(shown once already; for another, remove the pager and add it again)"
PAGERS = {name: KINDS[name] for name in sorted(pager_login.PAGER_CHANNELS)}


def router(site: Site) -> APIRouter:
    """Return the routes of what is the user's own."""
    routes = APIRouter()
    shown = ShownOnce()

    async def page(
        visit: Visit, who: Principal, answer: Answer | None, pager: str = "", secret: str = ""
    ) -> Response:
        return site.html(
            visit,
            "phones.html",
            answer=answer,
            pager=pager,
            secret=secret,
            phones=await site.core.phones(who),
            addresses=await site.core.addresses(who),
            kinds=KINDS,
            pagers=PAGERS,
            typed=visit.fields if answer is not None and answer.refused else {},
        )

    async def show(visit: Visit, who: Principal, answer: Answer | None = None) -> Response:
        return await page(visit, who, answer)

    async def change(visit: Visit, who: Principal) -> Response:
        return await site.do(visit, who, own_change(visit.fields), "/phones")

    async def add_pager(visit: Visit, who: Principal) -> Response:
        secret = shown.again(visit.token, visit.now_wall_ms) or pager_login.new_pager_secret()
        # Before it is asked for, so that a repeat of the form asks for the same.
        shown.remember(visit.token, secret, visit.now_wall_ms)
        command = new_pager(visit.fields, who.user_id, secret)
        outcome = await site.submit(visit, who, command)
        if isinstance(outcome, Done) and isinstance(command, AddSender):
            # A form that is sent again much later gets the same answer, but its secret is gone.
            named = (command.channel, command.address, secret, visit.now_wall_ms)
            works = await pager_login.principal_of_pager(site.core, *named)
            return await page(visit, who, None, command.address, secret if works else _GONE)
        test = site.environment.test_texts
        response = await page(visit, who, answer_of(outcome, command, who.timezone, test=test))
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response

    site.page(routes, "/phones", show)
    site.form(routes, "/phones", change)
    site.form(routes, "/phones/pager", add_pager)
    site.showing["/phones"] = show
    return routes


def own_change(fields: Mapping[str, str]) -> Command:
    """Return what a form of the phones' page asks for."""
    number = fields.get("number", "")[:MAX_NUMBER_LENGTH]
    if label := fields.get("verify", "")[:MAX_LABEL_LENGTH]:
        return OwnPhone(label, Number(number) if number else None)
    if what := fields.get("detach", "")[:MAX_ADDRESS_LENGTH]:
        return Detach(what)
    if fields.get("device"):
        return Device()
    return UsePhone(fields.get("label", "")[:MAX_LABEL_LENGTH])


def new_pager(fields: Mapping[str, str], user_id: str, secret: str) -> AddSender | ParseError:
    """Return what puts a pager on the user's file, to log in with this secret.

    Other addresses than a pager's join by a code that they send themselves, so none is taken here.
    """
    channel, written = fields.get("channel", ""), fields.get("pager", "")
    address = pager_login.normal_address(written)
    right = address and address.isprintable() and len(address) <= pager_login.MAX_LOGIN_LENGTH
    if channel not in PAGERS or not right:
        return ParseError("not_understood", leftover=written[:MAX_NUMBER_LENGTH], example=_EXAMPLE)
    return AddSender(user_id, channel, address, pager_login.secret_hash(channel, address, secret))
