"""English: launching, the calendar, and control of a running call."""

from types import MappingProxyType

from channels.kit.catalogue.model import line, say

TEXTS = MappingProxyType(
    {
        "call_launched": say(
            "Calling {to}",
            "Calling {to}[, {number}][, {destination}][ ({there:time} there)]. Call {ref}.\n"
            "{price} a minute for both legs.[ At most {cap}.][ At most {max_minutes} min.]"
            "[?free_first: If nobody answers there, the first minute of yours is free.]\n"
            "Your phone ({from}) rings first. Answer it[?key: and press 1].>>"
            "To hang up: HANGUP {ref}",
            "Calling {to}[, {number}][ ({there:time} there)]. {ref}. {price}/min"
            "[, at most {cap}][, {max_minutes} min].>>Answer {from}[?key:, press 1].",
            "Calling {to}. {ref}. {price}/min[, at most {cap}]"
            "[, {max_minutes} min].>>Answer {from}[?key:, press 1].",
            "Calling {to}. {ref}. {price}/min.>>Answer your phone[?key:, press 1].",
        ),
        "conference_launched": say(
            "Conference with {to}",
            "Your conference with {to} is under way. Call {ref}.\n"
            "{price} a minute for all {parties} legs.[ At most {cap}.]"
            "[ At most {max_minutes} min.]"
            "[?free_first: If nobody joins, the first minute of your phone is free.]\n"
            "Your phone ({from}) rings first. Answer it[?key: and press 1]; "
            "then the others are rung.>>To see who is in: WHO {ref}",
            "Conference with {to}. {ref}. {price}/min for all[, at most {cap}]"
            "[, {max_minutes} min].>>Answer {from}[?key:, press 1].",
            "Conference: {to}. {ref}. {price}/min.>>Answer your phone[?key:, press 1].",
        ),
        "call_scheduled": say(
            "Call with {to} on {at:short}",
            "Scheduled: a call with {to} on {at}[, {there:time} there]. Call {ref}.\n"
            "[{note}\n]We ring your phone ({from}) first. "
            "Prices and balance are checked then.>>To drop it: SKIP {ref}",
            "Scheduled: {to} on {at}[, {there:time} there]. {ref}.[ {note}]>>"
            "To drop it: SKIP {ref}",
            "Scheduled: {to} {at}. {ref}.>>SKIP {ref} drops it.",
            "Set: {to} {at}. {ref}.",
        ),
        "conference_scheduled": say(
            "Conference with {to} on {at:short}",
            "Scheduled: a conference with {to} on {at}. Call {ref}.\n"
            "[{note}\n]We ring your phone ({from}) first, then the others. "
            "Prices and balance are checked then.>>To drop it: SKIP {ref}",
            "Scheduled: conference with {to} on {at}. {ref}.[ {note}]>>To drop it: SKIP {ref}",
            "Scheduled: {to} {at}. {ref}.>>SKIP {ref} drops it.",
            "Set: {to} {at}. {ref}.",
        ),
        # --- the calendar -----------------------------------------------------------------------
        "skipped": say(
            "Dropped from your calendar",
            "Dropped: call {ref}[ of {at}] will not be made.>>To see what is left: NEXT",
            "Dropped: {ref}[, {at}].>>What is left: NEXT",
        ),
        "late_noted": say(
            "Later: {at:short}",
            "Later: call {ref} now begins on {at}.>>To drop it: SKIP {ref}",
            "Later: {ref} on {at}.>>SKIP {ref} drops it.",
        ),
        "rescheduled": say(
            "Moved to {at:short}",
            "Moved: call {ref} is now on {at}.>>To drop it: SKIP {ref}",
            "Moved: {ref} on {at}.>>SKIP {ref} drops it.",
        ),
        "next": say(
            "What is scheduled",
            "[?count:Scheduled ({count}), soonest first:][!count:Nothing is scheduled.]>>"
            "[?count:To drop one: SKIP and its code.][!count:Try: call mom at 6pm]",
            "[?count:Next:][!count:Nothing is scheduled.]>>[!count:Try: call mom at 6pm]",
        ),
        # --- a running call ---------------------------------------------------------------------
        "added": say(
            "Ringing {label}",
            "Ringing {label} as party {party} of call {ref}. They join when they press 1.>>"
            "To take them out: DROP {party} {ref}",
            "Ringing {label}, party {party} of {ref}.>>Undo: DROP {party} {ref}",
        ),
        "dropped": say(
            "{label} is out",
            "Hung up on {label}, party {party} of call {ref}.>>"
            "To ring them again: REDIAL {party} {ref}",
            "Dropped {label} from {ref}.>>Again: REDIAL {party} {ref}",
        ),
        "muted": say(
            "{label} is muted",
            "Muted {label}, party {party} of call {ref}.>>To undo: UNMUTE {party} {ref}",
            "Muted {label}. {ref}.>>Undo: UNMUTE {party} {ref}",
        ),
        "muted_all": say(
            "Everybody is muted",
            "Muted everybody but you ({parties}) in call {ref}.>>To undo: UNMUTE ALL {ref}",
        ),
        "unmuted": say(
            "{label} can speak",
            "{label}, party {party} of call {ref}, can speak again.>>To undo: MUTE {party} {ref}",
            "{label} can speak. {ref}.>>Undo: MUTE {party} {ref}",
        ),
        "unmuted_all": say(
            "Everybody can speak",
            "Everybody ({parties}) in call {ref} can speak again.>>To undo: MUTE ALL {ref}",
        ),
        "locked": say(
            "Locked",
            "Locked: nobody can be added to call {ref} now.>>To undo: UNLOCK {ref}",
        ),
        "unlocked": say(
            "Unlocked",
            "Unlocked: others can be added to call {ref} again.>>For example: ADD BOB {ref}",
        ),
        "extended": say(
            "{minutes} minutes more",
            "Extended call {ref} by {minutes} min[; it now ends at the latest on {at}].>>"
            "To hang up: HANGUP {ref}",
            "Extended {ref} by {minutes} min[, until {at}].",
        ),
        "redialling": say(
            "Ringing {label} again",
            "Ringing {label}, party {party} of call {ref}, again.>>"
            "To take them out: DROP {party} {ref}",
            "Ringing {label} again. {ref}.>>Undo: DROP {party} {ref}",
        ),
        "moving": say(
            "Moving to {label}",
            "Ringing {label}. Answer it and press 1; call {ref} goes on there and the "
            "other phone is hung up.>>To see who is in: WHO {ref}",
            "Ringing {label} for {ref}.>>Answer it, press 1.",
        ),
        "hung_up": say(
            "Call ended",
            "Hung up: call {ref}[ with {with}]. The receipt follows.>>To see the bill: WHY {ref}",
            "Hung up: {ref}[, {with}].>>Bill: WHY {ref}",
        ),
        "who": say(
            "Who is in call {ref}",
            "Call {ref} with {with}: {state}. {talking} of {parties} are talking. "
            "{total} so far.>>To hang up: HANGUP {ref}",
            "{with}: {state}. {ref}. {talking} of {parties} talking. {total}.",
            "{state}. {ref}. {talking} of {parties}. {total}.",
        ),
        "status": say(
            "Call {ref}: {state}",
            "Call {ref} with {with}: {state}[, {reason}][, due on {at}]. "
            "{talking} of {parties} are talking. {total} so far.>>To see the bill: WHY {ref}",
            "{with}: {state}[, {reason}][, due {at}]. {ref}. {total}.",
            "{state}[, due {at}]. {ref}. {total}.",
        ),
        "who_row": line(
            "{party} {label}: {state}[?muted:, muted], {talk}, {cost}",
            "{party} {label} {state}[?muted:, muted]",
            "{party} {label}",
        ),
        "next_row": line(
            "{ref} {at}[, {title}][!title:, a {kind}]",
            "{ref} {at:short}[ {title}]",
            "{ref} {at:short}",
        ),
        # --- refusals ---------------------------------------------------------------------------
        "no_such_call": say(
            "No such call",
            "You have no call {ref}.>>To see your calls, try: history",
            "No call {ref}.>>Try: history",
        ),
        "no_call_running": say(
            "No call is running",
            "No call of yours is running, so nothing was done.>>Try: call mom",
            "No call is running.>>Try: call mom",
        ),
        "no_such_party": say(
            "No such party",
            "Nobody in call {ref} is {party}, or more than one is.>>"
            "WHO {ref} lists them. Try: {example}",
            "Nobody in {ref} is {party}.>>Try: {example}",
            "No such party in {ref}.>>Try: who {ref}",
        ),
        "call_locked": say(
            "The call is locked",
            "Call {ref} is locked, so nobody can be added.>>Try: {example}",
            "Call {ref} is locked.>>Try: {example}",
            "Call {ref} is locked.>>Try: unlock {ref}",
        ),
        "call_ended": say(
            "The call is over",
            "Call {ref} is over already.>>To see its bill, try: why {ref}",
            "Call {ref} is over.>>Try: why {ref}",
        ),
        "not_your_call": say(
            "Not your call",
            "Call {ref} is another user's. You may see it and hang it up, nothing else.>>"
            "Try: hangup {ref}",
            "Not done: {ref} is another user's call.>>Try: hangup {ref}",
        ),
        "party_gone": say(
            "{label} is not in the call",
            "{label} is no longer in call {ref}.>>To ring them again, try: {example}",
            "{label} has left {ref}.>>Try: {example}",
            "{label} has left {ref}.>>Try: who {ref}",
        ),
        "party_here": say(
            "{label} is in the call",
            "{label} is still in call {ref} or being rung, so they are not rung again.>>"
            "Try: drop {party} {ref}",
            "{label} is still in {ref}.>>Try: drop {party} {ref}",
        ),
        "already_there": say(
            "You are on that phone",
            "Call {ref} is on your phone {label} already.>>To see your phones, try: phones",
            "Call {ref} is on {label} already.>>Try: phones",
        ),
        "no_time_limit": say(
            "No time limit",
            "Call {ref} has no time limit, so there is nothing to extend.>>Try: who {ref}",
            "Call {ref} has no time limit.>>Try: who {ref}",
        ),
        "not_scheduled": say(
            "Not scheduled",
            "Call {ref} is not on your calendar any more.>>To see what is, try: next",
            "Call {ref} is not scheduled.>>Try: next",
        ),
        "nothing_scheduled": say(
            "Nothing is scheduled",
            "Nothing of yours is scheduled.>>Try: {example}",
            "Nothing is scheduled.>>Try: call mom at 6pm",
        ),
        "no_last_call": say(
            "No call yet",
            "You have made no call yet, so there is none to repeat.>>Try: {example}",
            "You have made no call yet.>>Try: call mom",
        ),
        "no_ref_left": say(
            "Too many calls at hand",
            "No short code is free for one more call of yours, so it was not launched. "
            "Old ones come free with time.>>Try later: call mom",
            "No code is free for one more call.>>Try later: call mom",
        ),
        "not_billed_yet": say(
            "Not billed yet",
            "Call {ref} is not over, so there is no bill to explain yet.>>Try: {example}",
            "Call {ref} has no bill yet.>>Try: status {ref}",
        ),
    }
)
