"""One use: a manifest that was applied does nothing more, in every way of asking for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from small_hospital import APPROVERS, PEOPLE, study_uid, touch

from remediation.errors import ManifestError
from remediation.model.running import utc_now
from remediation.stages.apply import DRY_RUN, OUT
from remediation.store.journal import journals

FILES = 2 * PEOPLE


def use(hospital, manifest):
    """Apply, and return what the first file was before."""
    old = hospital.file(0).read_bytes(), hospital.file(0).stat().st_mtime_ns
    assert hospital.apply(manifest).complete
    return old


def test_applied_again_it_finds_everything_done_and_writes_no_journal(hospital, manifest):
    use(hospital, manifest)
    before, runs = hospital.digests(), journals(hospital.output / "journal")
    for mode in (None, DRY_RUN):
        report = hospital.apply(manifest, *([mode] if mode else []))
        assert (report.outcomes, report.complete) == ({"already-applied": FILES}, True)
    assert hospital.digests() == before
    assert journals(hospital.output / "journal") == runs


@pytest.mark.parametrize("go_on", [False, True])
def test_a_file_that_somebody_put_back_is_not_written_a_second_time(hospital, manifest, go_on):
    data, mtime = use(hospital, manifest)
    touch(hospital.file(0), data, mtime)
    before = hospital.digests()
    report = hospital.apply(manifest, go_on=go_on)
    assert hospital.digests() == before
    assert not report.complete
    assert report.outcomes == {"already-applied": FILES - 1, "refused": 1}
    assert report.reasons == {"spent": 1}


def test_a_rehearsal_says_the_same(hospital, manifest):
    data, mtime = use(hospital, manifest)
    touch(hospital.file(0), data, mtime)
    assert hospital.apply(manifest, DRY_RUN).reasons == {"spent": 1}


def test_new_approvals_do_not_make_a_spent_manifest_fresh(hospital, manifest):
    data, mtime = use(hospital, manifest)
    touch(hospital.file(0), data, mtime)
    hospital.approve(manifest, APPROVERS, at=utc_now() + timedelta(seconds=2))
    assert hospital.apply(manifest).reasons == {"spent": 1}


def test_to_another_tree_it_makes_no_copies_of_what_was_corrected(hospital, manifest, tmp_path):
    use(hospital, manifest)
    report = hospital.apply(manifest, OUT, out=tmp_path / "spiegel")
    assert report.reasons == {"corrected-in-place": FILES}
    assert not any(path.is_file() for path in tmp_path.glob("spiegel/**/*"))


def test_rolled_back_whole_it_needs_new_approvals_and_is_then_used_up_again(hospital, manifest):
    before = hospital.digests()
    use(hospital, manifest)
    assert hospital.rollback(manifest).complete
    with pytest.raises(ManifestError, match="rolled back since"):
        hospital.apply(manifest)
    assert hospital.digests() == before
    hospital.approve_anew(manifest)
    data, mtime = use(hospital, manifest)
    touch(hospital.file(0), data, mtime)
    assert hospital.apply(manifest).reasons == {"spent": 1}


def test_rolled_back_in_part_the_rest_stays_as_it_is(hospital, manifest):
    use(hospital, manifest)
    assert hospital.rollback(manifest, studies=(study_uid(1),)).complete
    report = hospital.apply(manifest)
    assert report.outcomes == {"already-applied": FILES - 2, "applied": 2}


def test_a_pause_is_no_use_of_it_all(hospital, manifest):
    assert hospital.apply(manifest, canary=4, pause_after_canary=True).halt == "canary"
    report = hospital.apply(manifest, go_on=True)
    assert report.outcomes == {"already-applied": 4, "applied": FILES - 4}


def test_to_another_tree_it_may_go_before_it_is_used(hospital, manifest, tmp_path):
    assert hospital.apply(manifest, OUT, out=tmp_path / "spiegel").complete
    assert hospital.apply(manifest).outcomes == {"applied": FILES}
