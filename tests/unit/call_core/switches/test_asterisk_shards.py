"""Whose the legs of an Asterisk are; with a real one: tests/e2e/test_asterisk_nodes.py."""

from fractions import Fraction
from typing import cast

import httpx2
import pytest

from call_core.contracts import ShardedSwitch
from call_core.switches.asterisk_client import AriClient, AriError
from call_core.switches.asterisk_legs import Legs
from call_core.switches.asterisk_shards import ShardedAsterisk, app_of
from gateway.clocks import CallClock
from tests.unit.call_core.switches.test_asterisk_legs import channel, event

AWAY = AriClient(
    "http://asterisk/ari",
    "callgate",
    "secret",
    transport=httpx2.MockTransport(lambda _: httpx2.Response(500)),
)


def test_a_node_has_an_application_of_its_own() -> None:
    """Its name is in it, or a number made of it where ARI would not take the name."""
    assert app_of("callgate", "gateway-1") == "callgate-gateway-1"
    odd = app_of("callgate", "Gateway 1.example")
    assert odd.startswith("callgate-")
    assert odd != app_of("callgate", "Gateway 2.example")
    assert len(app_of("callgate", "n" * 200)) < 64


def test_only_legs_of_own_shards_are_told() -> None:
    """Whoever reads the trunk's events hears of everybody's; None is all, as for one node."""
    legs = Legs("callgate", shards=frozenset({3}))
    assert legs.take(event("StasisStart"))
    other = channel("leg_b", CALLGATE_SHARD="4")
    assert legs.take(event("StasisStart", channel=other)) == []
    assert [leg.leg_id for leg in legs.refresh(iter([channel(), other]), iter([]), ())] == ["leg_a"]
    assert Legs("callgate").take(event("StasisStart", channel=other))


def _switch(client: AriClient) -> ShardedAsterisk:
    return ShardedAsterisk(
        node="n1",
        name="asterisk",
        client=client,
        wall=CallClock(0, Fraction(1)),
        app="callgate",
        trunks=["main"],
        ports=10,
        plus=True,
        media={},
    )


@pytest.mark.anyio
async def test_a_shard_given_away_while_ours_are_announced_is_announced_when_it_comes_back() -> (
    None
):
    """Meanwhile another node has told Asterisk that it is its own."""
    said: list[str] = []

    class Client:
        """An Asterisk that hears another beat while it is told of the first shard."""

        async def set_global(self, name: str, _: str) -> None:
            """Note it."""
            said.append(name)
            if len(said) == 1:
                switch._announced = frozenset({1, 2})  # noqa: SLF001  (as before the socket was lost)
                await switch.own(frozenset({1}))

        async def channels(self) -> list[object]:
            """There are none."""
            return []

        bridges = channels

    switch = _switch(cast("AriClient", Client()))
    switch._connected = True  # noqa: SLF001  (without a socket)
    switch._legs.shards = frozenset({1, 2})  # noqa: SLF001  (as after a beat)
    await switch._announce()  # noqa: SLF001  (as when the socket is back)
    said.clear()
    await switch.own(frozenset({1, 2}))
    assert len(said) == 1


@pytest.mark.anyio
async def test_shards_are_not_owned_before_the_switch_is_reached() -> None:
    """The engine asks again; until then nothing of theirs is asked for."""
    switch = _switch(AWAY)
    assert isinstance(switch, ShardedSwitch)
    with pytest.raises(AriError, match="not connected yet"):
        await switch.own(frozenset({1, 2}))
    with pytest.raises(AriError):
        await switch.hang_up("leg_1", 16)
    assert not (await switch.health()).up
