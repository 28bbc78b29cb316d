import pytest

from call_core.numbering import E164, Home, NumberKind, NumberProblem, NumberProblemCode, normalise
from call_core.outcomes import Phone

US, GB, NOWHERE = Home("US"), Home("GB"), Home("")
Code = NumberProblemCode


@pytest.mark.parametrize(
    ("text", "home", "digits", "extension"),
    [
        ("616 977 9933", US, "+16169779933", ""),
        ("(616) 977-9933", US, "+16169779933", ""),
        ("616.977/9933", US, "+16169779933", ""),
        ("1 616 977 9933", US, "+16169779933", ""),
        ("+1 (616) 977-9933", NOWHERE, "+16169779933", ""),
        ("6169779933#", US, "+16169779933", ""),
        ("tel:+1-616-977-9933;ext=7", GB, "+16169779933", "7"),
        ("tel:+1-616-977-9933;phone-context=x", GB, "+16169779933", ""),
        ("616 977 9933 x12", US, "+16169779933", "12"),
        ("616 977 9933 ext. 12", US, "+16169779933", "12"),
        ("616 977 9933 extension: 12", US, "+16169779933", "12"),
        ("616 977 9933,,12#", US, "+16169779933", ",,12#"),
        ("616 977 9933p12w3", US, "+16169779933", ",12,3"),
        ("616 977 9933 ; 12", US, "+16169779933", ",12"),
        ("1-800-FLOWERS", US, "+18003569377", ""),
        ("1-800-FLOWERS x12", US, "+18003569377", "12"),
        ("977 9933", Home("US", "616"), "+16169779933", ""),
        ("7946 0018", Home("GB", "20"), "+442079460018", ""),
        ("020 7946 0018", GB, "+442079460018", ""),
        ("+44 (0)20 7946 0018", US, "+442079460018", ""),
        ("+49 (0)30 123456", US, "+4930123456", ""),
        ("+34 (0)91 123 45 67", US, "+34911234567", ""),
        ("011 44 20 7946 0018", US, "+442079460018", ""),
        ("0044 20 7946 0018", GB, "+442079460018", ""),
        ("0011 44 20 7946 0018", Home("AU"), "+442079460018", ""),
        ("8~10 1 212 555 0100", Home("RU"), "+12125550100", ""),
        ("02 1234 5678", Home("IT"), "+390212345678", ""),
        ("+39 02 1234 5678", US, "+390212345678", ""),
        ("٦١٦ ٩٧٧ ٩٩٣٣", US, "+16169779933", ""),
        ("6\ufe0f\u20e316 977 9933", US, "+16169779933", ""),
        ("\u202a+44 20 7946 0018\u202c", US, "+442079460018", ""),
        ("+44\u201320\u20137946\u20130018", US, "+442079460018", ""),
        ("011 871 773111632", US, "+871773111632", ""),
    ],
)
def test_human_forms_are_read(text: str, home: Home, digits: str, extension: str) -> None:
    """Whatever people write for a valid number becomes its one E.164 form and its extension."""
    number = normalise(text, home)
    assert isinstance(number, E164), number
    assert (number.digits, number.extension) == (digits, extension)


@pytest.mark.parametrize(
    ("text", "region", "country_code", "kind"),
    [
        ("+16169779933", "US", 1, NumberKind.FIXED_OR_MOBILE),
        ("+18765551234", "JM", 1, NumberKind.MOBILE),
        ("+18095551234", "DO", 1, NumberKind.FIXED_OR_MOBILE),
        ("+442079460018", "GB", 44, NumberKind.GEOGRAPHIC),
        ("+447400123456", "GB", 44, NumberKind.MOBILE),
        ("+18003569377", "US", 1, NumberKind.TOLL_FREE),
        ("+19005551234", "US", 1, NumberKind.PREMIUM),
        ("+12129761234", "US", 1, NumberKind.PREMIUM),
        ("+80812345678", "001", 808, NumberKind.SHARED_COST),
        ("+447012345678", "GB", 44, NumberKind.PERSONAL),
        ("+445612345678", "GB", 44, NumberKind.VOIP),
        ("+447640123456", "GB", 44, NumberKind.PAGER),
        ("+445512345678", "GB", 44, NumberKind.UAN),
        ("+870773111632", "001", 870, NumberKind.SATELLITE),
        ("+871773111632", "001", 871, NumberKind.SATELLITE),
        ("+8741234567", "001", 874, NumberKind.SATELLITE),
        ("+881612345678", "001", 881, NumberKind.SATELLITE),
        ("+88216212345678", "001", 882, NumberKind.INTERNATIONAL_NETWORK),
        ("+883510000000094", "001", 883, NumberKind.INTERNATIONAL_NETWORK),
        ("+979123456789", "001", 979, NumberKind.INTERNATIONAL_PREMIUM),
        ("+878101234567890", "001", 878, NumberKind.UPT),
    ],
)
def test_region_and_kind(text: str, region: str, country_code: int, kind: NumberKind) -> None:
    """A number's country is its region, never its calling code, and dear kinds are known."""
    number = normalise(text, US)
    assert number == E164(text, "", country_code, region, kind)


