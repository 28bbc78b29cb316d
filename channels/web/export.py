"""Records as CSV (RFC 4180) that opens right in a spreadsheet. Pure.

Every cell is quoted. A cell that a spreadsheet would run as a formula gets an apostrophe in front;
telephone numbers in E.164 keep their plus and their digits, as text.
"""

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from call_core.contracts import Cdr
from call_core.money import format_amount

_BYTE_ORDER_MARK = "\ufeff"  # spreadsheets take a file without it for the local 8-bit alphabet
_E164 = re.compile(r"\+[0-9]{1,15}")
_DECIMAL = re.compile(r"-[0-9]+(?:\.[0-9]+)?")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")

COLUMNS = (
    "ref",
    "party",
    "attempt",
    "leg",
    "user",
    "channel",
    "from",
    "to",
    "destination",
    "setup_at",
    "answer_at",
    "end_at",
    "duration_s",
    "billable_s",
    "price_per_minute",
    "charge",
    "tax",
    "total",
    "currency",
    "billing_code",
    "hangup_cause",
    "hangup_by",
    "explanation",
    "id",
)


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula; numbers stay as they are."""
    harmless = _E164.fullmatch(text) or _DECIMAL.fullmatch(text)
    if harmless or not text.startswith(_FORMULA_STARTS):
        return text
    return f"'{text}"


def header() -> str:
    """Return the first line of the file."""
    return _BYTE_ORDER_MARK + _row(COLUMNS)


def line(record: Cdr) -> str:
    """Return one record as a line of the file; money as decimals, times RFC 3339 in UTC."""
    texts = (
        record.ref,
        str(record.party),
        str(record.attempt),
        record.leg,
        record.user,
        record.channel,
        record.from_number,
        record.to_number,
        record.destination,
        _instant(record.setup_call_ms),
        _instant(record.answer_call_ms),
        _instant(record.end_call_ms),
        str(record.duration_s),
        str(record.billable_s),
        format_amount(record.price_micros_per_minute),
        format_amount(record.charge_micros),
        format_amount(record.tax_micros),
        format_amount(record.total_micros),
        record.currency,
        record.billing_code,
        record.hangup_cause,
        record.hangup_by,
        record.explanation,
        record.id,
    )
    return _row([safe_cell(text) for text in texts])


def _instant(at_ms: int | None) -> str:
    if at_ms is None:
        return ""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _row(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
