"""Asterisk's words in ours: instants, causes, and what is played for a prompt."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from call_core.contracts import EventKind, Prompt, SwitchEvent

NORMAL_CLEARING, NO_ANSWER, ABSENT = 16, 19, 20
_UNSAID: Final = frozenset({0, NORMAL_CLEARING})
"""Causes with which Asterisk ends a leg that rang in vain: it gave up, the phone said nothing."""

TEMPORARILY_UNAVAILABLE: Final = 480

_PARTS: Final = 6
MEDIA: Final[Mapping[Prompt, Sequence[str]]] = MappingProxyType(
    {
        Prompt.ACCEPT: (
            "sound:vm-press",
            "digits:1",
            "sound:to-call-this-number",
            "digits:{ending}",
        ),
        Prompt.ACCEPT_INVITED: ("sound:vm-press", "digits:1", "sound:conf-placeintoconf"),
        Prompt.VERIFY: ("sound:vm-password",),
        Prompt.NO_ANSWER: ("sound:number-not-answering",),
        Prompt.BUSY: ("sound:telephone-number", "sound:is-in-use"),
        Prompt.FAILED: ("sound:cannot-complete-as-dialed",),
        Prompt.ENDING_SOON: ("sound:beep", "digits:1", "sound:minute"),
        Prompt.OPTED_OUT: ("sound:goodbye",),
        Prompt.JOIN_TONE: ("sound:beep",),
    }
)
"""Sounds of Asterisk's own English set; a hold tone is the ringing tone and needs no sound."""


def instant_ms(written: str) -> int:
    """Return the instant that Asterisk writes as `2026-11-28T06:40:00.123+0000`.

    Raises:
        ValueError: it is none.
    """
    found = datetime.strptime(written, "%Y-%m-%dT%H:%M:%S.%f%z")
    return round(found.timestamp() * 1000)


def whole(written: str) -> int | None:
    """Return a number that Asterisk keeps in a variable, None for anything else."""
    return int(written) if written.isascii() and written.isdigit() else None


def cause_of(cause: int, tech_cause: int | None, *, rang: bool, wanted: bool) -> int:
    """Return the Q.850 cause of a leg's end.

    Args:
        cause: what Asterisk says.
        tech_cause: SIP's answer, where Asterisk gives it. It writes 480 as well when it gave up
            ringing itself, so that 480 says "absent" only of a phone that never rang.
        rang: whether the phone rang.
        wanted: whether it had been answered, or we asked for the end, or our limit came.
    """
    if wanted:
        return NORMAL_CLEARING if cause in _UNSAID else cause
    if tech_cause == TEMPORARILY_UNAVAILABLE and not rang:
        return ABSENT
    return NO_ANSWER if cause in _UNSAID else cause


def media_of(
    prompt: Prompt, words: Mapping[str, str], chosen: Mapping[Prompt, Sequence[str]]
) -> list[str]:
    """Return what is played for a prompt, part by part; `digits:18` are two parts."""
    ending = "".join(letter for letter in words.get("ending", "") if letter in "0123456789")
    found: list[str] = []
    for part in chosen.get(prompt) or MEDIA[prompt]:
        kind, _, what = part.replace("{ending}", ending).partition(":")
        if kind == "digits":
            found += [f"sound:digits/{digit}" for digit in what]
        else:
            found.append(f"{kind}:{what}")
    return found


def remembered(leg_id: str, slot: str) -> SwitchEvent | None:
    """Return the end of a leg from the slot where our dialplan keeps it, None when it does not.

    Entries are divided by `|`, each `LEG/CALL/ANSWERED/ENDED/CAUSE/CUT`: instants in milliseconds,
    CUT is 1 when the limit came.
    """
    for entry in slot.split("|"):
        parts = entry.split("/")
        if parts[0] == leg_id and len(parts) == _PARTS:
            return _ended(*parts)
    return None


def _ended(
    leg_id: str, call_id: str, answered: str, ended: str, cause: str, cut: str
) -> SwitchEvent | None:
    at, answered_ms = whole(ended), whole(answered)
    if at is None:
        return None
    return SwitchEvent(
        event_id=f"{leg_id}:ended",
        kind=EventKind.ENDED,
        leg_id=leg_id,
        call_id=call_id,
        at_call_ms=at,
        answered_call_ms=answered_ms,
        cause=cause_of(whole(cause) or 0, None, rang=True, wanted=answered_ms is not None),
        by_us=cut == "1",
    )
