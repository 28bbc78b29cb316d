"""Twilio as a switch where the contract is silent: pace, refusals, lost answers, second calls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request, Response

from call_core.contracts import EventKind, Prompt, SwitchEvent
from call_core.switches import twilio_recall
from call_core.switches.simulator_phone import PhoneScript
from call_core.switches.twilio_rest import (
    PAGES_LIMIT,
    TwilioRefused,
    TwilioRest,
    TwilioUnknown,
    TwilioUnreached,
)
from gateway.http_listener import HttpListener
from tests.support.clocks import FakeClock, settle
from tests.support.orders import an_order
from tests.support.twilio_bench import TwilioWorld, account_at, twilio_world
from tests.support.twilio_voice_calls import SERVICE, TwinCall

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
ALICE, BOB, SLOW = "+12025550101", "+12025550102", "+12025550103"


class Told(list[SwitchEvent]):
    """What the switch tells."""

    def kinds(self, leg_id: str = "leg_a") -> list[EventKind]:
        """Return the kinds of what was told of a leg."""
        return [event.kind for event in self if event.leg_id == leg_id]


class Bench:
    """A switch, its twin, and what was told."""

    def __init__(self, world: TwilioWorld) -> None:
        self.world = world
        self.told = Told()
        self._reader: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Read what the switch of the moment tells."""
        await self.deafen()
        self._reader = asyncio.create_task(self._read())
        await settle()

    async def deafen(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})

    async def _read(self) -> None:
        async for event in self.world.switch.events():
            self.told.append(event)

    async def originate(self, leg_id: str = "leg_a", number: str = ALICE, **more: Any) -> None:  # noqa: ANN401  (of Order)
        """Order a leg now."""
        order = an_order(leg_id, number=number, at_call_ms=self.world.clock.now_ms())
        await self.world.switch.originate(replace(order, **more))

    async def answered(self, leg_id: str = "leg_a", number: str = ALICE) -> None:
        """Order a leg and wait until somebody has answered."""
        await self.originate(leg_id, number)
        await self.world.pass_ms(3_000)
        assert EventKind.ANSWERED in self.told.kinds(leg_id)

    def calls(self) -> list[TwinCall]:
        """Return the calls at Twilio."""
        return list(self.world.twin.calls.values())


@pytest.fixture
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A switch with a reader; the parameter is the account's calls per second."""
    pace = getattr(request, "param", 100)
    phones = {number: PhoneScript(ring_ms=2_000) for number in (ALICE, BOB)}
    async with twilio_world(phones, FakeClock(), pace) as world:
        phones[SLOW] = PhoneScript(ring_ms=60_000)
        made = Bench(world)
        await made.listen()
        yield made
        await made.deafen()


# --- pace -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bench", [1], indirect=True)
async def test_calls_are_made_at_the_accounts_pace(bench: Bench) -> None:
    """One in each second, in the order of the orders."""
    began = bench.world.clock.now_ms()
    for n in range(4):
        await bench.originate(f"leg_{n}", f"+1202555{n:04}")
    await bench.world.pass_ms(5_000)
    assert [call.created_ms - began for call in bench.calls()] == [0, 1_000, 2_000, 3_000]
    assert [call.said["To"][-1] for call in bench.calls()] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("bench", [1], indirect=True)
async def test_an_order_taken_back_in_the_queue_rings_nobody(bench: Bench) -> None:
    """It ends by us, and the next one takes its turn."""
    await bench.originate("leg_a")
    await bench.originate("leg_b", BOB)
    await bench.world.settle()
    await bench.world.switch.hang_up("leg_b", 16)
    await bench.world.pass_ms(5_000)
    assert [call.said["To"] for call in bench.calls()] == [ALICE]
    (ended,) = [event for event in bench.told if event.leg_id == "leg_b"]
    assert (ended.kind, ended.by_us, ended.answered_call_ms) == (EventKind.ENDED, True, None)


@pytest.mark.parametrize("bench", [0.1], indirect=True)
async def test_an_order_that_waited_too_long_is_refused(bench: Bench) -> None:
    """All lines are busy: for certain, with cause 34."""
    for n in range(5):
        await bench.originate(f"leg_{n}")
    await bench.world.pass_ms(60_000)
    assert len(bench.calls()) == 4
    (failed,) = [event for event in bench.told if event.leg_id == "leg_4"]
    assert (failed.kind, failed.cause, failed.certain) == (EventKind.ORIGINATE_FAILED, 34, True)


