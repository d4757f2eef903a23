"""The inventory: shards in, the current state out; doing it twice changes nothing."""

from __future__ import annotations

import contextlib
import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet
import pytest

from remediation.errors import DatasetError
from remediation.model.secrets import Keys
from remediation.store import datasets, merging
from remediation.store.folders import FolderIndex, known, table
from remediation.store.gone import Gone
from remediation.store.inventory import Inventory
from remediation.store.merging import Merge
from remediation.tables.schemas import FINDINGS, FOLDERS, INSTANCES, INVENTORY, TALLIES

KEYS = Keys.from_hex("5a" * 32)
KEY = KEYS.key_id
AT = datetime(2026, 11, 23, tzinfo=UTC)
RUN = "20260101T000000Z-aaaa"


@pytest.fixture
def inventory(tmp_path):
    return Inventory(tmp_path / "out", KEY, INVENTORY)


def count(instances):
    """Tally a month by its number of rows: enough to see that it was counted anew."""
    rows = [
        {"archive": archive, "study_month": month, "place": "PatientID", "values": number}
        for (archive, month), number in {
            (row["archive"], row["study_month"]): instances.num_rows
            for row in instances.to_pylist()
        }.items()
    ]
    return pa.Table.from_pylist(rows, schema=TALLIES)


def instance(path, month="2011-07", size=1, archive="oost", **more):
    said = {"archive": archive, "study_month": month, "path": path, "size": size, "mtime_ns": 9}
    return said | {"state": "read", "error": "", "crawled_at": AT} | more


def finding(path, month="2011-07", token="aa", archive="oost"):
    return {
        "archive": archive,
        "study_month": month,
        "path": path,
        "place": "PatientID",
        "bsn_token": token,
    }


def shard(inventory, rows, found=(), *, run=RUN, number=0, archive="oost", replaces=True):
    entries = {row["path"]: (row["size"], row["mtime_ns"], "file") for row in rows}
    inventory.write_shard(
        inventory.shard(archive, run, number),
        {
            "instances": pa.Table.from_pylist(rows, schema=INSTANCES),
            "findings": pa.Table.from_pylist(list(found), schema=FINDINGS),
            "folders": table([known((), entries, KEYS)], FOLDERS, KEYS),
        },
        replaces=replaces,
    )


def merge(inventory, gone=(), archive="oost"):
    left = Gone(inventory.output / "gone", KEYS)
    left.add((), list(gone))
    left.close()
    Merge(inventory, archive, KEYS, RUN, count, ("archive", "study_month")).run(left, seal=False)


def index(inventory, archive="oost"):
    """Return the names that the index of folders knows in the root."""
    found = list(FolderIndex(inventory.index_path(archive), FOLDERS, KEYS).read())
    return set(found[0].entries(KEYS)) if found else set()


def told(inventory):
    """Return what the inventory says: files, findings, tallies."""
    files = [(r["path"], r["study_month"], r["size"]) for r in inventory.instances().to_pylist()]
    found = [
        (r["path"], r["study_month"], r["bsn_token"]) for r in inventory.findings().to_pylist()
    ]
    tallies = {r["study_month"]: r["values"] for r in inventory.tallies().to_pylist()}
    return sorted(files), sorted(found), tallies


def bytes_of(inventory):
    return {path: path.read_bytes() for path in inventory.folder.rglob("*.parquet")}


def test_shards_become_the_current_state(inventory):
    shard(inventory, [instance("a"), instance("b", "2011-08")], [finding("a")])
    shard(inventory, [instance("c", "unknown")], number=1)
    merge(inventory)
    assert told(inventory) == (
        [("a", "2011-07", 1), ("b", "2011-08", 1), ("c", "unknown", 1)],
        [("a", "2011-07", "aa")],
        {"2011-07": 1, "2011-08": 1, "unknown": 1},
    )
    assert not (inventory.folder / "shards" / "oost").exists()


def test_merging_twice_changes_nothing(inventory):
    shard(inventory, [instance("a"), instance("b")], [finding("a"), finding("b")])
    kept = inventory.output / "kept"
    shutil.copytree(inventory.folder / "shards", kept)
    merge(inventory)
    first = told(inventory), bytes_of(inventory)
    merge(inventory)
    assert (told(inventory), bytes_of(inventory)) == first
    shutil.copytree(kept, inventory.folder / "shards", dirs_exist_ok=True)
    merge(inventory)  # as after a crash between the merge and the clearing
    assert (told(inventory), bytes_of(inventory)) == first


