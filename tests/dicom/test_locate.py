"""Locate: every place of a number, what its issuer says, and the places where a number is none."""

import re
from datetime import date

import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    OID,
    dicom,
    el,
    identity,
    item,
    patient_head,
    pixels,
    private,
    qualifiers,
)
from hypothesis import given
from hypothesis import strategies as st

from remediation.dicom.header import scan
from remediation.dicom.locate import (
    BsnRules,
    decoded,
    evidence,
    findings,
    identifiers,
    in_text,
    person,
    shape,
)
from remediation.model import bsn
from remediation.model.places import PRIVATE_PATIENT_NUMBERS

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


# -- identifier places ------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED])
def test_every_identifier_place_is_found_in_every_syntax(syntax):
    own = [
        *identity(A, OID),
        el(0x00101000, "LO", f"{LOCAL}\\{B}"),
        others(item(*identity(LOCAL, "ZKH")), item(*identity(C, OID)), item(), undefined=True),
        *private(0x0031, MITRA, (0x20, "LO", A)),
        history(*identity(B, OID)),
    ]
    head = scan(data := dicom(patient_head(*own), syntax), len(data))
    assert sorted(
        (one.place, one.creator, one.place_kind, one.issuer_kind, one.text)
        for one in identifiers(head, RULES)
    ) == sorted(
        [
            ("PatientID", "", "primary", "bsn-oid", A),
            ("OtherPatientIDs", "", "retired", "none", LOCAL),
            ("OtherPatientIDs", "", "retired", "none", B),
            ("OtherPatientIDsSequence[0].PatientID", "", "other", "other", LOCAL),
            ("OtherPatientIDsSequence[1].PatientID", "", "other", "bsn-oid", C),
            ("(0031,xx20)", MITRA, "private", "none", A),
            (
                "OriginalAttributesSequence[0].ModifiedAttributesSequence[0].PatientID",
                "",
                "historic",
                "bsn-oid",
                B,
            ),
        ]
    )
    weighed = {(f.place_kind, f.evidence) for f in findings(head, identifiers(head, RULES), RULES)}
    assert weighed == {
        ("primary", "asserted"),
        ("retired", "unasserted"),
        ("other", "asserted"),
        ("private", "unasserted"),
        ("historic", "asserted"),
    }


def test_empty_and_absent_places_are_no_identifiers():
    empty = [el(0x00100020, "LO", ""), el(0x00101000, "LO", "\\ "), others()]
    assert identifiers(head_of(*empty), RULES) == []
    assert identifiers(head_of(), RULES) == []


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        (identity(A, OID), "bsn-oid"),
        (identity(A, f"{OID}\0"), "bsn-oid"),
        (identity(A, "NLMINBIZA"), "bsn"),
        (identity(A, "nnnld"), "bsn"),
        (identity(A, f"&{OID}&ISO"), "bsn"),
        (identity(A, None, None, qualifiers()), "bsn"),
        (identity(A, "ZKH", None, qualifiers()), "bsn"),
        (identity(A, None, None, qualifiers("1.2.3", "NNNLD")), "bsn"),
        (identity(f"{A}^^^NLMINBIZA^NNNLD"), "bsn"),
        (identity(f"{A}^^^&{OID}&ISO", "ZKH"), "bsn"),
        (identity(A, "Landelijk"), "bsn"),
    ],
)
def test_every_spelling_of_the_bsn_issuer_asserts(own, kind):
    rules = BsnRules(extra_issuers=("LANDELIJK",))
    head = head_of(*own)
    (one,) = identifiers(head, rules)
    assert (one.issuer_kind, one.number) == (kind, A)
    assert evidence(one, rules) == "asserted"
    head = head_of(others(item(*own)))
    (one,) = identifiers(head, rules)
    assert (one.place_kind, one.issuer_kind) == ("other", kind)


