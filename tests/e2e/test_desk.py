"""The window of `callgate desk` on a running gateway: its keys, its words, and the command."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, OptionList, Static

from channels.kit.contract import Identity
from gateway.desk.client import DeskClient, DeskError
from gateway.desk.question import QuestionScreen
from gateway.desk.window import Desk
from gateway.dial import device_file
from gateway.server import Running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
GENEROUS_S = 40.0
EVERY_S = 0.1


class Gateway(Protocol):
    """What these tests need of the fixture."""

    url: str
    identity: Identity
    service: Running


class Window:
    """The window as somebody before it sees it."""

    def __init__(self, desk: Desk, pilot: Pilot[None]) -> None:
        self.desk = desk
        self.pilot = pilot

    def text(self, where: str) -> str:
        """Return what a line says."""
        return str(self.desk.screen_stack[0].query_one(f"#{where}", Static).content)

    def names(self, where: str) -> list[str]:
        """Return the rows of a list."""
        rows = self.desk.screen_stack[0].query_one(f"#{where}", OptionList).options
        return [str(row.prompt) for row in rows]

    def roster(self) -> list[list[str]]:
        """Return who is in the call."""
        table = self.desk.screen_stack[0].query_one("#roster", DataTable)
        return [[str(cell) for cell in table.get_row_at(n)] for n in range(table.row_count)]

    async def type(self, words: str) -> None:
        """Write something on the line."""
        self.desk.screen_stack[0].query_one("#typed", Input).value = words
        await self.pilot.pause()

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait for something to be seen."""
        try:
            async with asyncio.timeout(GENEROUS_S):
                while not is_so():
                    await self.pilot.pause(0.05)
        except TimeoutError:
            lines = [self.text(line) for line in ("call", "said", "history")]
            raise AssertionError(f"never seen: {what}; {lines} {self.roster()}") from None

    async def until_said(self, where: str, *words: str) -> None:
        """Wait until a line has all the words."""
        await self.until(lambda: all(word in self.text(where) for word in words), str(words))


@asynccontextmanager
async def opened(gateway: Gateway, token: str = "") -> AsyncIterator[Window]:
    """Open the window without a terminal."""
    client = DeskClient(gateway.url, token or gateway.identity.token, between_tries_s=0.01)
    desk = Desk(client, EVERY_S)
    try:
        async with desk.run_test(size=(110, 32)) as pilot:
            yield Window(desk, pilot)
    finally:
        await client.close()


@pytest.fixture
async def window(gateway: Gateway) -> AsyncIterator[Window]:
    """Return the window, with its lists filled."""
    async with opened(gateway) as made:
        await made.until(lambda: len(made.names("to")) > 0, "names")
        yield made


async def test_a_call_from_the_first_letters_to_the_bill(window: Window) -> None:
    """Filter, Enter, roster, cost, hang up, history."""
    assert [row.split()[0] for row in window.names("from")] == ["office", "cell"]
    await window.type("mo")
    assert [row.split()[0] for row in window.names("to")] == ["mom"]
    await window.pilot.press("enter")
    await window.until_said("call", "connected", "USD", "paid until")
    assert [(row[1], row[2]) for row in window.roster()] == [
        ("office", "bridged"),
        ("mom", "bridged"),
    ]
    await window.pilot.press("f5")
    await window.until_said("call", "over")
    await window.until_said("history", "mom")


async def test_a_conference_of_marked_names_is_controlled(window: Window) -> None:
    """Marks, the chosen phone, mute, add, drop."""
    await window.pilot.press("f2", "down", "enter")
    for name in ("mom", "carol"):
        await window.type(name)
        await window.pilot.press("f4")
    await window.until_said("said", "Marked: mom, carol")
    await window.pilot.press("enter")
    await window.until(lambda: len(window.roster()) == 3, "three parties")
    assert window.roster()[0][1] == "cell"
    await window.until(lambda: window.roster()[1][2] == "bridged", "mom is there")
    window.desk.query_one("#roster", DataTable).move_cursor(row=1)
    await window.pilot.press("f7")
    await window.until(lambda: window.roster()[1][3] == "muted", "muted")
    await window.pilot.press("f7")
    await window.until(lambda: window.roster()[1][3] == "", "heard again")
    await window.type("+44 20 7946 0018")
    await window.pilot.press("f6")
    await window.until(lambda: len(window.roster()) == 4, "a fourth")
    await window.pilot.press("f8")
    await window.until(lambda: window.roster()[1][2] not in {"bridged", "ending"}, "dropped")
    await window.pilot.press("f5")
    await window.until_said("call", "over")


async def test_what_is_typed_is_sent_as_a_line(window: Window) -> None:
    """Questions of money and refusals are told in the gateway's words; a colon is never a name."""
    await window.type("balance")
    await window.pilot.press("enter")
    await window.until_said("said", "25.00")
    await window.type("call nobody of this name")
    await window.pilot.press("enter")
    await window.until(lambda: "error" in window.desk.query_one("#said").classes, "a refusal")
    assert window.desk.query_one("#typed", Input).value == "call nobody of this name"
    await window.type(":dir mom")
    assert window.names("to") == []
    await window.pilot.press("enter")
    await window.until_said("said", "+1 616")


async def test_a_question_is_asked_and_answered(window: Window) -> None:
    """Two numbers ask what to do; left open nothing rings, a digit picks what does."""
    for key, seen in (("escape", "Left open"), ("4", "Left open"), ("1", "")):
        await window.type("+16169779933 +442079460018")
        await window.pilot.press("f3", "enter")
        await window.until(lambda: isinstance(window.desk.screen, QuestionScreen), "a question")
        assert len(window.desk.screen.query_one(OptionList).options) == 4
        await window.pilot.press("9", "0", key)
        if seen:
            await window.until_said("said", seen)
    await window.until(lambda: len(window.roster()) > 1, "a call")
    await window.pilot.press("f5")
    await window.until_said("call", "over")


