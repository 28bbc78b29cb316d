"""The switches of this process as one: who has which call, and all their events in one stream."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from call_core.contracts import EventKind, Switch, SwitchEvent

_OF_THE_SWITCH = (EventKind.SWITCH_LOST, EventKind.SWITCH_BACK)
MOST_WAITING = 10_000
"""Events that were told and not yet taken; a switch that tells more waits."""


class SwitchSet:
    """One switch or several, by name.

    Args:
        switches: at least one; the first has the calls whose switch is not here (any more).

    Raises:
        ValueError: two have one name.
    """

    def __init__(self, switches: Sequence[Switch]) -> None:
        self._by_name = {switch.name: switch for switch in switches}
        if len(self._by_name) != len(switches):
            raise ValueError("two switches have one name")
        self._first = switches[0]

    def __iter__(self) -> Iterator[Switch]:
        return iter(self._by_name.values())

    def of(self, name: str) -> Switch:
        """Return the switch that has the calls of this name."""
        return self._by_name.get(name, self._first)

    @property
    def cut_guard_ms(self) -> int:
        """How much earlier than `paid_until` we cut, whichever switch it is."""
        return max(switch.cut_guard_ms for switch in self)

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield the events of all as they come; those of a whole switch say which it is.

        Raises:
            Exception: whatever broke the events of one.
        """
        if len(self._by_name) == 1:
            async for event in self._first.events():
                yield _named(event, self._first)
            return
        told: asyncio.Queue[SwitchEvent | Exception | None] = asyncio.Queue(MOST_WAITING)
        readers = [asyncio.create_task(_read(switch, told)) for switch in self]
        try:
            ended = 0
            while ended < len(readers):
                event_or_end = await told.get()
                if isinstance(event_or_end, Exception):
                    raise event_or_end
                if event_or_end is None:
                    ended += 1
                else:
                    yield event_or_end
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)


async def _read(switch: Switch, told: asyncio.Queue[SwitchEvent | Exception | None]) -> None:
    try:
        async for event in switch.events():
            await told.put(_named(event, switch))
    except Exception as error:  # noqa: BLE001  (raised again where the events are taken)
        await told.put(error)
    else:
        await told.put(None)


def _named(event: SwitchEvent, switch: Switch) -> SwitchEvent:
    return replace(event, switch=switch.name) if event.kind in _OF_THE_SWITCH else event


def as_set(switch: Switch | SwitchSet) -> SwitchSet:
    """Return one switch as a set of one."""
    return switch if isinstance(switch, SwitchSet) else SwitchSet([switch])
