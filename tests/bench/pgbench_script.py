"""What a call sent to PostgreSQL, as a script for pgbench that can be run again and again.

Statements, values, transactions and pipelines are those of the recorded call; only what must be
new in each run is made anew: its ids, its ref, its places in the audit. So pgbench does the same
work without our process, and its figure is the floor of ours.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, TypeVarTuple

from call_core.storage.postgres import NOTIFY_CHANNEL
from call_core.storage.statements import Arguments, DialectName, RowT, Statement, Value
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.storage.waiting import Priority

ResultT = TypeVar("ResultT")
ArgumentTs = TypeVarTuple("ArgumentTs")
_ID = re.compile(r"[a-z]+_[0-9A-HJKMNP-TV-Z]{26}")
_ID_KEPT = re.compile(f"({_ID.pattern})")
_PLACE = re.compile(r"\$(\d+)")
_AUDIT = re.compile(r"INSERT INTO audit \(node, seq,")
_NEW_NUMBER = "\\set u random(1, 1000000000000000)"
_ESCAPED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", ":": "\\x3a"}  # pgbench reads `:x` even in text


@dataclass(slots=True)
class Sent:
    """A statement as it was sent; `waited` when the unit needed its answer to go on."""

    text: str
    values: Arguments
    waited: bool


@dataclass(slots=True)
class Recording:
    """What one unit sent in its transaction."""

    unit: str
    sent: list[Sent] = field(default_factory=list)

    @property
    def round_trips(self) -> int:
        """How often it waited for the server, the commit included."""
        return sum(each.waited for each in self.sent) + 1


class RecordingStore(Store):
    """A store that keeps what its units send while `recordings` is a list."""

    recordings: list[Recording] | None = None

    async def run(
        self,
        unit: Callable[[Tx, *ArgumentTs], ResultT],
        *arguments: *ArgumentTs,
        priority: Priority = Priority.RUNNING,
        key: str | None = None,
    ) -> ResultT:
        """Run a unit as every store does, and keep what it sent."""
        recordings = self.recordings
        if recordings is None:
            return await super().run(unit, *arguments, priority=priority, key=key)
        recording = Recording(getattr(unit, "__name__", ""))

        @functools.wraps(unit)
        def recorded(tx: Tx, *given: *ArgumentTs) -> ResultT:
            recording.sent.clear()
            return unit(_RecordingTx(tx, recording), *given)

        result = await super().run(recorded, *arguments, priority=priority, key=key)
        recordings.append(recording)
        return result


class _RecordingTx(Tx):
    """Passes everything on to a unit's transaction and writes it down."""

    __slots__ = ("_inner", "_recording")
    dialect = DialectName.POSTGRESQL

    def __init__(self, inner: Tx, recording: Recording) -> None:
        super().__init__(inner._chain)  # noqa: SLF001  (what it appends is to be written down too)
        self._inner = inner
        self._recording = recording
        self.callbacks, self.topics = inner.callbacks, inner.topics

    def all(self, statement: Statement[RowT], /, **values: Value) -> list[RowT]:
        """Return every row."""
        self._note(statement, values, waited=True)
        return self._inner.all(statement, **values)

    def run(self, statement: Statement[Any], /, **values: Value) -> int:
        """Write and return how many rows were touched."""
        self._note(statement, values, waited=True)
        return self._inner.run(statement, **values)

    def write(self, statement: Statement[Any], /, **values: Value) -> None:
        """Write."""
        self._note(statement, values, waited=False)
        self._inner.write(statement, **values)

    def run_many(self, statement: Statement[Any], rows: Iterable[Mapping[str, Value]]) -> None:
        """Write once per row."""
        kept = list(rows)
        for row in kept:
            self._note(statement, row, waited=False)
        self._inner.run_many(statement, kept)

    def announce(self, topic: str) -> None:
        """Queue a NOTIFY."""
        notify = Sent(f"SELECT pg_notify('{NOTIFY_CHANNEL}', $1)", (topic,), waited=False)
        self._recording.sent.append(notify)
        self._inner.announce(topic)

    def _note(
        self, statement: Statement[Any], values: Mapping[str, Value], *, waited: bool
    ) -> None:
        compiled = statement.compiled(DialectName.POSTGRESQL)
        self._recording.sent.append(Sent(compiled.sql, compiled.arguments(values), waited))


def script_of(call: Sequence[Recording], others: Mapping[str, str], own: Iterable[str]) -> str:
    """Return the script that does a recorded call again.

    Args:
        call: its units in order.
        others: ids that were there before, and the expression that stands for each.
        own: further texts that are this call's own (its ref, the request's id).
    """
    found = _ID.findall("\n".join(_texts_of(call)))
    new = [*dict.fromkeys(each for each in found if each not in others), *own]
    written = {text: f"'{n}_' || :u::text" for n, text in enumerate(new)} | dict(others)
    lines = [_NEW_NUMBER]
    for recording in call:
        lines += ["\\startpipeline", "BEGIN;"]
        for sent in recording.sent:
            lines.append(_statement(sent, written))
            if sent.waited:
                lines += ["\\endpipeline", "\\startpipeline"]
        lines += ["COMMIT;", "\\endpipeline"]
    return "\n".join(lines) + "\n"


def _texts_of(recordings: Iterable[Recording]) -> list[str]:
    """Return every text among the values of these units."""
    values = (value for each in recordings for sent in each.sent for value in sent.values)
    return [value for value in values if isinstance(value, str)]


def _statement(sent: Sent, written: Mapping[str, str]) -> str:
    values = [_literal(value, written) for value in sent.values]
    if _AUDIT.match(sent.text):
        values[1] = ":u::bigint"
    text = _PLACE.sub(lambda place: f"({values[int(place[1]) - 1]})", sent.text)
    return " ".join(text.split("\n")) + ";"


def _literal(value: Value, written: Mapping[str, str]) -> str:
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(value)
    if value in written:
        return written[value]
    parts = [written.get(part) or _quoted(part) for part in _ID_KEPT.split(value) if part]
    return " || ".join(parts) or "''"


def _quoted(text: str) -> str:
    return "E'" + "".join(_ESCAPED.get(letter, letter) for letter in text) + "'"
