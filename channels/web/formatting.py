"""How pages write instants, durations, money and states. Pure.

Times are shown in the user's zone with the zone said, money in the customer's currency.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from call_core.contracts import CallView, LegView, PartyView
from channels.kit.catalogue import DEFAULT_LANGUAGE, language_module
from channels.kit.wording import Style, format_instant, format_value, plain_words

NEVER = "–"  # noqa: RUF001  (an en dash is what a page shows for "did not happen")

_STYLE = Style(words=language_module(DEFAULT_LANGUAGE).WORDS)
_CALL_WORDS = {
    "ASKED": "Waiting for your answer to a question.",
    "SCHEDULED": "Scheduled.",
    "QUEUED": "Under way. Your phone rings in a moment.",
    "LAUNCHING": "Your phone rings first. Answer it and press 1.",
    "CONNECTED": "Connected.",
    "ENDING": "Ending.",
}
_PARTY_WORDS = {
    "PLANNED": "not rung yet",
    "DIALING": "dialling",
    "RINGING": "ringing",
    "ANSWERED": "answered",
    "ACCEPTED": "accepted",
    "BRIDGED": "in the call",
    "ENDING": "leaving",
    "ENDED": "gone",
}
_ROLE_WORDS = {"A": "your phone", "B": "the other side", "CHAIR": "chair, your phone"}
_ON_THE_PHONE = frozenset({"ANSWERED", "ACCEPTED", "BRIDGED"})


def instant(at_ms: int | None, timezone: str) -> str:
    """Return `Tue 24 Nov 2026 14:05 GMT (London)`, as messages write it; a dash for None."""
    return NEVER if at_ms is None else format_instant(at_ms, timezone)


def clock(at_ms: int | None, timezone: str) -> str:
    """Return `14:05:12`, a dash for None."""
    if at_ms is None:
        return NEVER
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return f"{datetime.fromtimestamp(at_ms // 1000, zone):%H:%M:%S}"


def machine_instant(at_ms: int) -> str:
    """Return the instant for a `datetime` attribute: RFC 3339, UTC."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def duration(seconds: int) -> str:
    """Return `1:05` or `1:02:03`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def words_for(kind: str, code: str) -> str:
    """Return what messages call a stable code of a `reason` or `result`, "" for none."""
    return format_value(kind, code, _STYLE) if code else ""


def call_words(call: CallView) -> str:
    """Return one sentence: what a call does now, and what its user does next."""
    if call.state == "ENDED":
        reason = words_for("reason", call.reason)
        return f"Ended: {reason}." if reason else "Ended."
    if call.kind == "verification" and call.state == "LAUNCHING":
        return "Your phone rings. Answer it and key the digits that you were shown."
    return _CALL_WORDS.get(call.state, f"{plain_words(call.state).capitalize()}.")


def party_words(party: PartyView) -> str:
    """Return what a party does now: `ringing`, `in the call, muted`, `gone (busy)`."""
    words = _PARTY_WORDS.get(party.state, plain_words(party.state))
    if party.state == "ENDED" and party.legs:
        return _with_result(words, party.legs[-1])
    return f"{words}, muted" if party.muted and party.state != "ENDED" else words


def role_words(party: PartyView) -> str:
    """Return what a party is in the call."""
    return _ROLE_WORDS.get(party.role.upper(), plain_words(party.role))


def leg_words(leg: LegView) -> str:
    """Return what one attempt does or how it ended."""
    words = _PARTY_WORDS.get(leg.state, plain_words(leg.state))
    return _with_result(words, leg)


def _with_result(words: str, leg: LegView) -> str:
    result = words_for("result", leg.cause)
    return f"{words} ({result})" if result else words


def is_live(call: CallView) -> bool:
    """Whether a call is under way: its page follows it and offers its controls."""
    return call.state not in {"ENDED", "SCHEDULED", "ASKED"}


def party_actions(call: CallView, party: PartyView) -> tuple[str, ...]:
    """Return the buttons that make sense for a party now."""
    if not is_live(call) or call.state == "ENDING":
        return ()
    if party.state in {"ENDED", "ENDING"}:
        return ("redial",) if party.n else ()
    actions: tuple[str, ...] = ()
    if party.state in _ON_THE_PHONE:
        actions = ("unmute",) if party.muted else ("mute",)
    return (*actions, "drop") if party.n else actions
