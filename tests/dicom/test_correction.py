"""Corrections, spliced and compared: golden cases for all placements, read by second readers."""

import shutil
import subprocess
import warnings
from io import BytesIO

import pytest
from at_rest_cases import AT_REST_CASES
from builders import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    MR,
    OID,
    data_set,
    dicom,
    el,
    identity,
    item,
    patient_head,
    pixels,
)
from exchange_cases import EXCHANGE_CASES
from own_placement_cases import BESIDE, NAMED, NAMED_ITEM, OWN_CASES, SENT, SENT_BSN
from placement_cases import (
    BSN,
    BSN_ITEM,
    EXTRA_BACK,
    FOREIGN_ITEM,
    ISSUER,
    LOCAL,
    LOCAL_ITEM,
    MINE,
    PRIMARY_BSN,
    order,
    original,
    others,
    retired,
)
from pydicom import dcmread
from rewriting import corrected, file_of

from remediation.dicom.correction import correct
from remediation.dicom.delta import delta
from remediation.dicom.header import scan
from remediation.model.placement import ACTIONS, AT_REST, EXCHANGE

SYNTAXES = [EXPLICIT, IMPLICIT, JPEG, BIG]
LAYOUTS = [
    pytest.param(syntax, groups, id=f"{name}-{'lengths' if groups else 'plain'}")
    for name, syntax in zip(("explicit", "implicit", "jpeg", "big"), SYNTAXES, strict=True)
    for groups in (None, (0x0010, 0x0400))
]
CASES = [*AT_REST_CASES, *EXCHANGE_CASES, *OWN_CASES]
ids = [f"{one.order.placement.target}-{one.name}" for one in CASES]
every_case = pytest.mark.parametrize("one", CASES, ids=ids)
every_layout = pytest.mark.parametrize(("syntax", "groups"), LAYOUTS)


@every_case
@every_layout
def test_each_case_becomes_what_it_should_to_the_byte(one, syntax, groups):
    before = file_of(one.given, syntax, groups)
    assert corrected(before, one.order) == file_of(one.result, syntax, groups_of(groups, one))


def groups_of(groups, one):
    """Group lengths are counted anew where the file has them, and never added."""
    has_original = any(element.tag == 0x04000561 for element in one.given)
    return groups if groups is None or has_original else groups[:1]


@every_case
@every_layout
def test_a_second_correction_finds_nothing_to_do(one, syntax, groups):
    result = corrected(file_of(one.given, syntax, groups), one.order)
    head = scan(result, len(result))
    again = correct(head, one.order)
    assert (again.changes, again.edits) == ({}, ())
    assert delta(result[: head.length], result[: head.length], one.order) == frozenset()


@every_case
def test_every_edit_is_told_without_a_value(one):
    data = file_of(one.given)
    correction = correct(scan(data, len(data)), one.order)
    assert correction.edits
    assert {edit.action for edit in correction.edits} <= {"set", "add", "remove", "move", "append"}
    sources = {edit.value_source for edit in correction.edits}
    assert sources <= {"crosswalk", "header", "job", "constant"}
    assert {edit.token_of for edit in correction.edits} <= {"bsn", "local", ""}
    tops = {edit.attribute.partition(".")[0].partition("[")[0] for edit in correction.edits}
    assert len(tops) == len(correction.changes)
    assert BSN not in repr(correction)


