"""Call records as files that open right: CSV, Excel and JSON lines of the same columns.

Telephone numbers stay text (Excel would make 4.4E+11 of them) and no cell can become a formula:
a text that begins like one gets an apostrophe in CSV and is written as a string in Excel.
"""

import csv
import dataclasses
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from call_core.contracts import Cdr
from call_core.money import format_amount

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AMOUNT = re.compile(r"-\d+(\.\d+)?")
_RENAMED = {"from_number": "from", "to_number": "to"}
_MONEY = "_micros"
_RATE = "_micros_per_minute"
_INSTANT = "_call_ms"


def record(cdr: Cdr) -> dict[str, Any]:
    """Return one record as the API shows it: money as decimal strings, times RFC 3339 UTC."""
    return dict(_cell(name, value) for name, value in _values(cdr))


def columns() -> list[str]:
    """Return the names of the columns, in order."""
    return [_name(field.name) for field in dataclasses.fields(Cdr)]


def write_csv(cdrs: Iterable[Cdr], out: IO[str]) -> int:
    """Write records as CSV; return how many."""
    writer = csv.writer(out)
    writer.writerow(columns())
    count = 0
    for cdr in cdrs:
        writer.writerow([safe_cell(value) for value in record(cdr).values()])
        count += 1
    return count


def write_json(cdrs: Iterable[Cdr], out: IO[str]) -> int:
    """Write records as one JSON object a line; return how many."""
    count = 0
    for cdr in cdrs:
        out.write(json.dumps(record(cdr), ensure_ascii=False) + "\n")
        count += 1
    return count


def write_xlsx(cdrs: Iterable[Cdr], path: Path) -> int:
    """Write records as an Excel sheet, every number of a telephone as text; return how many.

    Raises:
        OSError: the file cannot be written.
    """
    import xlsxwriter  # noqa: PLC0415  (a fifth of a second that only this format needs)
    from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415  (as above)

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    # A zip file that cannot be finished complains when it is forgotten; the temporary one can be.
    with path.open("wb") as out, tempfile.TemporaryFile() as made:
        try:
            with xlsxwriter.Workbook(made, options) as book:
                count = _fill(book, cdrs)
        except FileCreateError as error:
            (cause,) = error.args
            raise cause if isinstance(cause, OSError) else OSError(str(error)) from error
        made.seek(0)
        shutil.copyfileobj(made, out)
    return count


def safe_cell(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not _AMOUNT.fullmatch(value):
        return f"'{value}"
    return "" if value is None else value


def _fill(book: Any, cdrs: Iterable[Cdr]) -> int:  # noqa: ANN401  (xlsxwriter has no types)
    sheet = book.add_worksheet("Call records")
    bold = book.add_format({"bold": True})
    for column, name in enumerate(columns()):
        sheet.write_string(0, column, name, bold)
    sheet.freeze_panes(1, 0)
    count = 0
    for count, cdr in enumerate(cdrs, 1):
        for column, value in enumerate(record(cdr).values()):
            _write_cell(sheet, count, column, value)
    return count


def _write_cell(sheet: Any, row: int, column: int, value: object) -> None:  # noqa: ANN401  (as above)
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int():
            sheet.write_number(row, column, value)
        case _:
            sheet.write_string(row, column, str(value))


def _values(cdr: Cdr) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(cdr):
        yield field.name, getattr(cdr, field.name)


def _name(field: str) -> str:
    for ending, replaced in ((_RATE, "_per_minute"), (_MONEY, ""), (_INSTANT, "_at")):
        if field.endswith(ending):
            return field.removesuffix(ending) + replaced
    return _RENAMED.get(field, field)


def _cell(field: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401  (a field of a record)
    if value is None:
        return _name(field), None
    if field.endswith((_RATE, _MONEY)):
        return _name(field), format_amount(value)
    if field.endswith(_INSTANT):
        return _name(field), rfc3339(value)
    return _name(field), value


def rfc3339(at_ms: int) -> str:
    """Return an instant as `2026-11-23T14:05:09.120Z`."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
