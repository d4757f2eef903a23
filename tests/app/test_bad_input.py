"""Bad archives, job files, keys and exports: one clear line, the right exit code, nothing lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from app.hospital_line import call, rows, run
from small_hospital import (
    BIRTHS,
    NUMBERS,
    PEOPLE,
    WORDS,
    Hospital,
    copy,
    digests,
    ready,
)

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


# --- archives -------------------------------------------------------------------------------------


def test_a_missing_share_fails_and_the_inventory_stays(hospital, capsys):
    held = digests(hospital.output / "inventory")
    hospital.root.rename(hospital.out / "weg")
    said = call(capsys, "crawl", hospital.job)
    assert said.code == 1
    assert said.line.startswith("remediation: the archive root is missing (")
    assert str(hospital.root) in said.line
    assert digests(hospital.output / "inventory") == held
    (hospital.out / "weg").rename(hospital.root)
    assert call(capsys, "crawl", hospital.job).code == 0
    assert digests(hospital.output / "inventory") == held


@pytest.mark.parametrize("mode", ["--in-place", "--dry-run"])
def test_a_missing_share_fails_an_apply(hospital, folder, capsys, mode):
    hospital.root.rename(hospital.out / "weg")
    said = call(capsys, "apply", folder, mode)
    assert said.code == 1
    assert "archive" in said.line


def test_an_empty_archive_is_done_with_a_warning(bare, capsys):
    shutil.rmtree(bare.root)
    bare.root.mkdir()
    said = call(capsys, "crawl", bare.job)
    assert said.code == 0
    assert said.err == "warning: archive noord is empty\n"
    for command in ("flag", "places", "periods list", "match", "report"):
        assert call(capsys, *command.split(), bare.job).code == 0


def test_an_archive_of_other_files_only_is_done(bare, capsys):
    shutil.rmtree(bare.root)
    bare.root.mkdir()
    (bare.root / "leesmij.txt").write_text("niets van DICOM")
    (bare.root / "leeg").touch()
    said = call(capsys, "crawl", bare.job)
    assert said.code == 0
    assert "not-dicom" in said.out


WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def as_a_user() -> tuple[str, ...]:
    """Return what to put before a command so that permission bits hold for it."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("NOT TRIED: root reads everything, and setpriv is missing")
    return WITHOUT_RIGHTS


@contextlib.contextmanager
def shut(path: Path) -> Iterator[None]:
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        yield
    finally:
        path.chmod(mode)


def test_no_permission_on_the_root_fails(bare):
    user = as_a_user()
    with shut(bare.root):
        said = run("crawl", bare.job, before=user)
    assert said.code == 1
    assert said.line.startswith("remediation: the archive root cannot be read")
    assert "read permission" in said.line


def test_no_permission_on_a_file_and_a_folder_is_partly_done_and_named_by_state(bare):
    user = as_a_user()
    with shut(bare.file(1)), shut(bare.root / "S2"):
        said = run("crawl", bare.job, "--json", before=user)
    assert said.code == 3
    assert said.line.startswith("remediation: some files or folders could not be read")
    (report,) = json.loads(said.out)["archives"]
    assert report["states"] == {"read": FILES - 3, "unreadable": 1}
    assert report["lost_folders"] == 1


def test_what_could_not_be_read_is_read_once_it_can_be(bare, template):
    user = as_a_user()
    with shut(bare.file(1)), shut(bare.root / "S2"):
        assert run("crawl", bare.job, before=user).code == 3
    assert run("crawl", bare.job, before=user).code == 0
    assert rows(bare) == rows(template)


def test_an_output_folder_that_cannot_be_written_fails(bare):
    user = as_a_user()
    bare.output.mkdir()
    bare.output.chmod(0o500)
    said = run("crawl", bare.job, before=user)
    assert said.code == 1
    assert "Permission denied" in said.line or "write permission" in said.line


# --- job files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("responsible =", "verantwoordelijk =", "verantwoordelijk"),
        ("[output]", "[uitvoer]\nx = 1\n[output]", "uitvoer"),
        ("canary = 4", 'canary = "vier"', "canary"),
        ("workers = 1", "workers = [1]", "workers"),
        ('name = "klein"', 'name = "klein"\nfrom = 2012-01-01\nto = 2011-01-01', "to"),
        ('name = "klein"', 'name = "klein"\nfrom = 2012-02-30', "line 3"),
        ('name = "klein"', 'name = "klein"\nfrom = "gisteren"', "from"),
        ('root = "archive/noord"', "", "root"),
        ("[job]", "[job", "line 1"),
        ("approvals = 2", "approvals = 0", "approvals"),
    ],
)
def test_a_job_file_with_a_fault_names_file_and_key(hospital, capsys, old, new, named):
    held = digests(hospital.output)
    hospital.edit(old, new)
    for command in ("crawl", "flag", "check"):
        said = call(capsys, command, hospital.job)
        assert said.code == 2
        assert "job.toml" in said.line
        assert named in said.line
    assert digests(hospital.output) == held


