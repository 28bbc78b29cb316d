"""The table of statuses, and what each command asks of a token."""

from http import HTTPStatus

import pytest

from call_core.commands import (
    Balance,
    Call,
    Command,
    Confirm,
    HangUp,
    Name,
    Next,
    Rate,
    Save,
    Undo,
    Who,
)
from call_core.commands import Number as TelephoneNumber
from call_core.customers.refusals import RefusalCode
from call_core.errors import ParseError
from channels.api.statuses import STATUS_OF_REFUSAL, scope_needed, status_of_refusal
from channels.kit.catalogue import en_refusals, english

MOM = Call(Name("mom"))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("daily_spend", HTTPStatus.PAYMENT_REQUIRED),
        ("country_not_allowed", HTTPStatus.FORBIDDEN),
        ("name_unknown", HTTPStatus.NOT_FOUND),
        ("too_many_calls", HTTPStatus.TOO_MANY_REQUESTS),
        ("same_number", HTTPStatus.UNPROCESSABLE_ENTITY),
        ("never_heard_of", HTTPStatus.UNPROCESSABLE_ENTITY),
    ],
)
def test_a_refusal_has_a_sensible_status(code: str, status: HTTPStatus) -> None:
    """Money, permission, absence and limits are told apart; the rest could not be done."""
    assert status_of_refusal(code, MOM) is status


def test_what_could_not_be_read_is_a_bad_request() -> None:
    """But a limit or a lack of permission that was found on the way keeps its own status."""
    error = ParseError("not_understood")
    assert status_of_refusal("not_understood", error) is HTTPStatus.BAD_REQUEST
    assert status_of_refusal("user_frozen", error) is HTTPStatus.FORBIDDEN


def test_every_refusal_was_thought_of() -> None:
    """No code of the catalogue's refusals, or of the core's list, gets the default by oversight."""
    assert set(RefusalCode) <= STATUS_OF_REFUSAL.keys()
    assert en_refusals.TEXTS.keys() <= STATUS_OF_REFUSAL.keys()


def test_every_status_is_of_a_code_that_has_words() -> None:
    """The table names no code that nobody can say."""
    assert STATUS_OF_REFUSAL.keys() <= english.TEXTS.keys()


@pytest.mark.parametrize(
    ("command", "scope"),
    [
        (Balance(), "read"),
        (Rate("ghana"), "read"),
        (Next(), "read"),
        (Who(), "read"),
        (ParseError("not_understood"), "read"),
        (MOM, "call"),
        (HangUp(), "call"),
        (Confirm(), "call"),
        (Undo(), "call"),
        (Save("bob", TelephoneNumber("1")), "call"),
    ],
)
def test_looking_needs_read_and_changing_needs_call(
    command: Command | ParseError, scope: str
) -> None:
    """A token that may only read changes nothing, whatever line it sends."""
    assert scope_needed(command) == scope
