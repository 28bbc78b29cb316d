"""One change of a call, committed whole: facts, holds, settlements, CDRs, ports, notices.

Every unit that changes a call ends here. What is written follows from the difference between the
call as it was and as it should be, so no unit can forget the money side of what it does.
"""

from collections.abc import Mapping, Sequence

from call_core import numbering
from call_core.calls.causes import cause_of
from call_core.calls.holds import is_free, leg_word, may_settle, settle_leg
from call_core.calls.model import MS, VERIFICATION, Call, CallState, Leg
from call_core.contracts import SwitchEvent
from call_core.evolve import evolve
from call_core.ledger.accounts import (
    Account,
    AccountKind,
    available,
    customer_account,
)
from call_core.notices import Notice
from call_core.notices import to_json as notice_to_json
from call_core.rating.explain import LegBill, explain
from call_core.rating.rater import rate_duration
from call_core.rating.settlement import Settlement
from call_core.storage import call_rows, ledger_rows, outbox_rows, people_rows, record_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.transaction import Tx
from call_core.units import news, ports
from call_core.units.house import House, Stamp

SPENT = "spent"
FREE_LEGS = "free_legs"
CALLS_TOPIC = "call:"
CALENDAR_TOPIC = "calendar:"


def commit_change(
    tx: Tx,
    house: House,
    old: Call,
    new: Call,
    stamp: Stamp,
    notices: Sequence[Notice] = (),
) -> Call:
    """Write the change from `old` to `new` and everything that follows from it.

    Returns:
        The call as stored: settled where it could be, its version counted up.

    Raises:
        Fenced: somebody else wrote the call since `old` was read.
        LedgerRefusal: the holds of `new` do not fit the balance.
    """
    entries = ledger_rows.hold_entries(old, new, stamp.call_ms)
    accounts: dict[str, Account] = {}
    account = None
    if entries or _settles(new):
        # The customer's account before any other row; then the call, ports, the house's accounts.
        account = ledger_rows.lock_account(tx, new.customer_id)
    new, settlements = _settle(tx, house, new, stamp)
    if new == old and not notices:
        return old
    for leg, settlement in settlements:
        made = ledger_rows.settlement_entries(new, leg, settlement, stamp.call_ms)
        # What a leg that nobody answered held is free again for the attempt that follows it.
        entries = [*made, *entries] if leg.answered_call_ms is None else [*entries, *made]
    # The fence first: who comes second with an old call must learn that, not that its hold is gone.
    stored = call_rows.save_call(tx, old, new, stamp.wall_ms)
    ports.free_of_change(tx, house, old, stored)
    if entries:
        known = () if account is None else (account,)
        accounts = ledger_rows.post_entries(tx, entries, stamp.wall_ms, known)
    if settlements:
        _record(tx, house, stored, settlements, stamp)
    _note_verified(tx, old, stored)
    told = [*notices, *_missing(old, stored)]
    if stored.ended and not old.ended and stored.parties:
        told.append(_receipt(tx, stored, accounts))
    for notice in told:
        put_notice(tx, stored, notice, stamp)
    announce(tx, stored, None if stored.state is CallState.SCHEDULED else house)
    return stored


def announce(tx: Tx, call: Call, house: House | None = None) -> None:
    """Tell every process that a call is stored as this version: its shard's owner looks at it.

    Where many nodes drive calls, the owner's own units (those that give `house`) tell nobody: its
    driver knows, and PostgreSQL lets one commit that announces anything pass at a time.
    """
    if house is not None and house.shards > 1 and house.drives(call.shard, call.epoch):
        return
    if call.state is CallState.SCHEDULED:
        tx.announce(CALENDAR_TOPIC + call.id)
    else:
        tx.announce(f"{CALLS_TOPIC}{call.shard}:{call.id}:{call.version}")


def _settle(
    tx: Tx, house: House, call: Call, stamp: Stamp
) -> tuple[Call, list[tuple[Leg, Settlement]]]:
    settled: list[tuple[Leg, Settlement]] = []
    for leg in list(call.legs()):
        if not may_settle(call, leg) or _settles_with_the_call(call):
            continue
        if not leg.holds:
            # Ended before any money was held for it, so it never rang: no hold ends, no record.
            call = call.with_leg(evolve(leg, settled=True))
            continue
        done = evolve(leg, settled=True, free=free_allowed(tx, house, call, leg, stamp))
        settlement = settle_leg(call, done, house.rules)
        done = evolve(done, charge_micros=settlement.total_micros)
        settled.append((done, settlement))
        call = call.with_leg(done)
    return call, settled


