"""The demo: one call by every channel over its real protocol, every bill equal."""

import json
import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from channels.kit.registry import channel_classes
from gateway.demo.run import claimed

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(180)]


def demo(folder: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run `callgate demo --once` in a folder; return status, object and errors."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLGATE_")}
    done = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-m", "gateway.cli", "demo", "--once", "--json", *words],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=150,
        check=False,
    )
    data = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    return done.returncode, data, done.stderr


def test_every_bill_is_equal_and_the_demo_can_be_repeated(tmp_path: Path) -> None:
    """Every channel there is launches the same call, none is left out; a second run begins anew."""
    data: dict[str, Any] = {}
    for _ in range(2):
        status, data, errors = demo(tmp_path)
        assert (status, data.get("equal")) == (0, True), (data, errors)
        assert {each["channel"] for each in data["bills"]} == set(channel_classes())
        assert not any(each["skipped"] for each in data["bills"])
        totals = {each["total"] for each in data["bills"]}
        assert len(totals) == 1
        assert "0" not in totals
        assert all([leg["leg"] for leg in each["legs"]] == ["A", "B"] for each in data["bills"])
    assert Path(data["database"]).is_file()


def test_nothing_secret_or_personal_is_logged(tmp_path: Path) -> None:
    """A whole run leaves no number, password or token on standard error."""
    _, data, errors = demo(tmp_path)
    for secret in ("2079460018", data["sign_in"]["password"], data["sign_in"]["token"]):
        assert secret not in errors


def test_a_folder_that_is_somebody_elses_is_let_alone(tmp_path: Path) -> None:
    """Only an earlier demo is removed."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep", encoding="utf-8")
    status, data, errors = demo(tmp_path, "--folder", "mine")
    assert status == 1
    assert data["ok"] is False
    assert "not an earlier demo's" in errors
    assert (tmp_path / "mine" / "letter.txt").read_text(encoding="utf-8") == "keep"


def test_two_demos_at_once_have_each_its_folder(tmp_path: Path) -> None:
    """The second takes one beside the usual; in a folder that was named it says what is wrong."""
    with chdir(tmp_path), claimed(None) as folder:
        first = folder.resolve()
        status, data, errors = demo(tmp_path)
        assert (status, data.get("equal")) == (0, True), (data, errors)
        database = Path(data["database"])
        assert database.parent != first
        assert database.parent.parent == first.parent
        status, data, errors = demo(tmp_path, "--folder", str(first))
        assert status == 1
        assert "Another demo runs in" in errors
    assert database.is_file()
