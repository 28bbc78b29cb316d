"""`python -m tests.soak.sockets --drops 200`: Asterisk's wire is cut at random moments of calls.

A real `callgate serve` on a real Asterisk takes calls by the API while the wire between the two
(events and requests) is dropped again and again. At the end every call is let end, and three lists
are compared: what clients were told, what telephones have seen, what is billed.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from call_core.contracts import Cdr
from call_core.switches.simulator_phone import PhoneScript
from gateway import logs
from gateway.settings_sections import LogSettings
from tests.support.asterisk_site import OFFICE, AsteriskSite, asterisk_site, until
from tests.support.sip_phones import Dialog

CALLERS = 3
LONGEST_PAUSE_S = 2.0
SLACK_S = 2.0
"""A telephone's own measure may be off by so much, whole seconds and a busy machine included."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one run came to; everything in the lists is a defect.

    Attributes:
        drops: how often the wire was cut while calls were under way.
        reconnects: how often the gateway said that its switch is back.
        lost: calls that did not reach their second party, or are not billed.
        doubled: telephones that were rung twice for one call.
        wrong: bills that are not what the telephones talked, and what the books say against it.
        estimated: ends that Asterisk could not tell, marked as such.
    """

    seed: int
    drops: int
    seconds: float
    calls: int
    reconnects: int
    lost: list[str]
    doubled: list[str]
    wrong: list[str]
    estimated: int

    @property
    def good(self) -> bool:
        """Whether nothing at all was wrong."""
        return not (self.lost or self.doubled or self.wrong)


async def run(folder: Path, drops: int, *, seed: int) -> Report:
    """Cut so many times, then let everything end and compare."""
    rng = random.Random(seed)  # noqa: S311  (repeatable, guards nothing)
    began = time.monotonic()
    async with asterisk_site(folder) as site:
        await site.start()
        told: dict[str, str] = {}
        stuck: list[str] = []
        stopping = asyncio.Event()
        numbers = itertools.count(2_000_000)
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(_call(site, rng, numbers, told, stuck, stopping))
            await _cut(site, rng, drops, told)
            stopping.set()
        records = await site.ended(len(told))

        async def nothing_up() -> bool:
            return "0 active channels" in await asyncio.to_thread(site.channels)

        await until(nothing_up)
        wrong = await site.wrong()
        wrong += list(_differences(site, told, records))
        by_number = Counter(each.number for each in site.asterisk.phones.dialogs.values())
        reconnects = site.log().count("switch.back")
    cdrs = [cdr for of_call in records.values() for cdr in of_call]
    return Report(
        seed,
        drops,
        round(time.monotonic() - began, 1),
        len(told),
        reconnects,
        [*stuck, *_lost(told, records)],
        list(_doubled(told, by_number)),
        wrong,
        sum(cdr.end_estimated for cdr in cdrs),
    )


async def _cut(site: AsteriskSite, rng: random.Random, drops: int, told: dict[str, str]) -> None:
    async def begun() -> bool:
        return bool(told)

    await until(begun)
    for number in range(drops):
        await asyncio.sleep(rng.uniform(0, LONGEST_PAUSE_S))
        site.wire.cut()
        if (number + 1) % 50 == 0:
            sys.stderr.write(f"{number + 1} drops, {len(told)} calls\n")
            sys.stderr.flush()


async def _call(
    site: AsteriskSite,
    rng: random.Random,
    numbers: Iterator[int],
    told: dict[str, str],
    stuck: list[str],
    stopping: asyncio.Event,
) -> None:
    """Call one number after another, each once; the second party hangs up."""
    while not stopping.is_set():
        number = f"+1312{next(numbers)}"
        site.asterisk.phones.scripts[number] = PhoneScript(
            ring_ms=rng.randrange(100, 1_000), press="", talk_ms=rng.randrange(500, 3_000)
        )
        told[number] = await site.launch(number)

        async def hung_up(number: str = number) -> bool:
            dialog = site.dialog(number)
            return dialog is not None and dialog.ended

        try:
            await until(hung_up)
        except TimeoutError:
            stuck.append(f"{told[number]} and {number} did not hear each other")
            await site.hang_up(told[number])


def _lost(told: Mapping[str, str], records: Mapping[str, Sequence[Cdr]]) -> Iterator[str]:
    for number, call_id in told.items():
        legs = [cdr.leg for cdr in records.get(call_id, []) if cdr.answer_call_ms]
        if legs != ["A", "B"]:
            yield f"{call_id} to {number} has the answered legs {legs}"
    if extra := records.keys() - set(told.values()):
        yield f"nobody asked for {sorted(extra)}"


def _doubled(told: Mapping[str, str], rung: Mapping[str, int]) -> Iterator[str]:
    for number in told:
        if rung[number] != 1:
            yield f"{number} was rung {rung[number]} times"
    if rung[OFFICE] != len(told):
        yield f"{OFFICE} was rung {rung[OFFICE]} times for {len(told)} calls"


def _differences(
    site: AsteriskSite, told: Mapping[str, str], records: Mapping[str, Sequence[Cdr]]
) -> Iterator[str]:
    """Compare bills with how long each second party's telephone was off the hook."""
    for number, call_id in told.items():
        dialog = site.dialog(number)
        for cdr in records.get(call_id, []):
            if cdr.to_number == number and dialog is not None and not cdr.end_estimated:
                yield from _difference(cdr, dialog)


def _difference(cdr: Cdr, dialog: Dialog) -> Iterator[str]:
    talked_s = dialog.ended_s - dialog.answered_s
    if abs(cdr.duration_s - talked_s) > SLACK_S:
        yield f"{cdr.call_id} {cdr.leg} talked {talked_s:.1f} s and is billed {cdr.duration_s} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print the report; the exit status is 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    asked = parser.parse_args(arguments)
    logs.configure(LogSettings(level="warning"))
    sys.stderr.write(f"seed {asked.seed}\n")
    with tempfile.TemporaryDirectory(prefix="callgate-sockets-") as name:
        report = asyncio.run(run(Path(name), asked.drops, seed=asked.seed))
    sys.stdout.write(json.dumps(asdict(report), indent=1) + "\n")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