def test_a_changed_file_replaces_its_row_and_its_findings(inventory):
    shard(inventory, [instance("a"), instance("b")], [finding("a"), finding("b")])
    merge(inventory)
    shard(inventory, [instance("a", size=2)], [finding("a", token="cc")])
    merge(inventory)
    files, found, _ = told(inventory)
    assert files == [("a", "2011-07", 2), ("b", "2011-07", 1)]
    assert found == [("a", "2011-07", "cc"), ("b", "2011-07", "aa")]
    shard(inventory, [instance("a", size=3)])
    merge(inventory)
    assert told(inventory)[1] == [("b", "2011-07", "aa")]


@pytest.mark.parametrize(("old", "new"), [("2011-07", "2012-01"), ("2012-01", "2011-07")])
def test_a_file_that_moves_to_another_month_leaves_its_own(inventory, old, new):
    shard(inventory, [instance("a", old), instance("b", old)], [finding("a", old)])
    merge(inventory)
    shard(inventory, [instance("a", new)], [finding("a", new)])
    merge(inventory)
    assert told(inventory) == (
        sorted([("a", new, 1), ("b", old, 1)]),
        [("a", new, "aa")],
        {old: 1, new: 1},
    )
    shard(inventory, [instance("b", new)])
    merge(inventory)
    assert told(inventory)[2] == {new: 2}, "a month that is empty is gone, its tallies too"


def test_a_file_that_vanished_takes_its_findings_along(inventory):
    shard(inventory, [instance("a"), instance("b")], [finding("a"), finding("b")])
    merge(inventory)
    merge(inventory, gone=["a", "never-seen"])
    assert told(inventory) == ([("b", "2011-07", 1)], [("b", "2011-07", "aa")], {"2011-07": 1})
    merge(inventory, gone=["b"])
    assert told(inventory) == ([], [], {})
    assert list(inventory.folder.rglob("part-*.parquet")) == []


def test_a_shard_that_is_not_whole_does_not_count(inventory):
    shard(inventory, [instance("a")], [finding("a")])
    torn = inventory.shard("oost", RUN, 1)
    shard(inventory, [instance("b")], number=1)
    (torn / "done.json").unlink()
    (torn / "findings.parquet").write_bytes(b"half")
    merge(inventory)
    assert told(inventory)[0] == [("a", "2011-07", 1)]
    assert not torn.exists(), "what is torn is read again, so it need not be kept"


def test_of_two_runs_that_read_one_file_the_later_counts_with_its_findings(inventory):
    first, second = "20260101T000000Z-ffff", "20260102T000000Z-0000"
    shard(inventory, [instance("a", "2011-08", 2)], [finding("a", "2011-08", "cc")], run=second)
    shard(inventory, [instance("a"), instance("b")], [finding("a"), finding("b")], run=first)
    merge(inventory)
    assert told(inventory)[:2] == (
        [("a", "2011-08", 2), ("b", "2011-07", 1)],
        [("a", "2011-08", "cc"), ("b", "2011-07", "aa")],
    )


def test_of_two_runs_in_one_month_no_finding_is_doubled_or_left_behind(inventory):
    first, second = "20260101T000000Z-ffff", "20260102T000000Z-0000"
    shard(inventory, [instance("a"), instance("b")], [finding("a"), finding("b")], run=first)
    shard(inventory, [instance("a", size=2), instance("b")], [finding("b")], run=second)
    merge(inventory)
    assert told(inventory)[1] == [("b", "2011-07", "aa")]


@pytest.mark.parametrize("after", range(1, 8))
def test_a_merge_that_is_cut_short_is_finished_by_the_next(inventory, monkeypatch, after):
    """Two months change, in three tables; it stops before any of their files is written."""
    shard(
        inventory, [instance("a", "2012-01"), instance("b", "2012-01")], [finding("a", "2012-01")]
    )
    merge(inventory)
    shard(inventory, [instance("a", "2011-07", 2)], [finding("a", "2011-07", "cc")])
    left, real = [after], datasets.write_partition

    def dies(*args, **more):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        real(*args, **more)

    monkeypatch.setattr(datasets, "write_partition", dies)
    with pytest.raises(KeyboardInterrupt) if after < 7 else contextlib.nullcontext():
        merge(inventory)
    monkeypatch.undo()
    merge(inventory)
    assert told(inventory) == (
        [("a", "2011-07", 2), ("b", "2012-01", 1)],
        [("a", "2011-07", "cc")],
        {"2011-07": 1, "2012-01": 1},
    )


