"""How the core's views become the API's models: decimals and RFC 3339 instead of integers."""

from datetime import UTC, datetime
from typing import Any

from call_core.contracts import (
    AddressView,
    BalanceView,
    CallView,
    Cdr,
    DirectoryEntry,
    LegView,
    PartyView,
    PhoneView,
    RequestView,
)
from call_core.money import format_amount
from call_core.outcomes import (
    Asked,
    Fields,
    Instant,
    Money,
    Outcome,
    Phone,
    Phrase,
    Seconds,
    Told,
    Value,
)
from channels.api.models import (
    AddressOut,
    BalanceOut,
    CallOut,
    CdrOut,
    DirectoryEntryOut,
    LegOut,
    OutcomeOut,
    PartyOut,
    PhoneOut,
    PhraseOut,
    RequestOut,
)
from channels.kit.render import Budget, render


def rfc3339(at_ms: int) -> str:
    """Return `2026-11-24T14:05:12.345Z`."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def rfc3339_or_none(at_ms: int | None) -> str | None:
    """Return the instant as `rfc3339` does, None for None."""
    return None if at_ms is None else rfc3339(at_ms)


def leg_out(leg: LegView) -> LegOut:
    """Return a leg as the API shows it."""
    return LegOut(
        attempt=leg.attempt,
        state=leg.state,
        originated_at=rfc3339_or_none(leg.originated_call_ms),
        ringing_at=rfc3339_or_none(leg.ringing_call_ms),
        answered_at=rfc3339_or_none(leg.answered_call_ms),
        ended_at=rfc3339_or_none(leg.ended_call_ms),
        cause=leg.cause,
        cost=format_amount(leg.cost_micros),
    )


def party_out(party: PartyView) -> PartyOut:
    """Return a party as the API shows it."""
    return PartyOut(
        n=party.n,
        role=party.role,
        label=party.label,
        number=party.number,
        state=party.state,
        muted=party.muted,
        cost=format_amount(party.cost_micros),
        legs=[leg_out(leg) for leg in party.legs],
    )


def call_out(call: CallView) -> CallOut:
    """Return a call as the API shows it."""
    return CallOut(
        id=call.id,
        ref=call.ref,
        kind=call.kind,
        state=call.state,
        reason=call.reason,
        channel=call.channel,
        user_id=call.user_id,
        user=call.user_name,
        title=call.title,
        billing_code=call.billing_code,
        private=call.private,
        locked=call.locked,
        created_at=rfc3339(call.created_wall_ms),
        due_at=rfc3339_or_none(call.due_call_ms),
        timezone=call.timezone,
        ended_at=rfc3339_or_none(call.ended_call_ms),
        paid_until=rfc3339_or_none(call.paid_until_call_ms),
        cost=format_amount(call.cost_micros),
        currency=call.currency,
        parties=[party_out(party) for party in call.parties],
        version=call.version,
    )


def cdr_out(cdr: Cdr) -> CdrOut:
    """Return a record as the API shows it."""
    return CdrOut(
        id=cdr.id,
        call_id=cdr.call_id,
        ref=cdr.ref,
        party=cdr.party,
        attempt=cdr.attempt,
        leg=cdr.leg,
        channel=cdr.channel,
        request_id=cdr.request_id,
        user=cdr.user,
        from_=cdr.from_number,
        to=cdr.to_number,
        destination=cdr.destination,
        prefix=cdr.prefix,
        rate_id=cdr.rate_id,
        setup_at=rfc3339(cdr.setup_call_ms),
        answer_at=rfc3339_or_none(cdr.answer_call_ms),
        end_at=rfc3339(cdr.end_call_ms),
        end_estimated=cdr.end_estimated,
        duration_s=cdr.duration_s,
        billable_s=cdr.billable_s,
        price_per_minute=format_amount(cdr.price_micros_per_minute),
        connect_fee=format_amount(cdr.connect_fee_micros),
        charge=format_amount(cdr.charge_micros),
        tax=format_amount(cdr.tax_micros),
        total=format_amount(cdr.total_micros),
        currency=cdr.currency,
        buy_cost=format_amount(cdr.buy_cost_micros),
        buy_currency=cdr.buy_currency,
        billing_code=cdr.billing_code,
        hangup_cause=cdr.hangup_cause,
        hangup_by=cdr.hangup_by,
        switch=cdr.switch,
        trunk=cdr.trunk,
        explanation=cdr.explanation,
    )


def balance_out(balance: BalanceView) -> BalanceOut:
    """Return the money as the API shows it."""
    daily = balance.daily_spend_micros
    return BalanceOut(
        currency=balance.currency,
        plan=balance.plan,
        balance=format_amount(balance.posted_micros),
        held=format_amount(balance.held_micros),
        available=format_amount(balance.available_micros),
        credit_limit=format_amount(balance.credit_limit_micros),
        spent_today=format_amount(balance.spent_today_micros),
        daily_spend=None if daily is None else format_amount(daily),
    )


def entry_out(entry: DirectoryEntry) -> DirectoryEntryOut:
    """Return a name of the directory."""
    return DirectoryEntryOut(
        name=entry.name, number=entry.number, extension=entry.extension, shared=entry.shared
    )


def phone_out(phone: PhoneView) -> PhoneOut:
    """Return one of the user's own phones."""
    return PhoneOut(
        label=phone.label, number=phone.number, verified=phone.verified, default=phone.default
    )


def address_out(address: AddressView) -> AddressOut:
    """Return one of the user's own addresses."""
    return AddressOut(channel=address.channel, address=address.address, opted_out=address.opted_out)


def outcome_out(outcome: Outcome, timezone: str, *, test: bool = False) -> OutcomeOut:
    """Return an outcome as data and as words, in the user's zone."""
    rows: tuple[Phrase, ...] = ()
    if isinstance(outcome, Told):
        rows = outcome.rows
    elif isinstance(outcome, Asked):
        rows = outcome.choices
    return OutcomeOut(
        kind=outcome.kind,
        code=outcome.code,
        ref=outcome.ref,
        call_id="" if isinstance(outcome, Asked | Told) else outcome.call_id,
        text=render(outcome, Budget.FULL, timezone, test=test),
        more=isinstance(outcome, Told) and outcome.more,
        fields=plain_fields(outcome.fields),
        rows=[phrase_out(row) for row in rows],
    )


def request_out(seen: RequestView, timezone: str, *, test: bool = False) -> RequestOut:
    """Return what became of a request."""
    return RequestOut(
        id=seen.id,
        channel=seen.channel,
        received_at=rfc3339(seen.received_wall_ms),
        text=seen.text,
        call_id=seen.call_id,
        outcome=outcome_out(seen.outcome, timezone, test=test),
    )


def phrase_out(phrase: Phrase) -> PhraseOut:
    """Return one line of an answer as data."""
    return PhraseOut(code=phrase.code, fields=plain_fields(phrase.fields))


def plain_fields(fields: Fields) -> dict[str, Any]:
    """Return typed values as JSON: amounts as `{"amount", "currency"}`, instants as RFC 3339.

    In the order of their names, so that a repeat has the same octets as the first answer.
    """
    return {name: _plain(value) for name, value in sorted(fields.items())}


def _plain(value: Value) -> object:
    match value:
        case Money(micros, currency):
            return {"amount": format_amount(micros), "currency": currency}
        case Instant(at_ms, _):
            return rfc3339(at_ms)
        case Phone(e164, extension):
            return f"{e164} x{extension}" if extension else e164
        case Seconds(seconds):
            return seconds
        case tuple():
            return [phrase_out(phrase).model_dump() for phrase in value]
        case str() | int():
            return value
