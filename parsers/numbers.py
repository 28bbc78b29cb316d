"""Telephone numbers by their shape only: is this one, where does it end, is it two of them.

Nothing here knows a country. A text that looks like a number is handed on as it was written; the
core decides, with the user's own country, whether it is one. The phonenumbers matcher is not used
because it misses vanity words and every pair of numbers written side by side
(`415 555 1212 212 555 0100`).
"""

import re
from itertools import pairwise

from call_core.commands import Number
from call_core.errors import ParseError

MAX_DIGITS = 40  # 3 of an international prefix, 15 of E.164, 22 of an extension and its pauses
MAX_E164_DIGITS = 15
MIN_FULL_DIGITS = 7  # the shortest subscriber number that is worth taking for one
_MIN_NATIONAL_DIGITS = 9  # with its leading 0, so that the 0018 of 0207 946 0018 starts nothing
_MAX_EXTENSION_DIGITS = 20

_TAIL = (
    r"(?: ?(?:extension|ext\.?|x|\#|;ext=) ?\d{1,12}"
    rf"|(?:[,pw]{{1,8}}[\d*\#]{{1,{_MAX_EXTENSION_DIGITS}}}){{1,4}})?\#?"
)
_UNIT = re.compile(rf"[ /.\-]{{0,3}}\(?\+?\(?\d[\d().\-/ ]*{_TAIL}", re.IGNORECASE)
_BODY = re.compile(r"[\d().\-/ +]*")
_NUMBER_WORD = re.compile(r"[+(]*\d[\d().\-/+,;#*pwxet=]*", re.IGNORECASE)
_NANP = re.compile(r"1?[2-9]\d\d[2-9]\d{6}")
_NANP_GLUED = re.compile(rf"(?:{_NANP.pattern}){{2,}}")
_ZERO_GROUP = re.compile(r"(?<=[ /])\(?0")

# 1-800-FLOWERS, 800 FLOWERS, 415-CALL-MOM, 0800 REVERSE, +1 800 FLOWERS. A space alone joins
# letters only to a toll-free or a 1/+ prefix, or every "747 pilots bar" would be a number; x11
# and 9xx never start one, so "911 HELP NOW" stays an emergency.
_VANITY_LETTERS = r"(?P<letters>[a-z\d]{1,10}(?:[ .\-][a-z\d]{1,10}){0,3})"
_AREA = r"\(?(?!\d11)[2-9][0-8]\d\)?"
_VANITY_LOOSE = re.compile(
    rf"(?:\+\d{{1,3}}[ .\-]?\(?\d{{2,4}}\)?|1[ .\-]?{_AREA}|0[38]\d\d)[ .\-]{_VANITY_LETTERS}",
    re.IGNORECASE,
)
_VANITY_STRICT = re.compile(
    rf"(?:8(?:00|33|44|55|66|77|88)[ .\-]|{_AREA}[.\-]){_VANITY_LETTERS}", re.IGNORECASE
)
_LETTERS_FOR_DIGITS = str.maketrans("OoIl", "0011")
_MIN_DIGITS_BESIDE_LETTERS = 4
_VANITY_LENGTH_LOOSE = range(6, 11)
_VANITY_LENGTH_STRICT = range(7, 8)
_MIN_VANITY_LETTERS = 3

# Emergency numbers inside a sentence. The full list of the world is the core's; these are only
# the ones for which "please call 911 now" is heard although the words around it are not.
_EMERGENCY_IN_TEXT = frozenset({"000", "111", "112", "911", "999"})
_EMERGENCY_FIRST = re.compile(r"[019]\d\d")
_EMERGENCY_WRITTEN = re.compile(f"({'|'.join(sorted(_EMERGENCY_IN_TEXT))})\\1*")
_PUNCTUATION = ",.;:!?"
_SHORT = 3
_MIN_LOCAL_DIGITS = 7


def digits_of(text: str) -> str:
    """Return only the digits of `text`."""
    return "".join(letter for letter in text if letter in "0123456789")


def looks_like_number(text: str) -> bool:
    """Whether all of `text` has the shape of one or several telephone numbers.

    At least two digits, unless a plus stands before them; vanity numbers count.
    """
    return bool(split_numbers(text))


def is_vanity(text: str) -> bool:
    """Whether `text` is a number partly spelled in letters, such as `1-800-FLOWERS`."""
    for pattern, lengths in (
        (_VANITY_STRICT, _VANITY_LENGTH_STRICT),
        (_VANITY_LOOSE, _VANITY_LENGTH_LOOSE),
    ):
        match = pattern.fullmatch(text)
        if match is None:
            continue
        letters = [letter for letter in match["letters"] if letter.isalpha()]
        length = len(letters) + len(digits_of(match["letters"]))
        if length in lengths and len(letters) >= _MIN_VANITY_LETTERS:
            return True
    return False


