"""The command line as an operator uses it: every command on one database, beside `serve`."""

import asyncio
import csv
import io
import json
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import settings_model
from gateway.settings_file import load_settings
from gateway.wiring import open_core
from tests.support.command_line import Cli

pytestmark = pytest.mark.enable_socket
START_S = 30
SETTINGS = """\
[http]
port = {http}
[smtp]
port = {smtp}
[snpp]
port = {snpp}
[packet]
port = {packet}
[simulator]
speed = 50
[simulator.default]
ring_s = 2
talk_s = 20
"""


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A set-up service, made by `callgate init`."""
    made = Cli(tmp_path_factory.mktemp("cli"))
    made.made = made.json(  # type: ignore[attr-defined]  # what init printed, for the tests below
        *("init", "--customer", "Hill & Co", "--currency", "USD", "--name", "Ada"),
        *("--mail", "ada@hill.example", "--phone", "+12125550123"),
        *("--timezone", "America/New_York"),
    )
    ports = [_free() for _ in range(4)]
    text = SETTINGS.format(**dict(zip(("http", "smtp", "snpp", "packet"), ports, strict=True)))
    file = made.folder / "callgate.toml"
    kept = file.read_text(encoding="utf-8").replace('[http]\nhost = "127.0.0.1"\nport = 8080\n', "")
    file.write_text(kept + _only(text, set(settings_model().model_fields)), encoding="utf-8")
    return made


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _only(text: str, known: set[str]) -> str:
    """Return the sections of the text whose first word is known."""
    parts = ("\n" + text).split("\n[")[1:]
    kept = [part for part in parts if part.partition("]")[0].partition(".")[0] in known]
    return "\n" + "\n".join(f"[{part}" for part in kept) + "\n"


@pytest.fixture
def served(cli: Cli) -> Iterator[dict[str, Any]]:
    """A running `callgate serve`."""
    with subprocess.Popen(  # noqa: S603  (our own program)
        cli.command("serve", "--json"),
        cwd=cli.folder,
        env=cli.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        yield json.loads(line) | {"process": process}
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors


def test_init_ends_with_a_bill_and_shows_the_token_once(cli: Cli) -> None:
    """From nothing to a first call; the token is the one way in."""
    made: dict[str, Any] = cli.made  # type: ignore[attr-defined]  # see the fixture
    assert made["ok"] is True
    assert made["token"].startswith("cg_")
    assert made["rates"] > 500
    assert made["bill"] != []
    assert (cli.folder / "var" / "callgate.db").is_file()


def test_the_clock_of_the_test_call_does_not_stay_ahead(tmp_path: Path) -> None:
    """It ran fast for the test call only: the service begins with today's time."""
    fresh = Cli(tmp_path)
    made = fresh.json(
        *("init", "--customer", "Hill & Co", "--currency", "USD", "--name", "Ada"),
        *("--mail", "ada@hill.example", "--phone", "+12125550123"),
        *("--timezone", "America/New_York"),
    )
    assert made["bill"] != []

    async def ahead_ms() -> int:
        async with open_core(load_settings(tmp_path / "callgate.toml", {})) as core:
            return core.call_clock.now_ms() - core.wall.now_ms()

    assert abs(asyncio.run(ahead_ms())) < 1_000


def test_init_never_overwrites(cli: Cli) -> None:
    """A second one is refused as wrong settings."""
    done = cli.run("init", "--customer", "x", status=3)
    assert "exists and is not overwritten" in done.stderr


def test_doctor_finds_nothing_bad(cli: Cli) -> None:
    """After init, serve would start."""
    assert cli.json("doctor")["ok"] is True


def test_people_are_added_and_refused_in_one_sentence(cli: Cli) -> None:
    """A customer, a user with a token, a phone, a sender; a customer twice is refused."""
    assert cli.json("customer", "add", "Acme", "--regions", "US,GB")["fields"]["customer_id"]
    assert cli.json("user", "add", "Acme", "Bob", "--country", "US")["token"].startswith("cg_")
    assert cli.json("phone", "add", "Bob", "cell", "+12125550199", "--trusted")["ok"]
    assert cli.json("sender", "add", "Bob", "smtp", "bob@acme.example")["ok"]
    assert cli.json("user", "password", "Bob", "--password", "correct horse")["ok"]
    saved = cli.json("directory", "save", "Acme", "reception", "+12125550123")
    assert saved["code"] == "company_entry_saved"
    assert cli.json("directory", "forget", "Acme", "reception")["code"] == "company_entry_removed"
    cli.run("directory", "save", "Acme", "balance", "+12125550123", status=2)
    refused = cli.run("customer", "add", "Acme", status=1)
    assert refused.stdout == ""
    assert refused.stderr.startswith("callgate: ")
    assert "Traceback" not in refused.stderr


def test_money_comes_in_and_the_books_agree(cli: Cli) -> None:
    """A top-up shows what is available; the ledger is what its transfers say."""
    assert cli.json("topup", "Hill & Co", "5.00")["fields"]["amount"] == {
        "$money": [5_000_000, "USD"]
    }
    assert cli.run("topup", "Hill & Co", "five", status=2).stderr != ""
    verified = cli.json("ledger", "verify")
    assert verified["differences"] == []
    assert verified["transfers"] > 0


def test_a_frozen_customer_launches_nothing_until_it_is_released(cli: Cli) -> None:
    """Freeze, try, unfreeze; a user's name works as well as a customer's."""
    cli.json("freeze", "Hill & Co")
    cli.run("call", "Ada", "call", "+12125550177", status=1)
    cli.json("unfreeze", "Hill & Co")
    assert cli.json("freeze", "Bob")["fields"]["kind"] == "user"
    cli.json("unfreeze", "Bob")


