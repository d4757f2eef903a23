"""Second readers at apply: some results are read, or all; one objection keeps a study as it is."""

from __future__ import annotations

import pytest
from small_hospital import NUMBERS, PEOPLE

from remediation.stages import apply
from remediation.stages.apply import DRY_RUN, IN_PLACE, OUT
from remediation.store import dcmtk

FILES = 2 * PEOPLE


def test_at_least_the_first_result_of_each_study_is_read(hospital, manifest):
    report = hospital.apply(manifest)
    assert report.second["agreed"] >= PEOPLE
    assert sum(report.second.values()) == FILES


@pytest.mark.parametrize("mode", [DRY_RUN, OUT, IN_PLACE])
def test_paranoid_every_result_is_read_once(hospital, manifest, mode, tmp_path, monkeypatch):
    asked = []

    def agrees(old, new):
        asked.append((old, new))
        return True

    monkeypatch.setattr(apply, "second_opinion", agrees)
    report = hospital.apply(manifest, mode, out=tmp_path / "uit", paranoid=True)
    assert report.complete
    assert report.second == {"agreed": FILES}
    assert len(asked) == FILES


def test_one_that_objects_to_one_file_keeps_its_study_and_no_other(hospital, manifest, monkeypatch):
    number = NUMBERS[3].encode()
    monkeypatch.setattr(apply, "second_opinion", lambda _, new: number not in new)
    before = hospital.study(3)
    report = hospital.apply(manifest)
    assert report.reasons == {"second-reader-disagrees": 1, "another-file-of-the-study": 1}
    assert report.outcomes == {"applied": FILES - 2, "refused": 2}
    assert hospital.study(3) == before


def test_paranoid_a_result_without_any_opinion_is_not_written(hospital, manifest, monkeypatch):
    monkeypatch.setattr(apply, "second_opinion", lambda _old, _new: None)
    monkeypatch.setattr(dcmtk, "dcmdump_opinion", lambda _old, _new: None)
    before = hospital.digests()
    report = hospital.apply(manifest, paranoid=True)
    assert set(report.reasons) == {"no-second-opinion", "another-file-of-the-study"}
    assert hospital.digests() == before
    assert hospital.apply(manifest).complete, "which is only said, where it was not asked for"


@pytest.mark.skipif(not dcmtk.installed(), reason="DCMTK's dcmdump is not installed")
def test_paranoid_dcmtk_is_asked_besides(hospital, manifest, monkeypatch):
    monkeypatch.setattr(apply, "second_opinion", lambda _old, _new: None)
    assert hospital.apply(manifest, paranoid=True).second == {"agreed": FILES}
