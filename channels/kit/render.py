"""From an outcome or a notice to text for people: the longest wording that fits the space.

The words are the catalogue's, the values are written by `channels.kit.wording`. What does not fit
is given up in this order: the fuller wording, lines of a list from its end (` MORE` says so),
letters of names. Amounts, numbers, times, refs and commands stay whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType, ModuleType
from typing import Final

from call_core.notices import Notice
from call_core.outcomes import Asked, Outcome, Phone, Phrase, Told, Value
from channels.kit.catalogue import DEFAULT_LANGUAGE, language_module, text_of
from channels.kit.catalogue.model import Field, Segment, Text, parse
from channels.kit.gsm7 import septet_length
from channels.kit.menu import menu_rows
from channels.kit.wording import Style, cut_at_word, format_value

Content = Outcome | Notice

TITLE_LENGTH: Final = 70
"""The most characters of a title; mail programs of small devices show about as many."""

_WORD_LIMITS: Final = (0, 24, 16, 10, 6)
_NAMED_BESIDE: Final = ("to", "label", "name")
_NO_MORE: Final = frozenset({"menu"})
_LONGEST: Final = 1 << 30
_SHORTEST_LINE: Final = len("x; ")


class Budget(IntEnum):
    """How long a text may be, in septets of the text message alphabet."""

    PAGER80 = 80
    SMS160 = 160
    FULL = 0  # no limit, several lines: for mail and pages


def render(
    content: Content,
    budget: Budget = Budget.FULL,
    timezone: str = "UTC",
    *,
    language: str = DEFAULT_LANGUAGE,
    test: bool = False,
) -> str:
    """Return an outcome or a notice in words.

    Args:
        content: what to say.
        budget: how much room there is; short texts are one line in the 7-bit alphabet.
        timezone: the reader's IANA zone, for instants that name none.
        language: of the catalogue; English stands in for what a language lacks.
        test: whether the text starts with TEST, which counts towards the budget.
    """
    module = language_module(language)
    mark: str = module.TEST_MARK if test else ""
    return mark + _Fitting(content, budget, timezone, language, len(mark)).text()


def render_title(content: Content, *, language: str = DEFAULT_LANGUAGE) -> str:
    """Return one short line for a page's heading, without the ref of the call."""
    text = text_of(_kind(content), content.code, language)
    words = language_module(language).WORDS
    fields = _fields(content)
    title = ""
    for limit in _WORD_LIMITS:
        title = _filled(text.title, fields, Style(word_limit=limit, words=words), language)
        if len(title) <= TITLE_LENGTH:
            return title
    return cut_at_word(title, TITLE_LENGTH)


def render_subject(content: Content, *, language: str = DEFAULT_LANGUAGE) -> str:
    """Return a mail's subject: the title behind `[4F7] `, by which an answer finds its call."""
    title = render_title(content, language=language)
    return f"[{content.ref}] {title}" if content.ref else title


def render_phrase(
    phrase: Phrase,
    timezone: str = "UTC",
    budget: Budget = Budget.FULL,
    *,
    language: str = DEFAULT_LANGUAGE,
) -> str:
    """Return one line of a list, or one choice, without its number."""
    words = language_module(language).WORDS
    style = Style(full=budget is Budget.FULL, timezone=timezone, words=words)
    text = ""
    for limit in _WORD_LIMITS:
        for level in range(_levels((phrase,), language)):
            text = _line(phrase, level, replace(style, word_limit=limit), language)
            if budget is Budget.FULL or septet_length(text) <= budget:
                return text
    return cut_at_word(text, budget)


def _kind(content: Content) -> str:
    return "notice" if isinstance(content, Notice) else content.kind


def _fields(content: Content | Phrase) -> Mapping[str, Value]:
    """Return the fields, the ref among them, and no number beside a name that is that number."""
    fields = dict(content.fields)
    if not isinstance(content, Phrase) and content.ref:
        fields["ref"] = content.ref
    fields.setdefault("code", content.code)
    number = fields.get("number")
    if isinstance(number, Phone):
        shown = format_value("number", number, Style())
        if any(fields.get(name) == shown for name in _NAMED_BESIDE):
            del fields["number"]
    return MappingProxyType(fields)


def _rows(content: Content) -> tuple[Phrase, ...]:
    match content:
        case Asked():
            return content.choices
        case Told(code="menu", rows=()):
            return menu_rows(str(content.fields.get("topic", "")))
        case Told():
            return content.rows
        case _:
            return ()


# --- filling in ---------------------------------------------------------------------------------


def _filled(template: str, fields: Mapping[str, Value], style: Style, language: str) -> str:
    """Return a whole template filled in, its next step in its place."""
    parsed = parse(template)
    reason = _joined(parsed.reason, fields, style, language)
    step = _joined(parsed.step, fields, style, language)
    return _spaced(reason, step, full=style.full)


def _reason(template: str, fields: Mapping[str, Value], style: Style, language: str) -> str:
    return _joined(parse(template).reason, fields, style, language)


def _step(template: str, fields: Mapping[str, Value], style: Style, language: str) -> str:
    return _joined(parse(template).step, fields, style, language)


def _spaced(reason: str, step: str, *, full: bool) -> str:
    whole = "\n".join(filter(None, (reason.strip(), step.strip())))
    return whole if full else " ".join(whole.split())


