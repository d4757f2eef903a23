"""Datasets on disk: what a file carries beside its rows, and what is refused on reading."""

from __future__ import annotations

import errno
import os
from datetime import date

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from remediation.errors import DatasetError, KeyFileError, ShareError
from remediation.store import datasets
from remediation.tables import schemas
from remediation.tables.schemas import INSTANCES, SCHEMA_VERSION, STUDIES

KEY, OTHER = "0011223344556677", "8899aabbccddeeff"
ALL = {name: value for name, value in vars(schemas).items() if isinstance(value, pa.Schema)}
MAY_HAVE_STATISTICS = {"size", "mtime_ns", "state", "StudyDate", "Modality", "status"}
ROW = {
    "archive": "oost",
    "study_month": "2011-07",
    "path": "sealed:AAAA",
    "size": 5,
    "state": "read",
    "StudyInstanceUID": "1.2.3",
    "StudyDate": date(2011, 7, 4),
    "patient_token": "aa" * 16,
    "other_ids": [{"issuer": "X", "issuer_kind": "other", "token": "bb" * 16}],
    "name_tokens": ["cc" * 16],
}


def one(schema=INSTANCES, **changes):
    row = {name: value for name, value in (ROW | changes).items() if name in schema.names}
    return pa.Table.from_pylist([row], schema=schema)


def refused(call, *words, error=DatasetError):
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def read(path, schema=STUDIES, key=KEY):
    return datasets.read(path, schema, key, "remediation flag")


@pytest.fixture
def studies(tmp_path):
    datasets.write(tmp_path / "studies.parquet", one(STUDIES), KEY)
    return tmp_path / "studies.parquet"


@pytest.mark.parametrize("name", ALL)
def test_every_dataset_comes_back_with_its_descriptions(tmp_path, name):
    schema = ALL[name]
    table = schema.empty_table()
    datasets.write(tmp_path / "x.parquet", table, KEY)
    found = pq.read_schema(tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet", schema).schema.equals(schema)
    for field in found:
        assert field.metadata[b"description"] == schema.field(field.name).metadata[b"description"]
    assert found.metadata[b"schema_version"] == SCHEMA_VERSION.encode()
    assert found.metadata[b"key_id"] == KEY.encode()


@pytest.mark.parametrize("name", ALL)
def test_no_footer_tells_a_smallest_or_largest_value_that_could_identify(tmp_path, name):
    rows = {f.name: value for f in ALL[name] if (value := ROW.get(f.name)) is not None}
    table = pa.Table.from_pylist([rows, rows], schema=ALL[name])
    datasets.write(tmp_path / "x.parquet", table, KEY)
    footer = pq.ParquetFile(tmp_path / "x.parquet").metadata
    told = {
        column.path_in_schema
        for group in range(footer.num_row_groups)
        for n in range(footer.num_columns)
        if (column := footer.row_group(group).column(n)).is_stats_set
    }
    assert told <= MAY_HAVE_STATISTICS
    assert footer.row_group(0).column(0).compression == "ZSTD"
    if name == "INSTANCES":
        assert "size" in told, "statistics of what does not identify make queries fast"


def test_a_file_is_private_and_written_whole(studies):
    assert studies.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in studies.parent.iterdir()] == [studies.name]


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ShareError) as caught:
        datasets.write(tmp_path / "file" / "x.parquet", one(), KEY)
    assert "\n" not in str(caught.value)


def test_a_missing_dataset_names_the_command_that_makes_it(tmp_path):
    refused(lambda: read(tmp_path / "studies.parquet"), "studies.parquet", "remediation flag")


def test_a_dataset_of_another_key_is_refused(studies):
    refused(lambda: read(studies, key=OTHER), "another key", error=KeyFileError)


def test_a_dataset_of_another_schema_version_is_refused(tmp_path):
    older = STUDIES.with_metadata({"schema_version": "0"})
    datasets.write(tmp_path / "x.parquet", one(STUDIES).cast(older), KEY)
    refused(lambda: read(tmp_path / "x.parquet"), "schema version", "remediation flag")
    bare = one(STUDIES).replace_schema_metadata(None)
    pq.write_table(bare, tmp_path / "x.parquet")
    refused(lambda: read(tmp_path / "x.parquet"), "schema version")


