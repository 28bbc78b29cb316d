"""Which HTTP status an outcome has: one visible table over the stable codes."""

from collections.abc import Mapping
from http import HTTPStatus

from call_core.administration import Administration
from call_core.commands import Command, Information, Next, Who
from call_core.errors import ParseError

_CODES: Mapping[HTTPStatus, str] = {
    HTTPStatus.PAYMENT_REQUIRED: """
        balance_too_small cap_reached cap_too_small daily_spend
    """,
    HTTPStatus.FORBIDDEN: """
        callback_forbidden country_not_allowed customer_frozen customer_inactive emergency
        entry_is_shared forged not_administrator not_operator not_your_call personal_number
        phone_not_verified phone_not_yours prefix_frozen premium_number satellite_number
        scope_missing service_frozen shared_cost_number special_number unknown_sender unproven
        user_frozen user_inactive wrong_code
    """,
    HTTPStatus.NOT_FOUND: """
        name_unknown name_unknown_like no_call_running no_last_call no_such_call no_such_entry
        no_such_party no_such_place no_such_slot nothing_scheduled slot_empty
    """,
    HTTPStatus.CONFLICT: """
        already_there call_ended call_locked frozen_after_restore not_billed_yet not_scheduled
        nothing_to_confirm nothing_to_undo party_gone party_here replayed several_calls stale
    """,
    HTTPStatus.TOO_MANY_REQUESTS: """
        all_lines_busy callee_velocity challenge_at_night challenge_too_many challenge_too_soon
        destination_velocity too_fast too_many_calls too_many_redials too_many_scheduled
    """,
    HTTPStatus.UNPROCESSABLE_ENTITY: """
        below_cost billing_code_required billing_code_unknown name_not_allowed name_reserved
        no_common_switch no_phone not_done no_rate no_rate_for no_route no_time_limit not_a_choice
        not_an_amount number_not_valid own_number routes_down same_id_other_content same_number
        too_many_parties twice_in_list wrong_currency
    """,
}
REFUSED_BY_DEFAULT = HTTPStatus.UNPROCESSABLE_ENTITY

STATUS_OF_REFUSAL: Mapping[str, HTTPStatus] = {
    code: status for status, codes in _CODES.items() for code in codes.split()
}


def status_of_refusal(code: str, command: object) -> HTTPStatus:
    """Return the status of a refusal: 400 when it could not be read at all, else by its code.

    A code that is not in the table, and the same `Idempotency-Key` with other content, is a 422.
    """
    if isinstance(command, ParseError) and command.code == code:
        return HTTPStatus.BAD_REQUEST
    return STATUS_OF_REFUSAL.get(code, REFUSED_BY_DEFAULT)


def scope_needed(command: Command | Administration | ParseError) -> str:
    """Return the scope that a token must have: `read` to look, `call` to change, `admin`."""
    if isinstance(command, Administration):
        return "admin"
    looks = isinstance(command, Information | Next | Who | ParseError)
    return "read" if looks else "call"
