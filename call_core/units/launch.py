"""Launching: one command becomes a call with its parties, legs, prices and holds, or an answer.

The same code launches what was asked now, what was confirmed, and what was scheduled: full
admission with the prices of the moment, each time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from call_core.calls.holds import first_cover
from call_core.calls.model import Call
from call_core.calls.rules import Rules
from call_core.commands import Call as CallCommand
from call_core.commands import Conference, Target
from call_core.customers.admission import AdmissionFacts, admit
from call_core.customers.callability import CallableContext, PartyRole, callable_number
from call_core.customers.limits import first_calls_limit_minutes
from call_core.customers.model import OwnPhone
from call_core.customers.refusals import Refusal
from call_core.customers.trust import Permission, TrustContext, accept_key_needed
from call_core.ledger.accounts import Account, available
from call_core.outcomes import Money, Outcome, Phone
from call_core.rating.deck import RateDeck
from call_core.rating.rater import Extension, LegCover, RateTerms, longest_common_seconds
from call_core.requests import Evidence
from call_core.storage import ledger_rows, people_rows, record_rows
from call_core.storage.transaction import Tx
from call_core.units import funding, new_call, resolve, routes, vouched
from call_core.units.advance import terms_in
from call_core.units.caller import Ask, Asker, Stop, own_phones, permit
from call_core.units.house import House, Stamp
from call_core.units.new_call import EVER, MINUTE_S, LaunchCommand, Wanted


def launch(
    tx: Tx,
    house: House,
    asker: Asker,
    command: LaunchCommand,
    stamp: Stamp,
    scheduled: Call | None = None,
) -> tuple[Outcome, Call | None]:
    """Launch or schedule a call.

    Args:
        tx: the transaction.
        house: the deployment.
        asker: who asks, with what was confirmed already.
        command: what was asked.
        stamp: now.
        scheduled: the entry on the calendar that is due now; it keeps its id and ref.

    Returns:
        The answer, and the call when one is to be driven now.

    Raises:
        Stop: a refusal. Ask: a question. Neither has written anything.
    """
    wanted = _resolve(tx, house, asker, command, stamp)
    account = ledger_rows.lock_account(tx, asker.customer.id)
    asker, standing, counts = _counts(tx, asker, wanted, stamp)
    facts = facts_of(tx, asker, wanted, account, standing, counts)
    if wanted.due is not None and scheduled is None:
        refuse(admit(replace(facts, scheduled=True)))
        _check_trust(tx, asker, wanted, 0, stamp)
        return new_call.put_on_calendar(tx, house, asker, wanted, stamp), None
    cover = cover_of(asker, wanted, account, house.rules)
    facts = replace(facts, hold_micros=cover.added_micros)
    refuse(admit(facts))
    _check_trust(tx, asker, wanted, cover.added_micros, stamp)
    _check_price(asker, command, cover)
    free = free_promised(house, asker, wanted, standing.promised_free + counts[0].free_legs_today)
    ways = routes.routed(tx, house, new_call.rung(wanted), house.shard_for(stamp), stamp)
    call = new_call.write(
        tx, house, asker, wanted, cover, ways, account, stamp, free=free, scheduled=scheduled
    )
    return new_call.launched(asker, wanted, call, stamp), call


def rehearse(tx: Tx, house: House, asker: Asker, command: LaunchCommand, stamp: Stamp) -> Extension:
    """Decide a launch without doing it; return what it would hold.

    Raises:
        Stop: it would be refused. Ask: it would be asked.
    """
    wanted = _resolve(tx, house, asker, command, stamp)
    account = ledger_rows.lock_account(tx, asker.customer.id)
    cover = cover_of(asker, wanted, account, house.rules)
    asker, _, counts = _counts(tx, asker, wanted, stamp)
    facts = facts_of(tx, asker, wanted, account, funding.Standing(0, 0, 0), counts)
    refuse(admit(replace(facts, hold_micros=cover.added_micros, launches_last_second=0)))
    return cover


# --- what is meant ------------------------------------------------------------------------------


def _resolve(tx: Tx, house: House, asker: Asker, command: LaunchCommand, stamp: Stamp) -> Wanted:
    phones = own_phones(tx, asker)
    origin = resolve.own_phone(asker, command.origin, phones)
    first = resolve.Resolved(origin.label, resolve.stored_number(origin.number, origin.extension))
    conference = isinstance(command, Conference)
    written: tuple[Target, ...] = (
        command.participants if isinstance(command, Conference) else (command.to,)
    )
    if conference and len(written) + 1 > asker.customer.limits.parties:
        # Before anything is looked up: a list that is too long costs nothing to refuse.
        most = asker.customer.limits.parties
        raise Stop("too_many_parties", limit=most, asked=len(written) + 1, change="operator")
    others = tuple(_target(tx, asker, command, n, phones) for n in range(len(written)))
    people = (first, *others)
    _no_repeats(people)
    deck = house.decks.active(tx, asker.tariff, asker.deck_version)
    gate = NumberGate(house, asker)
    terms = tuple(
        _term(gate, deck, person, None if n == 0 else first, stamp, conference=conference)
        for n, person in enumerate(people)
    )
    granted = permit(command, asker, _trust(asker, len(people)))
    minutes = command.max_minutes
    limit = first_calls_limit_minutes(asker.customer.completed_calls, asker.customer.limits)
    if limit is not None:
        minutes = limit if minutes is None else min(minutes, limit)
    stated = command.minutes if isinstance(command, Conference) else None
    return Wanted(
        command,
        origin,
        people,
        terms,
        accept_key_needed(granted, phone_wants_key=origin.accept_key),
        resolve.amount(asker, command.max_cost),
        None if minutes is None else minutes * MINUTE_S,
        None if stated is None else stated * MINUTE_S,
        resolve.due(asker, command.at, stamp.call_ms, command),
    )


def _target(
    tx: Tx, asker: Asker, command: LaunchCommand, n: int, phones: tuple[OwnPhone, ...]
) -> resolve.Resolved:
    """Return the n-th person wanted; a doubt about a name asks about the whole command."""
    match command:
        case CallCommand():
            return resolve.target_or_ask(
                tx, asker, command.to, phones, lambda chosen: replace(command, to=chosen)
            )
        case Conference():
            people = command.participants
            return resolve.target_or_ask(
                tx,
                asker,
                people[n],
                phones,
                lambda chosen: replace(
                    command, participants=(*people[:n], chosen, *people[n + 1 :])
                ),
            )


def _no_repeats(people: Sequence[resolve.Resolved]) -> None:
    seen = Counter((person.number.digits, person.number.extension) for person in people[1:])
    for person in people[1:]:
        if seen[person.number.digits, person.number.extension] > 1:
            raise Stop("twice_in_list", name=person.label, number=Phone(person.number.digits))


@dataclass(frozen=True, slots=True)
class NumberGate:
    """The one gate for every leg there is: what this user may have rung."""

    house: House
    asker: Asker

    def check(
        self,
        person: resolve.Resolved,
        role: PartyRole,
        origin: resolve.Resolved | None,
        *,
        sold: bool,
    ) -> None:
        """Let a number through.

        Raises:
            Stop: it may not be rung.
        """
        asker, house = self.asker, self.house
        context = CallableContext(
            regions=asker.customer.regions,
            has_rate=sold,
            opted_in=asker.customer.opted_in,
            own_numbers=house.own_numbers | {house.service_number},
            emergency_countries=frozenset({asker.user.country}),
            origin=None if origin is None else origin.number,
        )
        refuse(callable_number(person.number, role, context))
        refuse_frozen_prefix(asker, person.number.digits)


def refuse_frozen_prefix(asker: Asker, digits: str) -> None:
    """Let a number through whose prefix is not frozen.

    Asked once more under the lock: by then a freeze may have ended what ran.

    Raises:
        Stop: it is.
    """
    if asker.frozen.prefix_of(digits):
        raise Stop("prefix_frozen", number=Phone(digits), change="operator")


def _term(
    gate: NumberGate,
    deck: RateDeck | None,
    person: resolve.Resolved,
    origin: resolve.Resolved | None,
    stamp: Stamp,
    *,
    conference: bool,
) -> RateTerms:
    """Return the price of one person's leg, after asking whether the number may be rung."""
    terms = terms_in(deck, person.number.digits, stamp.call_ms)
    role = PartyRole.A if origin is None else PartyRole.B
    if conference and origin is not None:
        role = PartyRole.PARTICIPANT
    gate.check(person, role, origin, sold=terms is not None)
    assert terms is not None, person
    return terms


