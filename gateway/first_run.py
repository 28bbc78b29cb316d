"""What `callgate init` does: settings file, database, prices, the first customer and user."""

import os
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers.timezone import time_zones_for_number

from call_core.administration import (
    ActivateDeck,
    AddCustomer,
    AddPhone,
    AddSender,
    AddToken,
    AddUser,
    Administration,
    TopUp,
)
from call_core.money import CURRENCIES
from call_core.outcomes import Outcome
from call_core.units.access import hash_of
from gateway.deck_load import load_deck
from gateway.operator_door import ask, made_id, new_token
from gateway.wiring import Core

TARIFF = "standard"
FIRST_TOP_UP_MICROS = 10_000_000
OWNER_ONLY = 0o600
_RATES = Path(__file__).parent / "demo" / "rates.csv"
_UNKNOWN_ZONE = "Etc/Unknown"


@dataclass(frozen=True, slots=True)
class Answers:
    """The six answers; country is where numbers without `+` are."""

    customer: str
    currency: str
    name: str
    mail: str
    phone: str
    timezone: str
    country: str


def check_currency(text: str) -> str:
    """Return an ISO 4217 code. Raises `ValueError` with a sentence."""
    code = text.strip().upper()
    if code not in CURRENCIES:
        raise ValueError(f"{text!r} is not a currency; write a code like USD, EUR or GBP.")
    return code


def check_mail(text: str) -> str:
    """Return a mail address. Raises `ValueError` with a sentence."""
    address = text.strip()
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or " " in address:
        raise ValueError(f"{text!r} is not a mail address; write one like ada@example.org.")
    return address


def check_phone(text: str) -> str:
    """Return a number as E.164. Raises `ValueError` with a sentence."""
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException as error:
        raise ValueError(_phone_help(text)) from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(_phone_help(text))
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _phone_help(text: str) -> str:
    return f"{text!r} is not a telephone number; write it with + and country code: +12125550123."


def check_timezone(text: str) -> str:
    """Return an IANA zone. Raises `ValueError` with a sentence."""
    zone = text.strip()
    if zone not in available_timezones():
        raise ValueError(f"{text!r} is not an IANA time zone; write one like Europe/London.")
    return zone


def check_country(text: str) -> str:
    """Return an ISO 3166 code. Raises `ValueError` with a sentence."""
    code = text.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{text!r} is not a country code; write two letters like US or GB.")
    return code


def country_of(phone: str) -> str:
    """Return the country of an E.164 number, US when it has none."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(phone))
    return region if region in phonenumbers.SUPPORTED_REGIONS else "US"


def timezone_of(phone: str) -> str:
    """Return a likely zone of an E.164 number."""
    zones = list(time_zones_for_number(phonenumbers.parse(phone)))
    return zones[0] if zones and zones[0] != _UNKNOWN_ZONE else "UTC"


def example_in(country: str) -> str:
    """Return a number of a country to call on the simulator, which nobody has."""
    example = phonenumbers.example_number(country)
    assert example is not None, country
    return str(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))


def write_settings(file: Path) -> None:
    """Write a short settings file that only its owner may read.

    Raises:
        FileExistsError: there is one; it is never overwritten.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(_SETTINGS)


async def load_rates(core: Core, currency: str) -> int:
    """Put the demo's rate deck in force as the standard tariff; return its number of rows."""
    with _RATES.open(encoding="utf-8") as lines:
        loaded = await load_deck(
            core.store,
            TARIFF,
            lines,
            currency=currency,
            timezone="UTC",
            mapping={},
            progress=_quiet,
        )
    assert loaded.version, loaded.bad
    await _ask(core, ActivateDeck(TARIFF, loaded.version))
    return loaded.rows


async def first_customer(core: Core, answers: Answers) -> tuple[str, str]:
    """Add the customer, the user with phone and addresses, and money; return user id and token."""
    customer = AddCustomer(
        answers.customer, answers.currency, "prepaid", tariff=TARIFF, regions=(answers.country,)
    )
    customer_id = made_id(await _ask(core, customer), "customer_id")
    await _ask(core, TopUp(customer_id, FIRST_TOP_UP_MICROS))
    user = AddUser(customer_id, answers.name, "administrator", answers.timezone, answers.country)
    user_id = made_id(await _ask(core, user), "user_id")
    token = new_token()
    await _ask(core, AddToken(user_id, hash_of(token), "first token"))
    await _ask(core, AddPhone(user_id, "office", answers.phone, trusted=True))
    await _ask(core, AddSender(user_id, "smtp", answers.mail))
    return user_id, token


async def _ask(core: Core, asked: Administration) -> Outcome:
    return await ask(core, asked, core.wall.now_ms())


async def _quiet(_rows: int) -> None:
    """Show no progress."""


_SETTINGS = """\
# Settings of Callgate. `callgate doctor --settings` lists every key with its default; each can be
# an environment variable too: smtp.port is CALLGATE_SMTP__PORT. A change needs a restart.

# The simulator rings nobody. Calls are real once another switch is set here.
switch = "simulator"

# Base of the links in messages, as people reach it from outside.
# public_url = "https://calls.example.org"

[database]
url = "sqlite:///var/callgate.db"

[http]
host = "127.0.0.1"
port = 8080

# Where replies and receipts by mail go out.
# [mail_out]
# host = "mail.example.org"
# port = 25
"""
