"""Twilio: what was taken back, answered strangely, or never told must leave nothing behind."""

import pytest

from call_core.contracts import EventKind, Prompt
from call_core.switches.twilio_voice import NotInConference
from tests.integration.test_twilio_switch import ALICE, BOB, Bench, bench

__all__ = ["bench"]
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def test_an_order_taken_back_while_its_caller_id_is_refused_rings_nobody(
    bench: Bench,
) -> None:
    """As for a 429: it is not put again, under another number either."""
    await bench.originate(caller_id=BOB)
    bench.world.switch._board.live["leg_a"].hung_up = 16  # noqa: SLF001  (while it is on its way)
    await bench.world.pass_ms(5_000)
    assert bench.calls() == []
    assert bench.told.kinds() == [EventKind.ORIGINATE_FAILED]


@pytest.mark.parametrize("answer", [{"message": "of a proxy"}, None])
async def test_a_create_with_a_strange_answer_makes_no_leg_for_ever(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, str] | None,
) -> None:
    """Nobody knows whether there is a call: it is looked for, and then forgotten."""

    async def ask(*_: object, **__: object) -> dict[str, str] | None:
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(bench.world.switch.rest, "_ask", ask)
        await bench.originate()
        await bench.world.pass_ms(500)
    await bench.world.switch.hang_up("leg_a", 16)
    await bench.world.pass_ms(30_000)
    assert await bench.world.switch.live_legs() == []
    assert bench.told[-1].kind is EventKind.ORIGINATE_FAILED
    assert not bench.told[-1].certain


async def test_a_join_that_was_never_told_is_seen_when_the_switch_is_looked_at(
    bench: Bench,
) -> None:
    """Else nothing could be said to the leg as long as it is up."""
    bench.world.twin.faults.callbacks_lost = frozenset({"participant-join"})
    for leg_id, number in (("leg_a", ALICE), ("leg_b", BOB)):
        await bench.answered(leg_id, number)
    switch = bench.world.switch
    await switch.bridge("call_1", ["leg_a", "leg_b"])
    await bench.world.pass_ms(3_000)
    with pytest.raises(NotInConference):
        await switch.play("leg_a", Prompt.ENDING_SOON, {})
    await switch.live_legs()
    await bench.world.settle()
    await switch.play("leg_a", Prompt.ENDING_SOON, {})
    assert bench.told.kinds().count(EventKind.BRIDGED) == 1
    await switch.live_legs()
    await bench.world.settle()
    assert bench.told.kinds().count(EventKind.BRIDGED) == 1