def test_archives_do_not_touch_each_other(inventory):
    shard(inventory, [instance("a")])
    merge(inventory)
    shard(inventory, [instance("a", archive="west", size=7)], archive="west")
    shard(inventory, [instance("b", size=5)])
    merge(inventory, archive="west")
    assert {(r["archive"], r["path"]) for r in inventory.instances().to_pylist()} == {
        ("oost", "a"),
        ("west", "a"),
    }
    assert index(inventory, "west") == {"a"}
    inventory.forget("west")
    merge(inventory)
    assert told(inventory)[0] == [("a", "2011-07", 1), ("b", "2011-07", 5)]
    assert (index(inventory), index(inventory, "west")) == ({"a", "b"}, set())


def test_what_was_said_before_is_kept_apart(inventory):
    shard(inventory, [instance("a"), instance("b")])
    merge(inventory)
    shard(inventory, [instance("a", size=2)])
    merge(inventory, gone=["b"])
    kept = [
        datasets.read(path, INVENTORY["history"], KEY, "crawl").to_pylist()
        for path in history(inventory)
    ]
    assert [(r["path"], r["size"], r["superseded"]) for rows in kept for r in rows] == [
        ("a", 1, "changed"),
        ("b", 1, "vanished"),
    ]


def history(inventory):
    return sorted((inventory.output / "history").rglob("*.parquet"))


def test_the_index_follows_what_is_found_and_what_is_gone(inventory):
    shard(inventory, [instance("a"), instance("b")])
    merge(inventory)
    shard(inventory, [instance("c")])
    merge(inventory, gone=["b"])
    assert index(inventory) == {"a", "c"}
    merge(inventory, gone=["a", "c"])
    assert index(inventory) == set()


def test_a_month_lies_in_parts_of_bounded_size(inventory, monkeypatch):
    monkeypatch.setattr(merging, "PART_ROWS", 3)
    for number in range(4):
        rows = [instance(f"{number}{letter}") for letter in "ab"]
        shard(inventory, rows, [finding(rows[0]["path"])], number=number, replaces=False)
        merge(inventory)
    parts = sorted((inventory.folder / "instances").rglob("*.parquet"))
    assert [len(pa.parquet.read_table(part)) for part in parts] == [2, 2, 2, 2]
    assert len(told(inventory)[0]) == 8
    merge(inventory, gone=["1a", "1b"])
    assert len(list((inventory.folder / "instances").rglob("*.parquet"))) == 3
    shard(inventory, [instance("4a")], number=9, replaces=False)
    merge(inventory)
    assert (len(told(inventory)[0]), told(inventory)[2]) == (7, {"2011-07": 7})


def test_what_is_inside_a_container_goes_with_it(inventory):
    inside = [instance("z//1", container="z"), instance("z//2", "2011-08", container="z")]
    shard(inventory, [instance("z", "unknown"), *inside], [finding("z//1")])
    merge(inventory)
    shard(inventory, [instance("z", "unknown", size=2), inside[0]])
    merge(inventory)
    assert told(inventory)[:2] == ([("z", "unknown", 2), ("z//1", "2011-07", 1)], [])


def test_without_a_crawl_there_is_no_inventory(inventory):
    with pytest.raises(DatasetError, match="remediation crawl"):
        inventory.require()
    shard(inventory, [instance("a")])
    merge(inventory)
    inventory.require()


def test_an_archive_keeps_the_id_that_it_was_given(inventory):
    one, other = inventory.archive_id("oost"), inventory.archive_id("west")
    assert one != other
    assert inventory.archive_id("oost") == one
    state = inventory.output / "state" / "archives.json"
    assert state.stat().st_mode & 0o777 == 0o600
    inventory.forget("oost")
    assert inventory.archive_id("oost") == one, "the id outlives a fresh crawl"
