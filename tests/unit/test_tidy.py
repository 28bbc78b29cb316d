"""House rules that no linter knows: sizes, a test for every module, words that stay out, locks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "channels", "parsers", "call_core")
LONGEST_FUNCTION = 70
LONGEST_FILE = 500
NO_BEHAVIOUR = "declares values and types, which every other test uses"

# Modules whose behaviour is tested elsewhere than in the file of the same name: prefix of the
# module's path, the tests, and why they stand there.
ELSEWHERE = (
    ("call_core/administration.py", "tests/unit/call_core", NO_BEHAVIOUR),
    ("call_core/commands.py", "tests/unit/parsers/test_grammar.py", NO_BEHAVIOUR),
    ("call_core/contracts.py", "tests/contracts", "tested against every implementation"),
    ("call_core/kept_work.py", "tests/integration/service/test_inbox.py", "needs a whole core"),
    ("call_core/engine/inbox.py", "tests/integration/service/test_inbox.py", "as above"),
    ("call_core/storage/inbox_rows.py", "tests/integration/service/test_inbox.py", "as above"),
    ("call_core/units/inbox.py", "tests/integration/service/test_inbox.py", "as above"),
    ("call_core/notices.py", "tests/unit/channels/kit/test_render.py", NO_BEHAVIOUR),
    ("call_core/requests.py", "tests/unit/call_core", NO_BEHAVIOUR),
    (
        "call_core/switches/simulator_server.py",
        "tests/unit/call_core/switches/test_simulator_client.py",
        "one end of a wire is tested by the other",
    ),
    ("gateway/acceptor.py", "tests/e2e/test_accept.py", "needs two processes"),
    ("gateway/drill/checks.py", "tests/e2e/test_nodes.py", "needs nodes, switches and PostgreSQL"),
    ("gateway/drill/drills.py", "tests/e2e/test_nodes.py", "needs nodes, switches and PostgreSQL"),
    ("gateway/drill/service.py", "tests/e2e/test_nodes.py", "needs nodes, switches and PostgreSQL"),
    ("call_core/codes/", "tests/unit/call_core/test_codes.py", "one table in three files"),
    ("call_core/storage/tables/", "tests/unit/call_core/storage/test_migrate.py", NO_BEHAVIOUR),
    (
        "call_core/storage/migrations/",
        "tests/unit/call_core/storage/test_migrate.py",
        "revisions run as a whole",
    ),
    (
        "call_core/storage/backup_report.py",
        "tests/unit/call_core/storage/test_backup.py",
        NO_BEHAVIOUR,
    ),
    (
        "channels/kit/catalogue/",
        "tests/unit/channels/kit/test_catalogue.py",
        "one catalogue in many files",
    ),
    (
        "call_core/switches/twilio_incoming.py",
        "tests/integration/test_twilio_switch.py",
        "needs Twilio's side, as the next three",
    ),
    ("call_core/switches/asterisk_ari.py", "tests/integration/test_asterisk_switch.py", "as above"),
    (
        "call_core/switches/asterisk_client.py",
        "tests/integration/test_asterisk_switch.py",
        "as above",
    ),
    ("gateway/asterisk_wiring.py", "tests/e2e/test_asterisk.py", "as above"),
    ("call_core/switches/twilio_launch.py", "tests/integration/test_twilio_switch.py", "as above"),
    ("call_core/switches/twilio_rest.py", "tests/integration/test_twilio_switch.py", "as above"),
    ("call_core/switches/twilio_voice.py", "tests/contracts/test_twilio_voice.py", "as above"),
    ("channels/kit/menu.py", "tests/unit/channels/kit/test_render.py", "a part of rendering"),
    ("channels/kit/mail_out.py", "tests/integration/test_mail_out.py", "needs a real relay"),
    ("channels/imap/channel.py", "tests/integration/test_imap_channel.py", "needs a real server"),
    ("channels/imap/connection.py", "tests/integration/test_imap_channel.py", "as above"),
    ("channels/imap/watcher.py", "tests/integration/test_imap_faults.py", "as above"),
    ("channels/smtp/", "tests/integration/test_smtp_channel.py", "needs real sockets"),
    ("channels/packet/", "tests/integration/test_packet_channel.py", "needs real sockets"),
    ("gateway/desk/client.py", "tests/e2e/test_desk.py", "asks a real gateway"),
    ("gateway/dial/joining.py", "tests/e2e/test_packet.py", "as above"),
    ("call_core/units/joining.py", "tests/integration/service/test_joining.py", "needs a store"),
    (
        "call_core/units/amendments.py",
        "tests/integration/service/test_amendments.py",
        "needs a store",
    ),
    ("gateway/desk/question.py", "tests/e2e/test_desk.py", "a window on a real gateway"),
    ("gateway/desk/window.py", "tests/e2e/test_desk.py", "as above"),
    ("gateway/dial/follow.py", "tests/e2e/test_packet.py", "follows a real call"),
    ("channels/snpp/", "tests/integration/test_snpp_channel.py", "needs real sockets"),
    ("channels/wctp/", "tests/integration/test_wctp_channel.py", "needs an HTTP server"),
    ("gateway/cli/", "tests/e2e/test_cli.py", "runs as processes of its own"),
    ("gateway/operator_reads.py", "tests/e2e/test_cli.py", "what the command line prints"),
    ("gateway/demo/", "tests/e2e/test_demo.py", "a whole gateway with all its channels"),
    ("gateway/server.py", "tests/e2e", "start and stop of a whole gateway"),
    ("gateway/wiring.py", "tests/e2e", "puts a whole gateway together"),
)

# Modules that only the tests of the whole core run (tests/integration, tests/e2e); their own tests
# are missing. The list may only get shorter.
NOT_MIRRORED = frozenset(
    {
        "call_core/door.py",
        "call_core/engine/driver.py",
        "call_core/engine/engine.py",
        "call_core/engine/live_call.py",
        "call_core/engine/outbox.py",
        "call_core/engine/reaper.py",
        "call_core/engine/reconcile.py",
        "call_core/engine/scheduler.py",
        "call_core/engine/watch.py",
        "call_core/storage/access_rows.py",
        "call_core/storage/call_rows.py",
        "call_core/storage/ledger_rows.py",
        "call_core/storage/outbox_rows.py",
        "call_core/storage/people_rows.py",
        "call_core/storage/rate_rows.py",
        "call_core/storage/record_rows.py",
        "call_core/storage/request_rows.py",
        "call_core/storage/shard_rows.py",
        "call_core/units/access.py",
        "call_core/units/administration.py",
        "call_core/units/advance.py",
        "call_core/units/calendar.py",
        "call_core/units/belongings.py",
        "call_core/units/caller.py",
        "call_core/units/changes.py",
        "call_core/units/company_directory.py",
        "call_core/units/control.py",
        "call_core/units/corrections.py",
        "call_core/units/directory.py",
        "call_core/units/find_call.py",
        "call_core/units/funding.py",
        "call_core/units/gate.py",
        "call_core/units/handle.py",
        "call_core/units/house.py",
        "call_core/units/information.py",
        "call_core/units/launch.py",
        "call_core/units/new_call.py",
        "call_core/units/news.py",
        "call_core/units/ports.py",
        "call_core/units/questions.py",
        "call_core/units/refs.py",
        "call_core/units/resolve.py",
        "call_core/units/routes.py",
        "call_core/units/stop.py",
        "call_core/units/undo.py",
        "call_core/units/verification.py",
        "call_core/units/vouched.py",
        "channels/kit/contract.py",
        "channels/kit/registry.py",
    }
)

# One letter of each stands in brackets, so that this file is not among what it finds.
UNFINISHED = re.compile(r"T[O]DO|F[I]XME|X[X]X|NotImplemented[E]rror")
WORKPLACE = re.compile(r"/wo[r]k/|\bshare[d]/\w+\.md|\bdesig[n](\.md|, section|'s section)")
REGISTRY_HOST = re.compile(r"(py[p]i|python[h]osted|npm[j]s)\.(org|com)|\.deb[i]an\.org")
OLD_HABIT = re.compile(r"^from __futur[e]__ import|^from \.", re.MULTILINE)
BARE_IGNORE = re.compile(r"# no[q]a(?!: [A-Z0-9, ]+ \(.+\))|# type: ig[n]ore(?!\[[\w, -]+\])")


def modules() -> list[Path]:
    """Return every Python file of the product, relative to the checkout."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found)