async def test_too_many_requests_are_asked_again(bench: Bench) -> None:
    """A 429 makes no call; the same order is put once more."""
    bench.world.twin.faults.refuse = (429, 20429)
    await bench.originate()
    await bench.world.pass_ms(1_500)
    assert bench.calls() == []
    bench.world.twin.faults.refuse = None
    await bench.world.pass_ms(4_000)
    assert bench.told.kinds() == [EventKind.RINGING, EventKind.ANSWERED]
    assert len(bench.calls()) == 1


async def test_an_order_taken_back_while_twilio_is_too_busy_ends(bench: Bench) -> None:
    """It is not put again."""
    bench.world.twin.faults.refuse = (429, 20429)
    await bench.originate()
    bench.world.switch._board.live["leg_a"].hung_up = 16  # noqa: SLF001  (asked while it is on its way)
    await bench.world.pass_ms(5_000)
    assert bench.told.kinds() == [EventKind.ORIGINATE_FAILED]


# --- what is put into a create --------------------------------------------------------------------


@pytest.mark.parametrize("number", ["911", "+1202555010x", "sip:a@b", "+0123456789", "+1 202", ""])
async def test_only_e164_reaches_twilio(bench: Bench, number: str) -> None:
    """Anything else is refused here, for certain."""
    await bench.originate(number=number)
    await bench.world.pass_ms(1_000)
    assert bench.calls() == []
    assert [event.cause for event in bench.told] == [28]


