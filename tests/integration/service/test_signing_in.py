"""Signing in: codes by mail, passwords, sessions, tokens; nobody learns who is on file."""

import pytest

from call_core.administration import DisableUser, SetPassword
from call_core.contracts import Principal
from call_core.password_tries import WINDOW_MS, WRONG_TRIES
from call_core.storage import tables
from call_core.units.access import CODE_EVERY_S, CODE_TRIES, CODE_TTL_S, CODES_PER_DAY
from tests.support.service import Service
from tests.support.world import User

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


def _now(service: Service) -> int:
    return service.world.wall.now_ms()


async def _code(service: Service, user: User) -> str:
    """Ask for a code and return the one that the mail carries."""
    await service.world.core.start_sign_in(user.address, _now(service))
    await service.world.settle()
    notice = (await service.told())[-1]
    assert notice.code == "sign_in_code"
    return str(notice.fields["code"])


async def _sign_in(service: Service, user: User, secret: str) -> str | None:
    return await service.world.core.sign_in(user.address, secret, _now(service))


async def test_a_code_by_mail_opens_a_session_once(service: Service, ada: User) -> None:
    """The code works once; the session says who it is and where they signed in."""
    code = await _code(service, ada)
    assert len(code) == 6
    token = await _sign_in(service, ada, f" {code} ")
    assert token is not None
    who = await service.world.core.principal_of_session(token, _now(service))
    assert who is not None
    assert (who.user_id, who.address, who.currency) == (ada.id, ada.address, "USD")
    assert await _sign_in(service, ada, code) is None
    assert [row.address for row in service.sent] == [ada.address]


@pytest.mark.parametrize(("after_s", "works"), [(CODE_TTL_S, True), (CODE_TTL_S + 1, False)])
async def test_a_code_expires(service: Service, ada: User, after_s: int, *, works: bool) -> None:
    """At ten minutes it works, a second later it does not."""
    code = await _code(service, ada)
    service.world.wall.jump(after_s * 1000)
    assert (await _sign_in(service, ada, code) is not None) is works


@pytest.mark.parametrize(("wrong", "works"), [(CODE_TRIES - 1, True), (CODE_TRIES, False)])
async def test_five_wrong_codes_end_it(
    service: Service, ada: User, wrong: int, *, works: bool
) -> None:
    """After the fifth wrong one the right one is refused too."""
    code = await _code(service, ada)
    for _ in range(wrong):
        assert await _sign_in(service, ada, "000000" if code != "000000" else "1") is None
    assert (await _sign_in(service, ada, code) is not None) is works


async def test_codes_are_sent_seldom(service: Service, ada: User) -> None:
    """One a minute, so many a day: nobody's mailbox is filled by strangers."""
    core = service.world.core
    await core.start_sign_in(ada.address, _now(service))
    service.world.wall.jump(CODE_EVERY_S * 1000 - 1)
    await core.start_sign_in(ada.address, _now(service))
    assert len(await service.told()) == 1
    service.world.wall.jump(1)
    for _ in range(CODES_PER_DAY + 5):
        await core.start_sign_in(ada.address, _now(service))
        service.world.wall.jump(CODE_EVERY_S * 1000)
    assert len(await service.told()) == CODES_PER_DAY - 1


async def test_an_unknown_address_takes_the_same_path(service: Service, ada: User) -> None:
    """No mail, no row that tells, and a commit of its own, so that it takes as long."""
    store = service.world.store
    before = store.statistics().units
    await service.world.core.start_sign_in("eve@example.com", _now(service))
    unknown = store.statistics().units - before
    before = store.statistics().units
    await service.world.core.start_sign_in(ada.address, _now(service))
    assert store.statistics().units - before >= unknown == 1
    assert [row.address for row in service.sent if row.address != ada.address] == []
    assert await service.world.core.sign_in("eve@example.com", "123456", _now(service)) is None


async def test_passwords(service: Service, ada: User) -> None:
    """By address or by name; a wrong one, and one of a user without any, is refused."""
    core = service.world.core
    hashed = await core.hash_password("correct horse")
    assert hashed.startswith("$argon2id$")
    await service.world.administer(SetPassword(ada.id, hashed))
    for name in (ada.address, "Ada"):
        who = await core.verify_password(name, "correct horse")
        assert who is not None
        assert who.user_id == ada.id
    assert await core.verify_password("Ada", "wrong") is None
    assert await core.verify_password("Nobody", "correct horse") is None
    assert await _sign_in(service, ada, "correct horse") is not None


