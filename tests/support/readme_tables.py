"""The tables that READMEs take from the code: `make docs` writes them, a test compares them.

A table stands between `<!-- table NAME: make docs -->` and `<!-- end of table -->`.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from call_core.codes import codes
from channels.kit.matrix import feature_matrix
from gateway.settings_file import describe_settings
from parsers.verbs import grammar_table

ROOT = Path(__file__).parents[2]
_PLACE = re.compile(r"(<!-- table (\w+): make docs -->\n).*?(<!-- end of table -->)", re.DOTALL)
_MADE = {"var", "build", "dist"}


def tables() -> Mapping[str, str]:
    """Return every table in Markdown, by its name."""
    return {
        "grammar": _table(("Write", "Means"), grammar_table()),
        "channels": feature_matrix(),
        "settings": _table(
            ("Setting", "Default", "Meaning"),
            ((f"`{row.key}`", _code(row.default), row.description) for row in describe_settings()),
        ),
        "codes": _table(
            ("Kind", "Code", "Fields, `?` where one may be missing"),
            (
                (code.kind, f"`{code.code}`", _fields(code.required, code.optional))
                for code in codes()
            ),
        ),
    }


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heading, ("---",) * len(heading), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _fields(required: Iterable[str], optional: Iterable[str]) -> str:
    return " ".join([*required, *(f"{name}?" for name in optional)])


def with_tables(text: str) -> str:
    """Return a README with every table in it as the code says now.

    Raises:
        KeyError: it asks for a table that there is not.
    """
    now = tables()
    return _PLACE.sub(lambda found: f"{found[1]}{now[found[2]]}\n{found[3]}", text)


def table_names(text: str) -> list[str]:
    """Return the names of the tables that a README asks for."""
    return [found[2] for found in _PLACE.finditer(text)]


def readmes() -> list[Path]:
    """Return every Markdown file of the checkout that is ours."""
    return sorted(path for path in ROOT.rglob("*.md") if not _is_foreign(path))


def _is_foreign(path: Path) -> bool:
    folders = path.relative_to(ROOT).parts[:-1]
    return any(name.startswith(".") or name in _MADE for name in folders)


def main() -> None:
    """Write the tables into every README that asks for one."""
    for path in readmes():
        text = path.read_text(encoding="utf-8")
        if (now := with_tables(text)) != text:
            path.write_text(now, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201  (a command line)


if __name__ == "__main__":
    main()