def test_an_inventory_of_the_version_before_is_read_and_lacks_what_came_since(tmp_path):
    older = INSTANCES.remove(INSTANCES.get_field_index("container"))
    older = older.with_metadata({"schema_version": "1"})
    table = one().drop_columns(["container"]).cast(older)
    datasets.write_partition(tmp_path, table, "oost", "2011-07", KEY)
    put(tmp_path, "west", container="sealed:BBBB")
    rows = partitions(tmp_path).to_pylist()
    assert [(row["archive"], row["container"]) for row in rows] == [
        ("oost", None),
        ("west", "sealed:BBBB"),
    ]
    path = datasets.partition(tmp_path, "oost", "2011-07")
    part = datasets.read_part(path, INSTANCES, KEY, "remediation crawl")
    assert part.to_pylist() == rows[:1]


def test_a_dataset_without_one_of_its_columns_is_damaged(tmp_path):
    datasets.write(tmp_path / "x.parquet", one(STUDIES).drop_columns(["status"]), KEY)
    refused(lambda: read(tmp_path / "x.parquet"), "damaged")


def test_bytes_that_changed_are_noticed_and_never_read_as_another_row(studies):
    whole, right = studies.read_bytes(), read(studies).to_pylist()
    noticed = 0
    for at in range(0, len(whole), 7):
        studies.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            found = read(studies)
        except (DatasetError, KeyFileError):
            noticed += 1
            continue
        # What is left is in the footer: names of struct fields, hints, padding.
        assert [row["patient_token"] for row in found.to_pylist()] == [right[0]["patient_token"]]
    assert noticed > len(whole) / 14


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_dataset_that_breaks_off_is_damaged(studies, keep):
    studies.write_bytes(studies.read_bytes()[:keep])
    refused(lambda: read(studies), "damaged", "remediation flag")


# --- streams --------------------------------------------------------------------------------------


def stream(path, *tables, schema=STUDIES):
    with datasets.stream(path, schema, KEY) as put:
        for table in tables:
            put(table)


def test_a_stream_is_what_is_written_at_once_in_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "GROUP_ROWS", 4)
    days = [date(2011, 7, day) for day in range(1, 12)]
    tables = [one(STUDIES, StudyDate=day) for day in days]
    path = tmp_path / "new" / "x.parquet"
    stream(path, tables[0], pa.concat_tables(tables[1:10]), STUDIES.empty_table(), tables[10])
    assert read(path).equals(pa.concat_tables(tables))
    footer = pq.ParquetFile(path).metadata
    assert [footer.row_group(n).num_rows for n in range(footer.num_row_groups)] == [4, 4, 3]
    datasets.write(tmp_path / "y.parquet", pa.concat_tables(tables), KEY)
    whole = pq.ParquetFile(tmp_path / "y.parquet")
    assert pq.read_schema(path).equals(whole.schema_arrow, check_metadata=True)
    for n in range(footer.num_columns):
        told = [f.row_group(0).column(n) for f in (footer, whole.metadata)]
        assert len({(c.is_stats_set, c.compression) for c in told}) == 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_stream_of_nothing_is_an_empty_dataset(tmp_path):
    stream(tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet").equals(STUDIES.empty_table())


def test_after_an_error_a_stream_leaves_what_was_there(studies):
    before = studies.read_bytes()

    def fail():
        with datasets.stream(studies, STUDIES, KEY) as put:
            put(one(STUDIES))
            raise DatasetError("no more", "", "")

    refused(fail, "no more")
    assert studies.read_bytes() == before
    assert [path.name for path in studies.parent.iterdir()] == [studies.name]


def test_a_full_disk_ends_a_stream_with_one_clear_line(studies, monkeypatch):
    before = studies.read_bytes()

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    refused(lambda: stream(studies, one(STUDIES)), "No space left", error=ShareError)
    monkeypatch.undo()
    assert studies.read_bytes() == before
    assert [path.name for path in studies.parent.iterdir()] == [studies.name]


def test_rows_of_a_file_are_chosen_while_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "GROUP_ROWS", 2)
    rows = [one(STUDIES, StudyDate=date(2011, month, 1), archive="oost") for month in range(1, 8)]
    stream(tmp_path / "x.parquet", *rows)

    def chosen(where, key=KEY):
        found = datasets.read_rows(
            tmp_path / "x.parquet",
            STUDIES,
            key,
            "remediation flag",
            columns=("StudyDate", "archive"),
            where=where,
        )
        return [row["StudyDate"].month for row in found.to_pylist()]

    assert chosen(ds.field("StudyDate") >= date(2011, 6, 1)) == [6, 7]
    assert chosen((ds.field("archive") == "oost") & (ds.field("StudyDate") < date(2011, 2, 1))) == [
        1
    ]
    assert chosen(ds.field("archive") == "west") == []
    refused(lambda: chosen(None, OTHER), "another key", error=KeyFileError)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    refused(lambda: chosen(None), "damaged", "remediation flag")
    (tmp_path / "x.parquet").unlink()
    refused(lambda: chosen(None), "not there", "remediation flag")


