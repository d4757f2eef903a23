"""Bad input: one clear line, the right exit code, and nothing lost or half done."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from app.hospital_line import Said, call, ended, run, spawn
from small_hospital import (
    APPROVERS,
    AUTHOR,
    BIRTHS,
    NUMBERS,
    PEOPLE,
    WORDS,
    Hospital,
    copy,
    digests,
    lay_down,
    study_uid,
)

from remediation.errors import ManifestError
from remediation.store import datasets
from remediation.store.inventory import Inventory
from remediation.tables.schemas import CORRECTIONS, FINDINGS, INSTANCES, REFUSALS, TALLIES

FILES = 2 * PEOPLE


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    hospital = lay_down(tmp_path_factory.mktemp("klein") / "out")
    hospital.look()
    hospital.approve(hospital.plan())
    return hospital


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


def rows(hospital) -> list[tuple]:
    """Return the inventory, but for the run that made it."""
    key_id = hospital.session().keys.key_id
    inventory = Inventory(hospital.output, key_id, INSTANCES, FINDINGS, TALLIES)
    found = []
    for table in (inventory.instances(), inventory.findings()):
        names = [name for name in table.column_names if name not in {"run_id", "crawled_at"}]
        found += [repr(row) for row in table.select(names).to_pylist()]
    return sorted(found)


# --- archives -----------------------------------------------------------------------------------


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
    for command in ("flag", "match", "report"):
        assert call(capsys, command, bare.job).code == 0


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


# --- job files ----------------------------------------------------------------------------------


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


# --- keys ---------------------------------------------------------------------------------------


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


# --- the crosswalk ------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["patientnr", "bsn", "status", "geboren"])
def test_a_crosswalk_without_a_required_column_names_it(hospital, folder, capsys, column):
    held = hospital.digests()
    hospital.edit_export(column, "kwijt")
    for arguments in (("match", hospital.job), ("plan", hospital.job), ("apply", folder, "--in-place")):
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
    for command, first in (("flag", "crawl"), ("match", "crawl"), ("plan", "crawl")):
        said = call(capsys, command, bare.job)
        assert said.code == 1
        assert f"remediation {first}" in said.line


# --- manifests ----------------------------------------------------------------------------------


def with_byte(path: Path, position: int) -> bytes:
    data = bytearray(path.read_bytes())
    data[position] ^= 1 << (position % 8)
    return bytes(data)


def test_a_manifest_altered_by_one_byte_is_refused(hospital, folder):
    path = folder / "manifest.json"
    whole = path.read_bytes()
    for position in range(random.Random().randrange(3), len(whole), 3):
        path.write_bytes(with_byte(path, position))
        with pytest.raises(ManifestError):
            hospital.load(folder)
        path.write_bytes(whole)
    path.write_bytes(whole[:-1])
    with pytest.raises(ManifestError):
        hospital.load(folder)


@pytest.mark.parametrize("command", ["show", "approve", "apply", "verify", "rollback"])
@pytest.mark.parametrize("name", ["manifest.json", "corrections.parquet", "refusals.parquet"])
def test_every_command_refuses_an_altered_manifest(hospital, folder, capsys, command, name):
    held = hospital.digests()
    path = folder / name
    if name == "manifest.json":
        path.write_bytes(path.read_bytes().replace(b"PACS-beheer", b"PACS-beheeR"))
    else:
        alter(path)
    more = {
        "approve": ("--by", APPROVERS[0], "--key", hospital.key(APPROVERS[0])),
        "apply": ("--in-place",),
    }
    said = call(capsys, command, folder, *more.get(command, ()))
    assert said.code == 5
    assert "manifest" in said.line
    assert hospital.digests() == held


def alter(path: Path) -> None:
    """Change, add or take out content of a manifest's table, so that the file stays a sound one."""
    schema = CORRECTIONS if path.name.startswith("corrections") else REFUSALS
    key_id = Hospital(path.parents[3]).session().keys.key_id
    table = datasets.read(path, schema, key_id, "plan")
    found = table.to_pylist()
    row = {"StudyInstanceUID": "1.2", "archive": "noord", "reason": "homonym", "instances": 1}
    found = found[1:] if found else [row]
    datasets.write(path, table.from_pylist(found, schema=schema), key_id)


@pytest.mark.parametrize("column", [field.name for field in CORRECTIONS])
def test_every_column_of_the_corrections_counts(hospital, folder, column):
    path = folder / "corrections.parquet"
    key_id = hospital.session().keys.key_id
    table = datasets.read(path, CORRECTIONS, key_id, "plan")
    found = table.to_pylist()
    old = found[3][column]
    found[3][column] = {int: lambda: old + 1, str: lambda: old + "x", list: lambda: old[:-1]}.get(
        type(old), lambda: "x"
    )()
    datasets.write(path, table.from_pylist(found, schema=CORRECTIONS), key_id)
    with pytest.raises(ManifestError, match="altered"):
        hospital.load(folder)


@pytest.mark.parametrize("name", ["corrections.parquet", "refusals.parquet"])
def test_a_flipped_byte_in_a_table_is_refused_or_changes_nothing_that_counts(
    hospital, folder, name
):
    path = folder / name
    whole, wanted = path.read_bytes(), hospital.load(folder)
    draw = random.Random(7)
    refused = 0
    for position in draw.sample(range(len(whole)), 250):
        path.write_bytes(with_byte(path, position))
        try:
            found = hospital.load(folder)
        except ManifestError:
            refused += 1
            continue
        finally:
            path.write_bytes(whole)
        assert found.corrections.to_pylist() == wanted.corrections.to_pylist()
        assert found.refusals.to_pylist() == wanted.refusals.to_pylist()
    assert refused > 50


