"""What belongs to the user: directory, speed dial, balance, API tokens; and the help."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import APIRouter, Response

from call_core.administration import Administration, ForgetEntry, SaveEntry
from call_core.commands import Command, Forget, Name, Number, Save, SetSlot
from call_core.contracts import Principal
from call_core.errors import ParseError
from channels.kit.shown_once import ShownOnce
from channels.web.answers import Answer
from channels.web.site import Site
from channels.web.visits import Visit, plain
from parsers.grammar import is_saveable_name
from parsers.verbs import BARE_FORMS, VERBS

MAX_NAME_LENGTH = 40
MAX_NUMBER_LENGTH = 60
LIFETIMES = {"30": 30, "90": 90, "365": 365}
DAY_MS = 86_400_000
MAX_LABEL_LENGTH = 60
MAX_ID_LENGTH = 60
SLOT_DIGITS = 3
_EXAMPLE = "save bob 0207 946 0018"
SCOPES: Sequence[tuple[str, str]] = (
    ("read", "see calls, records, balance and directory"),
    ("call", "launch and control calls"),
    ("admin", "administer"),
)


def router(site: Site) -> APIRouter:
    """Return the routes of the user's own things."""
    routes = APIRouter()
    _directory(site, routes)
    _tokens(site, routes)

    async def balance(visit: Visit, who: Principal) -> Response:
        return site.html(visit, "balance.html", balance=await site.core.balance(who))

    async def help_page(visit: Visit) -> Response:
        verbs = [verb for verb in VERBS if not verb.later]
        return site.html(visit, "help.html", verbs=verbs, bare=BARE_FORMS)

    site.page(routes, "/balance", balance)
    site.open_page(routes, "/help", help_page)
    return routes


def directory_change(
    fields: Mapping[str, str], customer_id: str
) -> Command | Administration | ParseError:
    """Return what the directory form asks for: `action` is save, forget or slot.

    With `shared` the entry is the company's.
    """
    name, slot = " ".join(fields.get("name", "").split()), fields.get("slot", "")
    number, shared = fields.get("number", ""), bool(fields.get("shared"))
    if len(name) > MAX_NAME_LENGTH:
        return ParseError("name_too_long", limit=MAX_NAME_LENGTH, name=name[:MAX_NAME_LENGTH])
    match fields.get("action", ""):
        case "save" if name and 0 < len(number) <= MAX_NUMBER_LENGTH:
            if not is_saveable_name(name):
                return ParseError("name_not_allowed", name=name, example=_EXAMPLE)
            if shared:
                return SaveEntry(customer_id, name, number)
            return Save(name, Number(number))
        case "forget" if name:
            return ForgetEntry(customer_id, name) if shared else Forget(name)
        case "slot" if name and slot.isascii() and slot.isdigit() and len(slot) <= SLOT_DIGITS:
            return SetSlot(int(slot), Name(name))
        case _:
            return ParseError("not_understood", leftover=name or number or slot, example=_EXAMPLE)


def _directory(site: Site, routes: APIRouter) -> None:
    async def show(visit: Visit, who: Principal, answer: Answer | None = None) -> Response:
        prefix = plain(visit.request.query_params.get("begins", ""))[:MAX_NAME_LENGTH]
        return site.html(
            visit,
            "directory.html",
            answer=answer,
            typed=visit.fields,
            prefix=prefix,
            entries=await site.core.directory(who, prefix),
        )

    async def change(visit: Visit, who: Principal) -> Response:
        asked = directory_change(visit.fields, who.customer_id)
        return await site.do(visit, who, asked, "/directory")

    site.page(routes, "/directory", show)
    site.form(routes, "/directory", change)
    site.showing["/directory"] = show


def _tokens(site: Site, routes: APIRouter) -> None:
    shown = ShownOnce()

    async def page(visit: Visit, who: Principal, secret: str, error: str) -> Response:
        response = site.html(
            visit,
            "tokens.html",
            tokens=await site.core.tokens(who),
            scopes=_offered(who),
            lifetimes=LIFETIMES,
            typed=visit.fields,
            secret=secret,
            error=error,
        )
        if error:
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response

    async def show(visit: Visit, who: Principal) -> Response:
        return await page(visit, who, "", "")

    async def create(visit: Visit, who: Principal) -> Response:
        label = visit.fields.get("label", "")
        scopes = [scope for scope, _ in _offered(who) if visit.fields.get(f"scope_{scope}")]
        if not label or len(label) > MAX_LABEL_LENGTH or not scopes:
            return await page(visit, who, "", "Write what it is for, and tick what it may do.")
        secret = shown.again(visit.token, visit.now_wall_ms)
        if not secret:
            days = LIFETIMES.get(visit.fields.get("days", ""))
            expires = None if days is None else visit.now_wall_ms + days * DAY_MS
            secret = await site.core.create_token(who, label, scopes, visit.now_wall_ms, expires)
            shown.remember(visit.token, secret, visit.now_wall_ms)
        return await page(visit, who, secret, "")

    async def revoke(visit: Visit, who: Principal) -> Response:
        token_id = visit.fields.get("token", "")
        known = len(token_id) <= MAX_ID_LENGTH and await site.core.revoke_token(who, token_id)
        return await page(visit, who, "", "" if known else "There is no such token of yours.")

    site.page(routes, "/tokens", show)
    site.form(routes, "/tokens", create)
    site.form(routes, "/tokens/revoke", revoke)


def _offered(who: Principal) -> Sequence[tuple[str, str]]:
    return [pair for pair in SCOPES if pair[0] != "admin" or who.role == "administrator"]
