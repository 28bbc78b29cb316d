"""A call that was admitted, written down: ids, ref, parties, legs, holds, numbers, counters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from call_core import command_json, numbering
from call_core.calls.holds import with_hold
from call_core.calls.model import (
    ACCEPT_KEY,
    VERIFICATION,
    Call,
    CallState,
    Leg,
    Party,
    Role,
    leg_id,
)
from call_core.commands import Call as CallCommand
from call_core.commands import Conference
from call_core.customers.limits import first_calls_limit_minutes
from call_core.customers.model import OwnPhone
from call_core.evolve import evolve
from call_core.ledger.accounts import Account
from call_core.outcomes import Instant, Launched, Money, Outcome, Phone, Scheduled, Value
from call_core.rating.rater import Extension, RateTerms
from call_core.schedule.resolve import Due
from call_core.storage import call_rows, ledger_rows, people_rows, record_rows, shard_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.transaction import Tx
from call_core.units import changes, funding, refs, resolve
from call_core.units.caller import Asker
from call_core.units.house import House, Stamp
from call_core.units.routes import Rung, Way

LaunchCommand = CallCommand | Conference
EVER = 0
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """A launch with everything resolved, before money.

    Attributes:
        people: A (or the chair) first; label, number and role of each.
        terms: the price of each person's leg, in the same order.
        accept: whether A must press a key; participants always must, B never.
        keys: which; the digits that verify a phone, for a call that does only that.
    """

    command: LaunchCommand
    origin: OwnPhone
    people: tuple[resolve.Resolved, ...]
    terms: tuple[RateTerms, ...]
    accept: bool
    cap_micros: int | None
    max_seconds: int | None
    stated_seconds: int | None
    due: Due | None
    keys: str = ACCEPT_KEY

    @property
    def kind(self) -> str:
        """`call`, `conference` or `verification`."""
        if len(self.people) == 1:
            return VERIFICATION
        return "conference" if isinstance(self.command, Conference) else "call"


def write(
    tx: Tx,
    house: House,
    asker: Asker,
    wanted: Wanted,
    cover: Extension,
    ways: Sequence[Way],
    account: Account | None,
    stamp: Stamp,
    *,
    free: bool,
    scheduled: Call | None,
) -> Call:
    """Write an admitted call with its holds, numbers, counters and audit row."""
    call = _call(tx, house, asker, wanted, cover, ways, stamp, free=free, scheduled=scheduled)
    entries = ledger_rows.hold_entries(None, call, stamp.call_ms)
    ledger_rows.post_entries(tx, entries, stamp.wall_ms, () if account is None else (account,))
    call_rows.insert_numbers(tx, _number_rows(call, wanted, stamp))
    if scheduled is None:
        call_rows.insert_call(tx, call, command_json.to_json(wanted.command))
    else:
        call = call_rows.save_call(tx, scheduled, call, stamp.wall_ms)
    _count(tx, asker, wanted, stamp)
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, f"{call.kind}.launched", call.id))
    changes.announce(tx, call, house)
    return call


def _count(tx: Tx, asker: Asker, wanted: Wanted, stamp: Stamp) -> None:
    subject = asker.customer.id
    rows: list[tuple[str, str, int]] = [(subject, funding.LAUNCHED, stamp.wall_ms // 1000)]
    for person in wanted.people[1:]:
        kinds = funding.callee_kinds(person.number.digits)
        rows += [(subject, kind, stamp.hour) for kind in kinds]
        rows.append((asker.user.id, f"region:{person.number.region}", EVER))
    values: list[dict[str, int | str | None]] = [
        {"subject": subject, "kind": kind, "bucket": bucket, "value": count}
        for (subject, kind, bucket), count in Counter(rows).items()
    ]
    tx.run_many(record_rows.COUNT, values)
    if first_calls_limit_minutes(asker.customer.completed_calls, asker.customer.limits):
        tx.write(people_rows.COUNT_LAUNCH, key_id=subject)


def _call(
    tx: Tx,
    house: House,
    asker: Asker,
    wanted: Wanted,
    cover: Extension,
    ways: Sequence[Way],
    stamp: Stamp,
    *,
    free: bool,
    scheduled: Call | None,
) -> Call:
    call_id = scheduled.id if scheduled is not None else stamp.new_id("call")
    ref = scheduled.ref if scheduled is not None else refs.take(tx, asker, call_id, stamp)
    parties = tuple(_party(call_id, wanted, n, cover, ways[n]) for n in range(len(wanted.people)))
    started = evolve(parties[0].legs[0], originated_call_ms=stamp.call_ms)
    parties = (evolve(parties[0], legs=(started,)), *parties[1:])
    bare = blank_call(house, asker, wanted.command, call_id, ref, stamp)
    shard = house.shard_for(stamp)
    return evolve(
        scheduled if scheduled is not None else bare,
        kind=wanted.kind,
        title=wanted.people[0].label if wanted.kind == VERIFICATION else bare.title,
        state=CallState.LAUNCHING,
        billing_code=wanted.command.billing_code or "",
        private=wanted.command.private,
        cap_micros=wanted.cap_micros,
        max_seconds=wanted.max_seconds,
        stated_seconds=wanted.stated_seconds,
        free_first_leg=free,
        switch=ways[0].switch,
        shard=shard,
        # Not this process's own term: it may have ended without its notice, and then the call is
        # the next owner's to drive.
        epoch=shard_rows.epoch_of(tx, shard) or house.epoch_of(shard),
        launched_call_ms=stamp.call_ms,
        parties=parties,
    )


def blank_call(
    house: House, asker: Asker, command: LaunchCommand, call_id: str, ref: str, stamp: Stamp
) -> Call:
    """Return a call without parties: what stands on the calendar."""
    conference = isinstance(command, Conference)
    return Call(
        id=call_id,
        ref=ref,
        kind="conference" if conference else "call",
        user_id=asker.user.id,
        customer_id=asker.customer.id,
        channel=asker.channel,
        address=asker.address,
        request_id=asker.request_id,
        thread=asker.thread,
        state=CallState.SCHEDULED,
        reason="",
        title=command.title if isinstance(command, Conference) else "",
        billing_code=command.billing_code or "",
        private=command.private,
        locked=False,
        currency=asker.customer.currency,
        cap_micros=None,
        max_seconds=None,
        stated_seconds=None,
        free_first_leg=False,
        switch=house.switch,
        shard=house.shard_for(stamp),
        epoch=0,
        version=1,
        timezone=asker.user.timezone,
        created_wall_ms=stamp.wall_ms,
    )


def number_id(call_id: str, n: int, attempt: int = 1) -> str:
    """Return the id under which a leg's digits are kept."""
    return f"{call_id}.{n}.{attempt}"


