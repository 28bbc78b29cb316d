"""TwiML: what Twilio is told to do with one call, as a document per thing that a leg can hear.

A leg always has exactly one document. Twilio fetches it at the answer, and is sent another one when
we want something else. None of them ever holds a whole telephone number.
"""

from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET  # only written with it

from call_core.contracts import Prompt

DOCUMENT_LIMIT: Final = 4_000  # characters, Twilio's own limit of a document in a request
WAIT_S: Final = 30  # how long a leg waits in silence before it asks what is wanted
GATHER_S: Final = 8  # how long Twilio waits for a key after a prompt
PARTICIPANTS_LIMIT: Final = 250  # Twilio's own
HOLD_TONE: Final = "hold"
JOIN_TONE: Final = "join"

_ANY_KEY: Final = 1
_VERIFY_DIGITS: Final = 4

ASKING: Final = frozenset({Prompt.ACCEPT, Prompt.ACCEPT_INVITED, Prompt.VERIFY})
"""Prompts after which Twilio waits for keys."""

_SAID: Final[Mapping[Prompt, str]] = {
    Prompt.ACCEPT: "You asked to call {destination} {ending}. Press 1 to connect.",
    Prompt.ACCEPT_INVITED: "{caller} invites you to a conference. Press 1 to join.",
    Prompt.VERIFY: "Key the four digits that you see.",
    Prompt.NO_ANSWER: "The other party did not answer.",
    Prompt.BUSY: "The other party is busy.",
    Prompt.FAILED: "The call could not be connected.",
    Prompt.ENDING_SOON: "One minute is left.",
    Prompt.OPTED_OUT: "You have stopped our text messages. This call goes on.",
}
_TONES: Final[Mapping[Prompt, str]] = {Prompt.HOLD_TONE: HOLD_TONE, Prompt.JOIN_TONE: JOIN_TONE}


# <Response><Pause length="30" /><Redirect method="POST">https://calls…/twiml?leg=…</Redirect>
# </Response>
def wait(twiml_url: str) -> str:
    """Return silence, after which Twilio asks again."""
    response = ET.Element("Response")
    ET.SubElement(response, "Pause", length=str(WAIT_S))
    _redirect(response, twiml_url)
    return _text(response)


# <Response><Gather input="dtmf" numDigits="1" timeout="8" finishOnKey="" actionOnEmptyResult="true"
#   action="https://calls…/gather?leg=…&amp;n=1"><Say>You asked to call London 0 0 1 8. …</Say>
# </Gather></Response>
def ask(prompt: Prompt | None, words: Mapping[str, str], gather_url: str) -> str:
    """Return a prompt that waits for keys; None waits for further keys in silence."""
    response = ET.Element("Response")
    digits = _VERIFY_DIGITS if prompt is Prompt.VERIFY else _ANY_KEY
    gather = ET.SubElement(
        response,
        "Gather",
        input="dtmf",
        numDigits=str(digits),
        timeout=str(GATHER_S if prompt is not None else WAIT_S),
        finishOnKey="",
        actionOnEmptyResult="true",
        action=gather_url,
        method="POST",
    )
    if prompt is not None:
        _say(gather, prompt, words)
    return _text(response)


# <Response><Say>The other party is busy.</Say><Redirect method="POST">https://calls…/said?leg=…
# </Redirect></Response>
def say(prompt: Prompt, words: Mapping[str, str], said_url: str, tones_url: str) -> str:
    """Return a prompt whose end is told by a fetch of `said_url`; a hold tone has no end."""
    response = ET.Element("Response")
    if prompt in _TONES:
        loops = "0" if prompt is Prompt.HOLD_TONE else "1"
        ET.SubElement(response, "Play", loop=loops).text = f"{tones_url}/{_TONES[prompt]}.wav"
    else:
        _say(response, prompt, words)
    _redirect(response, said_url)
    return _text(response)


def announce(prompt: Prompt, words: Mapping[str, str], tones_url: str) -> str:
    """Return what one participant of a conference hears on top of it."""
    response = ET.Element("Response")
    if prompt in _TONES:
        ET.SubElement(response, "Play").text = f"{tones_url}/{_TONES[prompt]}.wav"
    else:
        _say(response, prompt, words)
    return _text(response)


# <Response><Dial action="https://calls…/twiml?leg=…"><Conference beep="false" waitUrl=""
#   participantLabel="leg_…" statusCallback="https://calls…/conference?…"
#   statusCallbackEvent="join leave announcement">callgate-call_…</Conference></Dial></Response>
def conference(
    name: str, *, label: str, muted: bool, events_url: str, twiml_url: str, tones_url: str
) -> str:
    """Return the way into a conference, where a leg stays until it ends or is called out."""
    response = ET.Element("Response")
    dial = ET.SubElement(response, "Dial", action=twiml_url, method="POST")
    room = ET.SubElement(
        dial,
        "Conference",
        startConferenceOnEnter="true",
        endConferenceOnExit="false",
        beep="false",
        muted="true" if muted else "false",
        waitUrl=f"{tones_url}/{HOLD_TONE}.wav",
        waitMethod="GET",
        maxParticipants=str(PARTICIPANTS_LIMIT),
        participantLabel=label,
        statusCallback=events_url,
        statusCallbackMethod="POST",
        statusCallbackEvent="join leave announcement",
    )
    room.text = name
    return _text(response)


def hang_up() -> str:
    """Return the end of a call that nobody wants."""
    response = ET.Element("Response")
    ET.SubElement(response, "Hangup")
    return _text(response)


def _say(parent: ET.Element, prompt: Prompt, words: Mapping[str, str]) -> None:
    filled = _SAID[prompt].format_map(_Words(words))
    ET.SubElement(parent, "Say").text = " ".join(filled.split())


def _redirect(parent: ET.Element, url: str) -> None:
    ET.SubElement(parent, "Redirect", method="POST").text = url


def _text(response: ET.Element) -> str:
    return ET.tostring(response, encoding="unicode")


class _Words(dict[str, str]):
    """Words of a prompt; one that is missing is left out."""

    def __missing__(self, key: str) -> str:
        return ""
