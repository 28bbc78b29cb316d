"""Answers that change no call and no money: prices, balance, past calls, places, help.

Only what did not fit in an answer is kept, for `more`.
"""

from sqlalchemy import bindparam, delete, select

from call_core import numbering
from call_core.calls.model import Call, CallState
from call_core.commands import (
    Balance,
    DialHelp,
    Directory,
    History,
    Information,
    LocalTime,
    Menu,
    More,
    Phones,
    Quote,
    Rate,
    Status,
    Why,
)
from call_core.customers.callability import PartyRole
from call_core.ledger.accounts import Account, AccountKind, available
from call_core.money import format_amount
from call_core.outcomes import (
    Instant,
    Money,
    Outcome,
    Phrase,
    Seconds,
    Told,
    Value,
    from_json,
    to_json,
)
from call_core.places import Place, find_place, suggest_place
from call_core.rating.deck import RateDeck, RateRow
from call_core.storage import call_rows, ledger_rows, tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx
from call_core.units import control, directory, find_call, funding, launch, resolve
from call_core.units.advance import terms_at
from call_core.units.caller import Asker, Stop, own_phones
from call_core.units.house import House, Stamp

HISTORY_ROWS = 30
REST_TTL_MS = 600_000
_DESTINATIONS = 9
_C, _D, _L = tables.calls, tables.cdrs, tables.list_rests

PAST_CALLS = call_rows.call_set(
    select(_C.c.id)
    .where(_C.c.user_id == bindparam("user_id"), _C.c.launched_call_ms.is_not(None))
    .order_by(_C.c.created_wall_ms.desc())
    .limit(HISTORY_ROWS),
    "a_history",
)
EXPLANATIONS = select_statement(
    select(_D.c.leg, _D.c.explanation, _D.c.total_micros, _D.c.currency)
    .where(_D.c.call_id == bindparam("call_id"))
    .order_by(_D.c.party, _D.c.attempt),
    name="explanations",
)
AMENDMENTS = select_statement(
    select(
        tables.cdr_amendments.c.field,
        tables.cdr_amendments.c.old,
        tables.cdr_amendments.c.new,
        tables.cdr_amendments.c.reason,
    )
    .where(tables.cdr_amendments.c.call_id == bindparam("call_id"))
    .order_by(tables.cdr_amendments.c.at_wall_ms),
    name="amendments",
)
FIND_REST = select_statement(
    select(_L.c.body, _L.c.expires_wall_ms).where(_L.c.user_id == bindparam("user_id")),
    name="find_rest",
)
PUT_REST = upsert_statement(
    lambda insert_into: (made := insert_into(_L)).on_conflict_do_update(
        index_elements=["user_id"],
        set_={"body": made.excluded.body, "expires_wall_ms": made.excluded.expires_wall_ms},
    ),
    name="put_rest",
)
FORGET_REST = write_statement(
    delete(_L).where(_L.c.user_id == bindparam("user_id")), name="forget_rest"
)


def inform(tx: Tx, house: House, asker: Asker, command: Information, stamp: Stamp) -> Outcome:
    """Answer a question about money, calls, prices or places.

    Raises:
        Stop: there is nothing to tell. Ask: a name is in doubt.
    """
    if isinstance(command, More):
        return _more(tx, asker, stamp)
    return _first_page(tx, asker, _told(tx, house, asker, command, stamp), stamp)


def _told(tx: Tx, house: House, asker: Asker, command: Information, stamp: Stamp) -> Told:
    match command:
        case Quote() | Rate():
            return _price(tx, house, asker, command, stamp)
        case Balance():
            return _balance(tx, asker, stamp)
        case History() | Status() | Why():
            return _past(tx, house, asker, command, stamp)
        case Directory() | Phones():
            return directory.listing(tx, asker, command)
        case LocalTime() | DialHelp() | Menu():
            return _help(asker, command, stamp)
        case More():
            raise AssertionError(command)


def _first_page(tx: Tx, asker: Asker, told: Told, stamp: Stamp) -> Told:
    """Keep what does not fit in one answer of the asker's channel for `more`."""
    most = asker.page_rows
    if not most or len(told.rows) <= most:
        return told
    rest = Told("list_rest", told.ref, told.rows[most:], fields={"of": told.code})
    tx.write(
        PUT_REST,
        user_id=asker.user.id,
        body=to_json(rest),
        expires_wall_ms=stamp.wall_ms + REST_TTL_MS,
    )
    return Told(told.code, told.ref, told.rows[:most], more=True, fields=told.fields)


