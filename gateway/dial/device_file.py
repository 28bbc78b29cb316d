"""What a desktop knows: its server and token in one file, and names for completion beside it."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_PORT = 4445
DEFAULT_HTTP_PORT = 8080
MAX_FILE_BYTES = 65_536
MAX_NAMES_BYTES = 1_048_576
_LARGEST_PORT = 65_535
_URL = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(/[\w./~-]*)?", re.ASCII)
_OWNER_ONLY = 0o600
_FILE = Path("callgate") / "device.toml"


class DeviceFileError(Exception):
    """The file is missing or cannot be used; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Device:
    """One desktop. The token is a secret and never printed.

    Attributes:
        host, port: where packets go.
        url: of the pages and the API, "" when it was not said.
    """

    host: str
    port: int
    token: str
    url: str = ""

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


def url_of(text: str) -> str:
    """Return the base of a gateway's pages, without a slash at its end.

    Raises:
        DeviceFileError: it is none, or the token would cross a network unsealed.
    """
    words = text.strip().rstrip("/")
    if not _URL.fullmatch(words):
        raise DeviceFileError(f"{text!r} is no address of pages; write https://HOST[:PORT].")
    host = urlsplit(words).hostname or ""
    if words.startswith("http:") and not _is_loopback(host):
        raise DeviceFileError(
            f"{words} would send the token readable over the network; use https, or a tunnel to "
            "this machine."
        )
    return words


def page_url(device: Device) -> str:
    """Return where the device's API is: as it was set up, else where it usually stands."""
    if device.url:
        return device.url
    host = f"[{device.host}]" if ":" in device.host else device.host
    return f"http://{host}:{DEFAULT_HTTP_PORT}" if _is_loopback(device.host) else f"https://{host}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read(file: Path) -> Device:
    """Return the device.

    Raises:
        DeviceFileError: there is none, or its file cannot be used.
    """
    set_up = "write `device` to your gateway and run `callgate dial --join CODE SERVER`."
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
    url = data.get("url", "")
    if not isinstance(url, str):
        raise DeviceFileError(f"{file}: url must be text; {set_up}")
    return Device(*server_of(server), token, url_of(url) if url else "")


def make_folder(file: Path) -> None:
    """Make sure that the device's file can be written, before a code is spent for it.

    Raises:
        DeviceFileError: it cannot.
    """
    try:
        _write(file.with_name(f"{file.name}.try"), "")
        file.with_name(f"{file.name}.try").unlink()
    except OSError as error:
        raise DeviceFileError(f"{file} cannot be written ({error}).") from error


def write(file: Path, device: Device) -> None:
    """Write the device's file, readable by its owner only.

    Raises:
        DeviceFileError: the token is no token, or the folder cannot be written.
    """
    if not device.token.isascii() or not device.token.isprintable() or set(device.token) & {*'"\\'}:
        raise DeviceFileError("That is no token; a token is letters, digits and _.")
    host = f"[{device.host}]" if ":" in device.host else device.host
    text = f'server = "{host}:{device.port}"\ntoken = "{device.token}"\n'
    text += f'url = "{device.url}"\n' if device.url else ""
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
