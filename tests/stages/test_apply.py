"""Applying a manifest: what is written, and what is left alone."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from small_hospital import (
    BIRTHS,
    NUMBERS,
    PEOPLE,
    WORDS,
    digests,
    touch,
)

from remediation.model.issuers import BSN_OID
from remediation.stages import apply
from remediation.stages.apply import DRY_RUN, IN_PLACE, MISMATCH, OUT
from remediation.store.journal import journals

ALL = {"applied": 2 * PEOPLE}


def numbers_in(path: Path) -> list[str]:
    """Return the numbers with the BSN issuer, as another library reads them."""
    items = dcmread(path).get("OtherPatientIDsSequence", [])
    return [str(item.PatientID) for item in items if item.get("IssuerOfPatientID") == BSN_OID]


# --- modes ----------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_come_and_writes_nothing(hospital, manifest):
    before = digests(hospital.out)
    report = hospital.apply(manifest, DRY_RUN)
    assert report.outcomes == ALL
    assert report.complete
    assert digests(hospital.out) == before


def test_a_dry_run_needs_no_approval_and_no_statement(hospital, manifest):
    shutil.rmtree(manifest.folder / "approvals")
    assert hospital.apply(manifest, DRY_RUN, in_place_statement="").outcomes == ALL


def test_out_mirrors_the_corrected_files_and_leaves_the_archive_alone(hospital, manifest, tmp_path):
    before, mirror = hospital.digests(), tmp_path / "mirror"
    report = hospital.apply(manifest, OUT, out=mirror)
    assert report.outcomes == ALL
    assert hospital.digests() == before
    assert digests(mirror / "noord").keys() == before.keys()
    for person in range(PEOPLE):
        for instance in range(2):
            made = mirror / "noord" / hospital.file(person, instance).relative_to(hospital.root)
            assert numbers_in(made) == [NUMBERS[person]]


def test_in_place_writes_the_very_bytes_that_out_writes(hospital, manifest, tmp_path):
    hospital.apply(manifest, OUT, out=tmp_path / "mirror")
    assert hospital.apply(manifest).outcomes == ALL
    assert hospital.digests() == digests(tmp_path / "mirror/noord")


def test_out_again_changes_nothing_and_never_replaces_what_stands_there(
    hospital, manifest, tmp_path
):
    mirror = tmp_path / "mirror"
    hospital.apply(manifest, OUT, out=mirror)
    mine = mirror / "noord/S0/I0"
    mine.write_bytes(b"somebody's")
    report = hospital.apply(manifest, OUT, out=mirror)
    assert report.outcomes == {"already-applied": 2 * PEOPLE - 1, "refused": 1}
    assert report.reasons == {"destination-occupied": 1}
    assert mine.read_bytes() == b"somebody's"


def test_out_of_files_that_are_corrected_already_does_not_pass_for_done(
    hospital, manifest, tmp_path
):
    hospital.apply(manifest)
    report = hospital.apply(manifest, OUT, out=tmp_path / "mirror")
    assert not report.complete
    assert report.reasons == {"corrected-in-place": 2 * PEOPLE}


def test_the_time_and_mode_of_a_file_stay_as_they_were(hospital, manifest):
    hospital.file(0).chmod(0o640)
    before = hospital.file(0).stat()
    hospital.apply(manifest)
    after = hospital.file(0).stat()
    assert (after.st_mtime_ns, after.st_mode) == (before.st_mtime_ns, before.st_mode)
    assert after.st_size != before.st_size


def test_applying_twice_finds_everything_applied_already(hospital, manifest):
    hospital.apply(manifest)
    before = hospital.digests()
    report = hospital.apply(manifest)
    assert report.outcomes == {"already-applied": 2 * PEOPLE}
    assert report.complete
    assert hospital.digests() == before


def test_the_journal_says_who_under_whom_and_on_what_statement(hospital, manifest):
    hospital.apply(manifest)
    (path,) = journals(hospital.output / "journal")
    text = path.read_text()
    assert '"responsible":"PACS-beheer (test)"' in text
    assert manifest.manifest.in_place_statement in text
    assert manifest.manifest.digest in text
    assert not any(word in text for word in (*NUMBERS, *WORDS, *BIRTHS))
    assert path.stat().st_mode & 0o077 == 0


# --- the person check, now ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (f"{NUMBERS[2]};geverifieerd", f"{NUMBERS[2]};ingetrokken", "not-verified"),
        (f"702;{NUMBERS[2]}", f"702;{NUMBERS[5]}", "no-crosswalk-entry"),
        ("03-02-1952", "04-02-1952", "birth-date-clash"),
        (WORDS[2], "Heelanders", "name-clash"),
        ("1952;V", "1952;M", "sex-clash"),
        ("\n702;", "\n799;", "no-crosswalk-entry"),
        (f"{WORDS[2]};A.\n", f"{WORDS[2]};A.\n702;{NUMBERS[5]};geverifieerd;;;;\n", "two-numbers"),
        (WORDS[2], "", "unconfirmed-person"),
        ("03-02-1952", "", "unconfirmed-person"),
    ],
)
def test_a_crosswalk_that_says_otherwise_by_now_stops_the_run(hospital, manifest, old, new, reason):
    before = hospital.digests()
    hospital.edit_export(old, new)
    report = hospital.apply(manifest)
    assert report.halt == MISMATCH
    assert report.reasons == {reason: 1, "another-file-of-the-study": 1}
    assert not report.complete
    after = hospital.digests()
    changed = {path[:2] for path in before if after[path] != before[path]}
    assert changed == {"S0", "S1"}, "the study itself and those after it are untouched"


def test_a_dry_run_and_a_mirror_make_the_same_person_check(hospital, manifest, tmp_path):
    hospital.edit_export(f"{NUMBERS[2]};geverifieerd", f"{NUMBERS[2]};ingetrokken")
    for mode in (DRY_RUN, OUT):
        report = hospital.apply(manifest, mode, out=tmp_path / "mirror")
        assert report.reasons == {"not-verified": 2}
        assert report.outcomes == {"applied": 2 * PEOPLE - 2, "refused": 2}
    assert not (tmp_path / "mirror/noord/S2").exists()


# --- files that are not what was planned ----------------------------------------------------------


LATER = 1_400_000_000_000_000_000
DRIFTS = {
    "size-changed": lambda path: touch(path, path.read_bytes() + b"\0\0"),
    "mtime-changed": lambda path: touch(path, path.read_bytes(), LATER),
    "head-changed": lambda path: touch(path, path.read_bytes().replace(b"20110704", b"20110705")),
    "vanished": Path.unlink,
}


def untouched_but_written(hospital, before, person) -> None:
    """The study of one person is as it was left; all others are written."""
    after = hospital.digests()
    assert after.keys() == before.keys()
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {path for path in before if not path.startswith(f"S{person}/")}


@pytest.mark.parametrize("mode", [DRY_RUN, IN_PLACE])
@pytest.mark.parametrize("person", [0, 3])  # in the canary, and after it
@pytest.mark.parametrize("reason", list(DRIFTS))
def test_a_file_that_changed_since_the_plan_keeps_its_study_only_from_being_written(
    hospital, manifest, mode, reason, person
):
    DRIFTS[reason](hospital.file(person, 1))
    before = hospital.digests()
    report = hospital.apply(manifest, mode)
    assert report.outcomes == {"applied": 2 * PEOPLE - 2, "drifted": 1, "refused": 1}
    assert report.reasons == {reason: 1, "another-file-of-the-study": 1}
    assert not report.complete
    assert not report.halt
    if mode == IN_PLACE:
        untouched_but_written(hospital, before, person)
    else:
        assert hospital.digests() == before


def test_a_hard_linked_file_is_refused(hospital, manifest, tmp_path):
    os.link(hospital.file(4), tmp_path / "second-name")
    before = hospital.digests()
    report = hospital.apply(manifest)
    assert report.reasons == {"hard-link": 1, "another-file-of-the-study": 1}
    untouched_but_written(hospital, before, 4)
    assert (tmp_path / "second-name").samefile(hospital.file(4))


def test_a_link_in_the_place_of_a_file_is_not_followed(hospital, manifest, tmp_path):
    outside = tmp_path / "outside"
    hospital.file(4).rename(outside)
    hospital.file(4).symlink_to(outside)
    held = outside.read_bytes()
    report = hospital.apply(manifest)
    assert report.reasons == {"not-a-regular-file": 1, "another-file-of-the-study": 1}
    assert outside.read_bytes() == held
    assert hospital.file(4).is_symlink()


def test_a_link_in_the_place_of_a_folder_is_not_followed(hospital, manifest, tmp_path):
    shutil.move(hospital.root / "S4", tmp_path / "S4")
    (hospital.root / "S4").symlink_to(tmp_path / "S4")
    held = digests(tmp_path / "S4")
    report = hospital.apply(manifest)
    assert report.reasons == {"not-a-regular-file": 2}
    assert digests(tmp_path / "S4") == held


def test_a_fifo_in_the_place_of_a_file_does_not_hang_the_run(hospital, manifest):
    hospital.file(4).unlink()
    os.mkfifo(hospital.file(4))
    report = hospital.apply(manifest)
    assert report.reasons == {"not-a-regular-file": 1, "another-file-of-the-study": 1}
    assert report.outcomes["applied"] == 2 * PEOPLE - 2


def test_a_second_reader_that_disagrees_refuses_the_study(hospital, manifest, monkeypatch):
    monkeypatch.setattr(apply, "second_opinion", lambda _old, _new: False)
    before = hospital.digests()
    report = hospital.apply(manifest)
    assert set(report.reasons) == {"second-reader-disagrees", "another-file-of-the-study"}
    assert hospital.digests() == before


def test_a_result_that_is_not_the_planned_one_is_never_written(hospital, manifest):
    rows = manifest.corrections.to_pylist()
    for row in rows:
        row["result_digest"] = "0" * 64
    table = manifest.corrections.from_pylist(rows, schema=manifest.corrections.schema)
    before = hospital.digests()
    report = hospital.apply(replace(manifest, corrections=table))
    assert set(report.reasons) == {"result-not-as-planned", "another-file-of-the-study"}
    assert hospital.digests() == before
