"""English: directory, speed dial, own phones, places, help."""

from types import MappingProxyType

from channels.kit.catalogue.model import line, say

_UNDO = ">>To take that back within a minute: UNDO"
_UNDO_SHORT = ">>Back: UNDO"

TEXTS = MappingProxyType(
    {
        "saved": say(
            "Saved {name}",
            "Saved {name}, {number}." + _UNDO,
            "Saved {name}, {number}." + _UNDO_SHORT,
            "Saved {name}, {number}.",
        ),
        "forgotten": say(
            "Removed {name}",
            "Removed {name}, {number}, from your directory." + _UNDO,
            "Removed {name}, {number}." + _UNDO_SHORT,
            "Removed {name}." + _UNDO_SHORT,
        ),
        "company_entry_saved": say(
            "Saved {name}",
            "Saved {name}, {number}, for everybody in the company.",
            "Saved {name}, {number}, for everybody.",
            "Saved {name}, {number}.",
        ),
        "company_entry_removed": say(
            "Removed {name}",
            "Removed {name}, {number}, from the company's directory.",
            "Removed {name}, {number}, for everybody.",
            "Removed {name} for everybody.",
        ),
        "slot_set": say(
            "*{slot} is {label}",
            "*{slot} now calls {label}." + _UNDO,
            "*{slot} now calls {label}." + _UNDO_SHORT,
        ),
        "phone_used": say(
            "{label} rings first",
            "From now on {label}, {number}, rings first." + _UNDO,
            "{label}, {number}, rings first." + _UNDO_SHORT,
            "{label} rings first." + _UNDO_SHORT,
        ),
        "undone": say("Taken back", "Taken back: {what} is as it was.", "Taken back: {what}."),
        "directory": say(
            "Your directory",
            "[?count:Names ({count}):][!count:No such name is in your directory.]>>"
            "[?count:To call one: CALL and the name.][!count:Try: save mom +44 20 7946 0018]",
            "[?count:Names:][!count:No such name.]>>[!count:Try: save mom +44 20 7946 0018]",
        ),
        "directory_row": line("{name}, {number}[?shared: (company)]", "{name} {number}", "{name}"),
        "phones": say(
            "Your phones",
            "[?rows:Your phones:][!rows:You have no phone on file yet. "
            "Your administrator can add one.]>>[?rows:To make one ring first: USE and its name.]",
            "[?rows:Your phones:][!rows:You have no phone on file.]",
        ),
        "phone_row": line(
            "{label}, {number}[?default:, rings first][!verified:, not verified]",
            "{label} {number}",
            "{label}",
        ),
        # --- places and help --------------------------------------------------------------------
        "local_time": say("Local time", 'The time in "{text}":', "Time:"),
        "time_row": line("{place}: {at}", "{place} {at:short}", "{at:short}"),
        "dial_help": say(
            "How to dial {place}",
            "{place}[?country:: country code +{country_code}]"
            "[!country: has no telephones of its own][, area code {area_code}].>>"
            "[?country:For the price: RATE {place}]",
            "{place}[?country:: +{country_code}][ {area_code}].",
        ),
        "dial_row": line(
            "There {national}; from here {international}[, or {prefix} and the digits after the +]"
            "[; mobiles {mobile}]",
            "{international}",
        ),
        "menu": say(
            "What you can write",
            "[?topic:{topic}:][!topic:What you can write:]>>For more about one: MENU CONF",
            "[?topic:{topic}:][!topic:Write:]>>More: MENU CONF",
            "Write:",
        ),
        "menu_row": line("{example}[: {text}]", "{example}"),
        # --- refusals ---------------------------------------------------------------------------
        "name_unknown": say(
            "Unknown name",
            'Nobody in your directory is called "{name}"; nobody was rung.>>Try: {example}',
            'Nobody is called "{name}".>>Try: {example}',
            'Nobody is called "{name}".>>Try: save mom +44 20 7946 0018',
        ),
        "name_unknown_like": say(
            "Unknown name",
            'Nobody in your directory is called "{name}"; nobody was rung. '
            "Did you mean {suggestion}?>>Try: call {example}",
            'Nobody is called "{name}".>>Try: call {example}',
            'Nobody is called "{name}".>>Try: dir',
        ),
        "name_reserved": say(
            "Name not possible",
            '"{name}" cannot be a name: it looks like the code of a call.>>Try: {example}',
            '"{name}" looks like a call\'s code.>>Try: save bob +44 20 7946 0018',
        ),
        "name_not_allowed": say(
            "Name not possible",
            '"{name}" cannot be a name: calling it would mean something else.>>Try: {example}',
            '"{name}" cannot be a name.>>Try: {example}',
            "That cannot be a name.>>Try: save bob +44 20 7946 0018",
        ),
        "name_too_long": say(
            "Name too long",
            'A name has at most {limit} characters, and "{name}" goes on.>>Try: {example}',
            "A name has at most {limit} characters.>>Try: {example}",
            "A name has at most {limit} characters.>>Try: call mom",
        ),
        "no_such_entry": say(
            "No such name",
            'Your directory has no "{name}", so there is nothing to remove.>>Try: {example}',
            'No "{name}" in your directory.>>Try: {example}',
            'No "{name}" in your directory.>>Try: dir',
        ),
        "entry_is_shared": say(
            "A company entry",
            '"{name}" is in your company\'s directory, not in yours. {change}>>Try: dir',
            '"{name}" is the company\'s. {change:short}>>Try: dir',
        ),
        "slot_empty": say(
            "Nothing on *{slot}",
            "Nothing is set on *{slot}, so nobody was rung.>>Try: {example}",
            "Nothing is set on *{slot}.>>Try: slot {slot} mom",
        ),
        "no_such_slot": say(
            "No such slot",
            "There is no *{slot}; speed dial goes from 1 to {limit}.>>Try: {example}",
            "Speed dial goes from 1 to {limit}.>>Try: slot 7 bob",
        ),
        "nothing_to_undo": say(
            "Nothing to take back",
            "There is nothing to take back; a change can be undone for a minute.>>"
            "To see your names, try: dir",
            "Nothing to take back.>>Try: dir",
        ),
        "no_phone": say(
            "No phone on file",
            "We have no phone of yours on file, so there is nothing to ring first. {change}>>"
            "Try: phones",
            "You have no phone on file. {change:short}>>Try: phones",
        ),
        "phone_not_yours": say(
            "Not one of your phones",
            "{label} is not one of your phones, and only those are rung first.>>Try: phones",
            "{label} is not one of your phones.>>Try: phones",
        ),
        "phone_not_verified": say(
            "Phone not verified",
            "Your phone {label} is not verified yet, so it cannot ring first.>>Try: verify {label}",
            "{label} is not verified yet.>>Try: verify {label}",
            "{label} is not verified.>>Try: phones",
        ),
        "phone_is_verified": say(
            "Phone is verified",
            "Your phone {label} is verified already.>>Try: phones",
            "{label} is verified already.>>Try: phones",
        ),
        # --- own phones and addresses -----------------------------------------------------------
        "verification_launched": say(
            "Ringing {label}",
            "Your phone {label}, {number}, rings now. Call {ref}.>>Answer it and key {digits}.",
            "Ringing {label}, {number}. {ref}.>>Answer and key {digits}.",
            "Ringing {label}. {ref}.>>Answer and key {digits}.",
        ),
        "join_code": say(
            "A code for another address",
            "The address that sends this first is yours from then on. It works once, for {minutes} "
            "minutes; give it to nobody. A computer joins by callgate dial --join {code} SERVER.>>"
            "From the new address write: join {code}",
            "Works once, {minutes} min.>>From the new address write: join {code}",
            "{minutes} min.>>From the new address: join {code}",
        ),
        "joined": say(
            "This address is yours now",
            "What comes from here is {name}'s from now on. Your other addresses were told.>>"
            "For what you can write: MENU",
            "This address is {name}'s now.>>Try: menu",
            "This address is yours now.>>Try: menu",
        ),
        "already_on_file": say(
            "This address is on file",
            "This address is on file already; a code is sent from the new one.>>"
            "For another code, try: {example}",
            "This address is on file already.>>Try: {example}",
        ),
        "detached": say(
            "Taken off",
            "{what} is not on your file any more.>>To see what is, try: phones",
            "{what} is off your file.>>Try: phones",
        ),
        "nothing_to_detach": say(
            "Nothing of that name",
            'No phone, address or device of yours is "{name}".>>Try: {example}',
            'You have no "{name}".>>Try: {example}',
            "No such phone or address.>>Try: {example}",
        ),
        "last_address": say(
            "Your last address",
            "{address} is your only address, so it stays.>>To add another first, try: device",
            "{address} is your only address.>>Try: device",
            "It is your only address.>>Try: device",
        ),
        "too_many_addresses": say(
            "Too many addresses",
            "You have {limit} addresses on file; the operator can add more.>>"
            "Try: detach ann@example.org",
            "You have {limit} addresses.>>Try: detach ann@example.org",
            "At most {limit} addresses.>>Try: detach",
        ),
        "too_many_phones": say(
            "Too many phones",
            "You have {limit} phones on file, the most there can be, or the name is too long.>>"
            "Try: detach cell",
            "At most {limit} phones, with short names.>>Try: detach cell",
        ),
        "too_many_verifications": say(
            "Too many tries today",
            "Phones of yours were rung {limit} times today to be verified; more tomorrow.>>"
            "Try: phones",
            "Rung {limit} times today; more tomorrow.>>Try: phones",
        ),
        "no_such_place": say(
            "Unknown place",
            'We do not know a place "{text}".[ Did you mean {suggestion}?]>>Try: {example}',
            'No place "{text}".>>Try: {example}',
            'No place "{text}".>>Try: time tokyo',
        ),
    }
)
