"""A primary database that dies under load, its standby that takes over, and the old one's return.

`python -m tests.soak.fail_over` holds the same as a drill on three nodes, fifty times.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from call_core.commands import Call, Number
from call_core.errors import CallCoreError, StoreUnavailable
from call_core.outcomes import Launched
from call_core.storage.postgres_hosts import Primary
from gateway.drill import checks
from gateway.settings_file import load_settings
from gateway.wiring import Core, open_core
from tests.bench.bench_calls import add_user, request_of
from tests.support.postgres_pair import Pair

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.postgres,
    pytest.mark.anyio,
    pytest.mark.timeout(300),
]
BEFORE, AFTER = 12, 12
_SETTINGS = """\
[simulator]
file = "orders.json"
speed = 20
[simulator.default]
ring_s = 2
talk_s = 30
[limits]
concurrent_calls = 1000
calls_per_second = 1000
callee_per_hour = 1000
destination_block_per_hour = 1000
"""


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A primary with a standby that has every commit."""
    if os.geteuid() == 0 and not os.environ.get("CALLGATE_TEST_REQUIRE"):
        pytest.skip("needs PostgreSQL: as root the wheel adds a system user")
    made = Pair(Path(tempfile.mkdtemp(prefix="callgate-pair-")))
    try:
        made.set_up()
        yield made
    finally:
        made.stop()


async def _launch(core: Core, user_id: str, n: int) -> str:
    """Ask for one call, again and again under one id, until somebody answers."""
    request = request_of(Call(Number(f"+44207946{n:04d}")), f"over-{n}", user_id)
    while True:
        try:
            outcome = await core.handle(request)
        except CallCoreError:
            await asyncio.sleep(0.1)
            continue
        assert isinstance(outcome, Launched), outcome
        return request.external_id


async def _all_ended(core: Core) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                if not await core.store.read(checks.live):
                    return
            except CallCoreError:
                pass
            await asyncio.sleep(0.1)


async def test_the_standby_has_every_request_and_every_bill(pair: Pair, tmp_path: Path) -> None:
    """Nothing is lost, doubled, cut or billed wrongly, though the old primary comes back at once.

    Whoever knew the old one goes on with the new one; so does who comes to know both; and when the
    new one is away, nobody goes back.
    """
    (tmp_path / "callgate.toml").write_text(_SETTINGS, encoding="utf-8")
    url = pair.create_database("calls")
    known = Primary(url)
    known.connect(psycopg.Connection.connect).close()
    settings = load_settings(tmp_path / "callgate.toml", {"CALLGATE_DATABASE__URL": url})
    async with open_core(settings, create=True) as core:
        assert _on_two_machines(core)
        await core.start()
        user_id = await add_user(core, core.store)
        asked = [asyncio.create_task(_launch(core, user_id, n)) for n in range(BEFORE)]
        failing = asyncio.create_task(asyncio.to_thread(_fail_over, pair))
        for n in range(BEFORE, BEFORE + AFTER):
            asked.append(asyncio.create_task(_launch(core, user_id, n)))
            await asyncio.sleep(0.05)
        launched = frozenset(await asyncio.gather(*asked))
        await failing
        await _all_ended(core)
        found = await core.store.read(checks.look, launched, "over")
        assert (found.lost, found.doubled, found.wrong_money, found.cut) == ((), 0, (), ())
        assert found.calls == BEFORE + AFTER
        assert not _on_two_machines(core)
        await core.stop()

    for who in (known, Primary(url)):
        with who.connect(psycopg.Connection.connect) as connection:
            assert connection.info.host == str(pair.home / pair.primary)
    pair.kill(pair.primary)
    with pytest.raises(StoreUnavailable, match="only an old primary answers"):
        known.connect(psycopg.Connection.connect)


def _on_two_machines(core: Core) -> bool:
    return core.store.has_standby


def _fail_over(pair: Pair) -> None:
    old = pair.primary
    pair.fail_over()
    pair.start(old)  # as a supervisor would: a primary still, that knows nothing of the other
