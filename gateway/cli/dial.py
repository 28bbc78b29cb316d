"""`dial`: the desktop client. One small packet launches, one answers; then the call is followed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.common import CONFIGURATION, USAGE, CliError, Json, answer, command, note
from gateway.printable import printable, printable_line

if TYPE_CHECKING:
    from channels.packet.client import PacketClient
    from gateway.dial.device_file import Device
    from parsers.packet import PacketAnswer

DeviceConfig = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="Instead of ~/.config/callgate/device.toml."
    ),
]


def complete_name(incomplete: str) -> list[str]:
    """Return names of the directory for the shell, from the list that `--names` fetched."""
    from gateway.dial.device_file import names_behind

    return names_behind(file_of(None), incomplete)


@command
def dial(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT…",
            help="A name, a number, any line of the grammar; with --join and --setup the server.",
            autocompletion=complete_name,
        ),
    ] = None,
    *,
    join: Annotated[
        str, typer.Option(metavar="CODE", help="Set this desktop up by the code of `device`.")
    ] = "",
    label: Annotated[
        str, typer.Option(metavar="NAME", help="With --join: what you will know it by.")
    ] = "",
    url: Annotated[
        str, typer.Option(metavar="URL", help="With --join: where the gateway's pages are.")
    ] = "",
    setup: Annotated[
        str, typer.Option(metavar="TOKEN", help="Set this desktop up; - asks for the token.")
    ] = "",
    hang_up: Annotated[
        bool, typer.Option("--hangup", help="End the running call; TEXT may be its ref.")
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Fetch the directory for the shell's completion.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Follow the call until it is over.")
    ] = True,
    config: DeviceConfig = None,
    as_json: Json = False,
) -> None:
    """Call from this desktop by one small UDP packet; no browser, no log-in.

    Your own phone rings first, then the other. A status line follows the call; Ctrl-C leaves
    the call running, `callgate dial --hangup` ends it. A packet that is lost is sent again,
    and a command that arrives twice launches once.

    Set up once. Write `device` on a channel that knows you (mail, the page of phones), and within
    ten minutes: callgate dial --join CODE SERVER[:4445]. The key comes over the gateway's pages,
    on port 8080 of this machine or by https; name others with --url. Or with a token that the
    operator made (callgate sender add USER packet LABEL): callgate dial --setup TOKEN SERVER

    Exit status: 0 done, 1 refused or not answered, 2 wrong usage, 3 not set up.

    Example: callgate dial "conf mom, bob"
    """
    file, line = file_of(config), " ".join(text or ())
    if join:
        _join(file, join, line, url=url, label=label, as_json=as_json)
    elif setup:
        _set_up(file, setup, line, as_json=as_json)
    elif names:
        _fetch_names(file, as_json=as_json)
    elif hang_up:
        _dial(file, f"hangup {line}".strip(), watch=False, as_json=as_json)
    elif line:
        _dial(file, line, watch=watch and not as_json, as_json=as_json)
    else:
        raise CliError("Say whom to call, as in `callgate dial mom`; --help says more.", USAGE)


def file_of(config: Path | None) -> Path:
    """Return where the device's file is."""
    import os

    from gateway.dial.device_file import default_file

    return config or default_file(os.environ, Path.home())


def _set_up(file: Path, token: str, server: str, *, as_json: bool) -> None:
    from gateway.dial.device_file import Device, DeviceFileError, server_of, write

    if not server:
        raise CliError("Name the server too: callgate dial --setup TOKEN SERVER[:PORT].", USAGE)
    if token == "-":  # noqa: S105  (the usual sign for standard input)
        token = typer.prompt("Token", hide_input=True, err=True)
    try:
        write(file, Device(*server_of(server), token.strip()))
    except DeviceFileError as error:
        raise CliError(str(error), CONFIGURATION) from error
    told = f"Written to {file}. Try: callgate dial balance"
    answer({"ok": True, "file": str(file)}, told, as_json=as_json)


