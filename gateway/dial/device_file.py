"""What a desktop knows: its server and token in one file, and names for completion beside it."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 4445
MAX_FILE_BYTES = 65_536
MAX_NAMES_BYTES = 1_048_576
_LARGEST_PORT = 65_535
_OWNER_ONLY = 0o600
_FILE = Path("callgate") / "device.toml"


class DeviceFileError(Exception):
    """The file is missing or cannot be used; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Device:
    """One desktop. The token is a secret and never printed."""

    host: str
    port: int
    token: str

    def __repr__(self) -> str:
        return f"Device({self.host}:{self.port})"


def default_file(environ: Mapping[str, str], home: Path) -> Path:
    """Return where the device's file is: below XDG_CONFIG_HOME, else `.config` at home."""
    base = environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if Path(base).is_absolute() else home / ".config") / _FILE


def server_of(text: str) -> tuple[str, int]:
    """Return host and port of `HOST`, `HOST:PORT` or `[IPV6]:PORT`.

    Raises:
        DeviceFileError: it is none of them.
    """
    words = text.strip()
    host, colon, port = words.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = words, str(DEFAULT_PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LARGEST_PORT:
        raise DeviceFileError(f"{text!r} is no server; write HOST or HOST:PORT.")
    return host, int(port)


def read(file: Path) -> Device:
    """Return the device.

    Raises:
        DeviceFileError: there is none, or its file cannot be used.
    """
    set_up = "run `callgate dial --setup TOKEN SERVER` once."
    try:
        with file.open("rb") as opened:
            data = tomllib.loads(opened.read(MAX_FILE_BYTES).decode())
    except FileNotFoundError:
        raise DeviceFileError(f"This desktop is not set up yet; {set_up}") from None
    except (OSError, ValueError) as error:
        raise DeviceFileError(f"{file} cannot be read ({error}); {set_up}") from error
    server, token = data.get("server"), data.get("token")
    if not isinstance(server, str) or not isinstance(token, str) or not token:
        raise DeviceFileError(f"{file} needs the keys server and token; {set_up}")
    return Device(*server_of(server), token)


def write(file: Path, device: Device) -> None:
    """Write the device's file, readable by its owner only.

    Raises:
        DeviceFileError: the token is no token, or the folder cannot be written.
    """
    if not device.token.isascii() or not device.token.isprintable() or set(device.token) & {*'"\\'}:
        raise DeviceFileError("That is no token; a token is letters, digits and _.")
    host = f"[{device.host}]" if ":" in device.host else device.host
    text = f'server = "{host}:{device.port}"\ntoken = "{device.token}"\n'
    try:
        _write(file, text)
    except OSError as error:
        raise DeviceFileError(f"{file} cannot be written ({error}).") from error


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = file.with_name(f"{file.name}.new")
    made.unlink(missing_ok=True)
    descriptor = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
    made.replace(file)


# --- names for completion -----------------------------------------------------------------------


def names_file(file: Path) -> Path:
    """Return where the names of the directory are kept."""
    return file.with_name("names")


def write_names(file: Path, names: Sequence[str]) -> None:
    """Keep the names of the directory beside the device's file.

    Raises:
        DeviceFileError: they cannot be written.
    """
    try:
        _write(names_file(file), "".join(f"{name}\n" for name in names))
    except OSError as error:
        raise DeviceFileError(f"{names_file(file)} cannot be written ({error}).") from error


def names_behind(file: Path, typed: str) -> list[str]:
    """Return the kept names that begin with what was typed; none when nothing is kept.

    In `conf mom, b` the name after the last comma counts.
    """
    try:
        with names_file(file).open(encoding="utf-8") as opened:
            names = opened.read(MAX_NAMES_BYTES).splitlines()
    except (OSError, ValueError):
        return []
    head, comma, last = typed.rpartition(",")
    begin = last.lstrip()
    gap = last[: len(last) - len(begin)]
    return [
        f"{head}{comma}{gap}{name}"
        for name in names
        if name.casefold().startswith(begin.casefold())
    ]
