import pytest

from call_core.customers.names import (
    MAX_CANDIDATES,
    Ambiguous,
    Entry,
    Found,
    NotFound,
    fold,
    match_name,
)

BOB_SMITH = Entry("1", "Bob Smith")
BOB_STONE = Entry("2", "Bob Stone")
MOM = Entry("3", "Mom")
OFFICE = Entry("4", "Office")
COMPANY_OFFICE = Entry("5", "office", own=False)
JOSE = Entry("6", "José Núñez")
MOMENT = Entry("7", "Moment Hotel")
ALL = (BOB_SMITH, BOB_STONE, MOM, OFFICE, COMPANY_OFFICE, JOSE, MOMENT)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("mom", MOM),
        ("MOM", MOM),
        ("  Mom ", MOM),
        ("jose nunez", JOSE),
        ("José", JOSE),
        ("bob sm", BOB_SMITH),
        ("b sto", BOB_STONE),
        ("smith", BOB_SMITH),
        ("office", OFFICE),
        ("mome", MOMENT),
        ("bob-smith", BOB_SMITH),
    ],
)
def test_a_name_finds_its_entry(text: str, entry: Entry) -> None:
    """Exact names win over longer ones, own entries over the company's; case does not matter."""
    assert match_name(text, ALL) == Found(entry)


def test_the_companys_entry_is_found_when_there_is_no_own() -> None:
    """A company entry serves who has none of that name."""
    assert match_name("office", (MOM, COMPANY_OFFICE)) == Found(COMPANY_OFFICE)


def test_several_are_a_question_in_the_order_of_names() -> None:
    """Both Bobs are offered, the same way every time."""
    assert match_name("bob", tuple(reversed(ALL))) == Ambiguous((BOB_SMITH, BOB_STONE))


@pytest.mark.parametrize(("count", "more"), [(MAX_CANDIDATES, False), (MAX_CANDIDATES + 1, True)])
def test_no_more_candidates_than_one_digit_can_pick(
    count: int,
    more: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """Nine are offered; with a tenth the answer says that there are more."""
    entries = [Entry(str(n), f"Bob {n:02}") for n in range(count)]
    assert match_name("bob", entries) == Ambiguous(tuple(entries[:MAX_CANDIDATES]), more=more)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("offcie", "Office"), ("zzz", ""), ("", ""), ("...", ""), ("smith bob", "")],
)
def test_an_unknown_name_gets_the_closest(text: str, suggestion: str) -> None:
    """A typo is answered with the name that was probably meant, never called."""
    assert match_name(text, ALL[:4]) == NotFound(suggestion)


def test_words_are_not_used_twice() -> None:
    """`b b` needs two words that begin with b."""
    assert match_name("smith smith", (BOB_SMITH,)) == NotFound()
    assert match_name("b b", (Entry("8", "Bob Barker"),)) == Found(Entry("8", "Bob Barker"))


@pytest.mark.parametrize(
    ("text", "folded"), [("  José  Núñez ", "jose nunez"), ("St. John-Smythe", "st john smythe")]
)
def test_fold(text: str, folded: str) -> None:
    """Names are compared without case, accents, dots and hyphens."""
    assert fold(text) == folded
