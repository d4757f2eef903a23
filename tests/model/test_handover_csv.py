"""The table that is handed over: a row for each study, and one for each of its files."""

import csv
import io
from dataclasses import replace

from handing_over import ABOUT, BEFORE, FILE, NUMBER, STUDY, data, item, sequence, study, text

from remediation.model.handover import ISSUER, OTHERS, PATIENT_ID
from remediation.model.handover_csv import COLUMNS, CsvTable
from remediation.model.issuers import BSN_OID


def rows(*studies):
    form = CsvTable(ABOUT)
    made = form.begin() + form.some(studies) + form.end()
    assert made.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(made[1:], newline=""), delimiter=";"))


def test_a_study_has_its_numbers_and_what_stands_in_its_file_now():
    whole, one = rows(STUDY)
    assert tuple(whole) == COLUMNS
    assert whole == {
        "level": "study",
        "archive": "noord",
        "StudyInstanceUID": "1.2.3",
        "SOPInstanceUID": "",
        "local_number": "70123",
        "local_issuer": "ZKH-NOORD",
        "bsn": NUMBER,
        "bsn_issuer": BSN_OID,
        "target": "at-rest",
        "PatientID_now": "70123",
        "IssuerOfPatientID_now": "",
        "OtherPatientIDs_now": NUMBER,
        "OtherPatientIDsSequence_now": "",
        "corrected": "no",
        "rule": "candidate to at-rest",
        "instances": "1",
    }
    assert one == {**whole, "level": "instance", "SOPInstanceUID": "1.2.3.1"}


def test_files_that_differ_are_told_apart_and_joined_in_the_row_of_the_study():
    there = data(
        text(PATIENT_ID, "70123"),
        text(ISSUER, "NOORD"),
        sequence(OTHERS, item(NUMBER, "NLMINBIZA"), item("9")),
    )
    other = replace(FILE, before=there, sop_instance="1.2.3.2", corrected=True)
    whole, first, second = rows(study(FILE, other))
    assert whole["instances"] == "2"
    assert whole["IssuerOfPatientID_now"] == "(empty) | NOORD"
    assert whole["corrected"] == "no | yes"
    assert first["OtherPatientIDsSequence_now"] == ""
    assert second["OtherPatientIDsSequence_now"] == f"{NUMBER} (NLMINBIZA) | 9"


def test_a_value_of_a_header_is_no_formula_and_no_line_of_its_own():
    evil = replace(FILE, before={**BEFORE, ISSUER: text(ISSUER, b'=1;"a"\n\xff')})
    whole, _ = rows(study(evil, local_number="-5"))
    assert whole["IssuerOfPatientID_now"] == '\'=1;"a"\n\\xff'
    assert whole["local_number"] == "'-5"
