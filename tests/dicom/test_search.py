"""The full search on hostile heads: bounded in time and findings, whatever they hold."""

from __future__ import annotations

import time

import pytest
from builders import EXPLICIT, data_set, dicom, el, identity, item, patient_head, qualifiers

from remediation.dicom.header import scan
from remediation.dicom.locate import BsnRules, findings, identifiers
from remediation.dicom.search import MOST, numbers, passing
from remediation.dicom.standing import standings
from remediation.model.bsn import test_number

A = test_number(5)
RULES = BsnRules()


def searched(tail):
    data = dicom(patient_head(), EXPLICIT, tail=tail)
    head = scan(data, len(data))
    before = time.monotonic()
    known = identifiers(head, RULES)
    found = findings(head, known, RULES)
    assert time.monotonic() - before < 20
    return head, known, found


def test_a_head_full_of_numbers_at_the_top_is_bounded():
    _, _, found = searched(data_set([el(0x00091001, "LO", A)]) * 150_000)
    assert len(found) == MOST


def test_a_head_full_of_nested_numbers_is_bounded():
    one = item(el(0x00104000, "LT", A))
    _, _, found = searched(data_set([el(0x00081140, "SQ", [one] * 60_000)]))
    assert len(found) == MOST
    assert found[9_999].place == "ReferencedImageSequence[9999].PatientComments"


def test_a_head_full_of_patients_is_bounded():
    own = item(*identity("0012345", "ZKH-OOST"), qualifiers())
    _, known, _ = searched(data_set([el(0x00101002, "SQ", [own] * 20_000)]))
    assert len(known) == MOST
    assert known[-1].place == "OtherPatientIDsSequence[9999].PatientID"


@pytest.mark.parametrize("joint", ["\\", " ", ","])
def test_one_value_full_of_numbers_is_bounded(joint):
    text = joint.join([A] * 1_000_000)
    _, _, found = searched(data_set([el(0x00104000, "UT", text)]))
    assert len(found) == MOST


def test_one_identifier_of_many_values_is_bounded():
    head = scan(data := dicom(patient_head(el(0x00101000, "UT", "\\" * 5_000_000))), len(data))
    assert identifiers(head, RULES) == []


def test_places_of_many_spans_are_worked_out_in_one_pass():
    inner = item(el(0x00104000, "LT", A), el(0x00081140, "SQ", [item(el(0x00104000, "LT", A))] * 2))
    head, _, _ = searched(data_set([el(0x00101002, "SQ", [inner, item(), inner])]))
    indices = [index for index, _, _ in numbers(head, ())]
    every = [one.place for one in standings(head, indices)]
    assert every == [next(standings(head, [index])).place for index in indices]
    assert every == [
        f"OtherPatientIDsSequence[{n}].{rest}"
        for n in (0, 2)
        for rest in (
            "PatientComments",
            "ReferencedImageSequence[0].PatientComments",
            "ReferencedImageSequence[1].PatientComments",
        )
    ]


def test_placeholders_of_the_hospital_are_no_numbers():
    assert list(passing(A, ())) == [(A, "nine")]
    assert list(passing(A, (A,))) == []
