"""What was done to one leg of the simulator, and when. Kept in its file; never edited."""

from dataclasses import dataclass

from call_core.contracts import Prompt


@dataclass(frozen=True, slots=True)
class Play:
    """A prompt began; it replaces the one before. `words` are pairs of name and word."""

    at_call_ms: int
    prompt: Prompt
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """What was being said was stopped."""

    at_call_ms: int


@dataclass(frozen=True, slots=True)
class Join:
    """The leg was put into a bridge, maybe as the first."""

    at_call_ms: int
    bridge_id: str


@dataclass(frozen=True, slots=True)
class Talk:
    """Another answered leg is in the same bridge: the two hear each other."""

    at_call_ms: int


@dataclass(frozen=True, slots=True)
class Mute:
    """The leg's voice was stopped or let through."""

    at_call_ms: int
    muted: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """The switch's own limit was armed; the last one counts."""

    at_call_ms: int
    until_call_ms: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """We ended the leg."""

    at_call_ms: int
    cause: int


@dataclass(frozen=True, slots=True)
class Key:
    """A person keyed a digit by hand."""

    at_call_ms: int
    digit: str


@dataclass(frozen=True, slots=True)
class PickUp:
    """A person answered by hand."""

    at_call_ms: int


@dataclass(frozen=True, slots=True)
class PutDown:
    """A person hung up by hand, or rejected a ringing call."""

    at_call_ms: int


Command = Play | Stop | Join | Talk | Mute | Limit | HangUp | Key | PickUp | PutDown
