"""The life of calls at Twilio: states, documents, conferences, signed callbacks.

Telephones follow scripts. Twilio's habits are kept: creates wait for the account's calls per
second; every state is a callback of its own; a document is fetched at the
answer and obeyed verb by verb; a Call without a document left is hung up; a second End is an error.
Signatures are made by Twilio's own package, so that ours are checked against another's work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
from twilio.request_validator import RequestValidator

from call_core.contracts import Clock
from call_core.switches.simulator_phone import PhoneResult, PhoneScript

ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "token-of-the-twin"
SERVICE = "+12025550143"
API = f"/2010-04-01/Accounts/{ACCOUNT}"
SAY_MS = 4_000
JOIN_MS = 0
TERMINAL = ("completed", "busy", "failed", "no-answer", "canceled")
_REFUSED_AFTER_MS = 100
_SIP = {"busy": "486", "reject": "603", "unreachable": "480"}
_FINAL = {"busy": "busy", "reject": "busy", "unreachable": "failed"}


@dataclass
class TwinCall:
    """One Call."""

    sid: str
    said: dict[str, Any]
    script: PhoneScript
    created_ms: int
    time_limit_s: int
    status: str = "queued"
    started_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    sequence: int = 0
    turn: int = 0  # counts documents; a task of an older one stops
    limits: int = 0
    room: "TwinConference | None" = None
    label: str = ""
    muted: bool = False
    talks: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.status in TERMINAL

    def shown(self) -> dict[str, Any]:
        """Return its resource."""
        started = self.answered_ms or self.started_ms
        duration = ""
        if self.ended_ms is not None and self.answered_ms is not None:
            duration = str((self.ended_ms - self.answered_ms) // 1000)
        return {
            "sid": self.sid,
            "status": self.status,
            "to": self.said["To"],
            "from": self.said["From"],
            "direction": "outbound-api",
            "date_created": stamp(self.created_ms),
            "start_time": None if started is None else stamp(started),
            "end_time": None if self.ended_ms is None else stamp(self.ended_ms),
            "duration": duration or None,
        }


@dataclass
class TwinConference:
    """One Conference; the first participant's callback address counts."""

    sid: str
    name: str
    callback: str
    sequence: int = 0
    members: dict[str, int] = field(default_factory=dict)  # call sid: when it came


@dataclass
class Faults:
    """What goes wrong on purpose.

    Attributes:
        refuse: status and error code for every create.
        lose_creates: how many creates are done, their answers lost.
        drop_creates: how many creates are lost before they are done.
        callbacks_lost: callbacks of these states, or of what happens in conferences, never come.
        unreached: nobody answers at the addresses that were given.
        repeat: every callback of a state comes twice, the copy later, and ringing comes late.
    """

    refuse: tuple[int, int] | None = None
    lose_creates: int = 0
    drop_creates: int = 0
    callbacks_lost: frozenset[str] = frozenset()
    repeat: bool = False
    unreached: bool = False


