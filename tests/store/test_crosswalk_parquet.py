"""Scenarios for an export as Parquet: text, whole numbers and dates; nothing that is rounded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store.exports import COLUMNS, ONE, TWO, read, refused

ROW = ["0012345", "OOST", ONE, "geverifieerd", "1950-02-03", "V", "Jansen", "AB"]
DAY = dt.date(1950, 2, 3)
MIDNIGHT = dt.datetime(1950, 2, 3)  # noqa: DTZ001 - as databases write a date


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table of one row, some columns of which are others."""

    def write(name="epd.parquet", **other):
        columns = dict(zip(COLUMNS, ([cell] for cell in ROW), strict=True)) | other
        data = {COLUMNS[key]: pa.array(column) for key, column in columns.items()}
        pq.write_table(pa.table(data), tmp_path / name)
        return tmp_path / name

    return write


def test_a_row_becomes_an_entry_with_its_place(table):
    (entry,) = read(table()).entries
    assert (entry.local_number, entry.bsn, entry.birth_date) == ("0012345", ONE, "19500203")
    assert entry.place == "epd.parquet row 1"


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
)
def test_text_of_every_kind_is_text(table, kind):
    path = table(local_number=pa.array(["0012345"], pa.string()).cast(kind))
    assert read(path).entries[0].local_number == "0012345"


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.uint64()])
def test_whole_numbers_are_their_digits(table, kind):
    path = table(
        local_number=pa.array([12345], kind),
        bsn=pa.array([12345678], kind),
    )
    (entry,) = read(path).entries
    assert (entry.local_number, entry.bsn) == ("12345", "012345678")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([DAY], pa.date32()),
        pa.array([DAY], pa.date64()),
        pa.array([MIDNIGHT + dt.timedelta(hours=23)], pa.timestamp("ns")),
        pa.array([MIDNIGHT], pa.timestamp("s")),
        pa.array([19500203], pa.int32()),
        ["03-02-1950"],
    ],
)
def test_dates_are_read_as_dates(table, column):
    assert read(table(birth_date=column)).entries[0].birth_date == "19500203"


def test_missing_values_are_empty(table):
    (entry,) = read(table(bsn=pa.nulls(1), birth_date=pa.nulls(1, pa.date32()))).entries
    assert (entry.bsn, entry.birth_date) == ("", "")


@pytest.mark.parametrize(
    "column",
    [
        [12345.0],
        [True],
        [Decimal(12345)],
        [b"12345"],
        [["12345"]],
        [{"a": "12345"}],
        pa.array([DAY], pa.date32()),
        pa.array([MIDNIGHT], pa.timestamp("us")),
        pa.array([3], pa.duration("s")),
    ],
)
def test_another_type_for_a_number_is_refused_with_column_and_type(table, column):
    message = refused(table(local_number=column))
    assert "another type than text: 'patientnr' (" in message


def test_a_moment_with_a_time_zone_is_no_birth_date(table):
    moment = pa.array([MIDNIGHT - dt.timedelta(hours=1)], pa.timestamp("us", "UTC"))
    assert "'geboren' (timestamp[us, tz=UTC])" in refused(table(birth_date=moment))


def test_a_missing_column_is_named(table):
    assert "'wid'" in refused(table(), columns=COLUMNS | {"validation": "wid"})


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    names = [*COLUMNS.values(), "bsn"]
    data = pa.Table.from_arrays([pa.array([cell]) for cell in (*ROW, TWO)], names=names)
    pq.write_table(data, tmp_path / "epd.parquet")
    assert "'bsn'" in refused(tmp_path / "epd.parquet")


def test_columns_of_no_use_are_not_read(tmp_path):
    names = [*COLUMNS.values(), "extra"]
    data = pa.Table.from_arrays([*(pa.array([cell]) for cell in ROW), pa.array([1.5])], names=names)
    pq.write_table(data, tmp_path / "epd.parquet")
    assert len(read(tmp_path / "epd.parquet")) == 1


def test_rows_keep_their_number_over_batches(tmp_path):
    count = 40_000
    columns = {
        name: pa.array([cell] * count) for name, cell in zip(COLUMNS.values(), ROW, strict=True)
    }
    columns["patientnr"] = pa.array([str(n) for n in range(count)])
    pq.write_table(pa.table(columns), tmp_path / "epd.parquet", row_group_size=15_000)
    crosswalk = read(tmp_path / "epd.parquet")
    assert len(crosswalk) == count
    assert crosswalk.by_local("OOST", "39999")[0].place == "epd.parquet row 40000"


def test_a_table_without_rows_is_refused(table):
    empty = {key: pa.array([], pa.string()) for key in COLUMNS}
    assert "no rows" in refused(table(**empty))


@pytest.mark.parametrize("cut", [0, 3, 4, -4, -40])
def test_a_file_that_is_cut_off_is_refused(table, cut):
    path = table()
    path.write_bytes(path.read_bytes()[:cut] if cut else b"")
    assert "no Parquet file" in refused(path)


def test_a_damaged_page_is_refused_and_not_quoted(table):
    path = table()
    data = bytearray(path.read_bytes())
    data[4:40] = bytes(b ^ 0xFF for b in data[4:40])
    path.write_bytes(data)
    assert "no Parquet file" in refused(path)


def test_a_table_is_known_by_its_beginning(table):
    assert len(read(table("epd.dat"))) == 1
