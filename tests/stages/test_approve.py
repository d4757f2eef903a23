"""Approving a manifest: who may, with which key, and what an approval is bound to."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from small_hospital import APPROVERS, AUTHOR, NUMBERS, study_uid

from remediation.app.config import load_job
from remediation.errors import KeyFileError, ManifestError, UsageError
from remediation.model.minisign import new_key_pair
from remediation.stages import approve, show
from remediation.store.permission import approved

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def fresh(hospital):
    """Return the hospital with its manifest not yet approved."""
    shutil.rmtree(hospital.load().folder / "approvals")
    return hospital


def options(hospital, by, key=None, **changes):
    public = {one.name: one.public_key for one in load_job(hospital.job).approvers}
    said = approve.ApproveOptions(by, NOW, key, public, 2)
    return replace(said, **changes)


def counted(hospital, manifest, **changes):
    """Raise what apply would raise for want of approvals."""
    conditions = hospital.session().apply_options("out", manifest, out=hospital.out).conditions
    approved(replace(conditions, **changes), manifest, hospital.output, NOW + timedelta(days=1))


def approvals(manifest):
    return sorted(path.name for path in (manifest.folder / "approvals").glob("*"))


def test_two_people_with_two_keys_are_enough_and_one_is_not(fresh):
    manifest = fresh.load()
    report = approve.run(options(fresh, APPROVERS[0], fresh.key(APPROVERS[0])), manifest)
    assert report.signed
    with pytest.raises(ManifestError, match="1 of 2"):
        counted(fresh, manifest)
    approve.run(options(fresh, APPROVERS[1], fresh.key(APPROVERS[1])), manifest)
    counted(fresh, manifest)


def test_the_same_person_twice_counts_once(fresh):
    manifest = fresh.load()
    for _ in range(2):
        approve.run(options(fresh, APPROVERS[0], fresh.key(APPROVERS[0])), manifest)
    approve.run(options(fresh, APPROVERS[0].upper(), fresh.key(APPROVERS[0])), manifest)
    with pytest.raises(ManifestError, match="1 of 2"):
        counted(fresh, manifest)


def test_the_same_key_under_two_names_counts_once(fresh):
    manifest, key = fresh.load(), fresh.key(APPROVERS[0])
    said = options(fresh, APPROVERS[0], key, approvers={})
    approve.run(said, manifest)
    approve.run(replace(said, by="Iemand Anders"), manifest)
    assert len(approvals(manifest)) == 2
    with pytest.raises(ManifestError, match="1 of 2"):
        counted(fresh, manifest, approvers={}, author_key=None)


@pytest.mark.parametrize("name", [AUTHOR, AUTHOR.upper(), f"  {AUTHOR.replace(' ', '   ')} "])
def test_the_author_cannot_approve_however_the_name_is_spelled(fresh, name):
    manifest = fresh.load()
    with pytest.raises(ManifestError, match="by the author"):
        approve.run(options(fresh, name, fresh.key(AUTHOR)), manifest)
    assert approvals(manifest) == []


def test_the_authors_key_cannot_approve_under_another_name(fresh):
    manifest = fresh.load()
    with pytest.raises(ManifestError, match="author's key"):
        approve.run(options(fresh, APPROVERS[0], fresh.key(AUTHOR)), manifest)
    assert approvals(manifest) == []


def test_somebody_whom_the_job_does_not_name_cannot_approve(fresh):
    manifest = fresh.load()
    with pytest.raises(ManifestError, match="not an approver"):
        approve.run(options(fresh, "Vreemde Eend", fresh.key(APPROVERS[0])), manifest)


def test_another_approvers_key_does_not_pass_for_ones_own(fresh):
    manifest = fresh.load()
    with pytest.raises(ManifestError, match="not this approver's key"):
        approve.run(options(fresh, APPROVERS[0], fresh.key(APPROVERS[1])), manifest)


def test_without_a_key_an_approval_is_refused_where_the_job_asks_for_signatures(fresh):
    manifest = fresh.load()
    with pytest.raises(UsageError, match="signed"):
        approve.run(options(fresh, APPROVERS[0]), manifest)
    with pytest.raises(UsageError, match="signed"):
        approve.run(options(fresh, APPROVERS[0], approvers={}, required=2), manifest)
    assert approvals(manifest) == []


def test_an_unsigned_record_is_enough_where_the_job_asks_for_one_and_names_nobody(fresh):
    manifest = fresh.load()
    report = approve.run(options(fresh, "Iemand", approvers={}, required=1), manifest)
    assert not report.signed
    counted(fresh, manifest, approvers={}, required=1, author_key=None)
    with pytest.raises(ManifestError, match="not signed"):
        counted(fresh, manifest)
    with pytest.raises(ManifestError, match="by the author"):
        approve.run(options(fresh, AUTHOR, approvers={}, required=1), manifest)


@pytest.mark.parametrize("fault", ["missing", "open", "text"])
def test_a_bad_signing_key_is_said(fresh, fault):
    path = fresh.key(APPROVERS[0])
    if fault == "missing":
        path.unlink()
    elif fault == "open":
        path.chmod(0o644)
    else:
        path.write_text("geen sleutel\n")
    with pytest.raises(KeyFileError) as caught:
        approve.run(options(fresh, APPROVERS[0], path), fresh.load())
    assert "geen sleutel" not in str(caught.value)
    assert approvals(fresh.load()) == []


def test_an_approval_of_another_manifest_stops_the_run(fresh):
    first = fresh.load()
    other = fresh.plan(select=[("StudyInstanceUID", study_uid(0))])
    assert other.folder != first.folder
    fresh.approve(other, at=NOW)
    shutil.copytree(other.folder / "approvals", first.folder / "approvals")
    with pytest.raises(ManifestError, match="another manifest"):
        counted(fresh, first)
    counted(fresh, other)


def test_an_approval_lies_with_the_manifest_and_is_readable_for_who_applies(fresh):
    manifest = fresh.load()
    path = approve.run(options(fresh, APPROVERS[0], fresh.key(APPROVERS[0])), manifest).path
    assert path.parent == manifest.folder / "approvals"
    assert path.stat().st_mode & 0o777 == 0o644
    secret = fresh.key(APPROVERS[0]).read_text().splitlines()[-1]
    assert len(secret) > 64
    assert secret not in path.read_text()


def test_every_byte_of_a_signed_approval_counts(fresh):
    manifest = fresh.load()
    for name in APPROVERS[:2]:
        path = approve.run(options(fresh, name, fresh.key(name)), manifest).path
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        torn = bytearray(whole)
        torn[position] ^= 1
        path.write_bytes(bytes(torn))
        try:
            counted(fresh, manifest)
        except ManifestError:
            continue
        # The first line of the format is a comment that is not signed.
        assert position < whole.index(b"\n") + 1, f"byte {position} does not count"


# --- taken back -----------------------------------------------------------------------------------


def revoke(hospital, manifest, which, by, key=None, *, why="bij nader inzien"):
    said = options(hospital, by, key and hospital.key(key), output=hospital.output)
    return approve.revoke(replace(said, at=NOW + timedelta(hours=1)), manifest, which, why)


@pytest.fixture
def both(fresh):
    """Return the hospital, its manifest approved by two people at NOW."""
    manifest = fresh.load()
    for name in APPROVERS[:2]:
        approve.run(options(fresh, name, fresh.key(name)), manifest)
    counted(fresh, manifest)
    return fresh


@pytest.mark.parametrize("by", APPROVERS)
def test_an_approval_is_taken_back_by_its_giver_or_another_approver(both, by):
    manifest = both.load()
    assert revoke(both, manifest, APPROVERS[0], by, by).signed
    with pytest.raises(ManifestError, match="1 of 2 approvals, 1 revoked"):
        counted(both, manifest)


def test_it_is_found_by_its_id_and_by_a_name_however_that_is_spelled(both):
    manifest = both.load()
    first, other = show.run(manifest).approvals
    revoke(both, manifest, first.approval_id, APPROVERS[0], APPROVERS[0])
    revoke(both, manifest, other.by.upper(), APPROVERS[0], APPROVERS[0])
    with pytest.raises(ManifestError, match="0 of 2 approvals, 2 revoked"):
        counted(both, manifest)
    assert {one.state for one in show.run(manifest).approvals} == {"revoked"}
    for wrong in ("", "Niemand", first.approval_id[:8]):
        with pytest.raises(UsageError, match="no such approval"):
            revoke(both, manifest, wrong, APPROVERS[0], APPROVERS[0])


def test_nobody_else_takes_it_back_and_nothing_is_written(both):
    manifest = both.load()
    with pytest.raises(ManifestError, match="not an approver"):
        revoke(both, manifest, APPROVERS[0], "Vreemde Eend", APPROVERS[2])
    with pytest.raises(ManifestError, match="not this approver's key"):
        revoke(both, manifest, APPROVERS[0], APPROVERS[1], APPROVERS[2])
    with pytest.raises(UsageError, match="signature"):
        revoke(both, manifest, APPROVERS[0], APPROVERS[0])
    with pytest.raises(UsageError, match="number or date"):
        revoke(both, manifest, APPROVERS[0], APPROVERS[0], APPROVERS[0], why=f"zie {NUMBERS[0]}")
    assert not (manifest.folder / "revocations").exists()
    counted(both, manifest)


def test_taken_back_during_a_pause_the_rest_is_not_written(hospital):
    manifest = hospital.load()
    report = hospital.apply(manifest, canary=4, pause_after_canary=True)
    assert report.halt == "canary"
    said = options(hospital, APPROVERS[1], hospital.key(APPROVERS[1]), output=hospital.output)
    approve.revoke(
        replace(said, at=datetime.now(UTC)), manifest, APPROVERS[1], "canary ziet er raar uit"
    )
    before = hospital.digests()
    with pytest.raises(ManifestError, match="1 of 2 approvals, 1 revoked"):
        hospital.apply(manifest, go_on=True)
    assert hospital.digests() == before
    assert hospital.rollback(manifest).complete, "going back needs nobody's approval"


def test_an_expired_manifest_is_not_approved(fresh):
    manifest = fresh.load()
    said = options(fresh, APPROVERS[0], fresh.key(APPROVERS[0]))
    with pytest.raises(ManifestError, match="expired"):
        approve.run(replace(said, at=datetime.now(UTC) + timedelta(days=91)), manifest)
    assert approvals(manifest) == []


def test_a_stranger_key_pair_signs_nothing_here(fresh):
    secret, public = new_key_pair()
    path = fresh.out / "keys/vreemd.key"
    path.write_text(secret)
    path.chmod(0o600)
    manifest = fresh.load()
    said = options(fresh, APPROVERS[0], path, approvers={APPROVERS[0]: public})
    approve.run(said, manifest)
    with pytest.raises(ManifestError, match="not this approver's key"):
        counted(fresh, manifest)
