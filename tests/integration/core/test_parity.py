"""The same call costs the same and leaves the same records, whatever it was launched from."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from call_core.contracts import Cdr
from call_core.ledger.transfers import Transfer
from tests.support.world import CELL, OFFICE, SPACES, opened_world, rate_row

pytestmark = pytest.mark.anyio
CHANNELS = sorted(SPACES)
NUMBERS = ("+442079460018", "+442079460019", "+13125550123", "+4930901820")
OF_THE_CHANNEL = {"id", "call_id", "ref", "request_id", "channel"}


@dataclass(frozen=True, slots=True)
class Phone:
    """How one phone of the example behaves."""

    ring_s: int
    talk_s: int
    result: str


@dataclass(frozen=True, slots=True)
class Price:
    """One row of the example's deck."""

    price: int
    fee: int
    first: int
    following: int
    peak_price: int | None


@dataclass(frozen=True, slots=True)
class Example:
    """A call: who is wanted, how phones behave, what minutes cost, what is said on top."""

    wanted: int
    phones: tuple[Phone, ...]
    prices: tuple[Price, ...]
    options: str
    start_s: int
    hangup_s: int


async def records_of(example: Example, channel: str) -> tuple[list[Any], list[Any], int]:
    """Return records, transfers and spending of the example, launched from one channel."""
    async with opened_world("inline", "") as world:
        await world.deck(
            [row for made in zip(PREFIXES, example.prices, strict=True) for row in rows(*made)]
        )
        acme = await world.customer()
        ada = await world.user(acme)
        for number, phone in zip((OFFICE, CELL, *NUMBERS), example.phones, strict=False):
            world.script(number, ring_s=phone.ring_s, talk_s=phone.talk_s, result=phone.result)
        await world.advance(example.start_s)
        verb = "call" if example.wanted == 1 else "conf"
        text = f"{verb} {', '.join(NUMBERS[: example.wanted])}{example.options}"
        launched = await world.say(ada, text, channel=channel)
        assert launched.kind == "launched", launched
        await world.advance(example.hangup_s)
        await world.say(ada, "hangup", channel=channel)
        await world.run_out()
        call_id = (await world.only_call()).id
        cdrs = [plain_cdr(cdr) for cdr in await world.cdrs(call_id)]
        transfers = [plain_transfer(each, call_id) for each in await world.transfers(call_id)]
        assert {cdr.channel for cdr in await world.cdrs(call_id)} == {channel}
        return cdrs, transfers, await world.spent(acme)


PREFIXES = ("1", "44", "49")


def rows(prefix: str, price: Price) -> list[Any]:
    """Return the rows of one prefix, one more for its peak hours."""
    made = (price.fee, price.first, price.following)
    found = [rate_row(prefix, f"to {prefix}", price.price, *made)]
    if price.peak_price is not None:
        peak = rate_row(prefix, f"peak {prefix}", price.peak_price, *made, hours="12:01-18:00")
        found.append(peak)
    return found


def plain_cdr(cdr: Cdr) -> dict[str, Any]:
    """Return a record without what names this one call and its channel."""
    return {name: value for name, value in asdict(cdr).items() if name not in OF_THE_CHANNEL}


def plain_transfer(transfer: Transfer, call_id: str) -> Transfer:
    """Return a transfer with the call's and the customer's ids taken out of it."""
    return replace(
        transfer,
        id=transfer.id.replace(call_id, "call"),
        pending_id=transfer.pending_id.replace(call_id, "call"),
        call_id="call",
        leg_id=transfer.leg_id.replace(call_id, "call"),
        debit_account=transfer.debit_account.split("_")[0],
        credit_account=transfer.credit_account.split("_")[0],
    )


PLAIN = Example(
    1,
    (Phone(3, 0, "answer"), Phone(3, 0, "answer"), Phone(5, 61, "answer")),
    (Price(10_000, 0, 6, 6, None), Price(20_000, 5_000, 30, 6, None), Price(30_000, 0, 60, 60, 1)),
    "",
    0,
    300,
)
MEETING = replace(
    PLAIN,
    wanted=4,
    phones=(*PLAIN.phones, Phone(2, 0, "answer"), Phone(4, 30, "answer"), Phone(1, 0, "voicemail")),
    options=" for 10 min",
)


@pytest.mark.parametrize("example", [PLAIN, MEETING], ids=["call", "conference"])
async def test_every_channel_leaves_the_same_records_and_transfers(example: Example) -> None:
    """Equal in every field but the channel, the request and the ids."""
    results = [await records_of(example, channel) for channel in CHANNELS]

    assert results[0][2] > 0
    assert all(result == results[0] for result in results)


PHONES = st.builds(
    Phone,
    st.integers(0, 50),
    st.integers(0, 400),
    st.sampled_from(["answer"] * 5 + ["busy", "no_answer", "reject", "voicemail", "unreachable"]),
)
PRICES = st.builds(
    Price,
    st.integers(0, 2_000_000),
    st.integers(0, 500_000),
    st.integers(1, 60),
    st.integers(1, 60),
    st.none() | st.integers(0, 3_000_000),
)
EXAMPLES = st.builds(
    Example,
    st.integers(1, 4),
    st.tuples(*[PHONES] * 6),
    st.tuples(*[PRICES] * 3),
    st.sampled_from(["", " max 7 min", " private", " from cell"]),
    st.integers(0, 180),
    st.integers(1, 700),
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(example=EXAMPLES, channels=st.permutations(CHANNELS))
async def test_any_call_costs_the_same_from_any_two_channels(
    example: Example, channels: list[str]
) -> None:
    """Random numbers, prices, increments, fees, peak windows, ringing and talking."""
    first, second = [await records_of(example, channel) for channel in channels[:2]]

    assert first == second
