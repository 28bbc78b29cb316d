"""Outgoing text messages: which words, in which alphabet, in how many parts."""

from typing import Final

from call_core.errors import DeliveryError
from channels.kit.contract import Outgoing
from channels.kit.gsm7 import transliterate
from channels.kit.render import Budget, render
from parsers.gsm0338 import Segments, segments

SEGMENTS_LIMIT: Final = 10  # what most carriers join again, and within Twilio's 1,600 characters


def sms_segments(message: Outgoing, max_segments: int) -> Segments:
    """Return the words of a message, whole, in as few parts as say it well.

    The full wording goes out when it fits into the parts that are paid for; else the one that was
    written for a single part, which is cut nowhere but between words.

    Raises:
        DeliveryError: never retryable: the text cannot be made to fit.
    """
    if max_segments > 1:
        full = render(message.content, Budget.FULL, message.timezone, test=message.test)
        found = segments(transliterate(full))
        if len(found.parts) <= max_segments:
            return found
    short = render(message.content, Budget.SMS160, message.timezone, test=message.test)
    found = segments(short)
    if len(found.parts) > max_segments:
        raise DeliveryError(f"{len(found.parts)} parts is too long for a text", retryable=False)
    return found
