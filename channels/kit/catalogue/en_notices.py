"""English: what we tell later: receipts, the last minute, the calendar, consent, sign-in."""

from types import MappingProxyType

from channels.kit.catalogue.model import Text, line, say

_MONEY = "Total {total}.[ Balance {balance}.][ Credit left {credit}.]"
_MONEY_SHORT = "Total {total}[, balance {balance}][, credit {credit}]."
_WHY = ">>Reply WHY {ref} for the arithmetic."


def _receipt(title: str, result: str, short: str) -> Text:
    """Return the text of a call that is over; `short` is the result in two or three words."""
    return say(
        title,
        f"{result} Call {{ref}}, {{talk}}.{{lines}}\n{_MONEY}{_WHY}",
        f"{result} {{ref}}, {{talk}}. {_MONEY}{_WHY}",
        f"{result} {{ref}}, {{talk}}. {_MONEY_SHORT}>>WHY {{ref}}",
        f"{short}: {{to}}, {{talk}}. {{ref}}. {_MONEY_SHORT}>>WHY {{ref}}",
        f"{short}. {{ref}}. {_MONEY_SHORT}",
    )


def _failed(title: str, result: str, short: str, step: str = "Reply LAST to try again.") -> Text:
    """Return the text of a call that nobody talked on; who was answered may still be billed."""
    return say(
        title,
        f"{result} Call {{ref}}.{{lines}}\n{_MONEY}>>{step}",
        f"{result} {{ref}}. {_MONEY}>>{step}",
        f"{short}: {{to}}. {{ref}}. {_MONEY_SHORT}>>Again: LAST",
        f"{short}. {{ref}}. {_MONEY_SHORT}",
    )


