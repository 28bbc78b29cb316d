"""A database of its own for tests of the gateway."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from call_core.storage import migrate
from call_core.storage.store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty SQLite database at the newest revision."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    migrate.upgrade(url)
    opened = await Store.open(url)
    yield opened
    await opened.close()
