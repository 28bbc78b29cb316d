"""The history: newest first, in parts, and all of it as a file."""

import csv
import io
from dataclasses import replace

import pytest

from tests.support.scripted_core import ANNA, ScriptedCore, a_call, a_record
from tests.unit.channels.web.conftest import Visitor


@pytest.mark.anyio
async def test_an_empty_history_shows_the_way(anna: Visitor) -> None:
    """Whoever has no calls yet is told how to make the first."""
    assert "Make the first one" in (await anna.get("/calls")).text


@pytest.mark.anyio
async def test_the_history_comes_in_parts(anna: Visitor, core: ScriptedCore) -> None:
    """Twenty-five calls fit one page; the link leads to the rest."""
    core.views = {f"call_{n}": a_call(f"call_{n}", f"{n}X9") for n in range(26)}
    first = await anna.get("/calls")
    assert ("24X9" in first.text, "25X9" in first.text) == (True, False)
    second = await anna.get("/calls?after=25")
    assert ("24X9" in second.text, "25X9" in second.text) == (False, True)
    assert 'rel="next"' not in second.text


@pytest.mark.anyio
@pytest.mark.parametrize(("role", "seen"), [("member", False), ("administrator", True)])
async def test_an_administrator_sees_whose_call_it_was(
    visitor: Visitor, core: ScriptedCore, role: str, *, seen: bool
) -> None:
    """The column of names is for those who see the calls of others."""
    core.anna = replace(ANNA, role=role)
    core.views["call_1"] = a_call(user_name="Zoe")
    await visitor.sign_in()
    assert ("Zoe" in (await visitor.get("/calls")).text) is seen


@pytest.mark.anyio
async def test_the_file_has_every_record(anna: Visitor, core: ScriptedCore) -> None:
    """However many parts the core gives, the file is one, with one header."""
    core.records = [a_record(f"cdr_{n}") for n in range(401)]
    answer = await anna.get("/cdrs.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["id"] for row in rows] == [f"cdr_{n}" for n in range(401)]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.anyio
@pytest.mark.parametrize(("length", "status"), [(200, 503), (201, 400)])
async def test_a_cursor_has_a_limit(anna: Visitor, length: int, status: int) -> None:
    """What is longer than any cursor of ours is not handed to the core."""
    assert (await anna.get(f"/calls?after={'x' * length}")).status_code == status
