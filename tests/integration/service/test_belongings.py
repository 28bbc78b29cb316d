"""Own addresses and phones: added by proof from one on file, told to the others, taken off."""

from dataclasses import replace

import pytest

from call_core.administration import AddSender, AddToken
from call_core.calls.model import CallState
from call_core.commands import Join
from call_core.outcomes import Outcome
from call_core.requests import Evidence
from call_core.units.joining import JOIN_TRIES_PER_HOUR, JOIN_TTL_S
from call_core.units.verification import MAX_PHONES, VERIFICATIONS_PER_DAY
from tests.support.service import Service
from tests.support.world import Bill, User

pytestmark = pytest.mark.anyio
BOAT = "+12125550166"
PAGER = "+12125550177"


async def _code(service: Service, user: User) -> str:
    answer = await service.ask(user, "device")
    assert answer.code == "join_code"
    return str(answer.fields["code"])


async def _join(
    service: Service,
    code: str,
    address: str = PAGER,
    evidence: Evidence = Evidence.VOUCHED,
    **more: object,
) -> str:
    """Send a code from an address that is not on file, by text message."""
    made = service.request(None, Join(code.replace("-", "")), channel="sms")
    changed = replace(made, sender=address, evidence=evidence, **more)  # type: ignore[arg-type]
    outcome = await service.world.core.handle(changed)
    await service.world.settle()
    return outcome.code


async def _told(service: Service, code: str) -> list[str]:
    """Return the addresses that were told something."""
    rows = await service.outbox()
    return [row[4] for row in rows if row[0] == "notice" and f'"{code}"' in row[1]]


# --- addresses ------------------------------------------------------------------------------------


async def test_the_address_that_sends_the_code_is_the_users_from_then_on(
    service: Service, ada: User
) -> None:
    """It may do what its evidence allows; the others hear of it, and how to take it back."""
    assert await _join(service, await _code(service, ada)) == "joined"
    assert await _told(service, "address_on_file") == [ada.address]
    texter = replace(ada, address=PAGER)
    assert await service.said(texter, "time tokyo", channel="sms") == "local_time"
    assert await service.said(ada, f"detach {PAGER}") == "detached"
    assert await service.said(texter, "time tokyo", channel="sms") == "unknown_sender"


async def test_a_repeat_of_the_mail_that_joined_gets_the_same_answer(
    service: Service, ada: User
) -> None:
    """The code is used up, and yet nothing is refused."""
    code = await _code(service, ada)
    assert await _join(service, code, external_id="one") == "joined"
    assert await _join(service, code, external_id="one") == "joined"
    assert len(await service.audited("access.joined")) == 1


async def test_a_code_works_once(service: Service, ada: User) -> None:
    """The second address is told what every stranger is told."""
    code = await _code(service, ada)
    assert await _join(service, code) == "joined"
    assert await _join(service, code, "+12125550178") == "unknown_sender"


async def test_a_code_is_forgotten_after_its_time(service: Service, ada: User) -> None:
    """At the limit it works, one second later not."""
    code, late = await _code(service, ada), await _code(service, ada)
    service.world.wall.jump(JOIN_TTL_S * 1000)
    assert await _join(service, code) == "joined"
    service.world.wall.jump(1_000)
    assert await _join(service, late, "+12125550178") == "unknown_sender"


@pytest.mark.parametrize("evidence", [Evidence.CLAIMED, Evidence.FORGED])
async def test_an_address_that_nobody_vouches_for_cannot_join(
    service: Service, ada: User, evidence: Evidence
) -> None:
    """And the code is not used up by it."""
    code = await _code(service, ada)
    assert await _join(service, code, evidence=evidence) == "unknown_sender"
    assert await _join(service, code) == "joined"


async def test_who_guesses_is_not_heard_for_an_hour(service: Service, ada: User) -> None:
    """Not even with the right code; other addresses are."""
    code = await _code(service, ada)
    for n in range(JOIN_TRIES_PER_HOUR):
        assert await _join(service, f"AAAAAAA{n}") == "unknown_sender"
    assert await _join(service, code) == "unknown_sender"
    assert await _join(service, code, "+12125550178") == "joined"


async def test_an_address_on_file_cannot_join_somebody_else(service: Service, ada: User) -> None:
    """It is told so, and stays whose it is."""
    other = await service.world.user(ada.customer_id, "Bob")
    code = await _code(service, ada)
    assert await service.said(other, f"join {code}") == "already_on_file"
    assert await service.said(other, "time tokyo") == "local_time"


@pytest.mark.parametrize("line", ["device", "verify boat 212 555 0166", "detach office"])
async def test_only_who_is_proven_changes_what_is_theirs(
    service: Service, ada: User, line: str
) -> None:
    """A door that is authentic says nothing about the person."""
    assert await service.said(ada, line, evidence=Evidence.VOUCHED) == "unproven"


async def test_the_last_address_stays(service: Service, ada: User) -> None:
    """Nobody locks themselves out."""
    assert await service.said(ada, f"detach {ada.address}") == "last_address"
    assert await service.said(ada, "detach nothing") == "nothing_to_detach"


# --- phones ---------------------------------------------------------------------------------------


