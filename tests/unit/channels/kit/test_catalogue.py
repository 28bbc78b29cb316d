"""The catalogue is complete, safe to send, and teaches only what works."""

import re
from collections.abc import Iterator
from itertools import chain

import pytest

from call_core.codes import Code, codes
from call_core.errors import ParseError
from call_core.outcomes import Phrase, Refused
from channels.kit.catalogue import DEFAULT_LANGUAGE, LANGUAGES, english, find, text_of
from channels.kit.catalogue.model import Field, Segment, Text, parse, say
from channels.kit.gsm7 import BASIC
from channels.kit.render import Budget, render
from parsers import grammar
from parsers.verbs import CARRIER_WORDS
from parsers.verbs import find as find_verb
from tests.support.contents import contents_of

_ALL = list(codes())
_ADMINISTRATION = frozenset(
    {"address_taken", "name_taken", "no_such_customer", "no_such_token", "no_such_user"}
    | {"not_a_prefix", "several_users", "unknown_channel", "unknown_currency", "unknown_freeze"}
    | {"unknown_plan", "unknown_region", "unknown_role", "unknown_tariff", "unknown_zone"}
)
"""Refusals of the command line's own commands; their examples are values, not messages."""

_ALWAYS = frozenset({"ref", "code", "rows"})
_TAUGHT = re.compile(r"\b[A-Z]{2,}(?: (?:[A-Z]{2,}\b|\d[A-Z\d]*\b))*")
_TRY = re.compile(r"\b[Tt]ry\b[^:]*: (.+)$")


def _ids(code: Code) -> str:
    return f"{code.kind}.{code.code}"


def _templates() -> Iterator[tuple[str, str]]:
    for language, module in LANGUAGES.items():
        for code, text in chain(module.TEXTS.items(), module.UNKNOWN.items()):
            for template in (text.title, *text.variants):
                yield f"{language}.{code}", template


@pytest.mark.parametrize("code", _ALL, ids=_ids)
def test_every_code_has_a_text(code: Code) -> None:
    """No code falls back to the general sentence of its kind."""
    assert find(code.kind, code.code) is not None


def test_no_text_is_left_over() -> None:
    """Every text belongs to a code that exists, and each stands in one subject only."""
    known = {code.code for code in _ALL} | {_ids(code) for code in _ALL}
    assert set(english.TEXTS) <= known
    assert len(english.TEXTS) == sum(len(subject.TEXTS) for subject in english.SUBJECTS)


@pytest.mark.parametrize("code", _ALL, ids=_ids)
def test_texts_use_the_fields_that_there_are(code: Code) -> None:
    """A field outside `[...]` is always there; any other is one that the code may have."""
    text = text_of(code.kind, code.code)
    required = {*code.required, *_ALWAYS}
    known = {*required, *code.optional}
    for template in (text.title, *text.variants):
        parsed = parse(template)
        for segment in (*parsed.reason, *parsed.step):
            names = {field.name for field in segment.fields}
            assert names <= (known if segment.optional else required), template
            assert not segment.condition or segment.condition in known, template


@pytest.mark.parametrize(("code", "template"), list(_templates()))
def test_texts_fit_a_text_message_and_teach_no_carrier_word(code: str, template: str) -> None:
    """One septet a character; no word that a carrier swallows, `END` not even as a command."""
    plain = re.sub(r"\[[?!]\w+:|[\[\]]|\{\w+(:\w+)?\}", "", template)
    assert not set(plain) - BASIC, code
    words = {word.upper() for word in re.findall(r"[A-Za-z]+", plain)}
    assert not words & (CARRIER_WORDS - {"END"}), code
    assert not re.search(r"\bEND\b", plain), code
    assert "!" not in plain, code


def test_words_of_values_are_safe_too() -> None:
    """What closed lists are called fits a text message and teaches nothing."""
    for named in english.WORDS.values():
        for said in chain.from_iterable(named.values()):
            assert not set(said) - BASIC
            assert not {word.upper() for word in said.split()} & CARRIER_WORDS


@pytest.mark.parametrize("code", list(codes("refused")), ids=_ids)
def test_every_refusal_shows_something_that_works(code: Code) -> None:
    """At every length a refusal ends with one example, and the grammar reads it."""
    if code.code == "emergency":
        return
    for content in contents_of(code):
        assert isinstance(content, Refused)
        for budget in Budget:
            text = render(content, budget)
            if code.code in _ADMINISTRATION:
                assert "or example: " in text, text
                continue
            example = _TRY.search(text.replace("\n", " "))
            assert example is not None, text
            assert not isinstance(grammar.parse(example[1]), ParseError), text


@pytest.mark.parametrize("code", _ALL, ids=_ids)
def test_every_command_that_is_taught_works(code: Code) -> None:
    """What stands in capitals and begins with a verb is a whole command, or a verb alone."""
    for content in contents_of(code, rows=0):
        if isinstance(content, Phrase):
            continue
        for budget in Budget:
            for taught in _TAUGHT.findall(render(content, budget)):
                verb = find_verb(taught.split()[0].lower())
                if verb is None or taught.lower() == verb.word:
                    continue
                assert not isinstance(grammar.parse(taught), ParseError), taught


def test_a_language_that_we_do_not_speak_is_english() -> None:
    """An unknown language has every text; so has a code without one, in general words."""
    assert find("done", "saved", "tlh") == find("done", "saved", DEFAULT_LANGUAGE)
    assert find("done", "never_heard_of") is None
    assert text_of("done", "never_heard_of") == english.UNKNOWN["done"]


def test_one_kind_may_have_its_own_text() -> None:
    """The question about two numbers is not the refusal of them."""
    assert find("asked", "two_numbers") != find("refused", "two_numbers")


def test_a_template_is_parts_and_fields() -> None:
    """Plain text, fields with a spec, optional and conditional parts, and the next step."""
    parsed = parse("Calling {to}[ at {at:short}].[?key: Press 1.][!key:Speak.]>>Reply GO {ref}")
    assert parsed.reason == (
        Segment(("Calling ", Field("to"))),
        Segment((" at ", Field("at", "short")), optional=True),
        Segment((".",)),
        Segment((" Press 1.",), optional=True, test="?", condition="key"),
        Segment(("Speak.",), optional=True, test="!", condition="key"),
    )
    assert parsed.step == (Segment(("Reply GO ", Field("ref"))),)
    assert parsed.reason[0].fields == (Field("to"),)


@pytest.mark.parametrize("template", ["[open", "shut]", "{open", "a {two words}", "[{a]}"])
def test_a_bracket_without_partner_is_our_mistake(template: str) -> None:
    """A template that would show its own brackets is refused when it is first read."""
    with pytest.raises(ValueError, match="unbalanced"):
        parse(template)


def test_a_text_needs_a_wording() -> None:
    """A title alone is no text."""
    assert say("Title", "Words") == Text("Title", ("Words",))
    with pytest.raises(AssertionError):
        say("Title")
