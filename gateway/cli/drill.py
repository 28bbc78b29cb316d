"""`drill`: nodes, switches and the database die on this machine while calls are launched."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.common import FAILED, USAGE, CliError, Json, answer, command, note, run_async

if TYPE_CHECKING:
    from gateway.drill.drills import Result

_ROWS = (
    ("calls", "calls"),
    ("requests lost", "requests_lost"),
    ("calls doubled", "calls_doubled"),
    ("money wrong", "money_wrong"),
    ("calls cut", "calls_cut"),
    ("conferences", "conferences"),
    ("latest, s", "conferences_late_s"),
    ("s without new calls", "seconds_without_new_calls"),
    ("take-over, s", "take_over_s"),
)


@command
def drill(
    drills: Annotated[
        list[str] | None, typer.Argument(metavar="[DRILL]…", help="Which; all when left out.")
    ] = None,
    *,
    database: Annotated[
        str, typer.Option(help="URL of an empty PostgreSQL database; it is filled.")
    ] = "",
    restart_database: Annotated[
        str, typer.Option(help="Command that kills and restarts its server, for kill-database.")
    ] = "",
    fail_over: Annotated[
        str,
        typer.Option(
            help="Command that kills the primary and promotes its standby, for fail-over; the URL "
            "names both servers."
        ),
    ] = "",
    per_second: Annotated[float, typer.Option(min=0.1, help="Launches per second.")] = 4.0,
    folder: Annotated[
        Path | None, typer.Option(help="For settings and logs; emptied. Else a temporary one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start three nodes and three simulated sites here, let something die, count what it cost.

    Nothing of the real service is touched. The exit status is 0 only when no request was lost, no
    call doubled, no bill wrong, and no conference more than five seconds late.

    Example: callgate drill kill-node pull-sites --database postgresql:///drill
    """
    from gateway import logs
    from gateway.drill import drills as held
    from gateway.drill.service import DrillError
    from gateway.settings_sections import LogSettings

    logs.configure(LogSettings(level="warning"))
    if not database:
        raise CliError("Name an empty PostgreSQL database with --database.", USAGE)
    needs = {"kill-database": restart_database, "fail-over": fail_over}
    known = [name for name in held.DRILLS if needs.get(name, "-")]
    names = drills or known
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise CliError(f"There is no drill {unknown[0]}; there are {', '.join(known)}.", USAGE)

    def told(result: "Result") -> None:
        note(f"{result.drill}: {'good' if result.good else 'BAD'}")

    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary) / "drill"
        try:
            results = run_async(
                lambda: held.run(
                    place,
                    database,
                    names,
                    per_second=per_second,
                    restart_database=restart_database,
                    fail_over=fail_over,
                    told=told,
                )
            )
        except DrillError as error:
            raise CliError(str(error)) from error
    good = all(each.good for each in results)
    answer({"ok": good, "drills": held.as_data(results)}, _table(results), as_json=as_json)
    if not good:
        raise typer.Exit(FAILED)


def _table(results: "list[Result]") -> str:
    width = max(len(each.drill) for each in results) + 2
    lines = ["".join([" " * 20, *(f"{each.drill:>{width}}" for each in results)])]
    for label, name in _ROWS:
        values = [getattr(each, name) for each in results]
        shown = ["-" if value is None else str(value) for value in values]
        lines.append("".join([f"{label:<20}", *(f"{value:>{width}}" for value in shown)]))
    lines += [f"  {each.drill}: {detail}" for each in results for detail in each.details]
    return "\n".join(lines)