def _settles(call: Call) -> bool:
    """Whether a bill of this call is written now."""
    return any(may_settle(call, leg) for leg in call.legs()) and not _settles_with_the_call(call)


def _settles_with_the_call(call: Call) -> bool:
    """Whether a call of two waits for its other end, so that both bills are one write.

    Only while it ends: the other leg was asked to hang up, or did, in this very moment.
    """
    ending = call.kind == "call" and call.state is CallState.ENDING
    return ending and not all(leg.ended for leg in call.legs())


def free_allowed(tx: Tx, house: House, call: Call, leg: Leg, stamp: Stamp) -> bool:
    """Count a free leg against the day's allowance; A's own was promised at launch."""
    if not is_free(call, leg):
        return False
    promised = leg.n == call.first.n
    used = record_rows.counted(tx, call.user_id, FREE_LEGS, stamp.day)
    if not promised and used >= house.limits.free_legs_per_day:
        return False
    record_rows.count(tx, call.user_id, FREE_LEGS, stamp.day)
    return True


def _record(
    tx: Tx,
    house: House,
    call: Call,
    settlements: Sequence[tuple[Leg, Settlement]],
    stamp: Stamp,
) -> None:
    rows = [
        _cdr(call, leg, each, ports.key_of(house, call, leg)[0], stamp) for leg, each in settlements
    ]
    tx.run_many(record_rows.INSERT_CDR, rows)
    spent = sum(each.total_micros for _, each in settlements)
    if spent:
        record_rows.count(tx, call.customer_id, SPENT, stamp.day, spent)


def cdr_id(leg: Leg) -> str:
    """Return the id of a leg's CDR; one leg has one."""
    return f"cdr_{leg.id}"


