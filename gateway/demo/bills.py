"""Launches the same call by every channel's own protocol and collects the bills."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from call_core.contracts import CallView, Principal
from call_core.errors import DeliveryError
from channels.kit.contract import Channel
from gateway.books import transfers_of_call
from gateway.demo.compare import Bill, Posting, differences
from gateway.demo.set_up import Settled
from gateway.demo.world import COMMAND
from gateway.server import Running

LAUNCH_TIMEOUT_S = 30
END_TIMEOUT_S = 60
_LOOK_S = 0.05
_CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of one channel's call.

    Attributes:
        bill: None when there was no call.
        answer: what the client of the channel saw.
        different: what differs from the first bill, in words.
        skipped: why the channel was not compared, "" when it was.
    """

    channel: str
    bill: Bill | None
    answer: str = ""
    different: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def equal(self) -> bool:
        """Whether the bill is there and is the same as the first one."""
        return self.bill is not None and not self.different


async def compare(service: Running, callers: Sequence[Settled]) -> list[Compared]:
    """Launch one call per channel at once and compare their bills with the first one's."""
    by_name = {channel.name: channel for channel in service.channels}
    found = await asyncio.gather(
        *(_one(service, by_name[each.person.channel], each) for each in callers)
    )
    bills = [each.bill for each in found if each.bill is not None]
    if not bills:
        return found
    return [_against(bills[0], each) for each in found]


def _against(reference: Bill, found: Compared) -> Compared:
    if found.bill is None:
        return found
    return Compared(
        found.channel, found.bill, found.answer, tuple(differences(reference, found.bill))
    )


async def _one(service: Running, channel: Channel, caller: Settled) -> Compared:
    if type(channel).probe is Channel.probe:
        return Compared(channel.name, None, skipped="it has no client of its own")
    if reason := channel.not_probed():
        return Compared(channel.name, None, skipped=reason)
    try:
        async with asyncio.timeout(LAUNCH_TIMEOUT_S):
            answer = await channel.probe(caller.identity, COMMAND)
        bill = await _bill(service, channel.name, caller)
    except DeliveryError as error:
        return Compared(channel.name, None, different=(str(error),))
    except TimeoutError:
        return Compared(channel.name, None, different=("the call did not end in time",))
    except Exception as error:  # noqa: BLE001  (one client's failure must not hide the others)
        return Compared(channel.name, None, different=(f"its client failed: {error!r}",))
    return Compared(channel.name, bill, answer)


async def _bill(service: Running, channel: str, caller: Settled) -> Bill | None:
    core = service.core
    who = await core.principal_of_token(caller.identity.token, core.wall.now_ms())
    assert who is not None, caller
    async with asyncio.timeout(END_TIMEOUT_S):
        view = await _ended(service, who)
    cdrs = await core.cdrs(who, 100, "", view.id)
    transfers = await core.store.read(transfers_of_call, view.id)
    postings = tuple(
        Posting(
            _kind(each.debit_account), _kind(each.credit_account), each.kind, each.amount_micros
        )
        for each in transfers
    )
    return Bill(channel, view.ref, cdrs.items, postings)


async def _ended(service: Running, who: Principal) -> CallView:
    """Wait for the user's only call to be over."""
    while True:
        page = await service.core.calls(who, 1, "")
        if page.items and page.items[0].ended_call_ms is not None:
            return page.items[0]
        await asyncio.sleep(_LOOK_S)


def _kind(account: str) -> str:
    """Return what kind of account it is, without whose it is and which stripe of the operator's."""
    words = account.split(":")
    return words[0] if words[0] == _CUSTOMER else ":".join(words[:3])
