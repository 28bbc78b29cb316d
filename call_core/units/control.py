"""Controlling a running call: add, drop, mute, lock, extend, redial, move, who, hang up.

Each command changes the call as data; the holds, the ports and the switch follow from the change.
"""

from dataclasses import replace

from call_core import command_json
from call_core.calls import holds
from call_core.calls.causes import Cause
from call_core.calls.holds import first_cover, with_hold
from call_core.calls.machine import end
from call_core.calls.model import MS, Call, CallState, Leg, LegState, Party, Reason, Role
from call_core.calls.plan import next_attempt, time_limit_call_ms
from call_core.commands import (
    Add,
    Control,
    Drop,
    Extend,
    HangUp,
    Lock,
    Move,
    Mute,
    Redial,
    Unlock,
    Unmute,
    Who,
)
from call_core.customers.admission import AdmissionFacts, admit_live
from call_core.customers.callability import PartyRole
from call_core.customers.limits import first_calls_limit_minutes
from call_core.customers.model import UserRole
from call_core.evolve import evolve
from call_core.outcomes import Done, Instant, Money, Outcome, Phrase, Seconds, Told, Value
from call_core.storage import call_rows, ledger_rows, record_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.transaction import Tx
from call_core.units import changes, find_call, funding, launch, new_call, resolve, routes, vouched
from call_core.units.advance import terms_at
from call_core.units.caller import Asker, Stop, own_phones
from call_core.units.house import House, Stamp

_MINUTE_S = 60


def control(
    tx: Tx, house: House, asker: Asker, command: Control, stamp: Stamp
) -> tuple[Outcome, Call]:
    """Do a control command to the call it means.

    Returns:
        The answer, and the call as stored, for its driver.

    Raises:
        Stop: it cannot be done. Ask: several calls may be meant.
    """
    call = find_call.running(tx, asker, command.ref, lambda ref: replace(command, ref=ref))
    if isinstance(command, Who):
        return who(house, call, stamp), call
    _may_control(asker, call, command)
    new, outcome = _changed(tx, house, asker, call, command, stamp)
    stored = changes.commit_change(tx, house, call, new, stamp)
    action = f"call.{type(command).__name__.lower()}"
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, action, call.id))
    return outcome, stored


def _changed(
    tx: Tx, house: House, asker: Asker, call: Call, command: Control, stamp: Stamp
) -> tuple[Call, Outcome]:
    match command:
        case Add():
            return _add(tx, house, asker, call, command, stamp)
        case Redial():
            return _redial(tx, house, asker, call, command, stamp)
        case Move():
            return _move(tx, house, asker, call, command, stamp)
        case Drop():
            return _drop(call, command, stamp)
        case Mute() | Unmute():
            return _mute(call, command)
        case _:
            return _changed_whole(tx, house, asker, call, command, stamp)


def _changed_whole(
    tx: Tx,
    house: House,
    asker: Asker,
    call: Call,
    command: Lock | Unlock | Extend | HangUp | Who,
    stamp: Stamp,
) -> tuple[Call, Outcome]:
    match command:
        case Lock() | Unlock():
            return _lock(call, command)
        case Extend():
            return _extend(tx, house, asker, call, command)
        case HangUp():
            return _hang_up(house, call, stamp)
        case Who():
            return call, who(house, call, stamp)


def _may_control(asker: Asker, call: Call, command: Control) -> None:
    """An administrator may see and end other users' calls, and nothing else."""
    if call.user_id == asker.user.id or asker.user.role is UserRole.OPERATOR:
        return
    if not isinstance(command, HangUp):
        raise Stop("not_your_call", ref=call.ref)


def _add(
    tx: Tx, house: House, asker: Asker, call: Call, command: Add, stamp: Stamp
) -> tuple[Call, Outcome]:
    if call.locked:
        raise Stop("call_locked", ref=call.ref, example=f"unlock {call.ref}")
    phones = own_phones(tx, asker)
    person = resolve.target_or_ask(
        tx,
        asker,
        command.target,
        phones,
        lambda chosen: Add(chosen, call.ref),
    )
    vouched.check_new_party(tx, asker, call, command, person.number.region)
    n = max(party.n for party in call.parties) + 1
    leg = _new_leg(tx, house, asker, call, n, 1, person, stamp, accept=True)
    party = Party(n, Role.PARTICIPANT, person.label, leg.number_id, accept=True, legs=(leg,))
    new = evolve(call.with_party(party), kind="conference")
    if call.kind != "conference":
        # The third person makes a conference of a call: its chair is the caller.
        new = _as_conference(new)
    return new, Done("added", call.ref, call.id, {"label": person.label, "party": n})


