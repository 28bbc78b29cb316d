"""Commands written as the line that reads back to them."""

import pytest

from call_core import commands as c
from call_core.commands import Amount, Call, Command, Conference, Name, Number, Slot, When
from parsers.command_text import cap_text, target_text, write
from parsers.grammar import parse
from parsers.when import parse_when


def _when(text: str) -> When:
    when = parse_when(text)
    assert isinstance(when, When)
    return when


_WRITTEN: list[tuple[Command, str]] = [
    (Call(Number("+1 616")), "call +1 616"),
    (Call(Name("mom")), "call mom"),
    (Call(Name("mom and dad")), 'call "mom and dad"'),
    (Call(Slot(7)), "call *7"),
    (
        Call(Name("mom"), Name("from"), "A-1", Amount("5", "$"), 20, private=True, at=_when("6pm")),
        'call mom from "from" code A-1 max $5 max 20 min private at 6pm',
    ),
    (Call(Name("mom"), at=_when("in 10")), "call mom in 10"),
    (
        Conference((Name("mom"), Number("0207")), minutes=30, title="a, b", at=_when("noon")),
        'conf mom, 0207 for 30 min title "a, b" at noon',
    ),
    (c.Last(), "last"),
    (c.Add(Name("bob"), "4F7"), "add bob 4F7"),
    (c.Drop(3), "drop 3"),
    (c.Drop(Name("all")), 'drop "all"'),
    (c.Mute(None, "4F7"), "mute all 4F7"),
    (c.Mute(Name("all")), 'mute "all"'),
    (c.Unmute(3), "unmute 3"),
    (c.HangUp(), "hangup"),
    (c.Extend(15, "4F7"), "extend 15 4F7"),
    (c.Move(Name("cell")), "move cell"),
    (c.Confirm(None, "881342"), "go 881342"),
    (c.Confirm("4F7"), "go 4F7"),
    (c.Choose(2), "2"),
    (c.Choose(12), "pick 12"),
    (c.Choose(2, "4F7"), "4F7 2"),
    (c.Quote(Name("mom"), Name("office")), "quote mom from office"),
    (c.Rate("ghana"), "rate ghana"),
    (c.SetBillingCode("4F7", "A-1"), "code 4F7 A-1"),
    (c.Reschedule("4F7", _when("tue 3pm")), "at 4F7 tue 3pm"),
    (c.Save("bob 2", Number("0207 946")), 'save "bob 2" 0207 946'),
    (c.Forget("next"), 'forget "next"'),
    (c.UsePhone("cell"), "use cell"),
    (c.OwnPhone("cell", Number("415 555 2671")), "verify cell 415 555 2671"),
    (c.OwnPhone("next"), 'verify "next"'),
    (c.Device(), "device"),
    (c.Join("7K3F9QTD"), "join 7K3F9QTD"),
    (c.Detach("ann@example.org"), "detach ann@example.org"),
    (c.Directory(), "dir"),
    (c.Directory("smi"), "dir smi"),
    (c.SetSlot(7, Name("stop")), 'slot 7 "stop"'),
    (c.Menu("conf"), "menu conf"),
    (c.OptOut("STOP"), "STOP"),
    (c.OptIn("YES"), "YES"),
]


@pytest.mark.parametrize(("command", "line"), _WRITTEN)
def test_a_command_is_written_as_the_line_that_reads_back(command: Command, line: str) -> None:
    """The canonical text is what a person would write, quoted where it could mean another thing."""
    assert write(command) == line
    assert parse(line) == command


def test_targets_and_caps_have_one_form() -> None:
    """Symbols stand before the amount, codes behind it."""
    assert target_text(Slot(7)) == "*7"
    assert [cap_text(Amount("5", unit)) for unit in ("$", "USD")] == ["$5", "5 USD"]
