"""Review: studies taken out of a plan; the new manifest is linked to the old, and replaces it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from small_hospital import APPROVERS, AUTHOR, NUMBERS, PEOPLE, study_uid

from remediation.app.config import load_job
from remediation.errors import KeyFileError, ManifestError, UsageError
from remediation.model.manifest import EXCLUDED
from remediation.stages import approve, review
from remediation.stages.apply import DRY_RUN, OUT
from remediation.store import datasets, manifests
from remediation.tables.schemas import CORRECTIONS

WHY = "hoort bij een lopend onderzoek"


def reviewed(hospital, manifest, *exclude, by=APPROVERS[2], key=None, why=WHY, **more):
    job = load_job(hospital.job)
    public = {one.name: one.public_key for one in job.approvers}
    at = more.pop("at", datetime.now(UTC))
    options = review.ReviewOptions(by, why, at, hospital.output, exclude, approvers=public, key=key)
    for name, value in more.items():
        options = replace(options, **{name: value})
    return hospital.load(review.run(options, manifest).folder)


def with_periods(hospital, manifest):
    """Return a manifest like this one, of which two studies lie in a period."""
    rows = manifest.corrections.to_pylist()
    for row in rows:
        row["period_id"] = "1a2b3c4d" if row["StudyInstanceUID"] < study_uid(2) else None
    table = manifest.corrections.from_pylist(rows, schema=manifest.corrections.schema)
    return manifests.keep(manifest.folder.parent, manifest.manifest, table, manifest.refusals)


def test_a_study_is_taken_out_whole_and_stands_among_the_refusals(hospital, manifest):
    made = reviewed(hospital, manifest, study_uid(1))
    left = {row["StudyInstanceUID"] for row in made.corrections.to_pylist()}
    assert left == {study_uid(person) for person in range(PEOPLE)} - {study_uid(1)}
    assert made.refusals.to_pylist() == [
        {"StudyInstanceUID": study_uid(1), "archive": "noord", "reason": EXCLUDED, "instances": 2}
    ]
    assert made.manifest.counts == {"files": 10, "studies": 5, "refused": 1}


def test_nothing_else_of_the_plan_changes(hospital, manifest):
    made = reviewed(hospital, manifest, study_uid(1))
    rows = manifest.corrections.to_pylist()
    assert made.corrections.to_pylist() == [
        r for r in rows if r["StudyInstanceUID"] != study_uid(1)
    ]
    old, new = (json.loads(one.raw) for one in (manifest, made))
    changed = {key for key in new if new[key] != old.get(key)}
    assert changed == {"counts", "digest", "manifest_id", "parent", "reviews"}


def test_the_decision_is_data_with_who_when_why_and_what(hospital, manifest):
    at = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    made = reviewed(hospital, manifest, study_uid(1), study_uid(0), at=at).manifest
    assert (made.parent.manifest_id, made.parent.digest) == (
        *(manifest.manifest.manifest_id,),
        manifest.manifest.digest,
    )
    (one,) = made.reviews
    assert (one.by, one.at, one.why) == (APPROVERS[2], "2026-12-01T09:30:00+00:00", WHY)
    assert (one.excluded, one.studies, one.files) == ((study_uid(0), study_uid(1)), 2, 4)


def test_only_a_period_is_kept(hospital, manifest):
    planned = with_periods(hospital, manifest)
    made = reviewed(hospital, planned, only_periods=("1a2b3c4d",))
    assert made.manifest.counts == {"files": 4, "studies": 2, "refused": 4}
    assert made.manifest.reviews[0].only_periods == ("1a2b3c4d",)
    assert {row["period_id"] for row in made.corrections.to_pylist()} == {"1a2b3c4d"}


def test_a_review_of_a_review_keeps_both_decisions_and_links_to_the_last(hospital, manifest):
    first = reviewed(hospital, manifest, study_uid(0))
    second = reviewed(hospital, first, study_uid(1), by=APPROVERS[1])
    assert [one.by for one in second.manifest.reviews] == [APPROVERS[2], APPROVERS[1]]
    assert second.manifest.parent.digest == first.manifest.digest
    assert second.manifest.counts == {"files": 8, "studies": 4, "refused": 2}


# --- in place of the old one ----------------------------------------------------------------------


def test_it_needs_approvals_of_its_own_and_then_writes_what_is_left(hospital, manifest):
    before = hospital.digests()
    made = reviewed(hospital, manifest, study_uid(1))
    with pytest.raises(ManifestError, match="0 of 2"):
        hospital.apply(made)
    hospital.approve(made)
    assert hospital.apply(made).outcomes == {"applied": 2 * PEOPLE - 2}
    assert {path: one for path, one in before.items() if path.startswith("S1/")} == hospital.study(
        1
    )


@pytest.mark.parametrize("lost", [(), ("mark",), ("mark", "new"), ("mark", "state")])
def test_the_old_one_is_neither_approved_nor_applied_any_more(hospital, manifest, tmp_path, lost):
    """Its approvals were good; and whoever takes one trace of the review away changes nothing."""
    made = reviewed(hospital, manifest, study_uid(1))
    if "mark" in lost:
        (manifest.folder / "superseded.json").unlink()
    if "new" in lost:
        shutil.rmtree(made.folder)
    if "state" in lost:
        shutil.rmtree(hospital.output / "state" / "taken-back")
    before = hospital.digests()
    for mode in (None, OUT):
        with pytest.raises(ManifestError, match=f"superseded.*use {made.manifest.manifest_id}"):
            hospital.apply(manifest, *([mode] if mode else []), out=tmp_path / "spiegel")
    if lost != ("mark", "new"):
        with pytest.raises(ManifestError, match="superseded"):
            hospital.apply(manifest, DRY_RUN)
    said = approve.ApproveOptions(
        APPROVERS[2],
        datetime.now(UTC),
        hospital.key(APPROVERS[2]),
        {one.name: one.public_key for one in load_job(hospital.job).approvers},
        2,
        hospital.output,
    )
    with pytest.raises(ManifestError, match="superseded"):
        approve.run(said, manifest)
    with pytest.raises(ManifestError, match="superseded"):
        reviewed(hospital, manifest, study_uid(2))
    assert hospital.digests() == before


def test_what_the_old_one_wrote_before_can_still_be_rolled_back(hospital, manifest):
    before = hospital.digests()
    assert hospital.apply(manifest, canary=4, pause_after_canary=True).halt == "canary"
    made = reviewed(hospital, manifest, study_uid(5))
    hospital.approve(made)
    assert hospital.apply(made).outcomes == {"already-applied": 4, "applied": 2 * PEOPLE - 6}
    for one in (made, manifest):
        assert hospital.rollback(one).complete
    assert hospital.digests() == before


def test_approvals_of_the_old_one_are_none_of_the_new_one(hospital, manifest):
    made = reviewed(hospital, manifest, study_uid(1))
    shutil.copytree(manifest.folder / "approvals", made.folder / "approvals")
    with pytest.raises(ManifestError, match="another manifest"):
        hospital.apply(made)


def test_the_author_of_the_plan_cannot_approve_what_is_left_of_it(hospital, manifest):
    made = reviewed(hospital, manifest, study_uid(1), by=AUTHOR)
    with pytest.raises(ManifestError, match="by the author"):
        hospital.approve(made, [AUTHOR])


# --- signed ---------------------------------------------------------------------------------------


def test_a_signed_decision_is_checked_before_anything_is_written(hospital, manifest):
    made = reviewed(hospital, manifest, study_uid(1), key=hospital.key(APPROVERS[2]))
    hospital.approve(made)
    path = made.folder / "review.minisig"
    whole = path.read_text()
    for text in (whole.replace(APPROVERS[2], APPROVERS[0]), whole[:-5], "", None):
        path.unlink()
        if text is not None:
            path.write_text(text)
        with pytest.raises(ManifestError, match="review's signature"):
            hospital.apply(made)
        path.write_text(whole)
    assert hospital.apply(made).complete


def test_the_signature_of_a_decision_approves_nothing(hospital, manifest):
    made = reviewed(hospital, manifest, study_uid(1), key=hospital.key(APPROVERS[2]))
    (made.folder / "approvals").mkdir()
    shutil.copy(made.folder / "review.minisig", made.folder / "approvals" / "iemand.minisig")
    with pytest.raises(ManifestError, match="not an approval"):
        hospital.apply(made)


def test_somebody_elses_key_signs_no_decision(hospital, manifest):
    with pytest.raises(ManifestError, match="not this approver's key"):
        reviewed(hospital, manifest, study_uid(1), key=hospital.key(APPROVERS[0]))
    with pytest.raises(ManifestError, match="not an approver"):
        reviewed(hospital, manifest, study_uid(1), by="Vreemd", key=hospital.key(APPROVERS[0]))
    with pytest.raises(KeyFileError):
        reviewed(hospital, manifest, study_uid(1), key=hospital.job)
    manifests.newest(manifest, hospital.output)


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exclude", "more", "match"),
    [
        ((), {}, "takes nothing out"),
        (("1.2.3",), {}, "no such study"),
        ((study_uid(0),), {"only_periods": ("1a2b3c4d",)}, "no such period"),
        (tuple(study_uid(person) for person in range(PEOPLE)), {}, "nothing would be left"),
        ((study_uid(0),), {"why": ""}, "a line of text"),
        ((study_uid(0),), {"why": f"patient {NUMBERS[0]}"}, "number or date"),
        ((study_uid(0),), {"why": "nummer 12345678"}, "number or date"),
        ((study_uid(0),), {"by": f"A {NUMBERS[0]}"}, "number or date"),
        ((study_uid(0),), {"by": " "}, "a line of text"),
    ],
)
def test_what_is_no_decision_is_refused_and_the_plan_stays(
    hospital, manifest, exclude, more, match
):
    with pytest.raises(UsageError, match=match) as caught:
        reviewed(hospital, manifest, *exclude, **more)
    assert not any(number in str(caught.value) for number in NUMBERS)
    assert hospital.load() == manifest or hospital.load().raw == manifest.raw
    assert hospital.apply(manifest).complete


def test_an_expired_or_spent_manifest_is_not_reviewed(hospital, manifest):
    with pytest.raises(ManifestError, match="expired"):
        reviewed(hospital, manifest, study_uid(0), at=datetime.now(UTC) + timedelta(days=91))
    hospital.apply(manifest)
    with pytest.raises(ManifestError, match="spent"):
        reviewed(hospital, manifest, study_uid(0))


def test_nobodys_number_gets_into_what_a_review_writes(hospital, manifest):
    made = reviewed(hospital, manifest, study_uid(1), key=hospital.key(APPROVERS[2]))
    told = b"".join(path.read_bytes() for path in made.folder.rglob("*") if path.is_file())
    told += (manifest.folder / "superseded.json").read_bytes()
    assert not any(number.encode() in told for number in NUMBERS)
    key_id = made.manifest.key_id
    table = datasets.read(made.folder / "corrections.parquet", CORRECTIONS, key_id, "plan")
    assert not any(number in str(table.to_pylist()) for number in NUMBERS)