def test_the_operator_takes_an_address_off_a_users_file(cli: Cli) -> None:
    """Put on file, taken off, and gone; nobody's code is shown on the command line."""
    cli.json("sender", "add", "Ada", "twilio_sms", "+12125550188")
    assert cli.json("call", "Ada", "detach", "+12125550188")["code"] == "detached"
    cli.run("call", "Ada", "detach", "+12125550188", status=1)
    cli.run("call", "Ada", "device", status=1)


def test_a_deck_is_loaded_whole_or_not_at_all(cli: Cli) -> None:
    """Bad rows come with their lines; without a yes nothing is in force."""
    deck = cli.folder / "deck.csv"
    deck.write_text("prefix,destination,price_per_minute\n44,UK,0.01\nx,No,1\n", encoding="utf-8")
    refused = cli.run("rates", "load", "extra", str(deck), "--yes", status=1)
    assert f"{deck}:3, prefix 'x'" in refused.stderr
    deck.write_text("prefix,destination,price_per_minute\n44,UK,0.01\n", encoding="utf-8")
    cli.run("rates", "load", "extra", str(deck), status=2)
    loaded = cli.json("rates", "load", "extra", str(deck), "--yes")
    assert (loaded["rows"], loaded["changes"]["new"]) == (1, 1)


def test_a_call_is_carried_here_when_nothing_serves(cli: Cli) -> None:
    """The line is launched, carried to its end on the simulator, and its bill is printed."""
    outcome = cli.json("call", "Ada", "call", "+12125550166")
    assert outcome["kind"] == "launched"
    assert outcome["bill"] != []
    assert cli.json("calls", "live")["calls"] == []


def test_records_are_exported_in_three_forms(cli: Cli) -> None:
    """The same records as lines, as a table, and as a sheet."""
    cli.json("call", "Ada", "call", "+12125550155")
    lines = cli.run("cdrs", "export", "--format", "json").stdout.splitlines()
    assert {"A", "B"} <= {json.loads(line)["leg"] for line in lines}
    table = list(csv.DictReader(io.StringIO(cli.run("cdrs", "export").stdout)))
    assert [row["id"] for row in table] == [json.loads(line)["id"] for line in lines]
    sheet = cli.json("cdrs", "export", "--format", "xlsx", "--out", "cdrs.xlsx")
    assert sheet["records"] == len(lines)
    assert cli.run("cdrs", "export", "--since", "2999-01-01").stdout.splitlines()[1:] == []


def test_serve_says_where_it_is_carries_calls_and_drains(cli: Cli, served: dict[str, Any]) -> None:
    """It prints its database and listeners; a second one is refused; SIGTERM ends it in order."""
    assert served["database"] == str(cli.folder / "var" / "callgate.db")
    url = next(each for each in served["listening"] if each.startswith("http://"))
    with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310  (loopback)
        assert json.load(answer)["status"] == "ready"
    assert "already serves" in cli.run("serve", status=3).stderr
    launched = cli.json("call", "Ada", "call", "+12125550144")
    assert launched["bill"] == []
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        lines = cli.run("cdrs", "export", "--format", "json").stdout.splitlines()
        if any(json.loads(line)["call_id"] == launched["call_id"] for line in lines):
            break
    else:
        pytest.fail("serve did not carry the call")
    process: subprocess.Popen[str] = served["process"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_a_backup_is_made_into_a_database_again(cli: Cli) -> None:
    """A copy is verified and never overwritten; made into a database again, it takes new calls."""
    copy = cli.folder / "copy.db"
    assert cli.json("backup", str(copy))["rows"]["customers"] >= 1
    assert cli.run("backup", str(copy), status=4).stderr != ""
    other = cli.folder / "restored.toml"
    text = '[database]\nurl = "sqlite:///restored/callgate.db"\n' + _only(SETTINGS, {"simulator"})
    other.write_text(text, encoding="utf-8")
    cli.json("restore", str(copy), "--config", str(other))
    assert cli.json("doctor", "--config", str(other))["ok"] is True
    exists = cli.run("restore", str(copy), "--config", str(other), status=4)
    assert "never overwrites" in exists.stderr
    launched = cli.json("call", "Ada", "call", "+12125550133", "--config", str(other))
    assert launched["bill"] != []
    cli.json("unfreeze", "all", "--config", str(other))


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["serve", "--config", "nowhere.toml"], 3, "nowhere.toml does not exist"),
        (["calls", "hangup", "9Z9"], 1, ""),
        (["call", "Nobody", "balance"], 1, "no user Nobody"),
        (["topup"], 2, ""),
    ],
)
def test_what_cannot_be_done_has_its_exit_status(
    cli: Cli, words: list[str], status: int, sentence: str
) -> None:
    """Refused, wrong usage, wrong settings."""
    assert sentence in cli.run(*words, status=status).stderr


def test_serve_does_not_make_a_database(tmp_path: Path) -> None:
    """Without one it stops with where it looked and what to do; db upgrade makes it."""
    fresh = Cli(tmp_path)
    done = fresh.run("serve", status=4)
    assert str(tmp_path / "var" / "callgate.db") in done.stderr
    assert "callgate init" in done.stderr
    assert not (tmp_path / "var").exists()
    assert fresh.json("db", "upgrade")["before"] is None
    assert fresh.json("db", "upgrade")["before"] is not None