TEXTS = MappingProxyType(
    {
        "receipt": _receipt("Receipt: {to}, {talk}", "Your call with {to} is over.", "Over"),
        "receipt_money": _receipt(
            "Receipt: {to}, {talk}",
            "Your call with {to} is over: the money held for it was used up.",
            "Money used up",
        ),
        "receipt_time": _receipt(
            "Receipt: {to}, {talk}",
            "Your call with {to} is over: its time limit was reached.",
            "Time is up",
        ),
        "receipt_stopped": _receipt(
            "Receipt: {to}, {talk}",
            "Your call with {to} was ended by the operator.",
            "Ended by operator",
        ),
        "expired": _failed(
            "Not launched",
            "Your call to {to} waited too long and was not launched.",
            "Not launched",
        ),
        "a_busy": _failed(
            "Your phone was busy",
            "Your own phone was busy, so {to} was not rung.",
            "Your phone was busy",
        ),
        "a_not_reached": _failed(
            "Your phone did not answer",
            "Your own phone did not answer, so {to} was not rung.",
            "You did not answer",
        ),
        "a_not_accepted": _failed(
            "No key was pressed",
            "Your phone was answered but nobody pressed 1, so {to} was not rung.",
            "No key pressed",
        ),
        "b_busy": _failed("{to} was busy", "{to} was busy.", "Busy"),
        "b_no_answer": _failed("{to} did not answer", "{to} did not answer.", "No answer"),
        "b_not_reached": _failed(
            "{to} was not reached", "{to} could not be reached.", "Not reached"
        ),
        "lines_busy": _failed(
            "All lines were busy", "All lines to {to} were busy.", "Lines were busy"
        ),
        "nobody_came": _failed(
            "Nobody came",
            "Nobody else came into your conference with {to}.",
            "Nobody came",
        ),
        "receipt_line": line("{label}: {talk}, {charge}[, {result}]", "{label} {talk} {charge}"),
        "last_minute_money": say(
            "{left} left",
            "{left} left: your balance ends call {ref} on {at}.>>"
            "Top up to go on, or reply HANGUP {ref}",
            "{left} left: balance ends {ref}, {at:short}.>>Top up to go on.",
            "{left} left, balance low. {ref}.>>Top up to go on.",
        ),
        "last_minute_time": say(
            "{left} left",
            "{left} left: call {ref} reaches its time limit on {at}.>>"
            "Reply EXTEND 15 {ref} to go on.",
            "{left} left, time limit. {ref}.>>Reply EXTEND 15 {ref}",
        ),
        "party_missing": say(
            "{label} was not reached",
            "{label}, party {party} of call {ref}, was not reached[: {result}].>>"
            "Reply REDIAL {party} {ref} to ring again.",
            "Not reached: {label}[, {result}]. {ref}.>>REDIAL {party} {ref}",
            "Not reached: {label}. {ref}.>>REDIAL {party} {ref}",
        ),
        "amended": say(
            "Bill corrected",
            "Corrected: one leg of call {ref} costs {now}, not {was}; the difference is booked."
            ">>Reply WHY {ref} for the arithmetic.",
            "Corrected: {ref} costs {now}, not {was}.>>Reply WHY {ref}",
            "Corrected: {ref}. {now}, not {was}.",
        ),
        # --- the calendar -----------------------------------------------------------------------
        "schedule_launched": say(
            "It is time",
            "It is time: your call[ with {to}] is under way. Call {ref}.[ {price} a minute.]\n"
            "Your phone[ ({from})] rings first. Answer it[?key: and press 1].>>"
            "To hang up: HANGUP {ref}",
            "It is time[: {to}]. {ref}.[ {price}/min.]>>Answer your phone[?key:, press 1].",
            "It is time. {ref}.[ {price}/min.]>>Answer your phone[?key:, press 1].",
        ),
        "schedule_missed": say(
            "A scheduled call was missed",
            "Missed: call {ref} was due on {at}, and we came back too late to launch it. "
            "Nothing is charged.>>Reply LAST or call again.",
            "Missed on our side: {ref}, due {at}. Nothing is charged.",
        ),
        "schedule_refused": say(
            "A scheduled call was not launched",
            "Not launched: call {ref}, due on {at}.[ {why}]>>"
            "To see what else is scheduled, reply NEXT",
            "Not launched: {ref}, due {at}.[ {why}]",
            "Not launched: {ref}, due {at}.",
        ),
        "schedule_short": say(
            "A scheduled call will not go",
            "As things are, call {ref} cannot be launched on {at}.[ {why}]>>"
            "Reply SKIP {ref} to drop it, or top up in time.",
            "Cannot go as things are: {ref}, due {at}.[ {why}]>>SKIP {ref} drops it.",
            "In danger: {ref}, due {at}.",
        ),
        # --- consent, sign-in -------------------------------------------------------------------
        "opted_out": say(
            "No more messages here",
            "We will not write to this address any more. Your calls and your money stay as they "
            "are, and a running call goes on.",
            "We will not write here any more. Running calls go on.",
        ),
        "opted_in": say(
            "Messages are on",
            "We write to this address again.>>For what you can write: MENU",
        ),
        "phone_verified": _failed(
            "{to} is verified",
            "Your phone {to} is verified.",
            "Verified",
            "It may ring first now, for example: CALL MOM FROM {to}",
        ),
        "phone_on_file": say(
            "A phone was added",
            "{label}, {number}, was added to your phones from another address of yours. "
            "Not you?>>To take it off, reply DETACH {label}",
            "Added to your phones: {label}, {number}. Not you?>>Reply DETACH {label}",
            "Phone added: {label}. Not you?>>DETACH {label}",
        ),
        "address_on_file": say(
            "An address was added",
            "{address} ({channel}) was added to your addresses: what it sends is yours. "
            "Not you?>>To take it off, reply DETACH {address}",
            "Address added: {address}. Not you?>>Reply DETACH {address}",
            "Added: {address}. Not you?>>DETACH it.",
        ),
        "device_on_file": say(
            "A device was added",
            "{label} joined as a device of yours: what it sends is yours. Not you?>>"
            "To take it off, reply DETACH {label}",
            "Device added: {label}. Not you?>>Reply DETACH {label}",
            "Added: {label}. Not you?>>DETACH it.",
        ),
        "token_on_file": say(
            "A token was made",
            "A token was made for you: {label}. Whoever has it can act for you. Not you?>>"
            "Take it back on the page of your tokens.",
            "Token made: {label}. Not you?>>Take it back on your page.",
        ),
        "sign_in_code": say(
            "Your sign-in code",
            "Your sign-in code is {code}. It works once and for a few minutes. "
            "If you did not ask for it, do nothing.",
            "Your sign-in code is {code}. It works once.",
        ),
    }
)
