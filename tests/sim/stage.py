"""What the seeded world stands on: clocks, a store, a switch, nodes, and what must be true."""

import asyncio
import contextlib
import hashlib
import itertools
import random
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from call_core.contracts import Order
from call_core.engine.shard import ShardTaken
from call_core.errors import CallCoreError, DeliveryError
from call_core.outcomes import Outcome, to_json
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.runner_inline import Faults, InlineDatabase
from call_core.switches.simulator_phone import PhoneScript
from tests.sim.clients import Clients, Sent
from tests.sim.invariants import Watch
from tests.sim.loop import SimulatedClock, SimulatedLoop
from tests.sim.node import PORTS, Node
from tests.sim.people import People
from tests.sim.reckoning import at_rest, unheard_legs
from tests.sim.telephones import RandomPhones, TruthfulSimulator, Wire
from tests.support.world_parts import CALL_START_MS, WALL_AHEAD_MS

SHOWN_EVENTS = 60
FULL_LOOK_EVERY = 20
WANTED_WITHIN_S = 70
"""Of a healthy world; by then reconcile has hung up a leg that nobody wants."""
HEARD_WITHIN_S = 5
"""Of fair weather; by then the sweep has asked again for a bridge that was refused."""
LOOK_EVERY_S = 2.5
NOT_YET = (0, 0, 0, 1, 2)
"""How often a switch refuses to bridge a leg that has just been answered."""
LATE_ORDERS_S = (0.01, 10, 150, 150, 200)
"""How long an order may be under way that its process did not live to see arrive."""
EXPECTED_ERRORS = frozenset({"shard.taken_over", "outbox.dead", "event.late_given_up"})
TAKEN_OVER = "call_core.engine.shard.ShardTaken: "
"""The last line of the only error that may end a task of an engine."""
_IN_SESSION = ("web", "api")
_KEPT = (
    "SELECT 1 FROM inbox WHERE space = ? AND external_id = ?",
    "SELECT 1 FROM requests WHERE space = ? AND external_id = ?",
)


class Broken(AssertionError):
    """An invariant does not hold.

    Attributes:
        invariant: its name.
        step: at which step of the world.
    """

    def __init__(self, invariant: str, detail: str, step: int, recent: list[str]) -> None:
        super().__init__(f"step {step}: {invariant}: {detail}\n" + "\n".join(recent))
        self.invariant = invariant
        self.detail = detail
        self.step = step


@dataclass
class Weather:
    """How often things go wrong now; shares of the calls of each kind."""

    fail_execute: float = 0
    fail_commit: float = 0
    lose_answer: float = 0
    lose_switch_answer: float = 0
    slow: float = 0


