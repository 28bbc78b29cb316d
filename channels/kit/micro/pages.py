"""The pages: signing in, home, directory, dialling, conferences, the menu of all verbs.

From home a saved name is called in three presses: Directory, the name, Call.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from call_core.commands import Call, Command, Conference, Name, Quote
from call_core.contracts import DirectoryEntry, PhoneView, Principal
from call_core.errors import ParseError
from channels.kit.micro import calls
from channels.kit.micro.answers import BACK, answered, answered_again, rows_of, say
from channels.kit.micro.page import (
    Box,
    Digits,
    Page,
    Pick,
    Press,
    Row,
    Words,
    action_text,
)
from channels.kit.micro.site import AGAIN, HOME, SIGN_IN, Book, MicroSite
from channels.kit.micro.visit import SEVERAL, Visit
from channels.kit.wording import format_phone
from parsers.command_text import target_text
from parsers.grammar import parse
from parsers.markup import escape
from parsers.page_form import decode
from parsers.targets import MAX_NAME_CHARS, parse_targets
from parsers.verbs import VERBS, Shape, Verb, find

MAX_ADDRESS_CHARS = 254  # RFC 5321 section 4.5.3.1.3, as erratum 1690 counts it
MAX_SECRET_CHARS = 128
NAMES_TO_TICK = 6  # offered on the page of a conference; others are written
MAX_OPTION_BYTES = 240  # of all values and labels of a choice, escaped
MAX_FILLED_BYTES = 300  # of what stands in a field beforehand, escaped

_CODE_SENT = "If we know that address, a code is on its way to it. It works for ten minutes."
_WRONG = "That code or password is not right, or the code is too old."
_NO_ADDRESS = "Write your mail address first."
_OPTIONS = ("code", "max", "at")
_PARTICIPANTS = "p"
_CONFERENCE_FIELDS = (_PARTICIPANTS, "participants", "from", "minutes", "at")
_TOO_MANY = "Those were too many for one page. Write fewer, and add the others once it runs."
_AT_ONCE = frozenset({Shape.NOTHING, Shape.OPTIONAL_REF, Shape.PREFIX, Shape.CONFIRM})
"""Shapes of verbs that say something without an argument."""


# --- signing in ---------------------------------------------------------------------------------


async def start(site: MicroSite, visit: Visit) -> Page:
    """Return the page to sign in on, with a sentence above it when there is one."""
    del site
    return _sign_in_page(visit.field("u"), *visit.arguments[:1])


def _sign_in_page(address: str, *said: str) -> Page:
    form: Row = (
        Box("u", "Mail or user name", _small(address), max_chars=MAX_ADDRESS_CHARS),
        Box("k", "Password or code", secret=True, max_chars=MAX_SECRET_CHARS),
        Press("Sign in", action_text("in"), ("u", "k")),
        Press("Mail me a code", action_text("code"), ("u",)),
    )
    rows = (*((Words(each),) for each in said), form)
    return Page("Callgate", rows, session="", action=action_text(SIGN_IN))


async def send_code(site: MicroSite, visit: Visit) -> Page:
    """Mail a one-time code; the words are the same for unknown addresses."""
    address = visit.field("u")
    if not address or len(address) > MAX_ADDRESS_CHARS:
        return _sign_in_page("", _NO_ADDRESS)
    await site.core.start_sign_in(address, visit.now_wall_ms)
    return _sign_in_page(address, _CODE_SENT)


async def sign_in(site: MicroSite, visit: Visit) -> Page:
    """Open a session and show the home page."""
    found = await _opened(site, visit)
    if found is None:
        return _sign_in_page(visit.field("u"), _WRONG)
    session, who = found
    page = await home(site, visit, who)
    return replace(page, session=session, forget=True)


async def app(site: MicroSite, visit: Visit) -> Page:
    """Take the form of the conference application: sign in and ask once more before ringing."""
    found = await _opened(site, visit)
    if found is None:
        return _sign_in_page(visit.field("u"), _WRONG)
    session, who = found
    page = await conference(site, visit, who)
    return replace(page, session=session, forget=True)


async def _opened(site: MicroSite, visit: Visit) -> tuple[str, Principal] | None:
    address, secret = visit.field("u"), visit.field("k")
    if not secret or len(secret) > MAX_SECRET_CHARS or len(address) > MAX_ADDRESS_CHARS:
        return None
    key = (visit.request_id, address, secret)
    session = site.sign_ins.again(key, visit.now_wall_ms) if visit.request_id else None
    session = session or await site.core.sign_in(address, secret, visit.now_wall_ms)
    if session is None:
        return None
    site.sign_ins.remember(key, session, visit.now_wall_ms)
    who = await site.core.principal_of_session(session, visit.now_wall_ms)
    return (session, who) if who else None


async def sign_out(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """End the session everywhere."""
    del who
    await site.core.sign_out(visit.session)
    return replace(_sign_in_page("", "You are signed out."), forget=True)


# --- home, directory ----------------------------------------------------------------------------


async def home(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return the first page: what is running, and where to go."""
    del visit
    presses = (
        *await calls.running(site, who),
        Press("Directory", action_text("dir", "")),
        Press("Dial", action_text("dial")),
        Press("Conference", action_text("conf")),
        Press("Calls", action_text("calls", "")),
        say("Balance", "balance"),
        Press("Menu", action_text("menu")),
        Press("Sign out", action_text("out")),
    )
    return Page(f"Callgate {who.user_name}", rows_of(presses), action=action_text(HOME))


