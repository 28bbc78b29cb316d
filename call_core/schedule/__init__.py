"""When a call is due: from the words somebody used to one instant, or to a question."""

from call_core.schedule.resolve import (
    ChoiceReason,
    Due,
    TimeChoice,
    TimeProblem,
    TimeProblemCode,
    local_time,
    resolve,
)
from call_core.schedule.wall_clock import TimeNote

__all__ = [
    "ChoiceReason",
    "Due",
    "TimeChoice",
    "TimeNote",
    "TimeProblem",
    "TimeProblemCode",
    "local_time",
    "resolve",
]
