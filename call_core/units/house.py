"""What every unit is given: what this deployment is, and the instants and bits of this one run."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from call_core import ids
from call_core.calls.rules import Rules
from call_core.customers.limits import Limits
from call_core.storage.rate_rows import Decks
from call_core.units.lines import Lines

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@dataclass(slots=True)
class Tenure:
    """What the engine knows of its own time here.

    Attributes:
        epochs: the shards that this process owns, with the term since when; empty before it has
            taken one, and in a process that only commits.
        let_go: the last terms of shards that it has stopped driving.
        shards: how many there are.
        restored_wall_ms: when the database came out of a backup and nobody has released it yet;
            None in ordinary times.
    """

    epochs: dict[int, int] = field(default_factory=dict)
    let_go: dict[int, int] = field(default_factory=dict)
    shards: int = 1
    restored_wall_ms: int | None = None


@dataclass(frozen=True, slots=True)
class House:
    """The deployment, as far as units need it.

    Attributes:
        node: this process's name.
        switch, trunk, ports: where legs are originated, and how many there may be at once.
        lines: the ways out where there are several; None when that one trunk is all there is.
        service_number: E.164 that rung phones see; own_numbers: numbers that nobody may ring.
        limits, rules: the named figures.
        decks: the rate decks, kept by version.
        buy_tariff: the tariff of what legs cost us; "" when it is not known.
        spaces: channel name to id space, for senders and notices.
        free_leg_ceiling_micros: a dearer minute than this is never free for A.
        tenure: which calls this process owns, and since which term.
    """

    node: str
    switch: str
    trunk: str
    ports: int
    service_number: str
    decks: Decks
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    own_numbers: frozenset[str] = frozenset()
    buy_tariff: str = ""
    spaces: Mapping[str, str] = field(default_factory=dict)
    free_leg_ceiling_micros: int = 500_000
    lines: Lines | None = None
    tenure: Tenure = field(default_factory=Tenure)

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return self.tenure.shards

    def epoch_of(self, shard: int) -> int:
        """Return the term in which this process owns a shard, 0 when it does not."""
        return self.tenure.epochs.get(shard, 0)

    def drives(self, shard: int, epoch: int) -> bool:
        """Whether a call of this shard, written in this term, is for this process to drive."""
        return shard in self.tenure.epochs and epoch <= self.tenure.epochs[shard]

    def shard_for(self, stamp: "Stamp") -> int:
        """Return the shard of a new call: one of this process's own when it has any."""
        shards = sorted(self.tenure.epochs) or range(self.tenure.shards)
        return shards[stamp.pick(len(shards))]

    @property
    def restored_wall_ms(self) -> int | None:
        """When the database was restored; None unless it is still frozen because of that."""
        return self.tenure.restored_wall_ms


class Stamp:
    """The instants and the random bits of one unit; running it again gives the same ids.

    Attributes:
        wall_ms: our clock; call_ms: the switch's.
    """

    __slots__ = ("_made", "_seed", "call_ms", "wall_ms")

    def __init__(self, wall_ms: int, call_ms: int, seed: int) -> None:
        self.wall_ms = wall_ms
        self.call_ms = call_ms
        self._seed = seed
        self._made: random.Random | None = None

    def again(self) -> "Stamp":
        """Return the same stamp from its beginning; every run of a unit starts with this."""
        return Stamp(self.wall_ms, self.call_ms, self._seed)

    def pick(self, count: int) -> int:
        """Return one of so many, the same one however often the unit asks."""
        return self._seed % count

    @property
    def _rng(self) -> random.Random:
        """The source of this run's bits; most units need none, and making it costs."""
        if self._made is None:
            self._made = random.Random(self._seed)  # noqa: S311  (seeded from the system's source)
        return self._made

    def new_id(self, prefix: str) -> str:
        """Return the next id of this unit."""
        return ids.new_id(prefix, self.wall_ms, self._rng)

    def new_ref(self, pairs: int) -> str:
        """Return the next ref to try."""
        return ids.new_ref(self._rng, pairs)

    def new_code(self, digits: int = 6) -> str:
        """Return a one-time code."""
        return ids.new_code(self._rng, digits)

    def new_secret(self, letters: int) -> str:
        """Return random letters and digits."""
        return ids.new_secret(self._rng, letters)

    @property
    def day(self) -> int:
        """Days since 1970 UTC by the switch's clock; daily limits count by it."""
        return self.call_ms // DAY_MS

    @property
    def hour(self) -> int:
        """Hours since 1970 UTC by the switch's clock."""
        return self.call_ms // HOUR_MS
