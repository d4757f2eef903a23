"""Frames and workbooks: types that survive, cells that are never formulas."""

import io
from datetime import date

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.app.frames import Sheet, to_frame, workbook


def read_back(*sheets):
    return openpyxl.load_workbook(io.BytesIO(workbook(sheets)))


def test_integers_with_gaps_stay_integers_and_dates_dates():
    table = pa.table(
        {
            "studies": pa.array([3, None], pa.int64()),
            "day": pa.array([date(2011, 7, 1), None], pa.date32()),
            "late": pa.array([True, None], pa.bool_()),
        }
    )
    frame = to_frame(table)
    assert [str(kind) for kind in frame.dtypes][::2] == ["Int64", "boolean"]
    assert frame["day"][0] == date(2011, 7, 1)


def test_counts_shares_and_days_are_numbers_with_their_format():
    sheet = Sheet(
        "Dekking",
        (("bron", "text"), ("studies", "count"), ("dekking", "share"), ("begin", "day")),
        [("Zkh", 1200, 0.12345678, date(2011, 7, 1)), (None, 0, None, None)],
    )
    page = read_back(sheet)["Dekking"]
    assert page.freeze_panes == "A2"
    assert [cell.value for cell in page[1]] == ["bron", "studies", "dekking", "begin"]
    assert page["B2"].value == 1200
    assert page["C2"].value == 0.1235
    assert page["C2"].number_format == "0.0%"
    assert page["D2"].value.date() == date(2011, 7, 1)
    assert [cell.value for cell in page[3]] == [None, 0, None, None]


def test_a_sheet_without_rows_has_its_headings():
    page = read_back(Sheet("Leeg", (("bron", "text"),)))["Leeg"]
    assert (page.max_row, page["A1"].value) == (1, "bron")


def test_a_name_that_no_sheet_may_have_is_made_one():
    assert (
        read_back(Sheet("a/b[c]:*?" + "x" * 40, (("n", "count"),)))
        .sheetnames[0]
        .startswith("a b c")
    )


@given(st.text())
def test_any_text_is_a_cell_and_no_formula(text):
    page = read_back(Sheet("s", ((text or "x", "text"),), [(text,)]))["s"]
    for cell in (page["A1"], page["A2"]):
        assert cell.data_type != "f"
        assert not str(cell.value or "").startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_what_a_spreadsheet_would_run_is_quoted(sign):
    assert (
        read_back(Sheet("s", (("n", "text"),), [(f"{sign}1+1",)]))["s"]["A2"].value == f"'{sign}1+1"
    )