@pytest.mark.parametrize(
    "own",
    [
        identity(A),
        identity(A, ""),
        identity(A, "ZKH-OOST"),
        identity(A, "Landelijk"),
        identity(A, "ZKH", None, qualifiers("1.2.3", "PI")),
        identity(f"{A}^^^ZKH-OOST"),
    ],
)
def test_without_such_a_spelling_a_number_that_passes_is_unasserted(own):
    assert [one[1:3] for one in found(*own)] == [("primary", "unasserted")]


def test_the_issuer_of_one_item_says_nothing_of_another():
    own = [*identity(LOCAL, OID), others(item(*identity(A)), item(*identity(B, "NLMINBIZA")))]
    assert [(one[0], one[2]) for one in found(*own)] == [
        ("PatientID", "invalid"),
        ("OtherPatientIDsSequence[0].PatientID", "unasserted"),
        ("OtherPatientIDsSequence[1].PatientID", "asserted"),
    ]


@pytest.mark.parametrize(
    ("text", "says", "number"),
    [
        (FAILING, "invalid", FAILING),
        ("1234567", "invalid", ""),
        ("ONBEKEND", "invalid", ""),
        (f"{A}7", "invalid", ""),
        ("999999990", "placeholder", "999999990"),
        ("000000000", "placeholder", "000000000"),
        (C, "placeholder", C),
    ],
)
def test_what_an_issuer_calls_a_bsn_and_is_none_is_invalid_or_a_placeholder(text, says, number):
    rules = BsnRules(placeholders=(C,))
    assert [(one[2], one[4]) for one in found(*identity(text, OID), rules=rules)] == [
        (says, number)
    ]
    assert found(*identity(text, "ZKH"), rules=rules) == []


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (A, "nine"),
        ("9999.00.006", "grouped"),
        ("9999 00 006", "grouped"),
        (f"BSN:{A}", "prefixed"),
        (f"NL{A}", "prefixed"),
        (f"{A}^^^NLMINBIZA^NNNLD", "cx"),
        (f"{A}\0", "nine"),
        (f" {A}", "nine"),
    ],
)
def test_the_written_form_is_told(text, form):
    assert [one[3:] for one in found(*identity(text, OID))] == [(form, A)]


def test_a_value_of_eight_digits_is_named_and_counted():
    eight = next(n for n in range(10_000_000, 10_000_100) if bsn.passes(f"{n:09d}"))
    assert [one[2:4] for one in found(*identity(str(eight)))] == [("unasserted", "eight")]


@pytest.mark.parametrize("text", [f"PAT {A}", f"{A}/2", f"A-{A}", f"{A} {B}"])
def test_a_number_inside_longer_text_of_an_identifier_place_is_embedded(text):
    numbers = bsn.runs(text)
    own = [*identity(text, "ZKH"), others(item(*identity(text, "ZKH")))]
    assert [(one[1], one[2], one[4]) for one in found(*own)] == [
        (kind, "embedded", number) for kind in ("primary", "other") for number in numbers
    ]


def test_shapes_count_what_tallies_need():
    texts = {"A12": "other", FAILING: "well-formed", A: "passing", "123456782": "placeholder"}
    for text, expected in texts.items():
        (one,) = identifiers(head_of(*identity(text)), RULES)
        assert shape(one, RULES) == expected


def test_two_patient_ids_in_one_file_are_both_seen():
    own = [el(0x00100020, "LO", A), el(0x00100020, "LO", B)]
    assert [one[4] for one in found(*own)] == [A, B]


# -- private places ---------------------------------------------------------------------------


@pytest.mark.parametrize(("creator", "name"), sorted(PRIVATE_PATIENT_NUMBERS))
@pytest.mark.parametrize("vr", ["LO", "SH", "UN", "LT"])
def test_known_private_elements_are_found_with_their_creator(creator, name, vr):
    group, number = int(name[1:5], 16), int(name[8:10], 16)
    own = private(group, creator, (number, vr, A), block=0x21)
    assert found(*own) == [(name, "private", "unasserted", "nine", A)]
    assert found(*own, syntax=IMPLICIT) == found(*own)
    (one,) = identifiers(head_of(*own), RULES)
    assert one.creator == creator


