"""A request can be written down and read again."""

from dataclasses import replace

import pytest

from call_core.commands import Call, Command, Conference, Name, Number, Slot, When
from call_core.errors import ParseError
from call_core.request_json import from_json, to_json
from call_core.requests import Evidence, Request

ASKED = Request(
    channel="smtp",
    id_space="mail",
    external_id="<1@demo.example>",
    sender="ada@demo.example",
    evidence=Evidence.VOUCHED,
    received_wall_ms=1_795_405_626_000,
    command=Call(Name("mom")),
)
FULL = replace(
    ASKED,
    text="call mom, café",
    fingerprint="f",
    user_id="user_1",
    sent_wall_ms=1_795_405_625_000,
    reply_to_ref="4F7",
    thread="<0@demo.example>",
    replay_ids=("a", "b"),
    scopes=("call",),
    in_session=True,
    page_rows=7,
)


@pytest.mark.parametrize("asked", [ASKED, FULL], ids=["bare", "full"])
@pytest.mark.parametrize(
    "command",
    [
        Call(Number("+44 20"), at=When("in 5", in_minutes=5)),
        Conference((Name("mom"), Slot(7)), minutes=30),
        ParseError("unknown_word", word="cal", numbers=["1", "2"]),
        ParseError("empty"),
    ],
)
def test_what_is_written_is_what_is_read(asked: Request, command: Command | ParseError) -> None:
    """Every field comes back, whatever was asked and whether or not it could be read."""
    request = replace(asked, command=command)
    read = from_json(to_json(request))
    assert read == request
    assert isinstance(read.evidence, Evidence)


def test_tuples_of_what_was_unreadable_come_back_as_lists() -> None:
    """JSON has no tuples, and whoever reads these fields takes either."""
    error = ParseError("two_numbers", numbers=("1", "2"))
    command = from_json(to_json(replace(ASKED, command=error))).command
    assert command == ParseError("two_numbers", numbers=["1", "2"])
