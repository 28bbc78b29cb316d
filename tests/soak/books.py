"""The clients' list against the store: nothing lost, nothing doubled, no wrong money."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from call_core.storage import tables
from call_core.storage.statements import Row, Statement, select_statement
from call_core.storage.transaction import Tx
from gateway.wiring import Core
from tests.soak.clients import Acknowledged
from tests.support.invariants import broken

_PEERS = ("api", "smtp")
_TOO_LATE = ("expired", "refused")  # how a call for later ends when its time is long gone
_R, _C, _N = tables.requests, tables.calls, tables.numbers
_L, _O = tables.legs, tables.outbox
REQUESTS = select_statement(
    select(_R.c.external_id, _R.c.id, _R.c.call_id, _R.c.outcome, _R.c.channel).where(
        _R.c.channel.in_(_PEERS)
    ),
    name="requests_of_peers",
)
CALLS = select_statement(
    select(_C.c.request_id, _C.c.id, _C.c.ended_wall_ms, _C.c.reason).where(
        _C.c.channel.in_(_PEERS)
    ),
    name="calls_of_peers",
)
RUNG = select_statement(
    select(_N.c.digits, func.count()).where(_N.c.digits.like("%44207%")).group_by(_N.c.digits),
    name="calls_per_number",
)
ATTEMPTS = select_statement(
    select(_L.c.call_id, _L.c.n, func.count())
    .group_by(_L.c.call_id, _L.c.n)
    .having(func.count() > 1),
    name="parties_rung_twice",
)
LIVE = select_statement(
    select(func.count()).select_from(_C).where(_C.c.ended_wall_ms.is_(None)), name="calls_alive"
)
KEPT = select_statement(select(func.count()).select_from(tables.inbox), name="requests_kept")
WAITING = select_statement(
    select(func.count()).select_from(_O).where(_O.c.state == "waiting", _O.c.attempts == 0),
    name="messages_waiting",
)
REASONS = select_statement(
    select(_C.c.reason, func.count()).where(_C.c.channel.in_(_PEERS)).group_by(_C.c.reason),
    name="reasons_of_calls",
)


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of it; everything in `wrong` is a defect.

    Attributes:
        lost: acknowledged, and not in the store as it was acknowledged.
        doubled: in the store more than once.
        wrong: a sentence each, those of the lost and the doubled among them.
        reasons: how many calls ended why.
    """

    requests: int
    calls: int
    lost: int
    doubled: int
    wrong: list[str]
    reasons: dict[str, int]


async def calls_alive(core: Core) -> int:
    """Return how many calls have not ended."""
    return int((await core.store.read(_rows, LIVE))[0][0])


async def unfinished(core: Core) -> int:
    """Return how many requests wait, calls have not ended and messages were never tried."""
    each_of = (KEPT, LIVE, WAITING)
    return sum([int((await core.store.read(_rows, each))[0][0]) for each in each_of])


async def compare(
    core: Core, acknowledged: Mapping[str, Acknowledged], scheduled: Sequence[str] = ()
) -> Compared:
    """Compare a settled store with what its clients were told.

    Args:
        core: not driving.
        acknowledged: by external id.
        scheduled: numbers that were to be rung later.
    """
    requests = await core.store.read(_rows, REQUESTS)
    calls = await core.store.read(_rows, CALLS)
    rung: dict[str, int] = dict(await core.store.read(_rows, RUNG))
    reasons: dict[str, int] = dict(await core.store.read(_rows, REASONS))
    on_the_switch = {
        leg.leg_id for switch in core.switches.values() for leg in await switch.live_legs()
    }
    wrong = await core.store.read(broken, on_the_switch, core.engine.house)
    lost = list(_lost(acknowledged, requests, rung))
    told_instead = sum(reasons.get(reason, 0) for reason in _TOO_LATE)
    unrung = [f"{number} was not rung later" for number in scheduled if number not in rung]
    lost += unrung[told_instead:]
    doubled = list(_doubled(requests, calls, rung))
    twice = await core.store.read(_rows, ATTEMPTS)
    doubled += [f"party {n} of {call_id} was rung {count} times" for call_id, n, count in twice]
    alive = [f"call {row[1]} has not ended" for row in calls if row[2] is None]
    return Compared(
        len(requests), len(calls), len(lost), len(doubled),
        [*lost, *doubled, *alive, *wrong], reasons,
    )  # fmt: skip


def _lost(
    acknowledged: Mapping[str, Acknowledged], requests: list[Row], rung: Mapping[str, int]
) -> Iterator[str]:
    by_key = {_key(str(external_id)): row for external_id, *row in requests}
    for key, said in acknowledged.items():
        row = by_key.get(key)
        if rung.get(said.number) is None:
            yield f"{key} was acknowledged and nobody rang {said.number}"
        elif row is None:
            yield f"{key} was acknowledged and is not in the store"
        elif not row[2] or not row[1]:
            yield f"{key} was acknowledged and has no outcome or no call"
        elif said.channel == "api" and row[1] != said.reply:
            yield f"{key} was acknowledged as {said.reply} and is {row[1]}"


def _doubled(requests: list[Row], calls: list[Row], rung: Mapping[str, int]) -> Iterator[str]:
    for key, count in Counter(_key(str(row[0])) for row in requests).items():
        if count > 1:
            yield f"{key} is in the store {count} times"
    for request_id, count in Counter(row[0] for row in calls).items():
        if count > 1:
            yield f"request {request_id} has {count} calls"
    for number, count in rung.items():
        if count > 1:
            yield f"{number} belongs to {count} calls"


def _key(external_id: str) -> str:
    """Return the id as its client knows it: mail's is a Message-ID."""
    return external_id.strip("<>").removesuffix("@soak.example")


def _rows(tx: Tx, statement: Statement[Row]) -> list[Row]:
    return tx.all(statement)
