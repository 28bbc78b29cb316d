"""The seeded world: people, phones, processes that die, and what must be true after every step."""

import asyncio
from dataclasses import replace
from typing import Any

from structlog.processors import format_exc_info
from structlog.testing import capture_logs

from call_core.administration import ActivateDeck, Administration, TopUp
from call_core.errors import ParseError
from call_core.outcomes import Outcome
from call_core.requests import Evidence, Request
from call_core.switches.simulator_faults import Faults as WireFaults
from parsers.grammar import parse
from tests.sim import people as folk
from tests.sim.node import Node
from tests.sim.people import Person
from tests.sim.reckoning import at_rest, at_the_end
from tests.sim.stage import FULL_LOOK_EVERY, Stage, Weather
from tests.support import world_parts
from tests.support.world_parts import SPACES, TARIFF

_IN_SESSION = ("web", "api")
_QUIET_LOOKS = 2  # of 40 s each, one after another


class SimulatedWorld(Stage):
    """Everything that one seed brings: who does what, and what goes wrong, step after step."""

    # --- people ---------------------------------------------------------------------------------

    async def _settle_in(self) -> None:
        """Put everybody on file, before anything goes wrong."""
        assert await self.begin_node("n1")
        node = self.nodes[0]
        for _ in range(3):
            deck = folk.deck_of(self.rng)
            await node.do(node.core.store.run(world_parts.load_deck, TARIFF, deck))
        await self._file(ActivateDeck(TARIFF, 1))
        for n in range(4):
            await self._customer(node, n)
        for person in self.people.persons:
            for text in folk.SAVED:
                request = replace(self._request(), command=parse(text), text=text)
                request = replace(request, user_id=person.id, evidence=Evidence.PROVEN)
                await node.do(node.core.handle(replace(request, sent_wall_ms=None)))

    async def _customer(self, node: Node, n: int) -> None:
        customer, micros = folk.customer_of(self.rng, n)
        customer_id = str((await self._file(customer)).fields["customer_id"])
        self.people.customers.append(customer_id)
        if self.rng.random() < 0.7:
            await node.do(node.core.store.run(world_parts.no_longer_new, customer_id))
        if micros:
            await self._file(TopUp(customer_id, micros))
        for m in (2 * n, 2 * n + 1):
            added = await self._file(folk.user_of(customer_id, m))
            user_id = str(added.fields["user_id"])
            self.people.persons.append(Person(user_id, customer_id, f"user{m}@example.com"))
            for each in folk.belongings(user_id, customer_id, m):
                await self._file(each)

    async def _file(self, command: Administration) -> Outcome:
        node = self.nodes[0]
        outcome = await node.do(node.core.handle(self._operators(command)))
        assert outcome.kind == "done", outcome
        return outcome

    def _operators(self, command: Administration) -> Request:
        return Request(
            channel="cli",
            id_space="cli",
            external_id=f"operator-{next(self._ids)}",
            sender="",
            evidence=Evidence.PROVEN,
            received_wall_ms=self.wall.now_ms(),
            command=command,
            fingerprint=repr(command),
            in_session=True,
        )

    def _request(self) -> Request:
        person = self.rng.choice(self.people.persons)
        text = folk.words_of(self.rng, person)
        channel = self.rng.choice(("smtp", "smtp", "web", "api"))
        in_session = channel in _IN_SESSION
        try:
            command: Any = parse(text)
        except ParseError as error:
            command = error
        evidence = self.rng.choice((*[Evidence.PROVEN] * 8, Evidence.VOUCHED, Evidence.CLAIMED))
        sender = "stranger@example.net" if self.rng.random() < 0.04 else person.address
        now = self.wall.now_ms()
        return Request(
            channel=channel,
            id_space=SPACES[channel],
            external_id=f"{text[:12]}-{next(self._ids)}",
            sender="" if in_session else sender,
            evidence=Evidence.PROVEN if in_session else evidence,
            received_wall_ms=now,
            sent_wall_ms=now - self.rng.choice((*[5_000] * 12, 0, 700_000))
            if not in_session
            else None,
            command=command,
            text=text,
            fingerprint=text,
            user_id=person.id if in_session else None,
            in_session=in_session,
            page_rows=0 if in_session else 5,
        )

    # --- what happens ---------------------------------------------------------------------------

    async def _say(self) -> None:
        request = self._request()
        self.note("say", f"{request.channel} {request.text}")
        self.clients.send(request)

    async def _repeat(self) -> None:
        self.clients.again()

    async def _operate(self) -> None:
        command = folk.operator_does(self.rng, self.people)
        self.note("operator", repr(command))
        self.clients.send(self._operators(command))
        undo = folk.undoing(command)
        if undo is not None:
            await self.pass_time(self.rng.choice((0.1, 5, 30)))
            self.clients.send(self._operators(undo))

    async def _wait(self) -> None:
        await self.pass_time(self.rng.choice((0.01, 1, 3, 5, 10, 30)))

    async def _wait_long(self) -> None:
        await self.pass_time(self.rng.choice((60, 120, 300)))

    async def _restart(self) -> None:
        """Let the process die at any turn of the loop, and start it after a while."""
        for _ in range(self.rng.randint(0, 60)):
            await asyncio.sleep(0)
        for node in list(self.nodes):
            await self.end_node(node)
        await self.pass_time(self.rng.choice((0, 0.5, 5, 20, 60, 200)))
        await self.bring_up()

    async def _die_ordering(self) -> None:
        """Let the process die while an order is on the wire; it may arrive when nobody wants it."""
        if len(self.nodes) != 1 or not self.nodes[0].started:
            return
        node = self.nodes[0]
        node.wire.ordering.clear()
        for _ in range(3):
            await self._say()
        waiting = self.loop.create_task(node.wire.ordering.wait())
        await asyncio.wait([waiting], timeout=10)
        waiting.cancel()
        if node in self.nodes:
            await self.end_node(node)
        await self.pass_time(self.rng.choice((0, 5, 130, 130)))
        await self.bring_up()

    async def _two_owners(self) -> None:
        """Freeze the owner until its lease is over, let another take the calls, thaw the first."""
        if len(self.nodes) != 1:
            return
        old = self.nodes[0]
        self.loop.frozen.add(old.life)
        await asyncio.sleep(0)
        turn = self.database.turn
        if turn.locked() or turn._waiters:  # noqa: SLF001  (its inside is what is looked at)
            # A real database would end the transaction of a client that is silent.
            self.loop.thaw(old.life)
            return
        self.note("freeze", old.life)
        await self.pass_time(self.rng.choice((3, 16, 30)))
        await self.begin_node("n2" if old.name == "n1" else "n1")
        await self.pass_time(self.rng.choice((0, 1, 20)))
        self.note("thaw", old.life)
        self.loop.thaw(old.life)
        await self.pass_time(self.rng.choice((0, 2, 10)))
        for node in list(self.nodes):
            if node.engine.taken_over or self.rng.random() < 0.5:
                await self.end_node(node)
        await self.bring_up()

    async def _cut_wire(self) -> None:
        self.note("disconnect", "")
        self.sim.disconnect()
        await self.pass_time(self.rng.choice((0.1, 2, 20, 70)))
        self.sim.reconnect()

    async def _change_weather(self) -> None:
        bad = self.rng.random() < 0.6
        share = self.rng.choice((0.02, 0.1, 0.3)) if bad else 0

        def some() -> float:
            return share if self.rng.random() < 0.5 else 0

        self.weather = Weather(some(), some(), some(), some(), self.rng.choice((0, 0.1, 0.5)))
        self.sim.faults = WireFaults(
            drop=some(),
            repeat=some() * 2,
            reorder=some() * 2,
            reorder_ms=self.rng.choice((0, 500, 5_000, 40_000)) if bad else 0,
            delay_ms=self.rng.choice((0, 0, 200, 3_000)) if bad else 0,
            originate_fail=some(),
            lost_originate=some(),
            lost_originate_answer=some(),
        )
        self.note("weather", f"{self.weather} {self.sim.faults}")

    async def _person_at_phone(self) -> None:
        legs = sorted(self.sim._exchange.legs)  # noqa: SLF001  (a person sees the phones)
        if not legs:
            return
        leg_id = self.rng.choice(legs)
        self.note("phone", leg_id)
        if not self.sim._connected:  # noqa: SLF001  (its inside is what is looked at)
            return
        what = self.rng.random()
        if what < 0.5:
            self.sim.put_down(leg_id)
        elif what < 0.75:
            self.sim.keypress(leg_id, self.rng.choice("1115#"))
        else:
            self.sim.pick_up(leg_id)

    _ACTIONS = (
        ("_say", 40),
        ("_repeat", 8),
        ("_operate", 7),
        ("_wait", 25),
        ("_wait_long", 2),
        ("_person_at_phone", 15),
        ("_restart", 3),
        ("_die_ordering", 3),
        ("_two_owners", 1.5),
        ("_cut_wire", 2),
        ("_change_weather", 4),
    )

    async def _act(self) -> None:
        names = [name for name, _ in self._ACTIONS]
        weights = [weight for _, weight in self._ACTIONS]
        (name,) = self.rng.choices(names, weights)
        self.counts[name] += 1
        await getattr(self, name)()
        for _ in range(self.rng.choice((0, 1, 5, 30))):
            await asyncio.sleep(0)
        if self.rng.random() < 0.5:
            await self.pass_time(self.rng.choice((0.001, 0.2, 2)))
        await self._supervise()

    async def _supervise(self) -> None:
        """Start a process again that found its calls taken over, as whoever watches it would."""
        for node in list(self.nodes):
            if node.engine.taken_over:
                await self.end_node(node)
        await self.bring_up()

    async def run(self, steps: int) -> None:
        """Let the world go on for so many steps, then come to rest.

        Raises:
            Broken: an invariant does not hold.
        """
        with capture_logs(processors=[format_exc_info]) as logs:
            self._logs = logs
            carrier = self.loop.create_task(self._carry_events())
            try:
                await self._settle_in()
                for _ in range(steps):
                    self.step += 1
                    await self._act()
                    if self.step % FULL_LOOK_EVERY == 0:
                        self._look_long()
                    if self.broken is not None:
                        raise self.broken
                await self._come_to_rest()
            finally:
                await self.clients.stop()
                for node in list(self.nodes):
                    await node.die()
                for task in (carrier, *self._late):
                    task.cancel()
                await asyncio.gather(carrier, *self._late, return_exceptions=True)
                self.sim.close()
                self.database.close()

    async def _come_to_rest(self) -> None:
        """The weather clears up, everybody hangs up, and nothing may be left."""
        self.note("rest", "")
        self.weather = Weather()
        self.sim.faults = WireFaults()
        self.sim.reconnect()
        if not self.nodes:
            await self.bring_up()
        quiet = 0
        for _ in range(60):
            await self.pass_time(40)
            await self._supervise()
            unwanted = at_rest(self.database.connection, self.sim)
            for leg_id in sorted(self.sim._exchange.legs.keys() - set(unwanted)):  # noqa: SLF001  (its inside is what is looked at)
                self.sim.put_down(leg_id)
            # A call for later may come due after all seemed to be over.
            quiet = quiet + 1 if self._is_at_rest() else 0
            if quiet > _QUIET_LOOKS or self.broken is not None:
                break
        self._reckon()
        if self.broken is not None:
            raise self.broken

    def _reckon(self) -> None:
        self._look()
        self._look_long()
        for invariant, detail in at_the_end(self.database.connection, self.sim, self.watch):
            self.violate(invariant, detail)
        if self.clients.waiting:
            self.violate("every_request_is_answered", f"{self.clients.waiting} wait")
        for sent in self.clients.sent:
            if sent.promised and self._times_done(sent.request) != 1:
                done = self._times_done(sent.request)
                self.violate("promises_are_kept", f"{sent.request.external_id}: {done} times")
            if set(sent.other_told) - {"same_id_other_content", "emergency", "unknown_sender"}:
                self.violate("other_content_is_refused", f"{sent.request} {sent.other_told}")

    def _times_done(self, request: Request) -> int:
        (count,) = self.database.connection.execute(
            "SELECT count(*) FROM requests WHERE space = ? AND external_id = ? AND outcome <> ''",
            (request.id_space, request.external_id),
        ).fetchone()
        return int(count)

    def _is_at_rest(self) -> bool:
        (count,) = self.database.connection.execute(
            "SELECT count(*) FROM calls WHERE ended_wall_ms IS NULL"
            " AND state NOT IN ('SCHEDULED', 'ASKED')"
        ).fetchone()
        return not count and not self.clients.waiting and not self.sim._exchange.legs  # noqa: SLF001  (its inside is what is looked at)
