"""Corrections, spliced and compared: golden cases for both placements, refusals, second readers."""

import shutil
import subprocess
import warnings
from io import BytesIO

import pytest
from at_rest_cases import AT_REST_CASES
from builders import (
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
    qualifiers,
    with_group_lengths,
)
from exchange_cases import EXCHANGE_CASES
from placement_cases import (
    BSN,
    BSN_ITEM,
    DOTTED,
    EXTRA_BACK,
    FOREIGN_ITEM,
    INVALID,
    ISSUER,
    LOCAL,
    LOCAL_ITEM,
    MINE,
    OTHER_BSN,
    PRIMARY_BSN,
    order,
    original,
    others,
    retired,
)
from pydicom import dcmread

from remediation.dicom.correction import Refused, correct
from remediation.dicom.delta import delta
from remediation.dicom.header import scan
from remediation.dicom.splice import rewritable, splice
from remediation.model.placement import AT_REST, EXCHANGE

LAYOUTS = [
    pytest.param(syntax, groups, id=f"{name}-{'lengths' if groups else 'plain'}")
    for name, syntax in (("explicit", EXPLICIT), ("implicit", IMPLICIT), ("jpeg", JPEG))
    for groups in (None, (0x0010, 0x0400))
]
TARGETS = [AT_REST, EXCHANGE]
CASES = [*AT_REST_CASES, *EXCHANGE_CASES]
ids = [f"{one.order.placement.target}-{one.name}" for one in CASES]
every_case = pytest.mark.parametrize("one", CASES, ids=ids)
every_layout = pytest.mark.parametrize(("syntax", "groups"), LAYOUTS)


def file_of(own, syntax=EXPLICIT, groups=None):
    more = [el(0x00101010, "AS", "061Y"), el(0x00321060, "LO", "Schijn"), el(0x00400244, "DA", "")]
    elements = patient_head(*own, more=more)
    if groups:
        elements = with_group_lengths(elements, syntax, groups)
    return dicom(elements, syntax, tail=pixels(syntax))


def corrected(data, ordered):
    """Correct a file's head, and return the whole new file, accepted by `delta`."""
    head = scan(data, len(data))
    assert rewritable(head, len(data), MR) is None
    correction = correct(head, ordered)
    new = splice(head, correction.changes)
    assert delta(data[: head.length], new, ordered) == correction.changes.keys()
    return new + data[head.length :]


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


# -- second readers ---------------------------------------------------------------------------


def texts(data, *keywords):
    return [str(data.get(keyword, "")).strip("\0 ") for keyword in keywords]


@every_case
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, JPEG])
def test_pydicom_reads_the_result_and_sees_the_placement(one, syntax):
    data = corrected(file_of(one.given, syntax), one.order)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = dcmread(BytesIO(data))
        was = dcmread(BytesIO(file_of(one.given, syntax)))
        items = header.get("OtherPatientIDsSequence") or []
        said = [texts(one, "PatientID", "IssuerOfPatientID", "TypeOfPatientID") for one in items]
        primary = texts(header, "PatientID", "IssuerOfPatientID", "TypeOfPatientID")
        right = [BSN, OID, "TEXT"]
        if one.order.placement.target == AT_REST:
            assert said.count(right) == 1
            assert primary[0] != BSN
            assert primary[1] != OID
        else:
            assert primary == right
            assert right not in said
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
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, JPEG])
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


def test_there_and_back_again_gives_the_first_placement():
    start = file_of([*identity(LOCAL, ISSUER, "TEXT"), others(BSN_ITEM)])
    there, back = (order(target=t, original_attributes=False) for t in (EXCHANGE, AT_REST))
    assert corrected(corrected(start, there), back) == start


# -- group lengths, tails and places ----------------------------------------------------------


