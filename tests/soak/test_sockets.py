"""A slice of `make soak`: drops of Asterisk's wire at random moments of calls."""

from pathlib import Path

import pytest

from tests.soak.sockets import run

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio, pytest.mark.timeout(180)]
DROPS = 5


async def test_lost_sockets_lose_and_double_nothing(tmp_path: Path) -> None:
    """Every call reaches its second party once, and is billed for what was talked."""
    report = await run(tmp_path, DROPS, seed=7)
    assert report.good, report
    assert report.calls > 0
