"""The store's front: which database a URL means, and which errors come before any."""

import pytest

from call_core.errors import StoreUnavailable
from call_core.storage.store import Store

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("url", ["mysql://localhost/x", "callgate.db", "sqlite:relative.db"])
async def test_an_unknown_kind_of_database_is_refused(url: str) -> None:
    """The URL must name one of the two databases."""
    with pytest.raises(ValueError, match="no database that we speak to"):
        await Store.open(url)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nonexistent/callgate.db",
        "postgresql://x@/x?host=/nonexistent",
        "postgresql+psycopg://x@/x?host=/nonexistent",
    ],
)
async def test_a_database_that_is_not_there_is_a_temporary_failure(url: str) -> None:
    """Each kind of URL reaches its own database, which is away."""
    with pytest.raises(StoreUnavailable):
        await Store.open(url)
