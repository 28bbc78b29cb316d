"""Texts that wait in the outbox when a process starts: nobody hands them to a closed channel."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from call_core import outcomes
from call_core.storage import outbox_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from channels.twilio_sms.channel import TwilioChannel
from gateway.demo.run import make_settings
from gateway.server import Options, running
from gateway.settings import Settings
from gateway.settings_file import load_settings
from gateway.wiring import Core, open_core
from tests.e2e.test_sms import PHONE, twilio_environ
from tests.support import kannel
from tests.support.twilio_messages import TwilioMessages

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
STATES = select_statement(
    select(tables.outbox.c.state, tables.outbox.c.attempts), name="outbox_states"
)
MANY = 5


def _put(tx: Tx, now_wall_ms: int) -> None:
    for n in range(MANY):
        outbox_rows.put(
            tx,
            outbox_id=f"msg_{n}",
            user_id="user_x",
            channel="twilio_sms",
            address=PHONE,
            kind="outcome",
            body=outcomes.to_json(outcomes.Refused("unknown_sender")),
            now_wall_ms=now_wall_ms,
            call_id=f"call_{n}",
        )


async def _states(core: Core) -> list[tuple[str, int]]:
    return await core.store.read(lambda tx: tx.all(STATES))


def _settings(folder: Path, twilio: TwilioMessages) -> Settings:
    make_settings(folder / "gateway", 9)
    environ = {**twilio_environ(twilio), "CALLGATE_HTTP__PORT": str(kannel.free_port())}
    return load_settings(folder / "gateway" / "callgate.toml", environ)


async def test_texts_that_waited_at_a_restart_go_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process without channels lets them wait; one whose channels open slowly sends them then.

    Each goes out at its first attempt.
    """
    start = TwilioChannel.start

    async def slowly(channel: TwilioChannel) -> None:
        await asyncio.sleep(0.5)
        await start(channel)

    async with TwilioMessages().serving() as twilio:
        settings = _settings(tmp_path, twilio)
        async with open_core(settings, create=True) as core:
            await core.start()
            await core.store.run(_put, core.wall.now_ms())
            assert await core.engine.outbox.start_due() == []
            await core.stop()
        monkeypatch.setattr(TwilioChannel, "start", slowly)
        async with running(settings, asyncio.Event(), Options(test_texts=False)) as service:
            while any(state == "waiting" for state, _ in await _states(service.core)):  # noqa: ASYNC110  (the store)
                await asyncio.sleep(0.05)
            assert await _states(service.core) == [("sent", 1)] * MANY
    assert [each["to"] for each in twilio.sent] == [PHONE] * MANY