def _cdr(
    call: Call, leg: Leg, settlement: Settlement, switch: str, stamp: Stamp
) -> dict[str, str | int | None]:
    assert leg.ended_call_ms is not None, leg
    first = leg.n == call.first.n
    setup = leg.originated_call_ms if leg.originated_call_ms is not None else leg.ended_call_ms
    answered = leg.answered_call_ms
    buy_cost, buy_currency = _buy_cost(leg)
    by = hung_up_by(leg, first=first)
    cause = cause_of(leg.cause).name
    bill = LegBill(
        leg=leg_word(call, leg),
        number=numbering.masked(leg.number) if leg.number else "",
        terms=leg.terms,
        settlement=settlement,
        ring_ms=max(0, (answered if answered is not None else leg.ended_call_ms) - setup),
        end_estimated=leg.end_estimated,
        hangup_by=by,
        hangup_cause=cause,
        switch=switch,
        trunk=leg.trunk,
        buy_cost_micros=buy_cost,
        buy_currency=buy_currency,
    )
    tax = sum(line.amount_micros for line in settlement.tax_lines)
    return {
        "id": cdr_id(leg),
        "call_id": call.id,
        "ref": call.ref,
        "customer_id": call.customer_id,
        "user_id": call.user_id,
        "party": leg.n,
        "attempt": leg.attempt,
        "leg": bill.leg,
        "channel": call.channel,
        "request_id": call.request_id,
        "from_number_id": "" if first else call.first.number_id,
        "to_number_id": leg.number_id,
        "destination": leg.terms.destination,
        "prefix": leg.terms.prefix,
        "rate_id": leg.terms.rate_id,
        "setup_call_ms": setup,
        "answer_call_ms": answered,
        "end_call_ms": leg.ended_call_ms,
        "end_estimated": int(leg.end_estimated),
        "duration_s": 0 if settlement.duration_ms is None else -(-settlement.duration_ms // MS),
        "billable_s": settlement.billable_s,
        "price_micros_per_minute": leg.terms.price_micros_per_minute,
        "connect_fee_micros": leg.terms.connect_fee_micros,
        "charge_micros": settlement.charge_micros,
        "tax_micros": tax,
        "total_micros": settlement.total_micros,
        "currency": call.currency,
        "buy_cost_micros": buy_cost or 0,
        "buy_currency": buy_currency,
        "billing_code": call.billing_code,
        "hangup_cause": cause,
        "hangup_by": by,
        "switch": switch,
        "trunk": leg.trunk,
        "explanation": explain(bill),
        "created_wall_ms": stamp.wall_ms,
    }


def hung_up_by(leg: Leg, *, first: bool) -> str:
    """Return who ended a leg, for the CDR: `caller`, `callee`, `service` or `network`."""
    if leg.hangup_by == "party":
        return "caller" if first else "callee"
    return {"us": "service", "switch": "network"}.get(leg.hangup_by, "service")


def _buy_cost(leg: Leg) -> tuple[int | None, str]:
    if leg.buy_terms is None:
        return None, ""
    if leg.answered_call_ms is None or leg.ended_call_ms is None:
        return 0, leg.buy_terms.currency
    duration_ms = max(0, leg.ended_call_ms - leg.answered_call_ms)
    return rate_duration(leg.buy_terms, duration_ms).charge_micros, leg.buy_terms.currency


def _note_verified(tx: Tx, old: Call, new: Call) -> None:
    """Mark a phone verified once the digits that were shown elsewhere have been keyed on it."""
    if new.kind != VERIFICATION or _verified(old) or not _verified(new):
        return
    leg = new.first.last_leg
    tx.write(
        people_rows.SET_VERIFIED,
        key_user_id=new.user_id,
        key_number=leg.number,
        key_extension=leg.post_dial,
    )


def _verified(call: Call) -> bool:
    return any(leg.accepted_call_ms is not None for leg in call.legs())


def _missing(old: Call, new: Call) -> list[Notice]:
    """Return the news of conference parties that have just turned out not to be reachable."""
    if new.kind != "conference" or new.ended or new.reason:
        return []
    before = {party.n: party.gone for party in old.parties}
    return [
        news.party_missing(new, party)
        for party in new.others
        if party.gone
        and not before.get(party.n, False)
        and party.last_leg.accepted_call_ms is None
        and not party.dropped
    ]


def _receipt(tx: Tx, call: Call, written: Mapping[str, Account]) -> Notice:
    account = written.get(customer_account(call.customer_id))
    if account is None:
        account = ledger_rows.read_account(tx, call.customer_id)
    left = 0 if account is None else available(account)
    postpaid = account is not None and account.kind is AccountKind.CUSTOMER_POSTPAID
    return news.receipt(call, left, postpaid=postpaid)


def put_notice(tx: Tx, call: Call, notice: Notice, stamp: Stamp) -> None:
    """Write a notice to the outbox, to where the call was launched from.

    A call from a page or the API has no address: its news are on the page. What was scheduled
    there goes to the user's first address on file, since nobody is looking at the page then.
    """
    channel, address, thread = call.channel, call.address, call.thread
    if not address:
        if call.due_call_ms is None:
            return
        sender = next(iter(reachable_senders(tx, call.user_id)), None)
        if sender is None:
            return
        channel, address, thread = *sender, ""
    expires = stamp.wall_ms + notice.expires_after_s * MS if notice.expires_after_s else None
    outbox_rows.put(
        tx,
        outbox_id=stamp.new_id("msg"),
        user_id=call.user_id,
        channel=channel,
        address=address,
        kind="notice",
        body=notice_to_json(notice),
        now_wall_ms=stamp.wall_ms,
        call_id=call.id,
        ref=call.ref,
        thread=thread,
        timezone=call.timezone,
        expires_wall_ms=expires,
    )


def reachable_senders(tx: Tx, user_id: str) -> list[tuple[str, str]]:
    """Return the user's addresses that may be written to, `(channel, address)`, best first."""
    return [
        (channel, address)
        for _, _, address, channel, opted_out in tx.all(people_rows.SENDERS, user_id=user_id)
        if not opted_out
    ]


def tell_addresses(tx: Tx, user_id: str, notice: Notice, stamp: Stamp, but: str = "") -> None:
    """Tell every address of a user but one about something that is not about a call."""
    for channel, address in reachable_senders(tx, user_id):
        if address == but:
            continue
        outbox_rows.put(
            tx,
            outbox_id=stamp.new_id("msg"),
            user_id=user_id,
            channel=channel,
            address=address,
            kind="notice",
            body=notice_to_json(notice),
            now_wall_ms=stamp.wall_ms,
        )


def quarantine(tx: Tx, call_id: str, events: Sequence[SwitchEvent], stamp: Stamp) -> None:
    """Put events that no table row knows on the audit: a defect of ours, never a retry."""
    for event in events:
        tx.audit(
            AuditEntry(
                stamp.wall_ms,
                "switch",
                "event.quarantined",
                call_id,
                f'{{"event":"{event.event_id}","kind":"{event.kind}","leg":"{event.leg_id}"}}',
            )
        )
