"""The client against servers that are written down: what it says, what it makes of the answers."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.snpp import MAX_LINE_BYTES, MAX_REPLY_LINES, MessageStatus
from parsers.snpp_client import (
    ClientEngine,
    Paged,
    PageOrder,
    Script,
    drop_script,
    page_script,
    status_script,
)

ORDER = PageOrder("5551", "Busy: mom.", ("Call back", "In ten"), "us", "secret", expire_hours=4)
PLAIN = PageOrder("5551", "Busy: mom.")


def play(script: Script[Paged], replies: Sequence[str]) -> tuple[list[str], ClientEngine[Paged]]:
    """Give one reply after the other; return what the client said."""
    engine = ClientEngine(script)
    said = []
    for reply in replies:
        engine.receive_data(f"{reply}\r\n".encode())
        said += engine.data_to_send().decode("ascii").splitlines()
    return said, engine


TWO_WAY = [
    ("220 hello", "LOGI us secret"),
    ("250 OK", "2WAY"),
    ("250 OK", "EXPT 4"),
    ("250 OK", "PAGE 5551"),
    ("850 online", "RTYP MULTICHOICE"),
    ("250 OK", "MCRE 1 Call back"),
    ("250 OK", "MCRE 2 In ten"),
    ("250 OK", "MESS Busy: mom."),
    ("250 OK", "SEND"),
    ("861 123 456 Delivered", "QUIT"),
]
NO_LEVEL_3 = [
    ("220 hello", "LOGI us secret"),
    ("250 OK", "2WAY"),
    ("500 what?", "PAGE 5551"),
    ("250 OK", "MESS Busy: mom."),
    ("250 OK", "SEND"),
    ("250 OK", "QUIT"),
]
ONE_WAY_PAGER = [
    ("214 one\r\n214 two\r\n250 hello", "LOGI us secret"),
    ("250 OK", "2WAY"),
    ("250 OK", "EXPT 4"),
    ("250 OK", "PAGE 5551"),
    ("550 not two-way", "RESE"),
    ("250-wait\r\n250 OK", "PAGE 5551"),
    ("250 OK", "MESS Busy: mom."),
    ("250 OK", "SEND"),
    ("250", "QUIT"),
]
FEW_CHOICES = [
    *TWO_WAY[:6],
    ("552 too many", "MESS Busy: mom."),
    ("250 OK", "SEND"),
    ("960 1 2 queued", "QUIT"),
]
NO_CHOICES = [
    *TWO_WAY[:4],
    ("950 offline", "RTYP MULTICHOICE"),
    ("550 no", "MESS Busy: mom."),
    ("250 OK", "SEND"),
    ("880 1 2", "QUIT"),
]


@pytest.mark.parametrize(
    ("dialogue", "paged"),
    [
        (TWO_WAY, Paged("123", "456", 861, 2, "123 456 Delivered")),
        (NO_LEVEL_3, Paged("", "", 250, text="OK")),
        (ONE_WAY_PAGER, Paged("", "", 250)),
        (FEW_CHOICES, Paged("1", "2", 960, 0, "1 2 queued")),
        (NO_CHOICES, Paged("1", "2", 880, 0, "1 2")),
    ],
)
def test_it_pages_as_well_as_the_carrier_can(dialogue: list[tuple[str, str]], paged: Paged) -> None:
    """Two-way with choices, fewer choices, none, or a plain page."""
    said, engine = play(page_script(ORDER), [reply for reply, _ in dialogue])
    assert said == [command for _, command in dialogue]
    assert engine.result == paged
    assert engine.is_over


def test_a_message_without_choices_is_a_plain_page() -> None:
    """Nothing is asked of level 3."""
    said, engine = play(page_script(PLAIN), ["220 x", "250 x", "250 x", "250 x"])
    assert said == ["PAGE 5551", "MESS Busy: mom.", "SEND", "QUIT"]
    assert engine.failed is None


def test_no_queue_is_said_when_it_is_wanted() -> None:
    """Before PAGE, as the RFC has it."""
    order = PageOrder("1", "x", ("a",), no_queue=True)
    said, engine = play(page_script(order), ["220 x", "250 x", "250 x", "750 offline"])
    assert said == ["2WAY", "NOQU", "PAGE 1"]
    assert engine.failed is not None
    assert engine.failed.is_temporary


@pytest.mark.parametrize(
    ("replies", "temporary"),
    [
        (["421 full"], True),
        (["554 later"], True),
        (["550 go away"], False),
        (["220 x", "550 unknown pager"], False),
        (["220 x", "554 broken"], True),
        (["220 x", "421 bye"], True),
        (["220 x", "250 x", "250 x", "550 no"], False),
        (["220 x", "what"], True),
        ([f"214 {line}" for line in range(MAX_REPLY_LINES + 1)], True),
    ],
)
def test_a_refusal_says_whether_to_try_again(
    replies: list[str],
    temporary: bool,  # noqa: FBT001  (a column)
) -> None:
    """4xx, 7xx, 554 and nonsense may go well later; 5xx will not."""
    _, engine = play(page_script(PLAIN), replies)
    assert engine.is_over
    assert engine.failed is not None
    assert engine.failed.is_temporary is temporary
    assert engine.result is None


def test_it_knows_whether_the_message_went_out() -> None:
    """A connection that ends before the reply to SEND leaves that open."""
    for replies, unknown in ((["220 x", "250 x"], False), (["220 x", "250 x", "250 x"], True)):
        _, engine = play(page_script(PLAIN), replies)
        engine.receive_eof()
        assert engine.failed is not None
        assert engine.said_send is unknown


def test_a_reply_line_has_a_limit() -> None:
    """A server that never ends its line is left."""
    engine = ClientEngine(page_script(PLAIN))
    engine.receive_data(b"2" * MAX_LINE_BYTES)
    assert not engine.is_over
    engine.receive_data(b"2")
    assert engine.failed is not None


def test_statuses_are_asked_in_one_connection() -> None:
    """Each tag gets its own answer, unknown ones too."""
    engine = ClientEngine(status_script([("1", "2"), ("3", "4")], "us"))
    said = []
    for reply in ("220 x", "250 x", "888 3 261120120000+0 1 Call back", "550 unknown"):
        engine.receive_data(f"{reply}\n".encode())
        said.append(engine.data_to_send().decode())
    assert said == ["LOGI us\r\n", "MSTA 1 2\r\n", "MSTA 3 4\r\n", "QUIT\r\n"]
    assert engine.result == [
        MessageStatus(888, 3, 1_795_176_000_000, "1 Call back"),
        MessageStatus(550, 0, 0, "unknown"),
    ]


def test_statuses_fail_as_a_whole() -> None:
    """A server that is closing says nothing about a message."""
    engine = ClientEngine(status_script([("1", "2")]))
    engine.receive_data(b"220 x\r\n554 later\r\n")
    assert engine.failed is not None


def test_tags_are_dropped() -> None:
    """Whatever the carrier answers."""
    engine = ClientEngine(drop_script([("1", "2"), ("3", "4")]))
    engine.receive_data(b"220 x\r\n250 x\r\n550 y\r\n")
    assert engine.result == 2
    assert engine.data_to_send() == b"KTAG 1 2\r\nKTAG 3 4\r\nQUIT\r\n"


def test_words_cannot_make_commands() -> None:
    """A line break in a text stays inside its line."""
    said, _ = play(page_script(PageOrder("1", "x\r\nSEND")), ["220 x", "250 x"])
    assert said[-1] == "MESS x SEND"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([b"250 OK\r\n"])), max_size=20))
def test_nothing_breaks_the_client(pieces: list[bytes]) -> None:
    """Whatever a server says, it ends in a result, a failure, or waiting for more."""
    engine = ClientEngine(page_script(ORDER))
    for piece in pieces:
        engine.receive_data(piece)
        engine.data_to_send()
    engine.receive_eof()
    assert engine.is_over
    assert (engine.result is None) is (engine.failed is not None)
