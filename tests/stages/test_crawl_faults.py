"""A crawl that meets trouble: lost folders, full disks, failing workers, other keys."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from stages.share import Share, counts
from tables.heads_of import bsn_item, local

from remediation.errors import KeyFileError, RemediationError, ShareError
from remediation.stages import crawl
from remediation.store.keys import new_key_file

DAYS = ("2010/03/01", "2011/07/04", "2011/07/05", "2012/01/01")


@pytest.fixture
def share(tmp_path):
    return Share(tmp_path / "share")


@pytest.fixture
def days(share):
    """Four days of one study each, in folders of StudyDates."""
    for day in DAYS:
        share.put(f"{day}/S1/1.dcm", day=day.replace("/", ""))
    return share


# --- what goes wrong ------------------------------------------------------------------------------


def test_while_a_folder_is_lost_nothing_is_said_to_have_vanished(share, monkeypatch):
    for path in ("a/1", "b/1", "c/1"):
        share.put(path)
    share.crawl()
    (share.root / "a" / "1").unlink()
    real = os.scandir

    def stale(path):
        if not isinstance(path, int) and Path(path).name == "b":
            raise OSError(errno.ESTALE, "stale")
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", stale)
        report = share.crawl()
    assert (report.lost_folders, report.vanished, report.incomplete) == (1, 0, True)
    assert len(share.rows()) == 3
    assert share.crawl().vanished == 1


def test_a_missing_share_leaves_the_inventory_as_it_was(share):
    share.put("a")
    share.crawl()
    share.root.rename(share.folder / "unmounted")
    with pytest.raises(ShareError, match="missing"):
        share.crawl()
    with pytest.raises(ShareError):
        share.crawl(fresh=True)
    assert share.rows().keys() == {"a"}


def test_another_key_is_refused_before_anything_is_read(share):
    share.put("a")
    share.crawl()
    before = share.rows()
    kept = share.key_file.read_bytes()
    share.key_file.unlink()
    new_key_file(share.key_file)
    with pytest.raises(KeyFileError, match="another key"):
        share.crawl()
    share.key_file.write_bytes(kept)
    assert share.rows() == before
    options = share.options(key_id="0" * 16)
    with pytest.raises(KeyFileError) as caught:
        crawl.read_shard((options, crawl.Shard(0, b"")))
    assert caught.value.exit_code == 12


@pytest.mark.parametrize("full_after", [0, 1, 3, 5])
def test_a_full_disk_is_one_error_and_the_next_run_makes_good(share, monkeypatch, full_after):
    for n in range(4):
        share.put(f"{n}.dcm")
    monkeypatch.setattr(crawl, "SHARD_FILES", 2)
    left, real = [full_after], os.write

    def full(descriptor, data):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(ShareError) as caught:
            share.crawl()
    assert "\n" not in str(caught.value)
    assert not [path for path in share.output.rglob("*") if path.name.endswith(".tmp")]
    share.crawl()
    assert share.states() == {f"{n}.dcm": "read" for n in range(4)}
    assert not list((share.output / "inventory" / "shards").rglob("*.parquet"))


def test_a_worker_that_fails_leaves_what_others_finished(share, monkeypatch):
    monkeypatch.setattr(crawl, "SHARD_FILES", 2)
    for n in range(6):
        share.put(f"{n}.dcm")

    def mapper(function, tasks):
        for n, task in enumerate(tasks):
            if n == 2:
                raise RemediationError("a worker failed")
            yield function(task)

    with pytest.raises(RemediationError):
        share.crawl(mapper=mapper)
    assert share.rows() == {}
    assert counts(share.crawl()) == (2, 0, 4, 0), "four files were read before"


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from stages.share import Share
from remediation.stages import crawl
from remediation.store import ahead, datasets, folders, inventory, merging

where, left = sys.argv[2].split(":")
left = [int(left)]

def dying(real):
    def call(*args, **more):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)
    return call

Share.__post_init__ = lambda self: None
crawl.SHARD_FILES = 3
if where == "read":
    ahead.look = dying(ahead.look)
elif where == "write":
    datasets.write = dying(datasets.write)
elif where == "done":
    inventory.durable_write = dying(inventory.durable_write)
elif where == "note":
    merging.durable_write = dying(merging.durable_write)
elif where == "index":
    folders.write = dying(folders.write)
else:
    inventory.shutil.rmtree = dying(inventory.shutil.rmtree)
Share(Path(sys.argv[1])).crawl()
"""


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("read:5", 3),
        ("write:5", 3),
        ("done:3", 3),
        *((f"write:{n}", 9) for n in range(10, 16)),
        *((where, 9) for where in ("note:1", "note:2", "index:1", "clear:2")),
    ],
)
def test_a_run_that_is_killed_is_made_good_by_the_next(tmp_path, where, kept):
    """Nine files in three shards, over two months: three tables and a mark each, then the merge."""
    killed, whole = Share(tmp_path / "killed"), Share(tmp_path / "whole")
    shutil.copy2(killed.key_file, whole.key_file)
    for share in (killed, whole):
        for n in range(9):
            share.put(f"{n}.dcm", day="20110704" if n % 2 else "20120101")
    command = [sys.executable, "-c", KILLED, str(killed.folder), where]
    done = subprocess.run([*command, *map(str, sys.path)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    report = killed.crawl()
    assert (report.new, report.unchanged) == (9 - kept, kept)
    whole.crawl()
    assert killed.contents() == whole.contents()
    assert not list((killed.output / "inventory" / "shards").rglob("*.parquet"))
    assert counts(killed.crawl()) == (0, 0, 9, 0)


def test_crawls_of_two_archives_share_one_inventory(tmp_path):
    oost, west = Share(tmp_path / "share"), Share(tmp_path / "share", "west")
    oost.put("a", own=[*local(), bsn_item("999900006")])
    west.put("a")
    oost.crawl()
    west.crawl()
    assert oost.inventory.instances()["archive"].to_pylist() == ["oost", "west"]
    (west.root / "a").unlink()
    west.crawl()
    assert oost.inventory.instances()["archive"].to_pylist() == ["oost"]
    assert oost.inventory.archive_id("oost") != oost.inventory.archive_id("west")