def refuse(refusal: Refusal | None) -> None:
    """Raise `Stop` for a refusal; None lets through."""
    if refusal is not None:
        raise Stop(str(refusal.code), refusal.fields)


# --- may it be launched -------------------------------------------------------------------------


def _counts(
    tx: Tx, asker: Asker, wanted: Wanted, stamp: Stamp
) -> tuple[Asker, funding.Standing, list[funding.Counts]]:
    first, *others = (person.number.digits for person in wanted.people[1:])
    asker, standing, counted = funding.standing_and_counts(tx, asker, first, stamp)
    for person in wanted.people:
        refuse_frozen_prefix(asker, person.number.digits)
    counts = [counted, *(funding.counts(tx, asker, each, stamp) for each in others)]
    return asker, standing, counts


def facts_of(
    tx: Tx,
    asker: Asker,
    wanted: Wanted,
    account: Account | None,
    standing: funding.Standing,
    counts: Sequence[funding.Counts],
) -> AdmissionFacts:
    """Return what admission decides by."""
    code = wanted.command.billing_code
    held = 0 if account is None else account.debits_pending
    return AdmissionFacts(
        customer=asker.customer,
        user=asker.user,
        origin=wanted.origin,
        origin_label=wanted.origin.label,
        service_frozen=asker.frozen.everything,
        billing_code=code,
        billing_code_known=code is None or _is_known_code(tx, asker, code),
        parties=len(wanted.people),
        pending_schedules=standing.scheduled,
        live_calls=standing.live_calls,
        launches_last_second=counts[0].launched_this_second,
        spent_today_micros=counts[0].spent_today_micros + held,
        callees=tuple(each.callee for each in counts),
    )


