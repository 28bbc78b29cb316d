"""Errors that are no defects of ours, as a sentence and an exit status.

What nobody expected keeps its traceback: only a failure of what the operator gave or has to mend
(settings, files, the database, what is installed) is told here.
"""

import sqlite3
import sys
from typing import Any

OK = 0
FAILED = 1
USAGE = 2
CONFIGURATION = 3
DATABASE = 4

_EXTRAS = {
    "authheaders": "mailauth",
    "dkim": "mailauth",
    "dns": "mailauth",
    "spf": "mailauth",
    "opentelemetry": "otel",
    "psycopg": "postgres",
    "textual": "tui",
}
"""Modules that come with an extra, and its name."""
_NOT_UPGRADED = (
    "The database cannot be used ({reason}); `callgate db upgrade` brings it to this version, "
    "`callgate doctor` says more."
)


def known(error: Exception) -> tuple[str, int] | None:
    """Return the sentence and the exit status of an error, None for a defect of ours."""
    for look in (_of_ours, _of_database, _of_text, _of_system, _of_installation):
        found = look(error)
        if found is not None:
            return found
    return None


def reason_of(error: OSError) -> str:
    """Return what the system says, with the file that it says it of."""
    reason = error.strerror or str(error)
    return reason if error.filename is None else f"{error.filename}: {reason}"


def _of_ours(error: Exception) -> tuple[str, int] | None:
    from call_core.errors import CallCoreError, StoreUnavailable
    from gateway.http_listener import ListenError
    from gateway.settings_file import SettingsError

    match error:
        case SettingsError() | ListenError():
            return str(error), CONFIGURATION
        case StoreUnavailable():
            return f"The database cannot be used ({error}); `callgate doctor` says more.", DATABASE
        case CallCoreError():
            return f"It could not be done now ({error.code}); try again.", DATABASE
        case _:
            return None


def _of_database(error: Exception) -> tuple[str, int] | None:
    """Tell tables that are not there, or not as this version has them."""
    missing: tuple[type[Any], ...] = (sqlite3.OperationalError,)
    if psycopg := sys.modules.get("psycopg"):  # loaded only where PostgreSQL is asked
        missing += (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)
    if not isinstance(error, missing):
        return None
    return _NOT_UPGRADED.format(reason=str(error).splitlines()[0]), DATABASE


def _of_text(error: Exception) -> tuple[str, int] | None:
    match error:
        case UnicodeEncodeError(encoding="utf-8"):
            return "Something that was given is no text in UTF-8; write it anew.", USAGE
        case UnicodeEncodeError():
            return (
                f"The output is in {error.encoding}, which cannot hold what is to be shown; set "
                "PYTHONIOENCODING=utf-8."
            ), FAILED
        case _:
            return None


def _of_system(error: Exception) -> tuple[str, int] | None:
    if not isinstance(error, OSError):
        return None
    return f"It cannot be done: {reason_of(error)}.", FAILED


def _of_installation(error: Exception) -> tuple[str, int] | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    extra = _EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        return None
    return f"This needs the extra {extra}: pip install 'callgate[{extra}]'.", CONFIGURATION
