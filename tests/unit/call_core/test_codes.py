"""The list of codes is complete: whatever the sources can say is in it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from call_core.calls.closing import CLOSINGS
from call_core.codes import TABLES, WORST_REF, codes
from call_core.customers.refusals import RefusalCode
from call_core.ids import is_ref
from call_core.numbering import NumberProblemCode
from call_core.routing.choice import UnroutableReason
from call_core.schedule.resolve import ChoiceReason, TimeProblemCode

_ROOT = Path(__file__).parents[3]
_KINDS = {
    "Stop": "refused",
    "Refused": "refused",
    "ParseError": "refused",
    "_refusal": "refused",
    "not_understood": "",
    "Ask": "asked",
    "Asked": "asked",
    "Done": "done",
    "Told": "told",
    "Launched": "launched",
    "Scheduled": "scheduled",
    "Notice": "notice",
    "Phrase": "phrase",
}
_COMPUTED = {
    ("launched", "{}_launched"): ("call_launched", "conference_launched"),
    ("scheduled", "{}_scheduled"): ("call_scheduled", "conference_scheduled"),
    ("done", "{}_all"): ("muted_all", "unmuted_all"),
    ("notice", "last_minute_{}"): ("last_minute_money", "last_minute_time"),
    ("asked", "time_{}"): tuple(f"time_{reason}" for reason in ChoiceReason),
}


def _files() -> list[Path]:
    folders = ("call_core", "call_core/units", "call_core/engine", "parsers")
    return [path for folder in folders for path in sorted((_ROOT / folder).glob("*.py"))]


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _texts(node: ast.expr, tree: ast.AST) -> Iterator[str]:
    """Yield the codes that an expression can be; `{}` stands for a computed part."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)
        case ast.IfExp(body=body, orelse=otherwise):
            yield from _texts(body, tree)
            yield from _texts(otherwise, tree)
        case ast.Name(id=name):
            for each in ast.walk(tree):
                if isinstance(each, ast.Assign) and _name(each.targets[0]) == name:
                    yield from _texts(each.value, ast.Module([], []))
        case _:
            return


def _said() -> Iterator[tuple[str, str, str]]:
    """Yield `(file, kind, code)` of everything that the sources can say."""
    for path in _files():
        tree = ast.parse(path.read_text())
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            kind = _KINDS.get(_name(call.func), "")
            if kind and call.args:
                yield from ((path.name, kind, text) for text in _texts(call.args[0], tree))
            for keyword in call.keywords if _name(call.func) == "replace" else ():
                if keyword.arg == "code":
                    yield from ((path.name, "notice", t) for t in _texts(keyword.value, tree))


_SAID = sorted(set(_said()))


def test_the_scan_sees_the_sources() -> None:
    """The scan finds what is known to be said in each of the forms that sources use."""
    said = {(kind, code) for _, kind, code in _SAID}
    assert {
        ("refused", "no_such_call"),
        ("refused", "cap_reached"),
        ("refused", "time_missing"),
        ("done", "opted_in"),
        ("notice", "schedule_short"),
        ("asked", "time_{}"),
    } <= said


@pytest.mark.parametrize(("file", "kind", "code"), _SAID)
def test_every_code_in_the_sources_is_listed(file: str, kind: str, code: str) -> None:
    """A code that a unit or a parser can say is in the tables, under its kind."""
    for each in _COMPUTED[kind, code] if "{" in code else (code,):
        assert each in TABLES[kind], f"{file} says {kind} {each}"


def test_every_code_of_the_closed_lists_is_listed() -> None:
    """The enumerations of refusals and the receipts' codes are in the tables."""
    lists = (RefusalCode, NumberProblemCode, TimeProblemCode, UnroutableReason)
    refusals = {str(code) for enumeration in lists for code in enumeration}
    assert refusals <= set(TABLES["refused"])
    assert {closing.notice for closing in CLOSINGS.values()} <= set(TABLES["notice"])


def test_a_line_of_a_table_says_which_fields_may_be_missing() -> None:
    """`?` marks an optional field, `:` its kind of value, `rows=` the code of the lines."""
    launched = next(code for code in codes("launched") if code.code == "call_launched")
    assert "price" in launched.required
    assert "cap" in launched.optional
    assert next(code for code in codes("asked") if code.code == "which_name").rows == "choice_name"
    spend = next(code for code in codes("refused") if code.code == "daily_spend")
    assert spend.values["limit"] != WORST_REF
    assert len(list(codes())) == sum(len(table) for table in TABLES.values())


def test_lines_name_codes_that_are_listed() -> None:
    """A list's lines are phrases of the tables."""
    assert {code.rows for code in codes() if code.rows} <= set(TABLES["phrase"])


def test_the_sample_ref_is_one() -> None:
    """The worst ref has the shape of a ref, a grown one."""
    assert is_ref(WORST_REF)
