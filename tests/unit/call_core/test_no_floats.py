"""Money never passes through a float: no literal, no true division, no `float` in money paths."""

import ast
from pathlib import Path

import pytest

CALL_CORE = Path(__file__).parents[3] / "call_core"
MONEY_PATHS = ("money.py", "rating", "ledger", "calls")

FLOATS = """
    rate = 0.5
    rate = 1e3
    rate = price / 60
    rate /= 60
    rate = float(text)
    def rate() -> float: ...
    rate = 2j
"""
EXACT = """
    rate = price // 60
    rate //= 60
    rate = "0.5"
    rate = text.partition("/")
"""


def _modules() -> list[Path]:
    found = [CALL_CORE / name for name in MONEY_PATHS]
    folders = [path for folder in found if folder.is_dir() for path in folder.rglob("*.py")]
    return sorted([path for path in found if path.is_file()] + folders)


def floats_in(source: str) -> list[int]:
    """Gives the lines on which a float could come into being."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)))
        or (isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(CALL_CORE)))
def test_money_paths_hold_no_float(path: Path) -> None:
    """No module that computes money can make a float."""
    assert floats_in(path.read_text(encoding="utf-8")) == []


def test_the_money_paths_are_there() -> None:
    """The check above looks at real files."""
    names = {str(path.relative_to(CALL_CORE)) for path in _modules()}
    assert {"money.py", "rating/rater.py", "ledger/transfers.py"} <= names


@pytest.mark.parametrize("line", FLOATS.strip().splitlines())
def test_the_check_sees_every_way_to_a_float(line: str) -> None:
    """A float literal, a division, a float() or a float annotation would be found."""
    assert floats_in(line.strip()) == [1]


@pytest.mark.parametrize("line", EXACT.strip().splitlines())
def test_the_check_leaves_integers_alone(line: str) -> None:
    """Whole division and text are not floats."""
    assert floats_in(line.strip()) == []
