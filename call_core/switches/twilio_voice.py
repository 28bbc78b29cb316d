"""Twilio Programmable Voice as a switch.

Every leg is one outbound Call of its own. Its documents (TwiML) come from us; prompts and keys are
`<Say>` and `<Gather>`, a bridge is a `<Conference>` with the bridge's name, for two as for many.
Twilio tells what happens by signed callbacks, which the gateway's route hands to `receive`.

Authentication: account sid and token, or an API key. Facts: twilio.com/docs/voice.

Money: `TimeLimit` of the Call is the switch's own limit. It is set at the create to what is paid
and by an update of the Call at each extension, so Twilio ends the leg though we are dead.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from call_core.contracts import (
    Clock,
    EventKind,
    LiveLeg,
    Order,
    Prompt,
    SwitchEvent,
    SwitchHealth,
)
from call_core.switches.twilio_board import Addresses, Board
from call_core.switches.twilio_callbacks import NORMAL_CLEARING, Token
from call_core.switches.twilio_incoming import Incoming
from call_core.switches.twilio_launch import TIME_LIMIT_S, Launcher, Pace, Tasks, gently
from call_core.switches.twilio_leg import Leg, Said
from call_core.switches.twilio_recall import Recall
from call_core.switches.twilio_rest import Account, TwilioRefused, TwilioRest

LOST_AFTER_FAILURES: Final = 3
PROBE_AFTER_MS: Final = 15_000


class NotInConference(ConnectionError):
    """The leg is on its way into its conference; the same may be asked a moment later."""


@dataclass(frozen=True, slots=True)
class TwilioFigures:
    """How this switch is used.

    Attributes:
        base: where Twilio reaches us, `https://calls.example/voice/twilio`.
        deployment: marks the legs of this deployment in the account.
        ports: how many legs at once.
        pace: how fast calls are made.
    """

    base: str
    deployment: str
    ports: int
    pace: Pace


class TwilioVoice:
    """A `Switch` at Twilio.

    Args:
        name: as in CDRs.
        clock: the call clock; Twilio's own times are the world's, so it must be the world's too.
        account: who we are at Twilio.
        figures: how it is used.

    Attributes:
        rest: the client.
    """

    cut_guard_ms = 1_500  # Twilio's times have whole seconds, and a request takes a while

    def __init__(
        self, *, name: str, clock: Clock, account: Account, figures: TwilioFigures
    ) -> None:
        self.name = name
        self._clock = clock
        self._ports = figures.ports
        self._addresses = Addresses(figures.base, figures.deployment)
        self._board = Board(clock)
        self._tasks = Tasks()
        self.rest = TwilioRest(account, self._heard)
        self._recall = Recall(self._board, self.rest, self._addresses)
        self._incoming = Incoming(
            self._board, self.rest, self._recall, self._addresses, self._tasks
        )
        self._launcher = Launcher(
            self._board, self.rest, self._recall, self._addresses, figures.pace, self._tasks
        )
        self._failures = 0
        self._lost = False
        self._heard_call_ms: int | None = None

    # --- what every switch can do ---------------------------------------------------------------

    async def originate(self, order: Order) -> None:
        """Have a number rung when its turn has come. A leg id that is known does nothing."""
        if self._board.leg(order.leg_id) is not None:
            return
        limit_s = min(max(order.limit_s, 1), TIME_LIMIT_S)
        token = Token(self._addresses.deployment, order.leg_id, order.call_id, order.shard, limit_s)
        leg = Leg(token, self._clock.now_ms(), limit_s, order=order)
        self._board.add(leg)
        self._launcher.queue(leg)

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """Send answered legs into the bridge's conference.

        A leg that was not answered yet gets BRIDGE_FAILED; one that is gone is no error.

        Raises:
            ConnectionError, TwilioRefused: Twilio did not take it; so for every command.
        """
        for leg_id in leg_ids:
            leg = self._board.live.get(leg_id)
            if leg is None or leg.bridge == bridge_id:
                continue
            if leg.answered_call_ms is None:
                now = self._clock.now_ms()
                self._board.tell(leg.event("bridge_failed", EventKind.BRIDGE_FAILED, now))
                continue
            self._cut(leg)
            before, leg.bridge, leg.bridged = leg.bridge, bridge_id, False
            try:
                await self._show(leg)
            except (ConnectionError, TwilioRefused):
                leg.bridge = before
                raise

    async def mute(self, leg_id: str, *, muted: bool) -> None:
        """Stop or let a leg's voice through; outside of a conference nobody hears it anyway."""
        leg = self._board.live.get(leg_id)
        if leg is None or leg.muted == muted:
            return
        if leg.bridge and not leg.conference_sid:
            raise NotInConference(f"{leg_id} is on its way")
        if leg.conference_sid:
            await self._participant(leg, {"Muted": "true" if muted else "false"})
        leg.muted = muted

    async def play(self, leg_id: str, prompt: Prompt, words: Mapping[str, str]) -> None:
        """Say something to one answered leg, instead of what it hears now."""
        leg = self._board.live.get(leg_id)
        if leg is None or not leg.talking:
            return
        if leg.bridge and not leg.conference_sid:
            raise NotInConference(f"{leg_id} is on its way")
        self._cut(leg)
        before, leg.said_count = leg.said, leg.said_count + 1
        leg.said = Said(prompt, dict(words), leg.said_count)
        try:
            if leg.bridge:
                url = self._addresses.of("announce", leg.token, n=str(leg.said_count))
                await self._participant(leg, {"AnnounceUrl": url, "AnnounceMethod": "POST"})
            else:
                await self._show(leg)
        except (ConnectionError, TwilioRefused):
            leg.said = before
            raise

    async def stop(self, leg_id: str) -> None:
        """Stop what is being said to a leg; an announcement into a conference ends by itself."""
        leg = self._board.live.get(leg_id)
        if leg is None or leg.said is None or leg.bridge:
            return
        self._cut(leg)
        leg.said = None
        await self._show(leg)

    async def limit(self, leg_id: str, until_call_ms: int) -> None:
        """Arm Twilio's own end of an answered leg, in whole seconds, never later than asked."""
        leg = self._board.live.get(leg_id)
        if leg is None or leg.answered_call_ms is None:
            return
        if until_call_ms <= self._clock.now_ms():
            await self._hang_up(leg, leg.hung_up or NORMAL_CLEARING)
            return
        seconds = max(1, (until_call_ms - leg.answered_call_ms) // 1000)
        seconds = min(seconds, TIME_LIMIT_S)
        if seconds != leg.time_limit_s or leg.elsewhere:
            await self._update(leg, {"TimeLimit": str(seconds)})
            leg.time_limit_s = seconds

    async def hang_up(self, leg_id: str, cause: int) -> None:
        """End a leg; one that is not there (any more) is no error."""
        leg = self._board.live.get(leg_id)
        if leg is not None:
            await self._hang_up(leg, cause)

    async def live_legs(self) -> Sequence[LiveLeg]:
        """Return every leg that exists now, as Twilio lists them, and those that wait here."""
        await self._recall.live()
        return [leg.live() for leg in self._board.live.values()]

    async def ended_leg(self, leg_id: str) -> SwitchEvent | None:
        """Return how a leg ended; of what an earlier process did, Twilio's records are read."""
        leg = self._board.leg(leg_id)
        if leg is not None:
            return leg.ended
        return await self._recall.ended(leg_id)

    async def health(self) -> SwitchHealth:
        """Return whether Twilio can be reached; ask it when nothing was heard for a while."""
        heard, detail = self._heard_call_ms, ""
        if heard is None or self._clock.now_ms() - heard > PROBE_AFTER_MS:
            try:
                await self.rest.account()
            except ConnectionError as error:
                detail = str(error)
            except TwilioRefused as error:
                detail = f"Twilio refuses our account ({error})."
        if self._lost and not detail:
            detail = "Twilio cannot be reached."
        up = not detail
        return SwitchHealth(up, detail or "Twilio answers.", len(self._board.live), self._ports)

    def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield events as they come, until closed. One consumer."""
        return self._board.events()

    # --- what the gateway hands in, and the end ---------------------------------------------------

    def receive(self, what: str, query: Mapping[str, str], fields: Mapping[str, str]) -> str | None:
        """Take a request of Twilio whose signature was checked.

        Returns:
            The document that it asks for, None when it asks for none.
        """
        return self._incoming.receive(what, query, fields)

    async def aclose(self) -> None:
        """End `events` and let the connections go; legs go on at Twilio. Harmless twice."""
        self._board.close()
        await self._tasks.stop()
        await self.rest.close()

    # --- commands -------------------------------------------------------------------------------

    async def _hang_up(self, leg: Leg, cause: int) -> None:
        leg.hung_up = cause
        if leg.sid:
            await self._launcher.end(leg)
        elif self._launcher.withdraw(leg):
            self._board.tell(leg.end(self._clock.now_ms(), cause, None))
            self._board.bury(leg)
        # Else the create is under way: the call is ended as soon as it has a name.

    def _cut(self, leg: Leg) -> None:
        """Tell the end of a prompt that gives way to something else."""
        if leg.said is not None:
            self._incoming.prompt_ended(leg, str(leg.said.n))

    async def _show(self, leg: Leg) -> None:
        """Let a leg hear what it is to hear now, unless Twilio has just fetched that itself."""
        leg.document += 1
        async with leg.turn:
            if leg.served < leg.document and leg.ended is None:
                await self._update(leg, {"Twiml": self._incoming.document(leg)})
                leg.served = leg.document

    async def _update(self, leg: Leg, form: Mapping[str, str]) -> None:
        """Change a call; with it, have its callbacks come here.

        A leg of a process before this one, or of another node, is left alone until it is ours to
        act upon: several nodes may share an account.
        """
        here = {"StatusCallback": self._addresses.told("status", leg.token)}
        await gently(self.rest.update_call(leg.sid, {**form, **here} if leg.elsewhere else form))
        leg.elsewhere = False

    async def _participant(self, leg: Leg, form: Mapping[str, str]) -> None:
        asked = self.rest.update_participant(leg.conference_sid, leg.sid, form)
        await gently(asked)

    def _heard(self, reached: bool) -> None:  # noqa: FBT001  (a fact, told by the client)
        """Note whether Twilio could be reached; a few failures in a row are a lost switch."""
        if reached:
            self._failures, self._heard_call_ms = 0, self._clock.now_ms()
            if self._lost:
                self._lost = False
                self._board.tell_of_itself(EventKind.SWITCH_BACK)
            return
        self._failures += 1
        if self._failures == LOST_AFTER_FAILURES and not self._lost:
            self._lost = True
            self._board.tell_of_itself(EventKind.SWITCH_LOST)
