"""Opening PostgreSQL: what is promised, whose failures are whose."""

import psycopg
import pytest
from psycopg import errors

from call_core.errors import StoreUnavailable
from call_core.storage.postgres import assert_promises, driver_url, is_temporary, open_postgres


@pytest.mark.postgres
@pytest.mark.parametrize(("setting", "value"), [("synchronous_commit", "off")])
def test_a_server_that_may_lose_commits_is_refused(
    postgres_url: str, setting: str, value: str
) -> None:
    """A promise that the server does not keep is named."""
    connection = open_postgres(postgres_url, lock_timeout_ms=1000)
    assert assert_promises(connection) is False
    connection.execute(f"SET {setting} = {value}".encode())
    with pytest.raises(StoreUnavailable, match=f"{setting} is {value}"):
        assert_promises(connection)
    connection.close()


@pytest.mark.parametrize(
    ("error", "is_ours"),
    [
        (psycopg.OperationalError("server closed the connection"), True),
        (errors.AdminShutdown(), True),
        (errors.IdleInTransactionSessionTimeout(), True),
        (errors.DiskFull(), True),
        (errors.LockNotAvailable(), True),
        (errors.ReadOnlySqlTransaction(), True),
        (errors.DeadlockDetected(), False),
        (errors.SerializationFailure(), False),
        (errors.UniqueViolation(), False),
        (errors.UndefinedTable(), False),
        (ValueError(), False),
    ],
)
def test_failures_of_the_server_are_told_from_those_of_a_unit(
    error: Exception,
    is_ours: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """Conflicts between units are neither: they are tried again."""
    assert is_temporary(error) is is_ours


def test_the_driver_gets_its_own_spelling_of_the_url() -> None:
    """SQLAlchemy's name of the driver is taken out, and nothing else."""
    assert driver_url("postgresql+psycopg://a@b/c") == "postgresql://a@b/c"
    assert driver_url("postgresql://a@b/c") == "postgresql://a@b/c"