def _is_known_code(tx: Tx, asker: Asker, code: str) -> bool:
    """Whether a billing code is on the customer's list; without a list every code is."""
    return (
        tx.one(people_rows.BILLING_CODE, customer_id=asker.customer.id, code=code) is not None
        or tx.one(people_rows.ANY_BILLING_CODE, customer_id=asker.customer.id) is None
    )


def _trust(
    asker: Asker, parties: int, *, new_country: bool = False, vouched_spend_micros: int = 0
) -> TrustContext:
    return TrustContext(
        scopes=asker.scopes,
        parties=parties,
        new_country=new_country,
        vouched_spend_micros=vouched_spend_micros,
        limits=asker.customer.limits,
    )


def _check_trust(tx: Tx, asker: Asker, wanted: Wanted, hold_micros: int, stamp: Stamp) -> None:
    """Ask for a `go` from a PROVEN channel where being vouched for is not enough."""
    if asker.evidence is Evidence.PROVEN or "confirm_from_proven" in asker.confirmed:
        return
    new_country = any(
        record_rows.counted(tx, asker.user.id, f"region:{person.number.region}", EVER) == 0
        for person in wanted.people[1:]
        if person.number.region != asker.user.country
    )
    context = _trust(
        asker,
        len(wanted.people),
        new_country=new_country,
        vouched_spend_micros=hold_micros + vouched.spent_today_micros(tx, asker, stamp),
    )
    if permit(wanted.command, asker, context) is Permission.CONFIRM_FROM_PROVEN:
        raise Ask(
            "confirm_from_proven",
            command=wanted.command,
            needs_proven=True,
            quoted_micros=hold_micros or None,
            fields={"to": new_call.with_whom(wanted), "price": new_call.prices(wanted)},
        )


def _check_price(asker: Asker, command: LaunchCommand, cover: Extension) -> None:
    """Ask again when the price changed between the question and the `go`."""
    if asker.quoted_micros is None or cover.added_micros == asker.quoted_micros:
        return
    currency = asker.customer.currency
    raise Ask(
        "price_changed",
        command=command,
        quoted_micros=cover.added_micros,
        fields={
            "was": Money(asker.quoted_micros, currency),
            "now": Money(cover.added_micros, currency),
        },
    )


def cover_of(asker: Asker, wanted: Wanted, account: Account | None, rules: Rules) -> Extension:
    """Return the holds of all legs: all or nothing, within balance and cap.

    Raises:
        Stop: the balance or the cap is too small.
        Ask: a conference of stated length that the balance covers only in part.
    """
    left = 0 if account is None else available(account)
    cover = funding.first_holds(wanted.terms, rules, wanted.stated_seconds)
    cap = wanted.cap_micros
    if cap is not None and cover.added_micros > cap:
        covers = [LegCover(terms) for terms in wanted.terms]
        cover = longest_common_seconds(
            covers, cap, cover.seconds, rules.tax, rules.customer_country
        )
        if cover.seconds == 0:
            least = first_cover(wanted.terms, replace(rules, first_cover_s=0))
            raise Stop(
                "cap_too_small",
                cap=Money(cap, asker.customer.currency),
                needed=Money(least.added_micros, asker.customer.currency),
            )
    if cover.added_micros > left:
        if wanted.stated_seconds is not None:
            funding.offer_smaller(
                asker, wanted.command, wanted.terms, left, wanted.stated_seconds, rules
            )
        raise Stop(
            "balance_too_small",
            needed=Money(cover.added_micros, asker.customer.currency),
            available=Money(max(0, left), asker.customer.currency),
        )
    return cover


def free_promised(house: House, asker: Asker, wanted: Wanted, used: int) -> bool:
    """Whether A's first minute is free when nobody else answers.

    In the user's home country, not too dear for us, and while today's allowance lasts; running
    calls that were promised it count as used.
    """
    first = wanted.people[0].number
    if first.region != asker.user.country:
        return False
    if wanted.terms[0].price_micros_per_minute > house.free_leg_ceiling_micros:
        return False
    return used < house.limits.free_legs_per_day
