"""Three nodes, three switches, one PostgreSQL, and a node that is killed in the middle of calls.

`python -m tests.soak.nodes` holds every drill, over and over.
"""

import json
from pathlib import Path

import pytest

from gateway.cli import drill as command
from gateway.drill import drills
from tests.support.command_line import Cli

pytestmark = [pytest.mark.enable_socket, pytest.mark.postgres, pytest.mark.timeout(600)]


@pytest.mark.anyio
async def test_a_killed_node_loses_no_call_and_no_money(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    """Nothing is lost, doubled, cut or billed wrongly; conferences are on time."""
    (result,) = await drills.run(
        tmp_path / "drill", empty_postgres_url, ["kill-node"], per_second=2
    )
    assert result.good, result
    assert result.calls > 20
    assert result.conferences == drills.CONFERENCES
    assert result.take_over_s is not None
    shown = command._table([result])  # noqa: SLF001  (what people see)
    assert "requests lost                 0" in shown
    assert json.dumps(drills.as_data([result]))


def test_doctor_tells_whose_the_shards_are(
    empty_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no node running they are nobody's, and that is a warning, not a failure."""
    cli = Cli(tmp_path)
    text = '[switches.ny]\nsocket = "ny.sock"\n'
    (tmp_path / "callgate.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("CALLGATE_DATABASE__URL", empty_postgres_url)
    cli.run("db", "upgrade")
    shown = cli.json("doctor")
    (found,) = [each for each in shown["findings"] if each["name"] == "shards"]
    assert (found["level"], found["detail"]) == ("warning", "0 are nobody's; no node runs")


def test_a_drill_needs_a_database_and_a_name_that_there_is(tmp_path: Path) -> None:
    """Wrong usage starts nothing."""
    cli = Cli(tmp_path)
    assert "--database" in cli.run("drill", status=2).stderr
    wrong = cli.run("drill", "fire", "--database", "postgresql:///x", status=2)
    assert "There is no drill fire; there are kill-node" in wrong.stderr
