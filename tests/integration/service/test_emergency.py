"""Emergency numbers are answered before everything else, to anybody, without the database."""

import pytest

from call_core.commands import Add, Call, Conference, Name, Number, Quote, SetSlot
from call_core.requests import Evidence
from tests.support.service import Service
from tests.support.world import UK, User

pytestmark = pytest.mark.anyio

COMMANDS = {
    "a call": Call(Number("911")),
    "a quoted name": Call(Name("112")),
    "the phone to ring first": Call(Number(UK), origin=Number("999")),
    "a participant": Conference((Number(UK), Number("000"))),
    "somebody added": Add(Number("110")),
    "a slot": SetSlot(1, Number("911")),
    "a price": Quote(Number("+1 911")),
    "behind a prefix": Call(Number("011 911")),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("evidence", [Evidence.PROVEN, Evidence.CLAIMED])
async def test_any_target_of_any_command_is_answered(
    service: Service, ada: User, command: Call, evidence: Evidence
) -> None:
    """Whoever asks and wherever it stands, the answer is to dial it on a phone."""
    for user, sender in ((ada, ada.address), (None, "eve@example.com")):
        outcome = await service.ask(user, command, sender=sender, evidence=evidence)
        assert (outcome.kind, outcome.code) == ("refused", "emergency")
    assert not await service.legs_up()
    assert len(await service.audited("request.emergency")) == 2


@pytest.mark.parametrize("line", ["911", "call 911", "conf mom, 911"])
async def test_as_people_write_it(service: Service, ada: User, line: str) -> None:
    """Bare, with a verb, and in a list."""
    assert await service.said(ada, line) == "emergency"


@pytest.mark.parametrize(
    ("country", "digits", "code"),
    [("FR", "17", "emergency"), ("US", "17", "too_short")],
)
async def test_two_digit_numbers_count_where_the_user_is(
    service: Service, ada: User, country: str, digits: str, code: str
) -> None:
    """Elsewhere they are ordinary short numbers, refused as such."""
    user = await service.world.user(ada.customer_id, "Bob", country=country, phones=False)
    await service.world.phone(user, "office", "+12125550109", trusted=True)
    assert await service.said(user, Call(Number(digits))) == code


async def test_two_digit_numbers_count_where_a_phone_is(service: Service, ada: User) -> None:
    """A user at home in one country with a phone in another dials both countries' numbers."""
    await service.world.phone(ada, "paris", "+33142685300", trusted=True)
    assert await service.said(ada, Call(Number("17"), origin=Name("paris"))) == "emergency"


@pytest.mark.parametrize("target", ["x112", "+1 911 555 0123"])
async def test_what_only_looks_like_one_passes(service: Service, ada: User, target: str) -> None:
    """An extension, and an ordinary number that begins with the digits."""
    assert await service.said(ada, Call(Number(target))) != "emergency"


async def test_it_needs_no_database(service: Service, ada: User) -> None:
    """With the database away the answer is the same; only the audit row is missing."""
    request = service.request(ada, "call 911")
    await service.world.kill()
    outcome = await service.world.core.handle(request)
    assert outcome.code == "emergency"
    assert outcome.fields["digits"] == "911"
    await service.world.start()
    assert await service.audited("request.emergency") == []


async def test_it_is_answered_while_everything_is_frozen(service: Service, ada: User) -> None:
    """No limit, no freeze and no evidence stands before it; forged or not."""
    assert await service.said(ada, "call 911", evidence=Evidence.FORGED) == "emergency"


@pytest.mark.parametrize(
    "line", ["call \uff19\uff11\uff11", "\u0669\u0661\u0661", "\uff19\uff11\uff11"]
)
async def test_other_digits_of_the_same_number(service: Service, ada: User, line: str) -> None:
    """A line that cannot be read is looked through for help in any script's digits."""
    assert await service.said(ada, line) == "emergency"


async def test_the_answer_also_goes_out_by_message(service: Service, ada: User) -> None:
    """A channel without an answer in its session sends it; nothing was claimed or launched."""
    await service.ask(ada, Call(Number("911")), in_session=False)
    await service.world.settle()
    assert [row.kind for row in service.sent] == ["outcome"]
