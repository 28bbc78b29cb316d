"""The command grammar: every form, every rule, and any text whatever."""

import string
import time
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core import commands as c
from call_core.commands import Call, Command, Conference, Name, Number, Slot, When
from call_core.errors import ParseError
from parsers import verbs
from parsers.grammar import MAX_NAME_CHARS, MAX_TEXT_CHARS, is_saveable_name, parse, write
from parsers.shapes import MAX_ADDRESS_CHARS, MAX_JOIN_CODE_CHARS

_README = Path(__file__).parents[3] / "parsers" / "README.md"
_COMMAND_TYPES = get_args(Command)
_SIX = When("6pm", hour=6, meridiem="pm")

_LINES: list[tuple[str, Command]] = [
    # a bare target is a call
    ("616 977 9933", Call(Number("616 977 9933"))),
    ("mom", Call(Name("mom"))),
    ("mom.", Call(Name("mom"))),
    ("mom?", Call(Name("mom"))),
    ("*7", Call(Slot(7))),
    ('"hangup"', Call(Name("hangup"))),
    ('"2"', Call(Name("2"))),
    ("mom from office", Call(Name("mom"), origin=Name("office"))),
    ("7 eleven", Call(Name("7 eleven"))),
    ("end of the line", Call(Name("end of the line"))),
    ("help me", Call(Name("help me"))),
    ("help me now please", Call(Name("help me now please"))),
    ("17", Call(Number("17"))),
    # call
    ("call mom", Call(Name("mom"))),
    ("Call: mom", Call(Name("mom"))),
    ("ring mom", Call(Name("mom"))),
    ("call mom and dad from office", Call(Name("mom and dad"), origin=Name("office"))),
    ("call hangup", Call(Name("hangup"))),
    ("call max 5", Call(Name("max 5"))),
    ("call private ryan", Call(Name("private ryan"))),
    ("call from office", Call(Name("from office"))),
    ("call to mom", Call(Name("mom"))),
    ("call *7", Call(Slot(7))),
    ("call 2", Call(Number("2"))),
    ("call mom at 6pm", Call(Name("mom"), at=_SIX)),
    ("call mom for 20 min", Call(Name("mom"), max_minutes=20)),
    ("call 616 977 9933\nx12", Call(Number("616 977 9933 x12"))),
    (
        "call mom private max $5 code ACME-12 from office",
        Call(Name("mom"), Name("office"), "ACME-12", c.Amount("5", "$"), None, private=True),
    ),
    # from and to
    *[
        (text, Call(Number("212 555 0100"), origin=Number("415 555 2671")))
        for text in (
            "From: 415 555 2671\nTo: 212 555 0100",
            "To: 212 555 0100\nFrom: 415 555 2671",
            "from 415 555 2671 to 212 555 0100",
            "call from 415 555 2671 to 212 555 0100",
        )
    ],
    ("From: cell\nCode: A\nTo: mom", Call(Name("mom"), Name("cell"), "A")),
    # emergency numbers are heard whatever stands around them
    *[
        (text, Call(Number("911")))
        for text in ("911", "911!", "call 911", "911 now", "please call 911", "dial 911")
    ],
    ("112 now", Call(Number("112"))),
    # whatever else the words might be: places are no times, and people in need do not write tidily
    *[
        (text, Call(Number("911")))
        for text in (
            *("911 fire on 5th avenue", "911 fire at 25 main street", "911 at 25 elm st"),
            *("please call 911, fire on 22nd street", "911 max 5", "911 from 4 floor, from oak st"),
            *("9 1 1 please", "help me 9-1-1", "9-1-1 bob at 99", "help! 911 911"),
        )
    ],
    ("conf mom, 911 now", Conference((Name("mom"), Number("911")))),
    ("add 911", c.Add(Number("911"))),
    # conf
    ("conf mom", Conference((Name("mom"),))),
    (
        "conf mom, bob at fri, 5pm",
        Conference(
            (Name("mom"), Name("bob")), at=When("fri 5pm", weekday=5, hour=5, meridiem="pm")
        ),
    ),
    (
        "conf mom,bob; dad\nann and sue & joe",
        Conference(tuple(map(Name, ("mom", "bob", "dad", "ann", "sue", "joe")))),
    ),
    (
        'conf mom, bob at 6pm for 30 min title "weekly"',
        Conference((Name("mom"), Name("bob")), at=_SIX, minutes=30, title="weekly"),
    ),
    # control
    ("add bob 4f7", c.Add(Name("bob"), "4F7")),
    ("drop bob", c.Drop(Name("bob"))),
    ("drop 4F7 3", c.Drop(3, "4F7")),
    ("mute all", c.Mute(None)),
    ('mute "all"', c.Mute(Name("all"))),
    ("unmute all 4F7", c.Unmute(None, "4F7")),
    ("extend 15 min", c.Extend(15)),
    ("move 0207 946 0018 4F7", c.Move(Number("0207 946 0018"), "4F7")),
    ("hang up 4F7", c.HangUp("4F7")),
    ("bye", c.HangUp()),
    ("cancel 4F7", c.HangUp("4F7")),
    ("end 4F7", c.HangUp("4F7")),
    # answers
    ("go", c.Confirm()),
    ("GO 4F7 881342", c.Confirm("4F7", "881342")),
    ("go 881342", c.Confirm(None, "881342")),
    ("yes 4F7", c.Confirm("4F7")),
    ("2", c.Choose(2)),
    ("2.", c.Choose(2)),
    ("2 4F7", c.Choose(2, "4F7")),
    ("4F7 2", c.Choose(2, "4F7")),
    ("4F7 12", c.Choose(12, "4F7")),
    ("pick 12", c.Choose(12)),
    # a ref first
    ("4F7", c.Status("4F7")),
    ("[4F7] hangup", c.HangUp("4F7")),
    ("4F7, who", c.Who("4F7")),
    # money, directory, help
    ("rate +44 20", c.Rate("+44 20")),
    ("quote 911", c.Quote(Number("911"))),
    ("code 4F7 ACME-12", c.SetBillingCode("4F7", "ACME-12")),
    ("save bob: 0207 946 0018", c.Save("bob", Number("0207 946 0018"))),
    ('save "bob 2" 0207 946 0018', c.Save("bob 2", Number("0207 946 0018"))),
    ("save flowers 1-800-FLOWERS", c.Save("flowers", Number("1-800-FLOWERS"))),
    ('forget "bob, jr."', c.Forget("bob, jr.")),
    ("slot *7 bob", c.SetSlot(7, Name("bob"))),
    ("slot 7 +1 616 977 9933", c.SetSlot(7, Number("+1 616 977 9933"))),
    ("dial accra", c.DialHelp("accra")),
    ("dial +44", c.DialHelp("+44")),
    ("dial 0207 946 0018", Call(Number("0207 946 0018"))),
    ("?", c.Menu()),
    ("??", c.Menu()),
    ("menu bye", c.Menu("hangup")),
    ("help conf", c.Menu("conf")),
    # carriers' words alone
    *[(word, c.OptOut(word)) for word in sorted(verbs.OPT_OUT_WORDS)],
    *[(word.lower(), c.OptIn(word)) for word in sorted(verbs.OPT_IN_WORDS)],
    *[(word, c.Menu()) for word in sorted(verbs.HELP_WORDS)],
    ("Stop all!", c.OptOut("STOPALL")),
]


