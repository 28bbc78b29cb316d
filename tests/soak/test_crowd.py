"""A slice of `make soak`: many calls up at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.soak.crowd import Report, hold

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio, pytest.mark.timeout(180)]


async def test_many_calls_at_once_are_all_carried_and_billed(tmp_path: Path) -> None:
    """All are up together until their users end them, and the books agree."""
    report = await hold(tmp_path, 30, 2, per_second=50, speed=20)
    assert (report.failed, report.wrong) == (0, ())
    assert (report.most_up, report.ports) == (30, 60)
    assert report.reasons == {"hung_up": 30}
    assert report.bills == 60


def test_what_grows_is_not_good() -> None:
    """A twentieth more is tolerated, no more; nor is a call that was not up or not billed."""
    good = Report(1, 1, 2, 1, 1, 0, {}, 2, 0, (100, 105), (20, 20), (9, 30), 1, ())
    assert good.good
    changes: tuple[dict[str, Any], ...] = (
        {"memory_mb": (100, 106)},
        {"files": (20, 60)},
        {"most_up": 0},
        {"bills": 1},
        {"failed": 1},
        {"wrong": ("the ledger does not verify",)},
    )
    for change in changes:
        assert not replace(good, **change).good
