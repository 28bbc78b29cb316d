"""CALLGATE_TEST_REQUIRE=all: no test that was skipped may look like one that passed."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest"]
SKIPPING = {
    "mark": "@pytest.mark.skip(reason='needs a peer')\ndef test_it() -> None: ...",
    "call": "def test_it() -> None:\n    pytest.skip('needs a peer')",
    "fixture": (
        "@pytest.fixture\ndef peer() -> None:\n    pytest.skip('needs a peer')\n\n"
        "def test_it(peer: None) -> None: ..."
    ),
    "module": "pytest.skip('needs a peer', allow_module_level=True)",
    "import": "pytest.importorskip('no_such_peer', reason='needs a peer')",
}


def said_by_pytest(directory: Path, required: str) -> str:
    """Run every way of skipping under `CALLGATE_TEST_REQUIRE=required`; return what was printed."""
    for name, body in SKIPPING.items():
        (directory / f"test_{name}.py").write_text(f"import pytest\n\n{body}\n")
    run = subprocess.run(  # noqa: S603  (the files that we have just written)
        [*COMMAND, "--rootdir", str(directory), "--continue-on-collection-errors", str(directory)],
        cwd=ROOT,
        env={**os.environ, "CALLGATE_TEST_REQUIRE": required, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout


def test_every_way_of_skipping_fails_when_everything_is_required(tmp_path: Path) -> None:
    """A skip in a test fails it, a skip before it is an error, each with its reason."""
    said = said_by_pytest(tmp_path, "all")
    assert "1 failed, 4 errors" in said
    assert said.count("skipped although CALLGATE_TEST_REQUIRE=all: ") >= len(SKIPPING)
    assert said.count("needs a peer") >= len(SKIPPING)


def test_a_skip_is_a_skip_otherwise(tmp_path: Path) -> None:
    """Requiring one peer leaves the others optional."""
    assert "5 skipped" in said_by_pytest(tmp_path, "postgres")