def rung(wanted: Wanted) -> list[Rung]:
    """Return who is to be rung, for the choice of trunks."""
    return [
        Rung(n, person.label, person.number.digits, terms)
        for n, (person, terms) in enumerate(zip(wanted.people, wanted.terms, strict=True))
    ]


def _party(call_id: str, wanted: Wanted, n: int, cover: Extension, way: Way) -> Party:
    role = _role(wanted, n)
    person = wanted.people[n]
    leg = new_leg(
        call_id,
        n,
        person,
        wanted.terms[n],
        way,
        accept=wanted.accept if n == 0 else role is Role.PARTICIPANT,
        keys=wanted.keys if n == 0 else ACCEPT_KEY,
        shown=shown_number(wanted.origin, role, number_id(call_id, 0), wanted.command),
    )
    held = with_hold(leg, cover.legs[n].covered_s, cover.legs[n].held_micros)
    return Party(n, role, person.label, leg.number_id, leg.accept, legs=(held,))


def _role(wanted: Wanted, n: int) -> Role:
    if wanted.kind == "conference":
        return Role.PARTICIPANT if n else Role.CHAIR
    return Role.B if n else Role.A


def shown_number(
    origin: OwnPhone, role: Role, origin_number_id: str, command: LaunchCommand
) -> tuple[str, str]:
    """Return whose number a rung phone sees, `(number id, digits)`; ("", "") is the service's.

    Only B sees the caller's number, and only when a key press on that very phone has verified it.
    """
    if role is not Role.B or command.private or not origin.may_be_shown:
        return "", ""
    return origin_number_id, origin.number


