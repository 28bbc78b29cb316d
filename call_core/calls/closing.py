"""What is said, told and charged for every way in which a call can fail: one table.

`README.md` shows the table; a test drives every row through the machine.
"""

from dataclasses import dataclass

from call_core.calls.causes import Result
from call_core.calls.model import Call, Reason
from call_core.calls.plan import last_result
from call_core.contracts import Prompt


@dataclass(frozen=True, slots=True)
class Closing:
    """One row: what A hears before being hung up, the receipt's code, and who pays for A.

    Attributes:
        prompt: None when A is not there to hear it.
        notice: catalogue code of the receipt.
        a_leg: `billed`; `free` within the allowance; `either`: billed once anybody else was
            answered, else free; `unanswered`: nothing to pay.
    """

    prompt: Prompt | None
    notice: str
    a_leg: str


CLOSINGS: dict[tuple[Reason, Result | None], Closing] = {
    (Reason.COMPLETED, None): Closing(None, "receipt", "billed"),
    (Reason.HUNG_UP, None): Closing(None, "receipt", "either"),
    (Reason.CHAIR_LEFT, None): Closing(None, "receipt", "billed"),
    (Reason.ALONE, None): Closing(None, "receipt", "billed"),
    (Reason.TIME, None): Closing(None, "receipt_time", "billed"),
    (Reason.MONEY, None): Closing(None, "receipt_money", "either"),
    (Reason.STOPPED, None): Closing(None, "receipt_stopped", "either"),
    (Reason.EXPIRED, None): Closing(None, "expired", "unanswered"),
    (Reason.A_NOT_REACHED, Result.BUSY): Closing(None, "a_busy", "unanswered"),
    (Reason.A_NOT_REACHED, Result.LINES_BUSY): Closing(None, "lines_busy", "unanswered"),
    (Reason.A_NOT_REACHED, None): Closing(None, "a_not_reached", "unanswered"),
    (Reason.A_NOT_ACCEPTED, None): Closing(None, "a_not_accepted", "free"),
    (Reason.B_NOT_REACHED, Result.BUSY): Closing(Prompt.BUSY, "b_busy", "free"),
    (Reason.B_NOT_REACHED, Result.NO_ANSWER): Closing(Prompt.NO_ANSWER, "b_no_answer", "free"),
    (Reason.B_NOT_REACHED, Result.LINES_BUSY): Closing(Prompt.FAILED, "lines_busy", "free"),
    (Reason.B_NOT_REACHED, None): Closing(Prompt.FAILED, "b_not_reached", "free"),
    (Reason.NOBODY_CAME, None): Closing(Prompt.NO_ANSWER, "nobody_came", "either"),
    (Reason.VERIFIED, None): Closing(None, "phone_verified", "free"),
}


_DECIDED_BY_A = (Reason.A_NOT_REACHED, Reason.A_NOT_ACCEPTED)


def closing_of_call(call: Call, reason: str) -> Closing:
    """Return the row for a call that ends for `reason`: A's result decides where A was not there.

    Otherwise it is that of the wanted party.
    """
    others = call.others
    if reason in _DECIDED_BY_A:
        return closing_of(reason, last_result(call.first))
    return closing_of(reason, last_result(others[0]) if others else None)


def closing_of(reason: str, result: Result | None) -> Closing:
    """Return the row for how a call ended; the row without a result stands for the others."""
    key = Reason(reason)
    found = CLOSINGS.get((key, result)) or CLOSINGS.get((key, None))
    return found or CLOSINGS[(Reason.COMPLETED, None)]
