"""The reaper: once a minute, what is left over is put right or forgotten.

Ports are counted again; claims, messages, texts and digits are forgotten when their time is over;
holds are never voided by age, only when their leg has ended.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import bindparam, delete, literal_column, select, text, update

from call_core.contracts import Clock
from call_core.errors import CallCoreError
from call_core.storage import access_rows, outbox_rows, record_rows, request_rows, tables
from call_core.storage.statements import select_statement, write_statement
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.units import ports
from call_core.units.house import DAY_MS, HOUR_MS, House

log = structlog.get_logger(__name__)
_N, _L, _C = tables.numbers, tables.legs, tables.calls
_K = tables.counters
_DAYS_OF_COUNTERS = 2
_FORGETS = 0

ERASE_DIGITS = write_statement(
    update(_N)
    .where(_N.c.created_wall_ms < bindparam("before"), _N.c.digits != literal_column("''"))
    .values(digits="", extension=""),
    name="erase_digits",
)
FORGET_CALLEES = write_statement(
    delete(_K).where(
        text(tables.COUNTS_A_CALLEE),
        _K.c.bucket < bindparam("before_hour"),
    ),
    name="forget_callees",
)
"""Counters per called number; they hold its digits and matter for an hour."""
FORGET_SECONDS = write_statement(
    delete(_K).where(
        _K.c.kind.in_(["challenge", "claimed_refused"]), _K.c.bucket < bindparam("before_s")
    ),
    name="forget_challenge_counters",
)
FORGET_DAYS = write_statement(
    delete(_K).where(
        _K.c.kind.in_(["spent", "free_legs", "sign_in", "verifications"]),
        _K.c.bucket < bindparam("before_day"),
    ),
    name="forget_daily_counters",
)
FORGET_CODES = write_statement(
    delete(tables.sign_in_codes).where(
        tables.sign_in_codes.c.expires_wall_ms < bindparam("before")
    ),
    name="forget_sign_in_codes",
)
UNSETTLED_OF_ENDED = select_statement(
    select(_L.c.id)
    .join(_C, _C.c.id == _L.c.call_id)
    .where(
        record_rows.UNSETTLED,
        _C.c.ended_wall_ms.is_not(None),
        _C.c.ended_wall_ms > bindparam("since"),
    )
    .limit(10),
    name="unsettled_of_ended",
)


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept, in days."""

    claims_days: int = 90
    messages_days: int = 30
    digits_days: int = 400


class Reaper:
    """Cleans up.

    Args:
        store, house: of the engine.
        wall: our clock.
        keep: how long things are kept.
        call: the switch's clock, by which calls are counted.
    """

    def __init__(
        self, store: Store, house: House, wall: Clock, keep: Keep, call: Clock | None = None
    ) -> None:
        self._call = call or wall
        self._store = store
        self._house = house
        self._wall = wall
        self._keep = keep

    async def run(self, every_s: float = 60) -> None:
        """Clean up until cancelled."""
        while True:
            await self._wall.sleep_until(self._wall.now_ms() + round(every_s * 1000))
            try:
                stuck = await self.clean()
            except CallCoreError as error:
                log.warning("reaper.store_unavailable", error=error.code)
                continue
            if stuck:
                log.error("reaper.hold_without_leg", legs=stuck)

    async def clean(self) -> list[str]:
        """Clean up once; return legs whose hold outlived their call, which must not happen."""
        now = self._wall.now_ms()
        await self._store.run(count_ports, self._house)
        if self._house.epoch_of(_FORGETS) == 0:
            return []  # whoever owns that shard does the rest
        await self._store.run(forget, self._keep, now)
        await self._store.run(forget_counters, now, self._call.now_ms())
        return await self._store.read(unsettled, now - HOUR_MS)


def count_ports(tx: Tx, house: House) -> int:
    """Set the ports in use by the shards' running calls to what they use; return that."""
    return sum(
        _count_ports(tx, switch, trunk, shard)
        for shard in sorted(house.tenure.epochs)
        for switch, trunk in ways_out(house)
    )


def ways_out(house: House) -> list[tuple[str, str]]:
    """Return every switch with each of its trunks."""
    if house.lines is None:
        return [(house.switch, house.trunk)]
    return [(line.switch, line.name) for line in house.lines.trunks]


def _count_ports(tx: Tx, switch: str, trunk: str, shard: int) -> int:
    row_key = {"switch": switch, "trunk": ports.row_of(trunk, shard)}
    tx.write(record_rows.OPEN_PORTS, used=0, **row_key)
    tx.one(record_rows.LOCK_PORTS, **row_key)
    # With one way out a call carries its own switch's name; with several, its legs' trunks decide.
    row = tx.one(record_rows.LIVE_LEGS, trunk=trunk, shard=shard)
    used = 0 if row is None else int(row[0])
    tx.write(record_rows.SET_PORTS, key_switch=switch, key_trunk=row_key["trunk"], used=used)
    return used


def forget(tx: Tx, keep: Keep, now_wall_ms: int) -> None:
    """Forget what is older than it must be; money, CDRs and audit are kept."""
    claims = now_wall_ms - keep.claims_days * DAY_MS
    messages = now_wall_ms - keep.messages_days * DAY_MS
    tx.write(request_rows.FORGET_CLAIMS, before=claims)
    tx.write(request_rows.FORGET_REPLAYS, before=claims)
    tx.write(request_rows.ERASE_TEXTS, before=messages)
    tx.write(outbox_rows.FORGET, before=messages)
    tx.write(access_rows.FORGET_SESSIONS, before=now_wall_ms - DAY_MS)
    tx.write(ERASE_DIGITS, before=now_wall_ms - keep.digits_days * DAY_MS)
    tx.write(record_rows.FORGET_COUNTERS, kind="launched", before=now_wall_ms // 1000 - 3600)


def forget_counters(tx: Tx, now_wall_ms: int, now_call_ms: int) -> None:
    """Forget counters of hours and days that no limit looks at any more."""
    oldest_day = min(now_wall_ms, now_call_ms) // DAY_MS - _DAYS_OF_COUNTERS
    tx.write(FORGET_CALLEES, before_hour=now_call_ms // HOUR_MS - 1)
    tx.write(FORGET_SECONDS, before_s=now_wall_ms // 1000 - DAY_MS // 1000)
    tx.write(FORGET_DAYS, before_day=oldest_day)
    tx.write(record_rows.FORGET_COUNTERS, kind="join_tried", before=now_wall_ms // HOUR_MS - 1)
    tx.write(FORGET_CODES, before=now_wall_ms)


def unsettled(tx: Tx, since_wall_ms: int) -> list[str]:
    """Return legs of recently ended calls that still hold money."""
    return [row[0] for row in tx.all(UNSETTLED_OF_ENDED, since=since_wall_ms)]
