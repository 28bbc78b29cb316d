import pytest

from call_core.numbering.written import Written, read


@pytest.mark.parametrize(
    ("text", "head", "digits", "marks", "extension"),
    [
        ("+1 616", "+1 616", "1616", "plus", ""),
        ("800-FLOWERS", "800-flowers", "8003569377", "letters", ""),
        ("2O2", "2o2", "262", "letters lookalike", ""),
        ("616#", "616", "616", "", ""),
        ("616 #12", "616", "616", "", "12"),
        ("callto:616", "616", "616", "", ""),
    ],
)
def test_a_written_number_is_taken_apart(
    text: str, head: str, digits: str, marks: str, extension: str
) -> None:
    """Head, plus, letters and extension are told apart."""
    flags = {mark: mark in marks for mark in ("plus", "letters", "lookalike")}
    assert read(text) == Written(head=head, digits=digits, extension=extension, **flags)


@pytest.mark.parametrize("text", ["mom", "", "6*7", "616@x.org", "+", "6+16", "\u00bd"])
def test_what_no_number_looks_like_is_not_read(text: str) -> None:
    """A text with foreign characters, or without a digit, is no number."""
    assert read(text) is None
