"""Calls on micro pages: those that run, past ones, and one call with its people and controls."""

from collections.abc import Iterator, Mapping

from call_core.contracts import CallView, PartyView, Principal
from call_core.money import format_money
from channels.kit.micro.answers import BACK, rows_of, say
from channels.kit.micro.page import Page, Press, Row, Words, action_text, lines_of
from channels.kit.micro.site import MicroSite
from channels.kit.micro.visit import Visit
from channels.kit.wording import format_instant, format_phone, plain_words, shorten
from parsers.verbs import VERBS, Shape

RUNNING_SHOWN = 3
RUNNING_LOOKED_AT = 10
PAST_SHOWN = 20
MAX_CURSOR_CHARS = 200
MAX_REF_CHARS = 60
MAX_WITH_CHARS = 40
_PARTY_DIGITS = 2  # parties are numbered 0 to 63

_OVER = frozenset({"ENDED"})
_NOT_LIVE = frozenset({"ENDED", "SCHEDULED", "ASKED"})
_CALL_WORDS: Mapping[str, str] = {
    "ASKED": "Waiting for your answer.",
    "SCHEDULED": "Scheduled.",
    "QUEUED": "Your phone rings in a moment.",
    "LAUNCHING": "Your phone rings first. Answer it and press 1.",
    "CONNECTED": "Connected.",
    "ENDING": "Ending.",
}
_VERIFYING = "Your phone rings. Answer it and key the digits that you were shown."
_PARTY_WORDS: Mapping[str, str] = {
    "PLANNED": "waits",
    "DIALING": "dialling",
    "RINGING": "rings",
    "ANSWERED": "answered",
    "ACCEPTED": "accepted",
    "BRIDGED": "is in the call",
    "ENDING": "leaves",
    "ENDED": "gone",
}


async def running(site: MicroSite, who: Principal) -> tuple[Press, ...]:
    """Return buttons to the calls that are not over."""
    recent = await site.core.calls(who, RUNNING_LOOKED_AT, "")
    live = [call for call in recent.items if call.state not in _OVER]
    return tuple(_to_call(call) for call in live[:RUNNING_SHOWN])


async def past(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return calls, newest first, with what they cost."""
    cursor = visit.argument(0)[:MAX_CURSOR_CHARS]
    found = await site.core.calls(who, PAST_SHOWN, cursor)
    presses = [_to_call(call) for call in found.items]
    if found.next:
        presses.append(Press("Older", action_text("calls", found.next)))
    rows = rows_of(tuple(presses)) or ((Words("No calls yet."),),)
    return Page("Calls", rows, (BACK,))


async def one(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return one call: its state and cost now, its people, its controls; reload with Refresh."""
    call = await _found(site, visit, who)
    if call is None:
        return _no_such_call()
    refresh = Press("Refresh", action_text("call", call.ref))
    people: tuple[Row, ...] = tuple(_party_row(call, party) for party in call.parties)
    why = await site.core.explain(who, call.id) if call.state in _OVER else ()
    rows = (
        (Words(_state(call)),),
        *_due(call, who),
        (Words(f"Cost {format_money(call.cost_micros, call.currency)}"),),
        *rows_of((refresh, *_first_controls(call))),
        *people,
        *rows_of(tuple(_controls(call))),
        *(row for line in why for row in lines_of(line)),
    )
    return Page(f"{call.ref} {_with(call)}", rows, (BACK,), action=refresh.action)


async def party(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return one party of a call and what can be done with them."""
    call = await _found(site, visit, who)
    number = visit.argument(1)
    there = number.isascii() and number.isdigit() and len(number) <= _PARTY_DIGITS
    wanted = int(number) if there else -1
    found = next((each for each in call.parties if each.n == wanted), None) if call else None
    if call is None or found is None:
        return _no_such_call()
    back = Press("Call", action_text("call", call.ref))
    presses = tuple(
        say(word.capitalize(), f"{word} {found.n} {call.ref}") for word in _party_verbs(call, found)
    )
    rows = (
        (Words(f"{format_phone(found.number)} {_does(found)}"),),
        (Words(f"Cost {format_money(found.cost_micros, call.currency)}"),),
        *rows_of(presses),
    )
    return Page(found.label, rows, (back, BACK))


async def _found(site: MicroSite, visit: Visit, who: Principal) -> CallView | None:
    ref = visit.argument(0)
    known = ref.isprintable() and 0 < len(ref) <= MAX_REF_CHARS
    return await site.core.call(who, ref) if known else None


def _no_such_call() -> Page:
    return Page("Calls", ((Words("There is no such call of yours."),),), (BACK,))


def _to_call(call: CallView) -> Press:
    cost = format_money(call.cost_micros, call.currency)
    state = cost if call.state in _OVER else plain_words(call.state)
    return Press(f"{call.ref} {_with(call)} {state}", action_text("call", call.ref))


def _with(call: CallView) -> str:
    people = ", ".join(party.label for party in call.parties[1:3])
    return shorten(call.title or people, MAX_WITH_CHARS)


def _state(call: CallView) -> str:
    if call.state in _OVER:
        return f"Over: {plain_words(call.reason)}." if call.reason else "Over."
    words = _CALL_WORDS.get(call.state, f"{plain_words(call.state).capitalize()}.")
    if call.kind == "verification" and call.state == "LAUNCHING":
        words = _VERIFYING
    return f"{words} Locked." if call.locked else words


def _due(call: CallView, who: Principal) -> tuple[Row, ...]:
    if call.due_call_ms is None or call.state != "SCHEDULED":
        return ()
    return ((Words(f"Due {format_instant(call.due_call_ms, who.timezone)}"),),)


def _does(party: PartyView) -> str:
    words = _PARTY_WORDS.get(party.state, plain_words(party.state))
    if party.state == "ENDED" and party.legs and party.legs[-1].cause:
        return f"{words} ({plain_words(party.legs[-1].cause)})"
    return f"{words}, muted" if party.muted and party.state != "ENDED" else words


def _party_row(call: CallView, party: PartyView) -> Row:
    press = Press(f"{party.n} {party.label}", action_text("party", call.ref, str(party.n)))
    return (press, Words(f" {_does(party)}"))


def _first_controls(call: CallView) -> Iterator[Press]:
    if call.state == "SCHEDULED":
        yield say("Skip", f"skip {call.ref}")
    elif call.state not in _NOT_LIVE:
        yield say("Hang up", f"hangup {call.ref}")


def _controls(call: CallView) -> Iterator[Press]:
    """Yield the other controls, from the table of verbs: at once, or by a page for the rest."""
    if call.state in _NOT_LIVE:
        return
    for verb in VERBS:
        if verb.word in {"hangup", "unlock" if not call.locked else "lock"}:
            continue
        if verb.shape is Shape.OPTIONAL_REF:
            yield say(verb.word.capitalize(), f"{verb.word} {call.ref}")
        elif verb.word in {"add", "move", "extend"}:
            yield Press(verb.word.capitalize(), action_text("verb", verb.word, call.ref))


def _party_verbs(call: CallView, party: PartyView) -> Iterator[str]:
    if call.state in {*_NOT_LIVE, "ENDING"}:
        return
    if party.state == "ENDED":
        if party.n:
            yield "redial"
        return
    yield "unmute" if party.muted else "mute"
    if party.n:
        yield "drop"