def _as_conference(call: Call) -> Call:
    roles = {Role.A: Role.CHAIR, Role.B: Role.PARTICIPANT}
    parties = tuple(evolve(party, role=roles.get(party.role, party.role)) for party in call.parties)
    return evolve(call, parties=parties)


def _new_leg(
    tx: Tx,
    house: House,
    asker: Asker,
    call: Call,
    n: int,
    attempt: int,
    person: resolve.Resolved,
    stamp: Stamp,
    *,
    accept: bool,
    moves: bool = False,
) -> Leg:
    """Return one more leg of a running call: allowed, priced, paid for, with a port and digits."""
    terms = terms_at(tx, house, asker.tariff, person.number.digits, stamp.call_ms)
    chair = call.first.last_leg
    origin = None
    if n != call.first.n:
        origin = resolve.Resolved(
            call.first.label, resolve.stored_number(chair.number, chair.post_dial)
        )
    role = PartyRole.PARTICIPANT if origin is not None else PartyRole.A
    launch.NumberGate(house, asker).check(person, role, origin, sold=terms is not None)
    assert terms is not None, person
    way = routes.Way(call.switch, "", None)  # chosen with the port, once it is paid for
    leg = new_call.new_leg(
        call.id,
        n,
        person,
        terms,
        way,
        accept=accept,
        shown=("", ""),
        attempt=attempt,
        moves=moves,
    )
    leg = _paid(tx, house, asker, call, person.label, leg, stamp)
    call_rows.insert_numbers(tx, [new_call.number_row(call.id, leg.number_id, person, stamp)])
    return leg


def _paid(
    tx: Tx, house: House, asker: Asker, call: Call, label: str, leg: Leg, stamp: Stamp
) -> Leg:
    """Return the leg with its first hold, a trunk and a port; limits are those of a launch."""
    cover = first_cover([leg.terms], house.rules)
    _admit(tx, asker, call, leg, cover.added_micros, stamp)
    left = funding.budget(tx, call).available_micros
    cap_left = holds.cap_left_micros(call)
    least = left if cap_left is None else min(left, cap_left)
    if cover.added_micros > least:
        code = "cap_reached" if cap_left is not None and cap_left < left else "balance_too_small"
        raise Stop(
            code,
            ref=call.ref,
            needed=Money(cover.added_micros, call.currency),
            available=Money(max(0, least), call.currency),
        )
    rung = routes.Rung(leg.n, label, leg.number, leg.terms)
    (way,) = routes.routed(tx, house, [rung], call.shard, stamp, home=call.switch, ref=call.ref)
    leg = evolve(leg, trunk=way.trunk, buy_terms=way.buy)
    for kind in funding.callee_kinds(leg.number):
        record_rows.count(tx, asker.customer.id, kind, stamp.hour)
    return with_hold(leg, cover.legs[0].covered_s, cover.legs[0].held_micros)


def _admit(tx: Tx, asker: Asker, call: Call, leg: Leg, hold_micros: int, stamp: Stamp) -> None:
    account = ledger_rows.lock_account(tx, asker.customer.id)
    asker, _, counts = funding.standing_and_counts(tx, asker, leg.number, stamp)
    launch.refuse_frozen_prefix(asker, leg.number)
    held = 0 if account is None else account.debits_pending
    alive = {party.n for party in call.parties if not party.gone} | {leg.n}
    party = call.party(leg.n)
    refusal = admit_live(
        AdmissionFacts(
            customer=asker.customer,
            user=asker.user,
            origin=None,
            service_frozen=asker.frozen.everything,
            parties=len(alive),
            redials=0 if party is None else party.redials,
            spent_today_micros=counts.spent_today_micros + held,
            hold_micros=hold_micros,
            callees=(counts.callee,),
        )
    )
    if refusal is not None:
        raise Stop(str(refusal.code), refusal.fields, ref=call.ref)