@pytest.mark.parametrize(("text", "wanted"), _LINES)
def test_a_line_becomes_its_command(text: str, wanted: Command) -> None:
    """One line in, exactly one command out."""
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "code", "field", "value"),
    [
        ("", "empty", None, None),
        (" ... ", "empty", None, None),
        ("call", "missing_argument", "verb", "call"),
        ("conf", "missing_argument", "verb", "conf"),
        ("conf and, and", "missing_argument", "verb", "conf"),
        ("From: cell\nTo:", "missing_argument", "verb", "call"),
        ("drop 4F7", "missing_argument", "verb", "drop"),
        ("mute", "missing_argument", "verb", "mute"),
        ("extend", "missing_argument", "verb", "extend"),
        ("quote", "missing_argument", "verb", "quote"),
        ("rate", "missing_argument", "verb", "rate"),
        ("dial", "missing_argument", "verb", "dial"),
        ("save", "missing_argument", "verb", "save"),
        ("save bob", "missing_argument", "verb", "save"),
        ("slot", "missing_argument", "verb", "slot"),
        ("slot 7", "missing_argument", "verb", "slot"),
        ("forget", "missing_argument", "verb", "forget"),
        ("pick", "missing_argument", "verb", "pick"),
        ("at 4F7", "missing_argument", "verb", "at"),
        ("code 4F7", "missing_argument", "verb", "code"),
        ("why", "ref_missing", "verb", "why"),
        ("at 6pm", "ref_missing", "verb", "at"),
        ("code ACME", "ref_missing", "verb", "code"),
        ("code", "ref_missing", "verb", "code"),
        ("call mom max 5", "max_unit_unclear", "value", "5"),
        ("call mom for 5 max 5 min", "option_twice", "option", "for"),
        ("415 555 1212 212 555 0100", "two_numbers", "numbers", ["415 555 1212", "212 555 0100"]),
        ("4155551212, 2125550100", "two_numbers", "numbers", ["4155551212", "2125550100"]),
        ("who 4F7 please", "not_understood", "leftover", "please"),
        ("balance please", "not_understood", "leftover", "please"),
        ("hangup bob", "not_understood", "leftover", "bob"),
        ("drop all", "not_understood", "leftover", "all"),
        ("drop *7", "not_understood", "leftover", "*7"),
        ("pick two", "not_understood", "leftover", "two"),
        ("pick 2 x", "not_understood", "leftover", "x"),
        ("go there", "not_understood", "leftover", "there"),
        ("4F7 mom", "not_understood", "leftover", "mom"),
        ("mom, bob", "not_understood", "leftover", ", bob"),
        ("mom 0207 946 0018", "not_understood", "leftover", "0207 946 0018"),
        ('forget "a" b', "not_understood", "leftover", '"a" b'),
        ("slot bob 7", "not_understood", "leftover", "bob"),
        ("slot 1234 bob", "not_understood", "leftover", "1234"),
        ("slot 4-4 bob", "not_understood", "leftover", "4-4"),
        ("save bob 415 555 1212 212 555 0100", "not_understood", "leftover", "212 555 0100"),
        ("menu cnof", "not_understood", "example", "menu conf"),
        ("menu xyzzy", "not_understood", "example", "menu conf"),
        ("hagnup 4F7", "not_understood", "suggestion", "hangup"),
        ("save hangup 415 555 1212", "name_not_allowed", "name", "hangup"),
        ("save 4F7 415 555 1212", "name_not_allowed", "name", "4F7"),
        ("save stop 415 555 1212", "name_not_allowed", "name", "stop"),
        ('save "max $5, x" 415 555 1212', "name_not_allowed", "name", "max $5, x"),
        ('verify ""0', "name_not_allowed", "name", '""0'),
        ('verify "" 415 555 1212', "name_not_allowed", "name", ""),
        ("late 2000", "minutes_out_of_range", "minutes", 2000),
        ('call "bob', "quote_not_closed", None, None),
        ("call \u0664", "lookalike_digits", "digit", "\u0664"),
        *[(f"{word} x", "not_yet", "verb", word) for word in verbs.LATER_WORDS],
    ],
)
def test_a_refusal_has_a_code_and_says_what_it_is_about(
    text: str, code: str, field: str | None, value: object
) -> None:
    """Nothing is ignored and nothing guessed; the leftover is named."""
    error = parse(text)
    assert isinstance(error, ParseError)
    assert error.code == code
    if field:
        assert error.fields[field] == value
    assert not isinstance(parse(str(error.fields["example"])), ParseError)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hangup", c.HangUp("4F7")),
        ("hangup 5G8", c.HangUp("5G8")),
        ("why", c.Why("4F7")),
        ("skip", c.Skip("4F7")),
        ("late 5", c.Late(5, "4F7")),
        ("at tue 3pm", c.Reschedule("4F7", When("tue 3pm", weekday=2, hour=3, meridiem="pm"))),
        ("code ACME", c.SetBillingCode("4F7", "ACME")),
        ("2", c.Choose(2, "4F7")),
        ("go", c.Confirm("4F7")),
        ("add bob", c.Add(Name("bob"), "4F7")),
        ("5G8 mute 2", c.Mute(2, "5G8")),
        ("mom", Call(Name("mom"))),
        ("end", c.OptOut("END")),
    ],
)
def test_in_a_reply_commands_without_a_ref_are_about_that_call(text: str, wanted: Command) -> None:
    """A ref that was written wins; launches and opt-outs are not about a call."""
    assert parse(text, reply_to_ref="4F7") == wanted


