"""Applying a manifest: what it takes, what it writes, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import dcmread
from small_hospital import (
    APPROVERS,
    BIRTHS,
    NUMBERS,
    PEOPLE,
    WORDS,
    digests,
    study_uid,
    touch,
)

from remediation.errors import KeyFileError, LockedError, ManifestError, ShareError, UsageError
from remediation.model.issuers import BSN_OID
from remediation.model.running import utc_now
from remediation.stages import apply
from remediation.stages.apply import DRY_RUN, IN_PLACE, MISMATCH, OUT, PAUSED, UNVERIFIED
from remediation.store import rewrite
from remediation.store.files import IoError
from remediation.store.journal import Journal, Type, journals
from remediation.store.locks import MARKER, lock_root

ALL = {"applied": 2 * PEOPLE}


def numbers_in(path: Path) -> list[str]:
    """Return the numbers with the BSN issuer, as another library reads them."""
    items = dcmread(path).get("OtherPatientIDsSequence", [])
    return [str(item.PatientID) for item in items if item.get("IssuerOfPatientID") == BSN_OID]


def nothing_written(hospital, before) -> bool:
    return hospital.digests() == before and journals(hospital.output / "journal") == []


# --- modes --------------------------------------------------------------------------------------


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


# --- conditions ---------------------------------------------------------------------------------


def test_in_place_is_refused_without_a_statement_in_the_job(hospital, manifest):
    before = hospital.digests()
    with pytest.raises(UsageError, match="statement"):
        hospital.apply(manifest, in_place_statement="")
    assert nothing_written(hospital, before)


def test_in_place_is_refused_where_the_statement_came_after_the_plan(hospital):
    said = hospital.load().manifest.in_place_statement
    hospital.edit(said, "")
    manifest = hospital.plan()
    hospital.edit('in_place_statement = ""', f'in_place_statement = "{said}"')
    hospital.approve(manifest)
    before = hospital.digests()
    with pytest.raises(UsageError, match="statement"):
        hospital.apply(manifest)
    assert nothing_written(hospital, before)


def test_the_exchange_placement_is_never_written_in_place_but_can_be_mirrored(hospital, tmp_path):
    manifest = hospital.plan(target="exchange")
    hospital.approve(manifest)
    before = hospital.digests()
    with pytest.raises(UsageError, match="exchange"):
        hospital.apply(manifest)
    assert nothing_written(hospital, before)
    assert hospital.apply(manifest, OUT, out=tmp_path / "mirror").complete
    data = dcmread(tmp_path / "mirror/noord/S3/I1")
    assert (data.PatientID, data.IssuerOfPatientID) == (NUMBERS[3], BSN_OID)


@pytest.mark.parametrize("mode", [OUT, IN_PLACE])
@pytest.mark.parametrize("kept", [0, 1])
def test_too_few_approvals_are_refused(hospital, manifest, tmp_path, mode, kept):
    for path in sorted((manifest.folder / "approvals").iterdir())[kept:]:
        path.unlink()
    before = hospital.digests()
    with pytest.raises(ManifestError, match=f"{kept} of 2 approvals"):
        hospital.apply(manifest, mode, out=tmp_path / "mirror")
    assert nothing_written(hospital, before)
    assert not (tmp_path / "mirror").exists()


def test_an_expired_manifest_is_refused_on_its_last_day_it_is_not(hospital, manifest):
    later = utc_now() + timedelta(days=91)
    before = hospital.digests()
    with pytest.raises(ManifestError, match="expired"):
        hospital.apply(manifest, DRY_RUN, now=later)
    with pytest.raises(ManifestError, match="expired"):
        hospital.apply(manifest, now=later)
    assert nothing_written(hospital, before)
    assert hospital.apply(manifest, now=utc_now() + timedelta(days=89)).complete


def test_a_manifest_of_another_archive_of_the_same_name_is_refused(hospital, manifest):
    before = hospital.digests()
    with pytest.raises(ManifestError, match="another archive"):
        hospital.apply(manifest, archive_ids={"noord": "0" * 32})
    with pytest.raises(ManifestError, match="another archive"):
        hospital.apply(manifest, DRY_RUN, archive_ids={})
    assert nothing_written(hospital, before)


def test_the_archive_id_lies_in_the_jobs_state_and_a_new_one_fits_no_old_manifest(
    hospital, manifest
):
    (hospital.output / "state/archives.json").unlink()
    with pytest.raises(ManifestError, match="another archive"):
        hospital.apply(manifest)


def test_another_key_is_refused(hospital, manifest):
    (hospital.out / "keys/klein.key").write_text("ab" * 32 + "\n")
    before = hospital.digests()
    with pytest.raises(KeyFileError, match="another key"):
        hospital.apply(manifest)
    assert nothing_written(hospital, before)


def test_more_files_than_the_limit_are_refused_in_place(hospital, manifest):
    before = hospital.digests()
    with pytest.raises(UsageError, match="max_files"):
        hospital.apply(manifest, max_files=2 * PEOPLE - 1)
    assert nothing_written(hospital, before)


def test_a_missing_share_is_said_and_nothing_is_done(hospital, manifest):
    hospital.root.rename(hospital.out / "weg")
    with pytest.raises(ShareError):
        hospital.apply(manifest)
    assert digests(hospital.out / "weg").keys() == {
        f"S{person}/I{instance}" for person in range(PEOPLE) for instance in range(2)
    }


# --- the person check, now ----------------------------------------------------------------------


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


# --- files that are not what was planned --------------------------------------------------------


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


# --- the canary, stops --------------------------------------------------------------------------


def test_the_run_pauses_after_whole_canary_studies_and_goes_on_when_told(hospital, manifest):
    before = hospital.digests()
    report = hospital.apply(manifest, pause_after_canary=True, canary=3)
    assert report.halt == PAUSED
    assert report.outcomes == {"applied": 4}
    assert not report.complete
    after = hospital.digests()
    assert {path[:2] for path in before if after[path] != before[path]} == {"S0", "S1"}
    again = hospital.apply(manifest, pause_after_canary=True, canary=3)
    assert again.outcomes == {"already-applied": 4}
    assert again.halt == PAUSED, "not told to go on, it stays where it is"
    on = hospital.apply(manifest, pause_after_canary=True, canary=3, go_on=True)
    assert on.outcomes == {"already-applied": 4, "applied": 2 * PEOPLE - 4}
    assert on.complete


@pytest.mark.parametrize("canary", [3, 20])
def test_a_canary_that_does_not_read_as_promised_stops_the_run(
    hospital, manifest, monkeypatch, canary
):
    monkeypatch.setattr(apply, "stands", lambda *_: set())
    report = hospital.apply(manifest, canary=canary)
    assert report.halt == UNVERIFIED
    assert report.outcomes["applied"] == min(4 if canary == 3 else 20, 2 * PEOPLE)
    assert not report.complete


def test_there_is_no_pause_after_the_last_study(hospital, manifest):
    report = hospital.apply(manifest, pause_after_canary=True, canary=2 * PEOPLE + 1)
    assert report.complete


def test_three_failing_files_stop_the_run_and_nothing_of_them_is_written(
    hospital, manifest, monkeypatch
):
    def full(*_: object) -> None:
        raise IoError("a file cannot be written", number=28)

    monkeypatch.setattr(rewrite, "_fill", full)
    before = hospital.digests()
    report = hospital.apply(manifest)
    assert report.halt == "no-space"
    assert report.reasons["no-space"] == 3
    assert report.outcomes == {"failed": 3, "refused": 3}
    assert hospital.digests() == before


def test_a_journal_that_cannot_be_written_stops_the_run_before_any_file(
    hospital, manifest, monkeypatch
):
    whole = Journal.append

    def torn(self, kind, body):
        if kind is Type.INTENT:
            self.broken = True
            raise IoError("a file cannot be written", number=28)
        return whole(self, kind, body)

    monkeypatch.setattr(Journal, "append", torn)
    before = hospital.digests()
    report = hospital.apply(manifest)
    assert report.halt == "journal-not-written"
    assert hospital.digests() == before


# --- locks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [OUT, IN_PLACE])
def test_a_held_archive_is_left_alone_and_its_holder_named(hospital, manifest, tmp_path, mode):
    before = hospital.digests()
    with (
        lock_root(hospital.root, "crawl", in_place=False),
        pytest.raises(LockedError, match=rf"crawl on .*pid {os.getpid()}"),
    ):
        hospital.apply(manifest, mode, out=tmp_path / "mirror")
    assert nothing_written(hospital, before)


def test_the_lock_lies_in_the_root_only_while_it_is_written(hospital, manifest):
    seen = []
    report = hospital.apply(
        manifest, advance=lambda _: seen.append((hospital.root / MARKER).exists())
    )
    assert report.complete
    assert seen == [True] * PEOPLE
    assert not (hospital.root / MARKER).exists()


def test_a_mirror_leaves_no_marker_in_the_archive(hospital, manifest, tmp_path):
    seen = []
    hospital.apply(
        manifest,
        OUT,
        out=tmp_path / "mirror",
        advance=lambda _: seen.append((hospital.root / MARKER).exists()),
    )
    assert seen == [False] * PEOPLE


# --- spent, rolled back -------------------------------------------------------------------------


def test_after_a_complete_rollback_the_old_approvals_count_no_more(hospital, manifest):
    before = hospital.digests()
    hospital.apply(manifest)
    assert hospital.rollback(manifest).complete
    with pytest.raises(ManifestError, match="rolled back since"):
        hospital.apply(manifest)
    assert hospital.digests() == before
    hospital.approve_anew(manifest)
    assert hospital.apply(manifest).outcomes == ALL


def test_one_new_approval_of_two_is_not_enough_after_a_rollback(hospital, manifest):
    hospital.apply(manifest)
    hospital.rollback(manifest)
    hospital.approve(manifest, APPROVERS[:1], at=utc_now() + timedelta(seconds=2))
    with pytest.raises(ManifestError, match="rolled back since"):
        hospital.apply(manifest)


def test_two_others_can_approve_anew_though_old_approvals_lie_there_still(hospital, manifest):
    hospital.apply(manifest)
    hospital.rollback(manifest)
    hospital.approve(manifest, (APPROVERS[0], APPROVERS[2]), at=utc_now() + timedelta(seconds=2))
    assert hospital.apply(manifest).outcomes == ALL


def test_a_rollback_study_by_study_is_a_complete_one_in_the_end(hospital, manifest):
    hospital.apply(manifest)
    for person in range(PEOPLE):
        assert hospital.rollback(manifest, studies=(study_uid(person),)).complete
    with pytest.raises(ManifestError, match="rolled back since"):
        hospital.apply(manifest)


def test_a_rollback_in_part_leaves_the_approvals_in_force(hospital, manifest):
    hospital.apply(manifest)
    hospital.rollback(manifest, studies=(study_uid(1),))
    assert hospital.apply(manifest).outcomes == {"already-applied": 2 * PEOPLE - 2, "applied": 2}


# --- interrupted runs ---------------------------------------------------------------------------


def test_an_interrupt_puts_the_study_back_and_the_next_run_goes_on(hospital, manifest, monkeypatch):
    whole, calls = rewrite.switch, []

    def stopped(staged):
        calls.append(staged)
        if len(calls) == 6:
            raise KeyboardInterrupt
        whole(staged)

    before = hospital.digests()
    with monkeypatch.context() as patch:
        patch.setattr(rewrite, "switch", stopped)
        with pytest.raises(KeyboardInterrupt):
            hospital.apply(manifest)
    after = hospital.digests()
    assert {path[:2] for path in before if after[path] != before[path]} == {"S0", "S1"}
    assert after.keys() == before.keys()
    assert hospital.apply(manifest).outcomes == {"already-applied": 4, "applied": 2 * PEOPLE - 4}


def test_what_an_interrupted_run_left_is_settled_before_anything_else(
    hospital, manifest, monkeypatch
):
    leave_half(hospital, manifest, monkeypatch)
    assert any(".remediation-" in path for path in hospital.digests())
    assert hospital.apply(manifest).outcomes == {"already-applied": 4, "applied": 2 * PEOPLE - 4}
    assert not any(".remediation-" in path for path in hospital.digests())


def test_what_needs_a_person_stops_the_next_run(hospital, manifest, monkeypatch):
    leave_half(hospital, manifest, monkeypatch)
    stranger = hospital.file(2, 0)
    touch(stranger, b"neither old nor new")
    before = hospital.digests()
    with pytest.raises(ShareError, match="needs a person"):
        hospital.apply(manifest)
    assert hospital.digests() == before


def leave_half(hospital, manifest, monkeypatch) -> None:
    """Stop a run in its third study as a kill would: one file switched, nothing put back."""
    whole, calls = rewrite.switch, []

    class Killed(BaseException):
        pass

    def stopped(staged):
        calls.append(staged)
        if len(calls) == 6:
            raise Killed
        whole(staged)

    with monkeypatch.context() as patch:
        patch.setattr(rewrite, "switch", stopped)
        patch.setattr("remediation.store.study.StudyWriter._withdrawn", lambda *_: None)
        with pytest.raises(Killed):
            hospital.apply(manifest)


def test_a_mirror_does_not_settle_what_was_interrupted_in_the_archive(
    hospital, manifest, monkeypatch, tmp_path
):
    leave_half(hospital, manifest, monkeypatch)
    before = hospital.digests()
    with pytest.raises(ShareError, match="not settled"):
        hospital.apply(manifest, OUT, out=tmp_path / "mirror")
    assert hospital.digests() == before
