"""The alphabet of text messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit.gsm7 import BASIC, EXTENSION, is_gsm7, septet_length, transliterate


def test_the_alphabet_has_its_size() -> None:
    """127 characters of one septet (128 places less the escape), ten of two."""
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10


@pytest.mark.parametrize(
    ("text", "septets"),
    [("", 0), ("Call 4F7", 8), ("5 \u20ac", 4), ("[4F7]", 7), ("é", 1), ("a\nb", 3)],
)
def test_length_counts_septets(text: str, septets: int) -> None:
    """Characters of the extension table count twice."""
    assert is_gsm7(text)
    assert septet_length(text) == septets


@pytest.mark.parametrize("text", ["ł", "\u2013", "\u00bd", "Анна", "\u200b", "`"])
def test_what_is_outside_has_no_length(text: str) -> None:
    """A text outside the alphabet is refused, not counted wrongly."""
    assert not is_gsm7(text)
    with pytest.raises(ValueError, match="7-bit alphabet"):
        septet_length(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Žofia Łuczyńska", "Zofia Luczynska"),
        ("Анна Щукина", "Anna Shchukina"),
        ("Ёлка", "Elka"),
        ("Άννα Ωραία", "Anna Ωraia"),
        ("Straße, José, Ñandú", "Straße, José, Ñandu"),
        ("\u201cMom\u201d \u2013 \u2018x\u2019\u2026", "\"Mom\" - 'x'..."),
        ("\u00bd past", "1/2 past"),
        ("ﬁne", "fine"),
        ("a\u200bb\u202e", "ab"),
        ("北京", "??"),
        ("+44\u00a020", "+44 20"),
        ("Œuvre, Þór", "Oeuvre, Thor"),
        ("x \u00d7 y", "x x y"),
    ],
)
def test_names_stay_readable(text: str, plain: str) -> None:
    """Accents go, Cyrillic and Greek become Latin, signs plain, the rest a question mark."""
    assert transliterate(text) == plain


@given(st.text(max_size=40))
def test_every_text_can_be_sent(text: str) -> None:
    """Whatever comes in, what goes out is in the alphabet, and doing it twice changes nothing."""
    sent = transliterate(text)
    assert is_gsm7(sent)
    assert transliterate(sent) == sent