def test_limits_hold_at_the_limit_and_one_past_it() -> None:
    """The length of the text, of a name, of a place."""
    name, place = "x" * MAX_NAME_CHARS, "p" * 80
    assert parse(f"call {name}") == Call(Name(name))
    assert parse(f"rate {place}") == c.Rate(place)
    assert not isinstance(parse("conf " + ",ann" * 200), ParseError)
    for text, code in (
        (f"call {name}x", "name_too_long"),
        (f"rate {place}p", "too_long"),
        ("conf " + ",ann" * 201, "too_many_targets"),
        ("x" * (MAX_TEXT_CHARS + 1), "too_long"),
        ("call " + "4" * 41, "number_too_long"),
        ("save bob " + "4 " * 32, "not_understood"),
    ):
        error = parse(text)
        assert isinstance(error, ParseError)
        assert error.code == code
    assert parse("save bob " + "4 " * 31) == c.Save("bob", Number(" ".join("4" * 31)))
    assert isinstance(parse("x" * MAX_TEXT_CHARS), ParseError)


def test_the_table_of_the_readme_is_the_table_of_verbs() -> None:
    """What people read is what the parser does."""
    rows = [
        tuple(cell.strip() for cell in line.strip("| ").split(" | "))
        for line in _README.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    table = verbs.grammar_table()
    assert rows[: len(table)] == table


@pytest.mark.parametrize("cell", [cell for cell, _ in verbs.grammar_table()])
def test_every_example_of_the_table_parses(cell: str) -> None:
    """Each example is a complete line in back-ticks."""
    for example in cell.split(" · "):
        assert not isinstance(parse(example.strip("`")), ParseError), example


# --- any text whatever --------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [word for verb in verbs.VERBS for word in (verb.word, *verb.synonyms, *verb.silent)]
    + [line for verb in verbs.VERBS for line in verb.examples]
    + [
        "from",
        "to",
        "code",
        "max",
        "private",
        "at",
        "in",
        "on",
        "for",
        "title",
        "and",
        "all",
        "4F7",
        "2",
        "12",
        "*7",
        "$5",
        "20",
        "min",
        "911",
    ]
    + ["415 555 1212", '"x y"', '"', ",", "\n", "&", ";", "6pm", "tomorrow", "mom", "?", "x12"]
)
_TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(_PIECES, max_size=8).map(" ".join),
    st.text("19 ,+x()-", max_size=40),
)