async def test_a_create_says_what_the_order_says(bench: Bench) -> None:
    """Who rings, for how long at most, what is dialled after the answer."""
    await bench.originate(post_dial="1234", ring_timeout_s=25, limit_s=180)
    await bench.world.pass_ms(1_000)
    said = bench.calls()[0].said
    assert (said["Timeout"], said["TimeLimit"], said["SendDigits"]) == ("25", "180", "W1234")
    assert said["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert "leg=leg_a" in said["Url"]


@pytest.mark.parametrize(
    ("caller_id", "private", "shown"),
    [(SERVICE, False, SERVICE), (BOB, False, SERVICE), (BOB, True, SERVICE), ("", True, SERVICE)],
)
async def test_a_number_that_may_not_be_shown_is_not(
    bench: Bench,
    caller_id: str,
    private: bool,  # noqa: FBT001  (a column)
    shown: str,
) -> None:
    """Twilio refuses a caller id that is not ours; the service's is shown, and remembered."""
    for leg_id in ("leg_a", "leg_b"):
        await bench.originate(leg_id, caller_id=caller_id, private=private)
        await bench.world.pass_ms(3_000)
    assert [call.said["From"] for call in bench.calls()] == [shown, shown]
    creates = [path for method, path, _ in bench.world.twin.requests if method == "POST"]
    assert len(creates) == (3 if caller_id == BOB and not private else 2)


# --- lost answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("heard", [True, False])
async def test_a_call_whose_create_was_not_answered_is_found(bench: Bench, heard: bool) -> None:  # noqa: FBT001  (a column)
    """By a callback that names it, or by looking through Twilio's list."""
    bench.world.twin.faults.lose_creates = 1
    if not heard:
        bench.world.twin.faults.unreached = True
    await bench.originate()
    await bench.world.pass_ms(1_500)
    bench.world.twin.faults.unreached = False
    await bench.world.switch.hang_up("leg_a", 16)
    await bench.world.pass_ms(2_000)
    assert [call.status for call in bench.calls()] == ["canceled"]
    assert bench.told.kinds()[-1] is EventKind.ENDED


async def test_a_lost_create_is_uncertain_and_may_be_ordered_again(bench: Bench) -> None:
    """It is looked for before it is repeated, and then rings once."""
    bench.world.twin.faults.drop_creates = 1
    await bench.originate()
    await bench.world.pass_ms(30_000)
    (failed,) = bench.told
    assert (failed.kind, failed.certain) == (EventKind.ORIGINATE_FAILED, False)
    await bench.answered()
    assert len(bench.calls()) == 1


def _nothing(query: dict[str, str]) -> list[dict[str, Any]]:
    """Return what a list shows that is behind."""
    assert query
    return []


async def test_a_call_that_turns_up_late_is_taken_and_not_repeated(bench: Bench) -> None:
    """Twilio's list was behind; when the order comes again, the call is there."""
    bench.world.twin.faults.lose_creates = 1
    bench.world.twin.faults.unreached = True
    hidden, bench.world.twin._listed = bench.world.twin._listed, _nothing  # type: ignore[method-assign]  # noqa: SLF001  (a list that is behind)
    await bench.originate(number=SLOW, ring_timeout_s=120)
    await bench.world.pass_ms(15_000)
    assert bench.told.kinds() == [EventKind.ORIGINATE_FAILED]
    bench.world.twin._listed = hidden  # type: ignore[method-assign]  # noqa: SLF001  (as above)
    await bench.originate(number=SLOW)
    await bench.world.pass_ms(1_000)
    assert len(bench.calls()) == 1
    assert [leg.leg_id for leg in await bench.world.switch.live_legs()] == ["leg_a"]


async def test_a_doubtful_order_is_not_created_while_twilio_cannot_be_asked(bench: Bench) -> None:
    """Nobody could look whether it rings already; it stays doubtful."""
    bench.world.twin.faults.drop_creates = 1
    await bench.originate()
    await bench.world.pass_ms(15_000)
    bench.world.switch.rest._wire.auth = ("other", "token")  # noqa: SLF001  (a token that was changed)
    await bench.originate()
    await bench.world.pass_ms(60_000)
    assert bench.calls() == []
    assert [event.certain for event in bench.told] == [False, False]


async def test_a_second_call_of_one_leg_is_ended(bench: Bench) -> None:
    """Whatever made it: the first one stays, the second hears nothing and costs nothing."""
    await bench.answered()
    first = bench.calls()[0]
    bench.world.twin.create(dict(first.said))
    await bench.world.pass_ms(5_000)
    assert [call.status for call in bench.calls()] == ["in-progress", "canceled"]
    assert bench.told.kinds() == [EventKind.RINGING, EventKind.ANSWERED]


async def test_an_answer_that_was_not_called_back_is_asked_for(bench: Bench) -> None:
    """Two seconds after Twilio wanted to know what the leg shall hear."""
    bench.world.twin.faults.callbacks_lost = frozenset({"in-progress"})
    await bench.originate()
    await bench.world.pass_ms(6_000)
    assert bench.told.kinds() == [EventKind.RINGING, EventKind.ANSWERED]


async def test_an_end_that_was_not_called_back_is_told_by_the_next_look(bench: Bench) -> None:
    """Reconcile asks for the live legs; one that is missing there has ended."""
    bench.world.twin.faults.callbacks_lost = frozenset({"completed"})
    await bench.answered()
    await bench.world.twin.hang_up(bench.calls()[0])
    await bench.world.pass_ms(1_000)
    assert EventKind.ENDED not in bench.told.kinds()
    assert await bench.world.switch.live_legs() == []
    await bench.world.settle()
    assert bench.told.kinds()[-1] is EventKind.ENDED


async def test_late_callbacks_of_an_ended_leg_say_nothing_new(bench: Bench) -> None:
    """The last state is sticky, whatever SequenceNumber comes after it."""
    bench.world.twin.faults.unreached = True
    await bench.originate()
    await bench.world.pass_ms(3_000)
    bench.world.twin.faults.unreached = False
    call = bench.calls()[0]
    for status in ("completed", "ringing", "in-progress"):
        await bench.world.twin._tell(call, status)  # noqa: SLF001  (Twilio's own retry)
    await bench.world.pass_ms(1_000)
    assert bench.told.kinds() == [EventKind.ENDED]


# --- the wire -------------------------------------------------------------------------------------


async def test_a_switch_that_cannot_be_reached_is_lost_and_comes_back(bench: Bench) -> None:
    """After three failures in a row; commands fail meanwhile and are asked again."""
    await bench.answered()
    rest, world = bench.world.switch.rest, bench.world
    good, rest._wire = rest._wire, httpx2.AsyncClient(base_url="http://127.0.0.1:1")  # noqa: SLF001  (a cut wire)
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await world.switch.play("leg_a", Prompt.BUSY, {})
        with pytest.raises(ConnectionError):
            await world.switch.bridge("bridge_1", ["leg_a"])
    world.clock.jump(20_000)
    health = await world.switch.health()
    assert (health.up, "Twilio" in health.detail) == (False, True)
    await rest._wire.aclose()  # noqa: SLF001  (as above)
    rest._wire = good  # noqa: SLF001  (as above)
    assert (await world.switch.health()).up
    await world.settle()
    own = [event.kind for event in bench.told if not event.leg_id]
    assert own == [EventKind.SWITCH_LOST, EventKind.SWITCH_BACK]
    await world.switch.bridge("bridge_1", ["leg_a"])
    await world.settle()
    assert [len(room.members) for room in world.twin.conferences.values()] == [1]


async def test_an_order_waits_while_twilio_cannot_be_reached(bench: Bench) -> None:
    """Nothing was asked, so it is certain that nothing rings: it is put again."""
    rest = bench.world.switch.rest
    good, rest._wire = rest._wire, httpx2.AsyncClient(base_url="http://127.0.0.1:1")  # noqa: SLF001  (a cut wire)
    await bench.originate()
    await bench.world.pass_ms(2_500)
    await rest._wire.aclose()  # noqa: SLF001  (as above)
    rest._wire = good  # noqa: SLF001  (as above)
    await bench.world.pass_ms(5_000)
    assert bench.told.kinds() == [EventKind.RINGING, EventKind.ANSWERED]


async def test_a_refused_account_is_said(bench: Bench) -> None:
    """The operator reads what Twilio does not like."""
    rest = bench.world.switch.rest
    rest._wire.auth = ("other", "token")  # noqa: SLF001  (a token that was changed)
    health = await bench.world.switch.health()
    assert not health.up
    assert "20003" in health.detail


# --- conferences ----------------------------------------------------------------------------------


async def bridged(bench: Bench) -> None:
    """Have two legs talk."""
    await bench.answered("leg_a", ALICE)
    await bench.answered("leg_b", BOB)
    await bench.world.switch.bridge("bridge_1", ["leg_a", "leg_b"])


async def test_what_is_asked_on_the_way_into_a_conference_is_asked_again(bench: Bench) -> None:
    """A leg that is not there yet can hear and be muted a moment later."""
    await bridged(bench)
    leg = bench.world.switch._board.live["leg_a"]  # noqa: SLF001  (a callback that is not here yet)
    await bench.world.settle()
    there, leg.conference_sid = leg.conference_sid, ""
    with pytest.raises(ConnectionError):
        await bench.world.switch.mute("leg_a", muted=True)
    with pytest.raises(ConnectionError):
        await bench.world.switch.play("leg_a", Prompt.JOIN_TONE, {})
    leg.conference_sid = there
    await bench.world.switch.mute("leg_a", muted=True)
    await bench.world.switch.play("leg_a", Prompt.ENDING_SOON, {})
    await bench.world.pass_ms(6_000)
    call = bench.calls()[0]
    assert call.muted
    assert "One minute is left." in call.heard
    assert bench.told.kinds().count(EventKind.PROMPT_ENDED) == 1


async def test_a_new_process_knows_who_is_in_which_conference(bench: Bench) -> None:
    """Also when its address is another; what it acts upon then calls back to it, and no other."""
    await bridged(bench)
    await bench.world.switch.mute("leg_b", muted=True)
    await bench.world.kill()
    bench.world.start("https://other.example/voice/twilio")
    live = {leg.leg_id: leg for leg in await bench.world.switch.live_legs()}
    assert {leg.bridge for leg in live.values()} == {"bridge_1"}
    answered = live["leg_a"].answered_call_ms
    assert answered is not None
    await bench.world.switch.limit("leg_a", answered + 3_600_000)
    here = ["other.example" in call.said["StatusCallback"] for call in bench.calls()]
    assert here == [True, False]


async def test_calls_of_others_are_not_ours(bench: Bench) -> None:
    """Another program's calls in the account are looked at once and left alone."""
    other = {"To": BOB, "From": SERVICE, "Url": "https://shop.example/ivr", "Timeout": "60"}
    bench.world.twin.create(other)
    assert await bench.world.switch.live_legs() == []
    asked = len(bench.world.twin.requests)
    assert await bench.world.switch.live_legs() == []
    assert len(bench.world.twin.requests) == asked + 3


async def test_no_more_calls_are_looked_into_than_the_limit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account full of foreign calls costs a bounded number of requests."""
    monkeypatch.setattr(twilio_recall, "LOOKUPS_LIMIT", 2)
    for _ in range(3):
        bench.world.twin.create({"To": BOB, "From": SERVICE, "Url": "x", "Timeout": "60"})
    assert await bench.world.switch.live_legs() == []
    events = [path for _, path, _ in bench.world.twin.requests if "Events" in path]
    assert len(events) == 2


# --- what comes in --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("twiml", {}),
        ("other", {"d": "callgate", "leg": "l", "call": "c", "shard": "0", "limit": "1"}),
        ("twiml", {"d": "staging", "leg": "l", "call": "c", "shard": "0", "limit": "1"}),
    ],
)
async def test_an_address_that_names_no_leg_hangs_up(
    bench: Bench, what: str, query: dict[str, str]
) -> None:
    """Nobody waits in silence for a document that never comes."""
    assert bench.world.switch.receive(what, query, {}) == "<Response><Hangup /></Response>"


async def test_an_ended_leg_that_asks_is_hung_up(bench: Bench) -> None:
    """Twilio's retry of an old request."""
    await bench.answered()
    await bench.world.switch.hang_up("leg_a", 16)
    await bench.world.pass_ms(1_000)
    query = {"d": "callgate", "leg": "leg_a", "call": "call_1", "shard": "3", "limit": "3600"}
    document = bench.world.switch.receive("twiml", query, {"CallSid": bench.calls()[0].sid})
    assert document == "<Response><Hangup /></Response>"
    assert bench.world.switch.receive("conference", query, {"CallSid": "CA404"}) is None


async def test_a_limit_that_has_passed_ends_the_leg(bench: Bench) -> None:
    """At once, and by us."""
    await bench.answered()
    await bench.world.switch.limit("leg_a", bench.world.clock.now_ms())
    await bench.world.pass_ms(1_000)
    assert (bench.told[-1].kind, bench.told[-1].by_us) == (EventKind.ENDED, True)


# --- the client of the REST interface -------------------------------------------------------------


@pytest.fixture
async def answers() -> AsyncIterator[tuple[TwilioRest, list[tuple[int, bytes]]]]:
    """A client of a server that answers as the test says."""
    given: list[tuple[int, bytes]] = []
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def _(path: str, request: Request) -> Response:
        status, body = given.pop(0) if len(given) > 1 else given[0]
        return Response(body.replace(b"PATH", f"/{path}?{request.url.query}".encode()), status)

    listener = HttpListener("127.0.0.1", 0)
    await listener.start(app)
    rest = TwilioRest(account_at(f"http://127.0.0.1:{listener.port}"), lambda _: None)
    yield rest, given
    await rest.close()
    await listener.stop()


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (500, b"{}", TwilioUnknown),
        (502, b"<html>", TwilioUnknown),
        (201, b"<html>", TwilioUnknown),
        (201, b"[]", TwilioUnknown),
        (503, b"{}", TwilioRefused),
        (400, b'{"code": 21211}', TwilioRefused),
        (400, b'{"code": "x"}', TwilioRefused),
        (404, b"<html>", TwilioRefused),
    ],
)
async def test_what_an_answer_means_for_the_call(
    answers: tuple[TwilioRest, list[tuple[int, bytes]]],
    status: int,
    body: bytes,
    raised: type[Exception],
) -> None:
    """A server that broke may have rung; a refusal has not."""
    rest, given = answers
    given.append((status, body))
    with pytest.raises(raised):
        await rest.create_call({"To": ALICE})
    assert rest.pending == 0


async def test_no_server_means_no_call() -> None:
    """A connection that was never there carried nothing."""
    rest = TwilioRest(account_at("http://127.0.0.1:1"), lambda _: None)
    with pytest.raises(TwilioUnreached):
        await rest.create_call({"To": ALICE})
    await rest.close()


async def test_lists_are_read_to_their_limit(
    answers: tuple[TwilioRest, list[tuple[int, bytes]]],
) -> None:
    """Page after page, but not for ever."""
    rest, given = answers
    given.append((200, b'{"calls": [{"sid": "CA1"}], "next_page_uri": "PATH"}'))
    assert len(await rest.calls(status="queued")) == PAGES_LIMIT
