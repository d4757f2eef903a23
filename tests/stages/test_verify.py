"""Verifying: the touched files read again, and what is wrong with them said."""

from __future__ import annotations

import json

import pytest
from small_hospital import BIRTHS, NUMBERS, PEOPLE, WORDS, study_uid, touch

from remediation.errors import ManifestError
from remediation.stages.apply import OUT, PAUSED

RIGHT = {"as-promised": 2 * PEOPLE}


def test_what_was_applied_is_as_promised(hospital, manifest):
    hospital.apply(manifest)
    report = hospital.verify(manifest)
    assert report.verdicts == RIGHT
    assert report.right
    assert report.files == 2 * PEOPLE


def test_the_result_is_kept_and_holds_nobodys_number(hospital, manifest):
    hospital.apply(manifest)
    report = hospital.verify(manifest)
    text = report.path.read_text()
    assert json.loads(text)["verdicts"] == RIGHT
    assert json.loads(text)["manifest"] == manifest.manifest.digest
    assert report.path.stat().st_mode & 0o077 == 0
    assert not any(word in text for word in (*NUMBERS, *WORDS, *BIRTHS))


def test_a_mirror_is_verified_where_it_lies_and_against_the_archives_own_tail(
    hospital, manifest, tmp_path
):
    mirror = tmp_path / "mirror"
    hospital.apply(manifest, OUT, out=mirror)
    assert hospital.verify(manifest).verdicts == RIGHT
    torn = mirror / "noord/S1/I1"
    touch(torn, torn.read_bytes()[:-1] + b"\xee")
    said = hospital.verify(manifest).verdicts
    assert said == {"as-promised": 2 * PEOPLE - 1, "content-differs": 1}
    torn.unlink()
    (mirror / "noord/S2/I0").write_bytes(b"")
    assert hospital.verify(manifest).verdicts == {"as-promised": 2 * PEOPLE - 2, "unreadable": 2}


def test_a_mirror_without_its_archive_is_said_to_differ(hospital, manifest, tmp_path):
    hospital.apply(manifest, OUT, out=tmp_path / "mirror")
    hospital.file(3).unlink()
    report = hospital.verify(manifest)
    assert report.verdicts == {"as-promised": 2 * PEOPLE - 1, "content-differs": 1}


@pytest.mark.parametrize(
    ("where", "verdict"),
    [
        ("head", "not-as-promised"),
        ("number", "not-as-promised"),
        ("first of the tail", "content-differs"),
        ("last", "content-differs"),
        ("length", "not-as-promised"),
        ("gone", "unreadable"),
    ],
)
def test_one_changed_byte_is_found_and_counted(hospital, manifest, where, verdict):
    hospital.apply(manifest)
    path = hospital.file(2, 1)
    data = bytearray(path.read_bytes())
    at = {
        "head": data.index(b"20110704"),
        "number": data.index(NUMBERS[2].encode()),
        "first of the tail": data.index(b"\xe0\x7f\x10\0") + 13,
        "last": len(data) - 1,
    }.get(where, 0)
    data[at] ^= 1
    if where == "length":
        data += b"\0\0"
    touch(path, bytes(data))
    if where == "gone":
        path.unlink()
    report = hospital.verify(manifest)
    assert report.verdicts == {"as-promised": 2 * PEOPLE - 1, verdict: 1}
    assert not report.right


def test_another_file_in_the_place_of_a_corrected_one_is_found(hospital, manifest):
    hospital.apply(manifest)
    touch(hospital.file(1, 0), hospital.file(2, 0).read_bytes())
    assert hospital.verify(manifest).verdicts["not-as-promised"] == 1


def test_the_time_of_a_file_does_not_matter(hospital, manifest):
    hospital.apply(manifest)
    path = hospital.file(2, 1)
    touch(path, path.read_bytes(), 1_400_000_000_000_000_000)
    assert hospital.verify(manifest).right


def test_shares_cover_every_file_once(hospital, manifest):
    hospital.apply(manifest)
    reports = [hospital.verify(manifest, part, 5) for part in range(1, 6)]
    assert sum(report.files for report in reports) == 2 * PEOPLE
    assert {report.files for report in reports} == {2, 3}
    assert all(report.right for report in reports)


def test_what_was_never_applied_cannot_be_verified(hospital, manifest):
    with pytest.raises(ManifestError, match="not applied"):
        hospital.verify(manifest)
    hospital.apply(manifest, "dry-run")
    with pytest.raises(ManifestError, match="not applied"):
        hospital.verify(manifest)


def test_after_a_canary_its_files_are_right_and_the_rest_is_not_written_yet(hospital, manifest):
    assert hospital.apply(manifest, pause_after_canary=True, canary=4).halt == PAUSED
    report = hospital.verify(manifest)
    assert report.verdicts == {"as-promised": 4, "not-written": 2 * PEOPLE - 4}
    assert report.right


def test_a_file_that_should_have_been_left_alone_and_was_not_is_found(hospital, manifest):
    hospital.apply(manifest, pause_after_canary=True, canary=4)
    path = hospital.file(5)
    touch(path, path.read_bytes().replace(b"20110704", b"20110705"))
    report = hospital.verify(manifest)
    assert report.verdicts["not-as-promised"] == 1
    assert not report.right


def test_a_corrected_file_that_a_backup_took_back_is_found(hospital, manifest):
    old = hospital.file(3).read_bytes()
    hospital.apply(manifest)
    touch(hospital.file(3), old)
    report = hospital.verify(manifest)
    assert report.verdicts == {"as-promised": 2 * PEOPLE - 1, "not-as-promised": 1}


def test_after_a_rollback_of_one_study_the_others_are_as_promised(hospital, manifest):
    hospital.apply(manifest)
    hospital.rollback(manifest, studies=(study_uid(0),))
    report = hospital.verify(manifest)
    assert report.verdicts == {"as-promised": 2 * PEOPLE - 2, "not-written": 2}
    assert report.right


def test_after_a_whole_rollback_nothing_is_left_to_verify(hospital, manifest):
    hospital.apply(manifest)
    hospital.rollback(manifest)
    with pytest.raises(ManifestError, match="nothing of this manifest stands"):
        hospital.verify(manifest)


def test_a_job_without_the_archive_is_told(hospital, manifest):
    hospital.apply(manifest)
    hospital.edit('name = "noord"', 'name = "zuid"')
    with pytest.raises(ManifestError, match="another archive"):
        hospital.verify(manifest)