@given(_TEXTS, st.sampled_from([None, "4F7"]))
def test_any_text_is_a_command_or_a_refusal(text: str, ref: str | None) -> None:
    """Nothing is raised; a refusal shows an example that parses; a command writes itself."""
    result = parse(text, reply_to_ref=ref)
    if isinstance(result, ParseError):
        assert not isinstance(parse(str(result.fields["example"])), ParseError), result
    else:
        assert isinstance(result, _COMMAND_TYPES)
        assert parse(write(result)) == result


@given(st.one_of(st.text(max_size=20), st.lists(_PIECES, max_size=3).map(" ".join)))
def test_every_saved_name_calls_itself(name: str) -> None:
    """Bare, after `call`, before options, in a reply, and as `save` keeps it."""
    saved = parse(f'save "{name}" 616 977 9933')
    if not isinstance(saved, c.Save):
        return
    assert is_saveable_name(saved.name)
    assert parse(saved.name) == Call(Name(saved.name))
    assert parse(f"call {saved.name}") == Call(Name(saved.name))
    assert parse(saved.name, reply_to_ref="4F7") == Call(Name(saved.name))


@pytest.mark.parametrize("name", ["mom", "Bob Smith", "O'Brien", "B&Q", "7 eleven", "J\u00f6rg"])
def test_names_of_people_can_be_saved(name: str) -> None:
    """Plain names call themselves."""
    assert is_saveable_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "hangup",
        "stop",
        "4F7",
        "2",
        "911",
        "112 now",
        "616 977 9933",
        "bob at 6pm",
        "a, b",
        "x" * 41,
        "",
        "Jr.",
        "first aid",
        "to bob",
        "bob from work",
        "*7",
        "mom private",
    ],
)
def test_names_that_read_as_something_else_cannot(name: str) -> None:
    """A verb, a carrier's word, a ref, a number, an option, a list."""
    assert not is_saveable_name(name)