class Stage:
    """Clocks, store, switch, nodes and clients of one seed, and what is looked at.

    Args:
        seed: decides everything.
        show: print the trace while it happens.
    """

    def __init__(self, seed: int, loop: SimulatedLoop, *, show: bool = False) -> None:
        self.seed = seed
        self.step = 0
        self.loop = loop
        self.call = SimulatedClock(loop, CALL_START_MS)
        self.wall = SimulatedClock(loop, CALL_START_MS + WALL_AHEAD_MS)
        self.rng = random.Random(seed)  # noqa: S311  (a world that replays)
        self.weather = Weather()
        self.database = InlineDatabase()
        self.watch = Watch(self.database.connection)
        self.sim = TruthfulSimulator(
            name="simulator",
            clock=self.call,
            phones=RandomPhones(random.Random(seed + 1)),  # noqa: S311  (a world that replays)
            default=PhoneScript(),
            orders_path=None,
            ports=PORTS + 5,
            rng=random.Random(seed + 2),  # noqa: S311  (a world that replays)
        )
        self.people = People()
        self.nodes: list[Node] = []
        self.counts: Counter[str] = Counter()
        self.clients = Clients(
            random.Random(seed + 3),  # noqa: S311  (a world that replays)
            self._any_node,
            self.note,
            self._acknowledged,
            self._promised,
            self.violate,
        )
        self._lives = itertools.count(1)
        self._ids = itertools.count(1)
        self._show = show
        self._hash = hashlib.sha256()
        self.recent: deque[str] = deque(maxlen=SHOWN_EVENTS)
        self.broken: Broken | None = None
        self._bell = asyncio.Event()
        self._unwanted_s: dict[str, float] = {}
        self._unheard_s: dict[str, float] = {}
        self._refusals: dict[str, int] = {}
        self._late: list[asyncio.Task[None]] = []
        self._logs: list[Any] = []
        self._logs_seen = 0

    # --- what is seen ---------------------------------------------------------------------------

    def note(self, what: str, subject: str) -> None:
        """Write one line of the trace."""
        line = f"{self.loop.now_s:11.3f} {what} {subject}"
        self._hash.update(line.encode())
        self.recent.append(line)
        if self._show:
            print(f"{self.step:5} {line}")  # noqa: T201  (asked for)

    @property
    def trace_hash(self) -> str:
        """The hash of everything that happened."""
        return self._hash.hexdigest()

    def violate(self, invariant: str, detail: str) -> None:
        """Remember the first invariant that is broken."""
        if self.broken is None:
            self.broken = Broken(invariant, detail, self.step, list(self.recent))
            self._bell.set()

    def _acknowledged(self, sent: Sent, outcome: Outcome) -> None:
        request = sent.request
        self.note("answer", f"{request.external_id} {outcome.code}")
        if len(set(sent.told)) > 1:
            self.violate("repeat_gets_the_same", f"{request.external_id}: {sent.told}")
        ref = getattr(outcome, "ref", "")
        person = next((each for each in self.people.persons if each.id == request.user_id), None)
        person = person or next(
            (each for each in self.people.persons if each.address == request.sender), None
        )
        if person is not None and ref and ref not in person.refs:
            person.refs.append(ref)
        if outcome.code in ("unknown_sender", "emergency"):
            return
        rows = self.database.connection.execute(
            "SELECT outcome FROM requests WHERE space = ? AND external_id = ?",
            (request.id_space, request.external_id),
        ).fetchall()
        if [row[0] for row in rows] != [to_json(outcome)]:
            self.violate("acknowledged_is_durable", f"{request.external_id} {rows} {outcome}")

    def _promised(self, sent: Sent) -> None:
        """Note a promise; it is durable: what was asked waits, or is done already."""
        request = sent.request
        self.note("promise", request.external_id)
        claim = (request.id_space, request.external_id)
        if not any(self.database.connection.execute(each, claim).fetchall() for each in _KEPT):
            self.violate("promised_is_durable", request.external_id)

    def _look(self) -> None:
        for invariant, detail in self.watch.look():
            self.violate(invariant, detail)

    def _look_long(self) -> None:
        for invariant, detail in self.watch.look_long():
            self.violate(invariant, detail)
        for entry in self._logs[self._logs_seen :]:
            if entry["log_level"] in ("error", "critical"):
                self._judge(entry)
        self._logs_seen = len(self._logs)

    def _judge(self, entry: dict[str, Any]) -> None:
        self.counts[entry["event"]] += 1
        expected = entry["event"] in EXPECTED_ERRORS
        if entry["event"] == "engine.task_failed":
            expected = entry["exception"].splitlines()[-1].startswith(TAKEN_OVER)
        if not expected:
            self.violate("no_error_in_the_log", "\n".join(f"{k}: {v}" for k, v in entry.items()))

    # --- what the nodes are given ---------------------------------------------------------------

    def _fault(self, kind: str, unit: str) -> bool:
        share: float = getattr(self.weather, kind)
        hit = bool(share) and self.rng.random() < share
        if hit:
            self.note(kind, unit)
        return hit

    async def _pause(self) -> None:
        dice = self.rng.random()
        if dice < self.weather.slow:
            await asyncio.sleep(self.rng.choice((0.001, 0.02, 0.3, 2)))
        elif dice < 0.7:
            for _ in range(self.rng.randint(1, 4)):
                await asyncio.sleep(0)

    async def _store_step(self, step: str) -> None:
        if step == "answer":
            self._look()
        await self._pause()

    def _switch_asked(self, what: str, subject: str) -> None:
        self.note(what, subject)
        if what == "originate":
            rows = self.database.connection.execute(
                "SELECT originated_call_ms FROM legs WHERE id = ?", (subject,)
            ).fetchall()
            # An uncommitted row of a unit under way would be seen here too; only one node writes.
            if not rows or rows[0][0] is None:
                self.violate("committed_before_originate", subject)

    async def _deliver(self, row: OutboxRow) -> None:
        earlier = self.database.connection.execute(
            "SELECT count(*) FROM outbox WHERE state = 'waiting' AND address = ? AND call_id = ?"
            " AND seq < ?",
            (row.address, row.call_id, row.seq),
        ).fetchone()
        self.note("deliver", f"{row.seq} {row.kind}")
        if earlier[0]:
            self.violate("outbox_order", f"{row.id} went before {earlier[0]} others")
        await self._pause()
        if self.rng.random() < 0.1:
            raise DeliveryError("refused", retryable=True, uncertain=self.rng.random() < 0.3)

    def _not_yet(self, leg_id: str) -> bool:
        left = self._refusals.setdefault(leg_id, self.rng.choice(NOT_YET))
        self._refusals[leg_id] = max(0, left - 1)
        return left > 0

    def _any_node(self) -> Node | None:
        up = [node for node in self.nodes if node.started and not node.dead]
        return self.rng.choice(up) if up else None

    async def _carry_events(self) -> None:
        async for event in self.sim.events():
            self.note("event", f"{event.kind} {event.event_id}")
            for node in self.nodes:
                node.wire.tell(event)

    # --- nodes ----------------------------------------------------------------------------------

    async def begin_node(self, name: str) -> bool:
        """Start a node; False when it was refused or failed."""
        life = f"{name}.{next(self._lives)}"
        wire = Wire(
            self.sim,
            self._pause,
            self._switch_asked,
            lambda: self._fault("lose_switch_answer", ""),
            self._not_yet,
        )
        node = Node(
            name,
            life,
            loop=self.loop,
            wall=self.wall,
            call=self.call,
            database=self.database,
            wire=wire,
            step=self._store_step,
            faults=Faults(
                *(
                    lambda unit, kind=kind: self._fault(kind, unit)
                    for kind in ("fail_execute", "fail_commit", "lose_answer")
                )
            ),
            deliver=self._deliver,
            rng=random.Random(f"{self.seed} {life}"),  # noqa: S311  (a world that replays)
        )
        self.nodes.append(node)
        self.note("start", life)
        try:
            await node.start()
        except (ShardTaken, CallCoreError, asyncio.CancelledError) as error:
            self.note("not started", f"{life} {type(error).__name__}")
            await self.end_node(node)
            return False
        return True

    async def end_node(self, node: Node) -> None:
        """Kill a node."""
        self.note("kill", node.life)
        if node in self.nodes:
            self.nodes.remove(node)
        for order in list(node.wire.on_the_way.values()):
            self._late.append(self.loop.create_task(self._arrive_late(order)))
        for survivor in await node.die():
            self.violate("dead_is_dead", survivor)

    async def _arrive_late(self, order: Order) -> None:
        """Let an order of a dead process reach the switch, whatever has become of its leg."""
        await asyncio.sleep(self.rng.choice(LATE_ORDERS_S))
        self.note("arrives late", order.leg_id)
        with contextlib.suppress(ConnectionError):
            await self.sim.originate(order)

    async def bring_up(self) -> None:
        """Start some node, whatever it takes; now and then it dies while it starts."""
        for tries in range(60):
            if tries == 30:
                self.weather = Weather()  # a store that fails most of the time starts nobody
            if any(not node.engine.taken_over for node in self.nodes):
                return
            name = self.rng.choice(("n1", "n1", "n2"))
            if self.rng.random() < 0.15:
                await self._die_while_starting(name)
            elif await self.begin_node(name):
                return
            await asyncio.sleep(self.rng.choice((0.2, 1, 5)))
        self.violate("a_node_can_start", "sixty tries failed")

    async def _die_while_starting(self, name: str) -> None:
        task = self.loop.create_task(self.begin_node(name))
        for _ in range(self.rng.randint(1, 80)):
            await asyncio.sleep(0)
        young = [node for node in self.nodes if not node.started]
        for node in young:
            await self.end_node(node)
        await task

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, not longer than until something is broken."""
        until = self.loop.now_s + seconds
        while self.broken is None and (left := until - self.loop.now_s) > 0:
            await asyncio.sleep(min(left, LOOK_EVERY_S))
            self._look_at_the_switch(min(left, LOOK_EVERY_S))

    def _look_at_the_switch(self, seconds: float) -> None:
        """Nothing may be up for long that the store does not want, nobody wait for the others.

        Only fair weather counts. Who starts reconciles at once, so a restart is no excuse for what
        was up before it.
        """
        healthy = (
            self.weather == Weather(slow=self.weather.slow)
            and self.sim._connected  # noqa: SLF001  (its inside is what is looked at)
            and any(node.started and not node.engine.taken_over for node in self.nodes)
            and not self.loop.frozen
        )
        if not healthy or self.weather.slow:
            self._unheard_s.clear()
        else:
            unheard = unheard_legs(self.database.connection, self.sim)
            self._unheard_s = _since(self._unheard_s, unheard, seconds)
        if healthy:
            unwanted = at_rest(self.database.connection, self.sim)
            self._unwanted_s = _since(self._unwanted_s, unwanted, seconds)
        for leg_id, since_s in self._unwanted_s.items():
            if since_s > WANTED_WITHIN_S:
                self.violate("no_unwanted_leg", f"{leg_id} is up for {since_s} s")
        for leg_id, since_s in self._unheard_s.items():
            if since_s > HEARD_WITHIN_S:
                self.violate("who_talks_is_heard", f"{leg_id} hears nobody for {since_s} s")


def _since(before: dict[str, float], now: list[str], seconds: float) -> dict[str, float]:
    """Return for how long each leg has been seen so."""
    return {leg_id: before.get(leg_id, 0.0) + seconds for leg_id in now}
