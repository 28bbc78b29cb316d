"""One service per SQLite database."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.serve_lock import AlreadyServedError, is_served, serving
from gateway.settings import FILE_NAME, Settings
from gateway.settings_file import load_settings


def load(tmp_path: Path, url: str) -> Settings:
    """Return settings with a database URL."""
    file = tmp_path / FILE_NAME
    file.write_text(f'[database]\nurl = "{url}"', encoding="utf-8")
    return load_settings(file, {})


def test_a_second_service_is_refused_and_the_first_is_seen(tmp_path: Path) -> None:
    """While one holds the lock, another is told where; afterwards it is free."""
    settings = load(tmp_path, "sqlite:///c.db")
    assert not is_served(settings)
    with serving(settings):
        assert is_served(settings)
        with pytest.raises(AlreadyServedError, match=r"c\.db"), serving(settings):
            pass
    assert not is_served(settings)


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    """A process that is killed leaves nothing behind that keeps others out."""
    settings = load(tmp_path, "sqlite:///c.db")
    held = (
        "import fcntl, os, sys, time\n"
        "fd = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)\n"
        "fcntl.flock(fd, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(  # noqa: S603  (our own interpreter and text)
        [sys.executable, "-c", held, str(tmp_path / "c.db.serving")], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert is_served(settings)
        other.kill()
        other.wait()
        assert not is_served(settings)


def test_a_server_s_database_needs_no_lock(tmp_path: Path) -> None:
    """On PostgreSQL a lease does it, and the command line takes it that somebody serves."""
    settings = load(tmp_path, "postgresql://db/c")
    assert is_served(settings)
    with serving(settings), serving(settings):
        assert list(tmp_path.glob("*.serving")) == []
