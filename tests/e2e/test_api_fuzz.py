"""The API under what its own document allows, and what it does not: never our fault, always told.

Schemathesis makes the requests of the OpenAPI document, valid ones and broken ones.
"""

import asyncio
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.e2e.conftest import Gateway

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio]
EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def _fuzz(url: str, token: str) -> Counter[int]:
    """Send a bounded number of requests to every operation; return the statuses."""
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    statuses: Counter[int] = Counter()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answered(case: Case[Any]) -> None:
            response = case.call(headers={"Authorization": f"Bearer {token}"}, timeout=20)
            case.validate_response(response, checks=CHECKS)
            statuses[response.status_code] += 1

        answered()
    return statuses


async def test_every_request_of_a_fuzzer_is_answered_as_the_document_says(
    gateway: Gateway,
) -> None:
    """No 5xx, no status and no body that the OpenAPI document does not name."""
    statuses = await asyncio.to_thread(_fuzz, gateway.url, gateway.identity.token)
    assert statuses.total() >= 13 * EXAMPLES // 2
    assert {200, 404, 422} <= statuses.keys()
