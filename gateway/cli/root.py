"""All commands of `callgate`, put together. Only typer is imported before a command runs."""

from typing import Annotated

import typer

from gateway.cli import (
    calls,
    demo,
    desk,
    dial,
    directory,
    drill,
    init,
    people,
    rates,
    records,
    routes,
    system,
)

EPILOG = (
    "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 settings, 4 database. "
    "Every command takes --json and --config FILE."
)

app = typer.Typer(
    name="callgate",
    help="Launch telephone calls and conferences from any channel, and bill them all alike.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_SERVICE, _PEOPLE, _CALLS = "Service", "Customers and users", "Calls and money"


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Launch telephone calls and conferences from any channel, and bill them all alike."""
    if version:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as installed

        try:
            print(installed("callgate"))
        except PackageNotFoundError:
            print("0 (not installed)")
        raise typer.Exit
    del context


app.command("init", rich_help_panel=_SERVICE)(init.init)
app.command("serve", rich_help_panel=_SERVICE)(system.serve)
app.command("accept", rich_help_panel=_SERVICE)(system.accept)
app.command("drill", rich_help_panel=_SERVICE)(drill.drill)
app.command("simulate", rich_help_panel=_SERVICE)(system.simulate)
app.command("demo", rich_help_panel=_SERVICE)(demo.demo)
app.add_typer(system.database, name="db", rich_help_panel=_SERVICE)
app.command("doctor", rich_help_panel=_SERVICE)(system.doctor)
app.command("channels", rich_help_panel=_SERVICE)(system.channels)
app.command("backup", rich_help_panel=_SERVICE)(system.backup)
app.command("restore", rich_help_panel=_SERVICE)(system.restore)
app.add_typer(people.customers, name="customer", rich_help_panel=_PEOPLE)
app.add_typer(people.users, name="user", rich_help_panel=_PEOPLE)
app.add_typer(people.phones, name="phone", rich_help_panel=_PEOPLE)
app.add_typer(people.senders, name="sender", rich_help_panel=_PEOPLE)
app.add_typer(directory.directory, name="directory", rich_help_panel=_PEOPLE)
app.command("freeze", rich_help_panel=_PEOPLE)(people.freeze)
app.command("unfreeze", rich_help_panel=_PEOPLE)(people.unfreeze)
app.add_typer(rates.rates, name="rates", rich_help_panel=_CALLS)
app.add_typer(routes.routes, name="routes", rich_help_panel=_CALLS)
app.command("topup", rich_help_panel=_CALLS)(people.topup)
app.command("call", rich_help_panel=_CALLS)(calls.call)
app.command("dial", rich_help_panel=_CALLS)(dial.dial)
app.command("desk", rich_help_panel=_CALLS)(desk.desk)
app.add_typer(calls.calls, name="calls", rich_help_panel=_CALLS)
app.add_typer(records.cdrs, name="cdrs", rich_help_panel=_CALLS)
app.add_typer(records.ledger, name="ledger", rich_help_panel=_CALLS)
