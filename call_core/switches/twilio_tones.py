"""The two tones that Twilio fetches from us, as WAV files made once (8 kHz, 16 bit, mono)."""

import io
import math
import struct
import wave
from functools import cache
from typing import Final

RATE_HZ: Final = 8_000
AMPLITUDE: Final = 6_000
_SHAPES: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    # (frequency, milliseconds); 0 Hz is silence
    "hold": ((425, 400), (0, 3_600)),
    "join": ((880, 150), (0, 50), (1_175, 200)),
}
NAMES: Final = frozenset(_SHAPES)


@cache
def tone(name: str) -> bytes:
    """Return one tone as the bytes of a WAV file."""
    samples = [
        round(AMPLITUDE * math.sin(2 * math.pi * frequency * n / RATE_HZ)) if frequency else 0
        for frequency, length_ms in _SHAPES[name]
        for n in range(RATE_HZ * length_ms // 1000)
    ]
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return made.getvalue()