def test_a_stale_group_length_is_counted_anew_and_others_are_left_alone():
    def elements(size, own):
        return [
            el(0x00080000, "UL", b"\x63\0\0\0"),
            el(0x00080016, "UI", MR),
            el(0x00100000, "UL", size),
            *own,
        ]

    data = dicom(elements(b"\1\0\0\0", MINE), tail=pixels())
    own = [*MINE, others(BSN_ITEM)]
    size = len(data_set(own)).to_bytes(4, "little")
    result = corrected(data, order(original_attributes=False))
    assert result == dicom(elements(size, own), tail=pixels())


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_elements_come_in_their_place_whatever_stands_around_them(syntax):
    ordered = order(original_attributes=True)
    for around in ([], [el(0x00080016, "UI", MR)], [el(0xFFFCFFFC, "OB", bytes(4))]):
        elements = sorted([*MINE, *around], key=lambda one: one.tag)
        result = corrected(dicom(elements, syntax), ordered)
        tags = [one.tag for one in scan(result, len(result)).elements]
        assert tags == sorted({*(one.tag for one in elements), 0x00101002, 0x04000561})


def test_a_file_without_preamble_and_meta_header_is_corrected_alike():
    elements = patient_head(*MINE)
    bare = dicom(elements, preamble=None, header=False, tail=pixels())
    whole = dicom(elements, tail=pixels())
    lead = len(whole) - len(bare)
    assert corrected(bare, order()) == corrected(whole, order())[lead:]


# -- refusals ---------------------------------------------------------------------------------

LONG = "1" * 65
REFUSALS = [
    ("identity-vr", TARGETS, [el(0x00100020, "SH", LOCAL)]),
    ("identity-vr", TARGETS, [el(0x00100020, "UN", LOCAL)]),
    ("identity-vr", TARGETS, [*MINE, el(0x00100022, "LO", "TEXT")]),
    ("identity-vr", TARGETS, [*MINE, el(0x00101000, "SH", LOCAL)]),
    ("identity-vr", TARGETS, [*MINE, el(0x00101002, "UN", [FOREIGN_ITEM])]),
    ("identity-vr", TARGETS, [*MINE, el(0x04000561, "UN", b"")]),
    ("identity-vr", TARGETS, [*MINE, others(item(el(0x00100020, "SH", BSN)))]),
    ("identity-vr", TARGETS, [*MINE, others(item(el(0x00100024, "UN", b"")))]),
    ("duplicate", TARGETS, [*MINE, el(0x00100020, "LO", LOCAL)]),
    ("duplicate", TARGETS, [*MINE, others(), others()]),
    ("duplicate", TARGETS, [*MINE, others(item(*identity(BSN), *identity(BSN)))]),
    ("duplicate", [AT_REST], [*MINE, others(item(EXTRA_BACK, *identity(BSN), EXTRA_BACK))]),
    ("odd-length", TARGETS, [el(0x00100020, "LO", b"123")]),
    ("odd-length", TARGETS, [*MINE, others(item(el(0x00100021, "LO", b"ZKH")))]),
    (
        "nested-group-length",
        [AT_REST],
        [*MINE, others(item(el(0x00100000, "UL", bytes(4)), *identity(BSN)))],
    ),
    (
        "nested-group-length",
        [EXCHANGE],
        [*MINE, others(item(el(0x00100000, "UL", bytes(4)), *MINE))],
    ),
    ("local-number-form", TARGETS, identity(None, ISSUER)),
    ("local-number-form", TARGETS, identity("", ISSUER)),
    ("local-number-form", TARGETS, identity(f"{LOCAL}\\{LOCAL}", ISSUER)),
    ("local-number-form", TARGETS, identity(f"{LOCAL}\\{BSN}", ISSUER)),
    ("local-number-form", TARGETS, identity(LONG, ISSUER)),
    ("local-number-form", TARGETS, identity(f"{LOCAL}^^^NLMINBIZA^NNNLD", ISSUER)),
    ("local-number-form", [AT_REST], [*PRIMARY_BSN, others(item(*identity("1\\2", ISSUER)))]),
    ("local-number-form", [AT_REST], [*PRIMARY_BSN, others(item(*identity(LONG, ISSUER)))]),
    ("no-local-number", [AT_REST], PRIMARY_BSN),
    ("no-local-number", [AT_REST], [*PRIMARY_BSN, others(FOREIGN_ITEM, BSN_ITEM)]),
    (
        "no-local-number",
        [AT_REST],
        [*PRIMARY_BSN, others(LOCAL_ITEM, item(*identity("2", "OOST_HIS")))],
    ),
    ("no-local-number", [AT_REST], [*PRIMARY_BSN, others(item(*identity(None, ISSUER)))]),
    ("no-local-number", [AT_REST], [*PRIMARY_BSN, others(item(*identity(LOCAL)))]),
    ("no-local-number", [AT_REST], [*identity(DOTTED), others(FOREIGN_ITEM)]),
    ("qualifiers-say-bsn", [AT_REST], [*identity(LOCAL, ISSUER, None, qualifiers())]),
    (
        "qualifiers-say-bsn",
        [AT_REST],
        [*identity(LOCAL, OID, None, qualifiers()), others(BSN_ITEM)],
    ),
    ("item-of-another-issuer", TARGETS, [*MINE, others(item(*identity(BSN, "ZKH-ELDERS")))]),
    ("item-of-another-issuer", TARGETS, [*MINE, others(BSN_ITEM, item(*identity(DOTTED, ISSUER)))]),
    ("header-disagrees", TARGETS, [*MINE, others(item(*identity(OTHER_BSN, OID)))]),
    (
        "header-disagrees",
        TARGETS,
        [*MINE, others(BSN_ITEM, item(*identity(OTHER_BSN, "NLMINBIZA")))],
    ),
    (
        "header-disagrees",
        TARGETS,
        [*MINE, others(item(*identity(OTHER_BSN, None, None, qualifiers())))],
    ),
]


