"""The outbox: in order, again after failures, elsewhere, or dead with a row in the audit."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from call_core.administration import AddSender
from call_core.engine import outbox as outbox_module
from call_core.engine.outbox import (
    BATCH,
    MOST_ATTEMPTS,
    RETRIES_BEFORE_OTHER_ADDRESS,
    RETRY_S,
    Outbox,
)
from call_core.errors import DeliveryError
from call_core.storage import outbox_rows, tables
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units.house import Tenure
from tests.integration.service.conftest import EVERY_STORE, Trouble
from tests.support.service import Service
from tests.support.world import US, User

pytestmark = pytest.mark.anyio

Deliver = Callable[[OutboxRow], Awaitable[None]]
HOUR_MS = 3_600_000
PHONE = "+12125550101"


class Post:
    """Channels that take, refuse or lose messages as they are told; what they took, in order."""

    def __init__(self) -> None:
        self.took: list[tuple[str, str, str]] = []
        self.refuse: dict[str, DeliveryError] = {}
        self.hang: asyncio.Event | None = None
        self.handed_over = asyncio.Event()

    async def deliver(self, row: OutboxRow) -> None:
        """Take a message for `row.address`, unless told otherwise."""
        self.handed_over.set()
        if self.hang is not None:
            await self.hang.wait()
        error = self.refuse.get(row.address)
        if error is not None:
            raise error
        self.took.append((row.address, row.id, row.call_id))

    def __call__(self) -> dict[str, Deliver]:
        """Return the channels."""
        return dict.fromkeys(("smtp", "sms", "web"), self.deliver)


@pytest.fixture
def post() -> Post:
    """Channels that take everything."""
    return Post()


def _outbox(service: Service, post: Post) -> Outbox:
    return Outbox(service.world.store, service.world.wall, post(), "test")


async def _deliver(outbox: Outbox) -> bool:
    """Deliver what is due now and wait for it; False when nothing is."""
    started = await outbox.start_due()
    await asyncio.gather(*started)
    return bool(started)


def _put(
    tx: Tx,
    user: User,
    identifier: str,
    address: str,
    call_id: str,
    channel: str,
    now: int,
    expires: int | None,
) -> None:
    outbox_rows.put(
        tx,
        outbox_id=identifier,
        user_id=user.id,
        channel=channel,
        address=address,
        kind="notice",
        body="{}",
        now_wall_ms=now,
        call_id=call_id,
        expires_wall_ms=expires,
    )


async def _write(
    service: Service,
    user: User,
    identifier: str,
    *,
    address: str = "",
    call_id: str = "call_1",
    channel: str = "smtp",
    expires_s: int | None = None,
) -> None:
    """Put a message in the outbox of a world whose own outbox is stopped."""
    now = service.world.wall.now_ms()
    expires = None if expires_s is None else now + expires_s * 1000
    where = address or user.address
    await service.world.store.run(_put, user, identifier, where, call_id, channel, now, expires)


@contextlib.asynccontextmanager
async def _still(service: Service) -> AsyncIterator[User]:
    user = await service.world.user(await service.world.customer(), "Ada")
    await service.world.administer(AddSender(user.id, "sms", PHONE))
    await service.world.engine.stop()
    yield user
    await service.world.engine.start()


@pytest.fixture
async def quiet(service: Service) -> AsyncIterator[User]:
    """Ada with a mail address and a phone, in a world whose own outbox is still meanwhile."""
    async with _still(service) as user:
        yield user


@pytest.fixture
async def unlucky(troubled: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[User]:
    """The same on a database that can be told to fail, and without pauses after it did."""
    monkeypatch.setattr(outbox_module, "_POLL_S", 0.0)
    async with _still(troubled) as user:
        yield user


async def _states(service: Service) -> list[str]:
    return [row[2] for row in await service.outbox()]


@EVERY_STORE
async def test_messages_go_out_in_order_per_address_and_call(
    service: Service, quiet: User, post: Post
) -> None:
    """Of one call the next waits for the one before; other calls and addresses do not."""
    for n in range(3):
        await _write(service, quiet, f"a{n}", call_id="call_1")
        await _write(service, quiet, f"b{n}", call_id="call_2")
    outbox = _outbox(service, post)
    rounds = 0
    while await _deliver(outbox):
        rounds += 1
    assert rounds == 3
    for letter in "ab":
        assert [row[1] for row in post.took if row[1][0] == letter] == [
            f"{letter}{n}" for n in range(3)
        ]


async def test_a_temporary_failure_is_tried_again_with_growing_pauses(
    service: Service, quiet: User, post: Post
) -> None:
    """The head of a call's messages blocks those behind it until it is sent."""
    await _write(service, quiet, "first")
    await _write(service, quiet, "second")
    outbox = _outbox(service, post)
    post.refuse[quiet.address] = DeliveryError("later", retryable=True)
    for pause_s in RETRY_S[: RETRIES_BEFORE_OTHER_ADDRESS - 1]:
        await _deliver(outbox)
        assert not await _deliver(outbox)
        service.world.wall.jump(pause_s * 1000 - 1)
        assert not await _deliver(outbox)
        service.world.wall.jump(1)
    post.refuse.clear()
    while await _deliver(outbox):
        pass
    assert [row[1] for row in post.took] == ["first", "second"]