ITEM = "OtherPatientIDsSequence[{}].PatientID"
APPEND = ("OriginalAttributesSequence", "append", "header", "")
EDITS = {
    "bare": [("OtherPatientIDsSequence.PatientID", "add", "crosswalk", "bsn"), APPEND],
    "BSN and local number swap": [
        ("PatientID", "move", "header", "local"),
        ("IssuerOfPatientID", "move", "header", ""),
        ("IssuerOfPatientIDQualifiersSequence", "remove", "header", ""),
        (ITEM.format(1), "set", "crosswalk", "bsn"),
        APPEND,
    ],
    "several items of the BSN collapse into the first": [
        (ITEM.format(1), "set", "crosswalk", "bsn"),
        (ITEM.format(2), "remove", "header", "bsn"),
        (ITEM.format(4), "remove", "header", "bsn"),
        APPEND,
    ],
    "so does another spelling of it, the BSN standing right": [
        ("IssuerOfPatientID", "set", "job", ""),
        APPEND,
    ],
    "OtherPatientIDs goes with its last value": [
        ("OtherPatientIDsSequence.PatientID", "add", "crosswalk", "bsn"),
        ("OtherPatientIDs", "remove", "header", "bsn"),
        APPEND,
    ],
    "an item with the BSN goes": [
        (ITEM.format(1), "remove", "header", "bsn"),
        (ITEM.format(2), "remove", "header", "bsn"),
        ("OtherPatientIDsSequence.PatientID", "move", "header", "local"),
        ("PatientID", "set", "crosswalk", "bsn"),
        ("IssuerOfPatientID", "set", "constant", ""),
        ("TypeOfPatientID", "add", "constant", ""),
        ("IssuerOfPatientIDQualifiersSequence", "add", "constant", ""),
        APPEND,
    ],
    "that item takes what only the header's top has, and keeps its other elements": [
        ("OtherPatientIDsSequence.PatientID", "move", "header", "local"),
        (ITEM.format(2), "remove", "header", "local"),
        ("PatientID", "set", "crosswalk", "bsn"),
        ("IssuerOfPatientID", "set", "constant", ""),
        ("TypeOfPatientID", "add", "constant", ""),
        ("IssuerOfPatientIDQualifiersSequence", "set", "constant", ""),
        APPEND,
    ],
    "a wrong item goes, and is not kept": [
        (ITEM.format(1), "remove", "header", ""),
        (ITEM.format(2), "remove", "header", ""),
        ("OtherPatientIDsSequence.PatientID", "move", "header", "local"),
        ("PatientID", "set", "crosswalk", "bsn"),
        ("IssuerOfPatientID", "set", "constant", ""),
        ("TypeOfPatientID", "add", "constant", ""),
        ("IssuerOfPatientIDQualifiersSequence", "add", "constant", ""),
        APPEND,
    ],
    "the BSN comes behind the other values of OtherPatientIDs": [
        ("OtherPatientIDsSequence.PatientID", "add", "crosswalk", "bsn"),
        ("OtherPatientIDs", "add", "crosswalk", "bsn"),
        APPEND,
    ],
    "another way of writing it becomes nine digits, where it stands": [
        ("OtherPatientIDs", "set", "crosswalk", "bsn"),
        APPEND,
    ],
    "BSN and local number swap, and the BSN comes beside": [
        ("PatientID", "move", "header", "local"),
        ("IssuerOfPatientID", "move", "header", ""),
        ("IssuerOfPatientIDQualifiersSequence", "remove", "header", ""),
        (ITEM.format(0), "set", "crosswalk", "bsn"),
        ("OtherPatientIDs", "add", "crosswalk", "bsn"),
        APPEND,
    ],
    "the type moves with the local number, and is not written for the BSN": [
        (ITEM.format(0), "remove", "header", "bsn"),
        ("OtherPatientIDsSequence.PatientID", "move", "header", "local"),
        ("PatientID", "set", "crosswalk", "bsn"),
        ("IssuerOfPatientID", "set", "constant", ""),
        ("TypeOfPatientID", "remove", "constant", ""),
        ("IssuerOfPatientIDQualifiersSequence", "set", "constant", ""),
        ("OtherPatientIDs", "add", "crosswalk", "bsn"),
        APPEND,
    ],
}


@pytest.mark.parametrize("name", EDITS)
def test_edits_say_what_happens_as_people_read_it(name):
    one = next(case for case in CASES if case.name == name)
    data = file_of(one.given)
    edits = correct(scan(data, len(data)), one.order).edits
    told = [(e.attribute, e.action, e.value_source, e.token_of) for e in edits]
    assert told == EDITS[name]


@pytest.mark.parametrize("cases", [AT_REST_CASES, EXCHANGE_CASES, OWN_CASES])
def test_every_action_of_the_closed_list_is_taken_for_every_kind_of_placement(cases):
    taken = set()
    for one in cases:
        data = file_of(one.given)
        taken |= {edit.action for edit in correct(scan(data, len(data)), one.order).edits}
    assert taken == ACTIONS


# -- second readers ---------------------------------------------------------------------------


def texts(data, *keywords):
    return [str(data.get(keyword, "")).strip("\0 ") for keyword in keywords]


@every_case
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_pydicom_reads_the_result_and_sees_the_placement(one, syntax):
    data = corrected(file_of(one.given, syntax), one.order)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = dcmread(BytesIO(data))
        was = dcmread(BytesIO(file_of(one.given, syntax)))
        items = header.get("OtherPatientIDsSequence") or []
        said = [texts(one, "PatientID", "IssuerOfPatientID", "TypeOfPatientID") for one in items]
        primary = texts(header, "PatientID", "IssuerOfPatientID", "TypeOfPatientID")
        placement = one.order.placement
        right = [BSN, placement.issuer, "TEXT" if placement.typed else ""]
        if placement.primary_is_bsn:
            assert primary == right
            assert BSN not in [number for number, _, _ in said]
        else:
            assert said.count(right) == 1
            assert primary[0] != BSN
            assert primary[1] not in {OID, placement.issuer}
        if placement.beside_retired or placement.remove_retired:
            values = header.get("OtherPatientIDs") or []
            values = [values] if isinstance(values, str) else list(values)
            assert values.count(BSN) == int(placement.beside_retired)
        touched = {
            0x00100020,
            0x00100021,
            0x00100022,
            0x00100024,
            0x00101000,
            0x00101002,
            0x04000561,
        }
        kept = [element for element in was if element.tag not in touched]
        assert kept == [element for element in header if element.tag not in touched]
        assert header.PixelData == was.PixelData
        if one.order.placement.original_attributes:
            former = header.OriginalAttributesSequence[-1]
            assert former.ModifyingSystem == "REMEDIATION"
            assert former.ReasonForTheAttributeModification == one.reason
            assert len(former.ModifiedAttributesSequence) == 1
        packed = BytesIO()
        header.save_as(packed)


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="DCMTK's dcmdump is not installed")
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_dcmtk_reads_every_result_without_a_warning(syntax, tmp_path):
    for number, one in enumerate(CASES):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(corrected(file_of(one.given, syntax), one.order))
    paths = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        ["dcmdump", "-q", "+P", "0010,0020", "+p", *paths],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    noisy = subprocess.run(["dcmdump", *paths], capture_output=True, check=False, timeout=60)
    assert noisy.returncode == 0
    assert noisy.stderr == b""
    assert done.stdout.count(f"[{BSN}]".encode()) >= len(CASES)


