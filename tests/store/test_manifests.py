"""Manifests on disk: read back as they were, or refused for a single byte."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediation.errors import ManifestError
from remediation.model.manifest import Manifest, to_json
from remediation.store import datasets
from remediation.store.manifests import head, load, newest, save
from remediation.tables.schemas import CORRECTIONS, REFUSALS

KEY = "0011223344556677"
PLAIN = Manifest(
    created="2026-11-23T01:00:00+00:00",
    expires="2027-02-21T01:00:00+00:00",
    author="Eerste Persoon",
    responsible="PACS-beheer",
    job="demo",
    placement={"target": "at-rest"},
    archives={"oost": "0a1b"},
    counts={"files": 2, "studies": 1, "refused": 1},
    in_place_statement="",
    key_id=KEY,
    tool_version="0.1.0",
)
EDIT = {"attribute": "PatientID", "action": "set", "value_source": "crosswalk", "token": "aa"}
ROW = {
    "archive": "oost",
    "path": "sealed:1",
    "StudyInstanceUID": "1.2",
    "SOPInstanceUID": "1.2.1",
    "size": 10,
    "mtime_ns": 5,
    "head_length": 6,
    "head_digest": "dd",
    "result_length": 8,
    "result_digest": "ee",
    "edits": [EDIT],
    "bsn_token": "aa",
    "local_issuer": "ZKH-OOST",
    "local_token": "bb",
    "rule": "absent to at-rest",
    "period_id": None,
}
ROWS = [ROW, ROW | {"path": "sealed:2", "SOPInstanceUID": "1.2.2"}]
REFUSED = [{"StudyInstanceUID": "1.3", "archive": "oost", "reason": "homonym", "instances": 1}]


def corrections(rows=ROWS):
    return pa.Table.from_pylist(rows, schema=CORRECTIONS)


def refusals(rows=REFUSED):
    return pa.Table.from_pylist(rows, schema=REFUSALS)


def kept(tmp_path, manifest=PLAIN, rows=ROWS):
    return save(
        tmp_path / "manifests", manifest, corrections(rows), refusals(), tmp_path / "job.toml"
    )


def again(stored):
    return load(stored.folder, CORRECTIONS, REFUSALS)


def altered(stored):
    with pytest.raises(ManifestError) as caught:
        again(stored)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 5


def test_a_manifest_comes_back_as_it_was_saved(tmp_path):
    stored = kept(tmp_path)
    found = again(stored)
    assert (found.manifest, found.raw) == (stored.manifest, stored.raw)
    assert found.corrections.to_pylist() == ROWS
    assert found.refusals.to_pylist() == REFUSED
    assert head(stored.folder) == stored.manifest
    assert stored.folder.name == stored.manifest.manifest_id == stored.manifest.digest[:16]


def test_it_names_the_job_file_relative_to_itself(tmp_path):
    stored = kept(tmp_path)
    assert not Path(stored.manifest.job_file).is_absolute()
    assert (stored.folder / stored.manifest.job_file).resolve() == tmp_path / "job.toml"


def test_a_manifest_can_be_moved(tmp_path):
    stored = kept(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = replace(stored, folder=tmp_path / "there" / "manifests" / stored.folder.name)
    assert again(moved).manifest == stored.manifest


def test_an_equal_manifest_is_left_as_it_is(tmp_path):
    stored = kept(tmp_path)
    (stored.folder / "approvals").mkdir()
    (stored.folder / "approvals" / "one.json").write_text("{}")
    before = {path: path.stat().st_mtime_ns for path in stored.folder.rglob("*")}
    same = kept(tmp_path, rows=ROWS[::-1])
    assert same.folder == stored.folder
    assert {path: path.stat().st_mtime_ns for path in stored.folder.rglob("*")} == before
    assert again(same).corrections.to_pylist() == ROWS


def test_another_content_is_another_manifest(tmp_path):
    assert kept(tmp_path, rows=ROWS[:1]).folder != kept(tmp_path).folder


def test_a_manifest_that_was_not_finished_is_written_again(tmp_path):
    stored = kept(tmp_path)
    (stored.folder / "manifest.json").unlink()
    (stored.folder / "corrections.parquet").write_bytes(b"half")
    altered(stored)
    assert again(kept(tmp_path)).manifest == stored.manifest


def test_an_altered_byte_of_manifest_json_is_noticed(tmp_path):
    """Every seventh byte; the tests of the model flip every one."""
    stored = kept(tmp_path)
    path = stored.folder / "manifest.json"
    for at in range(0, len(stored.raw), 7):
        other = bytes([stored.raw[at] ^ 1])
        path.write_bytes(stored.raw[:at] + other + stored.raw[at + 1 :])
        altered(stored)


CHANGES = {name: [] if name == "edits" else 11 if name in {"size", "mtime_ns", "head_length",
           "result_length"} else "other" for name in ROW}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_row_is_noticed(tmp_path, name):
    stored = kept(tmp_path)
    changed = corrections([ROW | {name: CHANGES[name]}, ROWS[1]])
    datasets.write(stored.folder / "corrections.parquet", changed, KEY)
    altered(stored)


@pytest.mark.parametrize(
    "rows", [ROWS[:1], [*ROWS, ROW], [*ROWS, ROW | {"path": "sealed:3"}], []], ids=range(4)
)
def test_a_row_more_or_less_is_noticed(tmp_path, rows):
    stored = kept(tmp_path)
    datasets.write(stored.folder / "corrections.parquet", corrections(rows), KEY)
    altered(stored)


def test_refusals_count_as_well(tmp_path):
    stored = kept(tmp_path)
    datasets.write(stored.folder / "refusals.parquet", refusals([]), KEY)
    altered(stored)
    datasets.write(stored.folder / "refusals.parquet", refusals(), KEY)
    again(stored)


def test_how_the_rows_are_encoded_does_not_matter(tmp_path):
    stored = kept(tmp_path)
    datasets.write(stored.folder / "corrections.parquet", corrections(ROWS[::-1]), KEY)
    assert again(stored).manifest == stored.manifest


LAYOUTS = [
    {"compression": "none"},
    {"compression": "snappy"},
    {"compression": "zstd", "compression_level": 19},
    {"row_group_size": 1},
    {"use_dictionary": True},
    {"use_dictionary": False, "data_page_size": 1},
    {"write_statistics": True},
    {"version": "1.0"},
    {"data_page_version": "2.0"},
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_another_parquet_encoding_of_the_same_rows_is_the_same_manifest(tmp_path, layout):
    stored = kept(tmp_path)
    for name in ("corrections", "refusals"):
        path = stored.folder / f"{name}.parquet"
        before, table = path.read_bytes(), pq.read_table(path)
        pq.write_table(table.take(list(range(table.num_rows))[::-1]), path, **layout)
        assert path.read_bytes() != before
    assert again(stored).manifest == stored.manifest


@given(
    order=st.permutations(range(len(ROWS))),
    groups=st.integers(1, 3),
    codec=st.sampled_from(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
    coded=st.booleans(),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_order_grouping_or_compression_changes_the_digest(
    tmp_path_factory, order, groups, codec, coded
):
    stored = kept(tmp_path_factory.mktemp("m"))
    path = stored.folder / "corrections.parquet"
    table = pq.read_table(path).take(list(order))
    pq.write_table(table, path, row_group_size=groups, compression=codec, use_dictionary=coded)
    found = again(stored)
    assert found.manifest == stored.manifest
    assert sorted(map(str, found.corrections.to_pylist())) == sorted(map(str, ROWS))


def test_a_mark_supersedes_whatever_it_says(tmp_path):
    stored = kept(tmp_path)
    newest(stored)
    for text in ("", "{}", "[]", '{"manifest_id": 7}', "\xff"):
        (stored.folder / "superseded.json").write_text(text)
        with pytest.raises(ManifestError, match="superseded") as caught:
            newest(stored)
        assert caught.value.exit_code == 5
    (stored.folder / "superseded.json").unlink()
    newest(stored)


def test_bytes_of_the_tables_that_changed_are_noticed_or_mean_nothing(tmp_path):
    stored = kept(tmp_path)
    path = stored.folder / "corrections.parquet"
    whole, noticed = path.read_bytes(), 0
    for at in range(0, len(whole), 13):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x04]) + whole[at + 1 :])
        try:
            found = again(stored)
        except ManifestError:
            noticed += 1
            continue
        assert found.corrections.to_pylist() == ROWS
    assert noticed > len(whole) / 26


@pytest.mark.parametrize("name", ["manifest.json", "corrections.parquet", "refusals.parquet"])
def test_a_missing_file_is_noticed(tmp_path, name):
    stored = kept(tmp_path)
    (stored.folder / name).unlink()
    altered(stored)


def test_no_folder_or_another_digest_is_no_manifest(tmp_path):
    stored = kept(tmp_path)
    altered(replace(stored, folder=tmp_path / "nowhere"))
    other = to_json(replace(stored.manifest, author="Iemand Anders"))
    (stored.folder / "manifest.json").write_bytes(other)
    assert json.loads(other)["digest"] == stored.manifest.digest
    altered(stored)
