"""`desk`: the desktop client as a window of the terminal. It needs the extra `tui`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.common import CONFIGURATION, FAILED, CliError, Json, command, run_async
from gateway.cli.dial import DeviceConfig, device_of, file_of


@command
def desk(
    *,
    url: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Where the gateway's pages are; remembered for next time."
        ),
    ] = "",
    config: DeviceConfig = None,
    as_json: Json = False,
) -> None:
    """Call from a window of this terminal: your phones, the directory, the running call.

    Type a name or a number and press Enter: your own phone rings first. Mark several names (F4)
    and Enter confers. The running call shows its roster and cost; F5 hangs up, F6 adds whoever is
    chosen, F7, F8 and F9 mute, drop and redial the party under the cursor. Any line of the
    grammar can be typed; one that begins with a colon is never taken for a name.

    A question is answered by its digit, or left open with Escape.

    Set up once as for `callgate dial`, by `callgate dial --join CODE SERVER`. Pages elsewhere than
    on port 8080 of this machine, or https of the server, are named once with --url.

    Exit status: 0 left by Ctrl-Q, 1 no window possible here, 3 not set up.

    Example: callgate desk --url https://gw.example
    """
    del as_json  # a window prints nothing; its errors are told as everywhere
    try:
        import textual
    except ImportError:
        raise CliError(
            "The window needs textual: pip install 'callgate[tui]', or pip install textual.", FAILED
        ) from None
    del textual
    file = file_of(config)
    device = device_of(file)
    if url:
        _remember(file, url)
        device = device_of(file)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("The window needs a terminal; `callgate dial` works without one.", FAILED)

    from gateway.dial.device_file import page_url

    _open(page_url(device), device.token)


def _remember(file: Path, url: str) -> None:
    from gateway.dial.device_file import DeviceFileError, url_of, write

    try:
        write(file, replace(device_of(file), url=url_of(url)))
    except DeviceFileError as error:
        raise CliError(str(error), CONFIGURATION) from error


def _open(url: str, token: str) -> None:
    from gateway.desk.client import DeskClient
    from gateway.desk.window import Desk

    async def run() -> None:
        client = DeskClient(url, token)
        try:
            await Desk(client).run_async()
        finally:
            await client.close()

    run_async(run)
