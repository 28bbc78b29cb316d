"""What an operator mistypes, or what cannot be opened, is a sentence and no traceback."""

import socket
from pathlib import Path

import pytest

from tests.e2e.test_cli import Cli

pytestmark = pytest.mark.enable_socket
DECK = "prefix,destination,price_per_minute\n1,US,0.01\n"
QUIET = "[http]\nport = 0\n[snpp]\nport = 0\n[packet]\nport = 0\n"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A folder with a database."""
    made = Cli(tmp_path)
    made.run("db", "upgrade")
    return made


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("rates", "load", "std", "deck.csv", "--encoding", "nonsense", "--yes"), 2, "nonsense"),
        (("cdrs", "export", "--format", "xlsx", "--out", "no/such/x.xlsx"), 1, "no/such/x.xlsx"),
        (("cdrs", "export", "--out", "no/such/x.csv"), 1, "no/such/x.csv"),
        (("cdrs", "export", "--out", "/dev/full"), 1, "/dev/full"),
    ],
)
def test_what_cannot_be_read_or_written_is_named(
    cli: Cli, words: tuple[str, ...], status: int, said: str
) -> None:
    """By its name."""
    (cli.folder / "deck.csv").write_text(DECK, encoding="utf-8")
    done = cli.run(*words, status=status)
    assert done.stderr.startswith("callgate: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """For the database."""
    (tmp_path / "var").write_text("a file", encoding="utf-8")
    done = Cli(tmp_path).run("db", "upgrade", status=1)
    assert done.stderr.startswith("callgate: ")
    assert str(tmp_path / "var") in done.stderr


def test_mail_beside_serve_needs_a_port_that_is_shared(cli: Cli) -> None:
    """Here another program has it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = f"[smtp]\nreuse_port = true\nport = {port}\n"
        (cli.folder / "callgate.toml").write_text(settings, encoding="utf-8")
        done = cli.run("accept", "1", status=3)
    assert "smtp.port" in done.stderr


def test_a_certificate_that_cannot_be_read_is_not_an_address_that_is_taken(cli: Cli) -> None:
    """The sentence leads to the setting."""
    settings = QUIET + '[smtp]\nport = 0\ntls_certificate = "nope.pem"\n'
    (cli.folder / "callgate.toml").write_text(settings, encoding="utf-8")
    done = cli.run("serve", status=3)
    assert "smtp.tls_certificate" in done.stderr
    assert "nope.pem" in done.stderr
