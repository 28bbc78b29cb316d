"""The pages beside the code show the tables as they are."""

from pathlib import Path

import pytest

from call_core.calls.diagram import begin_marker, documents, fill

CALL_CORE = Path(__file__).parents[4] / "call_core"
PAGES = {
    "calls/README.md": set(documents()),
    "README.md": {"leg-diagram", "call-diagram"},
}


@pytest.mark.parametrize(("name", "parts"), PAGES.items(), ids=list(PAGES))
def test_the_pages_show_the_tables_of_today(name: str, parts: set[str]) -> None:
    """Every generated part is on its page and equals what the tables give now."""
    page = (CALL_CORE / name).read_text(encoding="utf-8")
    assert {part for part in documents() if begin_marker(part) in page} == parts
    assert page == fill(page), f"write call_core.calls.diagram.fill(page) back to {name}"


def test_the_page_names_every_module() -> None:
    """A file of this package that the page does not speak of is not documented."""
    page = (CALL_CORE / "calls" / "README.md").read_text(encoding="utf-8")
    modules = {path.name for path in (CALL_CORE / "calls").glob("*.py")} - {"__init__.py"}
    assert {name for name in modules if f"`{name}`" not in page} == set()


def test_the_core_page_names_every_part() -> None:
    """Packages and modules of the core are all on its page."""
    page = (CALL_CORE / "README.md").read_text(encoding="utf-8")
    parts = {
        path.name if path.suffix else f"{path.name}/"
        for path in CALL_CORE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    } - {"__init__.py"}
    assert {name for name in parts if f"`{name}`" not in page} == set()
