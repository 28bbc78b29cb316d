"""The command line as a whole."""

import subprocess
import sys

import pytest
import typer
from typer.main import get_command

from gateway.cli.root import app

COMMANDS = [
    *(
        "init",
        "serve",
        "demo",
        "directory forget",
        "directory save",
        "doctor",
        "channels",
        "backup",
        "restore",
        "topup",
        "freeze",
    ),
    *(
        "unfreeze",
        "call",
        "dial",
        "desk",
        "db upgrade",
        "customer add",
        "user add",
        "user password",
        "phone add",
    ),
    *("sender add", "rates load", "calls live", "calls hangup", "cdrs export", "ledger verify"),
    *("routes explain", "accept", "simulate", "drill"),
]
OPTIONS = {
    "customer add": [
        *("--currency", "--plan", "--credit-limit", "--tariff", "--regions", "--daily-spend"),
        "--concurrent",
    ],
    "user add": ["--role", "--timezone", "--country"],
    "phone add": ["--trusted"],
    "rates load": ["--currency", "--timezone", "--yes", "--map"],
    "routes explain": ["--from", "--tariff"],
    "cdrs export": ["--since", "--format"],
    "demo": ["--once"],
    "dial": ["--setup", "--hangup", "--names", "--watch"],
    "desk": ["--url"],
    "freeze": ["--live"],
}


def every_command() -> dict[str, typer.core.TyperCommand]:
    """Return the commands by their words."""
    found = {}
    for name, made in get_command(app).commands.items():  # type: ignore[attr-defined]  # a group
        inner = getattr(made, "commands", None)
        if inner is None:
            found[name] = made
        else:
            found |= {f"{name} {word}": each for word, each in inner.items()}
    return found


def options(name: str) -> set[str]:
    """Return the options of a command."""
    return {word for parameter in every_command()[name].params for word in parameter.opts}


def test_the_commands_are_those_that_are_documented() -> None:
    """None is missing and none is there by accident."""
    assert sorted(every_command()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_speaks_json_and_shows_an_example(name: str) -> None:
    """`--json` everywhere, and a help text that ends with a line to copy."""
    assert "--json" in options(name)
    assert f"Example: callgate {name.split(maxsplit=1)[0]}" in (every_command()[name].help or "")


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo", "drill"}))
def test_every_command_but_the_demo_takes_other_settings(name: str) -> None:
    """The demo and the drills write their own."""
    assert "--config" in options(name)


@pytest.mark.parametrize(("name", "wanted"), OPTIONS.items())
def test_options_that_others_rely_on(name: str, wanted: list[str]) -> None:
    """These names are a promise."""
    assert set(wanted) - options(name) == set()


def test_help_imports_nothing_heavy() -> None:
    """`callgate --help` answers at once: no framework, database or telephone library is loaded."""
    code = (
        "import sys\n"
        "from gateway.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'fastapi', 'sqlalchemy', 'phonenumbers', 'pydantic', 'uvicorn', 'structlog'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(  # noqa: S603  (our own interpreter and text)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "heavy: []" in done.stdout
