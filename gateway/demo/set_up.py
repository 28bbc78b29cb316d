"""Sets the demo's customers, users and prices up, all through the core's own door."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from pwdlib import PasswordHash

from call_core.administration import (
    ActivateDeck,
    AddCustomer,
    AddPhone,
    AddSender,
    AddToken,
    AddUser,
    Administration,
    SetPassword,
    TopUp,
)
from call_core.commands import Command, Number, Save
from call_core.ids import new_secret
from call_core.outcomes import Outcome
from call_core.units.access import hash_of
from channels.kit.contract import Identity
from channels.kit.pager_login import PAGER_CHANNELS, secret_hash
from gateway.deck_load import load_deck
from gateway.demo.world import (
    BUY_PERCENT,
    CURRENCY,
    RATES,
    TARIFF,
    TOP_UP_MICROS,
    Person,
    buy_deck,
    buy_tariff,
)
from gateway.operator_door import ask, made_id, new_token
from gateway.wiring import Core

PASSWORD_LENGTH = 10
_REGIONS = ("US", "GB", "FR", "DE", "JP", "CA")


@dataclass(frozen=True, slots=True)
class Settled:
    """A person who can call now, and what they sign in with."""

    person: Person
    identity: Identity


async def _ask(core: Core, asked: Administration | Command, user_id: str | None = None) -> Outcome:
    return await ask(core, asked, core.wall.now_ms(), user_id=user_id)


class DemoError(Exception):
    """The demo cannot be set up; the message is a sentence."""


async def set_up(core: Core, everybody: Sequence[Person]) -> list[Settled]:
    """Load the rate deck and add everybody.

    Raises:
        DemoError: the rate deck cannot be loaded.
        RefusedError: something was refused.
    """
    await _load_rates(core)
    password = new_secret(random.SystemRandom(), PASSWORD_LENGTH)
    hashed = PasswordHash.recommended().hash(password)
    return [await _add(core, person, password, hashed) for person in everybody]


async def _load_rates(core: Core) -> None:
    with RATES.open(encoding="utf-8") as file:
        lines = list(file)
    await _load(core, TARIFF, lines)
    for trunk in BUY_PERCENT:
        await _load(core, buy_tariff(trunk), buy_deck(lines, trunk))


async def _load(core: Core, tariff: str, lines: Sequence[str]) -> None:
    loaded = await load_deck(
        core.store,
        tariff,
        lines,
        currency=CURRENCY,
        timezone="UTC",
        mapping={},
        progress=_quiet,
    )
    if not loaded.version:
        raise DemoError(f"The demo's rate deck has a bad row: {loaded.bad[:1]}")
    await _ask(core, ActivateDeck(tariff, loaded.version))


async def _quiet(_rows: int) -> None:
    """Show no progress."""


async def _add(core: Core, person: Person, password: str, hashed: str) -> Settled:
    customer = AddCustomer(person.customer, CURRENCY, "prepaid", tariff=TARIFF, regions=_REGIONS)
    customer_id = made_id(await _ask(core, customer), "customer_id")
    await _ask(core, TopUp(customer_id, TOP_UP_MICROS))
    # Whoever is compared lives where the number is: the first call to another country by a channel
    # that only vouches for its user waits for a `go` from elsewhere.
    country = "GB" if person.channel else "US"
    user = AddUser(customer_id, person.name, "administrator", "America/New_York", country)
    user_id = made_id(await _ask(core, user), "user_id")
    token = new_token()
    await _ask(core, SetPassword(user_id, hashed))
    await _ask(core, AddToken(user_id, hash_of(token), "packet demo"))
    for label, number in person.phones:
        await _ask(core, AddPhone(user_id, label, number, trusted=True))
    for channel, address in person.senders:
        is_pager = channel in PAGER_CHANNELS
        secret = secret_hash(channel, address, password) if is_pager else ""
        await _ask(core, AddSender(user_id, channel, address, secret))
    for name, number in person.names.items():
        await _ask(core, Save(name, Number(number)), user_id)
    return Settled(person, Identity(user_id, person.address, password, token))
