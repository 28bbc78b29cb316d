"""English: what the values of closed lists are called, in full and in short."""

from types import MappingProxyType

_STATES = MappingProxyType(
    {
        "planned": ("not rung yet", "waits"),
        "dialing": ("being dialled", "dialling"),
        "ringing": ("ringing", "ringing"),
        "answered": ("answered", "answered"),
        "accepted": ("waiting for the others", "waits"),
        "bridged": ("in the call", "in"),
        "ending": ("being hung up", "ending"),
        "ended": ("over", "over"),
        "asked": ("waiting for your answer", "asked"),
        "scheduled": ("scheduled", "scheduled"),
        "queued": ("about to ring", "queued"),
        "launching": ("ringing your phone", "ringing"),
        "connected": ("connected", "connected"),
        "completed": ("", ""),
        "hung_up": ("", ""),
        "chair_left": ("the chair left", "chair left"),
        "alone": ("nobody else was left", "alone"),
        "money": ("the money was used up", "money"),
        "time": ("time limit reached", "time"),
        "a_not_reached": ("your phone did not answer", "you: no answer"),
        "a_not_accepted": ("nobody pressed 1 on your phone", "no key"),
        "b_not_reached": ("not reached", "not reached"),
        "nobody_came": ("nobody came", "nobody came"),
        "expired": ("waited too long", "expired"),
        "stopped": ("ended by the operator", "ended"),
        "skipped": ("dropped from the calendar", "dropped"),
        "refused": ("not launched", "refused"),
    }
)

WORDS = MappingProxyType(
    {
        "change": MappingProxyType(
            {
                "administrator": ("Your administrator can change this.", "Ask your administrator."),
                "operator": ("The operator can change this.", "Ask the operator."),
            }
        ),
        "note": MappingProxyType(
            {
                "": ("", ""),
                "dst_gap": (
                    "The clock skips that time on that day; this is the first time after it.",
                    "Clock change: first time after the gap.",
                ),
                "dst_overlap": (
                    "The clock shows that time twice on that day; this is the first to come.",
                    "Clock change: the first of the two.",
                ),
            }
        ),
        "result": MappingProxyType(
            {
                "": ("", ""),
                "completed": ("", ""),
                "busy": ("busy", "busy"),
                "no_answer": ("no answer", "no answer"),
                "rejected": ("call declined", "declined"),
                "unreachable": ("switched off or out of reach", "out of reach"),
                "bad_number": ("number not in use", "not in use"),
                "barred": ("calls are barred there", "barred"),
                "not_accepted": ("no key was pressed", "no key"),
                "not_dialled": ("not rung", "not rung"),
                "lines_busy": ("all lines were busy", "lines busy"),
                "failed": ("not reached", "not reached"),
            }
        ),
        "state": _STATES,
        "reason": _STATES,
    }
)
