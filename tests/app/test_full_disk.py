"""Full disks: one clear line, exit code 1, nothing half done, and with room it goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from app.hospital_line import call, rows, run
from small_hospital import (
    PEOPLE,
    Hospital,
    copy,
    digests,
    ready,
    whole,
)

from remediation.errors import ShareError
from remediation.model.running import utc_now
from remediation.stages import forget
from remediation.stages.forget import ForgetOptions

FILES = 2 * PEOPLE


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


@pytest.fixture
def bare(hospital) -> Hospital:
    """Return a hospital that nobody crawled."""
    shutil.rmtree(hospital.output)
    return hospital


@pytest.fixture
def folder(hospital) -> Path:
    return hospital.load().folder


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 64 KiB, mounted; grown with `grow`."""
    where = tmp_path / "schijf"
    where.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or not mount:
        pytest.skip("NOT TRIED: only root can mount a small disk")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", where], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("NOT TRIED: mounting a small disk is not allowed here")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def grow(where: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", where], check=True)


def fill(where: Path) -> Path:
    """Take all room that is left."""
    path = where / "vol"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return path


def test_a_full_disk_fails_a_crawl_and_with_room_it_goes_on(bare, template, small_disk, capsys):
    bare.edit('dir = "uit"', f'dir = "{small_disk / "uit"}"')
    held = bare.digests()
    fill(small_disk)
    said = call(capsys, "crawl", bare.job)
    assert said.code == 1
    assert "No space left" in said.line or "full" in said.line
    assert bare.digests() == held
    grow(small_disk)
    assert call(capsys, "crawl", bare.job).code == 0
    there = Hospital(small_disk)
    shutil.copytree(bare.out, small_disk, dirs_exist_ok=True)
    assert rows(there) == rows(template)


def test_a_disk_that_fills_up_in_the_middle_of_a_crawl_loses_nothing(
    hospital, template, small_disk, capsys
):
    """Room for some of the files of an inventory, and not for all."""
    target = small_disk / "uit"
    shutil.rmtree(hospital.output)
    hospital.edit('dir = "uit"', f'dir = "{target}"')
    ballast = fill(small_disk)
    codes = []
    for _ in range(15):
        size = ballast.stat().st_size
        os.truncate(ballast, max(0, size - 4096))
        said = call(capsys, "crawl", hospital.job)
        codes.append(said.code)
        assert said.code in {0, 1}, said.err
        if said.code:
            assert "space" in said.line or "full" in said.line
    assert 1 in codes
    ballast.unlink()
    grow(small_disk)
    assert call(capsys, "crawl", hospital.job).code == 0
    shutil.copytree(hospital.out, small_disk, dirs_exist_ok=True)
    assert rows(Hospital(small_disk)) == rows(template)


@pytest.mark.parametrize("pages", [0, 1, 2])  # none for the lock's marker, then for a file
def test_a_full_archive_disk_fails_an_apply_and_nothing_is_half_done(
    hospital, folder, small_disk, capsys, pages
):
    shutil.copytree(hospital.root, small_disk / "noord", copy_function=shutil.copy2)
    shutil.rmtree(hospital.root)
    hospital.root.symlink_to(small_disk / "noord")
    held = digests(small_disk / "noord")
    ballast = fill(small_disk)
    os.truncate(ballast, ballast.stat().st_size - 4096 * pages)
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 1
    assert "No space left" in said.line or "the disk is full" in said.line
    assert digests(small_disk / "noord") == held
    ballast.unlink()
    grow(small_disk)
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "verify", folder).code == 0
    assert call(capsys, "rollback", folder).code == 0
    assert digests(small_disk / "noord") == held


def test_a_full_disk_while_undo_data_is_dropped_drops_nothing(hospital, folder, small_disk, capsys):
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "rollback", folder).code == 0
    journal = hospital.output / "journal"
    grow(small_disk)
    shutil.copytree(journal, small_disk / "journal")
    shutil.rmtree(journal)
    journal.symlink_to(small_disk / "journal")
    ballast = fill(small_disk)
    held = digests(small_disk / "journal")
    session = hospital.session()
    later = utc_now() + timedelta(days=9)
    who = ("Petra Privacy", "beheer", "PACS-beheer (test)")
    options = ForgetOptions(session.output, session.roots(), "r1", later, 5, *who)
    with pytest.raises(ShareError, match="No space left"):
        forget.run(options, session.keys)
    assert digests(small_disk / "journal") == held
    ballast.unlink()
    assert forget.run(options, session.keys).files == 2 * FILES


def test_a_full_disk_for_the_audit_log_begins_nothing(hospital, folder, small_disk, capsys):
    before = hospital.digests()
    (hospital.output / "audit").symlink_to(small_disk / "audit")
    (small_disk / "audit").mkdir()
    ballast = fill(small_disk)
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 1
    assert "No space left" in said.line
    assert hospital.digests() == before
    ballast.unlink()
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "audit", "verify", hospital.job).code == 0


def test_a_full_disk_for_the_mirror_fails_and_the_next_run_finishes(
    hospital, folder, small_disk, capsys
):
    held = hospital.digests()
    ballast = fill(small_disk)
    said = call(capsys, "apply", folder, "--out", small_disk / "gemaakt")
    assert said.code == 1
    assert "full" in said.line or "No space" in said.line
    assert hospital.digests() == held
    ballast.unlink()
    grow(small_disk)
    assert call(capsys, "apply", folder, "--out", small_disk / "gemaakt").code == 0
    assert call(capsys, "verify", folder).code == 0
    assert len(digests(small_disk / "gemaakt/noord")) == FILES


def test_a_full_disk_for_the_journal_stops_an_apply_between_two_studies(
    hospital, folder, small_disk, capsys
):
    held = hospital.digests()
    (small_disk / "journal").mkdir()
    (hospital.output / "journal").symlink_to(small_disk / "journal")
    ballast = fill(small_disk)
    for room in (0, 4096):  # for no journal at all; for its first study and no more
        os.truncate(ballast, ballast.stat().st_size - room)
        said = call(capsys, "apply", folder, "--in-place")
        assert said.code == 1
        assert "No space left" in said.line or "journal-not-written" in said.line
        found = hospital.digests()
        changed = [path for path in held if found[path] != held[path]]
        assert len(changed) == (2 if room else 0)
        assert found.keys() == held.keys()
    ballast.unlink()
    grow(small_disk)
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "verify", folder).code == 0


@pytest.mark.parametrize("limit", [0, 700, 5_000])
def test_a_limit_on_file_sizes_fails_a_crawl_whole_or_not_at_all(bare, template, limit):
    if not shutil.which("prlimit"):
        pytest.skip("NOT TRIED: prlimit is missing")
    held = bare.digests()
    said = run("crawl", bare.job, before=("prlimit", f"--fsize={limit}"))
    assert said.code == 1
    assert "too large" in said.line.lower()
    assert bare.digests() == held
    assert run("crawl", bare.job).code == 0
    assert rows(bare) == rows(template)


@pytest.mark.parametrize("limit", [500, 4_000])
def test_a_limit_on_file_sizes_fails_an_apply_and_every_study_is_whole(
    hospital, folder, capsys, limit
):
    if not shutil.which("prlimit"):
        pytest.skip("NOT TRIED: prlimit is missing")
    held = hospital.digests()
    said = run("apply", folder, "--in-place", before=("prlimit", f"--fsize={limit}"))
    assert said.code == 1
    assert said.line
    assert call(capsys, "recover", hospital.job).code == 0
    assert whole(hospital, held)
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "rollback", folder).code == 0
    assert hospital.digests() == held
