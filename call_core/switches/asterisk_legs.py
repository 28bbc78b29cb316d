"""What is known of the legs on one Asterisk, and what its events amount to. No socket, no clock."""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from call_core.contracts import EventKind, LiveLeg, SwitchEvent
from call_core.switches.asterisk_words import cause_of, instant_ms, whole

EVENTS: Final = (
    "ApplicationReplaced",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "ChannelEnteredBridge",
    "ChannelLeftBridge",
    "ChannelStateChange",
    "Dial",
    "PlaybackFinished",
    "StasisStart",
)
"""What is read; Asterisk would tell eight times as much, each step and variable of its dialplan."""

MOST_REMEMBERED: Final = 20_000
Answer = Mapping[str, Any]


@dataclass(slots=True)
class AsteriskLeg:
    """One leg while it is there.

    Attributes:
        queue: what is to be played next.
        playing: the playback that it hears, "" for none; played: the last that ended.
        holding: it hears the ringing tone.
        bridge: where it is, "" for nowhere; talking: BRIDGED was told.
        hung_up: we have asked for its end.
        handed: it is in an application. Before, though answered, it hears and does nothing: it
            plays its extension's digits, or waits for an application that is away.
    """

    leg_id: str
    call_id: str
    shard: int
    since_call_ms: int
    answered_call_ms: int | None = None
    rang: bool = False
    queue: list[str] = field(default_factory=list)
    playing: str = ""
    played: str = ""
    holding: bool = False
    bridge: str = ""
    talking: bool = False
    hung_up: bool = False
    handed: bool = False
    last_digit: str = ""

    def live(self) -> LiveLeg:
        """Return it as reconcile wants it; one that is not handed over yet is still to answer."""
        return LiveLeg(
            self.leg_id,
            self.call_id,
            self.shard,
            self.answered_call_ms if self.handed else None,
            self.bridge,
            self.since_call_ms,
        )