def test_blocks_are_told_apart_by_their_creators():
    own = private(0x0031, "SOMEBODY ELSE", (0x20, "LO", B), block=0x10)
    own += private(0x0031, MITRA, (0x20, "LO", A), block=0x11)
    own = sorted(own, key=lambda one: one.tag)
    assert [(one[1], one[4]) for one in found(*own)] == [("private", A), ("leak", B)]


def test_an_element_without_its_creator_is_a_leak():
    own = [el(0x00311020, "LO", A)]
    assert [(one[0], one[1], one[2]) for one in found(*own)] == [
        ("(0031,xx20)", "leak", "unasserted")
    ]


def test_a_creator_counts_in_its_own_data_set_only():
    inner = el(0x00081140, "SQ", [item(el(0x00311020, "LO", B))])
    own = [inner, *private(0x0031, MITRA, (0x20, "LO", A))]
    assert {(one[0], one[1], one[4]) for one in found(*own)} == {
        ("(0031,xx20)", "private", A),
        ("ReferencedImageSequence[0].(0031,xx20)", "leak", B),
    }


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("vr", ["SQ", "UN"])
def test_private_sequences_are_searched_inside_un_too(vr, undefined):
    deep = item(*private(0x0031, MITRA, (0x20, "LO", A)), *identity(B))
    own = private(0x0029, "SCHIJN 2.0")
    own.append(el(0x00291001, vr, [item(), deep], undefined=undefined))
    assert {one[:2] for one in found(*own)} == {
        ("(0029,xx01)[1].(0031,xx20)", "private"),
        ("(0029,xx01)[1].PatientID", "leak"),
    }
    head = head_of(*own)
    (one,) = identifiers(head, RULES)
    assert (one.place, one.creator) == ("(0029,xx01)[1].(0031,xx20)", MITRA)


def test_binary_values_are_no_text():
    own = private(0x0031, MITRA, (0x20, "OB", f"{A} "), (0x21, "UN", A.encode() + b"\1\2\0"))
    assert found(*own) == []


def test_un_text_padded_with_nul_is_text():
    own = private(0x0099, "ONBEKEND 1.0", (0x01, "UN", f"PAT {A}\0\0\0"))
    assert found(*own) == [("(0099,xx01)", "leak", "embedded", "embedded", A)]


# -- historic, and somebody else's ------------------------------------------------------------


def test_former_values_are_historic_however_deep_they_stand():
    former = [
        *identity(A, OID),
        el(0x00101000, "LO", B),
        others(item(*identity(C, OID))),
        *private(0x0031, MITRA, (0x20, "LO", A)),
    ]
    assert [(one[0].rpartition("[0].")[2], one[1], one[2]) for one in found(history(*former))] == [
        ("PatientID", "historic", "asserted"),
        ("OtherPatientIDs", "historic", "unasserted"),
        ("(0031,xx20)", "historic", "unasserted"),
        ("PatientID", "historic", "asserted"),
    ]


def test_other_private_elements_among_former_values_are_no_identifiers():
    own = history(*private(0x0099, "ONBEKEND 1.0", (1, "LO", LOCAL), (2, "OB", b"\1\2")))
    assert identifiers(head_of(own), RULES) == []


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00080090, "PN"),
        (0x00081070, "PN"),
        (0x00101060, "PN"),
        (0x00102297, "PN"),
        (0x00101050, "LO"),
        (0x00401011, "SQ"),
    ],
)
def test_numbers_of_other_people_are_reported_as_such(tag, vr):
    value = [item(el(0x00401101, "SQ", [item(el(0x00080104, "LO", A))]))] if vr == "SQ" else A
    expected = "leak" if tag == 0x00401011 else "not-patient"
    assert [one[1] for one in found(el(tag, vr, value))] == [expected]


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
