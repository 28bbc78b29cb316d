"""One Asterisk for several nodes: each reads the events of its own shards' legs and drives those.

Every node has an ARI application of its own name, and every leg carries its shard. Who gets the
answered legs of a shard stands in a global variable of Asterisk, which the owner sets when its term
begins; the dialplan reads it at the answer, and again each second while that owner is away. A leg
that was the dead owner's stays in its application; any node may drive it there, and hears of it by
subscribing.
"""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from zlib import crc32

import structlog

from call_core.contracts import Clock, Prompt
from call_core.switches.asterisk_ari import AsteriskSwitch
from call_core.switches.asterisk_client import AriClient
from call_core.switches.asterisk_dial import owner_of

log = structlog.get_logger(__name__)

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def app_of(app: str, node: str) -> str:
    """Return the name of a node's application; names that ARI would not take are replaced."""
    if _PLAIN.fullmatch(node):
        return f"{app}-{node}"
    return f"{app}-{crc32(node.encode()):08x}"


class ShardedAsterisk(AsteriskSwitch):
    """A `Switch` and `ShardedSwitch` on one Asterisk that other nodes use, too.

    Args:
        node: our name among the nodes.
        app: common to all nodes; the rest as for one node.
    """

    def __init__(
        self,
        *,
        node: str,
        name: str,
        client: AriClient,
        wall: Clock,
        app: str,
        trunks: Collection[str],
        ports: int,
        plus: bool,
        media: Mapping[Prompt, Sequence[str]],
    ) -> None:
        super().__init__(
            name=name,
            client=client,
            wall=wall,
            app=app,
            trunks=trunks,
            ports=ports,
            plus=plus,
            media=media,
        )
        self._stream = app_of(app, node)
        self._legs.shards = frozenset()
        self._announced: frozenset[int] = frozenset()

    async def own(self, shards: frozenset[int]) -> None:
        """Take the legs of these shards, and of no others, from now on.

        Raises:
            ConnectionError: not connected, or not all was said; ask again.
        """
        gone = self._announced - shards
        self._announced -= gone
        self._legs.shards = shards
        for leg in [each for each in self._legs.live.values() if each.shard not in shards]:
            del self._legs.live[leg.leg_id]
        self._need()
        gained = shards - self._announced
        if not gained:
            return
        # Orders of these shards may have been carried out for the owner before.
        self._since_wall_ms = self._now_ms()
        await self._say(gained)
        await self.live_legs()
        theirs = [leg.leg_id for leg in self._legs.live.values() if leg.shard in gained]
        await asyncio.gather(
            *(self._client.subscribe(self._stream, f"channel:{leg_id}") for leg_id in theirs)
        )
        self._announced |= gained
        log.info("asterisk.shards", switch=self.name, shards=sorted(gained), legs=len(theirs))

    async def _announce(self) -> None:
        """Say again whose our shards are: Asterisk may have been restarted."""
        shards = self._legs.shards or frozenset()
        await self._say(shards)
        await asyncio.gather(
            *(self._client.subscribe(self._stream, f"channel:{each}") for each in self._legs.live)
        )
        self._announced = shards & (self._legs.shards or frozenset())  # less what was given away

    async def _say(self, shards: Collection[int]) -> None:
        for shard in sorted(shards):
            await self._client.set_global(owner_of(self._app, shard), self._stream)
