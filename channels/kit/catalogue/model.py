"""What a text of the catalogue is made of, and the small language its templates are written in.

    Calling {to}[ at {number}]. Call {ref}.[?key: Press 1 when asked.]>>Reply HANGUP {ref}.

`{name}` is a field, `{name:spec}` a field written another way (`channels.kit.wording`). `[...]`
is left out when a field in it is missing or empty; `[?name:...]` is kept only when the field is
true, `[!name:...]` only when it is not. `>>` divides what happened from the next step. There is
no nesting and no escape: our texts need neither, and brackets cost double in a text message.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

STEP_MARK: Final = ">>"

_SEGMENT = re.compile(r"\[(?:(?P<test>[?!])(?P<name>\w+):)?(?P<inside>[^\]]*)\]", re.DOTALL)
_FIELD = re.compile(r"\{(?P<name>\w+)(?::(?P<spec>\w+))?\}")


@dataclass(frozen=True, slots=True)
class Field:
    """A place for a value; `spec` chooses among the ways to write it, "" is the usual one."""

    name: str
    spec: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a template.

    Attributes:
        pieces: plain text and fields, in order.
        optional: left out when one of its fields is missing or empty.
        test: `?` or `!` when the field `condition` decides, else "".
    """

    pieces: tuple[str | Field, ...]
    optional: bool = False
    test: str = ""
    condition: str = ""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields it shows."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Field))


@dataclass(frozen=True, slots=True)
class Template:
    """One wording: what happened and why, then what to do next."""

    reason: tuple[Segment, ...]
    step: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """All wordings of one code in one language.

    Attributes:
        title: one line, for mail subjects and page headings; "" for lines of a list.
        variants: templates from the fullest to the shortest; the longest that fits is used.
    """

    title: str
    variants: tuple[str, ...]


def say(title: str, *variants: str) -> Text:
    """Return a text of at least one wording."""
    assert variants, title
    return Text(title, variants)


def line(*variants: str) -> Text:
    """Return the text of a line in a list, which has no title."""
    return say("", *variants)


@cache
def parse(template: str) -> Template:
    """Return a template ready to be filled in.

    Raises:
        ValueError: a bracket or brace has no partner.
    """
    reason, _, step = template.partition(STEP_MARK)
    return Template(_segments(reason), _segments(step))


def _segments(text: str) -> tuple[Segment, ...]:
    found: list[Segment] = []
    end = 0
    for match in _SEGMENT.finditer(text):
        found.append(Segment(_pieces(text[end : match.start()])))
        found.append(
            Segment(
                _pieces(match["inside"]),
                optional=True,
                test=match["test"] or "",
                condition=match["name"] or "",
            )
        )
        end = match.end()
    found.append(Segment(_pieces(text[end:])))
    return tuple(segment for segment in found if segment.pieces)


def _pieces(text: str) -> tuple[str | Field, ...]:
    found: list[str | Field] = []
    end = 0
    for match in _FIELD.finditer(text):
        found += [text[end : match.start()], Field(match["name"], match["spec"] or "")]
        end = match.end()
    found.append(text[end:])
    pieces = tuple(piece for piece in found if piece)
    if any(isinstance(piece, str) and set(piece) & set("[]{}") for piece in pieces):
        raise ValueError(f"unbalanced brackets in a template: {text!r}")
    return pieces
