"""Corrections that are refused, each with its reason, and the last ones that are not."""

import pytest
from builders import (
    MR,
    OID,
    dicom,
    el,
    identity,
    item,
    pixels,
    qualifiers,
)
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
)
from rewriting import corrected, file_of

from remediation.dicom.correction import Refused, correct
from remediation.dicom.header import scan
from remediation.model.placement import AT_REST, EXCHANGE

TARGETS = [AT_REST, EXCHANGE]


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
