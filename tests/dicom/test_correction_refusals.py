"""Corrections that are refused, each with its reason, and the last ones that are not."""

import re
from pathlib import Path

import pytest
from builders import (
    IMPLICIT,
    MR,
    OID,
    data_set,
    dicom,
    el,
    identity,
    item,
    pixels,
    qualifiers,
)
from own_placement_cases import BESIDE, NAMED, SENT
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
    others,
    retired,
)
from rewriting import corrected, file_of

from remediation.dicom import groups
from remediation.dicom.correction import Refused, correct
from remediation.dicom.delta import Suspicious, delta
from remediation.dicom.header import scan
from remediation.dicom.splice import splice
from remediation.model.placement import AT_REST, EXCHANGE, Placement

TARGETS = [AT_REST, EXCHANGE]
OF_BASE = {AT_REST: [Placement(), BESIDE, NAMED], EXCHANGE: [Placement(EXCHANGE), SENT]}


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
    ("reason", "placement", "own"),
    [
        pytest.param(reason, placement, own, id=f"{reason}-{placement.target}-{number}")
        for number, (reason, bases, own) in enumerate(REFUSALS)
        for base in bases
        for placement in OF_BASE[base]
    ],
)
def test_what_cannot_be_corrected_safely_is_refused_with_its_reason(reason, placement, own):
    data = dicom([el(0x00080016, "UI", MR), *own], tail=pixels())
    head = scan(data, len(data))
    assert not head.error
    with pytest.raises(Refused) as raised:
        correct(head, order(placement=placement))
    assert str(raised.value) == reason


def test_every_reason_has_its_scenario():
    elsewhere = {"local-issuer-form", "other-ids-too-long"}
    assert {reason for reason, _, _ in REFUSALS} | elsewhere == groups.REFUSALS.keys()


def test_the_page_tells_each_reason():
    page = (Path(__file__).parents[2] / "remediation/docs/placements.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", page, re.MULTILINE)).items() >= (
        groups.REFUSALS.items()
    )


@pytest.mark.parametrize("placement", [BESIDE, SENT])
def test_other_patient_ids_grow_as_far_as_an_element_can(placement):
    ordered = order(placement=placement)
    most = 0xFFFE - len(f"\\{BSN}")
    fits = "\\".join(["X" * 63] * 1024)[:most]
    data = file_of([*MINE, retired(fits)])
    new = corrected(data, ordered)
    head = scan(new, len(new))
    assert head.text(head.find(0x00101000)) == f"{fits}\\{BSN}"
    data = file_of([*MINE, retired(f"{fits}XX")])
    with pytest.raises(Refused, match="other-ids-too-long"):
        correct(scan(data, len(data)), ordered)


def test_delta_does_not_take_other_patient_ids_that_are_too_long():
    ordered = order(placement=Placement("x", base=AT_REST, beside_retired=True))
    given = [*MINE, retired("\\".join(["X" * 63] * 1024)), others(BSN_ITEM)]
    data = dicom([el(0x00080016, "UI", MR), *given], IMPLICIT)
    head = scan(data, len(data))
    whole = head.raw(head.find(0x00101000)) + f"\\{BSN}".encode()
    made = el(0x00101000, "LO", whole + b" " * (len(whole) % 2))
    new = splice(head, {0x00101000: data_set([made], IMPLICIT)})
    assert len(whole) > 0xFFFE
    with pytest.raises(Suspicious, match="short length"):
        delta(data, new, ordered)


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