async def test_keys_without_a_call_or_a_name_say_so(window: Window) -> None:
    """Nothing is sent, and nothing breaks."""
    await window.pilot.press("f5")
    assert "No call" in window.text("said")
    await window.pilot.press("f6", "f7", "f8", "f9", "ctrl+n", "ctrl+r")
    await window.pilot.press("f4")
    await window.until_said("said", "Choose a name")
    await window.pilot.press("enter")
    await window.until_said("said", "Type a name")


async def test_several_calls_are_shown_one_after_the_other(
    gateway: Gateway, window: Window
) -> None:
    """The newest first; a key goes on to the next."""
    other = DeskClient(gateway.url, gateway.identity.token)
    try:
        first = (await other.say("call mom")).ref
        await window.until_said("call", first)
        second = (await other.say("call carol")).ref
        await window.until_said("call", "(+1)")
        await window.pilot.press("ctrl+n")
        await window.until(lambda: second in window.text("call"), "the other call")
        for ref in (first, second):
            await other.say(f"hangup {ref}")
    finally:
        await other.close()


async def test_a_token_that_is_not_good_is_told(gateway: Gateway) -> None:
    """One sentence, and the window stays."""
    async with opened(gateway, "cg_wrong") as window:
        await window.until_said("call", "valid token")
        assert "error" in window.desk.query_one("#call").classes


async def test_a_gateway_that_is_away_is_told_and_found_again(gateway: Gateway) -> None:
    """Whatever listens there."""

    async def strange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(strange, "127.0.0.1", 0)
    client = DeskClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "x", 0.01)
    with pytest.raises(DeskError, match="no gateway"):
        await client.phones()
    with pytest.raises(DeskError, match="is it a gateway"):
        await client.say("balance")
    server.close()
    await server.wait_closed()
    with pytest.raises(DeskError, match="does not answer"):
        await client.say("balance")
    async with opened(gateway) as window:
        good, window.desk._client = window.desk._client, client  # noqa: SLF001  (the wire is cut)
        await window.until_said("call", "does not answer")
        await window.type("mom")
        await window.pilot.press("f3", "enter")
        await window.until_said("said", "Whether it was done is not known")
        window.desk._client = good  # noqa: SLF001  (and mended)
        await window.until_said("call", "No call is running")
    await client.close()


async def test_a_line_that_is_sent_again_has_the_same_key() -> None:
    """When no answer came, or a temporary failure: so it is done once."""
    keys: list[str] = []
    answers = ["", "503 Busy", "200 OK"]

    async def torn(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        keys.append(head.partition("idempotency-key: ")[2].partition("\r\n")[0])
        status = answers.pop(0)
        body = '{"text": "done", "detail": "busy"}'
        said = (
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        )
        writer.write(said.encode() if status else b"")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(torn, "127.0.0.1", 0) as server:
        client = DeskClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "x", 0.01)
        assert (await client.say("call mom")).text == "done"
        await client.close()
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert keys[0]


async def test_without_a_phone_the_window_says_what_to_do(gateway: Gateway) -> None:
    """The lists are empty, and there is a next step."""
    core = gateway.service.core
    who = await core.principal_of_token(gateway.identity.token, core.wall.now_ms())
    assert who is not None
    person = replace(who, scopes=("read", "call", "admin"))
    token = await core.create_token(person, "own", person.scopes, core.wall.now_ms())
    client = DeskClient(gateway.url, token)
    for phone in await client.phones():
        assert (await client.say(f"detach {phone.label}")).is_done
    await client.close()
    async with opened(gateway) as window:
        await window.until_said("said", "verify cell")
        assert window.names("from") == []


# --- the command ----------------------------------------------------------------------------------


async def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run the command without a terminal."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "desk", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_the_command_says_what_it_lacks(gateway: Gateway, tmp_path: Path) -> None:
    """A device, an address without holes, a terminal, the extra: one sentence each."""
    file = tmp_path / "device.toml"
    assert (await run("--config", str(file)))[0] == 3
    device_file.write(file, device_file.Device("127.0.0.1", 4445, gateway.identity.token))
    code, said = await run("--config", str(file), "--url", "http://gw.example")
    assert (code, "https" in said) == (3, True)
    code, said = await run("--config", str(file), "--url", gateway.url)
    assert (code, "needs a terminal" in said) == (1, True)
    assert device_file.read(file).url == gateway.url
    (tmp_path / "textual.py").write_text("raise ImportError\n")
    code, said = await run("--config", str(file), PYTHONPATH=str(tmp_path))
    assert (code, "pip install" in said) == (1, True)


async def test_the_command_opens_a_window_in_a_terminal(gateway: Gateway, tmp_path: Path) -> None:
    """Ctrl-Q leaves it with status 0."""
    file = tmp_path / "device.toml"
    device_file.write(file, device_file.Device("127.0.0.1", 1, gateway.identity.token, gateway.url))
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "desk", "--config", str(file)),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(theirs)
    seen = b""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(GENEROUS_S):
        while b"voicemail" not in seen:
            seen += await loop.run_in_executor(None, os.read, ours, 65_536)
        os.write(ours, b"\x11")
        drained = loop.run_in_executor(None, _drain, ours)
        assert await process.wait() == 0
        await drained
    os.close(ours)


def _drain(descriptor: int) -> None:
    """Read what a terminal still says, until its other side is closed."""
    try:
        while os.read(descriptor, 65_536):
            pass
    except OSError:
        return
