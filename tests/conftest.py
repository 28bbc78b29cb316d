"""What every test shares: the async backend, a real PostgreSQL, and what a skip may mean."""

import os
from collections.abc import Generator, Iterator
from typing import TypeVar

import pytest

from tests.support import postgres

_EVERYTHING = "all"
ReportT = TypeVar("ReportT", pytest.TestReport, pytest.CollectReport)


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, the loop that the gateway runs on."""
    return "asyncio"


# --- CALLGATE_TEST_REQUIRE=all: whatever would be skipped fails ----------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped although everything is required."""
    report = yield
    return _fail_if_required(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that was skipped as a whole although everything is required."""
    report = yield
    return _fail_if_required(report)


def _fail_if_required(report: ReportT) -> ReportT:
    is_required = os.environ.get("CALLGATE_TEST_REQUIRE") == _EVERYTHING
    if is_required and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped although CALLGATE_TEST_REQUIRE={_EVERYTHING}: {reason}"
    return report


# --- PostgreSQL ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a running server's maintenance database; skips where none can run."""
    with postgres.running_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Name of a database with the newest schema, to be copied."""
    from call_core.storage import migrate  # noqa: PLC0415  (most tests need no SQLAlchemy)

    postgres.create_database(postgres_server, postgres.TEMPLATE)
    migrate.upgrade(postgres.database_url(postgres_server, postgres.TEMPLATE))
    return postgres.TEMPLATE


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """URL of this test's own database, with the newest schema and no rows."""
    with postgres.fresh_database(postgres_server, postgres_template) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of this test's own database, without a schema."""
    with postgres.fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def second_empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of another database without a schema, to compare with the first."""
    with postgres.fresh_database(postgres_server) as url:
        yield url
