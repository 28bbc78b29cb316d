"""What was written becomes numbers, phones, money and instants, with the user's own file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from call_core import command_json, numbering
from call_core.calls.model import Call as LiveCall
from call_core.commands import (
    Amount,
    Call,
    Command,
    Conference,
    Name,
    Number,
    Reschedule,
    Slot,
    Target,
    When,
)
from call_core.customers.model import OwnPhone
from call_core.customers.names import Ambiguous, Entry, Found, NotFound, fold, match_name
from call_core.money import currency_of_symbol, parse_amount
from call_core.numbering import E164, NumberProblem
from call_core.outcomes import Instant, Phone, Phrase
from call_core.schedule.resolve import Due, TimeChoice, TimeProblem, resolve
from call_core.storage import people_rows
from call_core.storage.transaction import Tx
from call_core.units.caller import Ask, Asker, Choice, Stop

MOST_ENTRIES = 500
"""A user's directory is matched as a whole; beyond this many names a longer beginning is asked."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A target with its number; `label` is how the user calls it."""

    label: str
    number: E164


def number_of(text: str, asker: Asker) -> E164:
    """Return a written number in E.164.

    Raises:
        Stop: it is an emergency number, or no number at all.
    """
    if numbering.is_emergency(text) or numbering.is_emergency_in(text, [asker.user.country]):
        raise Stop("emergency", digits=text.strip())
    found = numbering.normalise(text, asker.home)
    if isinstance(found, NumberProblem):
        raise Stop(str(found.code), found.fields)
    return found


def stored_number(digits: str, extension: str) -> E164:
    """Return a number that was normalised before it was stored."""
    found = numbering.normalise(digits, numbering.Home(""))
    if isinstance(found, NumberProblem):
        raise Stop(str(found.code), found.fields)
    return E164(found.digits, extension, found.country_code, found.region, found.kind)


def target(tx: Tx, asker: Asker, written: Target, phones: tuple[OwnPhone, ...]) -> Resolved:
    """Return whom a target means.

    Raises:
        Stop: nobody.
        Ask: more than one; each choice carries the number itself.
    """
    match written:
        case Number(text):
            number = number_of(text, asker)
            return Resolved(label_of(number), number)
        case Slot(slot):
            return target(tx, asker, _slot(tx, asker, slot), phones)
        case Name(text):
            return _named(tx, asker, text, phones)


def target_or_ask(
    tx: Tx,
    asker: Asker,
    written: Target,
    phones: tuple[OwnPhone, ...],
    with_target: Callable[[Target], Command],
) -> Resolved:
    """Return whom a target means; a doubt asks, each choice being the whole command.

    Args:
        tx: the transaction.
        asker: whose directory.
        written: the target.
        phones: the user's own phones, which have names too.
        with_target: the command with the target replaced by the chosen one.
    """
    try:
        return target(tx, asker, written, phones)
    except Ask as doubt:
        doubt.choices = tuple(
            Choice(each.phrase, with_target(each.command.to))
            for each in doubt.choices
            if isinstance(each.command, Call)
        )
        raise


def label_of(number: E164) -> str:
    """Return how a number that has no name is shown."""
    return numbering.format_for_people(number)


def _slot(tx: Tx, asker: Asker, slot: int) -> Name | Number:
    row = tx.one(people_rows.SLOT, user_id=asker.user.id, slot=slot)
    if row is None:
        raise Stop("slot_empty", slot=slot, example=f"slot {slot} mom")
    found: Name | Number = command_json.from_json(row[0])
    return found


def _named(tx: Tx, asker: Asker, text: str, phones: tuple[OwnPhone, ...]) -> Resolved:
    folded = fold(text)
    exact = tx.one(
        people_rows.ENTRY,
        customer_id=asker.customer.id,
        user_id=asker.user.id,
        folded=folded,
    )
    if exact is not None:
        return Resolved(exact.name, stored_number(exact.number, exact.extension))
    own = next((phone for phone in phones if fold(phone.label) == folded), None)
    if own is not None:
        return Resolved(own.label, stored_number(own.number, own.extension))
    return _like(tx, asker, text)