def test_no_job_file_and_a_folder_as_job_file(tmp_path, capsys):
    for path in (tmp_path / "geen.toml", tmp_path):
        said = call(capsys, "crawl", path)
        assert said.code == 2
        assert "job file" in said.line


@pytest.mark.parametrize(
    "bad",
    [
        ("--from", "2012-02-30"),
        ("--from", "2012-05-01", "--to", "2011-05-01"),
        ("--workers", "0"),
        ("--archive", "zuid"),
        ("--wat", "1"),
    ],
)
def test_a_command_line_with_a_fault_is_usage(bare, capsys, bad):
    said = call(capsys, "crawl", bare.job, *bad)
    assert said.code == 2
    assert said.line
    assert not bare.output.exists() or not (bare.output / "inventory").exists()


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["missing", 0o644, 0o640, 0o660, "short", "link", "folder"])
@pytest.mark.parametrize("command", ["crawl", "match", "apply"])
def test_a_key_file_that_is_missing_open_or_no_key_is_refused(
    hospital, folder, capsys, fault, command
):
    key = hospital.out / "keys/klein.key"
    secret = key.read_text().strip()
    held = digests(hospital.output), hospital.digests()
    if isinstance(fault, int):
        key.chmod(fault)
    elif fault == "short":
        key.write_text(secret[:-1] + "\n")
    else:
        key.rename(key.with_suffix(".weg"))
        if fault == "link":
            key.symlink_to(key.with_suffix(".weg"))
        elif fault == "folder":
            key.mkdir()
    arguments = (folder, "--in-place") if command == "apply" else (hospital.job,)
    said = call(capsys, command, *arguments)
    assert said.code == 12
    assert "key" in said.line
    assert secret[:20] not in said.err
    assert (digests(hospital.output), hospital.digests()) == held


def test_an_inventory_of_another_key_is_not_joined(hospital, folder, capsys):
    (hospital.out / "keys/klein.key").write_text("ab" * 32 + "\n")
    for command in ("flag", "match", "plan", "report"):
        said = call(capsys, command, hospital.job)
        assert (command, said.code) == (command, 12), said.err
        assert "key" in said.line
    assert call(capsys, "apply", folder, "--dry-run").code == 12


# --- the crosswalk --------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["patientnr", "bsn", "status", "geboren"])
def test_a_crosswalk_without_a_required_column_names_it(hospital, folder, capsys, column):
    held = hospital.digests()
    hospital.edit_export(column, "kwijt")
    for arguments in (
        ("match", hospital.job),
        ("plan", hospital.job),
        ("apply", folder, "--in-place"),
    ):
        said = call(capsys, *arguments)
        assert said.code == 2
        assert f"'{column}'" in said.line
        assert "patienten.csv" in said.line
    assert hospital.digests() == held


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{WORDS[1]};A.", f"{WORDS[1]};A.;te veel"),
        (f";{WORDS[1]};A.", ""),
        ("\n701;", '\n"701;'),
        ("\n701;", "\n70\0;"),
    ],
)
def test_a_crosswalk_row_out_of_shape_is_refused_by_line_and_never_quoted(
    hospital, capsys, old, new
):
    hospital.edit_export(old, new)
    said = call(capsys, "match", hospital.job)
    assert said.code == 2
    assert not any(word in said.err for word in (*NUMBERS, *WORDS, *BIRTHS))
    assert said.line


def test_an_old_and_a_missing_crosswalk_are_refused(hospital, capsys):
    export = hospital.out / "epd/patienten.csv"
    os.utime(export, (1_300_000_000, 1_300_000_000))
    said = call(capsys, "match", hospital.job)
    assert said.code == 2
    assert "days old" in said.line
    export.unlink()
    said = call(capsys, "match", hospital.job)
    assert said.code == 2
    assert "no crosswalk file" in said.line


def test_a_command_before_its_time_names_the_one_to_run_first(bare, capsys):
    for command, first in (
        ("flag", "crawl"),
        ("places", "flag"),
        ("periods list", "flag"),
        ("match", "crawl"),
        ("plan", "crawl"),
    ):
        said = call(capsys, *command.split(), bare.job)
        assert said.code == 1
        assert f"remediation {first}" in said.line