def files() -> Iterator[Path]:
    """Yield every text file of the checkout that is ours, relative to it."""
    for folder in (*PACKAGES, "tests", "deploy", ".ci"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT)
    # `.git` is a file where git made a second work tree.
    top = (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    yield from (path.relative_to(ROOT) for path in top)


def text_of(path: Path) -> str:
    """Return what is in a file, nothing for a file that is no text."""
    content = (ROOT / path).read_bytes()
    return "" if b"\0" in content else content.decode(errors="replace")


def found_in(paths: Iterator[Path], words: "re.Pattern[str]") -> list[str]:
    """Return `path:line: text` for each line in which the words occur."""
    return [
        f"{path}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if words.search(line)
    ]


# --- sizes --------------------------------------------------------------------------------------


def test_no_function_is_longer_than_seventy_lines() -> None:
    """A function is read on one screen."""
    long = [
        f"{path}:{node.lineno} {node.name}: {length} lines"
        for path in modules()
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    """A file is about one thing."""
    long = [
        f"{path}: {length} lines"
        for path in modules()
        if (length := text_of(path).count("\n")) > LONGEST_FILE
    ]
    assert long == []


# --- every module has its test ------------------------------------------------------------------


def mirror_of(module: Path) -> Path:
    """Return where the test of a module stands."""
    return Path("tests/unit") / module.parent / f"test_{module.name}"


def needs_a_test(module: Path) -> bool:
    """Whether a module must be tested and is tested nowhere."""
    return (
        module.name not in {"__init__.py", "__main__.py"}
        and not (ROOT / mirror_of(module)).exists()
        and not any(str(module).startswith(prefix) for prefix, _tests, _why in ELSEWHERE)
    )


def test_every_module_has_its_test() -> None:
    """Code without a test is written down in `NOT_MIRRORED`, and a test that came takes it off."""
    untested = {str(module) for module in modules() if needs_a_test(module)}
    new, gone = sorted(untested - NOT_MIRRORED), sorted(NOT_MIRRORED - untested)
    assert not new, "without a test:\n  " + "\n  ".join(new)
    assert not gone, "tested or gone, take them off NOT_MIRRORED:\n  " + "\n  ".join(gone)


@pytest.mark.parametrize(("prefix", "tests"), [row[:2] for row in ELSEWHERE])
def test_what_is_tested_elsewhere_is_tested_there(prefix: str, tests: str) -> None:
    """A row of the table names modules that there are, and tests that there are."""
    assert any(str(module).startswith(prefix) for module in modules())
    assert (ROOT / tests).exists()


# --- words that stay out ------------------------------------------------------------------------


def test_nothing_is_left_unfinished() -> None:
    """What is not done is not in the product."""
    assert found_in((path for path in files() if path.suffix == ".py"), UNFINISHED) == []


def test_no_file_knows_where_it_was_written() -> None:
    """A reader elsewhere has neither our folders nor our papers."""
    assert found_in(files(), WORKPLACE) == []


def test_no_package_registry_is_named() -> None:
    """Whoever installs may use a mirror of their own; the changelog may tell of hosts."""
    ours = (path for path in files() if path.name != "CHANGELOG.md")
    assert found_in(ours, REGISTRY_HOST) == []


def test_imports_are_absolute_and_of_today() -> None:
    """One way to import; annotations are read at run time."""
    code = (path for path in files() if path.suffix == ".py")
    assert [str(path) for path in code if OLD_HABIT.search(text_of(path))] == []


def test_every_exception_to_a_check_gives_its_reason() -> None:
    """A silenced check names its rule and says why, in brackets behind it."""
    assert found_in((path for path in files() if path.suffix == ".py"), BARE_IGNORE) == []


# --- locks --------------------------------------------------------------------------------------


def pins(name: str) -> dict[str, str]:
    """Return the pinned packages of a lock file, with version and marker."""
    lines = [line for line in text_of(Path(name)).splitlines() if line[:1].isalnum()]
    return {line.partition("==")[0]: line.rstrip(" \\") for line in lines}


def test_both_lock_files_pin_the_same_versions() -> None:
    """What is tested is what runs."""
    run, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert len(run) > 50
    assert {name: pin for name, pin in run.items() if dev.get(name) != pin} == {}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_pin_has_a_hash(name: str) -> None:
    """A file that was exchanged on its way is not installed."""
    lines = text_of(Path(name)).splitlines()
    without = [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if line[:1].isalnum() and "--hash=" not in following
    ]
    assert without == []
