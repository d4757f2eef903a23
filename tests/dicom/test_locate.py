"""Locate: every place of a number, what its issuer says, and the places where a number is none."""

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

from remediation.dicom.header import scan
from remediation.dicom.locate import (
    BsnRules,
    evidence,
    findings,
    identifiers,
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


def named_by(namespace):
    return el(0x00100024, "SQ", [item(el(0x00400031, "UT", namespace))])


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
        (identity(A, None, None, qualifiers(OID, "PI")), "bsn"),
        (identity(A, None, None, named_by("NLMINBIZA")), "bsn"),
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
    numbers = list(bsn.runs(text))
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
        ("PatientID", "historic", "asserted"),
        ("(0031,xx20)", "historic", "unasserted"),
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
