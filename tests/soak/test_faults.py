"""A slice of `make soak`: a full disk, a held lock, a stopped server, a clock that jumps."""

from pathlib import Path

import pytest

from tests.soak import faults
from tests.soak.faults import Harm

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio, pytest.mark.timeout(180)]


async def _run(folder: Path, fault: str, harm: Harm, seconds: float, url: str = "") -> None:
    database = url or f"sqlite:///{folder / 'callgate.db'}"
    report = await faults.run(folder / "site", database, fault, harm, seconds, seed=4)
    assert report.good, report


async def test_a_full_disk_is_told_as_temporary_and_outlived(tmp_path: Path) -> None:
    """451, 503 and 554 while it lasts; then all goes on, and nothing is lost or doubled."""
    try:
        with faults.small_disk(tmp_path / "disk") as disk:
            url = f"sqlite:///{disk / 'callgate.db'}"
            await _run(tmp_path, "disk", faults.full_disk(disk), 2, url)
    except PermissionError:
        pytest.skip("needs root tmpfs")


async def test_a_database_that_is_locked_is_told_as_temporary_and_outlived(tmp_path: Path) -> None:
    """As of a full disk, when another process holds SQLite's lock longer than we wait."""
    await _run(tmp_path, "lock", faults.held_lock, 3)


async def test_a_clock_that_jumps_an_hour_fires_nothing_twice(tmp_path: Path) -> None:
    """Forwards, back, and further back, with a kill in each; what waited to be sent is sent."""
    await _run(tmp_path, "clock", faults.jumping_clock, 1)


@pytest.mark.postgres
async def test_a_stopped_server_is_told_as_temporary_and_outlived(
    postgres_url: str, tmp_path: Path
) -> None:
    """Every process of it stands still for three seconds, which is longer than we wait."""
    await _run(tmp_path, "postgres", faults.stopped_postgres, 3, postgres_url)
