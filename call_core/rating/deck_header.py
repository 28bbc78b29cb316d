"""The header of a deck file: which of its columns is which of ours.

Names are compared without regard to case, spaces and punctuation, so "Price per minute" is
`price_per_minute`. A carrier's own names are mapped (`prefix` -> `Dial Code`). Columns that are
not ours are ignored, except when the name looks like one of ours that is missing: a price list
whose `conect_fee` is ignored would be sold without the fee.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

REQUIRED_COLUMNS: Final = ("prefix", "destination", "price_per_minute")
OPTIONAL_COLUMNS: Final = (
    "connect_fee",
    "first_increment_s",
    "next_increment_s",
    "minimum_s",
    "effective_from",
    "effective_to",
    "days",
    "hours",
    "country_code",
    "status",
    "currency",
)
COLUMNS: Final = REQUIRED_COLUMNS + OPTIONAL_COLUMNS

LONG_NAME_CHARACTERS: Final = 8
"""Two wrong letters in a name longer than this still look like a misspelling; else one."""

_DELIMITERS: Final = ",;\t|"
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[^0-9a-z]+")


class HeaderError(ValueError):
    """The header cannot be used.

    Attributes:
        column: the name of ours that it is about.
        value: what the file or the mapping says instead.
    """

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value


@dataclass(frozen=True, slots=True)
class Header:
    """Where our columns are in the file.

    Attributes:
        positions: our column name -> index of its cell.
        width: cells of the header line.
        delimiter: what separates them.
    """

    positions: Mapping[str, int]
    width: int
    delimiter: str


def declared_delimiter(line: str) -> str | None:
    """Reads the `sep=;` line that one spreadsheet program writes before the header."""
    match = _SEPARATOR_LINE.fullmatch(line.strip(" \r\n"))
    return match[1] if match else None


def likely_delimiter(line: str) -> str:
    """Picks the delimiter that the header has most of; a comma when it has none."""
    return max(_DELIMITERS, key=line.count)


def read_header(names: Iterable[str], mapping: Mapping[str, str], delimiter: str) -> Header:
    """Finds our columns among the header's names.

    Args:
        names: the header's cells.
        mapping: our name -> the carrier's name; an empty carrier's name says that the file has
            no such column, whatever its other names look like.
        delimiter: kept in the answer.

    Raises:
        HeaderError: a required or mapped column is missing, two are the same, the mapping names
            a column that we do not know, or a name looks like a misspelling.
    """
    normalised = [_normalised(name) for name in names]
    positions: dict[str, int] = {}
    for column in [*mapping, *COLUMNS]:
        if column not in COLUMNS:
            raise HeaderError(column, mapping[column], f"We have no column {column}.")
        wanted = _normalised(mapping.get(column, column))
        count = normalised.count(wanted) if wanted else 0
        if count > 1:
            raise HeaderError(column, wanted, "Two columns of the file have this name.")
        if count == 1:
            positions[column] = normalised.index(wanted)
        elif column in REQUIRED_COLUMNS or mapping.get(column):
            raise HeaderError(column, ", ".join(normalised), f"The file has no column {wanted}.")
    unused = (name for index, name in enumerate(normalised) if index not in positions.values())
    _refuse_misspelt(unused, set(COLUMNS) - positions.keys() - mapping.keys())
    return Header(positions, len(normalised), delimiter)


def _normalised(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name.lower()).strip("_")


def _refuse_misspelt(names: Iterable[str], absent: Iterable[str]) -> None:
    columns = sorted(absent)
    for name in names:
        for column in columns:
            allowed = 2 if len(column) > LONG_NAME_CHARACTERS else 1
            if column in name or (name and _distance(name, column) <= allowed):
                raise HeaderError(
                    column,
                    name,
                    f"Is {name} the column {column}? Map {column} to it, or to nothing.",
                )


def _distance(one: str, other: str) -> int:
    """Counts the letters to add, drop or change to make one word of the other."""
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], index
        for column, wanted in enumerate(other, 1):
            changed = diagonal + (letter != wanted)
            diagonal = row[column]
            row[column] = min(changed, diagonal + 1, row[column - 1] + 1)
    return row[-1]
