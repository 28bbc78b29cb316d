"""`customer`, `user`, `phone`, `sender`, `topup`, `freeze`, `unfreeze`: who may call, and money."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.common import USAGE, CliError, Config, Json, command, is_terminal
from gateway.cli.core import administer, ask, print_outcome, with_core

if TYPE_CHECKING:
    from call_core.administration import Administration

MOST_AT_ONCE = 1_000_000
_UNKNOWN = frozenset({"no_such_customer", "no_such_user"})

customers = typer.Typer(help="Customers: who pays.", no_args_is_help=True)
users = typer.Typer(help="Users: who may launch.", no_args_is_help=True)
phones = typer.Typer(help="Phones of users: what is rung first.", no_args_is_help=True)
senders = typer.Typer(help="Addresses that requests come from.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="USER", help="A user's name or id.")]
Whose = Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer's name or id.")]


class Plan(StrEnum):
    """How a customer pays."""

    PREPAID = "prepaid"
    POSTPAID = "postpaid"


class Role(StrEnum):
    """What a user may do within the customer."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"


@customers.command("add")
@command
def add_customer(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    currency: Annotated[str, typer.Option(help="ISO 4217 code; every amount is in it.")] = "USD",
    plan: Annotated[Plan, typer.Option(help="Pays before, or gets credit.")] = Plan.PREPAID,
    credit_limit: Annotated[str, typer.Option(help="Postpaid: most that may be owed.")] = "0",
    tariff: Annotated[str, typer.Option(help="Its rate deck; the only one of the currency.")] = "",
    regions: Annotated[str, typer.Option(help="Countries that may be called: US,GB.")] = "",
    daily_spend: Annotated[str, typer.Option(help="Most that a day may cost.")] = "",
    concurrent: Annotated[
        int | None, typer.Option(min=1, max=MOST_AT_ONCE, help="Calls at once.")
    ] = None,
    billing_code_required: Annotated[bool, typer.Option(help="No call without a code.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Create a customer.

    Without --regions only the home country of each user can be called.

    Example: callgate customer add "Hill & Co" --currency GBP --regions GB,US --daily-spend 50
    """
    from call_core.administration import AddCustomer

    asked = AddCustomer(
        name=name,
        currency=currency.upper(),
        plan=plan.value,
        credit_limit_micros=amount(credit_limit, "--credit-limit"),
        tariff=tariff,
        regions=tuple(part.strip().upper() for part in regions.split(",") if part.strip()),
        daily_spend_micros=amount(daily_spend, "--daily-spend") if daily_spend else None,
        concurrent_calls=concurrent,
        billing_code_required=billing_code_required,
    )
    administer(config, asked, as_json=as_json)


@users.command("add")
@command
def add_user(
    customer: Whose,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.MEMBER,
    timezone: Annotated[str, typer.Option(help="IANA name, for times that are said.")] = "UTC",
    country: Annotated[str, typer.Option(help="Where numbers without + are.")] = "US",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Create a user and print the API token, which is shown this once only.

    Example: callgate user add "Hill & Co" Ada --timezone Europe/London --country GB
    """
    from call_core.administration import AddToken, AddUser
    from call_core.outcomes import Outcome
    from call_core.units.access import hash_of
    from gateway.operator_door import new_token
    from gateway.wiring import Core

    token = new_token()

    async def work(core: Core) -> Outcome:
        made = await ask(core, AddUser(customer, name, role.value, timezone, country.upper()))
        user_id = str(made.fields["user_id"])
        await ask(core, AddToken(user_id, hash_of(token), "first token"))
        return made

    outcome = with_core(config, work)
    print_outcome(outcome, as_json=as_json, token=token)
    if not as_json:
        print(f"API token, shown this once: {token}")


@users.command("password")
@command
def set_password(
    user: Who,
    *,
    password: Annotated[
        str, typer.Option(help="Visible to others on this machine; better leave it to be asked.")
    ] = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Set a user's password for the pages and for SMTP AUTH.

    Example: callgate user password Ada
    """
    from pwdlib import PasswordHash

    from call_core.administration import SetPassword

    if not password:
        if not is_terminal():
            raise CliError("There is nobody to ask for the password; give --password.", USAGE)
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    hashed = PasswordHash.recommended().hash(password)
    administer(config, SetPassword(user, hashed), as_json=as_json)


@phones.command("add")
@command
def add_phone(
    user: Who,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="office, cell, …")],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="With + and country code.")],
    *,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="You verified it; no key press for proven launches.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Put a phone on a user's file; the first one is the default.

    Example: callgate phone add Ada office "+44 20 7946 0018" --trusted
    """
    from call_core.administration import AddPhone

    administer(config, AddPhone(user, label, number, trusted), as_json=as_json)


@senders.command("add")
@command
def add_sender(
    user: Who,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="See `callgate channels`.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Put an address on a user's file: requests from it are the user's.

    A pager (snpp, wctp) gets a secret to log in with, and a desktop (packet, with a label of your
    own as its address) a token for `callgate dial --setup`; both are shown this once only.

    Example: callgate sender add Ada smtp ada@hill.example
    """
    from call_core.administration import AddSender
    from call_core.outcomes import Outcome
    from channels.kit.pager_login import (
        PAGER_CHANNELS,
        new_pager_secret,
        normal_address,
        secret_hash,
    )
    from gateway.wiring import Core

    if channel == "packet":
        _add_device(user, address, config, as_json=as_json)
        return
    if channel not in PAGER_CHANNELS:
        address = _as_it_comes_in(channel, address)
        administer(config, AddSender(user, channel, address), as_json=as_json)
        return
    address, secret = normal_address(address), new_pager_secret()
    asked = AddSender(user, channel, address, secret_hash(channel, address, secret))

    async def work(core: Core) -> Outcome:
        return await ask(core, asked)

    print_outcome(with_core(config, work), as_json=as_json, secret=secret)
    if not as_json:
        print(f"Secret of this pager, shown this once: {secret}")


def _as_it_comes_in(channel: str, address: str) -> str:
    """Return a telephone number as text messages come in from it, other addresses unchanged."""
    from channels.kit.registry import channel_classes
    from channels.kit.sms_in import ID_SPACE, phone_address

    made = channel_classes().get(channel)
    return phone_address(address) if made is not None and made.id_space == ID_SPACE else address


def _add_device(user: str, label: str, config: Path | None, *, as_json: bool) -> None:
    """Make the token of a desktop. It is known by its key, so it has no sender's address."""
    from call_core.administration import AddToken
    from call_core.outcomes import Outcome
    from call_core.units.access import DEVICE_LABEL, hash_of
    from gateway.operator_door import new_token
    from gateway.wiring import Core

    token = new_token()

    async def work(core: Core) -> Outcome:
        return await ask(core, AddToken(user, hash_of(token), f"{DEVICE_LABEL}{label}"))

    print_outcome(with_core(config, work), as_json=as_json, token=token)
    if not as_json:
        print(f"Token of this device, shown this once: {token}")


@command
def topup(
    customer: Whose,
    money: Annotated[str, typer.Argument(metavar="AMOUNT", help="In the customer's currency.")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Credit a customer with money received.

    Example: callgate topup "Hill & Co" 25.00
    """
    from call_core.administration import TopUp

    administer(config, TopUp(customer, amount(money, "AMOUNT")), as_json=as_json)


class FreezeKind(StrEnum):
    """What is frozen."""

    CUSTOMER = "customer"
    USER = "user"
    PREFIX = "prefix"
    ALL = "all"


Target = Annotated[
    str, typer.Argument(metavar="CUSTOMER|USER|PREFIX|all", help="A name, an id, +44…, or all.")
]
Kind = Annotated[
    FreezeKind | None, typer.Option(help="What the target is, where a name could be either.")
]


@command
def freeze(
    target: Target,
    *,
    live: Annotated[bool, typer.Option("--live", help="Hang up running calls too.")] = False,
    kind: Kind = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Let nothing launch for a customer, a user, a prefix, or everybody.

    Example: callgate freeze +252 --live
    """
    from call_core.administration import Freeze

    _first_that_fits(
        [Freeze(each, target, live) for each in _kinds(kind, target)], config, as_json=as_json
    )


@command
def unfreeze(
    target: Target, *, kind: Kind = None, config: Config = None, as_json: Json = False
) -> None:
    """Undo `freeze`.

    Example: callgate unfreeze +252
    """
    from call_core.administration import Unfreeze

    _first_that_fits(
        [Unfreeze(each, target) for each in _kinds(kind, target)], config, as_json=as_json
    )


def _first_that_fits(
    asked: "Sequence[Administration]", config: Path | None, *, as_json: bool
) -> None:
    """Ask one after the other until one knows its target; refuse as the first one did."""
    from call_core.outcomes import Outcome
    from gateway.wiring import Core

    async def work(core: Core) -> Outcome:
        refusals = []
        for each in asked:
            try:
                return await ask(core, each)
            except CliError as error:
                refusals.append(error)
                if error.details.get("code") not in _UNKNOWN:
                    raise
        raise refusals[0]

    print_outcome(with_core(config, work), as_json=as_json)


def _kinds(said: FreezeKind | None, target: str) -> list[str]:
    """Return what a target may be, likeliest first."""
    if said is not None:
        return [said.value]
    if target == "all":
        return ["all"]
    if target.removeprefix("+").isdigit():
        return ["prefix"]
    return ["customer", "user"]


def amount(text: str, option: str) -> int:
    """Return an amount in micros.

    Raises:
        CliError: it is not one.
    """
    from call_core.money import parse_amount

    try:
        return parse_amount(text)
    except ValueError as error:
        raise CliError(f"{option}: {error}", USAGE) from error
