"""Ports in use, counted per switch and trunk in the unit of the leg that takes or frees them.

A trunk has one row per shard, so that nodes do not wait for each other: a launch takes its ports
from its shard's own row, after looking at the sum of all. The reaper counts each shard's anew.
"""

from collections import Counter
from collections.abc import Mapping

from call_core.calls.model import Call, Leg
from call_core.storage import record_rows
from call_core.storage.transaction import Tx
from call_core.units.house import House

_STRIPE = "#"

Key = tuple[str, str]
"""Switch and trunk."""


def row_of(trunk: str, shard: int) -> str:
    """Return the name under which a shard's ports of a trunk are counted."""
    return f"{trunk}{_STRIPE}{shard}" if shard else trunk


def used(tx: Tx) -> Counter[Key]:
    """Return the ports in use by switch and trunk, over all shards."""
    found: Counter[Key] = Counter()
    for switch, name, count in tx.all(record_rows.ALL_PORTS):
        found[switch, name.partition(_STRIPE)[0]] += count
    return found


def limit_of(house: House, trunk: str) -> int:
    """Return how many legs a trunk carries at once."""
    if house.lines is None:
        return house.ports
    return next((each.ports for each in house.lines.trunks if each.name == trunk), 0)


def take(tx: Tx, house: House, shard: int, wanted: Mapping[Key, int]) -> bool:
    """Take ports for new legs, all or none; False when there are not so many."""
    elsewhere: Counter[Key] = Counter()
    if house.shards > 1:
        elsewhere = used(tx)
        elsewhere.subtract(_of_shard(tx, shard))
    taken: list[tuple[Key, int]] = []
    for (switch, trunk), count in sorted(wanted.items()):
        left = limit_of(house, trunk) - elsewhere[switch, trunk]
        if count <= left and _take(tx, switch, row_of(trunk, shard), count, left):
            taken.append(((switch, trunk), count))
            continue
        for key, back in taken:
            free(tx, shard, key, back)
        return False
    return True


def _of_shard(tx: Tx, shard: int) -> Counter[Key]:
    suffix = f"{_STRIPE}{shard}" if shard else ""
    return Counter(
        {
            (switch, name.removesuffix(suffix)): count
            for switch, name, count in tx.all(record_rows.ALL_PORTS)
            if name.partition(_STRIPE)[1:] == (suffix[:1], suffix[1:])
        }
    )


def _take(tx: Tx, switch: str, row: str, count: int, most: int) -> bool:
    taken = tx.run(record_rows.TAKE_PORTS, switch=switch, trunk=row, used=count, ports=most)
    return taken == 1


def free(tx: Tx, shard: int, key: Key, count: int) -> None:
    """Give ports back."""
    switch, trunk = key
    tx.write(record_rows.FREE_PORTS, key_switch=switch, key_trunk=row_of(trunk, shard), count=count)


def key_of(house: House, call: Call, leg: Leg) -> Key:
    """Return where a leg's port is counted: at its trunk's switch, which was its call's then."""
    switch = None if house.lines is None else house.lines.switch_of(leg.trunk)
    return (switch or call.switch), leg.trunk


def free_of_change(tx: Tx, house: House, old: Call, new: Call) -> None:
    """Free the ports of legs that were settled, and those that legs left for another trunk's.

    Ports of new legs were taken by who added them; a leg that could not be held for had none.
    """
    freed: Counter[Key] = Counter()
    for leg in new.legs():
        was = old.leg(leg.id)
        before = leg if was is None else was
        if not leg.holds or before.settled:
            continue
        if leg.settled or before.trunk != leg.trunk:
            freed[key_of(house, old, before)] += 1
    for key, count in sorted(freed.items()):
        free(tx, new.shard, key, count)
