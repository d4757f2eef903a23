import io
from dataclasses import replace
from datetime import date

import pydicom
import pytest

from remediation.app.demo.headers import Position, file_bytes, study_uid
from remediation.app.demo.people import Registry
from remediation.app.demo.scenarios import HEADERS, Subject
from remediation.app.demo.story import OOST, WEST
from remediation.app.demo.templates import load_templates
from remediation.dicom.header import scan

TEMPLATES = [template for template, _ in load_templates()]
PERSON = replace(Registry(7).person(OOST), name="Schijnmüller^A.B.")
NUMBER, SPARE = "999900006", "999900018"
SUBJECT = Subject(NUMBER, "0012345", "ZKH-OOST", "ZKH-OOST", SPARE)
POSITION = Position(
    OOST, "Ziekenhuis Oost", study_uid(7, OOST, 12), 12, date(2012, 2, 29), 1, 2, "NEWPACS_1"
)


def whole(template, case="conformant", cut=""):
    return file_bytes(template, HEADERS[case].draw(SUBJECT), PERSON, POSITION, cut)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_every_case_is_sound_dicom(template):
    for case in HEADERS:
        data = whole(template, case)
        dataset = pydicom.dcmread(io.BytesIO(data))
        tags = [element.tag for element in dataset]  # reads every value
        assert tags == sorted(set(tags)), case
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        assert dataset.file_meta.MediaStorageSOPClassUID == dataset.SOPClassUID
        assert dataset.StudyDate == "20120229"
        assert str(dataset.PatientName) == "Schijnmüller^A.B."
        assert len(data) % 2 == 0, case
        head = scan(data, len(data))
        assert (head.error, set(head.notes)) == ("", set()), case


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_pixel_data_fits_its_description(template):
    dataset = pydicom.dcmread(io.BytesIO(whole(template)))
    if "PixelData" not in dataset:
        assert dataset.Modality == "SR"
    elif dataset.file_meta.TransferSyntaxUID.is_compressed:
        assert dataset["PixelData"].is_undefined_length
    else:
        bits = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated
        assert len(dataset.PixelData) == bits // 8


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
@pytest.mark.parametrize(("cut", "study"), [("late", POSITION.study_uid), ("early", "")])
def test_a_cut_head_cannot_be_read_and_keeps_its_study_only_when_cut_late(template, cut, study):
    head = scan(whole(template, cut=cut), len(whole(template, cut=cut)))
    assert head.error == "truncated"
    assert head.text(head.find(0x0020000D)) == study
    assert head.text(head.find(0x00080080)) == "Ziekenhuis Oost"


def test_the_identity_of_each_case_stands_where_it_should():
    read = {case: pydicom.dcmread(io.BytesIO(whole(TEMPLATES[2], case))) for case in HEADERS}
    item = read["conformant"].OtherPatientIDsSequence[-1]
    assert (item.PatientID, item.IssuerOfPatientID) == (NUMBER, "2.16.840.1.113883.2.4.6.3")
    assert item.TypeOfPatientID == "TEXT"
    assert read["retired"].OtherPatientIDs == NUMBER
    assert read["exchange"].PatientID == NUMBER
    assert read["exchange"].OtherPatientIDsSequence[-1].PatientID == "0012345"
    assert read["exchange"].OtherPatientIDsSequence[-1].IssuerOfPatientID == "ZKH-OOST"
    assert "OtherPatientIDsSequence" not in read["exchange-alone"]
    assert read["dotted"].OtherPatientIDsSequence[-1].PatientID == "9999.00.006"
    assert read["mitra-only"][0x00311020].value == NUMBER
    assert "OtherPatientIDsSequence" not in read["mitra-only"]
    assert read["invalid"].OtherPatientIDsSequence[-1].PatientID == "999900007"
    conflict = read["conflict"].OtherPatientIDsSequence
    assert [i.PatientID for i in conflict] == [NUMBER, SPARE]
    former = read["historic"].OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert former.PatientID == NUMBER


def test_uids_are_unique_valid_and_hide_no_number():
    uids = {
        study_uid(seed, site, serial)
        for seed in (7, 10**12)
        for site in (OOST, WEST)
        for serial in range(1, 500)
    }
    assert len(uids) == 2 * 2 * 499
    assert all(pydicom.uid.UID(uid).is_valid for uid in uids)
    assert max(len(part) for uid in uids for part in uid.split(".")) < 8
