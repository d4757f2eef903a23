"""Places: identifier, historic, somebody else's, or a leak."""

import pytest

from remediation.model.places import IDENTIFIER_KINDS, PRIVATE_PATIENT_NUMBERS, kind, stable

MITRA = "MITRA LINKED ATTRIBUTES 1.0"
ITEM = "OtherPatientIDsSequence[3]"
HISTORY = "OriginalAttributesSequence[0].ModifiedAttributesSequence[0]"


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("PatientID", "primary"),
        ("OtherPatientIDs", "retired"),
        (f"{ITEM}.PatientID", "other"),
        ("path", "path"),
        (f"{HISTORY}.PatientID", "historic"),
        (f"{HISTORY}.OtherPatientIDs", "historic"),
        (f"{HISTORY}.{ITEM}.PatientID", "historic"),
        (f"{HISTORY}.PatientComments", "historic"),
        ("RequestAttributesSequence[0].PatientID", "leak"),
        (f"{ITEM}.{ITEM}.PatientID", "leak"),
        (f"{ITEM}.IssuerOfPatientID", "leak"),
        ("PatientName", "leak"),
        ("PatientComments", "leak"),
        ("AdmissionID", "leak"),
        ("AccessionNumber", "leak"),
        ("MedicalRecordLocator", "leak"),
        ("ContentSequence[0].TextValue", "leak"),
        ("(0031,xx20)", "leak"),
        ("PatientMotherBirthName", "not-patient"),
        ("ReferringPhysicianName", "not-patient"),
        ("PhysiciansOfRecordIdentificationSequence[0].InstitutionName", "not-patient"),
        ("OperatorsName", "not-patient"),
        ("ResponsiblePerson", "not-patient"),
        ("InsurancePlanIdentification", "not-patient"),
        ("ContentSequence[0].PersonName", "not-patient"),
    ],
)
def test_each_place_has_its_kind(place, expected):
    assert kind(place) == expected


@pytest.mark.parametrize(("creator", "place"), sorted(PRIVATE_PATIENT_NUMBERS))
def test_known_private_elements_are_identifier_places_with_their_creator_only(creator, place):
    assert kind(place, creator) == "private"
    assert kind(f"SomeSequence[0].(0009,xx01)[2].{place}", creator) == "private"
    assert kind(f"{HISTORY}.{place}", creator) == "historic"
    assert kind(place, "SOMEBODY ELSE") == "leak"
    assert kind(place) == "leak"


def test_the_private_elements_of_the_domain_are_all_known():
    creators = {creator for creator, _ in PRIVATE_PATIENT_NUMBERS}
    assert {
        MITRA,
        "BRIT Systems, Inc.",
        "SIEMENS RIS",
        "SIEMENS ISI",
        "SIEMENS CM VA0 CMS",
    } < creators
    assert {"GEIIS", "TOSHIBA_MEC_OT3", "Mortara_Inc"} < creators


def test_a_known_element_number_in_another_group_is_a_leak():
    assert kind("(0033,xx20)", MITRA) == "leak"


def test_places_are_grouped_without_item_numbers():
    assert stable("A[10].B[2].(0031,xx20)") == "A.B.(0031,xx20)"


def test_identifier_kinds_are_those_that_give_a_status():
    assert {kind("PatientID"), kind("OtherPatientIDs")} <= IDENTIFIER_KINDS
    assert {"historic", "leak", "path", "not-patient"}.isdisjoint(IDENTIFIER_KINDS)
