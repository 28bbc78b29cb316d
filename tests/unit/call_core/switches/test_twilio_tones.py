"""The tones are WAV files that any player takes."""

import io
import wave

import pytest

from call_core.switches.twilio_tones import NAMES, RATE_HZ, tone


@pytest.mark.parametrize(("name", "length_ms"), [("hold", 4_000), ("join", 400)])
def test_a_tone_has_its_length(name: str, length_ms: int) -> None:
    """One channel at telephone quality, made once."""
    assert name in NAMES
    with wave.open(io.BytesIO(tone(name))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        assert file.getnframes() * 1000 // RATE_HZ == length_ms
    assert tone(name) is tone(name)
