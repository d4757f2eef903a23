"""Rolling back: the old bytes, bit for bit, whole studies at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydicom import dcmread
from small_hospital import PEOPLE, STORED, digests, study_uid, touch

from remediation.errors import KeyFileError, LockedError, ManifestError, UsageError
from remediation.model.files import resolved
from remediation.model.running import utc_now
from remediation.stages import apply, approve, plan, rollback
from remediation.stages.apply import OUT
from remediation.store import rewrite
from remediation.store.files import IoError
from remediation.store.journal import journals
from remediation.store.locks import lock_root
from remediation.store.manifests import load
from remediation.tables.schemas import CORRECTIONS, REFUSALS

BACK = {"rolled-back": 2 * PEOPLE}


def test_after_a_rollback_every_file_has_its_old_bytes_and_time(hospital, manifest):
    before = hospital.digests()
    hospital.apply(manifest)
    assert hospital.digests() != before
    report = hospital.rollback(manifest)
    assert report.outcomes == BACK
    assert report.complete
    assert hospital.digests() == before
    assert {path.stat().st_mtime_ns for path in hospital.root.glob("*/*")} == {STORED}


def test_a_rollback_needs_no_approval_and_no_crosswalk(hospital, manifest):
    before = hospital.digests()
    hospital.apply(manifest)
    for path in (manifest.folder / "approvals").iterdir():
        path.unlink()
    (hospital.out / "epd/patienten.csv").unlink()
    assert hospital.rollback(manifest).complete
    assert hospital.digests() == before


def test_a_dry_run_says_what_would_come_back_and_writes_nothing(hospital, manifest):
    hospital.apply(manifest)
    before = hospital.digests()
    runs = journals(hospital.output / "journal")
    report = hospital.rollback(manifest, dry_run=True)
    assert report.outcomes == BACK
    assert hospital.digests() == before
    assert journals(hospital.output / "journal") == runs


def test_one_study_comes_back_whole_and_the_others_stay(hospital, manifest):
    before = hospital.digests()
    hospital.apply(manifest)
    report = hospital.rollback(manifest, studies=(study_uid(4),))
    assert report.outcomes == {"rolled-back": 2}
    after = hospital.digests()
    assert {path[:2] for path in before if after[path] == before[path]} == {"S4"}
    assert hospital.rollback(manifest).outcomes == {"rolled-back": 2 * PEOPLE - 2}
    assert hospital.digests() == before


@pytest.mark.parametrize("asked", [{"studies": ("1.2.3",)}, {"periods": ("geen",)}])
def test_what_does_not_stand_there_cannot_be_asked_back(hospital, manifest, asked):
    hospital.apply(manifest)
    before = hospital.digests()
    with pytest.raises(UsageError, match="nothing of that"):
        hospital.rollback(manifest, **asked)
    assert hospital.digests() == before


@pytest.mark.parametrize("change", ["head", "tail", "longer", "gone"])
def test_a_file_that_changed_since_is_left_alone_with_its_study(hospital, manifest, change):
    before = hospital.digests()
    hospital.apply(manifest)
    path, other = hospital.file(2, 0), hospital.file(2, 1)
    data = path.read_bytes()
    if change == "gone":
        path.unlink()
    elif change == "head":
        touch(path, data.replace(b"20110704", b"20110705"))
    elif change == "tail":
        touch(path, data[:-1] + b"\xee")
    else:
        touch(path, data + b"\0\0")
    held = path.read_bytes() if path.exists() else None
    kept = other.read_bytes()
    report = hospital.rollback(manifest)
    assert report.outcomes == {"drifted": 1, "refused": 1, "rolled-back": 2 * PEOPLE - 2}
    assert report.reasons["another-file-of-the-study"] == 1
    assert not report.complete
    assert (path.read_bytes() if path.exists() else None) == held
    assert other.read_bytes() == kept
    after = hospital.digests()
    assert all(after[name] == before[name] for name in before if not name.startswith("S2/"))


def test_a_touched_time_alone_does_not_keep_a_file_from_coming_back(hospital, manifest):
    before = hospital.digests()
    hospital.apply(manifest)
    touch(hospital.file(1), hospital.file(1).read_bytes(), 1_400_000_000_000_000_000)
    assert hospital.rollback(manifest).complete
    assert hospital.digests() == before


def test_a_file_that_a_backup_took_back_already_counts_as_done(hospital, manifest):
    before = hospital.digests()
    old = hospital.file(3).read_bytes()
    hospital.apply(manifest)
    touch(hospital.file(3), old)
    report = hospital.rollback(manifest)
    assert report.outcomes == {"already-applied": 1, "rolled-back": 2 * PEOPLE - 1}
    assert report.complete
    assert hospital.digests() == before


def test_what_was_never_applied_or_only_mirrored_cannot_be_rolled_back(
    hospital, manifest, tmp_path
):
    with pytest.raises(ManifestError, match="nothing of this manifest"):
        hospital.rollback(manifest)
    hospital.apply(manifest, OUT, out=tmp_path / "mirror")
    with pytest.raises(ManifestError, match="nothing of this manifest"):
        hospital.rollback(manifest)


def test_rolling_back_twice_finds_nothing_the_second_time(hospital, manifest):
    hospital.apply(manifest)
    hospital.rollback(manifest)
    with pytest.raises(ManifestError, match="nothing of this manifest"):
        hospital.rollback(manifest)


def test_apply_and_rollback_in_turn_end_where_they_began(hospital, manifest):
    before = hospital.digests()
    for turn in range(3):
        assert hospital.apply(manifest).outcomes == {"applied": 2 * PEOPLE}
        assert hospital.rollback(manifest).outcomes == BACK
        assert hospital.digests() == before
        hospital.approve(manifest, at=utc_now() + timedelta(seconds=2 + turn))


def test_the_order_of_runs_does_not_rest_on_the_clock(hospital, manifest):
    hospital.apply(manifest, run_id="20270101T000000Z-ffff")
    session = hospital.session()
    asked = session.rollback_options()
    # The clock was set back: this run's name comes before the one that it undoes.
    earlier = type(asked)(asked.output, asked.roots, "20200101T000000Z-0000", asked.now, "x")
    assert rollback.run(earlier, manifest, session.keys).outcomes == BACK
    with pytest.raises(ManifestError, match="nothing of this manifest"):
        hospital.rollback(manifest)


def test_the_other_key_opens_nothing(hospital, manifest):
    hospital.apply(manifest)
    before = hospital.digests()
    (hospital.out / "keys/klein.key").write_text("ab" * 32 + "\n")
    with pytest.raises(KeyFileError):
        hospital.rollback(manifest)
    assert hospital.digests() == before


def test_a_held_archive_is_left_alone(hospital, manifest):
    hospital.apply(manifest)
    with lock_root(hospital.root, "apply", in_place=False), pytest.raises(LockedError):
        hospital.rollback(manifest)


def test_a_job_without_the_archive_is_told(hospital, manifest):
    hospital.apply(manifest)
    hospital.edit('name = "noord"', 'name = "zuid"')
    with pytest.raises(ManifestError, match="another archive"):
        hospital.rollback(manifest)


def test_a_failing_share_stops_it_and_the_next_run_finishes(hospital, manifest, monkeypatch):
    before = hospital.digests()
    hospital.apply(manifest)

    def dead(*_: object) -> None:
        raise IoError("a file cannot be written", number=5)

    with monkeypatch.context() as patch:
        patch.setattr(rewrite, "_fill", dead)
        report = hospital.rollback(manifest)
    assert report.halt == "input-output"
    assert not report.complete
    assert hospital.rollback(manifest).complete
    assert hospital.digests() == before


def test_a_study_that_needs_a_person_keeps_a_rollback_from_being_complete(
    hospital, manifest, monkeypatch
):
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
    touch(hospital.file(2), b"neither old nor new")
    report = hospital.rollback(manifest)
    assert report.outcomes == {"failed": 2, "rolled-back": 4}
    assert report.reasons == {"needs-recover": 2}
    assert not report.complete


def test_what_came_back_is_read_by_another_library_as_before(hospital, manifest):
    hospital.apply(manifest)
    assert "OtherPatientIDsSequence" in dcmread(hospital.file(0))
    hospital.rollback(manifest)
    assert "OtherPatientIDsSequence" not in dcmread(hospital.file(0))


@pytest.mark.slow
def test_one_period_comes_back_and_the_others_stay(demo_copy, session_of):
    session = session_of(demo_copy)
    options = session.plan_options(author="Demo Maker")
    made = plan.run(options, session.crosswalk(), session.keys)
    manifest = load(made.folder, CORRECTIONS, REFUSALS)
    job = session.job
    public = {one.name: one.public_key for one in job.approvers}
    for number, name in enumerate(public, 1):
        key = demo_copy / f"keys/approver-{number}.key"
        said = approve.ApproveOptions(name, utc_now(), key, public, job.apply.approvals)
        approve.run(said, manifest)
    before = digests(demo_copy / "archive")
    wanted = session.apply_options("in-place", manifest)
    assert apply.run(wanted, manifest, session.crosswalk(), session.keys).complete
    applied = digests(demo_copy / "archive")
    files = {
        f"{row['archive']}/{resolved(row['path'], session.keys)}": row["period_id"]
        for row in manifest.corrections.to_pylist()
    }
    assert {name for name in before if applied[name] != before[name]} == files.keys()
    period = next(one for one in files.values() if one)
    inside = {name for name, one in files.items() if one == period}
    assert 0 < len(inside) < len(files)
    asked = session.rollback_options(periods=(period,))
    report = rollback.run(asked, manifest, session.keys)
    assert report.outcomes == {"rolled-back": len(inside)}
    after = digests(demo_copy / "archive")
    assert {name for name in files if after[name] == before[name]} == inside
    assert rollback.run(session.rollback_options(), manifest, session.keys).complete
    assert digests(demo_copy / "archive") == before
