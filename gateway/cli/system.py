"""`serve`, `db upgrade`, `doctor`, `channels`, `backup`, `restore`."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.common import (
    CONFIGURATION,
    DATABASE,
    FAILED,
    OK,
    CliError,
    Config,
    Json,
    answer,
    command,
    load,
    run_async,
)

if TYPE_CHECKING:
    from gateway.acceptor import Accepting
    from gateway.doctor import Finding
    from gateway.server import Running
    from gateway.settings import Settings
    from gateway.wiring import Core

database = typer.Typer(help="The database.", no_args_is_help=True)


@command
def serve(*, config: Config = None, as_json: Json = False) -> None:
    """Run the service until SIGTERM or Ctrl-C, which drains it.

    It never creates a database: `callgate init` and `callgate db upgrade` do.

    Example: callgate serve --config /etc/callgate/callgate.toml
    """
    import os

    from gateway import logs, server
    from gateway.serve_lock import AlreadyServedError, serving
    from gateway.settings_file import load_settings

    settings = load_settings(config, os.environ)
    logs.configure(settings.logs)
    need_database(settings)

    def announce(service: "Running") -> None:
        answer(_started(service), _banner(service), as_json=as_json)

    try:
        with serving(settings):
            run_async(lambda: server.serve(settings, announce))
    except AlreadyServedError as error:
        raise CliError(str(error), CONFIGURATION) from error


@command
def accept(
    name: Annotated[
        str, typer.Argument(help="Of this process, another for each that runs at once.")
    ] = "1",
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take mail beside `callgate serve`, on its port and its database, until SIGTERM or Ctrl-C.

    For more mail than one processor can take. It needs smtp.reuse_port, and keeps what it takes
    for `callgate serve` to do.

    Example: callgate accept 1
    """
    import os

    from gateway import acceptor, logs
    from gateway.settings_file import load_settings

    settings = load_settings(config, os.environ)
    logs.configure(settings.logs)
    need_database(settings)

    def announce(service: "Accepting") -> None:
        listening = list(service.channel.listening())
        data = {"ok": True, "listening": listening}
        answer(data, f"Taking mail at {', '.join(listening)}", as_json=as_json)

    run_async(lambda: acceptor.accept(settings, name, announce))


