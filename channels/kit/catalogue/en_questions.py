"""English: what we ask before doing anything, the numbered answers, and answers that do not fit."""

from types import MappingProxyType

from channels.kit.catalogue.model import line, say

_TIME_STEP = ">>Reply {ref} 1 for the first."

TEXTS = MappingProxyType(
    {
        "stale": say(
            "Still wanted?",
            "This reached us late: it was sent {minutes} min ago, so nothing was done yet. "
            "Still wanted? Question {ref}.>>Reply GO {ref} to do it now.",
            "This reached us {minutes} min late. Still wanted? {ref}.>>Reply GO {ref}",
        ),
        "same_again": say(
            "Same again?",
            "You asked for the same a moment ago: call {earlier} is on or was connected. "
            "Once more? Question {ref}.>>Reply GO {ref} to call again.",
            "Same again? You just had call {earlier}. {ref}.>>Reply GO {ref}",
        ),
        "asked.two_numbers": say(
            "Which one?",
            "Two numbers: ring one, or both in a conference? Question {ref}.>>"
            "Reply {ref} 1 for the first.",
            "Two numbers. Which? {ref}:>>Reply 1",
        ),
        "challenge": say(
            "Did you ask for a call?",
            "Somebody asked us to call {to} for you. Nobody was rung. You? Question {ref}.>>"
            "If so, reply GO {ref} {secret}\nIf not, do nothing.",
            "Somebody asked us to call {to} for you. You?>>GO {ref} {secret}",
            "Asked to call {to}. You?>>GO {ref} {secret}",
        ),
        "confirm_from_proven": say(
            "Confirm it",
            "That goes beyond what a plain message may ask for[: a call to {to}], so nothing was "
            "done. Question {ref}.[ {price} a minute.]>>"
            "Reply GO {ref} from signed mail or a signed-in page.",
            "Confirm[ the call to {to}]. {ref}.[ {price}/min.]>>"
            "GO {ref} by signed mail or web page.",
            "Confirm[: {to}]. {ref}.[ {price}/min.]>>GO {ref} by web.",
        ),
        "price_changed": say(
            "The price changed",
            "The price changed: now {now} is held, before it was {was}. Nobody was rung. "
            "Question {ref}.>>Reply GO {ref} to call anyway.",
            "Price changed. {ref}. Now {now}, was {was}.>>Reply GO {ref}",
            "Price changed. {ref}. Now {now}.>>Reply GO {ref}",
        ),
        "which_name": say(
            "Which {name}?",
            'Several names fit "{name}". Question {ref}. Which one?>>Reply {ref} 1 for the first.',
            "Which {name}? {ref}:>>Reply 1",
            "Which? {ref}:>>Reply 1",
        ),
        "time_which_place": say(
            "Which place?",
            'Several places fit "{text}". Question {ref}. Which time?' + _TIME_STEP,
            "Which place? {ref}:>>Reply 1",
        ),
        "time_day_month": say(
            "Which day?",
            '"{text}" can be two dates. Question {ref}. Which one?' + _TIME_STEP,
            "Which day? {ref}:>>Reply 1",
        ),
        "time_am_pm": say(
            "Morning or evening?",
            '"{text}" can be morning or evening. Question {ref}. Which one?' + _TIME_STEP,
            "Which time? {ref}:>>Reply 1",
        ),
        "funds_cover_part": say(
            "Your balance covers a part",
            "Your balance covers only a part of that. Question {ref}. {available} is available. "
            "Nobody was rung. Which will you have?>>Reply {ref} 1 for the first.",
            "Balance covers a part. {ref}. {available}:>>Reply 1",
        ),
        "subject_and_body_differ": say(
            "Subject or text?",
            "The subject and the text of your mail ask for two things. Question {ref}. Which one?"
            ">>Reply {ref} 1 for the first.",
            "Subject or text? {ref}:>>Reply 1",
        ),
        "several_calls": say(
            "Which call?",
            "Several of your calls are running. Question {ref}. Which one?>>"
            "Reply {ref} 1 for the first.",
            "Which call? {ref}:>>Reply 1",
        ),
        # --- the numbered answers ---------------------------------------------------------------
        "choice_call": line("call {ref} with {with}", "{ref} {with}", "{ref}"),
        "choice_both": line("a conference of {first} and {second}", "a conference of both", "both"),
        "choice_number": line("call {number}", "{number}"),
        "choice_name": line("{name}, {number}", "{name}"),
        "choice_time": line("{at}", "{at:short}"),
        "choice_fewer": line(
            "{people} of {of} people for {minutes} min", "{people} people {minutes} min"
        ),
        "choice_shorter": line(
            "all {people} people for {minutes} min", "all {people} {minutes} min"
        ),
        "choice_text": line("{text}"),
        # --- answers that do not fit ------------------------------------------------------------
        "nothing_to_confirm": say(
            "Nothing to confirm",
            "Nothing is waiting for your answer[ under {ref}]; a question is open for ten minutes "
            "and only once.>>Try again: call mom",
            "No open question[ {ref}].>>Try: call mom",
        ),
        "wrong_code": say(
            "Wrong code",
            "That is not the code we sent with question {ref}, so nobody was rung.>>"
            "Copy all six digits. Try: go {ref} 881342",
            "Wrong code for {ref}.>>Try: go {ref} 881342",
        ),
        "not_a_choice": say(
            "Not one of the answers",
            "That is not one of the answers to question {ref}"
            "[?choices:; they are 1 to {choices}].>>Try: {example}",
            "Not an answer to {ref}.>>Try: {example}",
            "Not an answer to {ref}.>>Try: menu",
        ),
    }
)
