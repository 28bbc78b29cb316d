"""What clients may send: strict JSON bodies, and how they become commands.

Unknown fields, numbers where text is asked (money is a decimal string, never a float) and text over
its limit are refused by name.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from call_core.commands import (
    Amount,
    Call,
    Command,
    Conference,
    Drop,
    Mute,
    Redial,
    Target,
    Unmute,
    When,
)
from call_core.errors import ParseError
from parsers.targets import parse_target
from parsers.when import parse_when

MAX_TARGET_LENGTH = 80
MAX_PARTICIPANTS = 200  # the core refuses more than 64 parties, in its own words
MAX_CODE_LENGTH = 40
MAX_WHEN_LENGTH = 60
MAX_ZONE_LENGTH = 60
MAX_TITLE_LENGTH = 80
MAX_TEXT_LENGTH = 1000
MAX_MINUTES = 1440
MAX_JOIN_CODE_LENGTH = 20
MAX_LABEL_LENGTH = 40

PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
ONE_LINE = r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*$"  # whatever any reader takes for a line's end
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?")

Written = Annotated[
    str,
    StringConstraints(
        strict=True,
        strip_whitespace=True,
        min_length=1,
        max_length=MAX_TARGET_LENGTH,
        pattern=ONE_LINE,
    ),
]
Money = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", max_length=16)
]
Minutes = Annotated[int, Field(strict=True, ge=1, le=MAX_MINUTES)]


def _words(max_length: int, pattern: str = ONE_LINE) -> StringConstraints:
    return StringConstraints(
        strict=True,
        strip_whitespace=True,
        min_length=1,
        max_length=max_length,
        pattern=pattern,
    )


class Body(BaseModel):
    """A body: fields that are not known are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class _Options(Body):
    origin: Written | None = Field(
        default=None,
        alias="from",
        description="your phone to ring first: its label or number; your default phone if absent",
        examples=["office"],
    )
    billing_code: Annotated[str, _words(MAX_CODE_LENGTH)] | None = Field(
        default=None, examples=["ACME-12"]
    )
    max_cost: Money | None = Field(
        default=None,
        description="cap on the whole call, a decimal string in your currency",
        examples=["5.00"],
    )
    max_minutes: Minutes | None = Field(default=None, examples=[20])
    private: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="hide both numbers"
    )
    at: Annotated[str, _words(MAX_WHEN_LENGTH)] | None = Field(
        default=None,
        description="RFC 3339, or words such as `tue 10:00`, `in 10`; now if absent",
        examples=["2026-12-01T09:00:00Z"],
    )
    timezone: Annotated[str, _words(MAX_ZONE_LENGTH)] | None = Field(
        default=None,
        description="IANA zone of an `at` that has none; your own if absent",
        examples=["Europe/London"],
    )


class CallBody(_Options):
    """A call to launch."""

    to: Written = Field(description="a number, a name or `*slot`", examples=["+442079460018"])


class ConferenceBody(_Options):
    """A conference to launch or to schedule."""

    participants: Annotated[list[Written], Field(min_length=1, max_length=MAX_PARTICIPANTS)] = (
        Field(examples=[["mom", "+442079460018"]])
    )
    title: Annotated[str, _words(MAX_TITLE_LENGTH)] | None = Field(
        default=None, examples=["weekly"]
    )
    minutes: Minutes | None = Field(
        default=None, description="stated length; held whole beforehand", examples=[30]
    )


class CommandBody(Body):
    """Any line of the grammar."""

    text: Annotated[str, _words(MAX_TEXT_LENGTH, PRINTABLE)] = Field(examples=["call mom max $5"])


class EntryBody(Body):
    """What is kept under a name."""

    number: Written = Field(
        description="with + and country code, or as you dial it at home; `x12` is an extension",
        examples=["+44 20 7946 0018"],
    )
    shared: bool = Field(
        default=False,
        strict=True,
        description="for everybody in the company; needs an administrator and the scope `admin`",
    )


class DeviceBody(Body):
    """A device that wants to join by the code that `device` showed on another channel."""

    code: Annotated[str, _words(MAX_JOIN_CODE_LENGTH)] = Field(examples=["7K3F-9QTD"])
    label: Annotated[str, _words(MAX_LABEL_LENGTH)] = Field(
        description="what you will know it by", examples=["laptop"]
    )


class PartyBody(Body):
    """What to do with one party."""

    action: Literal["mute", "unmute", "drop", "redial"] = Field(examples=["mute"])


def call_of(body: CallBody, currency: str) -> Command | ParseError:
    """Return the command of a body; amounts are in `currency`, the customer's."""
    try:
        return Call(
            to=_target(body.to),
            origin=_target(body.origin) if body.origin else None,
            billing_code=body.billing_code,
            max_cost=_amount(body, currency),
            max_minutes=body.max_minutes,
            private=body.private,
            at=_when(body),
        )
    except ParseError as error:
        return error


def conference_of(body: ConferenceBody, currency: str) -> Command | ParseError:
    """Return the command of a body; amounts are in `currency`, the customer's."""
    try:
        return Conference(
            participants=tuple(map(_target, body.participants)),
            origin=_target(body.origin) if body.origin else None,
            billing_code=body.billing_code,
            max_cost=_amount(body, currency),
            max_minutes=body.max_minutes,
            private=body.private,
            at=_when(body),
            minutes=body.minutes,
            title=body.title or "",
        )
    except ParseError as error:
        return error


def party_command(body: PartyBody, party: int, ref: str) -> Command:
    """Return the command of a change of one party."""
    match body.action:
        case "mute":
            return Mute(party, ref)
        case "unmute":
            return Unmute(party, ref)
        case "drop":
            return Drop(party, ref)
        case "redial":
            return Redial(party, ref)


def _target(text: str) -> Target:
    target = parse_target(text)
    if isinstance(target, ParseError):
        raise target
    return target


def _amount(body: _Options, currency: str) -> Amount | None:
    return Amount(body.max_cost, currency) if body.max_cost else None


def _when(body: _Options) -> When | None:
    if body.at is None:
        return None
    when = _instant(body.at) if _RFC_3339.fullmatch(body.at) else parse_when(body.at)
    if isinstance(when, ParseError):
        raise when
    return replace(when, zone=body.timezone) if body.timezone and not when.zone else when


def _instant(text: str) -> When | ParseError:
    """Read RFC 3339; a local time without an offset is accepted and keeps its zone open."""
    try:
        instant = datetime.fromisoformat(text.upper())
        if instant.tzinfo is not None:
            instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return ParseError("time_invalid", text=text)
    if instant.second or instant.microsecond:
        return ParseError("time_invalid", text=text)
    return When(
        text=text,
        day=instant.day,
        month=instant.month,
        year=instant.year,
        hour=instant.hour,
        minute=instant.minute,
        zone="UTC" if instant.tzinfo is not None else "",
    )
