"""Questions: asked once, kept ten minutes, answered from anywhere, done whole."""

import pytest

from call_core.outcomes import Asked
from call_core.requests import Evidence
from tests.support.service import Service
from tests.support.world import UK, US, User

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000
STALE_MS = 600_001


async def _two_bobs(service: Service, user: User) -> None:
    assert await service.said(user, f"save bob smith {UK}") == "saved"
    assert await service.said(user, f"save bob jones {US}") == "saved"


async def _stale(service: Service, user: User, text: str, age_ms: int = STALE_MS) -> Asked:
    now = service.world.wall.now_ms()
    outcome = await service.ask(user, text, sent_wall_ms=now - age_ms)
    assert isinstance(outcome, Asked), outcome
    return outcome


async def _rung(service: Service) -> list[str]:
    """Return the number of the last party of every call, oldest first."""
    return [call.parties[-1].last_leg.number for call in await service.world.calls()]


@pytest.mark.parametrize(
    ("age_ms", "code"),
    [(0, "call_launched"), (600_000, "call_launched"), (600_001, "stale"), (3_600_000, "stale")],
)  # fmt: skip
async def test_a_message_that_was_long_under_way_asks(
    service: Service, ada: User, age_ms: int, code: str
) -> None:
    """Up to ten minutes it rings; later it asks and rings nobody."""
    now = service.world.wall.now_ms()
    assert await service.said(ada, f"call {UK}", sent_wall_ms=now - age_ms) == code
    assert len(await service.legs_up()) == int(code == "call_launched")


@pytest.mark.parametrize("line", ["balance", "history", "next", "quote " + UK, "menu"])
async def test_late_messages_that_ring_nobody_are_answered(
    service: Service, ada: User, line: str
) -> None:
    """A question for information is as good later."""
    now = service.world.wall.now_ms()
    outcome = await service.ask(ada, line, sent_wall_ms=now - STALE_MS)
    assert outcome.kind == "told"


async def test_go_does_what_was_asked(service: Service, ada: User) -> None:
    """`go` launches the late message's call under the ref of its question."""
    asked = await _stale(service, ada, f"call {UK} code ACME-1")
    done = await service.ask(ada, "go")
    assert (done.code, done.ref) == ("call_launched", asked.ref)
    call = await service.world.only_call()
    assert (call.ref, call.billing_code) == (asked.ref, "ACME-1")
    assert await service.said(ada, "go") == "nothing_to_confirm"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("go", "call_launched"),
        ("go {ref}", "call_launched"),
        ("go 9Z9", "nothing_to_confirm"),
        ("1", "not_a_choice"),
        ("{ref} 2", "not_a_choice"),
    ],
)
async def test_answers_to_a_yes_or_no(service: Service, ada: User, answer: str, code: str) -> None:
    """`go` with the right ref or none answers; a number does not, and leaves the question open."""
    asked = await _stale(service, ada, f"call {UK}")
    ref = asked.ref if asked.ref != "9Z9" else "8Z8"
    assert await service.said(ada, answer.format(ref=ref)) == code
    if code != "call_launched":
        assert await service.said(ada, "go") == "call_launched"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("1", "call_launched"),
        ("2", "call_launched"),
        ("{ref} 2", "call_launched"),
        ("3", "not_a_choice"),
        ("go", "not_a_choice"),
        ("go {ref}", "not_a_choice"),
    ],
)
async def test_answers_to_a_choice(service: Service, ada: User, answer: str, code: str) -> None:
    """A number of the list answers; others say so, and the question stays."""
    await _two_bobs(service, ada)
    asked = await service.ask(ada, "call bob")
    assert isinstance(asked, Asked)
    assert (asked.code, len(asked.choices)) == ("which_name", 2)
    assert asked.fields["ref"] == asked.ref
    done = await service.ask(ada, answer.format(ref=asked.ref))
    assert done.code == code
    if code != "call_launched":
        assert await service.said(ada, "1") == "call_launched"


async def test_a_question_is_answered_on_any_channel(service: Service, ada: User) -> None:
    """Asked by mail, answered on the page."""
    await _stale(service, ada, f"call {UK}")
    assert await service.said(ada, "go", channel="web") == "call_launched"


async def test_nobody_else_answers_a_question(service: Service, ada: User) -> None:
    """A question is its user's own."""
    bob = await service.world.user(ada.customer_id, "Bob", phones=False)
    asked = await _stale(service, ada, f"call {UK}")
    assert await service.said(bob, f"go {asked.ref}") == "nothing_to_confirm"


