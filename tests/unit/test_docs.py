"""What the READMEs say is true: links lead somewhere, tables are the code's, nothing is missing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from channels.kit.registry import channel_classes
from gateway.cli.root import app
from gateway.settings_file import describe_settings
from tests.support.readme_tables import ROOT, readmes, table_names, tables, with_tables

PACKAGES = ("gateway", "channels", "parsers", "call_core")
NAMES = [str(path.relative_to(ROOT)) for path in readmes()]
WITH_A_TABLE_OF_MODULES = (
    "call_core/engine",
    "call_core/storage",
    "call_core/units",
    "channels/kit",
    "gateway",
)
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_TARGET = re.compile(r"^([a-z][a-z-]*):.*?(## .+)?$", re.MULTILINE)


def text_of(name: str) -> str:
    """Return a file of the checkout."""
    return (ROOT / name).read_text(encoding="utf-8")


# --- links and tables ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_relative_links_lead_somewhere(name: str) -> None:
    """A reader who follows a link finds a file."""
    links = [link for link in _LINK.findall(text_of(name)) if "://" not in link]
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", [name for name in NAMES if table_names(text_of(name))])
def test_tables_are_what_the_code_says(name: str) -> None:
    """A table that comes from the code was written after the code's last change."""
    assert with_tables(text_of(name)) == text_of(name), "run `make docs`"


def test_every_table_stands_in_a_readme() -> None:
    """No table is made for nobody."""
    placed = {table for name in NAMES for table in table_names(text_of(name))}
    assert placed == set(tables())


# --- a README for every folder ------------------------------------------------------------------


def folders() -> Iterator[Path]:
    """Yield every folder with Python code of the product, and those of the tests."""
    for package in PACKAGES:
        yield from sorted({path.parent for path in (ROOT / package).rglob("*.py")})
    yield ROOT / "tests"
    yield from sorted(path for path in (ROOT / "tests").iterdir() if any(path.rglob("*.py")))


def is_described(folder: Path) -> bool:
    """Whether a folder has a README, or one further up names it as `folder/` or `folder`."""
    if (folder / "README.md").exists():
        return True
    above = next(path for path in folder.parents if (path / "README.md").exists())
    text = (above / "README.md").read_text(encoding="utf-8")
    return above != ROOT and re.search(rf"`{folder.name}/?`", text) is not None


def test_every_folder_with_code_is_described() -> None:
    """A newcomer finds in each folder, or in the one above it, what it is for."""
    missing = [str(folder.relative_to(ROOT)) for folder in folders() if not is_described(folder)]
    assert missing == []


@pytest.mark.parametrize("name", WITH_A_TABLE_OF_MODULES)
def test_every_module_stands_in_its_table(name: str) -> None:
    """Where a README has a table of modules, none is left out."""
    folder = ROOT / name
    rows = re.findall(r"^\| (.+?) \|", text_of(f"{name}/README.md"), re.MULTILINE)
    told = {word.strip("/") for row in rows for word in re.findall(r"`([a-z0-9_/]+)`", row)}
    there = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert there - told == set()


# --- nothing is missing -------------------------------------------------------------------------


def test_the_readme_shows_grammar_and_channels() -> None:
    """What one can write, and what each channel can do, stand on the first page."""
    assert table_names(text_of("README.md")) == ["grammar", "channels"]


def test_every_setting_is_described() -> None:
    """An operator finds every key in one place."""
    text = text_of("gateway/README.md")
    assert [row.key for row in describe_settings() if f"`{row.key}`" not in text] == []


def commands(command: object, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command below one."""
    if not isinstance(command, TyperGroup):
        yield words
        return
    for name, below in command.commands.items():
        yield from commands(below, (*words, name))


@pytest.mark.parametrize("words", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_every_command_is_described(words: tuple[str, ...]) -> None:
    """The list of commands is whole."""
    assert re.search(rf"(callgate|\|) {' '.join(words)}\b", text_of("gateway/README.md"))


@pytest.mark.parametrize("name", list(channel_classes()))
def test_every_channel_is_described(name: str) -> None:
    """A channel is in the list of channels, and what is peculiar to it stands somewhere."""
    own = ROOT / "channels" / name / "README.md"
    assert f"`{name}`" in text_of("channels/README.md")
    assert own.exists() or f"## `{name}`" in text_of("channels/README.md")


def test_make_help_lists_every_target() -> None:
    """A target that nobody is told of is not used."""
    targets = dict(_TARGET.findall(text_of("Makefile")))
    assert {"help", "install", "run", "test", "check", "bench", "clean"} <= targets.keys()
    assert [name for name, told in targets.items() if not told] == []


def test_the_first_page_gives_the_commands_that_there_are() -> None:
    """`make WORD` in the README is a target."""
    targets = dict(_TARGET.findall(text_of("Makefile")))
    for name in ("README.md", "CONTRIBUTING.md", "tests/README.md"):
        told = set(re.findall(r"\bmake ([a-z]+)\b", text_of(name)))
        assert told - targets.keys() == set(), name