@pytest.mark.parametrize("retryable", [True, False], ids=["after some tries", "at once"])
async def test_the_next_address_of_the_user_is_tried(
    service: Service, quiet: User, post: Post, *, retryable: bool
) -> None:
    """What mail cannot deliver goes to the phone on the list."""
    await _write(service, quiet, "m")
    post.refuse[quiet.address] = DeliveryError("no", retryable=retryable)
    outbox = _outbox(service, post)
    for _ in range(RETRIES_BEFORE_OTHER_ADDRESS + 1):
        await _deliver(outbox)
        service.world.wall.jump(3_600_000)
    assert [row[:2] for row in post.took] == [(PHONE, "m")]


async def test_without_another_address_it_is_tried_for_hours_then_dead(
    service: Service, quiet: User, post: Post
) -> None:
    """A relay that is down for an afternoon loses nothing; the end is in the audit."""
    await service.said(quiet, "stop", channel="sms", sender=PHONE)
    await _write(service, quiet, "m")
    post.refuse[quiet.address] = DeliveryError("down", retryable=True)
    outbox = _outbox(service, post)
    for _ in range(MOST_ATTEMPTS - 1):
        await _deliver(outbox)
        service.world.wall.jump(3_600_000)
    assert await _states(service) == ["waiting"]
    await _deliver(outbox)
    assert await _states(service) == ["dead"]
    assert [row[2] for row in await service.audited("outbox.dead")] == ["m"]
    assert outbox.dead == 1


async def test_the_list_goes_round_to_addresses_before_this_one(
    service: Service, quiet: User, post: Post
) -> None:
    """A text that the phone did not take goes by mail, which stands before it on the list."""
    await service.world.administer(AddSender(quiet.id, "sms", "+12125550102"))
    await _write(service, quiet, "m", address=PHONE, channel="sms")
    for phone in (PHONE, "+12125550102"):
        post.refuse[phone] = DeliveryError("no", retryable=False)
    outbox = _outbox(service, post)
    while await _deliver(outbox):
        pass
    assert [row[:2] for row in post.took] == [(quiet.address, "m")]


async def test_every_address_is_tried_once_and_then_it_is_dead(
    service: Service, quiet: User, post: Post
) -> None:
    """Going round ends where it began."""
    await _write(service, quiet, "m", address=PHONE, channel="sms")
    for address in (PHONE, quiet.address):
        post.refuse[address] = DeliveryError("no", retryable=False)
    outbox = _outbox(service, post)
    rounds = 0
    while await _deliver(outbox):
        rounds += 1
    assert rounds == 2
    assert await _states(service) == ["dead"]


