"""`demo`: the whole service on this machine, one call by every channel, bills compared."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.common import FAILED, OK, CliError, Json, command, run_async

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.demo.bills import Compared
    from gateway.demo.set_up import Settled
    from gateway.server import Running


@command
def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End after the calls; do not stay up.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where it lives; made anew at every start.", show_default="var/demo, or beside it"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start everything with simulated phones and launch one call through every channel.

    Each call goes over its channel's real protocol on loopback; the bills are compared field by
    field. Then the service stays up until Ctrl-C. With --once the exit status is 0 only when
    every bill is equal.

    Example: callgate demo --once --json
    """
    import json

    from rich.console import Console

    from gateway import logs
    from gateway.demo import report
    from gateway.demo.run import NotADemoError, run
    from gateway.settings_sections import LogSettings

    logs.configure(LogSettings(level="warning"))

    def tell(service: "Running", ada: "Settled", compared: "Sequence[Compared]") -> None:
        if as_json:
            print(json.dumps(report.data(service, ada, compared), ensure_ascii=False), flush=True)
        else:
            report.show(service, ada, compared, Console())

    try:
        equal = run_async(lambda: run(folder, tell, once=once))
    except NotADemoError as error:
        raise CliError(str(error)) from error
    raise SystemExit(OK if equal or not once else FAILED)
