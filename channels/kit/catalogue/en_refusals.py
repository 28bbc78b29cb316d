"""English: why a number is not rung, why a user may not launch, why a sender is not believed."""

from types import MappingProxyType

from channels.kit.catalogue.model import Text, say

_NOT_KNOWN = say(
    "Address not known",
    "We do not know that this address may launch calls, so nothing was done. "
    "Your administrator can add it.>>Then try: call mom",
    "We do not know this address. Your administrator can add it.>>Then try: call mom",
    "This address is not on file; ask your administrator.>>Then try: call mom",
)
_UNREACHABLE_STEP = ">>Try: call +44 20 7946 0018"


def _dear(kind: str) -> Text:
    """Return the text about a kind of number that costs more than people expect."""
    return say(
        f"{kind} not allowed",
        f"{{number}}: {kind.lower()} are not called from this account. {{change}}>>"
        "To see another price, try: rate ghana",
        f"{kind} are not allowed. {{change:short}}>>Try: rate ghana",
    )


def _standing(subject: str, state: str) -> Text:
    """Return the text about somebody who may launch nothing."""
    return say(
        f"{subject} is {state}",
        f"{subject} is {state}, so nothing is launched. {{change}}>>Try: balance",
        f"{subject} is {state}. {{change:short}}>>Try: balance",
    )


