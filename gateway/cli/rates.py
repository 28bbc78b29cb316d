"""`rates load`: a carrier's price list into a tariff."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.common import (
    FAILED,
    USAGE,
    CliError,
    Config,
    Json,
    answer,
    command,
    is_terminal,
    note,
)
from gateway.cli.core import ask, with_core

if TYPE_CHECKING:
    from call_core.rating.deck_changes import DeckChanges
    from gateway.deck_load import Loaded
    from gateway.wiring import Core

rates = typer.Typer(help="Rate decks: what calls cost.", no_args_is_help=True)
_SHOWN_BAD_ROWS = 50


@rates.command("load")
@command
def load(
    tariff: Annotated[str, typer.Argument(metavar="TARIFF")],
    deck: Annotated[Path, typer.Argument(metavar="DECK.CSV", exists=True, dir_okay=False)],
    *,
    currency: Annotated[str, typer.Option(help="ISO 4217 code of every price.")] = "USD",
    timezone: Annotated[str, typer.Option(help="IANA zone of days, hours and dates.")] = "UTC",
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="A carrier's header: prefix=Code")
    ] = None,
    encoding: Annotated[str, typer.Option(help="How the file is encoded.")] = "utf-8-sig",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; put it in force.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Load a rate deck, show what changes, and put it in force after a yes.

    All or nothing: every bad row is reported with its line, and then nothing is in force.

    Example: callgate rates load standard deck.csv --currency GBP --map prefix=Code --yes
    """

    async def work(core: "Core") -> None:
        loaded = await _read(core, tariff, deck, currency.upper(), timezone, columns, encoding)
        if not loaded.version:
            raise _refusal(loaded, deck)
        assert loaded.changes is not None
        data = _data(tariff, loaded)
        if not yes:
            note(_changes(loaded.changes))
            _confirm(tariff, as_json=as_json)
        from call_core.administration import ActivateDeck

        await ask(core, ActivateDeck(tariff, loaded.version))
        answer({"ok": True, **data}, _done(tariff, loaded), as_json=as_json)

    columns = _columns(mapping or [])
    _check_encoding(encoding)
    with_core(config, work)


async def _read(
    core: "Core",
    tariff: str,
    deck: Path,
    currency: str,
    timezone: str,
    columns: dict[str, str],
    encoding: str,
) -> "Loaded":
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn

    from gateway.deck_load import TariffDiffersError, load_deck

    size = deck.stat().st_size  # noqa: ASYNC240  (one local file, nothing else runs)
    with (
        deck.open("rb") as raw,
        io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="") as file,
        Progress(
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as bar,
    ):
        task = bar.add_task("Reading", total=size)

        async def progress(rows: int) -> None:
            bar.update(task, completed=raw.tell(), description=f"{rows:,} rows")

        try:
            return await load_deck(
                core.store,
                tariff,
                file,
                currency=currency,
                timezone=timezone,
                mapping=columns,
                progress=progress,
            )
        except (TariffDiffersError, ValueError) as error:
            raise CliError(str(error)) from error
        except OSError as error:
            raise CliError(f"{deck} cannot be read: {error.strerror}.") from error


def _columns(mapping: list[str]) -> dict[str, str]:
    """Return `--map` options as our column name to the carrier's."""
    columns = {}
    for pair in mapping:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise CliError(f"--map {pair}: write it as OURS=THEIRS, like prefix=Code.", USAGE)
        columns[ours.strip()] = theirs.strip()
    return columns


def _check_encoding(encoding: str) -> None:
    try:
        "text".encode(encoding)
    except (LookupError, ValueError) as error:
        raise CliError(
            f"--encoding {encoding}: there is no such encoding; write one like utf-8 or latin-1.",
            USAGE,
        ) from error


def _refusal(loaded: "Loaded", deck: Path) -> CliError:
    if not loaded.bad:
        return CliError(f"{deck} has no rows, so nothing was loaded.")
    for row in loaded.bad[:_SHOWN_BAD_ROWS]:
        where = f", {row.column} {row.value!r}" if row.column else f", {row.value!r}"
        note(f"{deck}:{row.line}{where}: {row.reason}")
    rest = len(loaded.bad) - _SHOWN_BAD_ROWS
    if rest > 0:
        note(f"… and {rest} more; --json lists them all")
    bad: list[dict[str, Any]] = [
        {"line": row.line, "column": row.column, "value": row.value, "reason": row.reason}
        for row in loaded.bad
    ]
    sentence = f"{len(loaded.bad)} bad rows in {deck}, so nothing was loaded; correct them."
    return CliError(sentence, FAILED, code="bad_rows", bad_rows=bad)


def _confirm(tariff: str, *, as_json: bool) -> None:
    if as_json or not is_terminal():
        raise CliError("Nobody can be asked here; say --yes to put the deck in force.", USAGE)
    if not typer.confirm(f"Put it in force as {tariff}?", err=True):
        raise CliError("Nothing was changed.")


def _changes(changes: "DeckChanges") -> str:
    from call_core.money import format_amount

    lines = [
        (
            f"new {changes.new}, dearer {changes.increased}, cheaper {changes.decreased}, "
            f"no longer sold {changes.closed}, unchanged {changes.unchanged}"
        )
    ]
    for rise in changes.largest_increases:
        share = "" if rise.increase_basis_points is None else _percent(rise.increase_basis_points)
        old = format_amount(rise.old_price_micros_per_minute)
        new = format_amount(rise.new_price_micros_per_minute)
        lines.append(f"  dearer: {rise.prefix} {rise.destination}: {old} -> {new} {share}".rstrip())
    return "\n".join(lines)


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"(+{whole}.{rest:02} %)"


def _data(tariff: str, loaded: "Loaded") -> dict[str, Any]:
    import dataclasses

    assert loaded.changes is not None
    return {
        "tariff": tariff,
        "version": loaded.version,
        "rows": loaded.rows,
        "changes": dataclasses.asdict(loaded.changes),
    }


def _done(tariff: str, loaded: "Loaded") -> str:
    return f"{tariff}: {loaded.rows:,} rows in force, version {loaded.version}."
