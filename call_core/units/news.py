"""What a change of a call tells its user: the receipt, the last minute, what was corrected."""

from call_core.calls.causes import cause_of, result_of
from call_core.calls.closing import closing_of_call
from call_core.calls.holds import paid_until_call_ms, talk_seconds
from call_core.calls.model import MS, Call, Leg, Party
from call_core.calls.plan import last_result, time_limit_call_ms
from call_core.calls.rules import Rules
from call_core.notices import Notice
from call_core.outcomes import Instant, Money, Phrase, Seconds, Value

LAST_MINUTE_EXPIRES_S = 120
RECEIPT_LINES = 8


def receipt(call: Call, available_micros: int, *, postpaid: bool) -> Notice:
    """Return the receipt of a call that has just ended.

    Args:
        call: the call with every leg settled.
        available_micros: what the customer can still spend.
        postpaid: whether that is credit rather than money paid in.
    """
    closing = closing_of_call(call, call.reason)
    legs = [leg for leg in call.legs() if leg.answered_call_ms is not None]
    total = sum(leg.charge_micros for leg in call.legs())
    fields: dict[str, Value] = {
        "ref": call.ref,
        "to": _with_whom(call),
        "talk": Seconds(max((talk_seconds(leg) for leg in legs if leg.n), default=0)),
        "total": Money(total, call.currency),
        "credit" if postpaid else "balance": Money(available_micros, call.currency),
        "lines": tuple(_line(call, leg) for leg in legs[:RECEIPT_LINES]),
        "legs": len(legs),
        "reason": call.reason,
    }
    return Notice(closing.notice, call.ref, fields)


def _with_whom(call: Call) -> str:
    if len(call.others) == 1:
        return call.others[0].label
    return call.title or f"{len(call.parties)} people"


def _line(call: Call, leg: Leg) -> Phrase:
    party = call.party(leg.n)
    label = party.label if party is not None else str(leg.n)
    result = result_of(cause_of(leg.cause), answered=leg.answered_call_ms is not None)
    return Phrase(
        "receipt_line",
        {
            "label": label,
            "talk": Seconds(talk_seconds(leg)),
            "charge": Money(leg.charge_micros, call.currency),
            "result": str(result),
        },
    )


def last_minute(call: Call, now_call_ms: int, rules: Rules) -> Notice | None:
    """Return the warning that money or time ends within a minute; None when it is not near.

    What ends first is named. Money is near only after an extension was refused.
    """
    if call.talk_call_ms is None:
        return None
    ends: list[tuple[int, str]] = []
    until = paid_until_call_ms(call)
    if until is not None and call.retry_money_call_ms is not None:
        ends.append((until, "money"))
    limit = time_limit_call_ms(call, rules)
    if limit is not None:
        ends.append((limit, "time"))
    if not ends or min(ends)[0] - now_call_ms > rules.last_minute_s * MS:
        return None
    at_ms, what = min(ends)
    return Notice(
        f"last_minute_{what}",
        call.ref,
        {
            "ref": call.ref,
            "left": Seconds(max(0, at_ms - now_call_ms) // MS),
            "at": Instant(at_ms, call.timezone),
        },
        LAST_MINUTE_EXPIRES_S,
    )


def party_missing(call: Call, party: Party) -> Notice:
    """Return the news that one person of a conference could not be reached."""
    return Notice(
        "party_missing",
        call.ref,
        {
            "ref": call.ref,
            "label": party.label,
            "party": party.n,
            "result": str(last_result(party)),
        },
        LAST_MINUTE_EXPIRES_S,
    )


def amended(call: Call, old: Leg, new_charge_micros: int) -> Notice:
    """Return the news that a bill was corrected after the receipt."""
    return Notice(
        "amended",
        call.ref,
        {
            "ref": call.ref,
            "was": Money(old.charge_micros, call.currency),
            "now": Money(new_charge_micros, call.currency),
        },
    )
