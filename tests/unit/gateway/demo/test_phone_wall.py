"""The wall of simulated phones."""

from dataclasses import dataclass, field
from enum import StrEnum

import pytest

from call_core.contracts import Prompt
from gateway.demo.phone_wall import _LINES, ManyPhones, PhoneWall

pytestmark = pytest.mark.anyio
LABELS = {"+12125551000": "Ada, office", "+442079460018": "London"}


class State(StrEnum):
    """As the simulator says it."""

    RINGING = "ringing"
    ENDED = "ended"


@dataclass
class Status:
    """One phone as the simulator shows it."""

    number: str
    leg_id: str
    state: State
    prompt: Prompt | None = None
    words: tuple[tuple[str, str], ...] = ()


@dataclass
class Phones:
    """Remembers what hands did."""

    shown: list[Status]
    done: list[str] = field(default_factory=list)

    def phones(self) -> list[Status]:
        """Return what is there."""
        return self.shown

    def pick_up(self, leg_id: str) -> bool:
        """Remember."""
        self.done.append(f"up {leg_id}")
        return True

    def put_down(self, leg_id: str) -> bool:
        """Remember."""
        self.done.append(f"down {leg_id}")
        return True

    def keypress(self, leg_id: str, digit: str) -> bool:
        """Remember."""
        self.done.append(f"{digit} {leg_id}")
        return True


def test_phones_have_their_owners_and_say_what_is_said_to_them() -> None:
    """A phone with a call shows its leg and the prompt's words; the others are idle."""
    words = (("destination", "London ending 0018"),)
    ringing = Status("+12125551000", "leg_1", State.RINGING, Prompt.ACCEPT, words)
    first, second = PhoneWall(Phones([ringing]), LABELS).phones()
    assert (first.label, first.state, first.leg_id) == ("Ada, office", "ringing", "leg_1")
    assert first.heard == "You asked to call London ending 0018. Press 1."
    assert (second.label, second.state, second.leg_id) == ("London", "idle", "")


def test_an_ended_phone_has_no_leg_and_a_missing_word_is_no_failure() -> None:
    """There is nothing to press any more; a prompt without its words still shows."""
    ended = Status("+15550100", "leg_1", State.ENDED, Prompt.ACCEPT)
    (phone, *_) = PhoneWall(Phones([ended]), {}).phones()
    assert (phone.leg_id, phone.label) == ("", "Somebody")
    assert phone.heard == "You asked to call …. Press 1."


async def test_hands_reach_the_simulator() -> None:
    """Picking up, pressing and hanging up are handed on."""
    simulator = Phones([])
    wall = PhoneWall(simulator, LABELS)
    await wall.pick_up("leg_1")
    await wall.keypress("leg_1", "1")
    await wall.put_down("leg_1")
    assert simulator.done == ["up leg_1", "1 leg_1", "down leg_1"]


def test_every_prompt_has_words() -> None:
    """A new prompt needs a line here."""
    assert set(_LINES) == {prompt.value for prompt in Prompt}


async def test_the_phones_of_several_switches_are_one_wall() -> None:
    """A hand reaches a leg on whichever switch it is."""
    ny = Phones([Status("+12125551000", "leg_1", State.RINGING)])
    la = Phones([Status("+442079460018", "leg_2", State.RINGING)])
    wall = PhoneWall(ManyPhones([ny, la]), LABELS)
    assert [phone.leg_id for phone in wall.phones()] == ["leg_1", "leg_2"]
    await wall.pick_up("leg_1")
    await wall.keypress("leg_1", "1")
    await wall.put_down("leg_1")
    assert ny.done or la.done