TEXTS = MappingProxyType(
    {
        # --- the number -------------------------------------------------------------------------
        "emergency": say(
            "Dial {digits} on a phone now",
            "This service cannot reach {digits}. Dial {digits} on a phone NOW.",
        ),
        "number_not_valid": say(
            "Not a valid number",
            "{number} is not a valid number; nobody was rung." + _UNREACHABLE_STEP,
            "{number} is not valid." + _UNREACHABLE_STEP,
            "Not a valid number." + _UNREACHABLE_STEP,
        ),
        "own_number": say(
            "Our own number",
            "{number} is this service's own number; nobody was rung." + _UNREACHABLE_STEP,
            "That is our own number." + _UNREACHABLE_STEP,
        ),
        "premium_number": _dear("Premium numbers"),
        "satellite_number": _dear("Satellite numbers"),
        "shared_cost_number": _dear("Shared-cost numbers"),
        "personal_number": _dear("Personal numbers"),
        "special_number": _dear("Numbers of no country"),
        "prefix_frozen": say(
            "Calls there are held",
            "{number}: calls to such numbers are held for now; nobody was rung. {change}>>"
            "Try: rate ghana",
            "Calls to such numbers are held. {change:short}>>Try: rate ghana",
        ),
        "country_not_allowed": say(
            "{country} is not allowed",
            "{number} is in {country}, which is not open for this account; nobody was rung. "
            "{change}>>Try: rate {country}",
            "{country} is not open for you. {change:short}>>Try: rate {country}",
            "{country} is not open for you.>>Try: rate ghana",
        ),
        "callback_forbidden": say(
            "Not from {country}",
            "Phones in {country} may not be called back, so this call cannot begin there. "
            "Use a phone elsewhere.>>Try: phones",
            "Phones in {country} may not be called back.>>Try: phones",
        ),
        "no_rate": say(
            "No price for {country}",
            "We have no price for {number} ({country}), so it is not called.>>Try: rate ghana",
            "We have no price for {country}.>>Try: rate ghana",
        ),
        "same_number": say(
            "The same phone",
            "{number} is the phone that would ring first; both ends cannot be one phone.>>"
            "To see your phones, try: phones",
            "Both ends would be one phone.>>Try: phones",
        ),
        "twice_in_list": say(
            "Twice in the list",
            "{name}, {number}, stands in the list twice; nobody was rung.>>Try: conf mom, bob",
            "{name} stands there twice.>>Try: conf mom, bob",
        ),
        "no_route": say(
            "No way there",
            "We have no way to reach[ {label}][ {number}] now; nobody was rung."
            + _UNREACHABLE_STEP,
            "No way there now." + _UNREACHABLE_STEP,
        ),
        "below_cost": say(
            "No way there",
            "Your price does not cover a call to[ {label}][ {number}]; nobody was rung. "
            "The operator can change this." + _UNREACHABLE_STEP,
            "Your price does not cover that call." + _UNREACHABLE_STEP,
        ),
        "routes_down": say(
            "Lines out of order",
            "The lines to[ {label}][ {number}] are out of order; nobody was rung, nothing is "
            "charged.>>Try again soon: last",
            "The lines there are out of order.>>Try again soon: last",
        ),
        "no_common_switch": say(
            "Not in one conference",
            "[ {label}][ {number}] cannot be joined with the others; nobody was rung.>>"
            "Call them alone. Try: call mom",
            "Not all of them can be joined.>>Try: call mom",
        ),
        "all_lines_busy": say(
            "All lines busy",
            "All lines are busy; nobody was rung and nothing is charged.>>Try again soon: last",
            "All lines are busy.>>Try again soon: last",
        ),
        # --- the user ---------------------------------------------------------------------------
        "service_frozen": say(
            "The service is held",
            "The operator holds all calls for now; nothing is launched and nothing is charged.>>"
            "Try later: call mom",
            "All calls are held for now.>>Try later: call mom",
        ),
        "frozen_after_restore": say(
            "Held after a restore",
            "This was sent before the service came out of a backup. It may have been done "
            "already, so nobody was rung.>>If you still want it, try: call mom",
            "Sent before a restore; nobody was rung.>>Try: call mom",
        ),
        "customer_inactive": _standing("Your company's account", "closed"),
        "customer_frozen": _standing("Your company's account", "held"),
        "user_inactive": _standing("Your access", "closed"),
        "user_frozen": _standing("Your access", "held"),
        "not_done": say(
            "Not done",
            "Something failed on our side. Nothing was launched and nothing is charged.>>"
            "Send it again, or try: call mom",
            "It failed on our side; nobody was rung.>>Try again: call mom",
        ),
        "too_many_parties": say(
            "Too many people",
            "{asked} people are too many for one call; the limit is {limit}. {change}>>"
            "Try: conf mom, bob",
            "{asked} people, the limit is {limit}. {change:short}>>Try: conf mom, bob",
        ),
        "too_many_scheduled": say(
            "Calendar full",
            "{limit} calls are scheduled, and that is the limit. {change}>>"
            "Drop one first. Try: next",
            "{limit} calls are scheduled already. {change:short}>>Try: next",
        ),
        "too_many_redials": say(
            "Rung often enough",
            "That person was rung again {limit} times already, which is the limit.>>Try: who",
            "Rung again {limit} times already.>>Try: who",
        ),
        "too_many_calls": say(
            "Too many calls at once",
            "{limit} calls are running, and that is the limit at once. {change}>>"
            "Hang one up first. Try: history",
            "{limit} calls are running already. {change:short}>>Try: history",
        ),
        "too_fast": say(
            "Too fast",
            "More than {limit} calls in one second; this one was not launched.>>"
            "Try again now: call mom",
            "Over {limit} calls a second.>>Try again: call mom",
        ),
        "destination_velocity": say(
            "Too many calls there",
            "{limit} calls an hour to numbers like {number} is the limit. {change}>>"
            "Try later: call mom",
            "Over {limit} calls an hour there. {change:short}>>Try later: call mom",
        ),
        "callee_velocity": say(
            "Too many calls there",
            "{limit} calls an hour to {number} is the limit. {change}>>Try later: call mom",
            "Over {limit} calls an hour there. {change:short}>>Try later: call mom",
        ),
        # --- the sender -------------------------------------------------------------------------
        "unknown_sender": _NOT_KNOWN,
        "forged": _NOT_KNOWN,
        "unproven": say(
            "We must be sure it is you",
            "We cannot be sure that you wrote this, so nothing was done.>>"
            "Sign your mail, or on a signed-in page try: call mom",
            "We cannot be sure it was you.>>On a signed-in page try: call mom",
            "Not sure it was you.>>Signed in, try: call mom",
        ),
        "not_administrator": say(
            "For administrators",
            "Only your administrator may do that, so nothing was done.>>Try: menu",
            "Only your administrator may do that.>>Try: menu",
        ),
        "not_operator": say(
            "For the operator",
            "Only the operator of this service may do that, so nothing was done.>>Try: menu",
            "Only the operator may do that.>>Try: menu",
        ),
        "scope_missing": say(
            "The token may not do this",
            'This needs a token with the scope "{scope}", so nothing was done.>>'
            "Make one on the web page, then try: balance",
            'This needs a token with the scope "{scope}".>>Then try: balance',
        ),
        "replayed": say(
            "Seen before",
            "We have seen this very message before, so nothing was done now.>>"
            "Write a new one. Try: call mom",
            "Seen before; nothing was done.>>Write a new one. Try: call mom",
            "Seen before.>>Write a new one. Try: call mom",
        ),
        "same_id_other_content": say(
            "Seen before with other words",
            "A message with the same id and other words came before, so nothing was done now.>>"
            "Write a new one. Try: call mom",
            "Seen before with other words.>>Write a new one. Try: call mom",
            "Same id, other words.>>Write a new one. Try: call mom",
        ),
        "challenge_too_soon": say(
            "We have just asked",
            "We asked at your address on file within the last {minutes} min; nobody was rung.>>"
            "Answer that, or try later: call mom",
            "We have just asked at your address.>>Try later: call mom",
        ),
        "challenge_too_many": say(
            "We have asked often enough",
            "We asked at your address on file {limit} times today, which is the limit; nobody "
            "was rung.>>On a signed-in page try: call mom",
            "Asked {limit} times today already.>>On a signed-in page try: call mom",
        ),
        "challenge_at_night": say(
            "Not at night",
            "We do not ask at your address between 22:00 and 7:00; nobody was rung.>>"
            "On a signed-in page try: call mom",
            "We do not ask at night.>>On a signed-in page try: call mom",
        ),
    }
)
