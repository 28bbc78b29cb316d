"""Devices that join by a code, pagers that get a secret; both listed and taken off."""

from dataclasses import replace

import pytest

from call_core.administration import AddSender, DisableUser
from call_core.contracts import AddressView, Principal
from call_core.units.access import hash_of
from call_core.units.joining import (
    DEVICE_TRIES_PER_HOUR,
    JOIN_TRIES_IN_ALL_PER_HOUR,
    JOIN_TTL_S,
    MAX_ADDRESSES,
    MAX_SAME_NAMES,
)
from tests.support.service import Service
from tests.support.world import User

pytestmark = pytest.mark.anyio
HERE, THERE = "192.0.2.1", "192.0.2.2"
PAGER, SECRET = "5550100", "sms\n5550100\ns3cret"
HOUR_MS = 3_600_000


async def _code(service: Service, user: User) -> str:
    answer = await service.ask(user, "device")
    assert answer.code == "join_code"
    return str(answer.fields["code"])


async def _join(
    service: Service, code: str, label: str = "laptop", peer: str = HERE
) -> tuple[str, str, str] | None:
    joined = await service.world.core.join_device(code, label, peer)
    await service.world.settle()
    return joined


async def _who(service: Service, user: User) -> Principal:
    """Return the user as pages know them."""
    token = await _key_of(service, user)
    who = await service.world.core.principal_of_token(token, service.world.wall.now_ms())
    assert who is not None
    return who


async def _key_of(service: Service, user: User) -> str:
    joined = await _join(service, await _code(service, user), "reader", THERE)
    assert joined is not None
    return joined[2]


async def _works(service: Service, token: str) -> bool:
    """Whether a device's key opens its packets."""
    return await service.world.core.device(hash_of(token)[:20], 0) is not None


async def _told(service: Service, code: str) -> list[str]:
    rows = await service.outbox()
    return [row[4] for row in rows if row[0] == "notice" and f'"{code}"' in row[1]]


# --- devices --------------------------------------------------------------------------------------


async def test_a_device_joins_by_a_code_and_is_taken_off(service: Service, ada: User) -> None:
    """Its key works at once and may not administer; the addresses on file hear of it."""
    code = await _code(service, ada)
    joined = await _join(service, code.lower().replace("-", " "))
    assert joined is not None
    whose, label, token = joined
    assert (whose, label) == ("Ada", "laptop")
    who = await service.world.core.principal_of_token(token, service.world.wall.now_ms())
    assert who is not None
    assert (who.user_id, who.scopes) == (ada.id, ("read", "call"))
    assert await _works(service, token)
    assert await _told(service, "device_on_file") == [ada.address]
    assert len(await service.audited("access.device_joined")) == 1
    assert await service.said(ada, "detach Laptop") == "detached"
    assert not await _works(service, token)
    assert await service.said(ada, "detach laptop") == "nothing_to_detach"


async def test_a_code_works_once_for_devices_and_addresses_together(
    service: Service, ada: User
) -> None:
    """Whoever comes second is told what those who guess are told."""
    code = await _code(service, ada)
    assert await _join(service, code) is not None
    assert await _join(service, code, peer=THERE) is None


async def test_a_code_is_forgotten_after_its_time(service: Service, ada: User) -> None:
    """At the limit it works, one second later not."""
    code, late = await _code(service, ada), await _code(service, ada)
    service.world.wall.jump(JOIN_TTL_S * 1000)
    assert await _join(service, code) is not None
    service.world.wall.jump(1_000)
    assert await _join(service, late) is None


async def test_who_guesses_is_not_heard_for_an_hour(service: Service, ada: User) -> None:
    """Not even with the right code; others are, and so are addresses."""
    code = await _code(service, ada)
    for n in range(DEVICE_TRIES_PER_HOUR):
        assert await _join(service, f"AAAA-{n:04}") is None
    assert await _join(service, code) is None
    assert await _join(service, code, peer=THERE) is not None
    service.world.wall.jump(HOUR_MS)
    assert await _join(service, await _code(service, ada)) is not None


