"""Asterisk 22 as a switch, by ARI: REST requests, and a socket of events.

Asterisk queues no event for an application that is away, but its legs go on: each has its limit
armed in the switch itself, at the answer by our dialplan (`deploy/asterisk/extensions.conf`) and at
every extension by `limit`. Whoever comes back says SWITCH_BACK; then `live_legs` and `ended_leg`
answer what was missed. Ends are kept by the dialplan too, so that they outlive our process.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping, Sequence
from http import HTTPStatus

import structlog

from call_core.contracts import (
    Clock,
    EventKind,
    LiveLeg,
    Order,
    Prompt,
    SwitchEvent,
    SwitchHealth,
)
from call_core.switches.asterisk_client import Answer, AriClient, AriError, AriRefused
from call_core.switches.asterisk_dial import (
    NotDialled,
    Originate,
    kept_in,
    originate_of,
    owner_of,
)
from call_core.switches.asterisk_legs import EVENTS, AsteriskLeg, Legs, told
from call_core.switches.asterisk_words import NORMAL_CLEARING, instant_ms, media_of, remembered

log = structlog.get_logger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 8.0
PING_EVERY_S = 20.0
SKEW_TOLD_MS = 1_000
"""A clock that is off by more is told by `health`."""
INVALID_NUMBER, NO_CIRCUIT, CHANNEL_UNAVAILABLE = 28, 34, 44


class AsteriskSwitch:
    """A `Switch` on one Asterisk.

    Args:
        name: as in CDRs.
        client: of that Asterisk; closed by whoever made it.
        wall: our clock; the switch's own offset to it is measured.
        app: name of the Stasis application. A second process with it takes our events away.
        trunks: PJSIP endpoints that legs may leave by.
        ports: how many legs at once.
        plus: whether carriers want the `+`.
        media: what is played for prompts instead of the built-in sounds.
    """

    cut_guard_ms = 200

    def __init__(
        self,
        *,
        name: str,
        client: AriClient,
        wall: Clock,
        app: str,
        trunks: Collection[str],
        ports: int,
        plus: bool,
        media: Mapping[Prompt, Sequence[str]],
    ) -> None:
        self.name = name
        self._client = client
        self._wall = wall
        self._app = app
        self._stream = app  # whose events are read
        self._trunks = trunks
        self._ports = ports
        self._plus = plus
        self._media = media
        self._legs = Legs(app)
        self._asked: set[str] = set()
        self._bridges: set[str] = set()
        self._told: asyncio.Queue[SwitchEvent] = asyncio.Queue()
        self._connected = False
        self._since_wall_ms = 0
        self._skew_ms = 0
        self._why = "not connected yet"
        self._tidying: set[asyncio.Task[None]] = set()
        self._breaks = 0
        self._plays = 0

    # --- commands -------------------------------------------------------------------------------

    async def originate(self, order: Order) -> None:
        """Ring a number. A leg id that Asterisk knows, or knew lately, rings nobody again.

        Raises:
            ConnectionError: not connected, or nobody knows whether the leg is there; ask again.
        """
        self._need()
        if self._legs.knows(order.leg_id) or await self._was_made(order):
            return
        try:
            wanted = originate_of(order, self._app, self._trunks, plus=self._plus)
        except NotDialled as refusal:
            log.warning("asterisk.not_dialled", leg_id=order.leg_id, why=str(refusal))
            self._refuse(order, INVALID_NUMBER)
            return
        if len(self._legs.live) >= self._ports:
            self._refuse(order, NO_CIRCUIT)
            return
        self._asked.add(order.leg_id)
        leg = AsteriskLeg(order.leg_id, order.call_id, order.shard, order.at_call_ms)
        self._legs.live[order.leg_id] = leg
        await self._send(order, wanted)
        self._asked.discard(order.leg_id)

    async def _send(self, order: Order, wanted: Originate) -> None:
        """Send an order; where the answer is lost, look whether the leg is there.

        Raises:
            AriError: it is not, so far; the next try looks again before it repeats.
        """
        try:
            await self._client.originate(wanted)
        except AriRefused as refused:
            if refused.status == HTTPStatus.CONFLICT:
                return  # a repeat: it is there
            if self._legs.live.pop(order.leg_id, None) is not None:
                log.warning("asterisk.refused", leg_id=order.leg_id, why=str(refused))
                self._refuse(order, CHANNEL_UNAVAILABLE)
        except AriError:
            leg = self._legs.live.pop(order.leg_id, None)
            if await self._client.channel(order.leg_id) is None:
                raise
            if leg is not None and order.leg_id not in self._legs.ended:
                self._legs.live.setdefault(order.leg_id, leg)

    async def _was_made(self, order: Order) -> bool:
        """Look whether an order was carried out whose answer we did not get, or not we asked."""
        older = order.at_call_ms < self._since_wall_ms
        if not (older or order.leg_id in self._asked):
            return False
        channel = await self._client.channel(order.leg_id)
        if channel is not None:
            self._legs.see(channel)
            return True
        return await self.ended_leg(order.leg_id) is not None

    def _refuse(self, order: Order, cause: int) -> None:
        failed = SwitchEvent(
            f"{order.leg_id}:originate_failed",
            EventKind.ORIGINATE_FAILED,
            order.leg_id,
            order.call_id,
            self._now_ms(),
            cause=cause,
        )
        self._legs.remember(failed)
        self._told.put_nowait(failed)

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """Let these answered legs, and those already there, hear each other."""
        self._need()
        for leg_id in leg_ids:
            leg = self._legs.live.get(leg_id)
            if leg is None or leg.bridge == bridge_id:
                continue
            if not leg.handed or not await self._join(bridge_id, leg):
                self._tell(leg, EventKind.BRIDGE_FAILED)
            else:
                leg.bridge = bridge_id  # before it is told: whoever asks again must not move it

    async def _join(self, bridge_id: str, leg: AsteriskLeg) -> bool:
        """Put a leg into a bridge; False when it is there but cannot be bridged now."""
        await self._silence(leg)  # whatever it hears would be heard to its end first
        if bridge_id not in self._bridges:
            await self._client.make_bridge(bridge_id)
            self._bridges.add(bridge_id)
        status = await self._client.add(bridge_id, leg.leg_id)
        if status == HTTPStatus.NOT_FOUND:
            await self._client.make_bridge(bridge_id)
            status = await self._client.add(bridge_id, leg.leg_id)
        return status < HTTPStatus.BAD_REQUEST or leg.leg_id not in self._legs.live

    async def mute(self, leg_id: str, *, muted: bool) -> None:
        """Stop or let a leg's voice through."""
        self._need()
        if self._answered(leg_id) is not None:
            await self._client.mute(leg_id, muted=muted)

    async def play(self, leg_id: str, prompt: Prompt, words: Mapping[str, str]) -> None:
        """Say something to one answered leg, instead of what it hears now."""
        self._need()
        leg = self._answered(leg_id)
        if leg is None:
            return
        await self._silence(leg)
        if prompt is Prompt.HOLD_TONE:
            leg.holding = True
            await self._client.ring(leg_id, ringing=True)
            return
        leg.queue = media_of(prompt, words, self._media)
        await self._play_next(leg)

    async def _play_next(self, leg: AsteriskLeg) -> None:
        """Play the next part; one at a time, because only what is played now can be stopped."""
        if not leg.queue:
            return  # silenced since this was asked for
        self._plays += 1
        playback_id = f"{leg.leg_id}.p{self._now_ms()}.{self._plays}"
        leg.playing = playback_id
        if not await self._client.play(leg.leg_id, playback_id, leg.queue.pop(0)):
            leg.playing = ""
            leg.queue.clear()
            raise AriError(f"leg {leg.leg_id} cannot hear anything yet")

    async def _go_on(self, leg: AsteriskLeg) -> None:
        """Play the next part; what cannot be played has ended, for whoever waits for its end."""
        try:
            await self._play_next(leg)
        except AriError:
            leg.playing = ""
            leg.queue.clear()
            self._tell(leg, EventKind.PROMPT_ENDED)
            raise

    async def stop(self, leg_id: str) -> None:
        """Stop what is being said to a leg."""
        self._need()
        leg = self._answered(leg_id)
        if leg is not None:
            await self._silence(leg)

    async def _silence(self, leg: AsteriskLeg) -> None:
        if leg.holding:
            leg.holding = False
            await self._client.ring(leg.leg_id, ringing=False)
            self._tell(leg, EventKind.PROMPT_ENDED)
        leg.queue.clear()
        if leg.playing:
            playing, leg.playing = leg.playing, ""
            await self._client.stop_playing(playing)

    async def limit(self, leg_id: str, until_call_ms: int) -> None:
        """Arm the leg's own end, replacing the last; an instant that has passed ends it now."""
        self._need()
        if leg_id not in self._legs.live:
            return
        left_ms = until_call_ms - self._now_ms()
        if left_ms <= 0:
            await self.hang_up(leg_id, NORMAL_CLEARING)
        else:
            left_s = f"{left_ms // 1000}.{left_ms % 1000:03}"
            await self._client.set_variable(leg_id, "TIMEOUT(absolute)", left_s)

    async def hang_up(self, leg_id: str, cause: int) -> None:
        """End a leg; one that is not there (any more) is no error."""
        self._need()
        leg = self._legs.live.get(leg_id)
        if leg is not None:
            leg.hung_up = True
            await self._client.hang_up(leg_id, cause)
        elif leg_id not in self._legs.ended:
            await self._client.hang_up(leg_id, cause)

    async def live_legs(self) -> Sequence[LiveLeg]:
        """Return every leg that exists now."""
        channels, bridges = await asyncio.gather(self._client.channels(), self._client.bridges())
        return [
            leg.live() for leg in self._legs.refresh(iter(channels), iter(bridges), self._asked)
        ]

    async def ended_leg(self, leg_id: str) -> SwitchEvent | None:
        """Return how a leg ended: told to us, or kept by the dialplan (about the last 20,000)."""
        found = self._legs.ended.get(leg_id)
        if found is not None or leg_id in self._legs.live:
            return found
        ended = remembered(leg_id, await self._client.global_variable(kept_in(leg_id)))
        if ended is not None:
            self._legs.remember(ended)
        return ended

    async def health(self) -> SwitchHealth:
        """Return whether it takes calls."""
        legs = len(self._legs.live)
        detail = self._why
        if self._connected:
            detail = f"Asterisk by ARI as {self._stream}; {legs} of {self._ports} ports in use"
            if abs(self._skew_ms) > SKEW_TOLD_MS:
                detail += f"; its clock is off by {self._skew_ms / 1000:+.1f} s"
        return SwitchHealth(self._connected, detail, legs, self._ports)

    # --- events ---------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield events as they come, connecting again as often as needed. One consumer."""
        reader = asyncio.create_task(self._connect_forever())
        try:
            while True:
                yield await self._told.get()
        finally:
            self._connected = False
            for task in (reader, *self._tidying):
                task.cancel()
            await asyncio.wait({reader})

    async def _connect_forever(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                async with self._client.events(self._stream) as stream:
                    await self._begin()
                    wait_s = FIRST_WAIT_S
                    await self._read(stream)
            except Exception as error:  # noqa: BLE001  (whatever broke, it is tried again)
                self._why = f"no events of Asterisk: {error}"
                log.warning("asterisk.lost", switch=self.name, why=str(error))
            if self._connected:
                self._connected = False
                self._tell_of_itself(EventKind.SWITCH_LOST)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _begin(self) -> None:
        """Subscribe, see what is there, and say that we are back. The socket keeps events."""
        await self._client.only(self._stream, EVENTS)
        for trunk in sorted(self._trunks):
            if not await self._client.subscribe(self._stream, f"endpoint:PJSIP/{trunk}"):
                log.error("asterisk.no_such_trunk", switch=self.name, trunk=trunk)
        await self._measure()
        await self.live_legs()
        self._bridges = {str(each["id"]) for each in await self._client.bridges()}
        self._since_wall_ms = self._now_ms()
        await self._announce()
        self._connected = True
        self._tell_of_itself(EventKind.SWITCH_BACK)

    async def _announce(self) -> None:
        """Have legs that are answered from now on handed to us, whoever had them before."""
        await self._client.set_global(owner_of(self._app, 0), self._stream)

    async def _read(self, stream: AsyncIterator[Answer]) -> None:
        pinging = asyncio.create_task(self._ping())
        try:
            async for event in stream:
                if event["type"] == "ApplicationReplaced":
                    raise AriError(f"another process reads the events of {self._stream}")
                self._take(event)
        finally:
            pinging.cancel()

    def _take(self, event: Answer) -> None:
        try:
            found = self._legs.take(event)
        except (KeyError, TypeError, ValueError):
            log.exception("asterisk.event_not_read", kind=event.get("type"))
            return
        for each in found:
            self._told.put_nowait(each)
        while self._legs.waiting:
            self._later(self._go_on(self._legs.waiting.pop()))
        while self._legs.empty:
            bridge_id = self._legs.empty.pop()
            self._bridges.discard(bridge_id)
            self._later(self._client.drop_bridge(bridge_id))

    def _later(self, work: Coroutine[object, object, None]) -> None:
        """Do something that nobody waits for; the events that follow must not."""

        async def attempt() -> None:
            try:
                await work
            except AriError as error:
                log.info("asterisk.not_tidied", switch=self.name, why=str(error))

        task = asyncio.create_task(attempt())
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            try:
                await self._measure()
            except (AriError, AriRefused) as error:
                log.warning("asterisk.no_pong", switch=self.name, why=str(error))

    async def _measure(self) -> None:
        """Measure how far Asterisk's clock is ahead of ours; less than the way there is nothing."""
        before = self._wall.now_ms()
        there = instant_ms(await self._client.ping())
        after = self._wall.now_ms()
        inside = before - 1 <= there <= after + 1
        self._skew_ms = 0 if inside else there - (before + after) // 2

    # --- small things ---------------------------------------------------------------------------

    def _need(self) -> None:
        if not self._connected:
            raise AriError(f"switch {self.name}: {self._why}")

    def _now_ms(self) -> int:
        """Return the time at Asterisk."""
        return self._wall.now_ms() + self._skew_ms

    def _answered(self, leg_id: str) -> AsteriskLeg | None:
        leg = self._legs.live.get(leg_id)
        return leg if leg is not None and leg.handed else None

    def _tell(self, leg: AsteriskLeg, kind: EventKind) -> None:
        now = self._now_ms()
        self._plays += 1
        self._told.put_nowait(told(leg, kind, now, name=f"{kind.value}:{now}:{self._plays}"))

    def _tell_of_itself(self, kind: EventKind) -> None:
        self._breaks += 1
        now = self._now_ms()
        event_id = f"{self.name}:{kind.value}:{now}:{self._breaks}"
        self._told.put_nowait(SwitchEvent(event_id, kind, "", "", now))
