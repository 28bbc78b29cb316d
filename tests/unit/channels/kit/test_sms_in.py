"""A text message as a request, and what is answered within its session."""

from dataclasses import replace

import pytest

from call_core.commands import Call, Command, Menu, Name, OptIn, OptOut
from call_core.errors import ParseError
from call_core.outcomes import Launched, Outcome, Refused
from call_core.requests import Evidence, Request
from channels.kit.sms_in import (
    STRANGER_PAUSE_MS,
    STRANGERS_LIMIT,
    SessionAnswers,
    opt_out_request,
    phone_address,
    request_of,
)
from parsers.sms_webhook import TextMessage

ANNA = "+12125550101"
MESSAGE = TextMessage("SM1", ANNA, "12345", "call mom", sent_ms=5_000)
UNKNOWN = Refused("unknown_sender")


def asked(message: TextMessage = MESSAGE, at_ms: int = 10_000) -> Request:
    """Return the request of a message."""
    return request_of(
        message,
        channel="twilio_sms",
        gateway="twilio",
        sender=phone_address(message.sender),
        received_wall_ms=at_ms,
    )


@pytest.mark.parametrize(
    ("written", "country", "address"),
    [
        ("+12125550101", "", "+12125550101"),
        ("12125550101", "", "+12125550101"),
        ("0012125550101", "", "+12125550101"),
        ("+44 20 7946-0018", "US", "+442079460018"),
        ("2125550101", "US", "+12125550101"),
        ("12125550101", "US", "+12125550101"),
        ("02079460018", "GB", "+442079460018"),
        ("447700900123", "GB", "+447700900123"),
        ("0012125550101", "GB", "+12125550101"),
        ("12345", "", "12345"),
        ("1234567", "", "+1234567"),
        ("123456", "", "123456"),
        ("1" * 15, "", "+" + "1" * 15),
        ("1" * 16, "", "1" * 16),
        ("MYBANK", "US", "MYBANK"),
        (" +\u0661\u0662\u0663 ", "", "+\u0661\u0662\u0663"),
        ("", "", ""),
    ],
)
def test_a_sender_is_e164_where_it_is_a_telephone(written: str, country: str, address: str) -> None:
    """However the carrier writes it; services and names stay what they are."""
    assert phone_address(written, country) == address


def test_a_message_is_a_request() -> None:
    """One id space for all carriers, ids kept apart by the gateway's name."""
    request = asked()
    assert (request.id_space, request.external_id) == ("sms", "twilio:SM1")
    assert (request.sender, request.evidence) == (ANNA, Evidence.VOUCHED)
    assert (request.received_wall_ms, request.sent_wall_ms) == (10_000, 5_000)
    assert (request.command, request.text) == (Call(Name("mom")), "call mom")
    assert not request.in_session


def test_the_fingerprint_is_of_the_content() -> None:
    """The same message has the same one, whenever it comes; another text or sender has another."""
    prints = {
        asked().fingerprint,
        asked(at_ms=1).fingerprint,
        asked(replace(MESSAGE, text="call dad")).fingerprint,
        asked(replace(MESSAGE, sender="+12125550102")).fingerprint,
    }
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("consent", "text", "command", "in_session"),
    [
        ("STOP", "arret", OptOut("STOP"), True),
        ("START", "encore", OptIn("START"), True),
        ("HELP", "aide", Menu(), True),
        ("", "Stop", OptOut("STOP"), False),
        ("", "call mom", Call(Name("mom")), False),
    ],
)
def test_words_that_the_carrier_answered_get_no_second_text(
    consent: str, text: str, command: Command, *, in_session: bool
) -> None:
    """They are recorded all the same."""
    request = asked(replace(MESSAGE, text=text, consent=consent))
    assert (request.command, request.in_session) == (command, in_session)


def test_an_empty_message_is_a_request_all_the_same() -> None:
    """A picture without words is answered by the core."""
    assert isinstance(asked(replace(MESSAGE, text="")).command, ParseError)


def test_what_a_carrier_tells_of_an_opt_out_is_a_request() -> None:
    """It records and is not answered."""
    request = opt_out_request(
        ANNA, channel="twilio_sms", external_id="twilio:x", received_wall_ms=1
    )
    assert (request.command, request.in_session) == (OptOut("STOP"), True)


@pytest.mark.parametrize(
    ("outcome", "answered"),
    [
        (UNKNOWN, True),
        (Refused("forged"), True),
        (Refused("same_id_other_content"), True),
        (Refused("emergency", fields={"digits": "911"}), True),
        (Refused("emergency", fields={"digits": "15"}), False),
        (Refused("balance_too_low"), False),
        (Launched("call_launched", "4F7", "call_1"), False),
    ],
)
def test_only_what_no_outbox_row_carries_is_answered(outcome: Outcome, *, answered: bool) -> None:
    """Everything else is said once, by the outbox."""
    assert bool(SessionAnswers().text(asked(), outcome, test=False)) is answered


def test_an_opt_out_is_never_answered() -> None:
    """Not even to a stranger."""
    assert SessionAnswers().text(asked(replace(MESSAGE, text="STOP")), UNKNOWN, test=False) == ""


@pytest.mark.parametrize("sender", ["12345", "MYBANK", ""])
def test_services_are_not_answered(sender: str) -> None:
    """Two machines would talk for ever."""
    assert SessionAnswers().text(asked(replace(MESSAGE, sender=sender)), UNKNOWN, test=False) == ""


def test_a_stranger_is_answered_once_in_a_while_and_a_repeat_as_before() -> None:
    """The same message gets the same answer; another one soon after gets none."""
    answers = SessionAnswers()

    def text(identifier: str, at_ms: int) -> str:
        message = replace(MESSAGE, id=identifier)
        return answers.text(asked(message, at_ms), UNKNOWN, test=False)

    first = text("SM1", 0)
    assert first
    assert text("SM1", 1) == first
    assert text("SM2", STRANGER_PAUSE_MS - 1) == ""
    assert text("SM3", STRANGER_PAUSE_MS) == first


def test_strangers_are_forgotten_when_there_are_too_many() -> None:
    """At the limit the first one is still known, one past it no longer."""
    answers = SessionAnswers()

    def tell(number: int) -> str:
        message = replace(MESSAGE, id=f"{number} {len(told)}", sender=f"+1{number:010}")
        told.append(number)
        return answers.text(asked(message), UNKNOWN, test=False)

    told: list[int] = []
    for number in range(STRANGERS_LIMIT):
        tell(number)
    assert tell(0) == ""
    tell(STRANGERS_LIMIT)
    assert tell(0)


def test_an_emergency_is_always_answered_and_says_test_when_it_is_one() -> None:
    """However often."""
    answers = SessionAnswers()
    outcome = Refused("emergency", fields={"digits": "911"})
    texts = {answers.text(asked(), outcome, test=True) for _ in range(3)}
    assert len(texts) == 1
    assert texts.pop().startswith("TEST")