def _more(tx: Tx, asker: Asker, stamp: Stamp) -> Outcome:
    row = tx.one(FIND_REST, user_id=asker.user.id)
    if row is None or row[1] < stamp.wall_ms:
        raise Stop("nothing_more", example="history")
    if tx.run(FORGET_REST, user_id=asker.user.id) != 1:
        raise Stop("nothing_more", example="history")  # told at the same moment elsewhere
    rest = from_json(row[0])
    assert isinstance(rest, Told), rest
    return _first_page(tx, asker, rest, stamp)


# --- prices -------------------------------------------------------------------------------------


def _price(tx: Tx, house: House, asker: Asker, command: Quote | Rate, stamp: Stamp) -> Told:
    if isinstance(command, Quote):
        return _quote(tx, house, asker, command, stamp)
    deck = house.decks.active(tx, asker.tariff, asker.deck_version)
    if deck is None:
        raise Stop("no_rate_for", text=command.destination)
    rows = _rows_of(deck, asker, command.destination, stamp.call_ms)
    if not rows:
        raise Stop("no_rate_for", text=command.destination, example="rate ghana")
    phrases = tuple(
        Phrase(
            "rate_row",
            {
                "destination": row.destination,
                "prefix": row.prefix,
                "price": Money(row.price_micros_per_minute, deck.currency),
                "fee": Money(row.connect_fee_micros, deck.currency),
                "increments": f"{row.first_increment_s}/{row.next_increment_s}",
            },
        )
        for row in rows
    )
    return Told("rate", rows=phrases, fields={"text": command.destination})


def _rows_of(deck: RateDeck, asker: Asker, text: str, at_ms: int) -> list[RateRow]:
    """Return the rows of a number, a country or a place; one row for each price of it."""
    number = numbering.normalise(text, asker.home)
    if isinstance(number, numbering.E164):
        row = deck.find(number.digits.removeprefix("+"), at_ms)
        return [] if row is None or row.blocked else [row]
    prefix = _prefix_of(text)
    if not prefix:
        return []
    rows = [row for row in deck.rows() if row.prefix.startswith(prefix) and not row.blocked]
    if not rows:
        row = deck.find(prefix, at_ms)
        rows = [] if row is None or row.blocked else [row]
    return sorted(rows, key=lambda row: (len(row.prefix), row.prefix))[:_DESTINATIONS]


def _prefix_of(text: str) -> str:
    """Return the digits that numbers of a place begin with, or those that were written, or ""."""
    written = text.strip().removeprefix("+").replace(" ", "").replace("-", "")
    if written.isdecimal():
        return written
    found = find_place(text)
    places = (found,) if isinstance(found, Place) else found
    place = next((each for each in places if each.country_code), None)
    return "" if place is None else f"{place.country_code}{place.area_code}"


def _quote(tx: Tx, house: House, asker: Asker, command: Quote, stamp: Stamp) -> Told:
    phones = own_phones(tx, asker)
    origin = resolve.own_phone(asker, command.origin, phones)
    first = resolve.Resolved(origin.label, resolve.stored_number(origin.number, origin.extension))
    other = resolve.target_or_ask(
        tx, asker, command.to, phones, lambda chosen: Quote(chosen, command.origin)
    )
    rows = []
    total = 0
    for person, role, start in ((first, PartyRole.A, None), (other, PartyRole.B, first)):
        terms = terms_at(tx, house, asker.tariff, person.number.digits, stamp.call_ms)
        launch.NumberGate(house, asker).check(person, role, start, sold=terms is not None)
        assert terms is not None, person
        total += terms.price_micros_per_minute
        rows.append(
            Phrase(
                "quote_row",
                {
                    "label": person.label,
                    "destination": terms.destination,
                    "price": Money(terms.price_micros_per_minute, terms.currency),
                    "fee": Money(terms.connect_fee_micros, terms.currency),
                    "increments": f"{terms.first_increment_s}/{terms.next_increment_s}",
                },
            )
        )
    account = ledger_rows.read_account(tx, asker.customer.id)
    left = 0 if account is None else max(0, available(account))
    fields: dict[str, Value] = {
        "to": other.label,
        "price": Money(total, asker.customer.currency),
        "minutes": left // total if total else 0,
    }
    return Told("quote", rows=tuple(rows), fields=fields)


# --- money and past calls -----------------------------------------------------------------------


def _balance(tx: Tx, asker: Asker, stamp: Stamp) -> Told:
    account = ledger_rows.read_account(tx, asker.customer.id) or Account(
        "customer:none", asker.customer.currency, AccountKind.CUSTOMER_PREPAID
    )
    currency = asker.customer.currency
    fields: dict[str, Value] = {
        "balance": Money(account.credits_posted - account.debits_posted, currency),
        "held": Money(account.debits_pending, currency),
        "available": Money(available(account), currency),
        "spent_today": Money(funding.spent_today_micros(tx, asker, stamp), currency),
    }
    if account.credit_limit_micros is not None:
        fields["credit_limit"] = Money(account.credit_limit_micros, currency)
    return Told("balance", fields=fields)


