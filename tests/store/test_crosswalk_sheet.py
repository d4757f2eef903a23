"""Scenarios for an export from Excel: cells count as what they show, or are refused."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from store.exports import COLUMNS, ONE, TWO, read, refused

MIDNIGHT = datetime(1950, 2, 3)  # noqa: DTZ001 - as Excel writes a date
HEADINGS = list(COLUMNS.values())
ROW = ["0012345", "OOST", ONE, "geverifieerd", "03-02-1950", "V", "Jansen", "A.B."]


@pytest.fixture
def book(tmp_path):
    """Return a function that writes a workbook of sheets (rows of values) and returns its path.

    A value may be a pair: the value and the cell's number format.
    """

    def write(*sheets, name="epd.xlsx", change=None):
        workbook = Workbook()
        workbook.remove(workbook.active)
        for rows in sheets:
            sheet = workbook.create_sheet()
            for y, row in enumerate(rows, 1):
                for x, value in enumerate(row, 1):
                    cell = sheet.cell(y, x)
                    cell.value, shown = value if isinstance(value, tuple) else (value, None)
                    cell.number_format = shown or cell.number_format
        if change:
            change(workbook)
        workbook.save(tmp_path / name)
        return tmp_path / name

    return write


def with_cell(key, value):
    """Return a sheet of one row of which one cell is another."""
    row = list(ROW)
    row[list(COLUMNS).index(key)] = value
    return [HEADINGS, row]


def test_a_row_becomes_an_entry_with_its_place(book):
    (entry,) = read(book([HEADINGS, ROW])).entries
    assert (entry.local_number, entry.bsn, entry.birth_date) == ("0012345", ONE, "19500203")
    assert (entry.sex, entry.family_names, entry.initials) == ("F", ("JANSEN",), "AB")
    assert entry.place == "epd.xlsx sheet 1 row 2"


@pytest.mark.parametrize(
    ("value", "shows"),
    [
        ("0012345", "0012345"),
        (12345, "12345"),
        (12345.0, "12345"),
        ((12345, "0000000"), "0012345"),
        ((12345, "0"), "12345"),
        ((12345, "#,##0"), "12345"),
        ((12345, "0.00"), "12345"),
        (("0012345", "0"), "0012345"),
        (999_999_999_999_999, "999999999999999"),
        (None, ""),
    ],
)
def test_a_number_counts_as_the_digits_that_its_cell_shows(book, value, shows):
    assert read(book(with_cell("local_number", value))).entries[0].local_number == shows


def test_a_bsn_that_lost_its_zero_has_it_back(book):
    assert read(book(with_cell("bsn", 12345678))).entries[0].bsn == "012345678"
    assert read(book(with_cell("bsn", (12345678, "000000000")))).entries[0].bsn == "012345678"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (12345.5, "fraction"),
        (-12345, "sign"),
        (10**15, "15 digits"),
        (1.2345e20, "15 digits"),
        ((12345, '"A"0000000'), "more than its digits"),
        ((12345, "000-00-000"), "more than its digits"),
        (date(1950, 2, 3), "a date where none belongs"),
        (time(3, 4), "neither text, number nor date"),
        (True, "neither text, number nor date"),
        ("=A2&B2", "formula"),
        ("#N/A", "error"),
    ],
)
@pytest.mark.parametrize("key", ["local_number", "bsn"])
def test_a_cell_that_may_not_be_what_was_meant_is_refused_with_its_place(book, key, value, why):
    message = refused(book(with_cell(key, value)))
    assert why in message
    assert f"sheet 1, cell {'ABC'[list(COLUMNS).index(key)]}2" in message


@pytest.mark.parametrize(
    "value",
    [
        date(1950, 2, 3),
        MIDNIGHT,
        MIDNIGHT.replace(hour=12),
        19500203,
        "1950-02-03",
        "03-02-1950",
        "19500203",
    ],
)
def test_dates_are_read_as_dates(book, value):
    assert read(book(with_cell("birth_date", value))).entries[0].birth_date == "19500203"


def test_dates_count_from_1904_where_the_workbook_says_so(book):
    def older(workbook):
        workbook.epoch = CALENDAR_MAC_1904

    path = book(with_cell("birth_date", date(1950, 2, 3)), change=older)
    assert read(path).entries[0].birth_date == "19500203"


def test_the_sheet_that_has_the_columns_is_read(book):
    rows = [["uitleg"], ["bij deze lijst"]]
    crosswalk = read(book(rows, [], [HEADINGS, ROW]))
    assert [entry.place for entry in crosswalk.entries] == ["epd.xlsx sheet 3 row 2"]


def test_blank_rows_before_and_between_do_no_harm(book):
    crosswalk = read(book([[], HEADINGS, [None] * 8, ROW, []]))
    assert [entry.place for entry in crosswalk.entries] == ["epd.xlsx sheet 1 row 4"]


def test_two_sheets_with_the_columns_are_refused(book):
    assert "several sheets" in refused(book([HEADINGS, ROW], [HEADINGS, ROW]))


def test_a_missing_column_and_one_that_is_there_twice_are_named(book):
    assert "'bsn_status'" in refused(book([["bsn" if h == "bsn_status" else h for h in HEADINGS]]))
    assert "'bsn'" in refused(book([[*HEADINGS, "bsn"], [*ROW, TWO]]))


def test_shifted_columns_are_refused_because_the_headings_are_not_where_they_were(book):
    assert "exactly one column" in refused(book([[None, *HEADINGS[1:]], [None, *ROW]]))


def test_a_formula_in_a_column_of_no_use_does_no_harm(book):
    assert len(read(book([[*HEADINGS, "extra"], [*ROW, "=1+1"]]))) == 1


@pytest.mark.parametrize("area", ["A2:A3", "B1:C1", "A3:H3"])
def test_merged_cells_are_refused(book, area):
    path = book([HEADINGS, ROW, ROW], change=lambda it: it.worksheets[0].merge_cells(area))
    message = refused(path)
    assert "merged cells" in message or "exactly one column" in message


def test_a_title_above_the_headings_is_refused_and_merged_cells_elsewhere_do_no_harm(book):
    path = book(
        [["Uitvoer"], HEADINGS, ROW], change=lambda it: it.worksheets[0].merge_cells("A1:H1")
    )
    assert "exactly one column" in refused(path)
    other = book(
        [HEADINGS, ROW], [["uitleg"]], change=lambda it: it.worksheets[1].merge_cells("A1:B1")
    )
    assert len(read(other)) == 1


@pytest.mark.parametrize("sheets", [[], [[]], [[HEADINGS]]])
def test_a_workbook_without_rows_is_refused(book, sheets):
    sheets = sheets or [[]]
    assert "no rows" in refused(book(*sheets))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 500])
def test_what_is_no_workbook_is_refused(tmp_path, content):
    path = tmp_path / "epd.xlsx"
    path.write_bytes(content)
    assert "no Excel workbook" in refused(path)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_workbook_with_a_damaged_part_is_refused(book, tmp_path, part):
    path = book([HEADINGS, ROW])
    damaged = tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[: len(data) // 2] if name == part else data)
    assert "no Excel workbook" in refused(damaged)


def test_a_sheet_that_lies_about_its_size_is_read_whole(book, tmp_path):
    path = book([HEADINGS, ROW])
    lying = tmp_path / "lying.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(lying, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'ref="A1:H2"', b'ref="A1"'))
    assert read(lying).entries[0].local_number == "0012345"


def test_an_old_excel_file_is_refused_whatever_its_name(tmp_path):
    for name in ("epd.xls", "epd.dat"):
        path = tmp_path / name
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
        assert "old Excel file" in refused(path)


def test_a_workbook_is_known_by_its_beginning(book):
    assert len(read(book([HEADINGS, ROW], name="epd.dat"))) == 1
