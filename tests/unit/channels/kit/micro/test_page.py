"""Pages: actions that survive any wire, lines of bearable length, and what fits on a screen."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit.micro.page import (
    MAX_ACTION_CHARS,
    MAX_LINE_CHARS,
    MAX_ROWS_OF_A_PAGE,
    Page,
    Press,
    Row,
    Words,
    action_text,
    lines_of,
    read_action,
    screen_of,
)


class Lister:
    """A writer of plain text: rows, then what the foot asks for."""

    media_type = "text/plain"

    def write(
        self,
        page: Page,  # noqa: ARG002  (the writer's signature)
        rows: Sequence[Row],
        foot: Row,
        state: str,  # noqa: ARG002  (as above)
    ) -> tuple[bytes, int]:
        """Return words and actions, and their length."""
        words = [block.text for row in rows for block in row if isinstance(block, Words)]
        text = " ".join(
            [*words, *(press.action for press in foot if isinstance(press, Press))]
        ).encode()
        return text, len(text)


def shown(rows: int, first: int, limit: int) -> str:
    """Return the screen of a page of three-letter rows."""
    page = Page(
        "t", [(Words(f"r{number:02}"),) for number in range(rows)], (Press("Home", "home"),)
    )
    return screen_of(page, first, "dir:x", Lister(), "", limit)[0].decode()


@pytest.mark.parametrize(
    ("rows", "first", "limit", "text"),
    [
        (0, 0, 100, "home"),
        (2, 0, 12, "r00 r01 home"),
        (2, 0, 11, "r00 1!dir:x home"),
        (3, 0, 24, "r00 r01 r02 home"),
        (4, 0, 19, "r00 1!dir:x home"),
        (4, 0, 20, "r00 r01 r02 r03 home"),
        (9, 0, 20, "r00 r01 2!dir:x home"),
        (9, 2, 20, "r02 r03 4!dir:x home"),
        (9, 8, 20, "r08 home"),
        (9, 9, 20, "r00 r01 2!dir:x home"),
        (9, 4, 1, "r04 5!dir:x home"),
    ],
)
def test_a_screen_shows_what_fits_and_how_to_go_on(
    rows: int, first: int, limit: int, text: str
) -> None:
    """The rest is asked for by the row it begins with; one row is always shown."""
    assert shown(rows, first, limit) == text


def test_a_screen_looks_at_a_bounded_number_of_rows() -> None:
    """However large the limit, a page of thousands of rows is written once."""
    text = shown(5000, 0, 10**9)
    assert text.count("r") - text.count("dir") == MAX_ROWS_OF_A_PAGE
    assert f"{MAX_ROWS_OF_A_PAGE}!dir:x" in text


@given(st.lists(st.text(max_size=40), max_size=2))
def test_arguments_come_back(arguments: list[str]) -> None:
    """Any name travels in an action, in letters that every wire carries."""
    carried = [text.encode(errors="ignore").decode() for text in arguments]
    text = action_text("name", *carried)
    assert text.isascii()
    assert not set(text) & set("\"'<>&$; \n")
    assert read_action(text) == (0, "name", tuple(carried))
    assert read_action(f"12!{text}") == (12, "name", tuple(carried))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("mom", "name:mom"),
        ("bob smith", "name:bob%20smith"),
        ("~mom", "name:%7Emom"),
        ("漢漢漢漢", "name:~5ryi5ryi5ryi5ryi"),
    ],
)
def test_names_are_written_the_shorter_way(name: str, written: str) -> None:
    """Letters stay readable, other scripts do not grow ninefold."""
    assert action_text("name", name) == written


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", (0, "", ())),
        ("x!dir", (0, "dir", ())),
        ("99999!dir", (0, "dir", ())),
        ("9999!dir", (9999, "dir", ())),
        ("name:~!!", (0, "name:~!!".partition("!")[2], ())),
        ("name:~A", (0, "name", ("",))),
        ("x" * MAX_ACTION_CHARS, (0, "x" * MAX_ACTION_CHARS, ())),
        ("x" * (MAX_ACTION_CHARS + 1), (0, "", ())),
    ],
)
def test_what_nobody_wrote_is_read_without_harm(
    text: str, read: tuple[int, str, tuple[str, ...]]
) -> None:
    """Actions come from outside: bad ones are pages that there are not."""
    assert read_action(text) == read


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a\n\n  b  \n", ["a", "b"]),
        ("x" * MAX_LINE_CHARS, ["x" * MAX_LINE_CHARS]),
        ("x" * (MAX_LINE_CHARS + 1), ["x" * MAX_LINE_CHARS, "x"]),
        (f"{'x' * 100} {'y' * 60} z", ["x" * 100, f"{'y' * 60} z"]),
    ],
)
def test_long_lines_are_divided_between_words(text: str, lines: list[str]) -> None:
    """Every row fits on a screen."""
    assert lines_of(text) == tuple((Words(line),) for line in lines)
