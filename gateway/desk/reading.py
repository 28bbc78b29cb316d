"""What the window shows and sends, as plain text: nothing here knows a terminal or a network."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from itertools import chain

from call_core.commands import Add, Call, Conference, Drop, Mute, Name, Number, Redial, Unmute
from channels.api.models import BalanceOut, CallOut, DirectoryEntryOut, PartyOut, PhoneOut
from parsers.command_text import write
from parsers.grammar import parse

AS_TYPED = ":"
"""A line that begins so is sent as it stands, whatever names there are."""
MOST_IN_HISTORY = 3
_NOT_RUNNING = frozenset({"ASKED", "SCHEDULED", "ENDED"})
_STATE_WORDS = {
    "ASKED": "waits for your answer",
    "SCHEDULED": "scheduled",
    "QUEUED": "about to ring",
    "LAUNCHING": "ringing",
    "CONNECTED": "connected",
    "ENDING": "ending",
    "ENDED": "over",
}


# --- whom to call -------------------------------------------------------------------------------


def matching(entries: Sequence[DirectoryEntryOut], typed: str) -> list[DirectoryEntryOut]:
    """Return the names that begin with what was typed, then those that contain it.

    Only names are looked at: digits are a number to dial, and never somebody whose number has them.
    """
    wanted = typed.strip().casefold()
    if wanted.startswith(AS_TYPED):
        return []
    begin = [each for each in entries if each.name.casefold().startswith(wanted)]
    within = [each for each in entries if each.name.casefold().find(wanted) > 0]
    return begin + within


def line_for(names: Sequence[str], origin: str) -> str:
    """Return the line that calls one name, or confers with several, from an own phone."""
    phone = Name(origin) if origin else None
    if len(names) == 1:
        return write(Call(Name(names[0]), phone))
    return write(Conference(tuple(map(Name, names)), phone))


def line_typed(typed: str, origin: str) -> str:
    """Return what was typed, with the chosen phone where it calls and names none."""
    words = typed.strip().removeprefix(AS_TYPED).strip()
    command = parse(words)  # what cannot be read is told by the gateway, in its own words
    if origin and isinstance(command, Call | Conference) and command.origin is None:
        return write(replace(command, origin=Name(origin)))
    return words


def line_to_add(typed: str, name: str, ref: str) -> str:
    """Return the line that brings one more into a call: a name of the list, or what was typed."""
    if name:
        return write(Add(Name(name), ref))
    words = typed.strip()
    is_number = words[:1].isdigit() or words[:1] in {"+", "("}
    return write(Add(Number(words) if is_number else Name(words), ref))


def line_to_mute(party: PartyOut, ref: str) -> str:
    """Return the line that mutes a party, or lets it speak again."""
    return write((Unmute if party.muted else Mute)(party.n, ref))


def line_to_drop(party: PartyOut, ref: str) -> str:
    """Return the line that hangs up one party."""
    return write(Drop(party.n, ref))


def line_to_redial(party: PartyOut, ref: str) -> str:
    """Return the line that rings a party again."""
    return write(Redial(party.n, ref))


# --- what is shown ------------------------------------------------------------------------------


def running(calls: Sequence[CallOut]) -> list[CallOut]:
    """Return the calls that go on now, newest first."""
    return [call for call in calls if call.state not in _NOT_RUNNING]


def phone_text(phone: PhoneOut) -> str:
    """Return an own phone: `cell  +12125550991`, with what it lacks."""
    return f"{phone.label}  {phone.number}" + ("" if phone.verified else "  (not verified)")


def entry_text(entry: DirectoryEntryOut, *, is_marked: bool) -> str:
    """Return a name: `+ mom  +16169779933`, the sign where it is marked for a conference."""
    extension = f" x{entry.extension}" if entry.extension else ""
    company = "  (company)" if entry.shared else ""
    return f"{'+' if is_marked else ' '} {entry.name}  {entry.number}{extension}{company}"


def call_text(call: CallOut, zone: tzinfo | None = None) -> str:
    """Return the status line of a call: `4F7 connected  0.12 USD  paid until 14:20:05`.

    Args:
        call: as the API shows it.
        zone: of the clock times; None is this machine's.
    """
    words = [f"{call.ref} {_STATE_WORDS.get(call.state, call.state.lower())}"]
    if call.state == "ENDED" and call.reason:
        words[0] += f" ({call.reason.replace('_', ' ').lower()})"
    words += [f"{call.cost} {call.currency}"]
    words += [f"since {_clock(talking, zone)}"] if (talking := _answered(call)) else []
    if call.paid_until and call.state in {"LAUNCHING", "CONNECTED"}:
        words.append(f"paid until {_clock(call.paid_until, zone)}")
    if call.locked:
        words.append("locked")
    return "  ".join(words)


def party_row(party: PartyOut) -> tuple[str, str, str, str, str]:
    """Return a row of the roster: number, who, state, muted, cost."""
    who = party.label or party.number
    state = party.state.lower()
    causes = [leg.cause for leg in party.legs if leg.cause]
    if state == "ended" and causes:
        state = causes[-1].replace("_", " ").lower()
    return str(party.n), who, state, "muted" if party.muted else "", party.cost


def history_text(calls: Sequence[CallOut]) -> str:
    """Return the last calls in one line: `4F7 mom 0.12 · 3B2 bob, carol 0.40`."""
    over = [call for call in calls if call.state == "ENDED"][:MOST_IN_HISTORY]
    return " · ".join(f"{call.ref} {_others(call)} {call.cost}" for call in over)


def balance_text(balance: BalanceOut) -> str:
    """Return the money in a few words."""
    return f"{balance.available} {balance.currency} available"


def _others(call: CallOut) -> str:
    return ", ".join(party.label or party.number for party in call.parties if party.n)


def _answered(call: CallOut) -> str:
    """Return when the first party but the own phone answered, "" when none did."""
    return min(chain.from_iterable(map(_answers, call.parties[1:])), default="")


def _answers(party: PartyOut) -> Iterator[str]:
    return (leg.answered_at for leg in party.legs if leg.answered_at)


def _clock(rfc3339: str, zone: tzinfo | None) -> str:
    """Return the time of day of an instant, `14:20:05`."""
    return f"{datetime.fromisoformat(rfc3339).astimezone(zone):%H:%M:%S}"