# -- where nothing changes --------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"original_attributes": False}, {"remove_retired": True}])
@pytest.mark.parametrize(
    ("target", "own"),
    [
        (AT_REST, [*MINE, others(BSN_ITEM)]),
        (AT_REST, [*MINE, retired(LOCAL), others(FOREIGN_ITEM, BSN_ITEM, undefined=True)]),
        (AT_REST, [*identity(LOCAL), others(item(*BSN_ITEM.elements, EXTRA_BACK))]),
        (EXCHANGE, PRIMARY_BSN),
        (EXCHANGE, [*PRIMARY_BSN, retired(""), others(FOREIGN_ITEM, LOCAL_ITEM)]),
        (EXCHANGE, [*PRIMARY_BSN, others(undefined=True), original()]),
    ],
)
def test_a_head_that_is_right_is_left_to_the_byte(target, own, settings):
    data = file_of(own)
    ordered = order(target=target, **settings)
    assert correct(scan(data, len(data)), ordered).changes == {}
    assert corrected(data, ordered) == data


@pytest.mark.parametrize(
    ("placement", "own"),
    [
        (BESIDE, [*MINE, retired(f"X1\\{BSN}"), others(FOREIGN_ITEM, BSN_ITEM)]),
        (NAMED, [*MINE, others(NAMED_ITEM, FOREIGN_ITEM, undefined=True)]),
        (SENT, [*SENT_BSN, retired(f"{BSN}\\X1"), others(LOCAL_ITEM)]),
    ],
)
def test_a_head_that_is_right_for_a_hospitals_own_placement_is_left_to_the_byte(placement, own):
    data = file_of(own)
    assert corrected(data, order(placement=placement)) == data


def test_there_and_back_again_gives_the_first_placement():
    start = file_of([*identity(LOCAL, ISSUER, "TEXT"), others(BSN_ITEM)])
    there, back = (order(target=t, original_attributes=False) for t in (EXCHANGE, AT_REST))
    assert corrected(corrected(start, there), back) == start


# -- group lengths, tails and places ----------------------------------------------------------


@pytest.mark.parametrize(("syntax", "order_of_bytes"), [(EXPLICIT, "little"), (BIG, "big")])
def test_a_stale_group_length_is_counted_anew_and_others_are_left_alone(syntax, order_of_bytes):
    def elements(size, own):
        return [
            el(0x00080000, "UL", b"\x63\0\0\0"),
            el(0x00080016, "UI", MR),
            el(0x00100000, "UL", size),
            *own,
        ]

    data = dicom(elements(b"\1\0\0\0", MINE), syntax, tail=pixels(syntax))
    own = [*MINE, others(BSN_ITEM)]
    size = len(data_set(own, syntax)).to_bytes(4, order_of_bytes)
    result = corrected(data, order(original_attributes=False))
    assert result == dicom(elements(size, own), syntax, tail=pixels(syntax))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_elements_come_in_their_place_whatever_stands_around_them(syntax):
    ordered = order(original_attributes=True)
    for around in ([], [el(0x00080016, "UI", MR)], [el(0xFFFCFFFC, "OB", bytes(4))]):
        elements = sorted([*MINE, *around], key=lambda one: one.tag)
        result = corrected(dicom(elements, syntax), ordered)
        tags = [one.tag for one in scan(result, len(result)).elements]
        assert tags == sorted({*(one.tag for one in elements), 0x00101002, 0x04000561})


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_a_file_without_preamble_and_meta_header_is_corrected_alike(syntax):
    elements = patient_head(*MINE)
    bare = dicom(elements, syntax, preamble=None, header=False, tail=pixels(syntax))
    whole = dicom(elements, syntax, tail=pixels(syntax))
    lead = len(whole) - len(bare)
    assert corrected(bare, order()) == corrected(whole, order())[lead:]
