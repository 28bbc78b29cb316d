"""How a written name finds its directory entry.

An exact name wins, the user's own entry before the company's. Otherwise names that begin with
the text count, word by word (`bob s` finds Bob Smith). Several are a question; none is a refusal
that names the closest. Case and accents never matter.
"""

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_CANDIDATES: Final = 9
MAX_NAME_LENGTH: Final = 64
CLOSE_ENOUGH: Final = 0.7


@dataclass(frozen=True, slots=True)
class Entry:
    """A directory entry: `key` is the caller's own id for it; `own` False for the company's."""

    key: str
    name: str
    own: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """The one entry meant."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Two to nine entries that may be meant, by name; `more` when there are others."""

    candidates: tuple[Entry, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class NotFound:
    """No entry; `suggestion` is the name most like it, "" when none is close."""

    suggestion: str = ""


def fold(text: str) -> str:
    """Gives the form in which names are compared and stored for look-up."""
    plain = unicodedata.normalize("NFKD", text[:MAX_NAME_LENGTH]).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(plain.replace("-", " ").replace(".", " ").split())


def match_name(text: str, entries: Sequence[Entry]) -> Found | Ambiguous | NotFound:
    """Finds the entry that a written name means.

    Args:
        text: the name as written.
        entries: the user's own and the company's, any order.
    """
    wanted = fold(text)
    if not wanted:
        return NotFound()
    named = [(fold(entry.name), entry) for entry in entries]
    exact = [entry for name, entry in named if name == wanted]
    found = _own_first(exact) or [entry for name, entry in named if _begins(name, wanted)]
    if len(found) == 1:
        return Found(found[0])
    if found:
        found.sort(key=lambda entry: (fold(entry.name), not entry.own, entry.key))
        return Ambiguous(tuple(found[:MAX_CANDIDATES]), more=len(found) > MAX_CANDIDATES)
    shown = {name: entry.name for name, entry in named}
    close = difflib.get_close_matches(wanted, shown, 1, CLOSE_ENOUGH)
    return NotFound(shown[close[0]] if close else "")


def _own_first(exact: list[Entry]) -> list[Entry]:
    return [entry for entry in exact if entry.own] or exact


def _begins(name: str, wanted: str) -> bool:
    """Whether each word written begins a word of the name, in order, none twice."""
    words = iter(name.split())
    return all(any(word.startswith(part) for word in words) for part in wanted.split())
