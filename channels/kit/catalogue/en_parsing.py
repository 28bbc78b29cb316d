"""English: words that could not be read. Each says which, why, and shows one that can."""

from types import MappingProxyType

from channels.kit.catalogue.model import Text, say

_TRY = ">>Try: {example}"
_TRY_CALL = ">>Try: call +44 20 7946 0018"
_TRY_TIME = ">>Try: call mom at mon 9am london"
_TRY_MAIL = ">>Send plain text. Try: call mom"


def _mail(reason: str) -> Text:
    """Return the text about a mail that is not well formed."""
    return say(
        "Your mail could not be read",
        f"{reason}, so nothing was done.{_TRY_MAIL}",
        f"{reason}.{_TRY_MAIL}",
        f"Your mail could not be read.{_TRY_MAIL}",
    )


def _message(reason: str) -> Text:
    """Return the text about a short message or a small screen that cannot be read."""
    return say(
        "Your message could not be read",
        f"{reason}, so nothing was done.{_TRY_MAIL}",
        f"{reason}.{_TRY_MAIL}",
        f"Your message could not be read.{_TRY_MAIL}",
    )


TEXTS = MappingProxyType(
    {
        # --- numbers ----------------------------------------------------------------------------
        "not_a_number": say(
            "Not a number",
            '"{text}" is not a telephone number.>>From your country write it so. Try: {example}',
            '"{text}" is not a number.' + _TRY,
        ),
        "too_short": say(
            "Number too short",
            '"{text}" is too short for a number[ in {country}].' + _TRY,
            '"{text}" is too short.' + _TRY,
        ),
        "too_long": say(
            "Too long",
            "That is too long[ ({text})][ for a number in {country}]"
            "[: {length} characters, the limit is {limit}].>>Try: {example}",
            "Too long[, the limit is {limit}].>>Try: {example}",
        ),
        "invalid_for_country": say(
            "No such number",
            '"{text}" is no number that exists[ in {country}].' + _TRY,
            '"{text}" does not exist[ in {country}].' + _TRY,
            '"{text}" does not exist.' + _TRY,
        ),
        "unknown_country_code": say(
            "Unknown country code",
            '"{text}" begins with a country code that does not exist.' + _TRY,
            '"{text}": no such country code.' + _TRY,
        ),
        "seven_digits_need_area_code": say(
            "Area code missing",
            '"{text}" needs its area code in front.' + _TRY,
            '"{text}" needs its area code.' + _TRY,
        ),
        "lookalike_digits": say(
            "Digits that only look right",
            "Something there only looks like a digit[: {digit}][ in {text}], so nobody was rung."
            "[ Read as {read_as}?]>>Write 0 to 9. Try: {example}",
            "Something there only looks like a digit." + _TRY,
        ),
        "wrong_international_prefix": say(
            "Wrong prefix for abroad",
            '"{text}" begins with another country\'s prefix for abroad; yours is {prefix}. '
            "A + always works.>>Try: {suggestion}",
            '"{text}": wrong prefix for abroad.>>Try: {suggestion}',
            "Wrong prefix.>>Try: {suggestion}",
        ),
        "missing_plus": say(
            "Is a + missing?",
            '"{text}" is a number only with a + in front; nobody was rung.>>Try: {suggestion}',
            '"{text}" needs a + in front.>>Try: {suggestion}',
            "A + is missing.>>Try: {suggestion}",
        ),
        "extension_too_long": say(
            "Extension too long",
            'The extension in "{text}" is too long.>>Try: {example}',
            "The extension is too long.>>Try: {example}",
        ),
        "number_too_long": say(
            "Number too long",
            "A number has at most {limit} digits, extension and all.>>Try: {example}",
            "Over {limit} digits." + _TRY_CALL,
        ),
        # --- times ------------------------------------------------------------------------------
        "in_the_past": say(
            "That time is over",
            '"{text}" is over already ({local}).' + _TRY,
            '"{text}" is over already.' + _TRY,
            "That time is over." + _TRY_TIME,
        ),
        "too_far": say(
            "Too far ahead",
            '"{text}" is more than {days} days ahead.' + _TRY,
            "More than {days} days ahead." + _TRY_TIME,
        ),
        "unknown_place": say(
            "Unknown place",
            'We do not know the place "{place}".[ Did you mean {suggestion}?]>>Try: {example}',
            'No place "{place}".' + _TRY,
            "Unknown place." + _TRY_TIME,
        ),
        "hour_missing": say(
            "Which hour?",
            '"{text}" names no hour.' + _TRY,
            "The hour is missing." + _TRY_TIME,
        ),
        "time_missing": say(
            "Which hour?",
            '"{text}" names a day but no hour.' + _TRY,
            "The hour is missing." + _TRY_TIME,
        ),
        "no_such_date": say(
            "No such date",
            '"{text}" is a date that does not exist.' + _TRY,
            "No such date." + _TRY_TIME,
        ),
        "no_such_time": say(
            "No such time",
            '"{text}" is a time that does not exist.' + _TRY,
            "No such time." + _TRY_TIME,
        ),
        "weekday_mismatch": say(
            "Day and date differ",
            '"{text}": the weekday is wrong, that date is {date}.' + _TRY,
            "The weekday is wrong: {date}." + _TRY,
            "Wrong weekday." + _TRY_TIME,
        ),
        "time_not_understood": say(
            "Time not understood",
            'In "{text}" we do not understand "{leftover}".' + _TRY,
            'We do not understand "{leftover}".' + _TRY,
            "Time not understood." + _TRY_TIME,
        ),
        "time_invalid": say(
            "No such time",
            '"{text}" is a time that does not exist[, because of "{leftover}"].' + _TRY,
            "No such time." + _TRY_TIME,
        ),
        # --- the grammar ------------------------------------------------------------------------
        "empty": say(
            "Nothing to do",
            "There were no words for us to act on.>>Write whom to call. Try: {example}",
            "There were no words." + _TRY,
            "There were no words.>>Try: call mom",
        ),
        "not_understood": say(
            "Not understood",
            'We do not understand "{leftover}"[ after {verb}], so nothing was done.'
            "[ Did you mean {suggestion}?]>>Try: {example}",
            'Not understood: "{leftover}".[ Did you mean {suggestion}?]>>Try: {example}',
            'Not understood: "{leftover}".' + _TRY,
            'Not understood: "{leftover}".>>Try: menu',
        ),
        "missing_argument": say(
            "Something is missing",
            "{verb} needs more words behind it." + _TRY,
            "{verb} needs more words.>>Try: menu {verb}",
        ),
        "ref_missing": say(
            "Which call?",
            "{verb} needs the code of a call." + _TRY,
            "{verb} needs a call's code.>>Try: history",
        ),
        "option_twice": say(
            "Said twice",
            'You said "{option}" twice; nobody was rung.' + _TRY,
            'You said "{option}" twice.>>Try: call mom from office',
        ),
        "max_unit_unclear": say(
            "Money or minutes?",
            "{value} what: money or minutes? Nobody was rung." + _TRY,
            "{value} what: money or minutes?>>Try: call mom max 20 min",
        ),
        "minutes_out_of_range": say(
            "Too long",
            "{minutes} minutes are not possible; 1 to {limit} are." + _TRY,
            "1 to {limit} minutes are possible.>>Try: call mom max 20 min",
        ),
        "not_yet": say(
            "Not yet",
            '"{verb}" is kept for later and does nothing yet.' + _TRY,
            '"{verb}" does nothing yet.>>Try: menu',
        ),
        "quote_not_closed": say(
            "A quote is open",
            'A name in quotes needs a second " behind it.' + _TRY,
            'A second " is missing.>>Try: call "bob and sons"',
        ),
        "too_many_targets": say(
            "Too many people",
            "More than {limit} people in one list; nobody was rung." + _TRY,
            "Over {limit} people.>>Try: conf mom, bob",
        ),
        "two_numbers": say(
            "Two numbers",
            "There are two numbers where one is expected; nobody was rung.>>"
            "For a conference, try: {example}",
            "There are two numbers there.>>Try: conf mom, bob",
        ),
        "subject_differs": say(
            "Subject or text?",
            'The subject of your mail says "{subject}" and its text "{body}"; nothing was done.>>'
            "Write one of them. Try: {example}",
            "Subject and text of your mail differ; nothing was done.>>Try: {example}",
            "Subject and text differ.>>Try: call mom",
        ),
        # --- mail that is not well formed -------------------------------------------------------
        "mail_bare_return": _mail("Your mail holds a line end that only some programs see"),
        "mail_field_repeated": say(
            "Your mail could not be read",
            "Your mail has the field {field} twice, so nothing was done." + _TRY_MAIL,
            "A field of your mail is there twice." + _TRY_MAIL,
        ),
        "mail_field_syntax": _mail("An address in your mail is not well formed"),
        "mail_field_too_long": _mail("A field of your mail is over {limit} characters"),
        "mail_from_missing": _mail("Your mail does not say once whom it is from"),
        "mail_header_too_large": _mail("The head of your mail is over {limit} bytes"),
        "mail_line_too_long": _mail("A line of your mail is over {limit} bytes"),
        "mail_nested_too_deep": _mail("Your mail holds mails in mails, over {limit} deep"),
        "mail_not_handled": say(
            "Your mail could not be handled",
            "Something failed on our side each time we tried to handle your mail, so nothing was "
            "done. Ask your administrator, or send it again." + _TRY_MAIL,
            "Something failed on our side; nothing was done." + _TRY_MAIL,
            "We could not handle your mail." + _TRY_MAIL,
        ),
        "mail_nul": _mail("Your mail holds bytes that no text has"),
        "mail_too_large": _mail("Your mail is over {limit} bytes"),
        "mail_too_many_parts": _mail("Your mail has over {limit} parts"),
        # --- small screens and text messages ----------------------------------------------------
        "no_such_press": _message("There is no {label} on this screen, only {there}"),
        "screen_too_long": _message("This screen is over {limit} characters"),
        "sms_too_large": _message("Your message is too long"),
        "sms_unreadable": _message("Your message holds letters that we cannot read"),
    }
)
