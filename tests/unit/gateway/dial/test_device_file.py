"""The device's file and the names kept for completion."""

from pathlib import Path

import pytest

from gateway.dial import device_file
from gateway.dial.device_file import Device, DeviceFileError

DEVICE = Device("gw.example", 4445, "cg_secret")


@pytest.mark.parametrize("host", ["gw.example", "127.0.0.1", "::1"])
def test_what_is_written_reads_back_and_is_the_owners(tmp_path: Path, host: str) -> None:
    """Nobody else on the machine reads the token."""
    file = tmp_path / "callgate" / "device.toml"
    device_file.write(file, Device(host, 99, "cg_secret"))
    assert device_file.read(file) == Device(host, 99, "cg_secret")
    assert file.stat().st_mode & 0o077 == 0
    assert "cg_secret" not in repr(DEVICE)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("gw.example", ("gw.example", 4445)),
        ("gw.example:99", ("gw.example", 99)),
        ("[::1]:65535", ("::1", 65535)),
        ("::1", ("::1", 4445)),
    ],
)
def test_servers(text: str, server: tuple[str, int]) -> None:
    """The port is optional."""
    assert device_file.server_of(text) == server


@pytest.mark.parametrize("text", ["", ":4445", "gw:0", "gw:65536", "gw:x"])
def test_what_is_no_server_is_refused(text: str) -> None:
    """The sentence shows how one is written."""
    with pytest.raises(DeviceFileError, match="HOST:PORT"):
        device_file.server_of(text)


@pytest.mark.parametrize("text", [None, "server = 1", 'server = "gw"', "not toml", "\udcff"])
def test_a_file_that_cannot_be_used_says_what_to_do(tmp_path: Path, text: str | None) -> None:
    """Missing, torn or half: the same next step."""
    file = tmp_path / "device.toml"
    if text is not None:
        file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DeviceFileError, match="--join"):
        device_file.read(file)


def test_a_token_that_would_break_the_file_is_refused(tmp_path: Path) -> None:
    """Quotes are in no token."""
    with pytest.raises(DeviceFileError, match="no token"):
        device_file.write(tmp_path / "device.toml", Device("gw", 1, 'a"b'))


@pytest.mark.parametrize(
    ("typed", "found"),
    [("m", ["mom"]), ("", ["bob", "mom"]), ("conf mom, B", ["conf mom, bob"]), ("x", [])],
)
def test_names_complete_what_was_typed(tmp_path: Path, typed: str, found: list[str]) -> None:
    """In a conference the last name counts."""
    file = tmp_path / "device.toml"
    assert device_file.names_behind(file, typed) == []
    device_file.write_names(file, ["bob", "mom"])
    assert device_file.names_behind(file, typed) == found


def test_the_file_is_where_the_desktop_keeps_such_files() -> None:
    """XDG's folder when it is named, else the usual one."""
    home = Path("/home/ada")
    assert device_file.default_file({}, home) == home / ".config/callgate/device.toml"
    assert device_file.default_file({"XDG_CONFIG_HOME": "/x"}, home) == Path(
        "/x/callgate/device.toml"
    )


# --- the address of the pages -------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://gw.example", "https://gw.example:8443/x", "http://127.0.0.1:8080", "http://[::1]:1"],
)
def test_an_address_of_pages_is_kept(tmp_path: Path, url: str) -> None:
    """With the token, for the next time."""
    file = tmp_path / "device.toml"
    device_file.write(file, Device("gw", 1, "cg_secret", device_file.url_of(f" {url}/ ")))
    assert device_file.read(file).url == device_file.page_url(device_file.read(file)) == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("gw.example", "https://HOST"),
        ("ftp://gw.example", "https://HOST"),
        ('https://gw.example/"', "https://HOST"),
        ("https://user@gw.example", "https://HOST"),
        ("https://gw.example?x=1", "https://HOST"),
        ("http://gw.example", "readable"),
        ("http://192.0.2.1:8080", "readable"),
    ],
)
def test_an_address_that_will_not_do_is_refused(url: str, words: str) -> None:
    """It is none, or the token could be read on the way."""
    with pytest.raises(DeviceFileError, match=words):
        device_file.url_of(url)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost", "http://localhost:8080"),
        ("::1", "http://[::1]:8080"),
        ("gw.example", "https://gw.example"),
        ("2001:db8::1", "https://[2001:db8::1]"),
    ],
)
def test_without_an_address_the_usual_one_is_meant(host: str, url: str) -> None:
    """This machine's port, or https of the server."""
    assert device_file.page_url(Device(host, 4445, "t")) == url


def test_an_address_of_the_wrong_kind_is_told(tmp_path: Path) -> None:
    """Somebody wrote the file by hand."""
    file = tmp_path / "device.toml"
    file.write_text('server = "gw"\ntoken = "t"\nurl = 1\n', encoding="utf-8")
    with pytest.raises(DeviceFileError, match="url"):
        device_file.read(file)


def test_a_place_that_cannot_be_written_is_found_before_a_code_is_spent(tmp_path: Path) -> None:
    """The folder is made, and nothing is left in it."""
    file = tmp_path / "new" / "device.toml"
    device_file.make_folder(file)
    assert list(file.parent.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(DeviceFileError, match="cannot be written"):
        device_file.make_folder(tmp_path / "file" / "device.toml")
