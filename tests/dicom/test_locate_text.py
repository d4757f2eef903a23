"""Locate: numbers in text, the places where a number is none, and what is said of the patient."""

import re
import warnings
from datetime import date

import pytest
from builders import (
    EXPLICIT,
    OID,
    dicom,
    el,
    identity,
    item,
    patient_head,
    pixels,
)
from hypothesis import given
from hypothesis import strategies as st

from remediation.dicom.header import scan
from remediation.dicom.locate import (
    BsnRules,
    decoded,
    findings,
    identifiers,
    in_text,
    person,
)
from remediation.model import bsn

A, B, C = (bsn.test_number(n) for n in range(3))
FAILING = "999900007"
LOCAL = "0012345"
RULES = BsnRules()
MITRA = "MITRA LINKED ATTRIBUTES 1.0"


def head_of(*own, syntax=EXPLICIT, **more):
    head = scan(data := dicom(patient_head(*own, **more), syntax, tail=pixels(syntax)), len(data))
    assert head.error == ""
    return head


def found(*own, syntax=EXPLICIT, rules=RULES, **more):
    head = head_of(*own, syntax=syntax, **more)
    return [
        (one.place, one.place_kind, one.evidence, one.form, one.number)
        for one in findings(head, identifiers(head, rules), rules)
    ]


def others(*items, **more):
    return el(0x00101002, "SQ", list(items), **more)


def history(*former):
    return el(0x04000561, "SQ", [item(el(0x04000550, "SQ", [item(*former)]))])


# -- text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "vr", "name"),
    [
        (0x00104000, "LT", "PatientComments"),
        (0x00380010, "LO", "AdmissionID"),
        (0x00080050, "SH", "AccessionNumber"),
        (0x00101090, "LO", "MedicalRecordLocator"),
        (0x00081030, "LO", "StudyDescription"),
        (0x0008103E, "LO", "SeriesDescription"),
        (0x00100021, "LO", "IssuerOfPatientID"),
        (0x00080054, "AE", "RetrieveAETitle"),
        (0x00400280, "ST", "CommentsOnThePerformedProcedureStep"),
        (0x0040A160, "UT", "TextValue"),
        (0x00189004, "CS", "ContentQualification"),
        (0x00080120, "UR", None),
        (0x00091001, "UC", "(0009,xx01)"),
    ],
)
@pytest.mark.parametrize(("text", "says"), [("{}", "unasserted"), ("BSN van {}.", "embedded")])
def test_a_number_in_text_is_a_leak(tag, vr, name, text, says):
    expected = [(name, "leak", says, "nine" if text == "{}" else "embedded", A)] if name else []
    assert found(el(tag, vr, text.format(A))) == expected


def test_a_number_in_the_patients_name_is_a_leak():
    assert found(name=f"Schijn^{A}") == [("PatientName", "leak", "embedded", "embedded", A)]


def test_report_content_is_searched_to_its_depth():
    leaf = item(el(0x0040A160, "UT", f"Patient {A} gezien"))
    for _ in range(5):
        leaf = item(el(0x0040A730, "SQ", [item(), leaf], undefined=True), undefined=True)
    own = el(0x0040A730, "SQ", [leaf])
    ((place, kind, _, _, number),) = found(own)
    assert (place.count("ContentSequence"), kind, number) == (6, "leak", A)
    assert place.endswith("ContentSequence[1].TextValue")


def test_each_value_of_a_multi_valued_text_is_looked_at():
    own = el(0x00081030, "LO", f"{A}\\CT\\x {B} y")
    assert [(one[2], one[4]) for one in found(own)] == [("unasserted", A), ("embedded", B)]


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00080100, "SH"),  # CodeValue
        (0x00080119, "UC"),  # LongCodeValue
        (0x0020000E, "UI"),
        (0x00080020, "DA"),
        (0x00080030, "TM"),
        (0x0008002A, "DT"),
        (0x00280030, "DS"),
        (0x00200013, "IS"),
        (0x00101010, "AS"),
        (0x00281221, "OW"),
        (0x00091002, "OB"),
    ],
)
def test_codes_uids_dates_and_numeric_strings_are_not_searched(tag, vr):
    assert found(el(tag, vr, A.encode() + b" ")) == []


@pytest.mark.parametrize(
    "text",
    [
        "1.2.840.999900006.7",
        "20110704-20110705",
        "DOSIS 123.999900006",
        "9999000060",
        "1999900006",
        "1234567",
        "06-12345678",
        "999999990",
        FAILING,
    ],
)
def test_uids_longer_numbers_decimals_and_placeholders_in_text_are_no_findings(text):
    assert found(el(0x00104000, "LT", text)) == []


DATES = st.dates(min_value=date(1900, 1, 1))