@pytest.mark.parametrize(
    "unit",
    [
        "private ",
        "1",
        "1 ",
        ",",
        "4F7 ",
        "in ",
        "at 6pm ",
        "and ",
        '"" ',
        "+1",
        "1,,",
        "(",
        "a-",
        "x1",
        "from ",
        "0 ",
        "1 800 a",
        "mom 911 ",
        "save ",
        "\n",
    ],
)
def test_no_text_is_slow(unit: str) -> None:
    """The longest text of any repeated piece takes a few milliseconds, far below this bound."""
    for start in ("", "call ", "conf ", "save bob "):
        text = (start + unit * MAX_TEXT_CHARS)[:MAX_TEXT_CHARS]
        began = time.process_time()
        parse(text)
        assert time.process_time() - began < 0.1, (start, unit)


def test_the_alphabet_of_examples_is_printable() -> None:
    """Every line of the tables above can be typed on a telephone."""
    for verb in verbs.VERBS:
        assert set("".join(verb.examples)) <= set(string.printable)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("join 7k3f-9qtd", "7K3F9QTD"),
        ("join 7K3F 9QTD", "7K3F9QTD"),
        (f"join {'7' * MAX_JOIN_CODE_CHARS}", "7" * MAX_JOIN_CODE_CHARS),
    ],
)
def test_a_code_is_read_however_it_is_grouped(line: str, code: str) -> None:
    """Capitals, hyphens and blanks make no difference."""
    assert parse(line) == c.Join(code)


@pytest.mark.parametrize("line", ["join ---", f"join {'7' * (MAX_JOIN_CODE_CHARS + 1)}"])
def test_what_is_no_code_is_refused(line: str) -> None:
    """Nothing of it is looked up."""
    refused = parse(line)
    assert isinstance(refused, ParseError)
    assert refused.code == "not_understood"


def test_an_address_of_the_greatest_length_can_be_taken_off() -> None:
    """One letter more is none."""
    longest = "a" * MAX_ADDRESS_CHARS
    assert parse(f"detach {longest}") == c.Detach(longest)
    assert isinstance(parse(f"detach {longest}a"), ParseError)
