"""Forms of pages: the same commands as the grammar makes of a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.commands import Amount, Call, Conference, HangUp, Name, Number, Slot, Status, When
from call_core.errors import ParseError
from parsers.grammar import parse
from parsers.page_form import MAX_FIELD_CHARS, decode, encode


def test_a_call_form_is_the_call_of_the_same_words() -> None:
    """Parity: page and message make equal commands."""
    form = {"to": "mom", "from": "office", "code": "ACME-12", "max": "$5", "private": "on"}
    assert decode(form | {"at": "6pm", "token": "x" * 999}) == parse(
        "call mom from office code ACME-12 max $5 private at 6pm"
    )


def test_a_conference_form_is_the_conference_of_the_same_words() -> None:
    """A line per participant, or any separator of `conf`."""
    form = {"participants": "mom\r\nbob\r\n+44 20 7946 0018", "title": "weekly", "minutes": "30"}
    assert decode(form | {"at": "mon 9am", "timezone": "london", "to": ""}) == parse(
        'conf mom, bob, +44 20 7946 0018 title "weekly" for 30 min at mon 9am london'
    )


def test_a_text_field_is_a_line_of_the_grammar() -> None:
    """Buttons of the micro-pages send lines; the page's call is the one replied to."""
    assert decode({"text": "hangup"}, reply_to_ref="4F7") == HangUp("4F7")


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ({"to": "bob from office"}, Call(Name("bob from office"))),
        ({"to": "hangup"}, Call(Name("hangup"))),
        ({"to": "2"}, Call(Number("2"))),
        ({"to": "*7", "from": ""}, Call(Slot(7))),
        ({"to": "mom", "private": "off"}, Call(Name("mom"))),
        ({"to": "mom", "max": "20 min"}, Call(Name("mom"), max_minutes=20)),
        (
            {"to": "mom", "max": "5 USD", "max_minutes": "20"},
            Call(Name("mom"), max_cost=Amount("5", "USD"), max_minutes=20),
        ),
        (
            {"to": "mom", "at": "2026-11-25T10:00", "timezone": "Europe/London"},
            Call(
                Name("mom"),
                at=When(
                    "2026-11-25T10:00 Europe/London",
                    day=25,
                    month=11,
                    year=2026,
                    hour=10,
                    zone="Europe/London",
                ),
            ),
        ),
        ({"to": "mom", "timezone": "Europe/London"}, Call(Name("mom"))),
        ({"participants": "mom"}, Conference((Name("mom"),))),
    ],
)
def test_a_field_is_one_value(form: dict[str, str], wanted: object) -> None:
    """No option can hide in a target, no verb is looked for."""
    assert decode(form) == wanted


@pytest.mark.parametrize(
    ("form", "code", "field"),
    [
        ({}, "missing_argument", "to"),
        ({"to": "  "}, "missing_argument", "to"),
        ({"participants": "and,"}, "missing_argument", "participants"),
        ({"to": "415 555 1212, 212 555 0100"}, "two_numbers", "to"),
        ({"to": "mom", "from": '"'}, "quote_not_closed", "from"),
        ({"to": "mom", "code": "a b"}, "not_understood", "code"),
        ({"to": "mom", "max": "5"}, "max_unit_unclear", "max"),
        ({"to": "mom", "max": "5 min", "max_minutes": "6"}, "option_twice", "max"),
        ({"to": "mom", "at": "fri"}, "time_missing", "at"),
        ({"participants": "mom", "minutes": "0"}, "minutes_out_of_range", "minutes"),
        ({"participants": '""'}, "not_understood", "participants"),
    ],
)
def test_a_refusal_names_its_field(form: dict[str, str], code: str, field: str) -> None:
    """The page shows it beside the field."""
    error = decode(form)
    assert isinstance(error, ParseError)
    assert (error.code, error.fields["field"]) == (code, field)


def test_limits_hold_at_the_limit_and_one_past_it() -> None:
    """Two hundred characters for a field, the length of a text for the long ones."""
    assert decode({"to": "mom" + " " * (MAX_FIELD_CHARS - 3)}) == Call(Name("mom"))
    assert decode({"participants": "mom" + " " * 1_997}) == Conference((Name("mom"),))
    for form in ({"to": "mom" + " " * (MAX_FIELD_CHARS - 2)}, {"participants": "m" * 2_001}):
        error = decode(form)
        assert isinstance(error, ParseError)
        assert error.code == "too_long"


_TARGETS = st.sampled_from(["mom", '"bob at 6pm"', "*7", "+44 20 7946 0018", "415 555 1212 x12"])
_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "from": _TARGETS,
        "code": st.sampled_from(["ACME-12", "7"]),
        "max": st.sampled_from(["$5", "5.50 USD"]),
        "max_minutes": st.integers(1, 1_440).map(str),
        "private": st.just("on"),
        "at": st.sampled_from(["6pm", "mon 9am london", "in 10", "2026-11-25 15:00"]),
    },
)
_SHAPES = st.one_of(
    st.fixed_dictionaries({"to": _TARGETS}),
    st.fixed_dictionaries(
        {"participants": st.lists(_TARGETS, min_size=1, max_size=4).map("\n".join)},
        optional={"title": st.just('"weekly, all"'), "minutes": st.integers(1, 1_440).map(str)},
    ),
)


def _line(form: dict[str, str]) -> str:
    """The same launch as a message."""
    verb = f"call {form['to']}" if "to" in form else f"conf {form['participants']}"
    words = [verb]
    for name, word in (("from", "from"), ("code", "code"), ("max", "max"), ("title", "title")):
        words += [f"{word} {form[name]}"] if name in form else []
    words += [f"max {form['max_minutes']} min"] if "max_minutes" in form else []
    words += [f"for {form['minutes']}"] if "minutes" in form else []
    words += ["private"] if "private" in form else []
    at = form.get("at", "")
    words += [at if at.startswith("in") else f"at {at}"] if at else []
    return " ".join(words)


@given(_SHAPES, _OPTIONS)
def test_a_launch_by_form_is_the_launch_by_text(
    shape: dict[str, str], options: dict[str, str]
) -> None:
    """Equal commands, so equal bills; and the form reads back from its command."""
    command = decode(shape | options)
    assert isinstance(command, Call | Conference)
    assert command == parse(_line(shape | options))
    assert decode(encode(command)) == command


def test_other_commands_fill_the_text_field() -> None:
    """Only launches have forms of their own."""
    assert encode(Status("4F7")) == {"text": "status 4F7"}
    assert decode(encode(Status("4F7"))) == Status("4F7")
