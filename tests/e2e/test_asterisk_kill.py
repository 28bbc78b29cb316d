"""kill -9 of a whole gateway while a real Asterisk carries its calls."""

import asyncio
from pathlib import Path

import pytest

from call_core.switches.simulator_phone import PhoneScript
from tests.support.asterisk_site import OFFICE, PACKETS, AsteriskSite, asterisk_site, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]
TALKS, ENDS, RINGS = "+13125550121", "+13125550122", "+13125550123"
CAP = "0.004"
CAP_MICROS = 4_000
PAST_PAID_MS = 2_000


async def nothing_up(site: AsteriskSite) -> None:
    """Wait until Asterisk has no channel at all."""

    async def none() -> bool:
        return "0 active channels" in await asyncio.to_thread(site.channels)

    await until(none)


async def hears(site: AsteriskSite, number: str) -> None:
    """Wait until both parties of a call have heard more of each other's own voice."""
    sides = ((OFFICE, number), (number, OFFICE))
    before = [site.heard(*side) for side in sides]

    async def heard() -> bool:
        now = [site.heard(*side) for side in sides]
        return all(b + PACKETS <= n for b, n in zip(before, now, strict=True))

    await until(heard)


async def test_the_next_process_goes_on_with_every_call(tmp_path: Path) -> None:
    """One call goes on, one ended meanwhile, one was being rung: no leg is lost, doubled, orphaned.

    Each is billed by Asterisk's own instants, none of them estimated.
    """
    async with asterisk_site(tmp_path) as site:
        scripts = site.asterisk.phones.scripts
        scripts[RINGS] = PhoneScript(ring_ms=3_000, press="")
        for number in (TALKS, ENDS):
            scripts[number] = PhoneScript(ring_ms=200, press="")
        await site.start()
        calls = {}
        for number in (TALKS, ENDS):
            calls[number] = await site.launch(number)
            await hears(site, number)
        calls[RINGS] = await site.launch(RINGS)

        async def rung() -> bool:
            return site.dialog(RINGS) is not None

        await until(rung)
        await site.kill()
        site.put_down(ENDS)
        await hears(site, TALKS)  # nobody is there, and they talk
        await site.start()
        await hears(site, RINGS)
        await hears(site, TALKS)
        for number in (TALKS, RINGS):
            await site.hang_up(calls[number])
        records = await site.ended(len(calls))
        await nothing_up(site)
        assert len(site.asterisk.phones.dialogs) == 2 * len(calls)
        assert await site.wrong() == []
    for number, call_id in calls.items():
        assert [cdr.leg for cdr in records[call_id]] == ["A", "B"], number
        assert all(cdr.answer_call_ms and cdr.total_micros for cdr in records[call_id])
        assert not any(cdr.end_estimated for cdr in records[call_id])
    assert records[calls[ENDS]][1].hangup_by == "callee"


async def test_with_the_gateway_dead_every_leg_ends_with_its_money(tmp_path: Path) -> None:
    """Nobody starts it again until all is over: each leg has ended by `paid_until` and two seconds.

    What is billed then is what was talked, not estimated, and within what was held.
    """
    async with asterisk_site(tmp_path) as site:
        site.asterisk.phones.scripts[TALKS] = PhoneScript(ring_ms=200, press="")
        await site.start()
        await site.launch(TALKS, max_cost=CAP)
        await hears(site, TALKS)
        await site.kill()
        [call] = await site.calls()
        paid = {leg.number: leg.paid_until_call_ms for leg in call.legs()}
        await nothing_up(site)
        assert not site.asterisk.phones.up()
        await site.start()
        [cdrs] = (await site.ended(1)).values()
        assert await site.wrong() == []
    assert sum(cdr.total_micros for cdr in cdrs) <= CAP_MICROS
    for cdr in cdrs:
        paid_until = paid[cdr.to_number]
        assert paid_until is not None
        assert cdr.end_call_ms <= paid_until + PAST_PAID_MS
        assert not cdr.end_estimated


async def test_what_asterisk_has_forgotten_ends_in_time_and_is_marked(tmp_path: Path) -> None:
    """Both die at once: both legs end when they were last known, at most paid, and say so."""
    async with asterisk_site(tmp_path) as site:
        site.asterisk.phones.scripts[TALKS] = PhoneScript(ring_ms=200, press="")
        await site.start()
        await site.launch(TALKS)
        await hears(site, TALKS)
        await site.kill()
        site.asterisk.kill()
        [call] = await site.calls()
        paid = {leg.number: leg.paid_until_call_ms for leg in call.legs()}
        await site.asterisk.start_again()
        await site.start()
        [cdrs] = (await site.ended(1)).values()
        assert await site.wrong() == []
    assert [cdr.leg for cdr in cdrs] == ["A", "B"]
    for cdr in cdrs:
        paid_until = paid[cdr.to_number]
        assert cdr.end_estimated
        assert paid_until is not None
        assert cdr.answer_call_ms is not None
        assert cdr.answer_call_ms <= cdr.end_call_ms <= paid_until
