"""Each form of a head through the whole line: corrected, verified, and back to its old bytes."""

from __future__ import annotations

import os
from io import BytesIO

import pytest
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, JPEG
from pydicom import dcmread
from small_hospital import NUMBERS, PEOPLE, STORED, lay_down, one_file

from remediation.model.issuers import BSN_OID
from remediation.stages.apply import DRY_RUN, OUT
from remediation.store.journal import journals

SYNTAXES = [EXPLICIT, IMPLICIT, BIG, JPEG, DEFLATED, DEFLATED]
FILES = 2 * PEOPLE


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    """A hospital of which each person's files are of another syntax."""
    hospital = lay_down(tmp_path_factory.mktemp("vormen") / "out")
    for person, syntax in enumerate(SYNTAXES):
        for instance in range(2):
            path = hospital.file(person, instance)
            path.write_bytes(one_file(person, instance, syntax=syntax))
            os.utime(path, ns=(STORED, STORED))
    hospital.look()
    hospital.approve(hospital.plan())
    return hospital


def test_every_form_is_planned_applied_verified_and_rolled_back(laid, tmp_path):
    before, manifest = laid.digests(), laid.load()
    assert manifest.manifest.counts["files"] == FILES
    assert laid.apply(manifest, DRY_RUN).outcomes == {"applied": FILES}
    assert laid.apply(manifest, OUT, out=tmp_path / "uit").outcomes == {"applied": FILES}
    assert laid.digests() == before
    assert laid.verify(manifest).verdicts == {"as-promised": FILES}
    report = laid.apply(manifest, paranoid=True)
    assert (report.outcomes, report.halt) == ({"applied": FILES}, "")
    assert report.second == {"agreed": FILES}
    assert laid.verify(manifest).verdicts == {"as-promised": FILES}
    for person, syntax in enumerate(SYNTAXES):
        data = laid.file(person).read_bytes()
        found = dcmread(BytesIO(data))
        assert found.file_meta.TransferSyntaxUID == syntax
        items = found.OtherPatientIDsSequence
        assert [one.PatientID for one in items if one.IssuerOfPatientID == BSN_OID] == [
            NUMBERS[person]
        ]
        mirrored = tmp_path / "uit/noord" / laid.file(person).relative_to(laid.root)
        assert mirrored.read_bytes() == data
    for journal in journals(laid.output / "journal"):
        text = journal.read_bytes()
        assert not any(number.encode() in text for number in NUMBERS)
    assert laid.rollback(manifest).complete
    assert laid.digests() == before


def test_a_deflated_file_that_changed_since_the_plan_is_left_alone(tmp_path):
    hospital = lay_down(tmp_path / "out")
    person = SYNTAXES.index(DEFLATED)
    for instance in range(2):
        path = hospital.file(person, instance)
        path.write_bytes(one_file(person, instance, syntax=DEFLATED))
        os.utime(path, ns=(STORED, STORED))
    hospital.look()
    manifest = hospital.plan()
    hospital.approve(manifest)
    path = hospital.file(person)
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(STORED, STORED))
    report = hospital.apply(manifest)
    assert report.reasons == {"head-changed": 1, "another-file-of-the-study": 1}
    assert path.read_bytes() == data
