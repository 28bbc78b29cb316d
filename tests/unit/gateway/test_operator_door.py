"""How the operator's tools ask the core."""

from dataclasses import dataclass, field

import pytest

from call_core.administration import TopUp
from call_core.commands import Balance, Detach, Device
from call_core.outcomes import Done, Outcome, Refused
from call_core.requests import Evidence, Request
from gateway.operator_door import RefusedError, ask, made_id, request_of

pytestmark = pytest.mark.anyio
NOW_MS = 1_790_000_000_000


@dataclass
class Answering:
    """A core that gives one answer and remembers what it was asked."""

    outcome: Outcome
    asked: list[Request] = field(default_factory=list)

    async def handle(self, request: Request) -> Outcome:
        """Remember and answer."""
        self.asked.append(request)
        return self.outcome


def test_the_operator_asks_with_the_administrators_scope() -> None:
    """Administration is proven, on the channel cli, and new each time."""
    first, second = (request_of(TopUp("c", 1), NOW_MS) for _ in range(2))
    assert (first.channel, first.id_space, first.sender) == ("cli", "cli", "cli")
    assert (first.scopes, first.evidence) == (("admin",), Evidence.PROVEN)
    assert first.external_id != second.external_id
    assert first.fingerprint == second.fingerprint


def test_a_users_line_has_a_users_scopes_and_no_more() -> None:
    """What is said for a user may do what the user may."""
    request = request_of(Balance(), NOW_MS, user_id="user_1", text="balance")
    assert (request.user_id, request.sender, request.scopes) == ("user_1", "", ("read", "call"))
    assert request.text == "balance"
    assert request_of(Device(), NOW_MS, user_id="user_1").scopes == ("read", "call")


def test_the_operator_takes_off_what_is_on_a_users_file() -> None:
    """A lost telephone is not its user's any more, and the user may be out of reach."""
    assert "admin" in request_of(Detach("cell"), NOW_MS, user_id="user_1").scopes


async def test_an_answer_is_handed_back_and_a_refusal_is_raised() -> None:
    """The id that was made is in the answer; a refusal carries its code."""
    done = Answering(Done("customer_added", fields={"customer_id": "cust_1"}))
    outcome = await ask(done, TopUp("c", 1), NOW_MS)  # type: ignore[arg-type]  # only `handle` is used
    assert made_id(outcome, "customer_id") == "cust_1"
    refusing = Answering(Refused("no_such_customer"))
    with pytest.raises(RefusedError) as refused:
        await ask(refusing, TopUp("c", 1), NOW_MS)  # type: ignore[arg-type]  # as above
    assert refused.value.outcome.code == "no_such_customer"
