"""Every stable code that an answer, a question, a refusal, a notice or a line of a list can have.

A code is part of the interface: clients of the API branch on it, the catalogue has its words, and
it never changes its meaning. The tables (`codes.tables`) list them with their fields; the sample
values (`codes.samples`) are the longest that may come.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from call_core.codes.samples import TYPES, WORST, WORST_REF
from call_core.codes.tables import TABLES
from call_core.outcomes import Value

__all__ = ["TABLES", "WORST", "WORST_REF", "Code", "codes"]


@dataclass(frozen=True, slots=True)
class Code:
    """One code: of which kind, what its text may show, and the code of its lines, "" for none."""

    kind: str
    code: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    values: Mapping[str, Value]
    rows: str = ""


def codes(kind: str = "") -> Iterator[Code]:
    """Yield every code of a kind, or of all kinds."""
    for each in (kind,) if kind else TABLES:
        for code, line in TABLES[each].items():
            yield _code(each, code, line)


def _code(kind: str, code: str, line: str) -> Code:
    required: list[str] = []
    optional: list[str] = []
    values: dict[str, Value] = {}
    rows = ""
    for word in line.split():
        if word.startswith("rows="):
            rows = word.removeprefix("rows=")
            continue
        name, _, kind_of_value = word.removesuffix("?").partition(":")
        (optional if word.endswith("?") else required).append(name)
        values[name] = TYPES[kind_of_value] if kind_of_value else WORST[name]
    return Code(kind, code, tuple(required), tuple(optional), values, rows)
