"""Records as CSV: every value in its column, nothing that a spreadsheet would run."""

import csv
import io

import pytest

from channels.web.export import header, line, safe_cell
from tests.support.scripted_core import a_record


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("+442079460018", "+442079460018"),
        ("+1", "+1"),
        ("-0.50", "-0.50"),
        ("ACME", "ACME"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("+44 20", "'+44 20"),
        ("+4420794600181234", "'+4420794600181234"),
        ("-1+cmd", "'-1+cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    """Only telephone numbers and plain decimals may begin with a sign."""
    assert safe_cell(text) == cell


def test_a_record_fills_its_columns() -> None:
    """Money is decimals, times are UTC, numbers keep their plus."""
    (row,) = csv.DictReader(io.StringIO(header().removeprefix("\ufeff") + line(a_record())))
    assert row["to"] == "+442079460018"
    assert row["total"] == "0.04"
    assert row["setup_at"] == "2026-09-21T14:13:20Z"
    assert row["billing_code"] == "'=ACME+12"
    assert None not in row.values()
