"""A slice of `make soak`: kills of a real `serve`, and the clients' list against its store."""

from pathlib import Path

import pytest

from tests.soak.kills import run

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio, pytest.mark.timeout(180)]
KILLS = 4


async def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """What a client was told is in the store once, every call ends, and the books agree."""
    report = await run(tmp_path, f"sqlite:///{tmp_path / 'callgate.db'}", KILLS, seed=20)
    assert report.good, report
    assert report.acknowledged > 0
    assert report.compared.calls >= report.acknowledged


@pytest.mark.postgres
async def test_kill_9_on_postgres_loses_and_doubles_nothing(
    postgres_url: str, tmp_path: Path
) -> None:
    """The server goes on, its client does not."""
    report = await run(tmp_path, postgres_url, KILLS, seed=21)
    assert report.good, report