async def test_only_the_last_question_is_open(service: Service, ada: User) -> None:
    """A new question takes the place of the one before."""
    first = await _stale(service, ada, f"call {UK}")
    second = await _stale(service, ada, f"call {US}")
    assert await service.said(ada, f"go {first.ref}") == "nothing_to_confirm"
    assert await service.said(ada, f"go {second.ref}") == "call_launched"
    assert await _rung(service) == [US]


@pytest.mark.parametrize(
    ("after_ms", "code"), [(600_000, "call_launched"), (600_001, "nothing_to_confirm")]
)
async def test_a_question_is_open_for_ten_minutes(
    service: Service, ada: User, after_ms: int, code: str
) -> None:
    """At ten minutes it is answered, one past them it is gone."""
    await _stale(service, ada, f"call {UK}")
    service.world.wall.jump(after_ms)
    assert await service.said(ada, "go") == code


async def test_a_lone_digit_never_calls(service: Service, ada: User) -> None:
    """With nothing open a number answers nothing."""
    assert await service.said(ada, "2") == "nothing_to_confirm"
    assert await service.said(ada, "4F7 2") == "nothing_to_confirm"


async def test_go_asks_again_when_the_price_changed(service: Service, ada: User) -> None:
    """What was confirmed at one price is not done at another; the next `go` does it."""
    asked = await service.ask(ada, f"call {UK}", channel="sms", sender="+12125550101")
    assert asked.code == "unknown_sender"
    asked = await service.ask(ada, f"call {UK}", evidence=Evidence.VOUCHED)
    assert asked.code == "confirm_from_proven"
    await service.world.deck([("1", "US", 10_000, 0, 6, 6), ("44", "UK", 25_000, 0, 30, 6)])

    again = await service.ask(ada, "go")
    assert (again.code, again.ref) == ("price_changed", asked.ref)
    assert again.fields["was"] != again.fields["now"]
    assert await service.said(ada, "go", evidence=Evidence.VOUCHED) == "unproven"
    done = await service.ask(ada, f"go {again.ref}")
    assert (done.code, done.ref) == ("call_launched", asked.ref)


@pytest.mark.parametrize(
    ("line", "code", "then"),
    [
        ("call bob code ACME-1 private", "call_launched", None),
        ("conf bob, +12025550188", "conference_launched", None),
        ("slot 7 bob", "slot_set", "call *7"),
        ("quote bob", "quote", None),
    ],
)
async def test_a_chosen_name_does_the_whole_command(
    service: Service, ada: User, line: str, code: str, then: str | None
) -> None:
    """Options, other participants and the slot survive the question about a name."""
    await _two_bobs(service, ada)
    assert await service.said(ada, line) == "which_name"
    assert await service.said(ada, "2") == code
    if then is not None:
        assert await service.said(ada, then) == "call_launched"
    for call in await service.world.calls():
        assert call.private == ("private" in line)
        assert call.billing_code == ("ACME-1" if "ACME-1" in line else "")
        assert len(call.parties) == (3 if "conf" in line else 2)


async def test_two_names_in_doubt_are_asked_one_after_the_other(
    service: Service, ada: User
) -> None:
    """The answer to one question may be the next one; it keeps the ref."""
    await _two_bobs(service, ada)
    await service.said(ada, "save al green +12025550171")
    await service.said(ada, "save al black +12025550172")
    first = await service.ask(ada, "conf bob, al")
    second = await service.ask(ada, "1")
    assert (second.code, second.ref) == ("which_name", first.ref)
    assert await service.said(ada, "1") == "conference_launched"
    assert len((await service.world.only_call()).parties) == 3


async def test_a_name_in_doubt_is_added_to_the_call(service: Service, ada: User) -> None:
    """`add` asks who, then adds that one to the same call."""
    await _two_bobs(service, ada)
    launched = await service.ask(ada, "call +12025550171")
    await service.world.advance(8)
    assert await service.said(ada, f"add bob {launched.ref}") == "which_name"
    assert await service.said(ada, "1") == "added"
    assert len((await service.world.only_call()).parties) == 3


