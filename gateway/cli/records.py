"""`cdrs export` and `ledger verify`: what was billed, and whether the books agree."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from gateway.cli.core import with_core

if TYPE_CHECKING:
    from call_core.contracts import Cdr
    from call_core.storage.transaction import Tx
    from gateway.wiring import Core

cdrs = typer.Typer(help="Call records.", no_args_is_help=True)
ledger = typer.Typer(help="The books.", no_args_is_help=True)


class Format(StrEnum):
    """What an export looks like."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


@cdrs.command("export")
@command
def export(
    since: Annotated[str, typer.Option(help="First day, or instant with zone (UTC).")] = "",
    form: Annotated[
        Format, typer.Option("--format", help="csv, xlsx, or json lines.")
    ] = Format.CSV,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", dir_okay=False, help="A file; else to the screen.")
    ] = None,
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Write call records, oldest first; telephone numbers stay text, no cell is a formula.

    Example: callgate cdrs export --since 2026-11-01 --format xlsx --out november.xlsx
    """
    since_ms = _instant(since)
    if form is Format.XLSX and out is None:
        raise CliError("An Excel file cannot go to the screen; name one with --out.", USAGE)

    shown = Format.JSON if as_json and out is None else form

    def written(tx: "Tx") -> int:
        from gateway.operator_reads import every_cdr

        return _write(every_cdr(tx, since_ms), shown, out)

    async def work(core: "Core") -> int:
        return await core.store.read(written)

    count = with_core(config, work)
    if out is not None:
        data = {"ok": True, "records": count, "file": str(out)}
        answer(data, f"{count:,} records in {out}.", as_json=as_json)


def _write(found: "Iterable[Cdr]", form: Format, out: Path | None) -> int:
    from gateway import exports

    write = exports.write_json if form is Format.JSON else exports.write_csv
    if out is None:
        return write(found, sys.stdout)
    try:
        if form is Format.XLSX:
            return exports.write_xlsx(found, out)
        with out.open("w", encoding="utf-8", newline="") as file:
            return write(found, file)
    except OSError as error:
        raise CliError(f"{out} cannot be written: {error.strerror or error}.") from error


def _instant(text: str) -> int:
    """Return `--since` in milliseconds; 0 when it was not said."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CliError(f"--since {text}: write it like 2026-11-01.", USAGE) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


@ledger.command("verify")
@command
def verify(*, config: Config = None, as_json: Json = False) -> None:
    """Replay every transfer and compare with the balances, and follow the audit's chains.

    Exit status 1 when something differs; the sentence names the account or the audit row.

    Example: callgate ledger verify
    """
    from rich.console import Console
    from rich.progress import Progress

    async def work(core: "Core") -> "tuple[int, list[str]]":
        from gateway import books

        with Progress(
            console=Console(stderr=True), transient=True, disable=not is_terminal()
        ) as bar:
            task = bar.add_task("Transfers", total=None)

            def progress(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            count, wrong = await core.store.read(books.verify, progress)
            bar.update(task, description="Audit", total=None)
            return count, wrong + await core.store.read(books.verify_audit)

    count, differences = with_core(config, work)
    if differences:
        for each in differences:
            note(each)
        raise CliError(
            f"Ledger or audit differ in {len(differences)} places; stop launching "
            "(`callgate freeze all`) and restore or investigate.",
            FAILED,
            transfers=count,
            differences=differences,
        )
    data = {"ok": True, "transfers": count, "differences": []}
    answer(
        data,
        f"{count:,} transfers replayed; every balance agrees, the audit is whole.",
        as_json=as_json,
    )
