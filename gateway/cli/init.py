"""`init`: from nothing to a first call in six answers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.common import (
    CONFIGURATION,
    USAGE,
    CliError,
    Config,
    Json,
    answer,
    command,
    is_terminal,
    load,
    note,
    run_async,
)

if TYPE_CHECKING:
    from gateway.first_run import Answers
    from gateway.settings import Settings
    from gateway.wiring import Core

TEST_SPEED = 20


@command
def init(
    *,
    customer: Annotated[str, typer.Option(help="1. Who pays: a company, a family.")] = "",
    currency: Annotated[str, typer.Option(help="2. ISO 4217 code of every amount.")] = "",
    name: Annotated[str, typer.Option(help="3. Your name.")] = "",
    mail: Annotated[str, typer.Option(help="4. The address you will write from.")] = "",
    phone: Annotated[str, typer.Option(help="5. The phone to ring first, with +.")] = "",
    timezone: Annotated[str, typer.Option(help="6. IANA zone; guessed from the phone.")] = "",
    country: Annotated[str, typer.Option(help="Two letters; else the phone's country.")] = "",
    test_call: Annotated[bool, typer.Option(help="End with a call on the simulator.")] = True,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Set everything up: settings, database, prices, the first customer, and a test call.

    Asks six questions; what is given as an option is not asked. Nothing that is there is
    overwritten. The API token is printed once.

    Example: callgate init --customer "Hill & Co" --currency GBP --name Ada
    --mail ada@hill.example --phone "+44 20 7946 0018" --timezone Europe/London
    """
    from gateway import first_run

    file = config or Path("callgate.toml")
    if file.exists():
        raise CliError(
            f"{file} exists and is not overwritten; remove it or name another.", CONFIGURATION
        )
    given = {
        "customer": customer,
        "currency": currency,
        "name": name,
        "mail": mail,
        "phone": phone,
        "timezone": timezone,
        "country": country,
    }
    answers = _answers(given)
    try:
        first_run.write_settings(file)
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}.", CONFIGURATION) from error
    settings = load(file, {"simulator": {"speed": TEST_SPEED}} if test_call else None)
    from gateway.cli.system import upgrade_database

    if (existing := settings.database_file()) is not None and existing.exists():
        raise CliError(f"There already is a database at {existing}.", CONFIGURATION)
    upgrade_database(settings)
    found = run_async(lambda: _set_up(settings, answers, test_call=test_call))
    if test_call:
        # The clock ran fast for the test call, which is over; the service begins with today's.
        settings.simulator.file.unlink(missing_ok=True)
    data = {"ok": True, "settings": str(file), "database": settings.shown_database(), **found}
    answer(data, _text(data), as_json=as_json)


async def _set_up(settings: "Settings", answers: "Answers", *, test_call: bool) -> dict[str, Any]:
    from gateway import first_run
    from gateway.wiring import open_core

    async with open_core(settings) as core:
        rows = await first_run.load_rates(core, answers.currency)
        user_id, token = await first_run.first_customer(core, answers)
        bill = []
        if test_call and settings.simulated:
            note("Calling on the simulator …")
            bill = await _test_call(core, user_id, answers.country)
    return {"user_id": user_id, "token": token, "rates": rows, "bill": bill}


async def _test_call(core: "Core", user_id: str, country: str) -> list[str]:
    from call_core.outcomes import Launched
    from gateway.cli.calls import bill_of, say
    from gateway.first_run import example_in

    await core.start()
    try:
        outcome = await say(core, user_id, f"call {example_in(country)} max 1 min")
        return await bill_of(core, outcome.call_id) if isinstance(outcome, Launched) else []
    finally:
        await core.stop()


def _answers(given: dict[str, str]) -> "Answers":
    """Return the answers, asking for what was not given."""
    from gateway import first_run

    customer = _one("customer", "Who pays (a company, a family)?", given, "", str.strip)
    currency = _one("currency", "In which currency?", given, "USD", first_run.check_currency)
    name = _one("name", "Your name?", given, "", str.strip)
    mail = _one("mail", "Your mail address?", given, "", first_run.check_mail)
    phone = _one("phone", "Your phone, with +?", given, "", first_run.check_phone)
    likely = first_run.timezone_of(phone)
    timezone = _one("timezone", "Your time zone?", given, likely, first_run.check_timezone)
    likely = first_run.country_of(phone)
    country = _given("country", given, first_run.check_country) or likely
    return first_run.Answers(customer, currency, name, mail, phone, timezone, country)


def _one(
    option: str, question: str, given: dict[str, str], default: str, check: Callable[[str], str]
) -> str:
    """Return one checked answer: the option's, else a person's, else the default."""
    if said := _given(option, given, check):
        return said
    if not is_terminal():
        if default:
            return check(default)
        raise CliError(f"There is nobody to ask; give --{option}.", USAGE)
    while True:
        said = typer.prompt(question, default=default or None, err=True)
        try:
            if checked := check(said):
                return checked
        except ValueError as error:
            note(str(error))


def _given(option: str, given: dict[str, str], check: Callable[[str], str]) -> str:
    """Return what an option says, checked; "" when it says nothing."""
    if not given[option]:
        return ""
    try:
        return check(given[option])
    except ValueError as error:
        raise CliError(f"--{option}: {error}", USAGE) from error


def _text(data: dict[str, Any]) -> str:
    lines = [
        f"Settings   {data['settings']}",
        f"Database   {data['database']}",
        f"Prices     {data['rates']:,} rows of the demo's deck; `callgate rates load` brings yours",
        f"API token  {data['token']}   (shown this once)",
    ]
    if data["bill"]:
        lines += ["The test call's bill:", *(f"  {line}" for line in data["bill"])]
    lines += ["", "Next: callgate user password USER, then callgate serve"]
    return "\n".join(lines)
