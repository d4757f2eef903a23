"""Crawl: shares as they are: containers, folders of other dates, hours, an index to keep."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zipfile
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from stages.share import DAY_LAYOUT, Share, counts
from tables.heads_of import bsn_item, file_of, local

from remediation.model.bsn import test_number
from remediation.model.files import FileRef
from remediation.model.pacing import Hours, Window
from remediation.stages import crawl
from remediation.store.archive import see
from remediation.store.files import IoError

RANGE = {"start": date(2011, 7, 1), "end": date(2011, 7, 31)}
NUMBER = test_number(7)


@pytest.fixture
def share(tmp_path):
    return Share(tmp_path / "share")


def dicom(uid="1.2.3", day="20110704"):
    return file_of(*local(), bsn_item(NUMBER), uid=uid, day=day)


def zipped(**members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name.replace("__", "/"), content)
    return data.getvalue()


def tarred(mode, **members):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as packed:
        for name, content in members.items():
            one = tarfile.TarInfo(name)
            one.size = len(content)
            packed.addfile(one, io.BytesIO(content))
    return data.getvalue()


# --- containers -----------------------------------------------------------------------------------


def test_every_file_inside_a_container_has_its_row(share):
    share.put("2011/a.zip", zipped(s1__1=dicom("1.2.1"), s1__2=dicom("1.2.2"), readme=b"x"))
    share.put("b.tar", tarred("w", x=dicom("1.2.3")))
    share.put("c.tgz", tarred("w:gz", y=dicom("1.2.4")))
    share.put("d.dcm.gz", gzip.compress(dicom("1.2.5")))
    report = share.crawl()
    rows = share.rows()
    assert {path: (row["state"], row["StudyInstanceUID"]) for path, row in rows.items()} == {
        "2011/a.zip": ("container", None),
        "2011/a.zip//s1/1": ("read", "1.2.1"),
        "2011/a.zip//s1/2": ("read", "1.2.2"),
        "2011/a.zip//readme": ("not-dicom", None),
        "b.tar": ("container", None),
        "b.tar//x": ("read", "1.2.3"),
        "c.tgz": ("container", None),
        "c.tgz//y": ("read", "1.2.4"),
        "d.dcm.gz": ("container", None),
        "d.dcm.gz//d.dcm": ("read", "1.2.5"),
    }
    inside = rows["2011/a.zip//s1/1"]
    assert share.keys.unseal(inside["container"]) == "2011/a.zip"
    assert rows["b.tar"]["container"] is None
    assert inside["study_month"] == "2011-07"
    assert (report.walked, report.states["read"], report.broken_containers) == (4, 5, 0)
    assert len(share.inventory.findings()) == 5
    assert counts(share.crawl()) == (0, 0, 4, 0)


def test_a_container_that_changes_takes_what_was_inside_along(share):
    share.put("a.zip", zipped(one=dicom("1.2.1"), two=dicom("1.2.2", "20120101")))
    share.crawl()
    share.put("a.zip", zipped(two=dicom("1.2.2", "20120101"), three=dicom("1.2.3")))
    assert counts(share.crawl()) == (0, 1, 0, 0)
    assert share.rows().keys() == {"a.zip", "a.zip//two", "a.zip//three"}
    (share.root / "a.zip").unlink()
    assert counts(share.crawl()) == (0, 0, 0, 1)
    assert share.contents() == ({}, [], [])


def test_a_broken_container_is_said_to_be_so_and_what_could_be_read_is_kept(share):
    whole = tarred("w", x=dicom("1.2.3"), y=dicom("1.2.4"))
    share.put("cut.tar", whole[:2100])
    share.put("good.dcm")
    report = share.crawl()
    assert (report.broken_containers, report.incomplete) == (1, True)
    assert share.rows()["cut.tar"]["error"] == "container-damaged"
    assert share.states()["cut.tar//x"] == share.states()["good.dcm"] == "read"


def test_a_share_that_fails_inside_a_container_is_asked_again(share, monkeypatch):
    share.put("a.tar", tarred("w", x=dicom("1.2.3"), y=dicom("1.2.4")))
    share.put("good.dcm")
    real = crawl.see_inside

    def fails(descriptor, container):
        yield next(real(descriptor, container))
        raise IoError("a file cannot be read", "stale")

    with monkeypatch.context() as patched:
        patched.setattr(crawl, "see_inside", fails)
        report = share.crawl()
    assert (report.broken_containers, share.rows()["a.tar"]["error"]) == (1, "unreadable")
    assert share.states()["good.dcm"] == "read"
    assert counts(share.crawl()) == (0, 1, 1, 0)
    assert share.states()["a.tar//y"] == "read"


def test_a_file_inside_a_container_can_be_read_again_by_its_path(share):
    share.put("a.zip", zipped(one=dicom("1.2.1"), two=dicom("1.2.2")))
    seen = see(share.root, FileRef("a.zip//two", 0, 0))
    assert (seen.state, seen.head.text_of(0x0020000D), seen.inside) == ("read", "1.2.2", "a.zip")
    for missing in ("a.zip//three", "b.zip//two"):
        assert see(share.root, FileRef(missing, 0, 0)).state == "unreadable"


def test_a_dicom_file_that_is_a_program_as_well_is_reported(share):
    whole = dicom()
    share.put("plain.dcm", whole)
    for name, preamble in (
        ("windows.dcm", b"MZ"),
        ("linux.dcm", b"\x7fELF"),
        ("script.dcm", b"#!"),
    ):
        share.put(name, preamble + whole[len(preamble) :])
    share.put("setup.exe", b"MZ" + bytes(500))
    report = share.crawl()
    assert (report.programs, report.states) == (3, {"not-dicom": 1, "read": 4})


# --- folders of dates -----------------------------------------------------------------------------


def test_folders_that_were_passed_over_are_looked_into(share):
    for day in range(1, 9):
        share.put(f"2010/03/{day:02}/S/1.dcm", day=f"201003{day:02}")
    share.put("2011/07/04/S/1.dcm", day="20110704")
    report = share.crawl(layout=DAY_LAYOUT, **RANGE)
    assert (report.pruned_folders, report.pruned_checked, report.pruned_wrong) == (1, 1, 0)
    assert not report.incomplete


def test_folders_that_are_dates_of_storage_are_found_out(share):
    """After a migration everything lies in the folder of the day on which it was stored."""
    for day in range(1, 9):
        share.put(f"2015/03/{day:02}/S/1.dcm", day=f"201107{day:02}")
    share.put("2011/07/04/S/1.dcm", day="20100101")
    report = share.crawl(layout=DAY_LAYOUT, **RANGE)
    assert (report.pruned_checked, report.pruned_wrong, report.elsewhere) == (1, 1, 1)
    assert report.incomplete
    report = share.crawl(layout=DAY_LAYOUT, prunes=False, **RANGE)
    assert (report.pruned_folders, report.new) == (0, 8)


def test_of_many_folders_a_sample_is_looked_into(share):
    for year in range(1950, 1990):
        share.put(f"{year}/01/01/1.dcm", day=f"{year}0101")
    (share.root / "1951/01/01/1.dcm").unlink()  # an empty folder tells nothing
    report = share.crawl(layout=DAY_LAYOUT, **RANGE)
    assert report.pruned_folders == 40
    assert 19 <= report.pruned_checked <= 20


# --- hours ----------------------------------------------------------------------------------------


def test_outside_its_hours_a_crawl_waits_and_goes_on(share, monkeypatch):
    monkeypatch.setattr(crawl, "SHARD_FILES", 1)
    for n in range(3):
        share.put(f"{n}.dcm")
    evening = datetime(2026, 7, 1, 19, 58, tzinfo=ZoneInfo("Europe/Amsterdam"))
    clock, slept = [evening], []

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += timedelta(seconds=seconds)

    monkeypatch.setattr(crawl, "utc_now", lambda: clock[0])
    hours = Hours(Window.parse("20:00-06:00"), "Europe/Amsterdam")
    report = crawl.run(share.options(hours=hours), sleep=sleep)
    assert (slept, report.new) == ([60, 60], 3), "it looks at the clock every minute"


# --- what the index keeps -------------------------------------------------------------------------


def test_a_folder_of_many_shards_is_one_folder_of_the_index(share, monkeypatch):
    monkeypatch.setattr(crawl, "SHARD_FILES", 3)
    for n in range(8):
        share.put(f"big/{n}.dcm")
        share.put(f"small{n}/1.dcm")
    share.crawl()
    assert share.index().keys() == {"big", *(f"small{n}" for n in range(8))}
    assert len(share.index()["big"]) == 8
    assert counts(share.crawl()) == (0, 0, 16, 0)
    (share.root / "big/3.dcm").unlink()
    shutil.rmtree(share.root / "small5")
    share.put("big/9.dcm")
    share.put("small9/1.dcm")
    assert counts(share.crawl()) == (2, 0, 14, 2)
    assert counts(share.crawl()) == (0, 0, 16, 0)
    assert len(share.rows()) == 16


def test_an_inventory_that_was_thrown_away_is_made_anew(share):
    share.put("a/1.dcm")
    share.crawl()
    shutil.rmtree(share.output / "inventory" / "instances")
    assert counts(share.crawl()) == (1, 0, 0, 0)
    shutil.rmtree(share.output / "inventory" / "folders")
    assert counts(share.crawl()) == (1, 0, 0, 0)
    assert len(share.rows()) == 1, "the rows that were there are replaced"
    shutil.rmtree(share.output / "inventory")
    assert counts(share.crawl()) == (1, 0, 0, 0)


def test_nothing_of_an_archive_can_be_read_from_index_and_history(share):
    share.put("JANSEN/9999.dcm")
    share.crawl()
    share.put("JANSEN/9999.dcm", own=local("7654321"))
    share.crawl()
    (share.root / "JANSEN/9999.dcm").unlink()
    share.put("KLAASSEN/1.dcm")
    share.crawl()
    files = [path for path in share.output.rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in files:
        assert not any(word in path.read_bytes() for word in (b"JANSEN", b"KLAASSEN", b"7654321"))
