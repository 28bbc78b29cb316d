"""The wheel: what is installed elsewhere is the whole product and nothing else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("call_core", "channels", "gateway", "parsers")
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this checkout, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    run = subprocess.run(  # noqa: S603  (a constant program)
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return folder / run.stdout.split()[-1]


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    """Unpack it, as an installer would."""
    folder = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def shipped(folder: Path) -> set[str]:
    """Return every file below the four packages, but what Python writes for itself."""
    return {
        str(path.relative_to(folder))
        for package in PACKAGES
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_holds_exactly_the_four_packages(unpacked: Path) -> None:
    """The names of the packages are common ones, so nothing beside them may be installed."""
    found = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    assert found == set(PACKAGES)


def test_it_holds_every_file_of_the_packages(unpacked: Path) -> None:
    """Templates, static files, migrations and data are installed with the code."""
    assert shipped(unpacked) == shipped(ROOT)
    kinds = {Path(name).suffix for name in shipped(unpacked)}
    assert {".py", ".html", ".css", ".js", ".sql", ".mako", ".csv", ".md"} <= kinds


def test_it_names_its_licence_and_its_command(unpacked: Path) -> None:
    """An installer makes `callgate`, and the licence comes along."""
    (info,) = unpacked.glob("*.dist-info")
    assert "callgate = gateway.cli:main" in (info / "entry_points.txt").read_text()
    assert list(info.rglob("LICENSE"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--help",), "Launch telephone calls"),
        (("db", "upgrade"), "is at revision"),
        (("channels",), "smtp"),
    ],
    ids=" ".join,
)
def test_the_command_runs_from_it(
    unpacked: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """It starts, finds its migrations and its channels, all without the checkout."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("CALLGATE_")}
    run = subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-c", "from gateway.cli import main; main()", *words],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert said in run.stdout