def test_a_table_that_is_gone_or_empty_is_refused(hospital, folder, capsys):
    for name in ("corrections.parquet", "refusals.parquet", "manifest.json"):
        path = folder / name
        whole = path.read_bytes()
        for torn in (None, b"", whole[: len(whole) // 2]):
            path.unlink()
            if torn is not None:
                path.write_bytes(torn)
            assert call(capsys, "apply", folder, "--in-place").code == 5
            path.write_bytes(whole)


def test_what_is_no_manifest_folder_is_said(tmp_path, capsys):
    for command in ("show", "verify"):
        said = call(capsys, command, tmp_path / "geen")
        assert said.code == 5
        assert "no manifest" in said.line


# --- approvals ----------------------------------------------------------------------------------


def test_an_approval_of_another_manifest_is_refused(hospital, folder, capsys):
    held = hospital.digests()
    other = hospital.plan(select=[("StudyInstanceUID", study_uid(0))])
    hospital.approve(other)
    shutil.rmtree(folder / "approvals")
    shutil.copytree(other.folder / "approvals", folder / "approvals")
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 5
    assert "another manifest" in said.line
    assert hospital.digests() == held


def test_approving_ones_own_manifest_is_refused(hospital, folder, capsys):
    said = call(capsys, "approve", folder, "--by", AUTHOR, "--key", hospital.key(AUTHOR))
    assert said.code == 5
    assert "by the author" in said.line


def test_one_person_twice_is_one_approval(hospital, folder, capsys):
    shutil.rmtree(folder / "approvals")
    for _ in range(2):
        key = hospital.key(APPROVERS[0])
        assert call(capsys, "approve", folder, "--by", APPROVERS[0], "--key", key).code == 0
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 5
    assert "1 of 2 approvals" in said.line
    unsigned = call(capsys, "approve", folder, "--by", APPROVERS[1])
    assert unsigned.code == 2
    assert "--key" in unsigned.line


@pytest.mark.parametrize("modes", [(), ("--dry-run", "--in-place"), ("--out", "x", "--in-place")])
def test_apply_without_one_mode_is_usage_and_nothing_happens(hospital, folder, capsys, modes):
    held = digests(hospital.out)
    said = call(capsys, "apply", folder, *modes)
    assert said.code == 2
    assert "--dry-run, --out DIR, --in-place" in said.line
    assert digests(hospital.out) == held


def test_a_missing_mode_is_said_even_where_there_is_no_manifest(tmp_path, capsys):
    assert call(capsys, "apply", tmp_path).code == 2


# --- full disks ---------------------------------------------------------------------------------


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
    for room in range(0, 15):
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


@pytest.mark.parametrize("limit", [0, 1, 700, 2_000, 5_000])
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


@pytest.mark.parametrize("limit", [500, 900, 4_000])
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
    found = hospital.digests()
    assert found.keys() == held.keys()
    for person in range(PEOPLE):
        changed = {path for path in hospital.study(person) if found[path] != held[path]}
        assert len(changed) in {0, 2}
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "rollback", folder).code == 0
    assert hospital.digests() == held


# --- interrupts ---------------------------------------------------------------------------------


def interrupted(process: subprocess.Popen, when, *, group: bool) -> Said:
    end = time.monotonic() + 60
    while not when() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError):
        # On a terminal, Ctrl-C goes to every process of the group.
        (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    return ended(process)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_during_a_crawl_ends_it_and_the_next_one_goes_on(demo, tmp_path, workers, capsys):
    out = tmp_path / "demo"
    shutil.copytree(
        demo,
        out,
        copy_function=os.link,
        ignore=shutil.ignore_patterns("inventory", "*.parquet", "state", "worklists", "keys"),
    )
    shutil.copytree(demo / "keys", out / "keys")
    shards = out / "inventory/shards/oost"
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    process = spawn("crawl", out / "job.toml", "--workers", workers, TMPDIR=str(scratch))
    said = interrupted(process, lambda: any(shards.glob("*/*/*")), group=workers > 1)
    assert said.code == 130
    # An empty line comes first, for a terminal that shows ^C.
    assert said.err.strip() == "remediation: interrupted: run the same command again to go on"
    assert list(scratch.iterdir()) == []
    assert not any((out / "archive").rglob(".remediation*"))
    assert call(capsys, "crawl", out / "job.toml", "--workers", 1).code == 3
    assert rows(Demo(out)) == rows(Demo(demo))


class Demo(Hospital):
    """The demo hospital, read as the small one is."""

    @property
    def output(self) -> Path:
        return self.out


def test_ctrl_c_during_an_apply_ends_it_whole_and_it_can_be_resumed(hospital, folder, capsys):
    held = hospital.digests()
    process = spawn("apply", folder, "--in-place")
    journal = hospital.output / "journal"
    said = interrupted(
        process,
        lambda: any(path.stat().st_size > 3_000 for path in journal.glob("*.jsonl")),
        group=False,
    )
    assert said.code in {0, 130}  # it may have been done already
    found = hospital.digests()
    assert found.keys() == held.keys()
    for person in range(PEOPLE):
        changed = {path for path in hospital.study(person) if found[path] != held[path]}
        assert len(changed) in {0, 2}
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "rollback", folder).code == 0
    assert hospital.digests() == held
