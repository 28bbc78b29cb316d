"""Routes that only show."""

import httpx2
import pytest

from call_core.commands import Rate
from call_core.contracts import AddressView, DirectoryEntry, PhoneView
from call_core.outcomes import Money, Phrase, Refused, Told
from tests.support.scripted_core import ScriptedCore, a_record
from tests.unit.channels.api.test_problems import check_problem


@pytest.mark.anyio
async def test_records_come_in_parts_and_by_call(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """All records, or those of one call."""
    core.records = [a_record("cdr_1", "call_1"), a_record("cdr_2", "call_2")]
    first = (await client.get("/cdrs?limit=1")).json()
    assert ([record["id"] for record in first["items"]], first["next"]) == (["cdr_1"], "1")
    of_one = (await client.get("/cdrs?call_id=call_2")).json()
    assert ([record["id"] for record in of_one["items"]], of_one["next"]) == (["cdr_2"], None)
    assert of_one["items"][0]["from"] == "+442079460999"


@pytest.mark.anyio
async def test_the_balance_is_decimal(client: httpx2.AsyncClient) -> None:
    """Every amount is a string of the customer's currency."""
    assert (await client.get("/balance")).json() == {
        "currency": "USD",
        "plan": "prepaid",
        "balance": "10.00",
        "held": "1.00",
        "available": "9.00",
        "credit_limit": "0.00",
        "spent_today": "0.25",
        "daily_spend": "20.00",
    }


@pytest.mark.anyio
async def test_rates_are_asked_at_the_door(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """The price list is the core's; the rows come as data."""
    row = Phrase("rate_row", {"price": Money(40_000, "USD"), "prefix": "233"})
    core.answers = [Told("rates", rows=(row,)), Refused("name_unknown")]
    told = (await client.get("/rates?to=ghana")).json()
    assert core.asked[0].command == Rate("ghana")
    assert told["items"][0]["fields"] == {
        "price": {"amount": "0.04", "currency": "USD"},
        "prefix": "233",
    }
    check_problem(await client.get("/rates?to=nowhere"), 404, "name_unknown")


@pytest.mark.anyio
@pytest.mark.parametrize("query", ["", "?to=", f"?to={'x' * 81}"])
async def test_rates_need_a_destination(client: httpx2.AsyncClient, query: str) -> None:
    """None, an empty one and one past the limit are refused by name."""
    response = await client.get(f"/rates{query}")
    check_problem(response, 422, "invalid_request")
    assert response.json()["errors"][0]["field"] == "to"


@pytest.mark.anyio
async def test_the_directory_is_a_list(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """Names that begin so, with whose they are."""
    core.entries = [DirectoryEntry("mom", "+442079460018", "12", shared=False)]
    assert (await client.get("/directory?prefix=mo")).json() == {
        "items": [{"name": "mom", "number": "+442079460018", "extension": "12", "shared": False}],
        "next": None,
    }
    assert (await client.get("/directory?prefix=z")).json() == {"items": [], "next": None}


@pytest.mark.anyio
async def test_own_phones_are_a_list(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """What may ring first, the default on top."""
    core.own_phones = [PhoneView("cell", "+442079460999", verified=True, default=True)]
    assert (await client.get("/phones")).json()["items"] == [
        {"label": "cell", "number": "+442079460999", "verified": True, "default": True}
    ]


@pytest.mark.anyio
async def test_own_addresses_are_a_list(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """Devices among them."""
    core.own_addresses = [AddressView("packet", "laptop", opted_out=False)]
    assert (await client.get("/addresses")).json()["items"] == [
        {"channel": "packet", "address": "laptop", "opted_out": False}
    ]


@pytest.mark.anyio
async def test_a_request_can_be_looked_up(client: httpx2.AsyncClient) -> None:
    """What became of a mail can be asked over the API."""
    seen = (await client.get("/requests/req_1")).json()
    assert (seen["channel"], seen["outcome"]["ref"]) == ("smtp", "4F7")
    check_problem(await client.get("/requests/req_2"), 404, "no_such_request")