def _past(
    tx: Tx, house: House, asker: Asker, command: History | Status | Why, stamp: Stamp
) -> Told:
    match command:
        case History():
            return _history(tx, asker)
        case Status(ref):
            return _status(tx, house, asker, ref, stamp)
        case Why(ref):
            return _why(tx, asker, ref)


def _history(tx: Tx, asker: Asker) -> Told:
    calls = call_rows.load_calls(tx, PAST_CALLS, user_id=asker.user.id)
    rows = tuple(_history_row(call) for call in calls)
    return Told("history", rows=rows, fields={"count": len(rows)})


def _history_row(call: Call) -> Phrase:
    total = sum(leg.charge_micros for leg in call.legs())
    talk = 0
    if call.talk_call_ms is not None:
        end_ms = call.ended_call_ms if call.ended_call_ms is not None else call.talk_call_ms
        talk = max(0, end_ms - call.talk_call_ms) // 1000
    return Phrase(
        "history_row",
        {
            "ref": call.ref,
            "with": find_call.words_of(call),
            "at": Instant(call.launched_call_ms or 0, call.timezone),
            "talk": Seconds(talk),
            "total": Money(total, call.currency),
            "state": call.reason or str(call.state).lower(),
        },
    )


def _status(tx: Tx, house: House, asker: Asker, ref: str, stamp: Stamp) -> Told:
    call = find_call.by_ref(tx, asker, ref)
    told = control.who(house, call, stamp)
    fields: dict[str, Value] = {**told.fields, "reason": call.reason}
    if call.state is CallState.SCHEDULED and call.due_call_ms is not None:
        fields["at"] = Instant(call.due_call_ms, call.timezone)
    return Told("status", call.ref, told.rows, fields=fields)


def _why(tx: Tx, asker: Asker, ref: str) -> Told:
    call = find_call.by_ref(tx, asker, ref)
    rows: list[Phrase] = []
    total = 0
    for _, explanation, micros, _ in tx.all(EXPLANATIONS, call_id=call.id):
        total += micros
        rows += [Phrase("why_row", {"text": line}) for line in explanation.splitlines()]
    for field, old, new, reason in tx.all(AMENDMENTS, call_id=call.id):
        if field == "total":
            total += int(new) - int(old)
            old, new = (f"{call.currency} {format_amount(int(each))}" for each in (old, new))  # noqa: PLW2901  (the same, as it is read)
        text = f"Amended: {field} {old} -> {new} ({reason})"
        rows.append(Phrase("why_row", {"text": text}))
    if not rows:
        raise Stop("not_billed_yet", ref=call.ref, example=f"status {call.ref}")
    fields: dict[str, Value] = {"ref": call.ref, "total": Money(total, call.currency)}
    return Told("why", call.ref, tuple(rows), fields=fields)


# --- places and help ----------------------------------------------------------------------------


def _help(asker: Asker, command: LocalTime | DialHelp | Menu, stamp: Stamp) -> Told:
    match command:
        case Menu(topic):
            return Told("menu", fields={"topic": topic})
        case LocalTime(text):
            places = _places(text)
            rows = tuple(
                Phrase("time_row", {"place": each.name, "at": Instant(stamp.call_ms, zone)})
                for each in places
                for zone in each.zones[:3]
            )
            return Told("local_time", rows=rows, fields={"text": text})
        case DialHelp(text):
            return _dial_help(asker, text)


def _places(text: str) -> tuple[Place, ...]:
    found = find_place(text)
    places = (found,) if isinstance(found, Place) else found
    if not places:
        raise Stop("no_such_place", text=text, suggestion=suggest_place(text), example="time tokyo")
    return places


def _dial_help(asker: Asker, text: str) -> Told:
    place = _places(text)[0]
    fields: dict[str, Value] = {
        "place": place.name,
        "country": numbering.country_name(place.country) if place.country else "",
        "country_code": str(place.country_code),
        "area_code": place.area_code,
    }
    rows: list[Phrase] = []
    examples = numbering.example_for(place.country) if place.country else None
    home = numbering.example_for(asker.user.country)
    if examples is not None:
        prefix = home.international_prefix if home is not None else ""
        rows.append(
            Phrase(
                "dial_row",
                {
                    "national": examples.national,
                    "international": examples.international,
                    "mobile": examples.mobile,
                    "prefix": prefix,
                },
            )
        )
    return Told("dial_help", rows=tuple(rows), fields=fields)