async def test_a_channel_that_hangs_holds_up_nobody_else(
    service: Service, quiet: User, post: Post
) -> None:
    """The next message goes while the first is being handed over, which is not begun twice."""
    await _write(service, quiet, "slow", address=PHONE, channel="sms")
    outbox = _outbox(service, post)
    post.hang = released = asyncio.Event()
    (slow,) = await outbox.start_due()
    await post.handed_over.wait()
    post.hang = None
    service.world.wall.jump(RETRY_S[0] * 1000)
    await _write(service, quiet, "quick", call_id="call_2")
    await asyncio.gather(*await outbox.start_due())
    assert [row[1] for row in post.took] == ["quick"]
    released.set()
    await slow
    assert [row[1] for row in post.took] == ["quick", "slow"]
    assert await _states(service) == ["sent", "sent"]


@EVERY_STORE
async def test_a_channel_that_hangs_takes_no_other_channels_place(
    service: Service, quiet: User, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that is a black hole has as many mails as may be under way; a text goes out."""
    monkeypatch.setattr(outbox_module, "MOST_IN_FLIGHT", 3)
    for n in range(5):
        await _write(service, quiet, f"mail{n}", call_id=f"call_{n}")
    hang = asyncio.Event()

    async def mail(row: OutboxRow) -> None:
        await hang.wait()
        await post.deliver(row)

    outbox = Outbox(service.world.store, service.world.wall, {**post(), "smtp": mail}, "test")
    mails = await outbox.start_due()
    assert (len(mails), await outbox.start_due()) == (3, [])
    service.world.wall.jump(1)
    await _write(service, quiet, "text", address=PHONE, channel="sms")
    for _ in range(2):
        await _deliver(outbox)
        service.world.wall.jump(RETRY_S[0] * 1000)
    assert [row[1] for row in post.took] == ["text"]
    hang.set()
    await asyncio.gather(*mails)
    while await _deliver(outbox):
        pass
    assert sorted(row[1] for row in post.took) == [*(f"mail{n}" for n in range(5)), "text"]


@EVERY_STORE
async def test_a_backlog_of_one_channel_is_not_before_another_channel(
    service: Service, quiet: User, post: Post
) -> None:
    """A text is begun at the first look, however many mails have been due for longer."""
    for n in range(2 * BATCH):
        await _write(service, quiet, f"mail{n}", call_id=f"call_{n}")
    service.world.wall.jump(1)
    await _write(service, quiet, "text", address=PHONE, channel="sms")
    outbox = _outbox(service, post)
    assert await _deliver(outbox)
    took = [row[1] for row in post.took]
    assert (len(took), "text" in took) == (BATCH + 1, True)


async def test_what_is_due_next_is_the_first_of_every_channel(
    service: Service, quiet: User, post: Post
) -> None:
    """Whichever channel it is for."""
    post.refuse = dict.fromkeys((quiet.address, PHONE), DeliveryError("later", retryable=True))
    outbox = _outbox(service, post)
    await _write(service, quiet, "text", address=PHONE, channel="sms")
    await _deliver(outbox)
    first_ms = service.world.wall.now_ms() + RETRY_S[0] * 1000
    service.world.wall.jump(1)
    await _write(service, quiet, "mail")
    await _deliver(outbox)

    def next_due(tx: Tx, after: int) -> object:
        return tx.one(outbox_rows.NEXT_DUE, after=after)

    found = [await service.world.store.read(next_due, first_ms + n) for n in (-1, 0, 1)]
    assert found == [(first_ms,), (first_ms + 1,), (None,)]


async def test_before_the_channels_are_open_nothing_is_begun(
    service: Service, quiet: User, post: Post
) -> None:
    """What waits goes out as soon as they are."""
    outbox = _outbox(service, post)
    outbox.hold()
    await _write(service, quiet, "m")
    running = asyncio.create_task(outbox.run())
    assert await outbox.start_due() == []
    assert await _states(service) == ["waiting"]
    outbox.release()
    await post.handed_over.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [row[1] for row in post.took] == ["m"]


async def test_before_the_channels_close_what_is_under_way_is_sent(
    service: Service, quiet: User, post: Post
) -> None:
    """A process that stops begins with nothing new; the rest waits for the next process."""
    await _write(service, quiet, "under way", address=PHONE, channel="sms")
    stopping = _outbox(service, post)
    post.hang = released = asyncio.Event()
    await stopping.start_due()
    await post.handed_over.wait()
    await _write(service, quiet, "later", call_id="call_2")
    quiesced = asyncio.create_task(stopping.quiesce())
    await asyncio.sleep(0.01)
    assert (quiesced.done(), await _deliver(stopping)) == (False, False)
    released.set()
    await quiesced
    assert await _states(service) == ["sent", "waiting"]
    await _deliver(_outbox(service, post))
    assert await _states(service) == ["sent", "sent"]
    await stopping.quiesce()


async def test_what_is_read_while_a_process_stops_is_not_begun(
    service: Service, quiet: User, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its channels may be closed by the time the database has answered."""
    await _write(service, quiet, "m")
    stopping = _outbox(service, post)
    read: Callable[..., Awaitable[Any]] = service.world.store.read

    async def slowly(query: object, *arguments: object) -> object:
        found = await read(query, *arguments)
        await stopping.quiesce()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(service.world.store, "read", slowly)
        assert await stopping.start_due() == []
    await _deliver(_outbox(service, post))
    assert await _states(service) == ["sent"]


async def test_a_row_that_was_read_before_somebody_else_sent_it_is_not_sent_again(
    service: Service, quiet: User
) -> None:
    """The second attempt with one reading of the row finds it changed."""
    await _write(service, quiet, "m")
    read = select_statement(select(tables.outbox.c.seq), name="seq_of_outbox")
    ((seq,),) = await service.rows(read)
    attempt: dict[str, str | int] = {
        "key_seq": seq,
        "key_address": quiet.address,
        "seen": 0,
        "attempted_wall_ms": 1,
        "due_wall_ms": 2,
    }

    def twice(tx: Tx) -> list[int]:
        return [tx.run(outbox_rows.ATTEMPT, **attempt) for _ in range(2)]

    assert await service.world.store.run(twice) == [1, 0]


@EVERY_STORE
async def test_an_attempt_that_is_taken_back_leaves_the_row_as_it_was(
    service: Service, quiet: User
) -> None:
    """As if it had never been due."""
    await _write(service, quiet, "m")
    ((seq,),) = await service.rows(select_statement(select(tables.outbox.c.seq)))
    due = select_statement(select(tables.outbox.c.due_wall_ms))
    before = await service.rows(due)
    attempt = {"attempted_wall_ms": 1, "due_wall_ms": 2}

    def there_and_back(tx: Tx) -> list[Any]:
        tx.write(outbox_rows.ATTEMPT, key_seq=seq, key_address=quiet.address, seen=0, **attempt)
        there = tx.one(outbox_rows.LOCKED, seq=seq)
        was = {"attempted_wall_ms": None, "attempts": 0, "due_wall_ms": before[0][0]}
        tx.write(outbox_rows.TAKE_BACK, key_seq=seq, **was)
        return [there, tx.one(outbox_rows.LOCKED, seq=seq)]

    assert await service.world.store.run(there_and_back) == [
        ("waiting", quiet.address, 1, 1),
        ("waiting", quiet.address, 0, None),
    ]
    assert await service.rows(due) == before


async def test_an_opted_out_address_gets_nothing_more(
    service: Service, quiet: User, post: Post
) -> None:
    """STOP is obeyed for what waits already too; it goes to the next address instead."""
    await _write(service, quiet, "m", address=PHONE, channel="sms")
    assert await service.said(quiet, "stop", channel="sms", sender=PHONE) == "opted_out"
    outbox = _outbox(service, post)
    while await _deliver(outbox):
        pass
    assert [row[:2] for row in post.took] == [(quiet.address, "m")]
    assert await _states(service) == ["sent"]


async def test_the_list_goes_past_addresses_that_opted_out(
    service: Service, quiet: User, post: Post
) -> None:
    """After mail failed, the phone that said STOP is skipped, the next one is used."""
    await service.world.administer(AddSender(quiet.id, "sms", "+12125550102"))
    await service.said(quiet, "stop", channel="sms", sender=PHONE)
    post.refuse[quiet.address] = DeliveryError("no such mailbox", retryable=False)
    await _write(service, quiet, "m")
    outbox = _outbox(service, post)
    while await _deliver(outbox):
        pass
    assert [row[0] for row in post.took] == ["+12125550102"]


@pytest.mark.parametrize(("after_ms", "state"), [(60_000, "sent"), (60_001, "expired")])
async def test_old_news_are_not_sent(
    service: Service, quiet: User, post: Post, after_ms: int, state: str
) -> None:
    """A message past its time is worth nothing, and does not block the next one."""
    await _write(service, quiet, "m", expires_s=60)
    await _write(service, quiet, "next")
    service.world.wall.jump(after_ms)
    outbox = _outbox(service, post)
    while await _deliver(outbox):
        pass
    assert await _states(service) == [state, "sent"]


@EVERY_STORE
async def test_what_a_clock_that_was_ahead_wrote_is_sent_when_it_is_set_back(
    service: Service, quiet: User, post: Post
) -> None:
    """At once, also what was tried in vain meanwhile, and by a process that starts later."""
    outbox = _outbox(service, post)
    wall = service.world.wall
    await _deliver(outbox)
    wall.jump(25 * HOUR_MS)
    post.refuse[quiet.address] = DeliveryError("busy", retryable=True)
    await _write(service, quiet, "tried", call_id="call_1")
    await _deliver(outbox)
    del post.refuse[quiet.address]
    await _write(service, quiet, "new", call_id="call_2")
    wall.jump(-25 * HOUR_MS)
    assert await _deliver(outbox)
    assert sorted(row[1] for row in post.took) == ["new", "tried"]
    wall.jump(25 * HOUR_MS)
    await _write(service, quiet, "later", call_id="call_3")
    wall.jump(-25 * HOUR_MS)
    assert await _deliver(_outbox(service, post))
    assert post.took[-1][1] == "later"


async def test_a_pause_outlives_its_process(service: Service, quiet: User, post: Post) -> None:
    """A message that failed waits its time, whoever is started meanwhile."""
    post.refuse[quiet.address] = DeliveryError("busy", retryable=True)
    await _write(service, quiet, "m")
    await _deliver(_outbox(service, post))
    assert not await _deliver(_outbox(service, post))


@pytest.mark.parametrize(
    ("channel", "address", "state", "took"),
    [("smtp", "", "sent", 1), ("sms", PHONE, "dead", 0)],
)
async def test_a_process_that_died_while_sending(
    service: Service, quiet: User, post: Post, channel: str, address: str, state: str, took: int
) -> None:
    """An unknown result is sent again by mail, under the same id; a text message is not."""
    await _write(service, quiet, "m", channel=channel, address=address)
    post.hang = asyncio.Event()
    dying = asyncio.create_task(_deliver(_outbox(service, post)))
    await post.handed_over.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    post.hang = None
    service.world.wall.jump(RETRY_S[0] * 1000)
    outbox = _outbox(service, post)
    while await _deliver(outbox):
        pass
    assert [row[1] for row in post.took] == ["m"] * took
    assert await _states(service) == [state]


async def test_an_uncertain_text_message_is_not_repeated(
    service: Service, quiet: User, post: Post
) -> None:
    """When the gateway may have taken it, neither it nor another address gets it twice."""
    await _write(service, quiet, "m", channel="sms", address=PHONE)
    post.refuse[PHONE] = DeliveryError("timeout", retryable=True, uncertain=True)
    await _deliver(_outbox(service, post))
    assert await _states(service) == ["dead"]


async def test_two_processes_send_one_message_once(
    service: Service, quiet: User, post: Post
) -> None:
    """The attempt is committed before the message is handed over."""
    await _write(service, quiet, "m")
    first, second = _outbox(service, post), _outbox(service, post)
    await _deliver(first)
    await _deliver(second)
    assert len(post.took) == 1


async def test_outcome_and_news_of_a_call_come_in_one_sequence(service: Service, ada: User) -> None:
    """The answer first, then the receipt, both about the call."""
    service.world.script(US, talk_s=20)
    answer = await service.ask(ada, f"call {US}")
    await service.world.run_out()
    await service.world.settle()
    assert [(row.kind, row.ref) for row in service.sent] == [
        ("outcome", answer.ref),
        ("notice", answer.ref),
    ]


async def test_a_user_with_a_password_is_answered_at_the_address_on_file(
    service: Service, ada: User
) -> None:
    """Mail sent after SMTP AUTH names no trusted sender; the answer goes to the user's own."""
    more = {"channel": "smtp", "sender": "", "user_id": ada.id}
    assert await service.said(ada, "balance", **more) == "balance"
    assert [row.address for row in service.sent] == [ada.address]


async def test_stop_and_start(service: Service, ada: User) -> None:
    """An opt-out is recorded without an answer, and taken back by an opt-in."""
    assert await service.said(ada, "stop") == "opted_out"
    assert await service.said(ada, "balance") == "balance"
    assert service.sent == []
    assert await service.said(ada, "start") == "opted_in"
    assert await service.said(ada, "balance") == "balance"
    assert len(service.sent) >= 1


# --- what this process knows while the store is away --------------------------------------------


@pytest.mark.parametrize("where", ["execute", "commit", "answer"])
async def test_a_text_that_was_certainly_not_taken_is_tried_again(
    troubled: Service, unlucky: User, post: Post, trouble: Trouble, where: str
) -> None:
    """The carrier refused (503), and the note of it could not be written at that moment."""
    await _write(troubled, unlucky, "m", channel="sms", address=PHONE)
    outbox = _outbox(troubled, post)
    post.refuse[PHONE] = DeliveryError("503", retryable=True)
    getattr(trouble, where).add("_failed")
    await _deliver(outbox)
    getattr(trouble, where).clear()
    post.refuse.clear()
    troubled.world.wall.jump(RETRY_S[0] * 1000)
    while await _deliver(outbox):
        pass
    assert [row[1] for row in post.took] == ["m"]
    assert await _states(troubled) == ["sent"]


@pytest.mark.parametrize("where", ["execute", "commit", "answer"])
async def test_a_text_whose_attempt_was_perhaps_written_is_sent_at_once(
    troubled: Service, unlucky: User, post: Post, trouble: Trouble, where: str
) -> None:
    """Nothing was handed over, and this process knows it; the attempt does not count."""
    await _write(troubled, unlucky, "m", channel="sms", address=PHONE)
    outbox = _outbox(troubled, post)
    getattr(trouble, where).add("_attempt")
    await _deliver(outbox)
    assert post.took == []
    getattr(trouble, where).clear()
    while await _deliver(outbox):
        pass
    assert [row[1] for row in post.took] == ["m"]
    assert [row[2:6:3] for row in await troubled.outbox()] == [("sent", 1)]


@pytest.mark.parametrize("where", ["execute", "commit", "answer"])
@pytest.mark.parametrize(("channel", "address"), [("smtp", ""), ("sms", PHONE)])
async def test_what_was_taken_is_sent_and_not_repeated(
    troubled: Service,
    unlucky: User,
    post: Post,
    trouble: Trouble,
    channel: str,
    address: str,
    where: str,
) -> None:
    """That it was taken is written later; a mail does not go out twice, a text is not dead."""
    await _write(troubled, unlucky, "m", channel=channel, address=address)
    outbox = _outbox(troubled, post)
    getattr(trouble, where).add("_finish")
    await _deliver(outbox)
    troubled.world.wall.jump(RETRY_S[0] * 1000)
    getattr(trouble, where).clear()
    while await _deliver(outbox):
        pass
    assert [row[1] for row in post.took] == ["m"]
    assert (await _states(troubled), outbox.dead) == (["sent"], 0)


async def test_what_is_not_written_yet_is_written_before_the_process_stops(
    troubled: Service, unlucky: User, post: Post, trouble: Trouble
) -> None:
    """The next process would take it for what died on its way."""
    await _write(troubled, unlucky, "m", channel="sms", address=PHONE)
    stopping = _outbox(troubled, post)
    trouble.execute.add("_finish")
    await _deliver(stopping)
    assert await _states(troubled) == ["waiting"]
    trouble.execute.clear()
    await stopping.quiesce()
    assert await _states(troubled) == ["sent"]


async def test_what_another_process_went_on_with_is_its_own(
    troubled: Service, unlucky: User, post: Post, trouble: Trouble
) -> None:
    """What was known of a message is forgotten when it is somebody else's by now."""
    await _write(troubled, unlucky, "m")
    slow, quick = _outbox(troubled, post), _outbox(troubled, post)
    post.refuse[unlucky.address] = DeliveryError("503", retryable=True)
    trouble.execute.add("_failed")
    await _deliver(slow)
    trouble.execute.clear()
    post.refuse.clear()
    troubled.world.wall.jump(RETRY_S[0] * 1000)
    post.hang, post.handed_over = asyncio.Event(), asyncio.Event()
    (other,) = await quick.start_due()
    await post.handed_over.wait()
    await asyncio.gather(*await slow.start_due())
    assert [row[5] for row in await troubled.outbox()] == [2]
    assert not await _deliver(slow)
    post.hang.set()
    await other
    assert [row[1] for row in post.took] == ["m"]
    assert await _states(troubled) == ["sent"]


async def test_what_is_not_written_yet_holds_its_place(
    troubled: Service,
    unlucky: User,
    post: Post,
    trouble: Trouble,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So there is never more to remember than may be under way."""
    monkeypatch.setattr(outbox_module, "MOST_IN_FLIGHT", 2)
    for n in range(3):
        await _write(troubled, unlucky, f"m{n}", call_id=f"call_{n}")
    outbox = _outbox(troubled, post)
    trouble.execute.add("_finish")
    trouble.execute.add("_finish_late")
    for _ in range(3):
        await _deliver(outbox)
    assert [row[1] for row in post.took] == ["m0", "m1"]
    trouble.execute.clear()
    while await _deliver(outbox):
        pass
    assert [row[1] for row in post.took] == ["m0", "m1", "m2"]
    assert await _states(troubled) == ["sent"] * 3


# --- many nodes ---------------------------------------------------------------------------------


@EVERY_STORE
async def test_each_message_is_one_nodes_to_send(service: Service, quiet: User, post: Post) -> None:
    """Two nodes with one shard each: what one leaves is what the other takes, nothing twice."""
    for number in range(6):
        await _write(service, quiet, f"m{number}", call_id=f"call_{number}")
    nodes = [
        Outbox(
            service.world.store, service.world.wall, post(), "test", Tenure({shard: 1}, shards=2)
        )
        for shard in (0, 1)
    ]
    took = []
    for outbox in nodes:
        await _deliver(outbox)
        took.append({identifier for _, identifier, _ in post.took})
    assert len(took[0]) == 3
    assert len(post.took) == len(took[1]) == 6
