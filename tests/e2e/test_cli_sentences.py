"""What an operator mistypes is told in one sentence that leads to what is wrong."""

import contextlib
import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from tests.support.command_line import Cli

pytestmark = pytest.mark.enable_socket
SECTIONS = "[http]\nport = 0\n[snpp]\nport = 0\n[packet]\nport = 0\n[smtp]\nport = {port}\n"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of loopback that something else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def folder(tmp_path: Path, taken: int) -> Path:
    """An empty database, whose port of mail is taken, and files of no use."""
    settings = SECTIONS.format(port=taken) + "reuse_port = true\n"
    (tmp_path / "callgate.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "words").write_text("words", encoding="utf-8")
    Cli(tmp_path).run("db", "upgrade")
    return tmp_path


def sentence(folder: Path, *words: str) -> str:
    """Run a command that is refused; return the one sentence on standard error."""
    done = Cli(folder).run(*words, status=None)
    assert done.status != 0
    last = done.stderr.splitlines()[-1]
    assert last.startswith("callgate: "), done
    return last.removeprefix("callgate: ")


def settle(folder: Path, text: str) -> None:
    """Write other settings."""
    (folder / "callgate.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("command", ["serve", "accept"])
def test_a_port_that_is_taken(folder: Path, command: str) -> None:
    """It is said whose, and what to do."""
    found = sentence(folder, command)
    assert "Channel smtp cannot listen" in found
    assert "set another smtp.port" in found


@pytest.mark.parametrize(
    ("file", "reason"), [("nope.pem", "No such file or directory"), ("words", "PEM")]
)
def test_a_certificate_that_cannot_be_used(folder: Path, file: str, reason: str) -> None:
    """It is not taken for an address that is taken."""
    settle(folder, SECTIONS.format(port=0) + f'tls_certificate = "{file}"\n')
    found = sentence(folder, "serve")
    assert "smtp.tls_certificate" in found
    assert file in found
    assert reason in found
    assert "smtp.port" not in found


INIT = ("--customer", "x", "--currency", "USD", "--name", "x", "--mail", "x@x.example")
PHONE = ("--phone", "+12125550123", "--timezone", "UTC")


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        (("rates", "load", "s", "words", "--encoding", "no", "-y"), "--encoding no: there is no"),
        (("rates", "load", "s", "words", "--encoding", "hex", "-y"), "--encoding hex: there is no"),
        (("rates", "load", "s", "/proc/self/mem", "-y"), "/proc/self/mem cannot be read: Input"),
        (("cdrs", "export", "--format", "xlsx", "-o", "no/x"), "no/x cannot be written: No such"),
        (("cdrs", "export", "--format", "xlsx", "-o", "/dev/full"), "/dev/full cannot be written"),
        (("cdrs", "export", "-o", "/dev/full"), "/dev/full cannot be written: No space left"),
        (("demo", "--once", "--folder", "words/x"), "It cannot be done: words/x: Not a directory."),
        (("backup", "no/x"), "no/x.partial: No such file or directory."),
        (("init", *INIT, *PHONE, "-c", "words/x.toml"), "words/x.toml cannot be written: File ex"),
        (("init", *INIT, *PHONE, "-c", "x.toml", "--country", "ZZ"), "--country: 'ZZ' is not a co"),
        (("calls", "hangup", "\udcff"), "Something that was given is no text in UTF-8"),
        (("drill", "--database", "words"), "The database cannot be used: missing"),
    ],
)
def test_what_is_mistyped(folder: Path, words: tuple[str, ...], beginning: str) -> None:
    """The sentence says which option, file or folder it is."""
    assert sentence(folder, *words).startswith(beginning)


@pytest.mark.parametrize(
    ("settings", "words", "beginning"),
    [
        ('database.url = "sqlite:///words/x.db"', ("db", "upgrade"), "The database's folder "),
        ('database.url = "sqlite:///words/x.db"', ("restore", "words"), "The database's folder "),
        ('database.url = "sqlite:///other.db"', ("db", "upgrade"), "FOLDER/other.db is another "),
        ('database.url = "sqlite:///other.db"', ("calls", "live"), "The database cannot be used ("),
        ('database.url = "sqlite:///words"', ("backup", "x"), "FOLDER/words cannot be copied: fi"),
        ('database.url = "sqlite:///x/x.db"', ("restore", "other.db"), "FOLDER/other.db is anoth"),
        ('database.url = "mysql://x/x"', ("calls", "live"), "database.url: 'mysql' is no database"),
        ('simulator.file = "words/x"', ("serve",), "simulator.file cannot be kept in FOLDER/word"),
        (
            'switches.x.socket = "words/x"',
            ("simulate", "x"),
            "switches.x.socket cannot be lis",
        ),
    ],
)
def test_what_is_wrong_with_the_settings(
    folder: Path, settings: str, words: tuple[str, ...], beginning: str
) -> None:
    """A place that cannot be had and a database that is not this version's are said as such."""
    with contextlib.closing(sqlite3.connect(folder / "other.db")) as other:
        other.execute("CREATE TABLE alembic_version AS SELECT 'another' AS version_num")
        other.commit()
    settle(folder, settings + "\n" + SECTIONS.format(port=0))
    assert sentence(folder, *words).startswith(beginning.replace("FOLDER", str(folder)))


def test_an_output_that_is_full(folder: Path) -> None:
    """Also what was still to be written when the command had ended."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = as_program(folder, full)
    assert done.stderr == "callgate: It cannot be done: No space left on device.\n"
    assert done.returncode == 1


def test_an_output_that_nobody_reads(folder: Path) -> None:
    """`callgate channels | head -1` says nothing more."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        done = as_program(folder, pipe)
    assert (done.returncode, done.stderr) == (130, "")


def as_program(folder: Path, out: TextIO) -> subprocess.CompletedProcess[str]:
    """List the channels as a program of its own does."""
    cli = Cli(folder)
    return subprocess.run(  # noqa: S603  (our own program)
        cli.command("channels"),
        cwd=folder,
        env={name: v for name, v in cli.environment().items() if name != "PYTHONUNBUFFERED"},
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
