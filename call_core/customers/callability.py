"""May this number be rung? One question, asked for every number about to be rung.

A, B, participants, added and redialled parties, moves, verification calls and scheduled launches
all pass here: callback makes both ends outbound, so the caller's own number can be abused just
like the other one. The order of the checks is the order of `CHECKS`; the first that fails is
what the caller is told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from call_core.customers.refusals import Refusal, RefusalCode, WhoCanChange
from call_core.numbering import (
    E164,
    NO_COUNTRY,
    NumberKind,
    country_name,
    is_emergency_in,
)
from call_core.outcomes import Phone, Value


class PartyRole(StrEnum):
    """As what a number is to be rung."""

    A = "A"  # the caller's own phone, the chair's too
    B = "B"
    PARTICIPANT = "participant"
    VERIFICATION = "verification"  # a phone being put on file


@dataclass(frozen=True, slots=True)
class CallableContext:
    """What the answer depends on besides the number.

    Attributes:
        regions: regions the customer may ring; "001" for codes of no country.
        opted_in: dear kinds that the customer opted in to.
        own_numbers: E.164 numbers of this service.
        callback_forbidden: regions whose law forbids call-back to their phones.
        emergency_countries: where the user and the phones may be (ISO 3166 codes).
        has_rate: whether the customer's deck has a row that sells this number.
        origin: the phone the call starts from; None when the number is that phone itself.
    """

    regions: frozenset[str]
    has_rate: bool
    opted_in: frozenset[NumberKind] = frozenset()
    own_numbers: frozenset[str] = frozenset()
    callback_forbidden: frozenset[str] = frozenset()
    emergency_countries: frozenset[str] = frozenset()
    origin: E164 | None = None


_SHAPE: Final = re.compile(r"\+[1-9]\d{6,14}")

DEAR_KINDS: Final = MappingProxyType(
    {
        NumberKind.PREMIUM: RefusalCode.PREMIUM_NUMBER,
        NumberKind.INTERNATIONAL_PREMIUM: RefusalCode.PREMIUM_NUMBER,
        NumberKind.SATELLITE: RefusalCode.SATELLITE_NUMBER,
        NumberKind.SHARED_COST: RefusalCode.SHARED_COST_NUMBER,
        NumberKind.PERSONAL: RefusalCode.PERSONAL_NUMBER,
        NumberKind.UPT: RefusalCode.SPECIAL_NUMBER,
        NumberKind.INTERNATIONAL_NETWORK: RefusalCode.SPECIAL_NUMBER,
    }
)
"""Kinds refused unless the customer opted in, and the code that says so."""


def callable_number(number: E164, role: PartyRole, context: CallableContext) -> Refusal | None:
    """Decides whether a number may be rung.

    Args:
        number: the number about to be rung.
        role: as what it is to be rung.
        context: the customer's permissions and the service's own facts.

    Returns:
        None when it may; otherwise the first reason against it.
    """
    noes = (check(number, role, context) for check in CHECKS)
    return next((no for no in noes if no is not None), None)


def _refuse(code: RefusalCode, number: E164, **fields: Value) -> Refusal:
    return Refusal(code, {"number": Phone(number.digits, number.extension), **fields})


def _valid(number: E164, _role: PartyRole, context: CallableContext) -> Refusal | None:
    # An emergency number is no valid E.164 number either, but deserves its own answer.
    if _SHAPE.fullmatch(number.digits) or _is_emergency(number, context):
        return None
    return _refuse(RefusalCode.NUMBER_NOT_VALID, number)


def _is_emergency(number: E164, context: CallableContext) -> bool:
    return is_emergency_in(number.digits, context.emergency_countries)


def _emergency(number: E164, _role: PartyRole, context: CallableContext) -> Refusal | None:
    if not _is_emergency(number, context):
        return None
    return Refusal(RefusalCode.EMERGENCY, {"digits": number.digits.removeprefix("+")})


def _own(number: E164, _role: PartyRole, context: CallableContext) -> Refusal | None:
    if number.digits not in context.own_numbers:
        return None
    return _refuse(RefusalCode.OWN_NUMBER, number)


def _dear(number: E164, _role: PartyRole, context: CallableContext) -> Refusal | None:
    code = DEAR_KINDS.get(number.kind)
    if code is None or number.kind in context.opted_in:
        return None
    return _refuse(code, number, change=WhoCanChange.OPERATOR.value)


def _country(number: E164, _role: PartyRole, context: CallableContext) -> Refusal | None:
    # Never by calling code: +1 is twenty-five countries, some of them dear.
    allowed = number.region in context.regions
    # Who opted in to satellites means them, wherever they are.
    wanted_everywhere = number.region == NO_COUNTRY and number.kind in context.opted_in
    if allowed or wanted_everywhere:
        return None
    name, change = country_name(number.region), WhoCanChange.OPERATOR.value
    return _refuse(RefusalCode.COUNTRY_NOT_ALLOWED, number, country=name, change=change)


def _callback(number: E164, role: PartyRole, context: CallableContext) -> Refusal | None:
    called_back = number if role in {PartyRole.A, PartyRole.VERIFICATION} else context.origin
    if called_back is None or called_back.region not in context.callback_forbidden:
        return None
    name = country_name(called_back.region)
    return _refuse(RefusalCode.CALLBACK_FORBIDDEN, called_back, country=name)


def _rate(number: E164, _role: PartyRole, context: CallableContext) -> Refusal | None:
    if context.has_rate:
        return None
    return _refuse(RefusalCode.NO_RATE, number, country=country_name(number.region))


def _same(number: E164, _role: PartyRole, context: CallableContext) -> Refusal | None:
    if context.origin is None or number.digits != context.origin.digits:
        return None
    return _refuse(RefusalCode.SAME_NUMBER, number)


Check = Callable[[E164, PartyRole, CallableContext], Refusal | None]

CHECKS: Final[tuple[Check, ...]] = (
    _valid,
    _emergency,
    _own,
    _dear,
    _country,
    _callback,
    _rate,
    _same,
)
"""In this order: the first that refuses is told."""
