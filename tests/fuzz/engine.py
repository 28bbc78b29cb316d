"""Feeds parsers: octets of the corpora that are changed, and text that hypothesis thinks of."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.targets import EXPECTED, Target

SLOW_S = 0.05
_TEXTS = 25
"""Of hypothesis, after every hundred mutations."""
_MUTATIONS = 100
_AWKWARD = (
    *(b"\x00", b"\r", b"\n", b"\r\n", b'"', b"(", b")", b"<", b">", b"=", b";", b",", b"%", b"&"),
    *(b"\xff", b"\xe2\x80\xa8", "٣".encode(), "İ".encode(), b"=?utf-8?b?", b"]]>", b"$(", b"&#0;"),
    *(b"911", b"9" * 40, b" " * 40, b"<!--", b"<![CDATA[", b"<!DOCTYPE x [", b"--", b"\\"),
)


@dataclass(slots=True)
class Found:
    """What became of one parser.

    Attributes:
        inputs: how many it got.
        slowest_s, slowest: the longest time that the same input took three times, and that input.
        failures: inputs with an exception outside the error type, one per kind.
    """

    inputs: int = 0
    slowest_s: float = 0.0
    slowest: bytes = b""
    failures: dict[str, bytes] | None = None


def mutated(data: bytes, rng: random.Random, most_bytes: int) -> bytes:
    """Return octets with some changes."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        _CHANGES[rng.randrange(len(_CHANGES))](changed, rng)
    return bytes(changed[:most_bytes])


def _span(data: bytearray, rng: random.Random, longest: int = 64) -> slice:
    start = rng.randrange(len(data) + 1)
    return slice(start, min(len(data), start + rng.randint(1, longest)))


def _flip(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[_span(data, rng)]


def _double(data: bytearray, rng: random.Random) -> None:
    span = _span(data, rng)
    data[span.stop : span.stop] = bytes(data[span]) * rng.choice((1, 2, 8, 200, 2000))


def _move(data: bytearray, rng: random.Random) -> None:
    span = _span(data, rng)
    at = rng.randrange(len(data) + 1)
    data[at:at] = bytes(data[span])


def _insert(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.choice(_AWKWARD) * rng.choice((1, 1, 2, 50, 3000))


def _end(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data) + 1) :]


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip,
    _flip,
    _cut,
    _double,
    _move,
    _insert,
    _insert,
    _end,
)


def fuzz(target: Target, first: int, go_on: Callable[[int], bool]) -> Found:
    """Feed a parser.

    Args:
        target: the parser.
        first: the seed; the same seed and as many rounds feed the same inputs.
        go_on: told how many rounds are over, whether there is another.

    Returns:
        What it did.
    """
    found, rng, rounds = Found(failures={}), random.Random(first), 0  # noqa: S311  (replayable)
    for each in target.seeds:
        _feed(target, each[: target.most_bytes], found)
    while go_on(rounds):
        for _ in range(_MUTATIONS):
            data = mutated(rng.choice(target.seeds), rng, target.most_bytes)
            _feed(target, data, found)
        _texts(target, found, first + rounds)
        rounds += 1
    return found


def _texts(target: Target, found: Found, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=_TEXTS,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.text(max_size=400))
    def feed(text: str) -> None:
        _feed(target, text.encode("utf-8", "surrogatepass")[: target.most_bytes], found)

    feed()


def _feed(target: Target, data: bytes, found: Found) -> None:
    assert found.failures is not None
    found.inputs += 1
    took_s = _timed(target, data, found.failures)
    if took_s > max(found.slowest_s, SLOW_S / 5):
        # The first time may have paid for something of the interpreter's own.
        took_s = min(took_s, *(_timed(target, data, found.failures) for _ in range(2)))
    if took_s > found.slowest_s:
        found.slowest_s, found.slowest = took_s, data


def _timed(target: Target, data: bytes, failures: dict[str, bytes]) -> float:
    began_s = time.thread_time()  # of this thread: a busy machine is no slow parser
    try:
        target.feed(data)
    except EXPECTED:
        pass
    except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        line = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else ""
        failures.setdefault(f"{type(error).__name__} at {line}", data)
    return time.thread_time() - began_s