@command
def simulate(
    name: Annotated[str, typer.Argument(metavar="SWITCH", help="Its name in [switches].")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Run a simulated switch as a process of its own, which several nodes share.

    It needs `switches.SWITCH.socket`. Running calls are kept in its file, so it may be killed.

    Example: callgate simulate ny
    """
    import asyncio
    import os

    from gateway import logs, server, wiring
    from gateway.settings_file import load_settings

    settings = load_settings(config, os.environ)
    logs.configure(settings.logs)

    def ready(socket: Path) -> None:
        data = {"ok": True, "switch": name, "socket": str(socket)}
        answer(data, f"Switch {name} at {socket}", as_json=as_json)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        with server.stop_on_signals(stop):
            serving = asyncio.ensure_future(wiring.simulate(settings, name, ready))
            stopping = asyncio.ensure_future(stop.wait())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not serving.done():
                serving.cancel()
            await asyncio.gather(stopping, return_exceptions=True)
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    run_async(until_stopped)


def need_database(settings: "Settings") -> None:
    """Raise `CliError` unless the SQLite file is there; a server is asked when it is opened."""
    file = settings.database_file()
    if file is not None and not file.is_file():
        raise CliError(
            f"There is no database at {file}; `callgate init` sets everything up, "
            "`callgate db upgrade` makes an empty one.",
            DATABASE,
        )


def _started(service: "Running") -> dict[str, Any]:
    return {
        "ok": True,
        "database": service.settings.shown_database(),
        "switch": ", ".join(service.settings.switch_kinds()),
        "listening": service.listening(),
    }


def _banner(service: "Running") -> str:
    settings = service.settings
    lines = [
        f"Database   {settings.shown_database()}",
        f"Settings   {settings.file or 'defaults (no callgate.toml)'}",
        f"Switch     {', '.join(settings.switch_kinds())}",
        *(f"Listening  {each}" for each in service.listening()),
    ]
    if settings.simulated:
        lines.append("The switch is the simulator: no telephone rings, and every text says TEST.")
    return "\n".join(lines)


@database.command("upgrade")
@command
def upgrade(*, config: Config = None, as_json: Json = False) -> None:
    """Bring the database to this version; make it when there is none.

    Take a backup first: there is no way back but a backup.

    Example: callgate db upgrade
    """
    settings = load(config)
    before, after = upgrade_database(settings)
    where = settings.shown_database()
    text = f"{where} is at revision {after}" + (
        f" (was {before or 'empty'})." if before != after else " already."
    )
    answer({"ok": True, "database": where, "before": before, "after": after}, text, as_json=as_json)


def upgrade_database(settings: "Settings") -> tuple[str | None, str]:
    """Upgrade and return the revisions before and after."""
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from call_core.storage import migrate

    _make_folder(settings)
    where = settings.shown_database()
    try:
        before = migrate.current(settings.database_url())
        return before, migrate.upgrade(settings.database_url())
    except (SQLAlchemyError, OSError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise CliError(f"{where} cannot be upgraded: {reason}.", DATABASE) from error
    except CommandError as error:
        raise CliError(f"{where} is another version's: {error}.", DATABASE) from error


def _make_folder(settings: "Settings") -> None:
    """Make the folder of a SQLite database."""
    file = settings.database_file()
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(
            f"The database's folder {file.parent} cannot be made ({error.strerror}); make it, or "
            "set another database.url.",
            DATABASE,
        ) from error


@command
def doctor(
    *,
    settings_list: Annotated[
        bool, typer.Option("--settings", help="List every setting instead.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Look whether everything is there that `serve` needs, and say what to do where it is not.

    Exit status 0: serve would start. 1: it would not, or not well.

    Example: callgate doctor
    """
    if settings_list:
        _list_settings(as_json=as_json)
        return
    from gateway.clocks import WallClock
    from gateway.doctor import Level, examine

    settings = load(config)
    findings = list(examine(settings, WallClock(), lambda: database_finding(settings)))
    if settings.many_nodes and not any(f.name == "database" and f.advice for f in findings):
        findings.append(shards_finding(config))
    bad = sum(each.level == Level.BAD for each in findings)
    data = [
        {"name": f.name, "level": f.level.value, "detail": f.detail, "advice": f.advice}
        for f in findings
    ]
    text = "\n".join(_line(each) for each in findings)
    answer({"ok": not bad, "findings": data}, text, as_json=as_json)
    raise SystemExit(FAILED if bad else OK)


def _line(finding: "Finding") -> str:
    mark = {"ok": "ok  ", "warning": "WARN", "bad": "BAD "}[finding.level.value]
    line = f"{mark}  {finding.name}: {finding.detail}"
    return f"{line}\n      -> {finding.advice}" if finding.advice else line


def database_finding(settings: "Settings") -> "Finding":
    """Look whether the database is there and at this version."""
    from call_core.storage import migrate
    from gateway.doctor import Finding, Level

    where, file = settings.shown_database(), settings.database_file()
    if file is not None and not file.is_file():
        return Finding(
            "database", Level.BAD, f"none at {where}", "callgate init, or callgate db upgrade"
        )
    try:
        found = migrate.current(settings.database_url())
    except Exception as error:  # noqa: BLE001  (whatever it is, the operator must read it)
        reason = str(error.__cause__ or error).splitlines()[0]
        return Finding("database", Level.BAD, f"{where}: {reason}", "Check database.url.")
    if found != migrate.head():
        detail = f"{where} is at revision {found or 'none'}, this version needs {migrate.head()}"
        return Finding("database", Level.BAD, detail, "callgate db upgrade")
    return Finding("database", Level.OK, f"{where}, revision {found}")


def shards_finding(config: Path | None) -> "Finding":
    """Look which nodes drive the calls of the database now."""
    from gateway.cli.core import with_core
    from gateway.doctor import Finding, Level

    async def look(core: "Core") -> dict[str, int]:
        from call_core.engine.leases import owners

        return await core.store.read(owners, core.wall.now_ms())

    found = with_core(config, look)
    nobodys = found.pop("", 0)
    detail = ", ".join(f"{name} drives {count}" for name, count in sorted(found.items()))
    if nobodys or not found:
        advice = "Fine if no `callgate serve` runs; else wait for a lease, then read its log."
        return Finding(
            "shards", Level.WARNING, f"{nobodys} are nobody's; {detail or 'no node runs'}", advice
        )
    return Finding("shards", Level.OK, detail)


def _list_settings(*, as_json: bool) -> None:
    import dataclasses

    from gateway.settings_file import describe_settings, variable_of

    rows = describe_settings()
    data = [{**dataclasses.asdict(row), "variable": variable_of(row.key)} for row in rows]
    text = "\n".join(
        f"{row.key} = {row.default}\n    {row.type}. {row.description}" for row in rows
    )
    answer({"ok": True, "settings": data}, text, as_json=as_json)


@command
def channels(*, config: Config = None, as_json: Json = False) -> None:
    """List the ways in and out, what each can do, and where it listens.

    Example: callgate channels --json
    """
    from channels.kit.contract import Channel
    from channels.kit.registry import channel_classes
    from gateway.listeners import listeners

    settings = load(config)
    where = {each.name: f"{each.host}:{each.port}/{each.transport}" for each in listeners(settings)}
    data = [
        {
            "name": name,
            "enabled": settings.channel(name).enabled,
            "listens": where.get(name) or ("http" if made.routers is not Channel.routers else "-"),
            "about": made.about,
            "features": sorted(made.features),
        }
        for name, made in channel_classes().items()
    ]
    answer({"ok": True, "channels": data}, _channel_table(data), as_json=as_json)


def _channel_table(data: list[dict[str, Any]]) -> str:
    rows = [("CHANNEL", "ON", "LISTENS", "ABOUT")]
    rows += [
        (each["name"], "yes" if each["enabled"] else "no", each["listens"], each["about"])
        for each in data
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    )


@command
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Copy the database into a new file while the service runs, and verify the copy.

    Example: callgate backup /backups/callgate-2026-11-23.db
    """
    from call_core.storage import backup as backups

    settings = load(config)
    _report(backups.backup, settings.database_url(), file, as_json=as_json)


@command
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make the database out of a backup; nothing that was sent before is launched.

    The database of the settings must not exist yet. It starts frozen: calls and schedules of
    before the restore, which the lost hours may have made already, are held until
    `callgate unfreeze all`; new calls are launched.

    Example: callgate restore /backups/callgate-2026-11-23.db
    """
    from call_core.storage import backup as backups
    from gateway.clocks import WallClock

    settings = load(config)
    _make_folder(settings)
    now_ms = WallClock().now_ms()
    _report(
        lambda url, path: backups.restore(path, url, now_ms),
        settings.database_url(),
        file,
        as_json=as_json,
    )


def _report(work: Any, url: str, file: Path, *, as_json: bool) -> None:  # noqa: ANN401  (two functions of one shape)
    from call_core.errors import CallCoreError
    from gateway.cli.known_errors import reason_of

    try:
        report = work(url, file)
    except CallCoreError as error:
        raise CliError(f"{error}.", DATABASE) from error
    except OSError as error:
        raise CliError(f"{reason_of(error)}.", DATABASE) from error
    rows = sum(report.rows.values())
    text = f"{file}: revision {report.revision}, {rows:,} rows, verified."
    data = {"ok": True, "file": str(file), "revision": report.revision, "rows": report.rows}
    answer(data, text, as_json=as_json)