@pytest.mark.parametrize(
    ("text", "home", "code"),
    [
        ("mom", US, Code.NOT_A_NUMBER),
        ("", US, Code.NOT_A_NUMBER),
        ("*69", US, Code.NOT_A_NUMBER),
        ("616 977 99a3", US, Code.NOT_A_NUMBER),
        ("616 977 9933 & 1", US, Code.NOT_A_NUMBER),
        ("1" * 81, US, Code.NOT_A_NUMBER),
        ("1" * 80, US, Code.TOO_LONG),
        ("112", US, Code.TOO_SHORT),
        ("1", US, Code.TOO_SHORT),
        ("+1616977993312345", US, Code.TOO_LONG),
        ("999 999 9999", US, Code.INVALID_FOR_COUNTRY),
        ("+999 123 4567", US, Code.UNKNOWN_COUNTRY_CODE),
        ("1234567", NOWHERE, Code.UNKNOWN_COUNTRY_CODE),
        ("977 9933", US, Code.SEVEN_DIGITS_NEED_AREA_CODE),
        ("6I6 977 99O3", US, Code.LOOKALIKE_DIGITS),
        ("00 44 20 7946 0018", US, Code.WRONG_INTERNATIONAL_PREFIX),
        ("011 44 20 7946 0018", GB, Code.WRONG_INTERNATIONAL_PREFIX),
        ("+0044 20 7946 0018", US, Code.WRONG_INTERNATIONAL_PREFIX),
        ("442079460018", US, Code.MISSING_PLUS),
        ("616 977 9933 x" + "1" * 21, US, Code.EXTENSION_TOO_LONG),
        ("871 773111632", US, Code.TOO_LONG),
        ("+875 1234567", US, Code.UNKNOWN_COUNTRY_CODE),
        ("012", Home("GB", "20"), Code.TOO_SHORT),
        ("116117", Home("DE", "30"), Code.INVALID_FOR_COUNTRY),
        ("11833", Home("DE", "30"), Code.INVALID_FOR_COUNTRY),
        ("1515", Home("IT", "06"), Code.TOO_SHORT),
        ("12345", Home("CN", "10"), Code.SEVEN_DIGITS_NEED_AREA_CODE),
        ("+44 999 999 9999", US, Code.INVALID_FOR_COUNTRY),
    ],
)
def test_what_cannot_be_rung_says_why(text: str, home: Home, code: NumberProblemCode) -> None:
    """Each unusable text has its own reason and always a correct example."""
    problem = normalise(text, home)
    assert isinstance(problem, NumberProblem)
    assert problem.code is code
    assert problem.fields["example"]
    assert problem.fields["text"] == text[:40]


def test_extension_of_the_longest_length_is_read() -> None:
    """Twenty digits after the number are still sent."""
    number = normalise("616 977 9933 x" + "1" * 20, US)
    assert isinstance(number, E164)
    assert number.extension == "1" * 20


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("00 44 20 7946 0018 x5", "suggestion", Phone("+442079460018", "5")),
        ("00 44 20 7946 0018", "prefix", "011"),
        ("442079460018", "suggestion", Phone("+442079460018")),
        ("2O2 555 OlOO", "read_as", "202 555 0100"),
        ("112", "example", "(201) 555-0123"),
        ("+44 20 7946", "country", "United Kingdom"),
        ("+44 20 7946", "example", "0121 234 5678"),
    ],
)
def test_problem_fields_help(text: str, field: str, value: object) -> None:
    """A problem carries what was meant, or the right example for the country."""
    problem = normalise(text, US)
    assert isinstance(problem, NumberProblem)
    assert problem.fields[field] == value


def test_without_a_home_country_the_example_is_international() -> None:
    """Where the country is unknown, the example begins with a plus."""
    problem = normalise("hello", NOWHERE)
    assert isinstance(problem, NumberProblem)
    assert problem.fields["example"] == "+44 20 7946 0018"
