from pathlib import Path

import pytest

from call_core.customers.refusals import Refusal, RefusalCode

README = Path(__file__).parents[4] / "call_core" / "customers" / "README.md"


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_is_documented(code: RefusalCode) -> None:
    """Each code stands in the README with what it means."""
    assert f"| `{code}` |" in README.read_text(encoding="utf-8")


def test_a_refusal_needs_no_fields() -> None:
    """Some reasons say all by their code."""
    assert dict(Refusal(RefusalCode.FORGED).fields) == {}
