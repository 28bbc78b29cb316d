"""Documents for Twilio: each is small, well formed, and says no number."""

from xml.etree import ElementTree as ET

import pytest

from call_core.contracts import Prompt
from call_core.switches import twilio_twiml as twiml

URL = "https://calls.example/voice/twilio/x?d=callgate&leg=leg_1&n=1"
BASE = "https://calls.example/voice/twilio"
WORDS = {"destination": "London & <Paris>", "ending": "0 0 1 8", "caller": "Ada"}


def verbs(document: str) -> list[str]:
    """Return the verbs of a document, depth first."""
    assert len(document) <= twiml.DOCUMENT_LIMIT
    return [element.tag for element in ET.fromstring(document).iter()][1:]  # noqa: S314  (ours)


def test_waiting_asks_again() -> None:
    """A leg of which nothing is wanted stays, and does not run out of document."""
    assert verbs(twiml.wait(URL)) == ["Pause", "Redirect"]


@pytest.mark.parametrize("prompt", sorted(twiml.ASKING))
def test_a_question_waits_for_keys(prompt: Prompt) -> None:
    """It tells us even when nothing was keyed; four keys are asked for to verify."""
    document = twiml.ask(prompt, WORDS, URL)
    gather = ET.fromstring(document)[0]  # noqa: S314  (ours)
    assert verbs(document) == ["Gather", "Say"]
    assert gather.get("actionOnEmptyResult") == "true"
    assert gather.get("numDigits") == ("4" if prompt is Prompt.VERIFY else "1")
    assert gather.get("action") == URL


def test_more_keys_are_waited_for_in_silence() -> None:
    """Nobody hears the question twice."""
    assert verbs(twiml.ask(None, WORDS, URL)) == ["Gather"]


@pytest.mark.parametrize("prompt", sorted(set(Prompt) - twiml.ASKING))
def test_every_other_prompt_can_be_said_and_announced(prompt: Prompt) -> None:
    """Its end is told by a fetch; in a conference by an event."""
    said = verbs(twiml.say(prompt, WORDS, URL, BASE))
    announced = verbs(twiml.announce(prompt, WORDS, BASE))
    tone = prompt in (Prompt.HOLD_TONE, Prompt.JOIN_TONE)
    assert said == ["Play" if tone else "Say", "Redirect"]
    assert announced == said[:1]


def test_a_hold_tone_goes_on() -> None:
    """Until something else is wanted."""
    play = ET.fromstring(twiml.say(Prompt.HOLD_TONE, {}, URL, BASE))[0]  # noqa: S314  (ours)
    assert (play.get("loop"), play.text) == ("0", f"{BASE}/hold.wav")


def test_words_are_filled_in_and_escaped() -> None:
    """A name is text, never markup; one that is missing leaves no hole."""
    assert "London &amp; &lt;Paris&gt; 0 0 1 8. Press 1" in twiml.ask(Prompt.ACCEPT, WORDS, URL)
    assert "You asked to call . Press 1" not in twiml.ask(Prompt.BUSY, {}, URL)
    assert "invites you" in twiml.ask(Prompt.ACCEPT_INVITED, {}, URL)


def test_a_conference_keeps_its_people() -> None:
    """Nobody's leaving ends it; who comes is told, without a beep."""
    document = twiml.conference(
        "callgate-call_1", label="leg_1", muted=True, events_url=URL, twiml_url=URL, tones_url=BASE
    )
    room = ET.fromstring(document)[0][0]  # noqa: S314  (ours)
    assert verbs(document) == ["Dial", "Conference"]
    assert room.text == "callgate-call_1"
    assert room.get("endConferenceOnExit") == "false"
    assert (room.get("muted"), room.get("participantLabel")) == ("true", "leg_1")
    assert verbs(twiml.hang_up()) == ["Hangup"]
