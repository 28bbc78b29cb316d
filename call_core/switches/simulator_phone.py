"""How a simulated telephone behaves: one script per number of the simulator's phone book."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

RING_MS = 3_000
PRESS_AFTER_MS = 1_000
KEYS = frozenset("0123456789*#")


class PhoneResult(StrEnum):
    """What comes of ringing a phone."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECT = "reject"
    VOICEMAIL = "voicemail"  # answers, and keys nothing
    UNREACHABLE = "unreachable"
    MANUAL = "manual"  # a person plays this phone: it rings until picked up by hand


def milliseconds(seconds: Decimal | float | str) -> int:
    """Return a settings value in seconds as whole milliseconds, exactly.

    Raises:
        ValueError: it is negative, not a number, or finer than a millisecond.
    """
    try:
        scaled = Decimal(str(seconds)) * 1000
        whole = int(scaled)
    except (ArithmeticError, ValueError) as error:
        raise ValueError(f"{seconds!r} is not a number of seconds") from error
    if scaled != whole or whole < 0:
        raise ValueError(f"{seconds!r} is not a count of seconds with at most three decimals")
    return whole


@dataclass(frozen=True, slots=True)
class PhoneScript:
    """How one phone behaves.

    Attributes:
        ring_ms: how long it rings before it answers or rejects.
        result: what comes of it.
        press: digits keyed once a prompt asks for a key; "" keys nothing.
        press_after_ms: from the start of that prompt to the first key.
        talk_ms: hangs up this long after being bridged; 0 never does.
    """

    ring_ms: int = RING_MS
    result: PhoneResult = PhoneResult.ANSWER
    press: str = "1"
    press_after_ms: int = PRESS_AFTER_MS
    talk_ms: int = 0

    def __post_init__(self) -> None:
        """Refuse a script that no telephone could follow."""
        if min(self.ring_ms, self.press_after_ms, self.talk_ms) < 0:
            raise ValueError("a phone script has no negative time")
        if not set(self.press) <= KEYS:
            raise ValueError(f"press is digits, * and #, not {self.press!r}")

    @classmethod
    def from_seconds(
        cls,
        *,
        ring_s: Decimal | float | str = "3",
        result: str = "answer",
        press: str = "1",
        press_after_s: Decimal | float | str = "1",
        talk_s: Decimal | float | str = 0,
    ) -> Self:
        """Return the script of a phone book entry, as people write it in the settings.

        Raises:
            ValueError: a value is not what a phone can do.
        """
        return cls(
            milliseconds(ring_s),
            PhoneResult(result),
            press,
            milliseconds(press_after_s),
            milliseconds(talk_s),
        )