@pytest.mark.parametrize(
    ("answer", "code", "parties"),
    [("1", "call_launched", 2), ("2", "call_launched", 2), ("3", "conference_launched", 3)],
)
async def test_two_numbers_without_a_verb_ask(
    service: Service, ada: User, answer: str, code: str, parties: int
) -> None:
    """One, the other, or both in a conference."""
    asked = await service.ask(ada, f"{UK} {US}")
    assert isinstance(asked, Asked)
    assert (asked.code, len(asked.choices)) == ("two_numbers", 3)
    assert await service.said(ada, answer) == code
    assert len((await service.world.only_call()).parties) == parties


class TestSameAgain:
    """The same words again from the same sender within 90 s, while the first call lived."""

    @pytest.mark.parametrize(
        ("after_s", "code"), [(1, "same_again"), (90, "same_again"), (91, "call_launched")]
    )
    async def test_a_repeat_under_a_new_id_asks(
        self, service: Service, ada: User, after_s: int, code: str
    ) -> None:
        """Up to 90 seconds it asks, and `go` makes the second call."""
        service.world.script(UK, talk_s=300)
        assert await service.said(ada, f"call {UK}") == "call_launched"
        await service.world.advance(after_s)
        assert await service.said(ada, f"  CALL   {UK}") == code
        if code == "same_again":
            assert await service.said(ada, "go") == "call_launched"
        assert len(await service.world.calls()) == 2

    @pytest.mark.parametrize("result", ["busy", "no_answer", "reject", "unreachable"])
    async def test_never_after_a_call_that_was_not_connected(
        self, service: Service, ada: User, result: str
    ) -> None:
        """Whoever was not reached is simply tried again."""
        service.world.script(UK, result=result, ring_s=2)
        await service.said(ada, f"call {UK}")
        await service.world.advance(60)
        assert await service.said(ada, f"call {UK}") == "call_launched"

    async def test_after_a_connected_call_it_asks_too(self, service: Service, ada: User) -> None:
        """A call that talked and is over was no failure: perhaps the mail was sent twice."""
        service.world.script(UK, talk_s=5)
        await service.said(ada, f"call {UK}")
        await service.world.advance(60)
        assert not await service.legs_up()
        assert await service.said(ada, f"call {UK}") == "same_again"

    async def test_other_words_another_sender_or_channel_do_not_ask(
        self, service: Service, ada: User
    ) -> None:
        """Only the same address with the same words repeats itself."""
        bob = await service.world.user(ada.customer_id, "Bob")
        assert await service.said(ada, f"call {UK}") == "call_launched"
        assert await service.said(ada, f"call {UK} private") == "call_launched"
        assert await service.said(bob, f"call {UK}") == "call_launched"
        assert await service.said(ada, f"call {UK}", channel="web") == "call_launched"

    async def test_never_for_last_choices_and_confirmations(
        self, service: Service, ada: User
    ) -> None:
        """`last`, `go` and numbers mean what they say, each time."""
        await _two_bobs(service, ada)
        for _ in range(2):
            await _stale(service, ada, f"call {UK}")
            assert await service.said(ada, "go") == "call_launched"
        for choice in ("1", "1"):
            service.world.wall.jump(1_000)
            asked = await service.said(ada, "call bob")
            if asked == "same_again":
                assert await service.said(ada, "go") == "which_name"
            assert await service.said(ada, choice) == "call_launched"
        service.world.wall.jump(1_000)
        assert await service.said(ada, "last") == "call_launched"
        assert await service.said(ada, "last") == "call_launched"


async def test_what_was_confirmed_is_not_asked_again(service: Service, ada: User) -> None:
    """A question that follows another remembers what was said yes to."""
    await _two_bobs(service, ada)
    asked = await _stale(service, ada, "call bob")
    next_asked = await service.ask(ada, "go", sent_wall_ms=service.world.wall.now_ms() - STALE_MS)
    assert (next_asked.code, next_asked.ref) == ("which_name", asked.ref)
    late = service.world.wall.now_ms() - STALE_MS
    assert await service.said(ada, "1", sent_wall_ms=late) == "call_launched"


async def test_a_reply_to_our_mail_answers_its_question(service: Service, ada: User) -> None:
    """The ref in the subject of a reply stands for the one that was not written."""
    asked = await _stale(service, ada, f"call {UK}")
    other = "9Z9" if asked.ref != "9Z9" else "8Z8"
    assert await service.said(ada, "go", reply_to_ref=other) == "nothing_to_confirm"
    assert await service.said(ada, "go", reply_to_ref=asked.ref) == "call_launched"
