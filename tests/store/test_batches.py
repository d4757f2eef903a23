"""Batches: every row once, whole months together, and the files of a study never apart."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.errors import DatasetError, KeyFileError
from remediation.store import datasets
from remediation.store.batches import Batches
from remediation.store.inventory import Inventory
from remediation.tables.schemas import FINDINGS, INSTANCES, INVENTORY

KEY, OTHER = "0011223344556677", "8899aabbccddeeff"
COLUMNS = ("archive", "study_month", "path", "StudyInstanceUID", "Modality")
FOUND = ("archive", "path", "bsn_token")
MONTHS = ["2010-12", "2011-01", "2011-02", "unknown"]

FILES = st.lists(
    st.tuples(st.sampled_from(["oost", "west"]), st.sampled_from(MONTHS), st.sampled_from("ABCD")),
    max_size=25,
)


def inventory(folder, files, key=KEY, parts=1):
    """Write files of (archive, month, study); each has a finding. Months are of some parts."""
    rows = [
        {
            "archive": a,
            "study_month": m,
            "path": f"p{n:02}",
            "StudyInstanceUID": s,
            "Modality": "CT",
        }
        for n, (a, m, s) in enumerate(files)
    ]
    for archive, month in {(row["archive"], row["study_month"]) for row in rows}:
        own = [r for r in rows if (r["archive"], r["study_month"]) == (archive, month)]
        for number in range(parts):
            some = own[number::parts]
            found = [row | {"bsn_token": f"of {row['path']}"} for row in some]
            for name, schema, lines in (
                ("instances", INSTANCES, some),
                ("findings", FINDINGS, found),
            ):
                table = pa.Table.from_pylist(lines, schema=schema)
                to = folder / "inventory" / name
                datasets.write_partition(to, table, archive, month, key, number=number)
    return Inventory(folder, KEY, INVENTORY)


def gone_over(made, most):
    pairs = Batches.of(made, most).whole_studies(COLUMNS, FOUND)
    return [(rows.to_pylist(), found.to_pylist()) for rows, found in pairs]


@settings(max_examples=60, deadline=None)
@given(files=FILES, most=st.integers(1, 12), parts=st.integers(1, 3))
def test_each_file_comes_once_and_studies_come_whole_with_their_findings(
    tmp_path_factory, files, most, parts
):
    made = inventory(tmp_path_factory.mktemp("made"), files, parts=parts)
    batches = gone_over(made, most)
    told = [(r["archive"], r["study_month"], r["StudyInstanceUID"]) for b, _ in batches for r in b]
    assert sorted(told) == sorted(files)
    where = [{(row["archive"], row["StudyInstanceUID"]) for row in rows} for rows, _ in batches]
    assert sum(map(len, where)) == len(set().union(*where)), "no study in two batches"
    for rows, found in batches:
        paths = {one["path"] for one in found}
        assert {row["path"] for row in rows} <= paths
        assert all(one["bsn_token"] == f"of {one['path']}" for one in found)
    again = gone_over(Inventory(made.output, KEY, INVENTORY), most)
    assert again == batches


@settings(max_examples=60, deadline=None)
@given(files=FILES, most=st.integers(1, 12))
def test_batches_are_whole_months_of_one_archive_and_no_larger_than_they_must_be(
    tmp_path_factory, files, most
):
    made = inventory(tmp_path_factory.mktemp("made"), files)
    batches = Batches.of(made, most)
    months = [(one.archive, month) for one in batches.all for month in one.months]
    assert months == sorted({(archive, month) for archive, month, _ in files})
    for one in batches.all:
        rows = batches.read("instances", one, COLUMNS).num_rows
        assert rows <= most or len(one.months) == 1


def test_studies_that_lie_in_one_batch_are_in_its_place_and_others_last(tmp_path):
    files = [("oost", "2011-01", "A"), ("oost", "2011-01", "B"), ("oost", "unknown", "A")]
    one_by_one = gone_over(inventory(tmp_path, files), 1)
    assert [[row["StudyInstanceUID"] for row in rows] for rows, _ in one_by_one] == [
        ["B"],
        [],
        ["A", "A"],
    ]
    (everything,) = gone_over(inventory(tmp_path, files), 3)
    assert [row["StudyInstanceUID"] for row in everything[0]] == ["A", "B", "A"]


def test_the_same_study_in_two_archives_is_two_studies(tmp_path):
    files = [("oost", "2011-01", "A"), ("west", "2011-01", "A")]
    assert [len(rows) for rows, _ in gone_over(inventory(tmp_path, files), 1)] == [1, 1]


def test_rows_that_are_not_wanted_are_left_out_of_what_is_set_aside_too(tmp_path):
    files = [("oost", "2011-01", "A"), ("oost", "unknown", "A")]
    batches = Batches.of(inventory(tmp_path, files), 1)
    pairs = batches.whole_studies(COLUMNS, FOUND, lambda rows: rows.slice(0, 0))
    assert sum(rows.num_rows for rows, _ in pairs) == 0


def test_text_that_repeats_comes_as_dictionaries_and_paths_do_not(tmp_path):
    batches = Batches.of(inventory(tmp_path, [("oost", "2011-01", "A")]))
    rows = batches.read("instances", batches.all[0], COLUMNS)
    kinds = {field.name: pa.types.is_dictionary(field.type) for field in rows.schema}
    assert kinds == dict.fromkeys(COLUMNS, True) | {"path": False}


def test_an_empty_inventory_has_no_batches(tmp_path):
    assert Batches.of(inventory(tmp_path, [])).all == ()


def test_files_of_another_key_or_damaged_are_refused(tmp_path):
    files = [("oost", "2011-01", "A")]
    other = inventory(tmp_path / "other", files, key=OTHER)
    with pytest.raises(KeyFileError, match="another key"):
        gone_over(other, 1)
    made = inventory(tmp_path / "made", files)
    part = next((made.folder / "findings").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:50])
    with pytest.raises(DatasetError, match="damaged"):
        gone_over(made, 1)