@dataclass(slots=True)
class Legs:
    """The legs of one application.

    Attributes:
        app: only channels that were made for it are ours.
        shards: only legs of these are ours; None for all.
        live: by leg id.
        ended: the last word about legs that are gone, the newest of them.
        waiting: legs that wait for the next part of what they are told.
        empty: bridges that somebody was the last to leave, for whoever removes them.
    """

    app: str
    shards: frozenset[int] | None = None
    live: dict[str, AsteriskLeg] = field(default_factory=dict)
    ended: OrderedDict[str, SwitchEvent] = field(default_factory=OrderedDict)
    empty: list[str] = field(default_factory=list)
    waiting: list[AsteriskLeg] = field(default_factory=list)

    def knows(self, leg_id: str) -> bool:
        """Whether this leg was ever made, as far as we remember."""
        return leg_id in self.live or leg_id in self.ended

    def refresh(
        self, channels: Iterator[Answer], bridges: Iterator[Answer], asked: Collection[str]
    ) -> list[AsteriskLeg]:
        """Take in what is there now; others are forgotten, but not those `asked` for just now."""
        seen = {leg.leg_id: leg for channel in channels if (leg := self._seen(channel))}
        for leg in seen.values():
            leg.bridge = ""
        for bridge in bridges:
            for leg_id in bridge["channels"]:
                if leg_id in seen:
                    seen[leg_id].bridge = str(bridge["id"])
        on_the_way = {leg_id: leg for leg_id, leg in self.live.items() if leg_id in asked}
        self.live = on_the_way | seen
        return list(seen.values())

    def see(self, channel: Answer) -> None:
        """Take in one channel that is there now."""
        leg = self._seen(channel)
        if leg is not None and leg.leg_id not in self.ended:
            self.live[leg.leg_id] = leg

    def _seen(self, channel: Answer) -> AsteriskLeg | None:
        """Return the leg of a channel, known or new; None when it is not ours."""
        said: Mapping[str, str] = channel.get("channelvars") or {}
        if said.get("CALLGATE_APP") != self.app:
            return None
        shard = whole(said.get("CALLGATE_SHARD", "")) or 0
        if self.shards is not None and shard not in self.shards:
            return None
        leg_id = str(channel["id"])
        leg = self.live.get(leg_id)
        if leg is None:
            leg = AsteriskLeg(
                leg_id,
                said.get("CALLGATE_CALL", ""),
                shard,
                whole(said.get("CALLGATE_SINCE", "")) or 0,
            )
        answered = whole(said.get("CALLGATE_ANSWERED", ""))
        leg.answered_call_ms = leg.answered_call_ms if answered is None else answered
        dialplan: Mapping[str, object] = channel.get("dialplan") or {}
        leg.handed = leg.handed or dialplan.get("app_name") == "Stasis"
        return leg

    def take(self, event: Answer) -> list[SwitchEvent]:
        """Take in one event of ARI; return what it is in our words.

        Raises:
            KeyError, TypeError, ValueError: it is not an event of this version.
        """
        at = instant_ms(event["timestamp"])
        if event["type"] == "PlaybackFinished":
            return self._played(event["playback"], at)
        channel: Answer = event.get("channel") or event.get("peer") or {}
        leg = self._seen(channel) if channel else None
        if leg is None or leg.leg_id in self.ended:
            return []
        self.live[leg.leg_id] = leg
        return self._of_leg(leg, event, at)

    def _of_leg(self, leg: AsteriskLeg, event: Answer, at: int) -> list[SwitchEvent]:
        match event["type"]:
            case "ChannelStateChange" if event["channel"]["state"] == "Ringing":
                leg.rang = True
                return [told(leg, EventKind.RINGING, at)]
            case "Dial" if event.get("dialstatus") == "PROGRESS":
                leg.rang = True
                return [told(leg, EventKind.RINGING, at)]  # early media instead of a bell
            case "StasisStart":
                leg.answered_call_ms, leg.handed = leg.answered_call_ms or at, True
                return [told(leg, EventKind.ANSWERED, leg.answered_call_ms)]
            case "ChannelDtmfReceived":
                return self._digit(leg, str(event["digit"]), at)
            case "ChannelEnteredBridge":
                return self._entered(leg, event["bridge"], at)
            case "ChannelLeftBridge":
                self._left(leg, event["bridge"])
            case "ChannelDestroyed":
                return [self._destroyed(leg, event, at)]
            case _:
                pass
        return []

    def _digit(self, leg: AsteriskLeg, digit: str, at: int) -> list[SwitchEvent]:
        """One key; channel and endpoint are both subscribed, so that it may be told twice."""
        name = f"digit:{at}:{digit}"
        if name == leg.last_digit:
            return []
        leg.last_digit = name
        return [told(leg, EventKind.DIGIT, at, name=name, digit=digit)]

    def _entered(self, leg: AsteriskLeg, bridge: Answer, at: int) -> list[SwitchEvent]:
        leg.bridge = str(bridge["id"])
        there = [self.live[each] for each in bridge["channels"] if each in self.live]
        if len(bridge["channels"]) < len(("one", "another")):
            return []
        fresh = [each for each in there if not each.talking]
        for each in fresh:
            each.talking = True
        return [told(each, EventKind.BRIDGED, at, name=f"bridged:{leg.bridge}") for each in fresh]

    def _left(self, leg: AsteriskLeg, bridge: Answer) -> None:
        leg.bridge, leg.talking = "", False
        if not bridge["channels"]:
            self.empty.append(str(bridge["id"]))

    def _played(self, playback: Answer, at: int) -> list[SwitchEvent]:
        leg = self.live.get(str(playback["target_uri"]).removeprefix("channel:"))
        if leg is None or not str(playback["id"]).startswith(f"{leg.leg_id}."):
            return []
        if leg.played == playback["id"]:
            return []
        leg.played = str(playback["id"])
        if leg.playing == leg.played:
            leg.playing = ""
            if leg.queue:
                self.waiting.append(leg)
                return []
        return [told(leg, EventKind.PROMPT_ENDED, at, name=f"{playback['id']}:ended")]

    def _destroyed(self, leg: AsteriskLeg, event: Answer, at: int) -> SwitchEvent:
        said: Mapping[str, str] = event["channel"].get("channelvars") or {}
        by_us = leg.hung_up or said.get("CALLGATE_CUT") == "1"
        tech = event.get("tech_cause")
        answered = leg.answered_call_ms
        ended = SwitchEvent(
            event_id=f"{leg.leg_id}:ended",
            kind=EventKind.ENDED,
            leg_id=leg.leg_id,
            call_id=leg.call_id,
            at_call_ms=at,
            answered_call_ms=answered,
            cause=cause_of(
                int(event["cause"]),
                None if tech is None else int(tech),
                rang=leg.rang or answered is not None,
                wanted=answered is not None or by_us,
            ),
            by_us=by_us,
        )
        self.live.pop(leg.leg_id, None)
        self.remember(ended)
        return ended

    def remember(self, ended: SwitchEvent) -> None:
        """Keep the last word about a leg."""
        self.ended[ended.leg_id] = ended
        while len(self.ended) > MOST_REMEMBERED:
            self.ended.popitem(last=False)


def told(
    leg: AsteriskLeg, kind: EventKind, at: int, *, name: str = "", digit: str = ""
) -> SwitchEvent:
    """Return an event of a leg; its id is the same when it is told again."""
    return SwitchEvent(
        event_id=f"{leg.leg_id}:{name or kind.value}",
        kind=kind,
        leg_id=leg.leg_id,
        call_id=leg.call_id,
        at_call_ms=at,
        digit=digit,
    )