async def test_a_new_password_ends_the_sessions(service: Service, ada: User) -> None:
    """Whoever knew the old one is out."""
    core = service.world.core
    token = await _sign_in(service, ada, await _code(service, ada))
    assert token is not None
    await service.world.administer(SetPassword(ada.id, "hash"))
    assert await core.principal_of_session(token, _now(service)) is None


async def test_sessions_are_opaque_revocable_and_end(service: Service, ada: User) -> None:
    """Only a hash is stored; signing out ends it; thirty days end it."""
    core = service.world.core
    first = await _sign_in(service, ada, await _code(service, ada))
    service.world.wall.jump(CODE_EVERY_S * 1000)
    second = await _sign_in(service, ada, await _code(service, ada))
    assert first is not None
    assert second is not None
    await core.sign_out(first)
    assert await core.principal_of_session(first, _now(service)) is None
    assert await core.principal_of_session(second, _now(service)) is not None
    assert await core.principal_of_session(second, _now(service) + 31 * DAY_MS) is None
    assert await core.principal_of_session("made up", _now(service)) is None


async def _token(service: Service, ada: User, expires: int | None = None) -> str:
    who = await service.principal(ada)
    return await service.world.core.create_token(who, "mine", ("read",), _now(service), expires)


async def test_tokens_have_scopes_expiry_and_last_use(service: Service, ada: User) -> None:
    """A token is its user with fewer rights, until it expires; its use is noted."""
    core = service.world.core
    now = _now(service)
    secret = await _token(service, ada, now + 1_000)
    who = await core.principal_of_token(secret, now)
    assert isinstance(who, Principal)
    assert (who.user_id, who.scopes) == (ada.id, ("read",))
    (view,) = await core.tokens(who)
    assert (view.label, view.last_used_wall_ms, view.expires_wall_ms) == ("mine", now, now + 1_000)
    assert await core.principal_of_token(secret, now + 1_000) is not None
    assert await core.principal_of_token(secret, now + 1_001) is None
    assert await core.principal_of_token("cg_made_up", now) is None


async def test_tokens_are_revoked_by_their_owner(service: Service, ada: User) -> None:
    """Nobody else's identity ends it."""
    core = service.world.core
    bob = await service.world.user(ada.customer_id, "Bob", phones=False)
    secret = await _token(service, ada)
    mine, other = await service.principal(ada), await service.principal(bob)
    (view,) = await core.tokens(mine)
    assert not await core.revoke_token(other, view.id)
    assert await core.principal_of_token(secret, _now(service)) is not None
    assert await core.revoke_token(mine, view.id)
    assert await core.principal_of_token(secret, _now(service)) is None
    assert not await core.revoke_token(mine, view.id)


async def test_a_token_that_may_not_make_tokens_makes_none(service: Service, ada: User) -> None:
    """A reader's token cannot be turned into another one."""
    core = service.world.core
    secret = await _token(service, ada)
    who = await core.principal_of_token(secret, _now(service))
    assert who is not None
    with pytest.raises(PermissionError):
        await core.create_token(who, "wider", ("read", "call"), _now(service))
    assert await service.count(tables.tokens) == 1


async def test_a_disabled_user_does_not_sign_in(service: Service, ada: User) -> None:
    """Neither by code nor by password."""
    core = service.world.core
    code = await _code(service, ada)
    await service.world.administer(SetPassword(ada.id, await core.hash_password("pass")))
    await service.world.administer(DisableUser(ada.id))
    token = await _sign_in(service, ada, code)
    assert token is None or await core.principal_of_session(token, _now(service)) is None
    assert await core.verify_password("Ada", "pass") is None
    service.world.wall.jump(CODE_EVERY_S * 1000)
    await core.start_sign_in(ada.address, _now(service))
    assert len([n for n in await service.told() if n.code == "sign_in_code"]) == 1


async def test_guessed_passwords_close_the_name_for_a_while(service: Service, ada: User) -> None:
    """After five wrong ones the right one is refused too, on every way in, for ten minutes."""
    core = service.world.core
    stored = await core.hash_password("correct horse")
    await service.world.administer(SetPassword(ada.id, stored))
    for _ in range(WRONG_TRIES):
        assert await core.verify_password(ada.address, "wrong") is None
    assert await core.verify_password(ada.address, "correct horse") is None
    assert await _sign_in(service, ada, "correct horse") is None
    service.world.wall.jump(WINDOW_MS)
    assert await _sign_in(service, ada, "correct horse") is not None
