"""Which of its words a mail means."""

import pytest

from call_core.commands import Call, Choose, Command, Conference, Drop, HangUp, Name, Number
from call_core.errors import ParseError
from parsers.email_command import command_of, text_of
from parsers.email_message import MailMessage, decode_message

MOM = Call(Name("mom"))
NUMBER = Call(Number("616 977 9933"))


def mail(
    subject: str, body: str, *, to: str = "call@gw.example.org", more: str = ""
) -> MailMessage:
    """Decode a small mail from Ann."""
    content = f"From: ann@x.example\nSubject: {subject}\n{more}\n{body}".encode()
    return decode_message(
        content, envelope_from="ann@x.example", envelope_to=to.split(), own_addresses=(),
        own_domains=("gw.example.org",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "body", "command"),
    [
        ("", "call mom", MOM),
        ("help", "911 fire at 25 main st", Call(Number("911"))),
        ("911 fire", "call mom", Call(Number("911"))),
        ("call 911", "call mom max 5", Call(Number("911"))),
        ("", "mom", MOM),
        ("", "mom\nBob", MOM),
        ("", "616 977 9933\nBob Jones\n\n415 555 0100", NUMBER),
        ("", "616 977 9933\nfrom office", Call(Number("616 977 9933"), Name("office"))),
        ("", "call mom\nfrom office", Call(Name("mom"), Name("office"))),
        ("", "From: 415 555 1212\nTo: 212 555 1212",
         Call(Number("212 555 1212"), Number("415 555 1212"))),
        ("", "conf mom,\n- bob\n- *7x", Conference((Name("mom"), Name("bob"), Name("*7x")))),
        ("call mom", "", MOM),
        ("mom", "-- \nAnn 415 555 0100", MOM),
        ("616 977 9933", "", NUMBER),
        ("call mom", "call mom", MOM),
        ("Lunch on friday", "call mom", MOM),
        ("Call", "call mom", MOM),
        ("Re: call dad", "call mom", MOM),
        ("[4F7] Calling mom", "2", Choose(2, "4F7")),
        ("Re: [4F7] Calling mom", "bye", HangUp("4F7")),
        ("Re: [4F7] Calling mom", "drop 3", Drop(3, "4F7")),
    ],
)  # fmt: skip
def test_a_mail_means_one_command(subject: str, body: str, command: Command) -> None:
    """Address before body before subject; signatures and titles mean nothing."""
    assert command_of(mail(subject, body)) == command


@pytest.mark.parametrize(
    ("subject", "body", "code"),
    [
        ("", "", "empty"),
        ("call dad", "call mom", "subject_differs"),
        ("212 555 1212", "call mom", "subject_differs"),
        ("call dad", "call", "missing_argument"),
        ("Re: [4F7] call dad", "", "empty"),
        ("", "call ٤١٥ 555 0100", "lookalike_digits"),
    ],
)
def test_a_mail_without_one_clear_command_is_refused(subject: str, body: str, code: str) -> None:
    """Two commands, none, or one that cannot be trusted to the eye."""
    refused = command_of(mail(subject, body))
    assert isinstance(refused, ParseError)
    assert refused.code == code


def test_a_number_as_the_address_is_called() -> None:
    """The body may add options, and the subject says nothing."""
    to = "6169779933@gw.example.org"
    number = Number("6169779933")
    assert command_of(mail("hello", "", to=to)) == Call(number)
    assert command_of(mail("", "from office", to=to)) == Call(number, Name("office"))


@pytest.mark.parametrize("body", ["what is this", "words \n" * 500, "Hi!"])
def test_mere_words_beside_a_number_as_the_address_are_no_command(body: str) -> None:
    """Many programs cannot send an empty mail."""
    assert command_of(mail("", body, to="6169779933@gw.example.org")) == Call(Number("6169779933"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("in a while", "not_understood"),
        ("call bob", "not_understood"),
        ("from", "not_understood"),
        ("*77777 soon", "not_understood"),
        ("max 5", "max_unit_unclear"),
    ],
)
def test_what_begins_like_a_command_beside_an_address_is_never_ignored(
    body: str, code: str
) -> None:
    """Who wrote when, from where or for how much shall not be rung now, here, at any price."""
    refused = command_of(mail("", body, to="6169779933@gw.example.org"))
    assert isinstance(refused, ParseError)
    assert refused.code == code


def test_an_empty_mail_to_a_number_that_is_none_is_refused() -> None:
    """And is no failure of ours, for which it would be sent again and again."""
    error = command_of(mail("", "", to="44444444442079460018@gw.example.org"))
    assert isinstance(error, ParseError)
    assert error == command_of(mail("hello", "hello", to="44444444442079460018@gw.example.org"))


def test_two_numbers_as_addresses_are_asked_about() -> None:
    """Ring one then the other, or both in a conference: the sender must say."""
    refused = command_of(mail("", "", to="6169779933@gw.example.org 6169779934@gw.example.org"))
    assert refused == command_of(mail("", "6169779933 6169779934"))
    assert isinstance(refused, ParseError)


def test_the_words_are_kept_for_the_history() -> None:
    """Numbers of the address come first."""
    assert text_of(mail("x", "call mom")) == "call mom"
    assert text_of(mail("balance", "")) == "balance"
    assert text_of(mail("", "", to="6169779933@gw.example.org")) == "6169779933"
