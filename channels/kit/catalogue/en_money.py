"""English: prices, balance, past calls and their arithmetic."""

from types import MappingProxyType

from channels.kit.catalogue.model import line, say

TEXTS = MappingProxyType(
    {
        "answer_sent": say(
            "Answer sent",
            "The answer is on its way to your own address on file.",
            "The answer went to your address on file.",
        ),
        "balance": say(
            "Your balance",
            "Balance {balance}. {held} is held for running calls, {available} is available. "
            "Spent today: {spent_today}.[ Credit limit: {credit_limit}.]>>"
            "To see past calls: HISTORY",
            "Balance {balance}, available {available}, held {held}, today {spent_today}.",
            "Balance {balance}, available {available}.",
        ),
        "topped_up": say(
            "Topped up",
            "Credited {amount} to {customer_id}. Available now: {available}.",
            "Credited {amount}. Available: {available}.",
        ),
        "quote": say(
            "Price of a call to {to}",
            "A call to {to} costs {price} a minute for both legs. "
            "Your balance lasts {minutes} min.>>Nothing was rung. To launch it, call as usual.",
            "{to}: {price}/min for both legs, {minutes} min.",
            "{to}: {price}/min, {minutes} min.",
        ),
        "quote_row": line(
            "{label} ({destination}): {price} a minute, {fee} to connect, billed in {increments} s",
            "{label} {price}/min",
        ),
        "rate": say(
            "Price of {text}",
            'Prices of "{text}":>>For both legs of a call: QUOTE and the number.',
            "Prices:",
        ),
        "rate_row": line(
            "{destination} (+{prefix}): {price} a minute, {fee} to connect, "
            "billed in {increments} s",
            "{destination} {price}/min",
            "+{prefix} {price}/min",
        ),
        "history": say(
            "Your past calls",
            "[?count:Your last calls ({count}), newest first:][!count:You have made no call yet.]"
            ">>[?count:For the arithmetic of one: WHY and its code.][!count:Try: call mom]",
            "[?count:Past calls:][!count:No call yet.]>>[!count:Try: call mom]",
        ),
        "history_row": line(
            "{ref} {with}, {at}: {talk}, {total}[, {state}]",
            "{ref} {with} {talk} {total}",
            "{ref} {talk} {total}",
        ),
        "why": say(
            "The bill of call {ref}",
            "The arithmetic of call {ref}. Total {total}.",
            "Bill of {ref}. Total {total}.",
        ),
        "why_row": line("{text}"),
        "list_rest": say("The rest", "The rest:"),
        "billing_code_set": say(
            "Billing code set",
            "Call {ref} is now billed under {code}.>>To take that back within a minute: UNDO",
            "Billing code of {ref} set.>>Back: UNDO",
        ),
        # --- refusals ---------------------------------------------------------------------------
        "balance_too_small": say(
            "Balance too small",
            "Your balance is too small, so nobody was rung. Needed {needed}, available "
            "{available}.>>Top up first. To see what is held, try: balance",
            "Balance too small. Needed {needed}, available {available}.>>Try: balance",
            "Balance too small: {needed} needed.>>Try: balance",
        ),
        "cap_too_small": say(
            "Cap too small",
            "{cap} is too small a cap: beginning this call already needs {needed}. "
            "Nobody was rung.>>Give a higher cap. Try: call mom max 20 min",
            "Cap {cap} is too small, {needed} needed.>>Try: call mom max 20 min",
            "Cap too small: {needed} needed.>>Try: call mom max 20 min",
        ),
        "cap_reached": say(
            "Cap reached",
            "The cap of call {ref} leaves too little for one more leg. Needed {needed}, "
            "left {available}.>>Try: who {ref}",
            "Cap of {ref} reached. Needed {needed}, left {available}.>>Try: who {ref}",
            "Cap of {ref} reached: {needed} needed.>>Try: who {ref}",
        ),
        "daily_spend": say(
            "Daily limit reached",
            "This would go over your daily limit. Spent and held today {spent}, "
            "needed {needed}, limit {limit}. {change}>>Try: balance",
            "Over your daily limit of {limit}; {needed} needed. {change:short}>>Try: balance",
            "Over your daily limit of {limit}.>>Try: balance",
        ),
        "wrong_currency": say(
            "Wrong currency",
            "Your account is in {currency}, and a cap must be too. Nobody was rung.>>"
            "Try: call mom {example}",
            "Your account is in {currency}.>>Try: call mom {example}",
            "Your account is in {currency}.>>Try: call mom max 20 min",
        ),
        "not_an_amount": say(
            "Not an amount",
            '"{text}" is not an amount above zero; {example} would be one.>>Try: balance',
            "Not an amount above zero.>>Try: balance",
        ),
        "no_rate_for": say(
            "No price",
            'We have no price for "{text}".>>[Try: {example}][!example:Try: rate ghana]',
            'No price for "{text}".>>Try: rate ghana',
        ),
        "nothing_more": say(
            "Nothing more",
            "There is nothing more to show; a list is kept for ten minutes.>>Try: {example}",
            "Nothing more to show.>>Try: history",
        ),
        "billing_code_required": say(
            "Billing code needed",
            "Your company wants a billing code with every call; nobody was rung.>>"
            "Try: call mom code ACME-12",
            "A billing code is needed.>>Try: call mom code ACME-12",
        ),
        "billing_code_unknown": say(
            "Unknown billing code",
            '"{billing_code}" is not one of your company\'s billing codes; nobody was rung. '
            "Your administrator knows them.>>Try: call mom code ACME-12",
            "Unknown billing code.>>Try: call mom code ACME-12",
        ),
    }
)
