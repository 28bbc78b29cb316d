"""Whether bills of the same call from different channels are the same bill (pure).

Everything in a record is compared but who, when and which channel: ids, instants, the channel, the
request, the user and the user's own number differ by nature. Seconds of talk are compared as they
are billed: on a fast simulated clock a moment of this machine's time is a second of the call's.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from call_core.contracts import Cdr
from call_core.money import format_amount

_BY_NATURE = frozenset(
    {
        "id",
        "call_id",
        "ref",
        "channel",
        "request_id",
        "user",
        "from_number",
        "setup_call_ms",
        "answer_call_ms",
        "end_call_ms",
        "duration_s",
        "explanation",
    }
)
_A_LEG = "A"


@dataclass(frozen=True, slots=True)
class Posting:
    """One transfer of a call: kind of debit and credit account, what it is, and how much."""

    debit: str
    credit: str
    kind: str
    micros: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What one call cost: its records, leg by leg, and the transfers that it left in the books."""

    channel: str
    ref: str
    cdrs: tuple[Cdr, ...]
    postings: tuple[Posting, ...]

    def total_micros(self) -> int:
        """Return the sum of all legs."""
        return sum(cdr.total_micros for cdr in self.cdrs)


def differences(reference: Bill, other: Bill) -> list[str]:
    """Return what differs, field by field, in words; nothing when the bills are the same."""
    found = _lengths(reference, other)
    for left, right in zip(_ordered(reference.cdrs), _ordered(other.cdrs), strict=False):
        found += _leg(left, right)
    if sorted(map(_key, reference.postings)) != sorted(map(_key, other.postings)):
        found.append(f"transfers: {_books(other)} instead of {_books(reference)}")
    return found


def _lengths(reference: Bill, other: Bill) -> list[str]:
    if not other.cdrs:
        return ["there is no record"]
    if len(reference.cdrs) != len(other.cdrs):
        return [f"{len(other.cdrs)} legs instead of {len(reference.cdrs)}"]
    return []


def _leg(left: Cdr, right: Cdr) -> list[str]:
    found = []
    for field in dataclasses.fields(Cdr):
        if field.name in _BY_NATURE or (field.name == "to_number" and left.leg == _A_LEG):
            continue
        mine, theirs = getattr(left, field.name), getattr(right, field.name)
        if mine != theirs:
            found.append(f"leg {left.leg}: {field.name} {theirs} instead of {mine}")
    if (left.answer_call_ms is None) != (right.answer_call_ms is None):
        found.append(f"leg {left.leg}: answered in one of them only")
    return found


def _ordered(cdrs: Sequence[Cdr]) -> list[Cdr]:
    return sorted(cdrs, key=lambda cdr: (cdr.party, cdr.attempt))


def _key(posting: Posting) -> tuple[str, str, str, int]:
    return (posting.debit, posting.credit, posting.kind, posting.micros)


def _books(bill: Bill) -> str:
    rows = sorted(map(_key, bill.postings))
    return (
        ", ".join(
            f"{kind} {debit} to {credit} {format_amount(micros)}"
            for debit, credit, kind, micros in rows
        )
        or "none"
    )