def _join(file: Path, code: str, server: str, *, url: str, label: str, as_json: bool) -> None:
    import socket
    from dataclasses import replace

    from gateway.cli.common import run_async
    from gateway.dial import device_file, joining

    if not server:
        raise CliError("Name the server too: callgate dial --join CODE SERVER[:PORT].", USAGE)
    try:
        device = device_file.Device(*device_file.server_of(server), "", url)
        pages = device_file.url_of(device_file.page_url(device))
        device_file.make_folder(file)
        wanted = label or joining.label_of(socket.gethostname())
        joined = run_async(lambda: joining.join(pages, code, wanted))
        device_file.write(file, replace(device, token=joined.token, url=url and pages))
    except joining.JoinError as error:
        raise CliError(str(error)) from error
    except device_file.DeviceFileError as error:
        raise CliError(str(error), CONFIGURATION) from error
    told = f'This desktop is "{joined.label}" of {joined.user} now. Try: callgate dial balance'
    data = {"ok": True, "file": str(file), "user": joined.user, "label": joined.label}
    answer(data, told, as_json=as_json)


def device_of(file: Path) -> "Device":
    """Return what this desktop knows of its gateway.

    Raises:
        CliError: it was not set up, or its file cannot be used.
    """
    from gateway.dial.device_file import DeviceFileError, read

    try:
        return read(file)
    except DeviceFileError as error:
        raise CliError(str(error), CONFIGURATION) from error


def _client(file: Path) -> "PacketClient":
    from channels.packet.client import PacketClient, Server
    from gateway.clocks import WallClock

    device = device_of(file)
    return PacketClient(Server(device.host, device.port), device.token, WallClock().now_ms)


def _run(work: Any) -> Any:  # noqa: ANN401  (a coroutine function, and what it returns)
    """Run to the end, with what a client may meet as one sentence."""
    from call_core.errors import ParseError
    from channels.packet.errors import NoAnswerError
    from gateway.cli.common import run_async

    try:
        return run_async(work)
    except NoAnswerError as error:
        raise CliError(str(error)) from error
    except ParseError as error:
        limit = error.fields.get("limit")
        raise CliError(f"That is too long; a packet holds {limit} octets of text.") from error
    except OSError as error:
        raise CliError(f"The server cannot be reached ({error}).") from error


def _fetch_names(file: Path, *, as_json: bool) -> None:
    from gateway.dial.device_file import DeviceFileError, write_names

    client = _client(file)
    found = _run(client.names)
    try:
        write_names(file, found)
    except DeviceFileError as error:
        raise CliError(str(error), CONFIGURATION) from error
    told = f"{len(found)} names are ready for completion (callgate --install-completion)."
    answer({"ok": True, "names": found}, told, as_json=as_json)


def _dial(file: Path, line: str, *, watch: bool, as_json: bool) -> None:
    from parsers.packet import CallState, Status

    client = _client(file)

    async def ask() -> "PacketAnswer":
        return await client.ask(line)

    told = _run(ask)
    if told.status in {Status.REFUSED, Status.CLOCK}:
        raise CliError(told.text, status_name=told.status.name.lower(), ref=told.ref)
    data = {
        "ok": True,
        "status": told.status.name.lower(),
        "ref": told.ref,
        "text": told.text,
        "clock_ahead_ms": client.clock_ahead_ms,
    }
    answer(data, told.text, as_json=as_json)
    if watch and told.status is Status.LAUNCHED and told.state is CallState.LIVE:
        _watch(client, told.ref)


def _watch(client: "PacketClient", ref: str) -> None:
    """Show one line of status until the call is over; Ctrl-C leaves it running."""
    import asyncio
    import shutil
    import sys

    from gateway.dial.follow import follow

    is_terminal = sys.stdout.isatty()

    def show(line: str) -> None:
        # A line that wraps could not be overwritten.
        line = printable_line(line)
        line = line[: shutil.get_terminal_size().columns - 1] if is_terminal else line
        print(f"\r\x1b[K{line}" if is_terminal else line, end="" if is_terminal else "\n")
        sys.stdout.flush()

    try:
        over = _run(lambda: follow(client, ref, show, asyncio.sleep))
    except KeyboardInterrupt:
        note(f"\nThe call goes on. `callgate dial --hangup {ref}` ends it.")
        return
    if is_terminal:
        print()
    print(printable(over.text))
