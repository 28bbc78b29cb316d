"""What the doctor finds."""

import os
import shutil
import socket
import threading
from pathlib import Path

import pytest

from gateway import doctor
from gateway.clocks import WallClock
from gateway.doctor import BUILT_MS, Finding, Level
from gateway.settings import FILE_NAME, Settings
from gateway.settings_file import load_settings

pytestmark = pytest.mark.enable_socket


def load(tmp_path: Path, text: str = "") -> Settings:
    """Return the settings of a text."""
    file = tmp_path / FILE_NAME
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


@pytest.mark.parametrize(
    ("version", "level"), [((3, 10), Level.BAD), ((3, 11), Level.OK), ((4, 0), Level.OK)]
)
def test_python(version: tuple[int, int], level: Level) -> None:
    """3.11 is the oldest that will do."""
    assert doctor.python_version(version).level is level


@pytest.mark.parametrize(
    ("now_ms", "level"),
    [
        (BUILT_MS - 1, Level.BAD),
        (BUILT_MS, Level.OK),
        (BUILT_MS + 20 * 365 * 86_400_000, Level.OK),
        (BUILT_MS + 20 * 365 * 86_400_000 + 1, Level.BAD),
        (0, Level.BAD),
    ],
)
def test_a_clock_that_cannot_be_true_is_bad(now_ms: int, level: Level) -> None:
    """Before this was written, or decades later, no clock is right."""
    assert doctor.clock(now_ms).level is level


def test_a_readable_file_with_secrets_is_a_warning(tmp_path: Path) -> None:
    """Only secrets make it one; the advice says what to do."""
    settings = load(tmp_path, '[mail_out]\npassword = "x"')
    assert settings.file is not None
    settings.file.chmod(0o644)
    finding = doctor.settings_file(settings)
    assert finding.level is Level.WARNING
    assert finding.advice.startswith("chmod 640")
    settings.file.chmod(0o640)
    assert doctor.settings_file(settings).level is Level.OK
    plain = load(tmp_path)
    plain.file.chmod(0o644)  # type: ignore[union-attr]
    assert doctor.settings_file(plain).level is Level.OK


def test_a_full_disk_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte below the least free space is too little."""
    settings = load(tmp_path)
    usage = type(shutil.disk_usage(tmp_path))
    for free, level in (
        (doctor.LEAST_FREE_BYTES, Level.OK),
        (doctor.LEAST_FREE_BYTES - 1, Level.BAD),
    ):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage(1 << 40, 0, free))
        assert doctor.disk(settings).level is level


def test_a_folder_that_cannot_be_written_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service could not write its database there; a folder yet to be made counts by its parent.

    The system is told to answer, since root may write everywhere.
    """
    settings = load(tmp_path, '[database]\nurl = "sqlite:///not/yet/c.db"')
    assert doctor.permissions(settings).detail.startswith(str(tmp_path))
    assert doctor.permissions(settings).level is Level.OK
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert doctor.permissions(settings).level is Level.BAD


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """The warning says which section's port to change."""
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        settings = load(tmp_path, f"[http]\nport = {used.getsockname()[1]}")
        finding = next(doctor.ports(settings))
    assert (finding.name, finding.level) == ("port http", Level.WARNING)
    assert "http.port" in finding.advice
    assert next(doctor.ports(settings)).level is Level.OK


def test_the_relay_is_tried() -> None:
    """None, unreachable, not a mail server: three different sentences, none of them ok."""
    assert "none is set" in doctor.relay("", 25).detail
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert "cannot be reached" in doctor.relay("127.0.0.1", port).detail


def test_a_port_that_answers_in_another_way_is_no_relay() -> None:
    """A greeting of SMTP begins with 220."""
    for greeting, level in (
        (b"220 here ESMTP\r\n", Level.OK),
        (b"HTTP/1.1 400\r\n", Level.WARNING),
    ):
        with socket.create_server(("127.0.0.1", 0)) as server:
            host, port = server.getsockname()[:2]
            answered = _greet(server, greeting)
            finding = doctor.relay(host, port)
            answered.join()
        assert finding.level is level


def _greet(server: socket.socket, greeting: bytes) -> threading.Thread:
    """Answer one connection from another thread."""

    def run() -> None:
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(greeting)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_whole_report_has_a_line_for_everything(tmp_path: Path) -> None:
    """Every part is looked at once, and what is not ok says what to do."""
    found = list(
        doctor.examine(load(tmp_path), WallClock(), lambda: Finding("database", Level.OK, "there"))
    )
    names = [each.name for each in found]
    assert names[:7] == [
        "python",
        "settings",
        "clock",
        "time zones",
        "disk",
        "permissions",
        "database",
    ]
    assert {"port http", "port smtp", "exposure", "mail relay", "extras"} <= set(names)
    assert [each for each in found if each.level is not Level.OK and not each.advice] == []


def test_traces_need_their_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off unless asked for; asked for without the extra, `serve` would refuse and why is said."""
    assert doctor.traces(load(tmp_path)).detail == "off"
    wanted = load(tmp_path, '[telemetry]\nendpoint = "http://127.0.0.1:4318"')
    monkeypatch.setattr(doctor, "TRACE_MODULES", ())
    assert doctor.traces(wanted).level is Level.OK
    monkeypatch.setattr(doctor, "TRACE_MODULES", ("no_such_package",))
    finding = doctor.traces(wanted)
    assert finding.level is Level.BAD
    assert "install callgate[otel]" in finding.advice
