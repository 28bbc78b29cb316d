"""More than the queue takes: told as temporary on every wire, and what was accepted is finished."""

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Sequence
from pathlib import Path

import pytest

from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from gateway.clocks import WallClock
from gateway.mailbox import Mailbox
from gateway.server import running
from tests.soak.books import calls_alive, compare
from tests.soak.clients import Acknowledged, Asked, Send, post_call, send_mail, send_page
from tests.soak.site import Site, make_site

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio]
QUEUE = 2
LIMITS = f"[store]\nmax_waiting_units = {QUEUE}\n"
AT_ONCE = 10
SENT_AWAY = 3  # more than could be answered otherwise: the writer is held
PEERS: tuple[tuple[str, Send, str], ...] = (
    ("api", post_call, "503 overloaded"),
    ("smtp", send_mail, "451 4.3.0 We are very busy. Nothing was launched; try again soon."),
    ("snpp", send_page, "554 We are very busy. Nothing was launched; try again soon."),
)


def _hold(_tx: Tx, entered: threading.Event, opened: threading.Event) -> None:
    """Be a unit that keeps the writer."""
    entered.set()
    opened.wait(9)


async def _answers_while_held(
    store: Store, asking: Sequence[Awaitable[tuple[str, str]]]
) -> list[tuple[str, str]]:
    """Ask while the writer is held, until some were sent away."""
    entered, opened = threading.Event(), threading.Event()
    holding = asyncio.create_task(store.run(_hold, entered, opened))
    await asyncio.to_thread(entered.wait)
    tasks = [asyncio.ensure_future(each) for each in asking]
    try:
        async with asyncio.timeout(8):
            for sent_away in itertools.islice(asyncio.as_completed(tasks), SENT_AWAY):
                await sent_away
    finally:
        opened.set()
    await holding
    return await asyncio.gather(*tasks)


async def _until_done(site: Site, send: Send, asked: Asked) -> str:
    """Send again as often as it is sent away; return the reply."""
    async with asyncio.timeout(30):
        while True:
            kind, reply = await send(site, asked)
            assert kind != "refused", reply
            if kind == "done":
                return reply


async def test_beyond_the_queue_each_wire_says_come_back_and_the_repeat_is_done(
    tmp_path: Path,
) -> None:
    """503 with Retry-After, 451, 554: ten at once find two places, and later all are done once."""
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    url = f"sqlite:///{tmp_path / 'callgate.db'}"
    site = await make_site(tmp_path, url, relay_port, LIMITS)
    asked = {
        name: [Asked(f"{name}-{n}", f"+4420710{index}{n:04}", "") for n in range(AT_ONCE)]
        for index, (name, *_) in enumerate(PEERS)
    }
    told: dict[str, Acknowledged] = {}
    try:
        async with running(site.settings(), asyncio.Event()) as service:
            for name, send, busy in PEERS:
                answers = await _answers_while_held(
                    service.core.store, [send(site, each) for each in asked[name]]
                )
                assert ("later", busy) in answers, name
                assert {kind for kind, _ in answers} <= {"later", "done"}, name
                for each in asked[name]:
                    reply = await _until_done(site, send, each)
                    if name != "snpp":
                        told[each.key] = Acknowledged(name, each.number, reply)
            async with asyncio.timeout(60):
                while await calls_alive(service.core):  # noqa: ASYNC110  (telephones end them)
                    await asyncio.sleep(0.05)
            compared = await compare(service.core, told)
    finally:
        await mailbox.stop()
    assert compared.wrong == []
    assert compared.calls == 2 * AT_ONCE