class TwinExchange:
    """The calls and conferences of one account.

    Attributes:
        url: scheme and host of the REST interface.
        calls: by sid, oldest first.
        busy: pieces of work under way; 0 means that only time brings more.
    """

    def __init__(
        self,
        clock: Clock,
        phones: Mapping[str, PhoneScript],
        default: PhoneScript,
        calls_per_second: float = 1,
    ) -> None:
        self.url = ""
        self.faults = Faults()
        self.calls: dict[str, TwinCall] = {}
        self.conferences: dict[str, TwinConference] = {}
        self.callbacks: list[dict[str, str]] = []
        self.busy = 0
        self._clock = clock
        self._phones = phones
        self._default = default
        self._pace_ms = round(1000 / calls_per_second)
        self._next_ms = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._wire = httpx2.AsyncClient(timeout=15)
        self._signer = RequestValidator(TOKEN)

    async def stop(self) -> None:
        """End everything that is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._wire.aclose()

    # --- time -------------------------------------------------------------------------------------

    def spawn(self, work: Awaitable[None]) -> None:
        """Begin some work, counted until it waits for time or ends."""
        self.busy += 1
        task = asyncio.ensure_future(self._counted(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _counted(self, work: Awaitable[None]) -> None:
        try:
            await work
        finally:
            self.busy -= 1

    async def _until(self, at_ms: int) -> None:
        self.busy -= 1
        try:
            await self._clock.sleep_until(at_ms)
        finally:
            self.busy += 1

    async def _pause(self, by_ms: int) -> None:
        await self._until(self._clock.now_ms() + by_ms)

    # --- one call's life --------------------------------------------------------------------------

    def create(self, said: dict[str, Any]) -> TwinCall:
        """Take a create."""
        now = self._clock.now_ms()
        call = TwinCall(
            f"CA{len(self.calls) + 1:032x}",
            said,
            self._phones.get(said["To"], self._default),
            now,
            int(said.get("TimeLimit", 14_400)),
        )
        call.events.append(event_of("POST", f"{self.url}{API}/Calls.json", snake(said)))
        self.calls[call.sid] = call
        self._next_ms = max(self._next_ms, now)
        self.spawn(self._ring(call, self._next_ms))
        self._next_ms += self._pace_ms
        return call

    async def _ring(self, call: TwinCall, at_ms: int) -> None:
        await self._until(at_ms)
        if call.has_ended():
            return
        call.started_ms = self._clock.now_ms()
        await self._tell(call, "initiated")
        result = call.script.result
        if result in (PhoneResult.BUSY, PhoneResult.UNREACHABLE):
            await self._pause(_REFUSED_AFTER_MS)
            await self.end(call, _FINAL[result], sip=_SIP[result])
            return
        call.status = "ringing"
        await self._tell(call, "ringing")
        timeout_ms = int(call.said["Timeout"]) * 1000
        answers = result in (PhoneResult.ANSWER, PhoneResult.VOICEMAIL)
        rings = answers or result is PhoneResult.REJECT
        in_time = rings and call.script.ring_ms < timeout_ms
        await self._pause(call.script.ring_ms if in_time else timeout_ms)
        if call.has_ended():
            return
        if not in_time:
            await self.end(call, "no-answer")
        elif not answers:
            await self.end(call, _FINAL[result], sip=_SIP[result])
        else:
            await self._answer(call)

    async def _answer(self, call: TwinCall) -> None:
        call.status, call.answered_ms = "in-progress", self._clock.now_ms()
        self.limit(call)
        call.turn += 1
        self.spawn(self._fetch(call, call.turn, call.said["Url"], {}))
        await self._tell(call, "in-progress")

    def limit(self, call: TwinCall) -> None:
        """Arm the end of an answered call."""
        call.limits += 1
        self.spawn(self._cut(call, call.limits))

    async def _cut(self, call: TwinCall, limits: int) -> None:
        assert call.answered_ms is not None
        await self._until(call.answered_ms + call.time_limit_s * 1000)
        if call.limits == limits:
            await self.end(call, "completed")

    async def end(self, call: TwinCall, status: str, sip: str = "200") -> None:
        """End a call, once."""
        if call.has_ended():
            return
        call.status, call.ended_ms = status, self._clock.now_ms()
        call.turn += 1
        await self.leave(call)
        duration = 0 if call.answered_ms is None else (call.ended_ms - call.answered_ms) // 1000
        await self._tell(call, status, CallDuration=str(duration), SipResponseCode=sip)

    async def hang_up(self, call: TwinCall) -> None:
        """Do what the phone's owner does."""
        await self.end(call, "completed")

    # --- callbacks --------------------------------------------------------------------------------

    async def _tell(self, call: TwinCall, status: str, **more: str) -> None:
        url = call.said.get("StatusCallback")
        fields = {
            "CallSid": call.sid,
            "AccountSid": ACCOUNT,
            "From": call.said["From"],
            "To": call.said["To"],
            "CallStatus": status,
            "Direction": "outbound-api",
            "ApiVersion": "2010-04-01",
            "Timestamp": stamp(self._clock.now_ms()),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(call.sequence),
            **more,
        }
        call.sequence += 1
        call.events.append(event_of("POST", str(url), fields))
        if not url or status in self.faults.callbacks_lost:
            return
        if self.faults.repeat:
            late_ms = 1_500 if status == "ringing" else 0
            self.spawn(self._later(late_ms, url, fields))
            self.spawn(self._later(late_ms + 2_000, url, fields))
        else:
            await self._post(url, fields)

    async def _later(self, by_ms: int, url: str, fields: dict[str, str]) -> None:
        await self._pause(by_ms)
        await self._post(url, fields)

    async def _post(self, url: str, fields: dict[str, str]) -> str:
        """Post a signed form; return the document that comes back, "" for none."""
        address = url.partition("#")[0]
        if self.faults.unreached:
            return ""
        self.callbacks.append({"url": address, **fields})
        signature = self._signer.compute_signature(address, fields)
        headers = {"x-twilio-signature": signature, "i-twilio-idempotency-token": signature[:16]}
        try:
            answer = await self._wire.post(address, data=fields, headers=headers)
        except httpx2.HTTPError:
            return ""
        return answer.text if answer.status_code == httpx2.codes.OK else ""

    # --- documents --------------------------------------------------------------------------------

    async def _fetch(self, call: TwinCall, turn: int, url: str, more: dict[str, str]) -> None:
        fields = {
            "CallSid": call.sid,
            "AccountSid": ACCOUNT,
            "From": call.said["From"],
            "To": call.said["To"],
            "CallStatus": call.status,
            "Direction": "outbound-api",
            "ApiVersion": "2010-04-01",
            **more,
        }
        call.events.append(event_of("POST", url, fields))
        document = await self._post(url, fields)
        if call.turn == turn:
            await self.obey(call, turn, document)

    async def obey(self, call: TwinCall, turn: int, document: str) -> None:
        """Do what a document says, verb by verb."""
        for verb in ET.fromstring(document) if document else ():  # noqa: S314  (of ours)
            if verb.tag == "Hangup":
                break
            if verb.tag == "Redirect":
                self.spawn(self._fetch(call, turn, verb.text or "", {}))
                return
            if verb.tag == "Dial":
                await self._dial(call, turn, verb)
                return
            left = verb.tag == "Gather" and await self._gather(call, turn, verb)
            if verb.tag != "Gather":
                await self._speak(call, verb)
            if left or call.turn != turn:
                return
        await self.end(call, "completed")

    async def _speak(self, call: TwinCall, verb: ET.Element) -> None:
        if verb.tag == "Pause":
            await self._pause(int(verb.get("length", "1")) * 1000)
            return
        call.heard.append(verb.text or "")
        forever = verb.tag == "Play" and verb.get("loop") == "0"
        await self._pause(86_400_000 if forever else SAY_MS)

    async def _gather(self, call: TwinCall, turn: int, verb: ET.Element) -> bool:
        """Wait for keys; whether the document is left for the action's."""
        began = self._clock.now_ms()
        asked = [each.text or "" for each in verb if each.tag == "Say"]
        call.heard += asked
        wanted, script = int(verb.get("numDigits", "32")), call.script
        keys = ""
        done = began + len(asked) * SAY_MS + int(verb.get("timeout", "5")) * 1000
        if asked and script.result is PhoneResult.ANSWER:
            keys = script.press[:wanted]
        if keys:
            last = began + script.press_after_ms + 200 * (len(keys) - 1)
            full = len(keys) == wanted
            done = last if full else last + int(verb.get("timeout", "5")) * 1000
        await self._until(done)
        if call.turn != turn:
            return True
        if not keys and verb.get("actionOnEmptyResult") != "true":
            return False
        await self._fetch(call, turn, verb.get("action", ""), {"Digits": keys})
        return True

    # --- conferences ------------------------------------------------------------------------------

    async def _dial(self, call: TwinCall, turn: int, dial: ET.Element) -> None:
        (room,) = dial
        name = room.text or ""
        conference = self.conferences.get(name)
        if conference is None or not conference.members:
            sid = f"CF{len(self.conferences) + 1:032x}"
            conference = TwinConference(sid, name, room.get("statusCallback", ""))
            self.conferences[name] = conference
        await self._pause(JOIN_MS)
        if call.turn != turn:
            return
        call.room, call.label = conference, room.get("participantLabel", "")
        call.muted = room.get("muted") == "true"
        conference.members[call.sid] = self._clock.now_ms()
        await self._tell_room(conference, "participant-join", call)
        if len(conference.members) > 1:
            for sid in conference.members:
                self._begin_to_talk(self.calls[sid])

    def _begin_to_talk(self, call: TwinCall) -> None:
        if not call.talks and call.script.talk_ms:
            self.spawn(self._talk(call))
        call.talks = True

    async def _talk(self, call: TwinCall) -> None:
        await self._pause(call.script.talk_ms)
        await self.end(call, "completed")

    async def leave(self, call: TwinCall) -> None:
        """Take a call out of its conference."""
        conference, call.room = call.room, None
        if conference is not None:
            conference.members.pop(call.sid, None)
            await self._tell_room(conference, "participant-leave", call)

    async def _tell_room(
        self, room: TwinConference, event: str, call: TwinCall, **more: str
    ) -> None:
        room.sequence += 1
        if event in self.faults.callbacks_lost:
            return
        fields = {
            "AccountSid": ACCOUNT,
            "ConferenceSid": room.sid,
            "FriendlyName": room.name,
            "StatusCallbackEvent": event,
            "CallSid": call.sid,
            "ParticipantLabel": call.label,
            "Muted": str(call.muted).lower(),
            "SequenceNumber": str(room.sequence),
            "Timestamp": stamp(self._clock.now_ms()),
            **more,
        }
        if room.callback:
            await self._post(room.callback, fields)

    async def announce(self, call: TwinCall, room: TwinConference, url: str) -> None:
        """Say something to one participant."""
        document = await self._post(url, {"CallSid": call.sid, "ConferenceSid": room.sid})
        for verb in ET.fromstring(document) if document else ():  # noqa: S314  (of ours)
            await self._speak(call, verb)
        if call.room is room:
            await self._tell_room(room, "announcement-end", call, AnnounceUrl=url)


def stamp(at_ms: int) -> str:
    """Return an instant as Twilio writes it, in whole seconds."""
    return formatdate(at_ms // 1000).replace("-0000", "+0000")


async def quiet(
    twin: TwinExchange, pending: Callable[[], int], settle: Callable[[], Awaitable[None]]
) -> None:
    """Return when nothing goes on any more but waiting for time."""
    calm = 0
    while calm < 2:
        await settle()
        calm = calm + 1 if twin.busy == 0 and pending() == 0 else 0
        if calm == 0:
            await asyncio.sleep(0.001)


def snake(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with the names that Events have."""
    made = {}
    for name, value in said.items():
        words = "".join(f"_{letter}" if letter.isupper() else letter for letter in name)
        made[words.lower().strip("_")] = value
    return made


def event_of(method: str, url: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of a Call's Events."""
    return {"request": {"method": method, "url": url, "parameters": dict(parameters)}}
