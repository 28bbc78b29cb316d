"""`callgate doctor`: is everything there that `serve` needs, and what to do where it is not.

Every check looks and changes nothing. A finding is ok, a warning (serve would start), or bad.
"""

import importlib.util
import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from call_core.contracts import Clock
from gateway.listeners import listeners, refusal
from gateway.settings import Settings
from gateway.telemetry import MISSING, TRACE_MODULES

LEAST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 512 * 1024 * 1024
RELAY_TIMEOUT_S = 3
BUILT_MS = 1_790_000_000_000
"""September 2026: a clock that stands before it has not been set."""
_FARTHEST_MS = 20 * 365 * 86_400_000


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, what is so, what to do."""

    name: str
    level: Level
    detail: str
    advice: str = ""


def examine(settings: Settings, wall: Clock, database: Callable[[], Finding]) -> Iterator[Finding]:
    """Yield every finding; `database` looks into the database, which only the wiring knows."""
    yield python_version(sys.version_info[:2])
    yield settings_file(settings)
    yield clock(wall.now_ms())
    yield time_zones()
    yield disk(settings)
    yield permissions(settings)
    yield database()
    yield from ports(settings)
    yield exposure(settings)
    yield relay(settings.mail_out.host, settings.mail_out.port)
    yield traces(settings)
    yield extras()


def python_version(version: tuple[int, int]) -> Finding:
    """Look at the interpreter."""
    text = ".".join(map(str, version))
    if version >= LEAST_PYTHON:
        return Finding("python", Level.OK, text)
    least = ".".join(map(str, LEAST_PYTHON))
    return Finding("python", Level.BAD, text, f"Install Python {least} or later.")


def settings_file(settings: Settings) -> Finding:
    """Look at the settings file and at who may read its secrets."""
    if settings.file is None:
        return Finding(
            "settings", Level.WARNING, "no callgate.toml; defaults hold", "Run `callgate init`."
        )
    mode = settings.file.stat().st_mode
    if mode & stat.S_IROTH and _holds_secrets(settings):
        return Finding(
            "settings",
            Level.WARNING,
            f"{settings.file} holds secrets and everybody may read it",
            f"chmod 640 {settings.file}",
        )
    return Finding("settings", Level.OK, str(settings.file))


def _holds_secrets(settings: Settings) -> bool:
    return "SecretStr('**********')" in repr(settings)


def clock(now_ms: int) -> Finding:
    """Look whether the wall clock can be true."""
    if BUILT_MS <= now_ms <= BUILT_MS + _FARTHEST_MS:
        return Finding("clock", Level.OK, "plausible")
    return Finding(
        "clock", Level.BAD, "the system clock is not set", "Set it, and keep it set (chrony, NTP)."
    )


def time_zones() -> Finding:
    """Look whether IANA zones are there."""
    try:
        ZoneInfo("Europe/London")
    except ZoneInfoNotFoundError:
        return Finding("time zones", Level.BAD, "no zone data", "pip install tzdata")
    return Finding("time zones", Level.OK, "IANA data found")


def disk(settings: Settings) -> Finding:
    """Look whether the database's disk has room."""
    folder = _existing(_folder(settings))
    free = shutil.disk_usage(folder).free
    detail = f"{free // (1024 * 1024)} MiB free at {folder}"
    if free >= LEAST_FREE_BYTES:
        return Finding("disk", Level.OK, detail)
    return Finding("disk", Level.BAD, detail, "Make room: a full disk refuses every call.")


def permissions(settings: Settings) -> Finding:
    """Look whether the database's folder can be written by whoever runs this."""
    folder = _existing(_folder(settings))
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding("permissions", Level.OK, f"{folder} can be written")
    return Finding(
        "permissions", Level.BAD, f"{folder} cannot be written", f"chown the folder to {_who()}."
    )


def ports(settings: Settings) -> Iterator[Finding]:
    """Look whether every listener's port is free."""
    for each in listeners(settings):
        name, where = f"port {each.name}", f"{each.host}:{each.port}/{each.transport}"
        reason = _why_not_free(each.host, each.port, each.transport)
        if not reason:
            yield Finding(name, Level.OK, f"{where} is free")
        else:
            yield Finding(
                name,
                Level.WARNING,
                f"{where}: {reason}",
                f"Fine if `callgate serve` runs; else stop what uses it or set {each.name}.port.",
            )


def exposure(settings: Settings) -> Finding:
    """Look whether `serve` would refuse its listeners."""
    sentence = refusal(settings)
    if sentence:
        return Finding("exposure", Level.BAD, "serve would refuse to start", sentence)
    return Finding(
        "exposure", Level.OK, f"listeners fit the switch ({', '.join(settings.switch_kinds())})"
    )


def relay(host: str, port: int) -> Finding:
    """Look whether outgoing mail has somewhere to go."""
    if not host:
        return Finding(
            "mail relay",
            Level.WARNING,
            "none is set; replies and receipts by mail will wait",
            "Set mail_out.host.",
        )
    try:
        with socket.create_connection((host, port), RELAY_TIMEOUT_S) as connection:
            connection.settimeout(RELAY_TIMEOUT_S)
            greeting = connection.recv(3)
    except OSError as error:
        detail = f"{host}:{port} cannot be reached ({error.strerror or error})"
        return Finding(
            "mail relay", Level.WARNING, detail, "Check mail_out.host and mail_out.port."
        )
    if greeting == b"220":
        return Finding("mail relay", Level.OK, f"{host}:{port} answers")
    return Finding(
        "mail relay", Level.WARNING, f"{host}:{port} is no SMTP server", "Check mail_out.port."
    )


def traces(settings: Settings) -> Finding:
    """Look whether traces that were asked for can be made."""
    if not settings.telemetry.endpoint:
        return Finding("traces", Level.OK, "off")
    if all(_is_installed(module) for module in TRACE_MODULES):
        return Finding("traces", Level.OK, f"sent to {settings.telemetry.endpoint}")
    return Finding(
        "traces", Level.BAD, "serve would refuse to start: the extra otel is missing", MISSING
    )


def extras() -> Finding:
    """Look which optional parts are installed."""
    found = {
        "uvloop": "uvloop",
        "postgres": "psycopg",
        "mailauth": "authheaders",
        "otel": "opentelemetry.sdk",
    }
    here = [name for name, module in found.items() if _is_installed(module)]
    return Finding("extras", Level.OK, ", ".join(here) or "none installed")


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _why_not_free(host: str, port: int, transport: str) -> str:
    """Return why an address cannot be bound now, "" when it can."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if transport == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return ""


def _folder(settings: Settings) -> Path:
    file = settings.database_file()
    return file.parent if file else settings.folder


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _who() -> str:
    return f"user {os.getuid()}" if hasattr(os, "getuid") else "the user who runs Callgate"
