"""The pages as a person meets them: a whole gateway, real HTTP, simulated telephones.

Takes the fixture `gateway`: a running gateway with `url`, and with `identity`, a user who has a
verified default phone, a password, an API token, money, and the name `mom` in the directory.
"""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator
from typing import Protocol

import httpx2
import pytest

from channels.kit.contract import Identity
from channels.web.browser import launch, read_page

WAIT_S = 20.0


class Gateway(Protocol):
    """What these tests need of the fixture."""

    url: str
    identity: Identity


@pytest.fixture
async def browser(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """Return a browser that has signed in with the password."""
    async with httpx2.AsyncClient(
        base_url=gateway.url, follow_redirects=True, timeout=WAIT_S
    ) as client:
        address = {"address": gateway.identity.address}
        page = await send(client, await client.get("/"), "/sign-in", address)
        secret = {"secret": gateway.identity.password}
        page = await send(client, page, "/sign-in/code", {**address, **secret})
        assert page.url.path == "/"
        yield client


async def send(
    client: httpx2.AsyncClient, page: httpx2.Response, action: str, fields: dict[str, str]
) -> httpx2.Response:
    """Send the first form of `page` that goes to `action`."""
    forms = [f for f in read_page(page.text)[0] if f.action == action and f.fields]
    return await client.post(action, data={**forms[0].fields, **fields})


@pytest.mark.anyio
async def test_a_probe_launches_and_reads_the_answer(gateway: Gateway) -> None:
    """The channel's own client gets as far as a person would."""
    assert "mom" in (await launch(gateway.url, gateway.identity, "call mom")).lower()


@pytest.mark.anyio
async def test_a_call_is_followed_live_to_its_bill(browser: httpx2.AsyncClient) -> None:
    """From the form to the records: events while it lives, arithmetic when it is over."""
    page = await send(browser, await browser.get("/"), "/call", {"to": "mom"})
    path = page.url.path
    assert path.startswith("/calls/")
    events = asyncio.ensure_future(browser.get(f"{path}/events"))
    await asyncio.sleep(1)
    await send(browser, await browser.get(path), f"{path}/control", {"action": "hangup"})
    stream = (await asyncio.wait_for(events, WAIT_S)).text
    assert "event: end" in stream
    ended = (await browser.get(path)).text
    assert "Records" in ended
    assert "Why it cost that" in ended


@pytest.mark.anyio
async def test_a_double_tap_rings_once(browser: httpx2.AsyncClient) -> None:
    """Two sends of one form at the same time lead to one call."""
    home = await browser.get("/")
    first, second = await asyncio.gather(
        send(browser, home, "/call", {"to": "mom"}), send(browser, home, "/call", {"to": "mom"})
    )
    assert first.url.path == second.url.path
    await send(browser, first, f"{first.url.path}/control", {"action": "hangup"})


@pytest.mark.anyio
async def test_a_wrong_number_is_explained_in_place(browser: httpx2.AsyncClient) -> None:
    """The page stays, keeps what was typed, and shows a correct example."""
    page = await send(browser, await browser.get("/"), "/call", {"to": "12"})
    assert page.status_code == 422
    assert 'value="12"' in page.text
    assert read_page(page.text)[1]


@pytest.mark.anyio
async def test_a_saved_name_is_there_and_can_be_undone(browser: httpx2.AsyncClient) -> None:
    """Directory, undo, and the name is gone again."""
    fields = {"action": "save", "name": "zelda", "number": "+44 20 7946 0018"}
    page = await send(browser, await browser.get("/directory"), "/directory", fields)
    assert "zelda" in (await browser.get("/directory?begins=zel")).text
    await send(browser, page, "/command", {"text": "undo", "back": "/directory"})
    assert "No name begins with" in (await browser.get("/directory?begins=zel")).text


@pytest.mark.anyio
async def test_the_file_of_records_has_whole_numbers(browser: httpx2.AsyncClient) -> None:
    """Every number in the file is E.164, as text."""
    page = await send(browser, await browser.get("/"), "/call", {"to": "mom"})
    await send(browser, page, f"{page.url.path}/control", {"action": "hangup"})
    await browser.get(f"{page.url.path}/events")
    text = (await browser.get("/cdrs.csv")).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows
    assert all(re.fullmatch(r"\+[0-9]{7,15}", row["to"]) for row in rows)


@pytest.mark.anyio
async def test_a_token_made_on_the_page_opens_the_api(browser: httpx2.AsyncClient) -> None:
    """It works at once, and no longer after it was revoked."""
    fields = {"label": "e2e", "scope_read": "yes"}
    page = await send(browser, await browser.get("/tokens"), "/tokens", fields)
    secret = read_page(page.text)[1].splitlines()[1]
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await browser.get("/api/v1/balance", headers=headers)).status_code == 200
    found = re.search(r'name="token" value="([^"]+)" aria-label="Revoke e2e"', page.text)
    assert found
    await send(browser, page, "/tokens/revoke", {"token": found[1]})
    assert (await browser.get("/api/v1/balance", headers=headers)).status_code == 401
