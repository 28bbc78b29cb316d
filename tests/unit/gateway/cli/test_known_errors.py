"""Errors that are told in a sentence, and those that are ours."""

import sqlite3

import psycopg
import pytest

from call_core.errors import Overloaded, StoreUnavailable
from gateway.cli.known_errors import CONFIGURATION, DATABASE, FAILED, USAGE, known
from gateway.http_listener import ListenError
from gateway.settings_file import SettingsError


def encoding_error(encoding: str) -> UnicodeEncodeError:
    """Return what is raised when a text has a character that an encoding has not."""
    return UnicodeEncodeError(encoding, "\u2026", 0, 1, "no such character")


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (SettingsError("No."), CONFIGURATION, "No."),
        (ListenError("No."), CONFIGURATION, "No."),
        (StoreUnavailable("away"), DATABASE, "The database cannot be used (away); `callgate doc"),
        (Overloaded(), DATABASE, "It could not be done now (overloaded); try again."),
        (
            sqlite3.OperationalError("no such table: shards"),
            DATABASE,
            "The database cannot be used (no such table: shards); `callgate db upgrade` brings",
        ),
        (
            psycopg.errors.UndefinedTable('relation "shards" does not exist\nLINE 1: SELECT'),
            DATABASE,
            'The database cannot be used (relation "shards" does not exist); `callgate db up',
        ),
        (psycopg.errors.UndefinedColumn("no column"), DATABASE, "The database cannot be used (no"),
        (encoding_error("utf-8"), USAGE, "Something that was given is no text in UTF-8"),
        (encoding_error("ascii"), FAILED, "The output is in ascii, which cannot hold"),
        (OSError(28, "Full"), FAILED, "It cannot be done: Full."),
        (FileNotFoundError(2, "Not there", "x"), FAILED, "It cannot be done: x: Not there."),
        (OSError("AF_UNIX path too long"), FAILED, "It cannot be done: AF_UNIX path too long."),
        (
            ModuleNotFoundError("No module named 'psycopg'", name="psycopg"),
            CONFIGURATION,
            "This needs the extra postgres: pip install 'callgate[postgres]'.",
        ),
        (ModuleNotFoundError("dns", name="dns.resolver"), CONFIGURATION, "This needs the extra m"),
    ],
)
def test_what_the_operator_can_mend_is_a_sentence(
    error: Exception, status: int, sentence: str
) -> None:
    """It says what is wrong and, where that is known, what to do."""
    found = known(error)
    assert found is not None
    assert found[0].startswith(sentence)
    assert found[1] == status


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("ours"),
        ValueError("ours"),
        sqlite3.IntegrityError("UNIQUE constraint failed"),
        psycopg.errors.SyntaxError("syntax error"),
        ModuleNotFoundError("No module named 'gateway.nothing'", name="gateway.nothing"),
        ImportError("cannot import name"),
    ],
)
def test_a_defect_keeps_its_traceback(error: Exception) -> None:
    """What nobody can mend from outside is not told as if somebody could."""
    assert known(error) is None