def new_leg(
    call_id: str,
    n: int,
    person: resolve.Resolved,
    terms: RateTerms,
    way: Way,
    *,
    accept: bool,
    shown: tuple[str, str],
    keys: str = ACCEPT_KEY,
    attempt: int = 1,
    moves: bool = False,
) -> Leg:
    """Return a leg that is planned: priced, not held for, not originated."""
    return Leg(
        id=leg_id(call_id, n, attempt),
        n=n,
        attempt=attempt,
        number_id=number_id(call_id, n, attempt),
        number=person.number.digits,
        post_dial=person.number.extension,
        caller_number_id=shown[0],
        caller_id=shown[1],
        trunk=way.trunk,
        terms=terms,
        buy_terms=way.buy,
        accept=accept,
        keys=keys,
        moves=moves,
    )


def number_row(
    call_id: str, identifier: str, person: resolve.Resolved, stamp: Stamp
) -> dict[str, int | str | None]:
    """Return the row that keeps a leg's digits."""
    return {
        "id": identifier,
        "call_id": call_id,
        "digits": person.number.digits,
        "extension": person.number.extension,
        "masked": numbering.masked(person.number),
        "region": person.number.region,
        "created_wall_ms": stamp.wall_ms,
    }


def _number_rows(call: Call, wanted: Wanted, stamp: Stamp) -> list[dict[str, int | str | None]]:
    return [
        number_row(call.id, number_id(call.id, n), person, stamp)
        for n, person in enumerate(wanted.people)
    ]


def put_on_calendar(tx: Tx, house: House, asker: Asker, wanted: Wanted, stamp: Stamp) -> Outcome:
    """Write a call for later. Nothing is held; the exact instant replaces the words."""
    assert wanted.due is not None, wanted
    call_id = stamp.new_id("call")
    ref = refs.take(tx, asker, call_id, stamp)
    exact = resolve.with_time(wanted.command, wanted.due)
    call = evolve(
        blank_call(house, asker, wanted.command, call_id, ref, stamp),
        due_call_ms=wanted.due.at_ms,
        timezone=wanted.due.zone,
    )
    call_rows.insert_call(tx, call, command_json.to_json(exact))
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, f"{call.kind}.scheduled", call.id))
    changes.announce(tx, call)
    fields: dict[str, Value] = {
        "ref": ref,
        "to": with_whom(wanted),
        "at": Instant(wanted.due.at_ms, wanted.due.zone),
        "local": wanted.due.local,
        "note": str(wanted.due.note),
        "from": wanted.origin.label,
    }
    there = _their_zone(wanted)
    if there and wanted.kind == "call":
        fields["there"] = Instant(wanted.due.at_ms, there)
    return Scheduled(f"{wanted.kind}_scheduled", ref, call_id, fields)


def _their_zone(wanted: Wanted) -> str:
    zones = numbering.zones_of(wanted.people[1].number)
    return zones[0] if len(zones) == 1 else ""


def with_whom(wanted: Wanted) -> str:
    """Return whom the call is with, in one short phrase."""
    others = wanted.people[1:]
    if wanted.kind == "call":
        return others[0].label
    title = wanted.command.title if isinstance(wanted.command, Conference) else ""
    return title or f"{len(others)} people"


def prices(wanted: Wanted) -> Money:
    """Return the price of a minute of all legs together."""
    return Money(
        sum(terms.price_micros_per_minute for terms in wanted.terms), wanted.terms[0].currency
    )


def launched(asker: Asker, wanted: Wanted, call: Call, stamp: Stamp) -> Outcome:
    """Return the answer to a launch: who is rung, what a minute costs, what was promised."""
    fields: dict[str, Value] = {
        "ref": call.ref,
        "to": with_whom(wanted),
        "from": wanted.origin.label,
        "parties": len(wanted.people),
        "price": prices(wanted),
        "key": int(wanted.accept),
        "free_first": int(call.free_first_leg),
    }
    if wanted.kind == "call":
        number = wanted.people[1].number
        fields["number"] = Phone(number.digits, number.extension)
        fields["destination"] = wanted.terms[1].destination
        there = _their_zone(wanted)
        if there:
            fields["there"] = Instant(stamp.call_ms, there)
    if call.cap_micros is not None:
        fields["cap"] = Money(call.cap_micros, asker.customer.currency)
    if call.max_seconds is not None:
        fields["max_minutes"] = call.max_seconds // MINUTE_S
    return Launched(f"{wanted.kind}_launched", call.ref, call.id, fields)
