"""Outcomes, notices and lines made of the sample values of `call_core.codes`."""

from collections.abc import Iterator, Mapping

from call_core.codes import WORST_REF, Code, codes
from call_core.notices import Notice
from call_core.outcomes import (
    Asked,
    Done,
    Launched,
    Outcome,
    Phrase,
    Refused,
    Scheduled,
    Told,
    Value,
)

Content = Outcome | Notice | Phrase
_ROWS = {each.code: each for each in codes("phrase")}
_WITH_CALL: dict[str, type[Launched | Scheduled | Done | Refused]] = {
    "launched": Launched,
    "scheduled": Scheduled,
    "done": Done,
    "refused": Refused,
}


def contents_of(code: Code, rows: int = 9) -> Iterator[Content]:
    """Yield contents of a code: every field and `rows` lines, then only what is always there."""
    lines = (Phrase(code.rows, _ROWS[code.rows].values),) * rows if code.rows else ()
    yield content_of(code, code.values, lines)
    needed = {name: code.values[name] for name in code.required}
    yield content_of(code, needed, lines[:2])
    if code.kind == "told":
        yield content_of(code, needed, ())


def content_of(code: Code, fields: Mapping[str, Value], lines: tuple[Phrase, ...] = ()) -> Content:
    """Return a content of a code's kind."""
    match code.kind:
        case "asked":
            return Asked(code.code, WORST_REF, lines, fields)
        case "told":
            return Told(code.code, WORST_REF, lines, bool(lines), fields)
        case "notice":
            return Notice(code.code, WORST_REF, fields)
        case "phrase":
            return Phrase(code.code, fields)
        case kind:
            return _WITH_CALL[kind](code.code, WORST_REF, "call_1", fields)
