"""What applying takes: a statement, approvals, the right archive and key, and time left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydicom import dcmread
from small_hospital import (
    APPROVERS,
    NUMBERS,
    PEOPLE,
    digests,
    study_uid,
)

from remediation.errors import KeyFileError, ManifestError, ShareError, UsageError
from remediation.model.issuers import BSN_OID
from remediation.model.running import utc_now
from remediation.stages import approve
from remediation.stages.apply import DRY_RUN, IN_PLACE, OUT
from remediation.store.journal import journals

ALL = {"applied": 2 * PEOPLE}


def nothing_written(hospital, before) -> bool:
    return hospital.digests() == before and journals(hospital.output / "journal") == []


# --- conditions -----------------------------------------------------------------------------------


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


# --- spent, rolled back ---------------------------------------------------------------------------


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


def test_one_who_signed_before_a_rollback_can_approve_unsigned_after_it(hospital, manifest):
    alone = {"approvers": {}, "required": 1, "author_key": None}
    hospital.apply(manifest, **alone)
    hospital.rollback(manifest)
    with pytest.raises(ManifestError, match="rolled back since"):
        hospital.apply(manifest, **alone)
    when = utc_now() + timedelta(seconds=2)
    approve.run(approve.ApproveOptions(APPROVERS[0], when), manifest)
    assert hospital.apply(manifest, **alone).outcomes == ALL


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