def _joined(
    segments: tuple[Segment, ...], fields: Mapping[str, Value], style: Style, language: str
) -> str:
    return "".join(
        "".join(_piece(piece, fields, style, language) for piece in segment.pieces)
        for segment in segments
        if _is_shown(segment, fields, style, language)
    )


def _is_shown(segment: Segment, fields: Mapping[str, Value], style: Style, language: str) -> bool:
    if segment.test and bool(fields.get(segment.condition)) is (segment.test == "!"):
        return False
    if not segment.optional:
        return True
    return all(_piece(field, fields, style, language) for field in segment.fields)


def _piece(piece: str | Field, fields: Mapping[str, Value], style: Style, language: str) -> str:
    if isinstance(piece, str):
        return piece
    value = fields.get(piece.name)
    if value is None:
        return ""
    if isinstance(value, tuple):
        return _inside(value, style, language)
    return format_value(piece.name, value, style, piece.spec)


def _inside(phrases: tuple[Phrase, ...], style: Style, language: str) -> str:
    """Return phrases within a text: lines below each other when there are several kinds of room.

    A phrase that has a title is a whole answer told inside another one: only its reason is said.
    """
    if phrases and text_of("phrase", phrases[0].code, language).title:
        return " ".join(_line(phrase, 0, style, language) for phrase in phrases)
    lines = [_line(phrase, 0, style, language) for phrase in phrases]
    return "".join(f"\n{line}" for line in lines) if style.full else f" {'; '.join(lines)}."


def _line(phrase: Phrase, level: int, style: Style, language: str) -> str:
    """Return a phrase in its `level`-th wording; its code when that shows nothing."""
    variants = text_of("phrase", phrase.code, language).variants
    fields = _fields(phrase)
    line = _reason(variants[min(level, len(variants) - 1)], fields, style, language)
    return " ".join(line.split()) or phrase.code


def _levels(phrases: tuple[Phrase, ...], language: str) -> int:
    return max(
        (len(text_of("phrase", phrase.code, language).variants) for phrase in phrases), default=1
    )


# --- fitting ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Draft:
    """One way to say it: which wording, how long words may be, how many lines are shown."""

    variant: str
    level: int
    word_limit: int
    count: int


class _Fitting:
    """The search for the fullest draft within the budget."""

    def __init__(
        self, content: Content, budget: Budget, timezone: str, language: str, taken: int
    ) -> None:
        self._language = language
        self._module: ModuleType = language_module(language)
        self._full = budget is Budget.FULL
        self._most = _LONGEST if self._full else budget - taken
        self._content = content
        self._rows = _rows(content)
        self._text: Text = text_of(_kind(content), content.code, language)
        self._style = Style(full=self._full, timezone=timezone, words=self._module.WORDS)
        self._fields = {**_fields(content), "rows": len(self._rows)}
        self._lines: dict[tuple[int, int], list[str]] = {}
        self._most_lines = min(len(self._rows), self._most // _SHORTEST_LINE)

    def text(self) -> str:
        """Return the text of the first draft that fits."""
        text = ""
        for draft in self._drafts():
            text = self._written(draft)
            if self._full or septet_length(text) <= self._most:
                return text
        return cut_at_word(text, self._most)

    def _drafts(self) -> Iterator[_Draft]:
        """Yield drafts from the fullest to the shortest."""
        whole = len(self._rows)
        levels = range(_levels(self._rows, self._language))
        complete = _WORD_LIMITS[:2] if whole else _WORD_LIMITS
        for limit in complete if whole == self._most_lines else ():
            for variant in self._text.variants:
                for level in levels:
                    yield _Draft(variant, level, limit, whole)
        shortest = self._text.variants[-1]
        for limit in _WORD_LIMITS:
            for count in range(min(whole - 1, self._most_lines), 0, -1):
                yield _Draft(shortest, levels[-1], limit, count)
        for limit in _WORD_LIMITS if whole else ():
            yield _Draft(shortest, levels[-1], limit, 0)

    def _written(self, draft: _Draft) -> str:
        style = replace(self._style, word_limit=draft.word_limit)
        reason = _reason(draft.variant, self._fields, style, self._language)
        step = _step(draft.variant, self._fields, style, self._language)
        block = self._block(self._lines_of(draft, style)[: draft.count], draft)
        if block and step and not self._full:
            block += "."
        return _spaced(reason + block, step, full=self._full)

    def _lines_of(self, draft: _Draft, style: Style) -> list[str]:
        """Return all lines in a draft's wording; written once, since many drafts show them."""
        key = (draft.level, draft.word_limit)
        if key not in self._lines:
            self._lines[key] = [
                self._numbered(place, _line(row, draft.level, style, self._language))
                for place, row in enumerate(self._rows[: self._most_lines], start=1)
            ]
        return self._lines[key]

    def _numbered(self, place: int, line: str) -> str:
        return f"{place} {line}" if isinstance(self._content, Asked) else line

    def _block(self, lines: list[str], draft: _Draft) -> str:
        told_more = isinstance(self._content, Told) and self._content.more
        cut = draft.count < len(self._rows) and self._content.code not in _NO_MORE
        if self._full:
            below = "".join(f"\n{line}" for line in lines)
            return below + (self._module.MORE_FULL if told_more else "")
        more: str = self._module.MORE_SHORT if told_more or cut else ""
        return (" " + "; ".join(lines) + more).rstrip()
