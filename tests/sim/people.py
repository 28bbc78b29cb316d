"""Who lives in the simulated world, what they pay, and what they say."""

import random
from dataclasses import dataclass, field

from call_core.administration import (
    ActivateDeck,
    AddBillingCode,
    AddCustomer,
    AddPhone,
    AddSender,
    AddUser,
    Administration,
    Freeze,
    HangUpCall,
    TopUp,
    Unfreeze,
)
from call_core.rating.deck import RateRow
from tests.support.world_parts import CELL, OFFICE, TARIFF, rate_row

CALLEES = (
    *("+442079460018", "+442079460019", "020 7946 0020", "+4930901820", "+13125550123"),
    *("+13125550124", "312 555 0125", "mom", "bob", "*7", "+493090182099"),
)
CODES = ("ACME-12", "ACME-13")
SAVED = ("save bob 0207 946 0018", "save mom +1 312 555 0123", "slot 7 bob")
_REST = (
    *("balance", "history", "more", "next", "phones", "menu", "?", "last", "undo", "use cell"),
    *("use office", "dir", "dir b", "time tokyo", "dial accra", "rate ghana", "quote mom"),
    *("save bob 0207 946 0018", "save mom +1 312 555 0123", "forget bob", "slot 7 bob", "911"),
    *("STOP", "START", "call 112", "call", "what is this", "call mom max 5", "conf mom", "late 5"),
    *("quote +442079460018 from cell", "rate +44 20", "save joe +1 212 555 0199"),
)
_CONTROL = (
    *("hangup", "bye", "who", "lock", "unlock", "extend 1", "extend 15", "drop 1", "drop 2"),
    *("mute 1", "mute all", "unmute 1", "unmute all", "redial 1", "redial 0", "redial 2"),
    *("move cell", "move office", "add {callee}", "add {callee}", "hangup", "redial 1"),
)
_WITH_REF = (
    *("hangup {ref}", "status {ref}", "why {ref}", "code {ref} ACME-12", "code {ref} NONE"),
    *("skip {ref}", "late 5 {ref}", "go {ref}", "who {ref}", "add {callee} {ref}"),
    *("move cell {ref}", "redial 1 {ref}", "drop 1 {ref}", "lock {ref}", "{ref} 1", "at {ref} 6pm"),
    *("extend 2 {ref}", "mute 1 {ref}", "{ref}"),
)
_ANSWERS = ("go", "go", "go", "1", "2", "pick 1", "pick 2", "go {ref}", "yes {ref}")


@dataclass
class Person:
    """A user, and what they remember of what they were told."""

    id: str
    customer_id: str
    address: str
    refs: list[str] = field(default_factory=list)


@dataclass
class People:
    """Everybody."""

    customers: list[str] = field(default_factory=list)
    persons: list[Person] = field(default_factory=list)


def customer_of(rng: random.Random, n: int) -> tuple[AddCustomer, int]:
    """Return a customer and the micros that they pay in."""
    plan = "postpaid" if n % 3 == 2 else "prepaid"
    micros = rng.choice((2_000_000, 5_000_000, 20_000_000, 200_000_000))
    return (
        AddCustomer(
            f"customer {n}",
            "USD",
            plan,
            credit_limit_micros=rng.choice((5_000_000, 50_000_000)) if plan == "postpaid" else 0,
            tariff=TARIFF,
            regions=("US", "GB", "DE"),
            daily_spend_micros=rng.choice((None, 5_000_000, 1_000_000_000)),
            concurrent_calls=rng.choice((1, 5, 50, 50)),
        ),
        0 if plan == "postpaid" else micros,
    )


def user_of(customer_id: str, n: int) -> AddUser:
    """Return a user."""
    role = "administrator" if n % 2 else "member"
    return AddUser(customer_id, f"user{n}", role, "America/New_York", "US")


def belongings(user_id: str, customer_id: str, n: int) -> list[Administration]:
    """Return what is put on file for a user."""
    return [
        AddSender(user_id, "smtp", f"user{n}@example.com"),
        AddSender(user_id, "sms", f"+1312555{1000 + n}"),
        AddPhone(user_id, "office", OFFICE, trusted=True),
        AddPhone(user_id, "cell", CELL, trusted=True),
        *(AddBillingCode(customer_id, code) for code in CODES[:1]),
    ]


def deck_of(rng: random.Random) -> list[RateRow]:
    """Return a deck with prices that eat a small balance within minutes."""

    def row(prefix: str, name: str) -> RateRow:
        price = rng.choice((0, 10_000, 10_000, 150_000, rng.randint(1, 700_000)))
        fee = rng.choice((0, 0, 50_000, rng.randint(0, 300_000)))
        first, following = rng.choice(((1, 1), (6, 6), (30, 6), (60, 60), (60, 1)))
        return rate_row(prefix, name, price, fee, first, following)

    return [row("1", "United States"), row("44", "United Kingdom"), row("49", "Germany")]


def words_of(rng: random.Random, person: Person) -> str:
    """Return a line that somebody says."""
    dice = rng.random()
    if dice < 0.5:
        text = _launch(rng)
    elif dice < 0.7:
        text = rng.choice(_CONTROL)
    elif dice < 0.78:
        text = rng.choice(_ANSWERS)
    elif dice < 0.9:
        text = rng.choice(_WITH_REF)
    else:
        text = rng.choice(_REST)
    ref = rng.choice(person.refs[-4:]) if person.refs else "4F7"
    return text.format(ref=ref, callee=rng.choice(CALLEES))


def _launch(rng: random.Random) -> str:
    conference = rng.random() < 0.3
    if conference:
        count = rng.choice((2, 2, 3, 3, 5))
        text = "conf " + ", ".join(rng.sample(CALLEES, count))
    else:
        text = f"call {rng.choice(CALLEES)}"
    for share, option in (
        (0.2, " from cell"),
        (0.2, " max $0." + str(rng.randint(1, 99))),
        (0.1, " max $" + str(rng.randint(1, 5))),
        (0.1, f" max {rng.randint(1, 6)} min"),
        (0.1, " private"),
        (0.1, " code ACME-12"),
        (0.1, f" in {rng.choice((1, 2, 20))}"),
        (0.15, f" for {rng.choice((1, 3, 30))} min" if conference else ""),
    ):
        if rng.random() < share:
            text += option
    return text


def operator_does(rng: random.Random, people: People) -> Administration:
    """Return something that the operator does on the command line."""
    customer = rng.choice(people.customers)
    person = rng.choice(people.persons)
    live = rng.random() < 0.5
    frozen = rng.random() < 0.3
    if not frozen:
        return TopUp(customer, rng.choice((5_000_000, 10_000_000, rng.randint(1, 2_000_000))))
    return rng.choice(
        (
            Freeze("customer", customer, live),
            Freeze("user", person.id, live),
            Freeze("prefix", "4930", live),
            HangUpCall(rng.choice(person.refs) if person.refs else "none"),
            ActivateDeck(TARIFF, rng.randint(1, 3)),
            ActivateDeck(TARIFF, rng.randint(1, 3)),
        )
    )


def undoing(command: Administration) -> Administration | None:
    """Return what takes a freeze back; None when there is nothing to take back."""
    if isinstance(command, Freeze):
        return Unfreeze(command.kind, command.target)
    return None