async def directory(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return the names, those that begin with what was typed."""
    prefix = (visit.field("q") or visit.argument(0))[:MAX_NAME_CHARS]
    entries = await site.core.directory(who, prefix)
    rows: list[Row] = [(Press(each.name, action_text("name", each.name)),) for each in entries]
    if not entries:
        rows.append((Words("No such name." if prefix else "No names are saved yet."),))
    search: Row = (
        Box("q", "Begins with", max_chars=MAX_NAME_CHARS),
        Press("Find", action_text("dir"), ("q",)),
    )
    return Page("Directory", (*rows, search), (BACK,), action=action_text("dir", prefix))


async def name(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return one name: its number, and a button for each phone that it can be called from."""
    wanted = visit.argument(0)
    entry = next((e for e in await site.core.directory(who, wanted) if e.name == wanted), None)
    if entry is None:
        return Page("Directory", ((Words("There is no such name."),),), (BACK,))
    shown = format_phone(entry.number, entry.extension)
    presses = (*_call_presses(entry, await site.core.phones(who)), _price(entry))
    return Page(entry.name, ((Digits(shown, entry.number),), *rows_of(presses)), (BACK,))


def _call_presses(entry: DirectoryEntry, phones: Sequence[PhoneView]) -> Iterator[Press]:
    yield Press("Call", action_text("ring", entry.name))
    for phone in phones:
        if phone.verified and not phone.default:
            action = action_text("ring", entry.name, phone.label)
            yield Press(f"Call from {phone.label}", action)


def _price(entry: DirectoryEntry) -> Press:
    return Press("Price", action_text("price", entry.name))


async def price(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return what a call to a name costs."""
    return await answered(site, visit, who, Quote(Name(visit.argument(0))))


# --- launching ----------------------------------------------------------------------------------


async def ring(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Call a name of the directory, or what was typed."""
    return await answered(site, visit, who, call_of(visit))


def call_of(visit: Visit) -> Command | ParseError:
    """Return the call that a visit asks for: a name in the action, or the fields of a form."""
    if not visit.arguments:
        return decode(visit.fields)
    label = visit.argument(1)
    return Call(Name(visit.argument(0)), Name(label) if label else None)


async def dial(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return the form for a number, a name or a slot."""
    form: Row = (
        Box("to", "Number or name", max_chars=80),
        *_from(await site.core.phones(who), visit.field("from")),
        Box("code", "Billing code", max_chars=40),
        Box("max", "At most $ or min", max_chars=20),
        Box("at", "When (empty: now)", max_chars=60),
        Press("Call", action_text("ring"), ("to", "from", *_OPTIONS)),
    )
    return Page("Dial", (form,), (BACK,))


async def conference(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return the form for a conference: names to tick, others to write, the phone to chair from."""
    asked = visit.field("participants")
    written = _small(asked)
    entries = () if written else await site.core.directory(who, "")
    names = tuple((target_text(Name(each.name)), each.name) for each in entries[:NAMES_TO_TICK])
    names = names[: _count_that_fit(names)]
    form: Row = (
        *((Pick(_PARTICIPANTS, "With", names, several=True),) if names else ()),
        Box("participants", "And", written, max_chars=500),
        *_from(await site.core.phones(who), visit.field("from")),
        Box("minutes", "Minutes", max_chars=4),
        Box("at", "When (empty: now)", _small(visit.field("at")), max_chars=60),
        Press("Start", action_text("meet"), _CONFERENCE_FIELDS),
    )
    said = ((Words(_TOO_MANY),),) if asked and not written else ()
    return Page("Conference", (*said, form), (BACK,))


async def meet(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Start or schedule a conference."""
    return await answered(site, visit, who, conference_of(visit))


def conference_of(visit: Visit) -> Command | ParseError:
    """Return the conference of those who were ticked and those who were written."""
    written = visit.field("participants")
    people = SEVERAL.join(filter(None, (visit.field(_PARTICIPANTS), written)))
    targets = parse_targets(people)
    if isinstance(targets, ParseError):
        return targets
    asked = decode({**visit.fields, "participants": people})
    return replace(asked, participants=targets) if isinstance(asked, Conference) else asked


def _from(phones: Sequence[PhoneView], chosen: str) -> tuple[Pick | Box, ...]:
    """Return the choice of the phone that is rung first; none when there is only one.

    The usual one has an empty value. Labels that are too many for a page are written instead.
    """
    options = tuple(
        ("" if phone.default else target_text(Name(phone.label)), phone.label)
        for phone in phones
        if phone.verified
    )
    if _count_that_fit(options) < len(options):
        return (Box("from", "From (empty: usual)", _small(chosen), max_chars=60),)
    return (Pick("from", "From", options, chosen),) if len(options) > 1 else ()


def _count_that_fit(options: Sequence[tuple[str, str]]) -> int:
    """Return how many choices fit on a page together with the rest of a form."""
    sizes = accumulate(_size(value) + _size(label) for value, label in options)
    return sum(size <= MAX_OPTION_BYTES for size in sizes)


def _size(text: str) -> int:
    return len(escape(text).encode())


def _small(text: str) -> str:
    """Return a text that fits into a field beside others, "" for one that does not."""
    return text if _size(text) <= MAX_FILLED_BYTES else ""


# --- everything else ----------------------------------------------------------------------------


async def say_line(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Do one line of the grammar, of a button or written."""
    line = visit.argument(0) or visit.field("text")
    return await answered(site, visit, who, parse(line), line)


async def menu(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return every verb of the grammar with what it does."""
    del site, visit, who
    rows = tuple((_verb_press(verb), Words(f" {verb.help}")) for verb in VERBS if not verb.later)
    return Page("Menu", rows, (BACK,))


def _verb_press(verb: Verb) -> Press:
    if verb.shape in _AT_ONCE:
        return say(verb.word, verb.word)
    return Press(verb.word, action_text("verb", verb.word))


async def verb_page(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return one verb: what it does, how it is written, and a field to write it in."""
    del site, who
    verb = find(visit.argument(0))
    if verb is None or verb.later:
        return Page("Menu", ((Words("There is no such word."),),), (BACK,))
    ref = visit.argument(1)
    line = Box("text", "Line", f"{ref} {verb.word} ".lstrip(), max_chars=500)
    form: Row = (line, Press("Send", action_text("say"), ("text",)))
    examples = tuple((Words(each),) for each in verb.examples)
    return Page(verb.word, ((Words(verb.help),), form, *examples), (BACK,))


BOOK = Book(
    opened={SIGN_IN: start, "in": sign_in, "code": send_code, "app": app},
    own={
        HOME: home,
        AGAIN: answered_again,
        "dir": directory,
        "name": name,
        "price": price,
        "ring": ring,
        "dial": dial,
        "conf": conference,
        "meet": meet,
        "calls": calls.past,
        "call": calls.one,
        "party": calls.party,
        "say": say_line,
        "menu": menu,
        "verb": verb_page,
        "out": sign_out,
    },
)