@given(DATES.filter(lambda day: day.year < 2100), st.sampled_from(["%Y%m%d", "%d%m%Y"]))
def test_no_date_is_a_finding_in_text(day, form):
    text = day.strftime(form)
    assert in_text("PatientComments", "", text, RULES) == []
    assert in_text("PatientComments", "", f"op {text} gezien", RULES) == []


def test_nine_digits_with_a_leading_zero_are_no_date():
    number = next(
        n
        for n in (f"0201{m:02d}{d:02d}1" for m in range(1, 13) for d in range(1, 29))
        if bsn.passes(n)
    )
    assert [one.number for one in in_text("path", "", f"{number}.dcm", RULES)] == [number]


@pytest.mark.parametrize("text", ["nr {}.{}.{}, balie", "{} {} {}", "BSN {}-{}-{}"])
def test_grouped_digits_in_text_are_found(text):
    written = text.format(A[:4], A[4:6], A[6:])
    assert [one.number for one in in_text("PatientComments", "", written, RULES)] == [A]


def test_eight_digits_in_text_are_found():
    eight = next(n for n in range(98_765_000, 98_765_100) if bsn.passes(f"{n:09d}"))
    for text in (f"{eight}", f"nr {eight} x"):
        assert [one.number for one in in_text("path", "", text, RULES)] == [f"{eight:09d}"]


def test_a_path_is_a_place_of_its_own():
    (one,) = in_text("path", "", f"pat-{A}-1.dcm", RULES)
    assert (one.place, one.place_kind, one.evidence, one.number) == ("path", "path", "embedded", A)
    assert in_text("path", "", "2011", RULES) == []


@given(st.text(st.sampled_from("0123456789 .-^\\abBSN:\0"), max_size=40))
def test_the_quick_look_never_misses_what_the_close_look_finds(text):
    direct = [one.number for one in in_text("PatientComments", "", text.strip(" \0"), RULES)]
    value = text.encode() + b" " * (len(text) % 2)
    assert [one[4] for one in found(el(0x00104000, "LT", value))] == direct


# -- the patient ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charset", "name", "raw"),
    [
        (None, "Schijn^Anna", b"Schijn^Anna "),
        ("ISO_IR 100", "Schijnmüller^Zoë", "Schijnmüller^Zoë".encode("latin-1")),
        ("ISO_IR 192", "Schijnmüller^Zoë", "Schijnmüller^Zoë".encode()),
        ("ISO_IR 101", "Schijnłowska^A", "Schijnłowska^A".encode("iso8859-2")),
        ("ISO_IR 144", "\u041b\u044e\u043a", "\u041b\u044e\u043a".encode("iso8859-5")),
        ("ISO 2022 IR 6\\ISO 2022 IR 100", "Schijnmüller", b"Schijnm\x1b\x2d\x41\xfcller"),
        ("\\ISO 2022 IR 87", "Yamada^Tarou", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
        ("GB18030", "王^小东", "王^小东".encode("gb18030")),
    ],
)  # fmt: skip
def test_names_are_decoded_by_the_character_set_of_the_head(charset, name, raw):
    own = [one for one in patient_head(*identity(LOCAL)) if one.tag not in (0x00080005, 0x00100010)]
    own.append(el(0x00100010, "PN", raw + b" " * (len(raw) % 2)))
    if charset is not None:
        own.append(el(0x00080005, "CS", charset))
    data = dicom(sorted(own, key=lambda one: one.tag))
    head = scan(data, len(data))
    assert person(head).name == name
    assert person(head).patient_id == LOCAL


def test_unknown_character_sets_and_bytes_never_raise():
    for charset in ("ISO_IR 999", "gibberish", "ISO_IR 192", "", "\\\\"):
        own = [one for one in patient_head(name="Sch\xffjn\x1b$)C\xc1") if one.tag != 0x00080005]
        own.insert(0, el(0x00080005, "CS", charset))
        head = scan(data := dicom(own), len(data))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pydicom's warnings quote values
            assert re.match("Sch.*jn", person(head).name)


def test_what_the_header_says_of_the_patient_is_taken_without_padding():
    head = head_of(*identity(f" {LOCAL}"), birth="19500203", sex="F")
    who = person(head)
    assert (who.patient_id, who.birth_date, who.sex, who.name) == (
        LOCAL,
        "19500203",
        "F",
        "Schijn^Anna",
    )


def test_decoding_of_plain_text_needs_no_character_set():
    assert decoded(head_of(), b"Schijn^Anna") == "Schijn^Anna"


def test_nothing_that_is_found_shows_its_number():
    head = head_of(*identity(A, OID), el(0x00104000, "LT", f"BSN {B}"))
    known = identifiers(head, RULES)
    shown = repr((head, known, findings(head, known, RULES), person(head)))
    assert not re.search(f"{A}|{B}|Schijn|19500203", shown)