def _drop(call: Call, command: Drop, stamp: Stamp) -> tuple[Call, Outcome]:
    n = resolve.party_number(call, command.party, "drop")
    party = call.party(n)
    assert party is not None, n
    if party.gone:
        raise Stop("party_gone", ref=call.ref, label=party.label, example=f"redial {n}")
    new = call.with_party(evolve(party, dropped=True))
    for leg in party.legs:
        if not leg.ended and not leg.hangup_asked:
            new = new.with_leg(_stopped(leg, Cause.DROPPED, stamp))
    return new, Done("dropped", call.ref, call.id, {"label": party.label, "party": n})


def _stopped(leg: Leg, cause: Cause, stamp: Stamp) -> Leg:
    """Return a leg on its way out: at once when it was never originated."""
    if leg.originated_call_ms is None:
        return evolve(leg, ended_call_ms=stamp.call_ms, cause=int(Cause.NOT_DIALLED))
    return evolve(leg, hangup_asked=int(cause))


def _mute(call: Call, command: Mute | Unmute) -> tuple[Call, Outcome]:
    muted = isinstance(command, Mute)
    word = "muted" if muted else "unmuted"
    if command.party is None:
        new = call
        for other in call.others:
            new = new.with_party(evolve(other, muted=muted))
        return new, Done(f"{word}_all", call.ref, call.id, {"parties": len(call.others)})
    n = resolve.party_number(call, command.party, "mute")
    party = call.party(n)
    assert party is not None, n
    new = call.with_party(evolve(party, muted=muted))
    return new, Done(word, call.ref, call.id, {"label": party.label, "party": n})


def _lock(call: Call, command: Lock | Unlock) -> tuple[Call, Outcome]:
    locked = isinstance(command, Lock)
    new = evolve(call, locked=locked)
    return new, Done("locked" if locked else "unlocked", call.ref, call.id)