def _like(tx: Tx, asker: Asker, text: str) -> Resolved:
    rows = tx.all(
        people_rows.ENTRIES,
        customer_id=asker.customer.id,
        user_id=asker.user.id,
        prefix="",
        length=0,
        most=MOST_ENTRIES,
    )
    by_key = {f"{row.user_id}/{row.folded}": row for row in rows}
    entries = [Entry(key, row.name, bool(row.user_id)) for key, row in by_key.items()]
    match match_name(text, entries):
        case Found(entry):
            row = by_key[entry.key]
            return Resolved(row.name, stored_number(row.number, row.extension))
        case NotFound(suggestion):
            raise _unknown(text, suggestion)
        case Ambiguous(candidates, _):
            raise Ask(
                "which_name",
                choices=tuple(
                    Choice(
                        Phrase(
                            "choice_name",
                            {"name": each.name, "number": Phone(by_key[each.key].number)},
                        ),
                        Call(Number(_written(by_key[each.key]))),
                    )
                    for each in candidates
                ),
                fields={"name": text},
            )


def _written(row: people_rows.EntryRow) -> str:
    return f"{row.number} x{row.extension}" if row.extension else row.number


def _unknown(text: str, suggestion: str) -> Stop:
    if suggestion:
        return Stop("name_unknown_like", name=text, suggestion=suggestion, example=suggestion)
    return Stop("name_unknown", name=text, example=f"save {text} +44 20 7946 0018")


def own_phone(asker: Asker, written: Target | None, phones: tuple[OwnPhone, ...]) -> OwnPhone:
    """Return the user's own phone that is meant; None means the default one.

    Raises:
        Stop: the user has none, or what was written is not one of them.
    """
    if not phones:
        raise Stop("no_phone", change="administrator")
    found: list[OwnPhone] = []
    match written:
        case None:
            return phones[0]
        case Name(text):
            found = [phone for phone in phones if fold(phone.label) == fold(text)]
        case Number(text):
            digits = number_of(text, asker).digits
            found = [phone for phone in phones if phone.number == digits]
        case Slot():
            pass
    if not found:
        raise Stop("phone_not_yours", label=_words(written), example=phones[0].label)
    return found[0]


def _words(written: Target) -> str:
    match written:
        case Name(text) | Number(text):
            return text
        case Slot(number):
            return f"*{number}"


def amount(asker: Asker, written: Amount | None) -> int | None:
    """Return a cap in micros; its currency must be the customer's.

    Raises:
        Stop: another currency, or no amount above zero.
    """
    if written is None:
        return None
    currency = asker.customer.currency
    if written.currency:
        named = currency_of_symbol(written.currency) or written.currency.upper()
        if named != currency:
            raise Stop("wrong_currency", currency=currency, example=f"max 5 {currency}")
    try:
        micros = parse_amount(written.text)
    except ValueError:
        micros = 0
    if micros <= 0:
        raise Stop("not_an_amount", text=written.text, example=f"max 5 {currency}")
    return micros


def due(asker: Asker, when: When | None, now_call_ms: int, command: Command) -> Due | None:
    """Return the instant of a written time, None for now.

    Raises:
        Stop: there is no such time.
        Ask: it is in doubt; each choice carries the time in full.
    """
    if when is None:
        return None
    found = resolve(when, now_call_ms, asker.user.timezone)
    match found:
        case Due():
            return found
        case TimeProblem(code, fields):
            raise Stop(str(code), {"example": "call mom at 6pm", **fields})
        case TimeChoice(reason, choices):
            raise Ask(
                f"time_{reason}",
                choices=tuple(
                    Choice(
                        Phrase("choice_time", {"at": Instant(each.at_ms, each.zone)}),
                        with_time(command, each),
                    )
                    for each in choices
                ),
                fields={"text": when.text},
            )


def with_time(command: Command, chosen: Due) -> Command:
    """Return the command with its time replaced by an exact one."""
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=chosen.at_ms)).astimezone(
        ZoneInfo(chosen.zone)
    )
    exact = When(
        text=chosen.local,
        day=local.day,
        month=local.month,
        year=local.year,
        hour=local.hour,
        minute=local.minute,
        zone=chosen.zone,
    )
    assert isinstance(command, Call | Conference | Reschedule), command
    return replace(command, at=exact)


def party_number(call: LiveCall, written: int | Name, code: str) -> int:
    """Return which party of a call is meant, by number or by the beginning of its label.

    Raises:
        Stop: none, or more than one.
    """
    if isinstance(written, int):
        if call.party(written) is None:
            raise Stop("no_such_party", ref=call.ref, party=str(written), example=f"{code} 1")
        return written
    wanted = fold(written.text)
    found = [party for party in call.parties if fold(party.label).startswith(wanted)]
    if len(found) != 1:
        raise Stop("no_such_party", ref=call.ref, party=written.text, example=f"{code} 1")
    return found[0].n