@pytest.mark.parametrize(
    ("reason", "target", "own"),
    [
        pytest.param(reason, target, own, id=f"{reason}-{target}-{number}")
        for number, (reason, targets, own) in enumerate(REFUSALS)
        for target in targets
    ],
)
def test_what_cannot_be_corrected_safely_is_refused_with_its_reason(reason, target, own):
    data = dicom([el(0x00080016, "UI", MR), *own], tail=pixels())
    head = scan(data, len(data))
    assert not head.error
    with pytest.raises(Refused) as raised:
        correct(head, order(target=target))
    assert str(raised.value) == reason


@pytest.mark.parametrize("issuer", ["", " ", "ZKH\\OOST", "ZKH-Ö", "Z" * 65, "ZKH\n"])
@pytest.mark.parametrize(
    ("target", "own"),
    [
        (AT_REST, identity(LOCAL, OID)),
        (EXCHANGE, identity(LOCAL)),
        (EXCHANGE, identity(LOCAL, OID)),
    ],
)
def test_a_local_issuer_that_cannot_be_written_is_refused(issuer, target, own):
    data = file_of(own)
    with pytest.raises(Refused, match="local-issuer-form"):
        correct(scan(data, len(data)), order(issuer=issuer, target=target, spellings=()))


def test_64_characters_are_not_too_long():
    number, issuer = "1" * 64, "Z" * 64
    result = corrected(file_of(identity(number, OID)), order(issuer=issuer))
    head = scan(result, len(result))
    assert head.text(head.find(0x00100020)) == number
    assert head.text(head.find(0x00100021)) == issuer


def test_the_hospitals_own_placeholder_in_an_item_is_replaced():
    data = file_of([*MINE, others(item(*identity(OTHER_BSN, OID)))])
    plain = order()
    ordered = type(plain)(
        BSN, ISSUER, frozenset(), plain.placement, plain.at, placeholders=(OTHER_BSN,)
    )
    assert OTHER_BSN.encode() not in corrected(data, ordered)


def test_a_local_item_that_says_bsn_does_not_swap():
    own = [*PRIMARY_BSN, others(item(*identity(LOCAL, ISSUER, None, qualifiers())))]
    data = file_of(own)
    with pytest.raises(Refused, match="qualifiers-say-bsn"):
        correct(scan(data, len(data)), order())


def test_an_invalid_number_never_stays_in_the_header():
    for target in TARGETS:
        for own in (
            [others(item(*identity(INVALID, OID)))],
            [others(BSN_ITEM, item(*identity(INVALID, OID)))],
        ):
            assert INVALID.encode() not in corrected(file_of([*MINE, *own]), order(target=target))
