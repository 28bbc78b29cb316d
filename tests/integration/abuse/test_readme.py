"""The table of cases is true."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
_NAMED = re.compile(r"`([a-z0-9_/]+\.py)::(test_\w+)`")


def test_every_test_of_the_table_exists() -> None:
    """A case whose test is gone is not tested any more."""
    named = _NAMED.findall((Path(__file__).parent / "README.md").read_text(encoding="utf-8"))
    assert len(named) > 40
    missing = [
        f"{file}::{test}"
        for file, test in named
        if f"def {test}(" not in (TESTS / file).read_text(encoding="utf-8")
    ]
    assert missing == []
