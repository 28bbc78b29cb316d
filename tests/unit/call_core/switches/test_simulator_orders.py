import stat
from fractions import Fraction
from pathlib import Path

import pytest

from call_core.contracts import EventKind, Prompt, SwitchEvent
from call_core.switches.simulator_commands import (
    Command,
    HangUp,
    Join,
    Key,
    Limit,
    Mute,
    PickUp,
    Play,
    PutDown,
    Stop,
    Talk,
)
from call_core.switches.simulator_orders import (
    ClockBase,
    Kept,
    OrdersDamaged,
    OrdersFile,
    read,
    resume_clock,
)
from call_core.switches.simulator_phone import PhoneResult, PhoneScript
from tests.support.orders import an_order

ORDER = an_order("leg_1", at_call_ms=1_000)
SCRIPT = PhoneScript(result=PhoneResult.VOICEMAIL, press="12")
ENDED = SwitchEvent("leg_0:ended", EventKind.ENDED, "leg_0", "call_0", 900, cause=17)
COMMANDS: list[Command] = [
    Play(2_000, Prompt.ACCEPT, (("destination", "Köln"),)),
    Stop(2_100),
    Join(2_200, "bridge_1"),
    Talk(2_200),
    Mute(2_300, muted=True),
    Limit(2_400, 9_000),
    Key(2_500, "#"),
    PickUp(2_600),
    PutDown(2_700),
    HangUp(2_800, 16),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a folder that does not exist yet."""
    return tmp_path / "var" / "simulator.jsonl"


def test_everything_written_is_read_again(path: Path) -> None:
    """Orders, every kind of command and refusals come back equal, without closing the file."""
    with OrdersFile.opened(path, Kept()) as file:
        file.ended(ENDED)
        file.order(ORDER, SCRIPT)
        file.commands([("leg_1", command) for command in COMMANDS])
        kept = read(path)
    assert kept.legs == {"leg_1": (ORDER, SCRIPT, COMMANDS)}
    assert kept.ended == [ENDED]
    assert kept.last_call_ms == 2_800


def test_a_missing_file_is_empty(path: Path) -> None:
    """The first start has no history."""
    assert read(path) == Kept()


def test_a_line_cut_by_a_kill_never_counted(path: Path) -> None:
    """The last line without its end is dropped, and the next start writes a clean file."""
    with OrdersFile.opened(path, Kept()) as file:
        file.order(ORDER, SCRIPT)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"leg": "leg_1", "do": "Ha')
    kept = read(path)
    assert kept.legs == {"leg_1": (ORDER, SCRIPT, [])}
    with OrdersFile.opened(path, kept):
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        '{"leg": "leg_9", "do": "Stop", "with": [1]}',
        '{"leg": "leg_1", "do": "Explode", "with": [1]}',
        '{"leg": "leg_1", "do": "Stop", "with": [1, 2]}',
        '{"order": {"leg_id": "leg_2"}, "script": {}}',
        '{"clock": [1, 2, "1/0"]}',
    ],
)
def test_a_damaged_line_is_named(path: Path, line: str) -> None:
    """Any other unreadable line stops the start, with its number and what to do."""
    with OrdersFile.opened(path, Kept()) as file:
        file.order(ORDER, SCRIPT)
    with path.open("a") as text:
        text.write(line + "\n")
    with pytest.raises(OrdersDamaged, match=r"line 2 .* remove the file"):
        read(path)


def test_rewriting_keeps_only_what_it_is_given(path: Path) -> None:
    """The file does not grow with history; what comes later is appended to the new one."""
    base = ClockBase(5, 6, Fraction(5, 2))
    with OrdersFile.opened(path, Kept(clock=base)) as file:
        for n in range(100):
            file.order(an_order(f"leg_{n}", at_call_ms=n), SCRIPT)
        assert file.lines == 101
        file.rewrite([(ORDER, SCRIPT, COMMANDS)], [ENDED])
        file.commands([("leg_1", Stop(3_000))])
        assert file.lines == 14
    kept = read(path)
    assert kept.clock == base
    assert kept.legs == {"leg_1": (ORDER, SCRIPT, [*COMMANDS, Stop(3_000)])}
    assert kept.ended == [ENDED]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_only_the_owner_reads_it(path: Path) -> None:
    """It holds telephone numbers."""
    with OrdersFile.opened(path, Kept()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_disk_that_is_full_spoils_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a line that reached the disk is taken back, so that the next one is whole."""
    with OrdersFile.opened(path, Kept()) as file:
        file.order(ORDER, SCRIPT)
        with monkeypatch.context() as patched:
            patched.setattr("os.write", HalfThenFull())
            with pytest.raises(OSError, match="full"):
                file.commands([("leg_1", Stop(2_000))])
        file.commands([("leg_1", Stop(3_000))])
    assert read(path).legs == {"leg_1": (ORDER, SCRIPT, [Stop(3_000)])}


def test_a_rewrite_on_a_full_disk_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written anew stays as it was, and goes on."""
    with OrdersFile.opened(path, Kept()) as file:
        file.order(ORDER, SCRIPT)
        with monkeypatch.context() as patched:
            patched.setattr("os.write", HalfThenFull())
            with pytest.raises(OSError, match="full"):
                file.rewrite([(ORDER, SCRIPT, COMMANDS)], [])
        file.commands([("leg_1", Stop(3_000))])
    assert read(path).legs == {"leg_1": (ORDER, SCRIPT, [Stop(3_000)])}


class HalfThenFull:
    """`os.write` on a disk that takes ten more bytes."""

    def __init__(self) -> None:
        import os  # noqa: PLC0415  (the real function, before it is replaced)

        self._write = os.write
        self._left = 10

    def __call__(self, descriptor: int, data: bytes) -> int:
        """Write what fits, then fail as a full disk does."""
        if self._left == 0:
            raise OSError("the disk is full")
        written = self._write(descriptor, data[: self._left])
        self._left -= written
        return written


@pytest.mark.parametrize(
    ("speed", "wall_ms", "expected"),
    [
        (Fraction(1), 1_000, 1_000),
        (Fraction(1), 1_999, 1_999),
        (Fraction(60), 1_500, 31_000),
        (Fraction(1, 3), 1_010, 1_003),
        (Fraction(60), 900, 1_000),
    ],
)
def test_the_call_clock_runs_from_its_base(speed: Fraction, wall_ms: int, expected: int) -> None:
    """Exact at any speed; before its base it stands still."""
    assert ClockBase(1_000, 1_000, speed).call_ms(wall_ms) == expected


def test_simulated_time_goes_on_while_we_are_dead(path: Path) -> None:
    """The first start is now; later ones go on at the old speed up to now, then at the new."""
    assert resume_clock(path, 1_000, Fraction(60)) == ClockBase(1_000, 1_000, Fraction(60))
    assert resume_clock(path, 2_000, Fraction(2)) == ClockBase(2_000, 61_000, Fraction(2))
    assert resume_clock(path, 2_100, Fraction(60)) == ClockBase(2_100, 61_200, Fraction(60))


def test_simulated_time_never_jumps_back(path: Path) -> None:
    """Neither a wall clock set back nor a file that reached further makes it earlier."""
    resume_clock(path, 5_000, Fraction(1))
    assert resume_clock(path, 1_000, Fraction(1)).base_call_ms == 5_000
    with OrdersFile.opened(path, read(path)) as file:
        file.order(an_order("leg_1", at_call_ms=9_000), SCRIPT)
    assert resume_clock(path, 2_000, Fraction(1)).base_call_ms == 9_000
    assert list(read(path).legs) == ["leg_1"]


def test_without_a_file_the_clock_starts_now() -> None:
    """A simulator in memory has nothing to go on from."""
    assert resume_clock(None, 7, Fraction(3)) == ClockBase(7, 7, Fraction(3))