async def _ring(service: Service, user: User, line: str = "verify boat 212 555 0166") -> Outcome:
    """Ask for a phone to be verified, and let it be answered."""
    service.world.script(BOAT, ring_s=2, press="")
    answer = await service.ask(user, line, channel="web")
    assert answer.code == "verification_launched", answer
    await service.world.advance(3)
    return answer


async def _key(service: Service, digits: str) -> None:
    (call,) = service.world.engine.driver.live
    for digit in digits:
        assert service.world.sim.keypress(f"{call}.0.1", digit)
        await service.world.advance(0.2)


async def test_a_phone_is_verified_by_the_digits_that_are_shown_elsewhere(
    service: Service, ada: User
) -> None:
    """Whoever mistypes goes on; it costs nothing, rings nobody else, and may ring first then."""
    answer = await _ring(service, ada)
    assert await _told(service, "phone_on_file") == [ada.address]
    await _key(service, "77" + str(answer.fields["digits"]))
    await service.world.run_out()
    call = await service.world.only_call()
    assert (call.state, call.reason) == (CallState.ENDED, "verified")
    assert await service.world.bill() == [Bill("A", 6, 0, "CALL_ENDED", "service")]
    assert await service.said(ada, "call 415 555 2671 from boat", channel="web") == "call_launched"


async def test_wrong_digits_verify_nothing(service: Service, ada: User) -> None:
    """The phone stays on file and cannot ring first."""
    answer = await _ring(service, ada)
    wrong = "".join(str((int(digit) + 1) % 10) for digit in str(answer.fields["digits"]))
    await _key(service, wrong)
    await service.world.run_out()
    assert (await service.world.only_call()).reason == "a_not_accepted"
    assert await service.said(ada, "call mom from boat", channel="web") != "call_launched"
    asked = await service.ask(ada, "call 415 555 2671 from boat", channel="web")
    assert asked.code == "phone_not_verified"


async def test_a_phone_on_file_is_rung_again(service: Service, ada: User) -> None:
    """By its label alone, until it is verified."""
    await _ring(service, ada)
    await service.ask(ada, "hangup", channel="web")
    await service.world.run_out()
    service.world.wall.jump(60_000)
    await service.ask(ada, "verify boat", channel="web")
    await service.world.advance(3)
    (live,) = service.world.engine.driver.live.values()
    await _key(service, live.call.first.last_leg.keys)
    await service.world.run_out()
    assert await service.said(ada, "verify boat", channel="web") == "phone_is_verified"
    assert await service.said(ada, "verify nothing", channel="web") == "phone_not_yours"
    assert await service.said(ada, "verify boat 212 555 0167", channel="web") == "name_taken"


async def test_a_verification_after_a_restart_goes_on(service: Service, ada: User) -> None:
    """The digits keyed before the process died still count."""
    answer = await _ring(service, ada)
    digits = str(answer.fields["digits"])
    await _key(service, digits[:2])
    await service.world.kill()
    await service.world.start()
    await service.world.settle()
    await _key(service, digits[2:])
    await service.world.run_out()
    assert (await service.world.only_call()).reason == "verified"


async def test_verifying_has_limits(service: Service, ada: User) -> None:
    """So many a day; numbers that may not be rung are not; nothing is put on file then."""
    assert await service.said(ada, "verify cop 911", channel="web") == "emergency"
    assert await service.said(ada, "verify pub 900 555 0100", channel="web") == "premium_number"
    service.world.script(BOAT, ring_s=2, result="busy")
    for _ in range(VERIFICATIONS_PER_DAY):
        service.world.wall.jump(90_000)
        line = "verify boat 212 555 0166"
        assert await service.said(ada, line, channel="web") == "verification_launched"
        await service.world.run_out(60)
    assert await service.said(ada, "verify boat", channel="web") == "too_many_verifications"
    phones = await service.ask(ada, "phones")
    assert len(getattr(phones, "rows", ())) < MAX_PHONES


async def test_last_does_not_call_the_own_phone(service: Service, ada: User) -> None:
    """A verification is nobody's last call."""
    await _ring(service, ada)
    await service.world.run_out()
    assert await service.said(ada, "last", channel="web") == "no_last_call"


async def test_detaching_the_default_phone_leaves_another(service: Service, ada: User) -> None:
    """What is gone cannot ring first."""
    assert await service.said(ada, "use cell") == "phone_used"
    assert await service.said(ada, "detach cell") == "detached"
    answer = await service.ask(ada, "call 415 555 2671", channel="web")
    assert (answer.code, answer.fields["from"]) == ("call_launched", "office")


# --- what is told ---------------------------------------------------------------------------------


async def test_what_a_user_adds_by_other_ways_is_told_too(service: Service, ada: User) -> None:
    """A token and an address made on a page; not what the operator adds."""
    token = AddToken(ada.id, "0" * 64, "script", ("read",))
    assert await service.said(ada, token, channel="web") == "token_added"
    assert await _told(service, "token_on_file") == [ada.address]
    more = AddSender(ada.id, "sms", PAGER)
    assert await service.said(ada, more, channel="web") == "sender_added"
    assert await _told(service, "address_on_file") == [ada.address]
