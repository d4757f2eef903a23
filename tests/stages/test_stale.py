"""Stale: what became of the planned files since the plan."""

from __future__ import annotations

import shutil

import pytest
from small_hospital import PEOPLE, study_uid, touch

from remediation.errors import ShareError
from remediation.stages import stale

FILES = 2 * PEOPLE


def looked_at(hospital, manifest):
    session = hospital.session()
    return stale.run(manifest, session.roots(), session.keys)


def test_untouched_files_are_the_same(hospital, manifest):
    report = looked_at(hospital, manifest)
    assert (report.files, report.studies, report.fresh) == ({"same": FILES}, (), True)


def test_vanished_and_changed_files_are_counted_and_their_studies_listed(hospital, manifest):
    hospital.file(0).unlink()
    shutil.rmtree(hospital.file(1).parent)
    data = bytearray(hospital.file(2).read_bytes())
    data[300] ^= 1
    touch(hospital.file(2), bytes(data))  # size and time as they were: only the digest tells
    touch(hospital.file(3), hospital.file(3).read_bytes(), 1)
    touch(hospital.file(4), hospital.file(4).read_bytes() + b"\0\0")
    report = looked_at(hospital, manifest)
    assert report.files == {"changed": 3, "same": FILES - 6, "vanished": 3}
    assert not report.fresh
    assert [(one["StudyInstanceUID"], one["state"]) for one in report.studies] == [
        *((study_uid(person), "vanished") for person in (0, 1)),
        *((study_uid(person), "changed") for person in (2, 3, 4)),
    ]


def test_what_the_manifest_itself_wrote_is_as_promised(hospital, manifest):
    hospital.apply(manifest, canary=4, pause_after_canary=True)
    report = looked_at(hospital, manifest)
    assert (report.files, report.fresh) == ({"as-promised": 4, "same": FILES - 4}, True)


def test_a_link_or_a_folder_in_a_files_place_is_a_change(hospital, manifest, tmp_path):
    kept = tmp_path / "elders"
    hospital.file(0).rename(kept)
    hospital.file(0).symlink_to(kept)
    hospital.file(1).unlink()
    hospital.file(1).mkdir()
    assert looked_at(hospital, manifest).files == {"changed": 2, "same": FILES - 2}


def test_a_missing_share_is_said_and_not_taken_for_vanished_files(hospital, manifest):
    hospital.root.rename(hospital.out / "weg")
    with pytest.raises(ShareError):
        looked_at(hospital, manifest)


def test_it_looks_and_writes_nothing(hospital, manifest):
    before = hospital.digests()
    looked_at(hospital, manifest)
    assert hospital.digests() == before
