"""`directory`: the names that everybody of a customer can call."""

from typing import Annotated

import typer

from gateway.cli.common import USAGE, CliError, Config, Json, command
from gateway.cli.core import administer
from gateway.cli.people import Whose

directory = typer.Typer(help="Names that everybody of a customer can call.", no_args_is_help=True)
EntryName = Annotated[str, typer.Argument(metavar="NAME", help="What is called: `call NAME`.")]


@directory.command("save")
@command
def save(
    customer: Whose,
    name: EntryName,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="With + and country code.")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Keep a number under a name for all users of a customer; an older one is replaced.

    Example: callgate directory save "Hill & Co" reception "+44 20 7946 0018"
    """
    from call_core.administration import SaveEntry
    from parsers.grammar import is_saveable_name

    if not is_saveable_name(name):
        raise CliError(f"{name!r} is a command or a number; choose another name.", USAGE)
    administer(config, SaveEntry(customer, name, number), as_json=as_json)


@directory.command("forget")
@command
def forget(
    customer: Whose, name: EntryName, *, config: Config = None, as_json: Json = False
) -> None:
    """Remove a name that all users of a customer could call.

    Example: callgate directory forget "Hill & Co" reception
    """
    from call_core.administration import ForgetEntry

    administer(config, ForgetEntry(customer, name), as_json=as_json)