def _has_letters_for_digits(text: str) -> bool:
    """Whether letters stand for digits, `2O2 555 O1OO`: the core refuses it, naming the letters."""
    straight = text.translate(_LETTERS_FOR_DIGITS)
    whole = straight != text and _BODY.fullmatch(straight)
    enough = len(digits_of(straight)) >= MIN_FULL_DIGITS
    return bool(whole) and enough and len(digits_of(text)) >= _MIN_DIGITS_BESIDE_LETTERS


def _units(text: str) -> list[str]:
    """Return the numbers that a text consists of, cut at plus signs and after extensions."""
    units: list[str] = []
    position = 0
    while position < len(text):
        match = _UNIT.match(text, position)
        if match is None:
            return []
        units.append(match[0].strip(" /-."))
        position = match.end()
    if len(units) == 1 and len(digits_of(text)) == 1 and "+" not in text:
        return []
    return units


def split_numbers(text: str) -> list[str]:
    """Return the telephone numbers in `text`, which `looks_like_number`; [] when it does not.

    Cut at a plus, after an extension, between two ten-digit North American numbers, and before a
    group that begins with 0 when one number alone would be longer than E.164 allows.
    """
    if is_vanity(text) or _has_letters_for_digits(text):
        return [text]
    return [part for unit in _units(text) for part in _unglued(unit)]


def _unglued(unit: str) -> list[str]:
    """Cut one unit that is too long to be one number; [unit] where no cut makes sense."""
    body = _BODY.match(unit)
    assert body is not None, "the pattern matches the empty text"
    places = [place for place in range(body.end()) if unit[place].isdigit()]
    digits = digits_of(body[0])
    if len(digits) <= MAX_E164_DIGITS:
        return [unit]
    if _NANP_GLUED.fullmatch(digits):
        return _cut(unit, [places[match.start()] for match in _NANP.finditer(digits)][1:])
    parts = _cut(unit, _national_starts(body[0]))
    good = range(MIN_FULL_DIGITS, MAX_E164_DIGITS + 1)
    return parts if all(len(digits_of(part)) in good for part in parts) else [unit]


def _national_starts(text: str) -> list[int]:
    """Return where groups with a leading 0 can begin another number, the one before being whole."""
    starts: list[int] = []
    last = 0
    for match in _ZERO_GROUP.finditer(text):
        if len(digits_of(text[last : match.start()])) >= _MIN_NATIONAL_DIGITS:
            last = match.start()
            starts.append(last)
    return starts


def _cut(text: str, places: list[int]) -> list[str]:
    """Cut `text` before each place, or before the bracket that opens there."""
    opened = [place - 1 if text[place - 1] == "(" else place for place in places]
    edges = [0, *opened, len(text)]
    return [text[a:b].strip(" /-.") for a, b in pairwise(edges)]


def number_run(words: list[str]) -> int:
    """Return how many words at the start could be groups of a telephone number."""
    count = 0
    while count < len(words) and _NUMBER_WORD.fullmatch(words[count]):
        count += 1
    return count


def emergency_in(words: list[str]) -> str | None:
    """Return the emergency-looking number in unquoted words that are no number, or None.

    `911 now`, `112, help`, `please call 911`, `9 1 1 please`: the words around are not understood,
    but the core must hear the number at once to say that it cannot reach it.
    """
    bare = [word.strip(_PUNCTUATION) for word in words]
    if bare and _EMERGENCY_FIRST.fullmatch(bare[0]):
        return bare[0]
    return emergency_alone(words) or next(
        (word for word in bare if word in _EMERGENCY_IN_TEXT), None
    )


def emergency_alone(words: list[str]) -> str | None:
    """Return the emergency number that stands in words by itself, not as a group of a number.

    `911 fire at 25 main st`, `help 9-1-1`, `911 911`, `911 5 elm st`; not `212 911 1234`.
    """
    place = 0
    while place < len(words):
        run = _one_number(words[place:])
        groups = re.split("[- ]", " ".join(run).strip(_PUNCTUATION))
        first = groups[0] if len("".join(groups)) < _MIN_LOCAL_DIGITS else ""
        for written in ("".join(groups) if _are_spelt(groups) else "", first):
            if found := _EMERGENCY_WRITTEN.fullmatch(written):
                return found[1]
        place += len(run) or 1
    return None


def _are_spelt(groups: list[str]) -> bool:
    """Whether groups are the digits of a short number or repeats of it: no date, no clock time."""
    return len({len(group) for group in groups}) == 1 and len(groups[0]) in (1, _SHORT)


def _one_number(words: list[str]) -> list[str]:
    """Return the words at the start that are groups of one number; a comma ends it."""
    run = words[: number_run(words)]
    end = next((at for at, word in enumerate(run, 1) if word[-1] in _PUNCTUATION), len(run))
    return run[:end]


def number_of(text: str) -> Number:
    """Return the number as written.

    Raises:
        ParseError: `number_too_long` over `MAX_DIGITS`.
    """
    digits = digits_of(text)
    if len(digits) > MAX_DIGITS:
        raise ParseError("number_too_long", limit=MAX_DIGITS, example="call +44 20 7946 0018")
    return Number(text)
