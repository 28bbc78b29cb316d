"""Words that carriers swallow, thumbs confuse or text messages cannot carry."""

from itertools import combinations

import pytest

from parsers import verbs
from parsers.verbs import BARE_FORMS, CARRIER_WORDS, VERBS

_KEYPAD = {
    letter: key
    for key, letters in enumerate(
        ["abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"], start=2
    )
    for letter in letters
}
# The basic set of GSM 03.38: one character takes one place and forces no other coding.
_GSM_7 = (
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\u00c5\u00e5_"
    "\u00c6\u00e6\u00df\u00c9 !\"#\u00a4%&'()*+,-./0123456789:;<=>?"
    "\u00a1ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7"
    "\u00bfabcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0"
)
# Same keys on a predictive keypad. Accepted because what follows differs, so that the wrong word
# is refused and never does the other's work: `rate` takes a place, `save` a name and a number.
_ACCEPTED_COLLISIONS = {frozenset({"rate", "save"})}

_TAUGHT = [(verb.word, line) for verb in VERBS for line in (*verb.examples, verb.help)] + [
    ("", line) for form in BARE_FORMS for line in (*form.examples, form.help)
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.word)
def test_no_verb_is_a_carriers_word(verb: verbs.Verb) -> None:
    """What a carrier swallows is neither a verb nor a synonym; silent words are only those."""
    for word in (verb.word, *verb.synonyms):
        assert word.upper().replace(" ", "") not in CARRIER_WORDS
        assert verbs.carrier_command(word) is None
    assert {word.upper() for word in verb.silent} <= CARRIER_WORDS


@pytest.mark.parametrize(("word", "line"), _TAUGHT)
def test_no_text_teaches_a_carriers_word(word: str, line: str) -> None:
    """A word that a carrier swallows is never shown as something to write."""
    shown = {piece.strip(".,;:!?\"'").upper() for piece in line.split()}
    assert not shown & (CARRIER_WORDS - {"END"}), word
    assert "END" not in {piece for piece in line.split() if piece.isupper()}, word


@pytest.mark.parametrize(("word", "line"), _TAUGHT)
def test_examples_and_help_fit_a_text_message(word: str, line: str) -> None:
    """Every character is in the basic set of GSM 03.38."""
    assert not set(line) - set(_GSM_7), word


def test_no_two_verbs_share_their_keys_on_a_telephone() -> None:
    """Predictive text must not turn one command into another."""
    words = [verb.word for verb in VERBS if verb.word.isalpha()]
    keys = {word: [_KEYPAD[letter] for letter in word] for word in words}
    collisions = {
        frozenset(pair) for pair in combinations(words, 2) if keys[pair[0]] == keys[pair[1]]
    }
    assert collisions == _ACCEPTED_COLLISIONS


def test_every_word_means_one_thing() -> None:
    """No synonym or silent word belongs to two verbs."""
    words = [word for verb in VERBS for word in (verb.word, *verb.synonyms, *verb.silent)]
    assert len(words) == len(set(words))


def test_words_are_plain_lower_case_letters() -> None:
    """No homoglyph, no capital, nothing that a keypad lacks; `?` is the one sign."""
    for verb in VERBS:
        for word in (verb.word, *verb.synonyms, *verb.silent):
            assert word == "?" or (word.isascii() and word.replace(" ", "").islower()), word
