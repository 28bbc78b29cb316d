"""The world of these tests, on the store that each asks for.

Tests run on the inline store. Those marked with `EVERY_STORE` run on all three;
`CALLGATE_TEST_STORE=sqlite` (or `postgres`) runs every test on that one instead.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from call_core.storage import migrate
from call_core.storage.runner_inline import Faults, InlineBackend, InlineDatabase
from tests.support.service import Service
from tests.support.world import CountedStore, User, World, opened_world

EVERY_STORE = pytest.mark.parametrize(
    "store_kind",
    ["inline", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)],
)
MakeService = Callable[..., Awaitable[Service]]


@pytest.fixture
def store_kind() -> str:
    """Which store a test that does not say runs on."""
    return os.environ.get("CALLGATE_TEST_STORE", "inline")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def store_url(store_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """URL of this test's own database; "" inline."""
    if store_kind == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    if store_kind == "sqlite":
        path = tmp_path / "world.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    return ""


@pytest.fixture
async def make_service(
    store_kind: str, store_url: str, anyio_backend: str
) -> AsyncIterator[MakeService]:
    """Make this test's service with figures of its own; stopped and checked at the end."""
    assert anyio_backend == "asyncio"
    async with AsyncExitStack() as stack:

        async def make(**how: Any) -> Service:  # noqa: ANN401  (of World)
            world = await stack.enter_async_context(opened_world(store_kind, store_url, **how))
            return Service(world)

        yield make


@pytest.fixture
async def service(make_service: MakeService) -> Service:
    """This test's service with the default figures."""
    return await make_service()


@pytest.fixture
async def ada(service: Service) -> User:
    """A member of the customer Acme, with an office phone and a cell."""
    return await service.world.user(await service.world.customer(), "Ada")


@dataclass
class Trouble:
    """Which units the database fails, by name."""

    execute: set[str] = field(default_factory=set)
    commit: set[str] = field(default_factory=set)
    answer: set[str] = field(default_factory=set)


@pytest.fixture
def trouble() -> Trouble:
    """No trouble yet."""
    return Trouble()


@pytest.fixture
async def troubled(trouble: Trouble) -> AsyncIterator[Service]:
    """A service on a database that can be told to fail."""
    memory = InlineDatabase()
    faults = Faults(
        fail_execute=lambda name: name in trouble.execute,
        fail_commit=lambda name: name in trouble.commit,
        lose_answer=lambda name: name in trouble.answer,
    )

    async def open_store() -> CountedStore:
        return CountedStore(InlineBackend(memory, node="test", faults=faults))

    world = World(open_store)
    await world.start()
    await world.deck()
    yield Service(world)
    await world.check()
    await world.stop()
    world.sim.close()
    memory.close()