def _extend(
    tx: Tx, house: House, asker: Asker, call: Call, command: Extend
) -> tuple[Call, Outcome]:
    """Lengthen a call, but never beyond the longest duration of a new customer's first calls."""
    if call.stated_seconds is None and call.max_seconds is None:
        raise Stop("no_time_limit", ref=call.ref)
    more = command.minutes * _MINUTE_S
    longest = None if call.max_seconds is None else call.max_seconds + more
    new = evolve(
        call,
        stated_seconds=None if call.stated_seconds is None else call.stated_seconds + more,
        max_seconds=_within_first_calls(tx, asker, call, longest),
        warned_call_ms=None,
    )
    gained_s = _limit_seconds(new) - _limit_seconds(call)
    until = time_limit_call_ms(new, house.rules)
    fields: dict[str, Value] = {"minutes": gained_s // _MINUTE_S}
    if until is not None:
        fields["at"] = Instant(until, call.timezone)
    return new, Done("extended", call.ref, call.id, fields)


def _limit_seconds(call: Call) -> int:
    return min(each for each in (call.stated_seconds, call.max_seconds) if each is not None)


def _within_first_calls(tx: Tx, asker: Asker, call: Call, longest_s: int | None) -> int | None:
    """Return how long a call may be made: what the service itself shortened stays so short.

    The customer may have stopped being new with this very call, so what was asked then counts.
    """
    if call.max_seconds is None or longest_s is None:
        return longest_s
    row = tx.one(call_rows.LOAD_COMMAND, id=call.id)
    asked = None if row is None else getattr(command_json.from_json(row[0]), "max_minutes", None)
    if asked is None or asked * _MINUTE_S > call.max_seconds:
        return call.max_seconds
    limit = first_calls_limit_minutes(asker.customer.completed_calls, asker.customer.limits)
    return longest_s if limit is None else min(longest_s, limit * _MINUTE_S)


def _redial(
    tx: Tx, house: House, asker: Asker, call: Call, command: Redial, stamp: Stamp
) -> tuple[Call, Outcome]:
    n = resolve.party_number(call, command.party, "redial")
    party = call.party(n)
    assert party is not None, n
    if not party.gone:
        raise Stop("party_here", ref=call.ref, label=party.label, party=n)
    old = party.last_leg
    terms = terms_at(tx, house, asker.tariff, old.number, stamp.call_ms)
    person = resolve.Resolved(party.label, resolve.stored_number(old.number, old.post_dial))
    gate = launch.NumberGate(house, asker)
    gate.check(person, PartyRole.PARTICIPANT, None, sold=terms is not None)
    assert terms is not None, person
    again = evolve(next_attempt(old), terms=terms)
    leg = _paid(tx, house, asker, call, party.label, again, stamp)
    new = call.with_party(evolve(party, redials=party.redials + 1, dropped=False))
    return new.with_leg(leg), Done(
        "redialling", call.ref, call.id, {"label": party.label, "party": n}
    )


def _move(
    tx: Tx, house: House, asker: Asker, call: Call, command: Move, stamp: Stamp
) -> tuple[Call, Outcome]:
    phone = resolve.own_phone(asker, command.to, own_phones(tx, asker))
    if not phone.verified:
        raise Stop("phone_not_verified", ref=call.ref, label=phone.label)
    first = call.first
    if first.talking_leg is not None and first.talking_leg.number == phone.number:
        raise Stop("already_there", ref=call.ref, label=phone.label)
    person = resolve.Resolved(phone.label, resolve.stored_number(phone.number, phone.extension))
    attempt = first.last_leg.attempt + 1
    leg = _new_leg(tx, house, asker, call, first.n, attempt, person, stamp, accept=True, moves=True)
    return call.with_leg(leg), Done("moving", call.ref, call.id, {"label": phone.label})


def _hang_up(house: House, call: Call, stamp: Stamp) -> tuple[Call, Outcome]:
    new = end(call, Reason.HUNG_UP, stamp.call_ms, house.rules)
    return new, Done("hung_up", call.ref, call.id, {"with": find_call.words_of(call)})


def who(house: House, call: Call, stamp: Stamp) -> Told:
    """Return who is in a call, with each person's state, time and cost."""
    rows = tuple(_who_row(house, call, party, stamp) for party in call.parties)
    total = sum(
        holds.running_cost_micros(call, leg, stamp.call_ms, house.rules) for leg in call.legs()
    )
    fields: dict[str, Value] = {
        "ref": call.ref,
        "with": find_call.words_of(call),
        "state": str(call.state),
        "talking": sum(1 for party in call.parties if party.talking_leg is not None),
        "parties": len(call.parties),
        "total": Money(total, call.currency),
    }
    return Told("who", call.ref, rows, fields=fields)


def _who_row(house: House, call: Call, party: Party, stamp: Stamp) -> Phrase:
    leg = party.last_leg
    talked = 0
    if leg.answered_call_ms is not None:
        end_ms = leg.ended_call_ms if leg.ended_call_ms is not None else stamp.call_ms
        talked = max(0, end_ms - leg.answered_call_ms) // MS
    cost = sum(
        holds.running_cost_micros(call, each, stamp.call_ms, house.rules) for each in party.legs
    )
    return Phrase(
        "who_row",
        {
            "party": party.n,
            "label": party.label,
            "state": _state_word(call, leg),
            "muted": int(party.muted),
            "talk": Seconds(talked),
            "cost": Money(cost, call.currency),
        },
    )


def _state_word(call: Call, leg: Leg) -> str:
    """Return where a leg is; that it is bridged follows from the call, since it is no unit."""
    talking = sum(1 for each in call.legs() if each.talking)
    bridged = leg.talking and talking > 1
    return str(LegState.BRIDGED if bridged else leg.state).lower()


def stop_call(tx: Tx, house: House, call: Call, reason: Reason, stamp: Stamp) -> Call:
    """End a call because the operator (or a disabled user's administrator) says so."""
    if call.state in (CallState.ENDING, CallState.ENDED):
        return call
    if call.state in (CallState.SCHEDULED, CallState.ASKED):
        new = evolve(call, state=CallState.ENDED, reason=str(reason), ended_call_ms=stamp.call_ms)
    else:
        new = end(call, reason, stamp.call_ms, house.rules)
    return changes.commit_change(tx, house, call, new, stamp)