# --- partitions -----------------------------------------------------------------------------------


def put(folder, archive="oost", month="2011-07", **changes):
    table = one(archive=archive, study_month=month, **changes)
    datasets.write_partition(folder, table, archive, month, KEY)


def partitions(folder, key=KEY, **more):
    return datasets.read_partitions(folder, INSTANCES, key, **more)


def test_partitions_come_back_with_the_columns_that_their_folders_say(tmp_path):
    put(tmp_path)
    put(tmp_path, "west", "unknown")
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet"))
    assert files == [
        "archive=oost/study_month=2011-07/part-0.parquet",
        "archive=west/study_month=unknown/part-0.parquet",
    ]
    stored = pq.read_schema(tmp_path / files[0]).names
    assert {"archive", "study_month"}.isdisjoint(stored), "not repeated in the files"
    table = partitions(tmp_path)
    assert table.schema.equals(INSTANCES)
    assert list(
        zip(table["archive"].to_pylist(), table["study_month"].to_pylist(), strict=True)
    ) == [
        ("oost", "2011-07"),
        ("west", "unknown"),
    ]
    assert table.slice(0, 1).to_pylist()[0] == {**dict.fromkeys(INSTANCES.names), **ROW}


def test_columns_and_rows_are_chosen_while_reading(tmp_path):
    put(tmp_path)
    put(tmp_path, "west", size=7)
    table = partitions(tmp_path, columns={"size", "archive"}, where=ds.field("archive") == "west")
    assert table.to_pylist() == [{"archive": "west", "size": 7}]


def test_nothing_yet_is_an_empty_table(tmp_path):
    assert partitions(tmp_path / "none").num_rows == 0
    assert partitions(tmp_path).schema.equals(INSTANCES)
    assert partitions(tmp_path, columns=["size"]).column_names == ["size"]


def test_a_month_without_rows_is_taken_away(tmp_path):
    put(tmp_path)
    for _ in range(2):
        datasets.write_partition(tmp_path, INSTANCES.empty_table(), "oost", "2011-07", KEY)
        assert list(tmp_path.rglob("*.parquet")) == []
    assert partitions(tmp_path).num_rows == 0


def test_one_file_of_another_key_or_damaged_among_many_is_refused(tmp_path):
    put(tmp_path)
    another = "another key", "crawl anew"
    refused(lambda: partitions(tmp_path, key=OTHER), *another, error=KeyFileError)
    put(tmp_path, "west")
    broken = datasets.partition(tmp_path, "west", "2011-07")
    whole = broken.read_bytes()
    for bad in (whole[:50], b"", whole[:8] + bytes(40) + whole[48:]):
        broken.write_bytes(bad)
        refused(lambda: partitions(tmp_path), "damaged", "crawl --fresh")
