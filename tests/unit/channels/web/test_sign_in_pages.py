"""Signing in: the same words for everybody, a cookie that scripts cannot read, and out again."""

import pytest

from tests.support.scripted_core import ANNA, CODE, PASSWORD, ScriptedCore
from tests.unit.channels.web.conftest import Visitor


@pytest.mark.anyio
@pytest.mark.parametrize("secret", [CODE, PASSWORD])
async def test_a_code_or_a_password_opens(visitor: Visitor, secret: str) -> None:
    """Both go into the same field of the same form."""
    await visitor.get("/")
    visitor.page = await visitor.fill("/sign-in", {"address": ANNA.address})
    page = await visitor.fill("/sign-in/code", {"address": ANNA.address, "secret": secret})
    assert page.url.path == "/"
    assert "Sign out" in page.text


@pytest.mark.anyio
async def test_unknown_addresses_get_the_same_words(visitor: Visitor, core: ScriptedCore) -> None:
    """Nobody learns here who has an account."""
    pages = []
    for address in (ANNA.address, "nobody@example.test"):
        await visitor.get("/sign-in")
        asked = await visitor.fill("/sign-in", {"address": address})
        visitor.page = asked
        told = await visitor.fill("/sign-in/code", {"address": address, "secret": "wrong"})
        texts = [page.text.replace(address, "X") for page in (asked, told)]
        pages.append([text.partition("<main")[2].partition('name="form"')[0] for text in texts])
        assert told.status_code == 422
    assert pages[0] == pages[1]
    assert core.mailed == [ANNA.address]


@pytest.mark.anyio
async def test_the_cookie_is_kept_from_scripts(visitor: Visitor) -> None:
    """The session cookie is HttpOnly and SameSite=Lax, and lasts."""
    await visitor.get("/sign-in")
    visitor.page = await visitor.fill("/sign-in", {"address": ANNA.address})
    data = {"form": visitor.token("/sign-in/code"), "address": ANNA.address, "secret": PASSWORD}
    answer = await visitor.client.post("/sign-in/code", data=data, follow_redirects=False)
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if "callgate_session" in c]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Max-Age=2592000"))


@pytest.mark.anyio
async def test_signing_out_revokes_the_session(anna: Visitor, core: ScriptedCore) -> None:
    """The session ends in the core, not only in the browser."""
    page = await anna.fill("/sign-out", {})
    assert page.url.path == "/sign-in"
    assert not core.sessions


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["", "a" * 255])
async def test_an_address_has_a_limit(visitor: Visitor, core: ScriptedCore, address: str) -> None:
    """No address, and one past the longest that mail allows, are asked for again."""
    await visitor.get("/sign-in")
    page = await visitor.fill("/sign-in", {"address": address})
    assert page.status_code == 422
    assert not core.mailed


@pytest.mark.anyio
async def test_the_form_is_bound_to_its_visitor(visitor: Visitor, core: ScriptedCore) -> None:
    """A sign-in form cannot be sent from another browser than the one it was made for."""
    await visitor.get("/sign-in")
    token = visitor.token("/sign-in")
    visitor.client.cookies.clear()
    data = {"form": token, "address": ANNA.address}
    assert (await visitor.client.post("/sign-in", data=data)).status_code == 403
    assert not core.mailed
