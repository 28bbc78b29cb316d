"""The frame of every page: headers, tokens, origins, faults, size."""

import httpx2
import pytest

from call_core.errors import StoreUnavailable
from channels.web.site import HEADERS
from tests.support.clocks import FakeClock
from tests.support.scripted_core import ScriptedCore
from tests.unit.channels.web.conftest import Visitor

MAX_FIRST_LOAD_BYTES = 30_000
CALL = {"to": "mom"}


async def size_of(visitor: Visitor, page: httpx2.Response) -> int:
    """Return the bytes of a page with everything that it loads."""
    assets = ["/static/callgate.css", "/static/callgate.js", "/static/callgate.svg"]
    assert all(asset in page.text for asset in assets)
    loaded = [await visitor.client.get(asset) for asset in assets]
    return sum(len(response.content) for response in [page, *loaded])


@pytest.mark.anyio
async def test_the_first_load_is_small(anna: Visitor) -> None:
    """Home page, style and script together stay under the budget for slow lines."""
    assert anna.page.url.path == "/"
    assert await size_of(anna, anna.page) <= MAX_FIRST_LOAD_BYTES
    assert await size_of(anna, await anna.get("/help")) <= MAX_FIRST_LOAD_BYTES


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/sign-in", "/help"])
async def test_every_page_has_the_secure_headers(visitor: Visitor, path: str) -> None:
    """No page may be framed, cached, sniffed, or run a script of somebody else."""
    page = await visitor.get(path)
    assert {name: page.headers[name] for name in HEADERS} == dict(HEADERS)
    assert "<style" not in page.text
    assert "style=" not in page.text


@pytest.mark.anyio
async def test_pages_answer_to_head(visitor: Visitor) -> None:
    """A link checker that asks for the head alone is not turned away."""
    assert (await visitor.client.head("/help")).status_code == 200


@pytest.mark.anyio
async def test_pages_are_for_those_who_signed_in(visitor: Visitor) -> None:
    """Whoever has no session is shown the sign-in page instead."""
    paths = ["/", "/calls", "/calls/call_1", "/directory", "/phones", "/balance", "/tokens"]
    for path in [*paths, "/cdrs.csv"]:
        assert (await visitor.get(path)).url.path == "/sign-in"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/call", "/"),
        ("/command", "/"),
        ("/phones/pager", "/phones"),
        ("/tokens/revoke", "/tokens"),
        ("/calls/call_1/control", "/calls/call_1"),
        ("/sign-in/code", "/sign-in"),
    ],
)
async def test_a_look_at_a_forms_address_leads_to_its_page(
    anna: Visitor, path: str, page: str
) -> None:
    """Whoever goes there again by the address bar is not told that a method is not allowed."""
    response = await anna.client.get(path, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, page)


@pytest.mark.anyio
async def test_a_double_tap_launches_once(anna: Visitor, core: ScriptedCore) -> None:
    """The same form sent twice gives the same answer, and one call."""
    first = await anna.fill("/call", CALL)
    second = await anna.fill("/call", CALL)
    assert first.url == second.url
    assert len(core.asked) == 1


@pytest.mark.anyio
async def test_the_token_is_the_external_id(anna: Visitor, core: ScriptedCore) -> None:
    """What the core claims is the form's own token, in the channel's own id space."""
    token = anna.token("/call")
    await anna.fill("/call", CALL)
    (request,) = core.asked
    assert (request.channel, request.id_space, request.external_id) == ("web", "web", token)
    assert (request.user_id, request.in_session) == ("usr_anna", True)
    assert request.text == "call mom"


@pytest.mark.anyio
async def test_a_used_form_with_other_content_is_refused(anna: Visitor, core: ScriptedCore) -> None:
    """A token buys one content."""
    await anna.fill("/call", CALL)
    other = await anna.fill("/call", {"to": "bob"})
    assert other.status_code == 422
    assert len(core.asked) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("token", ["", "forged", "6aaaaaaaAAAAAAAAAAA.AAAAAAAAAAAAAAAA"])
async def test_a_forged_token_does_nothing(anna: Visitor, core: ScriptedCore, token: str) -> None:
    """A form that we did not make for this session is not believed."""
    page = await anna.client.post("/call", data={"form": token, **CALL})
    assert page.status_code == 403
    assert not core.asked


@pytest.mark.anyio
async def test_an_hour_old_page_is_refused_kindly(
    anna: Visitor, core: ScriptedCore, wall: FakeClock
) -> None:
    """One second past its hour a form does nothing, and says so."""
    await wall.advance(3_601_000)
    page = await anna.fill("/call", CALL)
    assert page.status_code == 403
    assert "more than an hour" in page.text
    assert not core.asked


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://callgate.test"}, 200),
        ({"origin": "null"}, 200),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "http://evil.test", "sec-fetch-site": "same-origin"}, 200),
    ],
)
async def test_forms_come_from_our_own_pages(
    anna: Visitor, headers: dict[str, str], status: int
) -> None:
    """What the browser says about where a form came from must not speak against us."""
    assert (await anna.fill("/call", CALL, headers)).status_code == status


@pytest.mark.anyio
async def test_a_failure_of_ours_is_temporary(anna: Visitor, core: ScriptedCore) -> None:
    """While the store is away the visitor is asked to try again, with a time."""
    core.fault = StoreUnavailable("away")
    page = await anna.fill("/call", CALL)
    assert (page.status_code, page.headers["retry-after"]) == (503, "30")


@pytest.mark.anyio
async def test_a_defect_is_temporary_and_has_a_reference(anna: Visitor, core: ScriptedCore) -> None:
    """An exception that nobody expected shows a page with an id, and none of its own words."""
    core.fault = RuntimeError("secret detail")
    page = await anna.fill("/call", CALL)
    assert page.status_code == 503
    assert "err_" in page.text
    assert "secret detail" not in page.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content_type", "size", "status"),
    [
        ("application/json", 2, 400),
        ("multipart/form-data; boundary=x", 2, 400),
        ("application/x-www-form-urlencoded", 32_769, 413),
        ("application/x-www-form-urlencoded", 32_768, 403),
    ],
)
async def test_only_forms_of_limited_size_are_read(
    anna: Visitor, content_type: str, size: int, status: int
) -> None:
    """Another media type and a longer body are refused before anything else is looked at."""
    headers = {"content-type": content_type}
    page = await anna.client.post("/call", content=b"a" * size, headers=headers)
    assert page.status_code == status
