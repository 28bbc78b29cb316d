"""Call records as files that open right."""

import csv
import dataclasses
import io
import json
import zipfile
from pathlib import Path

import pytest

from call_core.contracts import Cdr
from gateway import exports

RECORD = Cdr(
    id="cdr_1",
    call_id="call_1",
    ref="4F7",
    party=1,
    attempt=1,
    leg="B",
    channel="smtp",
    request_id="req_1",
    user="=cmd()",
    from_number="+12125550123",
    to_number="+442079460018",
    destination="United Kingdom, London",
    prefix="4420",
    rate_id="standard/1/7",
    setup_call_ms=1_790_000_000_000,
    answer_call_ms=1_790_000_003_120,
    end_call_ms=1_790_000_043_120,
    end_estimated=False,
    duration_s=40,
    billable_s=60,
    price_micros_per_minute=14_000,
    connect_fee_micros=0,
    charge_micros=14_000,
    tax_micros=0,
    total_micros=14_000,
    currency="USD",
    buy_cost_micros=9_000,
    buy_currency="USD",
    billing_code="ACME-12",
    hangup_cause="normal clearing",
    hangup_by="B",
    switch="simulator",
    trunk="sim",
    explanation="60 s at 0.014",
)


def test_a_record_is_what_the_api_shows() -> None:
    """Money as decimal strings, times RFC 3339 UTC, names without units."""
    shown = exports.record(RECORD)
    assert list(shown) == exports.columns()
    assert (shown["from"], shown["to"]) == ("+12125550123", "+442079460018")
    assert (shown["price_per_minute"], shown["charge"]) == ("0.014", "0.014")
    assert shown["answer_at"] == "2026-09-21T14:13:23.120Z"
    assert shown["end_estimated"] is False
    unanswered = dataclasses.replace(RECORD, answer_call_ms=None)
    assert exports.record(unanswered)["answer_at"] is None


@pytest.mark.parametrize("milliseconds", range(0, 1000, 7))
def test_an_instant_loses_no_millisecond(milliseconds: int) -> None:
    """Every millisecond is written as it is, none is rounded away."""
    text = exports.rfc3339(1_790_000_003_000 + milliseconds)
    assert text == f"2026-09-21T14:13:23.{milliseconds:03}Z"


def test_csv_has_no_formula_and_numbers_stay_text() -> None:
    """Cells that begin like a formula get an apostrophe; amounts do not."""
    out = io.StringIO()
    assert exports.write_csv([RECORD], out) == 1
    out.seek(0)
    (row,) = csv.DictReader(out)
    assert row["user"] == "'=cmd()"
    assert row["to"] == "'+442079460018"
    assert row["charge"] == "0.014"


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+44", "'+44"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("-0.50", "-0.50"),
        ("plain", "plain"),
        (None, ""),
        (7, 7),
    ],
)
def test_no_cell_becomes_a_formula(value: object, safe: object) -> None:
    """Every sign that starts a formula is disarmed; a negative amount is a number."""
    assert exports.safe_cell(value) == safe


def test_json_is_one_object_a_line() -> None:
    """Each line is a record."""
    out = io.StringIO()
    assert exports.write_json([RECORD, RECORD], out) == 2
    assert [json.loads(line)["ref"] for line in out.getvalue().splitlines()] == ["4F7", "4F7"]


def test_excel_holds_text_and_no_formula(tmp_path: Path) -> None:
    """Telephone numbers are strings of the sheet, and nothing is a formula."""
    path = tmp_path / "cdrs.xlsx"
    assert exports.write_xlsx([RECORD], path) == 1
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "+442079460018" in sheet
    assert "<f>" not in sheet
    assert "44207946001" not in sheet.replace("+442079460018", "")


def test_an_export_of_nothing_still_has_its_columns(tmp_path: Path) -> None:
    """An empty file says what it would hold."""
    out = io.StringIO()
    assert exports.write_csv([], out) == 0
    assert out.getvalue().startswith("id,call_id,ref")
    assert exports.write_xlsx([], tmp_path / "none.xlsx") == 0


@pytest.mark.parametrize("place", ["no/such.xlsx", "/dev/full"])
def test_an_excel_file_that_cannot_be_written_is_an_error_of_the_system(
    tmp_path: Path, place: str
) -> None:
    """As with the other formats, where it cannot be made and where there is no room."""
    with pytest.raises(OSError, match=r"No such file|No space left"):
        exports.write_xlsx([RECORD], tmp_path / place)
