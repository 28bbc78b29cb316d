"""The OpenAPI document: complete, and true."""

from typing import Any

import httpx2
import pytest

ROUTES = {
    "/api/v1/calls": {"get", "post"},
    "/api/v1/conferences": {"post"},
    "/api/v1/commands": {"post"},
    "/api/v1/calls/{call_id}": {"get", "delete"},
    "/api/v1/calls/{call_id}/events": {"get"},
    "/api/v1/calls/{call_id}/parties/{party}": {"patch"},
    "/api/v1/cdrs": {"get"},
    "/api/v1/balance": {"get"},
    "/api/v1/rates": {"get"},
    "/api/v1/directory": {"get"},
    "/api/v1/phones": {"get"},
    "/api/v1/addresses": {"get"},
    "/api/v1/devices": {"post"},
    "/api/v1/directory/{name}": {"put", "delete"},
    "/api/v1/requests/{request_id}": {"get"},
}


@pytest.fixture
async def document(client: httpx2.AsyncClient) -> dict[str, Any]:
    """Return the document, read without a token."""
    response = await client.get("/openapi.json", headers={"Authorization": ""})
    assert response.status_code == 200
    made: dict[str, Any] = response.json()
    return made


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every operation of the document."""
    return [operation for path in document["paths"].values() for operation in path.values()]


@pytest.mark.anyio
async def test_exactly_the_public_routes_are_there(document: dict[str, Any]) -> None:
    """The interface is a promise: no route more, none less."""
    assert {path: set(methods) for path, methods in document["paths"].items()} == ROUTES


@pytest.mark.anyio
async def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """Each has a tag, a sentence, its errors as problems, and all but `devices` the token."""
    tags = {tag["name"] for tag in document["tags"]}
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for operation in operations(document):
        assert set(operation["tags"]) <= tags
        assert operation["description"]
        joins = operation["summary"] == "Join"
        assert operation.get("security") == (None if joins else [{"token": []}])
        responses = operation["responses"]
        assert {"401", "403", "422", "503"} <= responses.keys()
        for status, response in responses.items():
            if status >= "4":
                content = response["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ProblemBody"}


def references(node: object) -> set[str]:
    """Return every reference in a part of the document."""
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


@pytest.mark.anyio
async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """No schema is named that is not there, none is there that nobody names."""
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) == names


@pytest.mark.anyio
@pytest.mark.parametrize(
    "name", ["CallBody", "ConferenceBody", "CommandBody", "PartyBody", "EntryBody", "DeviceBody"]
)
async def test_bodies_have_examples_and_refuse_the_unknown(
    document: dict[str, Any], name: str
) -> None:
    """Whoever reads the document sees one correct value of each needed field."""
    schema = document["components"]["schemas"][name]
    assert schema["additionalProperties"] is False
    assert all(schema["properties"][field].get("examples") for field in schema["required"])


@pytest.mark.anyio
async def test_posts_offer_the_idempotency_key(document: dict[str, Any]) -> None:
    """Every route that launches takes the header."""
    for path in document["paths"].values():
        if "post" in path:
            names = [parameter["name"] for parameter in path["post"]["parameters"]]
            assert names == ["Idempotency-Key"]
