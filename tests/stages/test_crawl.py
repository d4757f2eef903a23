"""Crawl: what is read, what is not read again, and what a run that breaks off leaves behind."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
from datetime import date

import pytest
from stages.share import DAY_LAYOUT, Share, counts
from tables.heads_of import file_of, local

from remediation.stages import crawl
from remediation.store import ahead

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


# --- what is read ---------------------------------------------------------------------------------


def test_every_file_has_its_row_whatever_it_is(share):
    share.put("good.dcm")
    share.put("sub/empty", b"")
    share.put("sub/Thumbs.db", b"\xd0\xcf\x11\xe0" + bytes(500))
    share.put("studies.zip", b"PK\x03\x04" + bytes(50))
    share.put("broken.dcm", file_of(*local(), broken=True))
    share.put("cut.dcm", file_of(*local())[:-4])
    (share.root / "link").symlink_to(share.root / "good.dcm")
    os.mkfifo(share.root / "pipe")
    report = share.crawl()
    assert {path: (row["state"], row["error"]) for path, row in share.rows().items()} == {
        "good.dcm": ("read", ""),
        "sub/empty": ("not-dicom", "empty"),
        "sub/Thumbs.db": ("not-dicom", ""),
        "studies.zip": ("container", "container-damaged"),
        "broken.dcm": ("unreadable", "truncated"),
        "cut.dcm": ("read", "truncated-pixel-data"),
        "link": ("not-dicom", "link"),
        "pipe": ("not-dicom", "not-a-file"),
    }
    assert (report.walked, counts(report)) == (8, (8, 0, 0, 0))
    assert report.states == {"container": 1, "not-dicom": 4, "read": 2, "unreadable": 1}
    assert report.incomplete


def test_an_archive_in_which_all_can_be_read_is_complete(share):
    share.put("good.dcm")
    assert not share.crawl().incomplete


def test_odd_names_are_crawled_under_the_names_that_they_have(share):
    for name in (b"new\nline", b"\xff\xfe", b"a\\xff", b"sealed:x"):
        path = os.fsdecode(name)
        share.put(path, file_of(*local()))
    share.crawl()
    assert share.rows().keys() == {"new\nline", os.fsdecode(b"\xff\xfe"), "a\\xff", "sealed:x"}
    plain = Share(share.folder / "plain", changes={"seal_paths": False})
    shutil.copytree(share.root, plain.root, dirs_exist_ok=True)
    plain.crawl()
    paths = plain.inventory.instances(["path"])["path"].to_pylist()
    assert sorted(paths) == ["\\x73ealed:x", "\\xff\\xfe", "a\\x5cxff", "new\nline"]
    assert counts(plain.crawl()) == (0, 0, 4, 0)


def test_shards_are_many_files_and_carry_no_plain_path_and_no_key(share, monkeypatch):
    monkeypatch.setattr(crawl, "SHARD_FILES", 3)
    for n in range(8):
        share.put(f"JANSEN-{n}.dcm")
    secret = share.key_file.read_bytes().strip()
    sent = []

    def mapper(function, tasks):
        for task in tasks:
            sent.append(pickle.dumps(task))
            yield function(pickle.loads(sent[-1]))

    share.crawl(mapper=mapper)
    assert len(sent) == 3
    assert not any(b"JANSEN-" in task or secret in task for task in sent)
    assert len(share.rows()) == 8


def test_progress_is_told_in_files(share):
    for n in range(5):
        share.put(f"{n}.dcm")
    told = []
    crawl.run(share.options(), advance=told.append)
    assert sum(told) == 5


# --- the second run -------------------------------------------------------------------------------


def test_a_second_run_reads_nothing_and_writes_nothing(share, monkeypatch):
    share.put("a.dcm")
    share.put("b/b.dcm")
    share.put("notes.txt", b"x")
    share.crawl()
    before = {path: path.read_bytes() for path in share.output.rglob("*") if path.is_file()}
    monkeypatch.setattr(ahead, "look", None)
    report = share.crawl()
    assert (counts(report), report.states) == ((0, 0, 3, 0), {})
    assert before == {path: path.read_bytes() for path in share.output.rglob("*") if path.is_file()}


def test_new_changed_and_vanished_files_are_counted_and_no_others_are_read(share, monkeypatch):
    for name in "abcd":
        share.put(name)
    share.crawl()
    share.put("a", own=local("67"))  # as large, and stored at the same time
    os.utime(share.root / "a", ns=(5, 5))
    share.put("b", file_of(*local()))  # shorter
    (share.root / "c").unlink()
    share.put("e")
    read, real = [], ahead.look
    monkeypatch.setattr(
        ahead, "look", lambda ref, *a, **k: read.append(ref.path) or real(ref, *a, **k)
    )
    assert counts(share.crawl()) == (1, 2, 1, 1)
    assert read == ["a", "b", "e"]
    assert share.rows().keys() == {"a", "b", "d", "e"}
    assert share.rows()["a"]["mtime_ns"] == 5
    assert counts(share.crawl()) == (0, 0, 4, 0)


def test_a_file_that_could_not_be_opened_is_tried_again(share, monkeypatch):
    share.put("a.dcm")
    real = os.open

    def denied(path, *args, **more):
        if path == b"a.dcm":
            raise OSError(errno.EACCES, "no")
        return real(path, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", denied)
        share.crawl()
    assert share.states() == {"a.dcm": "unreadable"}
    assert counts(share.crawl()) == (0, 1, 0, 0)
    assert share.states() == {"a.dcm": "read"}


def test_a_study_that_gets_another_date_moves_to_its_month(share):
    share.put("a", day="20110704")
    share.put("b", day="20110704")
    share.crawl()
    share.put("a", day="20120101", own=local("1234567"))
    share.crawl()
    assert {path: row["study_month"] for path, row in share.rows().items()} == {
        "a": "2012-01",
        "b": "2011-07",
    }
    assert share.inventory.tallies()["study_month"].to_pylist().count("2011-07") == 2


def test_fresh_reads_everything_again(share, monkeypatch):
    share.put("a")
    share.put("b")
    share.crawl()
    (share.root / "b").unlink()
    identity = share.inventory.archive_id("oost")
    report = share.crawl(fresh=True)
    assert (counts(report), report.states) == ((1, 0, 0, 0), {"read": 1})
    assert share.rows().keys() == {"a"}
    assert share.inventory.archive_id("oost") == identity


def test_an_empty_archive_is_crawled_and_judged(share):
    report = share.crawl()
    assert (report.walked, counts(report), report.incomplete) == (0, (0, 0, 0, 0), False)
    assert share.flag().studies == 0
    share.put("a")
    share.crawl()
    (share.root / "a").unlink()
    assert counts(share.crawl()) == (0, 0, 0, 1)
    assert share.flag(start=date(2011, 1, 1)).studies == 0


# --- ranges ---------------------------------------------------------------------------------------

RANGE = {"layout": DAY_LAYOUT, "start": date(2011, 7, 1), "end": date(2011, 7, 31)}


def test_a_range_opens_only_the_folders_of_its_days(days):
    report = days.crawl(**RANGE)
    assert days.rows().keys() == {f"{day}/S1/1.dcm" for day in DAYS[1:3]}
    assert (report.pruned_folders, report.walked) == (2, 2)


def test_a_range_ends_where_it_says(days):
    days.crawl(layout=DAY_LAYOUT, start=date(2011, 7, 5), end=date(2012, 1, 1))
    assert days.rows().keys() == {f"{day}/S1/1.dcm" for day in DAYS[2:]}


@pytest.mark.parametrize("fresh", [False, True])
def test_a_sub_range_never_marks_the_rest_as_vanished(days, fresh):
    days.crawl(layout=DAY_LAYOUT)
    shutil.rmtree(days.root / "2010")
    shutil.rmtree(days.root / "2011/07/04")
    days.put("2011/07/06/S1/1.dcm", day="20110706")
    report = days.crawl(**RANGE, partial=True, fresh=fresh)
    assert (report.new, report.vanished) == (1, 0)
    assert len(days.rows()) == 5
    assert report.states == ({"read": 2} if fresh else {"read": 1})
    report = days.crawl(layout=DAY_LAYOUT)
    assert (report.vanished, len(days.rows())) == (2, 3), "the whole archive tells"


def test_the_jobs_own_range_keeps_what_lies_outside_and_misses_what_vanished_inside(days):
    days.crawl(layout=DAY_LAYOUT)
    shutil.rmtree(days.root / "2011/07/04")
    (days.root / "2010/03/01/S1/1.dcm").unlink()  # outside: it is not looked for
    report = days.crawl(**RANGE)
    assert (report.vanished, report.pruned_folders) == (1, 2)
    assert days.rows().keys() == {f"{DAYS[n]}/S1/1.dcm" for n in (0, 2, 3)}


def test_folders_of_another_date_are_never_pruned(days):
    """`layout_date = "stored"`: the folders are no StudyDates."""
    days.crawl(**RANGE, prunes=False)
    assert len(days.rows()) == 4


def test_a_folder_that_is_no_date_is_opened_whatever_the_range(days):
    days.put("incoming/1.dcm")
    days.crawl(**RANGE)
    assert "incoming/1.dcm" in days.rows()
