"""The "not before" that some wires have (SNPP's HOLD, WCTP's deliveryAfter) as a call's time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from call_core.commands import Call, Command, Conference
from call_core.errors import ParseError
from parsers.when import read_when

LEAST_MS = 60_000  # whatever is put off by less than a minute is now
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def put_off(
    command: Command | ParseError, until_ms: int | None, now_call_ms: int
) -> Command | ParseError | None:
    """Return a command as it is meant when its message is not for now.

    Args:
        command: what the words say.
        until_ms: the wire's own "not before"; None when it has none.
        now_call_ms: the switch's clock, which schedules follow.

    Returns:
        None when the time is still to come and the command cannot be put off: it is no call, or
        it says another time itself.
    """
    if until_ms is None or until_ms - now_call_ms < LEAST_MS or isinstance(command, ParseError):
        return command
    if not isinstance(command, Call | Conference) or command.at is not None:
        return None
    at = _EPOCH + timedelta(milliseconds=until_ms)
    return replace(command, at=read_when(f"{at:%Y-%m-%d %H:%M} utc"))