async def test_all_who_guess_together_have_a_limit(service: Service, ada: User) -> None:
    """Beyond it no device joins in this hour, wherever it is; addresses are counted apart."""
    for n in range(JOIN_TRIES_IN_ALL_PER_HOUR):
        await service.world.core.join_device("AAAA-AAAA", "x", f"peer {n // DEVICE_TRIES_PER_HOUR}")
    code = await _code(service, ada)
    assert await _join(service, code) is None
    assert await service.said(ada, "time tokyo") == "local_time"


async def test_a_code_of_somebody_who_was_disabled_opens_nothing(
    service: Service, ada: User
) -> None:
    """Nor does one that is no code at all."""
    code = await _code(service, ada)
    await service.world.administer(DisableUser(ada.id))
    assert await _join(service, code) is None
    assert await _join(service, "") is None
    assert await _join(service, "Ж") is None


async def test_devices_of_one_name_are_told_apart(service: Service, ada: User) -> None:
    """By a number, so that one of them can be taken off."""
    tokens = []
    for _ in range(3):
        joined = await _join(service, await _code(service, ada))
        assert joined is not None
        tokens.append(joined)
    assert [label for _, label, _ in tokens] == ["laptop", "laptop 2", "laptop 3"]
    assert await service.said(ada, "detach laptop 2") == "detached"
    assert [await _works(service, token) for *_, token in tokens] == [True, False, True]
    for _ in range(MAX_SAME_NAMES):
        last = await _join(service, await _code(service, ada), peer=THERE)
        assert last is not None
        tokens.append(last)
    assert tokens[-1][1] == f"laptop {MAX_SAME_NAMES}"


# --- addresses and pagers -------------------------------------------------------------------------


async def test_a_pager_logs_in_until_it_is_taken_off(service: Service, ada: User) -> None:
    """Its user puts it on file; the others hear of it; its secret ends with it."""
    command = AddSender(ada.id, "sms", PAGER, hash_of(SECRET))
    made = service.request(ada, command, channel="web")
    assert (await service.world.core.handle(made)).code == "sender_added"
    core, now = service.world.core, service.world.wall.now_ms()
    assert await _told(service, "address_on_file") == [ada.address]
    who = await core.principal_of_token(SECRET, now)
    assert who is not None
    assert (who.user_id, who.scopes) == (ada.id, ("read", "call"))
    assert await service.said(ada, f"detach {PAGER}") == "detached"
    assert await core.principal_of_token(SECRET, now) is None


async def test_an_address_goes_off_by_all_of_its_ways(service: Service, ada: User) -> None:
    """Two protocols of one pager are one pager; other addresses stay."""
    for channel in ("sms", "web"):
        await service.world.administer(AddSender(ada.id, channel, PAGER))
    assert await service.said(ada, f"detach {PAGER}") == "detached"
    who = await _who(service, ada)
    on_file = await service.world.core.addresses(who)
    assert [each.address for each in on_file] == [ada.address, "reader"]


async def test_addresses_and_devices_are_listed(service: Service, ada: User) -> None:
    """In the order in which they are written to; tokens that are no devices are not among them."""
    await service.world.administer(AddSender(ada.id, "sms", PAGER, hash_of(SECRET)))
    who = await _who(service, ada)
    assert await service.world.core.addresses(who) == [
        AddressView("smtp", ada.address, opted_out=False),
        AddressView("sms", PAGER, opted_out=False),
        AddressView("packet", "reader", opted_out=False),
    ]
    assert await service.world.core.addresses(replace(who, user_id="usr_nobody")) == []


async def test_only_so_many_addresses_without_the_operator(service: Service, ada: User) -> None:
    """At the limit it is refused; the operator may add more."""

    async def add(n: int) -> str:
        command = AddSender(ada.id, "sms", str(n), hash_of(str(n)))
        outcome = await service.world.core.handle(service.request(ada, command, channel="web"))
        await service.world.settle()
        return outcome.code

    for n in range(1, MAX_ADDRESSES):
        assert await add(n) == "sender_added"
    assert await add(MAX_ADDRESSES) == "too_many_addresses"
    await service.world.administer(AddSender(ada.id, "sms", "more"))
