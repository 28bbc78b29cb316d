from call_core.numbering import NumberKind, NumberProblem, NumberProblemCode


def test_codes_are_their_own_catalogue_keys() -> None:
    """A code is stored and looked up as its value, which never changes with the class."""
    assert NumberProblem(NumberProblemCode.TOO_SHORT).code == "too_short"
    assert dict(NumberProblem(NumberProblemCode.TOO_SHORT).fields) == {}
    assert NumberKind("satellite") is NumberKind.SATELLITE
