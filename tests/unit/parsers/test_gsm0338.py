"""How many parts a text is sent in, and where it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit import gsm7
from parsers import gsm0338
from parsers.gsm0338 import Alphabet, segments

ASTRAL = "\U0001f600"


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "lengths"),
    [
        ("", Alphabet.GSM7, 0, [0]),
        ("a" * 160, Alphabet.GSM7, 160, [160]),
        ("a" * 161, Alphabet.GSM7, 161, [153, 8]),
        ("a" * 306, Alphabet.GSM7, 306, [153, 153]),
        ("a" * 307, Alphabet.GSM7, 307, [153, 153, 1]),
        ("\u20ac" * 80, Alphabet.GSM7, 160, [80]),
        ("\u20ac" * 81, Alphabet.GSM7, 162, [76, 5]),
        ("a" * 152 + "[" + "b" * 10, Alphabet.GSM7, 164, [152, 11]),
        ("\u044f" * 70, Alphabet.UCS2, 70, [70]),
        ("\u044f" * 71, Alphabet.UCS2, 71, [67, 4]),
        ("a" * 69 + "`", Alphabet.UCS2, 70, [70]),
        ("a" * 70 + "`", Alphabet.UCS2, 71, [67, 4]),
        (ASTRAL * 35, Alphabet.UCS2, 70, [35]),
        ("a" * 66 + ASTRAL * 3, Alphabet.UCS2, 72, [66, 3]),
    ],
)
def test_a_text_is_measured_and_cut(
    text: str, alphabet: Alphabet, units: int, lengths: list[int]
) -> None:
    """160 or 153 septets, 70 or 67 units; neither an escape nor a surrogate pair is parted."""
    found = segments(text)
    assert (found.alphabet, found.units) == (alphabet, units)
    assert [len(part) for part in found.parts] == lengths


@given(st.text(max_size=700))
def test_the_parts_are_the_text_and_each_fits(text: str) -> None:
    """Joined they are the text; none is empty or too long, and none could be joined to the next."""
    found = segments(text)
    assert "".join(found.parts) == text
    if len(found.parts) > 1:
        most = 153 if found.alphabet is Alphabet.GSM7 else 67
        sizes = [segments(part + "`" * (found.alphabet is Alphabet.UCS2)) for part in found.parts]
        assert all(found.parts)
        assert all(size.units - (size.alphabet is Alphabet.UCS2) <= most for size in sizes)


def test_the_alphabet_is_that_of_the_wording() -> None:
    """What the catalogue holds for one septet costs one here."""
    assert (gsm0338.BASIC, gsm0338.EXTENSION) == (gsm7.BASIC, gsm7.EXTENSION)
    assert len(gsm0338.BASIC) == 127
