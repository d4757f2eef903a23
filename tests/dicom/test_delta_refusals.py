"""Delta on heads that are never to be rewritten, or not like that: all of them are suspicious."""

import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    MR,
    OID,
    dicom,
    el,
    identity,
    item,
    qualifiers,
)
from placement_cases import (
    BSN,
    BSN_ITEM,
    DOTTED,
    ISSUER,
    LOCAL,
    MINE,
    OTHER_BSN,
    PRIMARY_BSN,
    order,
    others,
)
from rewriting import head_bytes, objects, spliced

from remediation.dicom.delta import Suspicious, delta
from remediation.model.placement import EXCHANGE


def test_of_deflated_syntaxes_the_others_are_suspicious():
    own = [*MINE, others(BSN_ITEM)]
    assert not objects(dicom(own, DEFLATED), dicom(own, DEFLATED), order())
    for syntax in ("1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"):
        data = dicom(own, DEFLATED, states=syntax)
        assert objects(data, data, order())


def test_the_same_head_in_the_other_byte_order_is_suspicious():
    own = [*MINE, others(BSN_ITEM)]
    one, other = (dicom(own, syntax, preamble=None, header=False) for syntax in (EXPLICIT, BIG))
    assert objects(one, other, order())
    assert objects(head_bytes(own), head_bytes(own, BIG), order())


def test_ambiguous_and_damaged_heads_are_suspicious():
    own = [*MINE, others(BSN_ITEM)]
    right = head_bytes(own)
    disorder = dicom([*own, el(0x00080016, "UI", MR)])
    mismatch = dicom(own, IMPLICIT, states=EXPLICIT)
    for data in (b"", right[:-3], disorder, mismatch):
        assert objects(data, data, order())


@pytest.mark.parametrize(
    "own",
    [
        [el(0x00100020, "UN", LOCAL), others(BSN_ITEM)],
        [*MINE, el(0x00101000, "SH", LOCAL), others(BSN_ITEM)],
        [*MINE, el(0x00101000, "LO", b"1"), others(BSN_ITEM)],
        [*MINE, others(BSN_ITEM), el(0x04000561, "UN", b"")],
        [*MINE, others(BSN_ITEM, item(el(0x00100020, "SH", LOCAL)))],
        [*MINE, others(BSN_ITEM, item(el(0x00100021, "LO", b"ZKH")))],
        [*MINE, others(BSN_ITEM, item(*identity(LOCAL), *identity(LOCAL)))],
        [*MINE, el(0x00100020, "LO", LOCAL), others(BSN_ITEM)],
        [*MINE, others(item(*identity(OTHER_BSN, OID)), BSN_ITEM)],
        [*MINE, others(BSN_ITEM, item(*identity(BSN, "ZKH-ELDERS")))],
        [*identity("1\\2", ISSUER), others(BSN_ITEM)],
        [*identity(LOCAL, ISSUER, None, qualifiers()), others(BSN_ITEM)],
        [*PRIMARY_BSN, others(BSN_ITEM)],
    ],
)
def test_heads_that_are_refused_are_suspicious_even_unchanged(own):
    data = head_bytes(own)
    assert objects(data, data, order())


GROUP_LENGTH = el(0x00100000, "UL", bytes(4))
NAMED = el(0x00100024, "SQ", [item(el(0x00400031, "UT", "NLMINBIZA"))])
SAYING = [qualifiers(), qualifiers(code="PI"), qualifiers("1.2.3"), NAMED]


def moved(number):
    return [*PRIMARY_BSN, others(item(*identity(number, ISSUER, "TEXT")))]


@pytest.mark.parametrize(
    ("own", "made", "settings"),
    [
        (identity("1\\2", ISSUER), moved("1\\2"), {"target": EXCHANGE}),
        (identity("1" * 65, ISSUER), moved("1" * 65), {"target": EXCHANGE}),
        (identity("1^^^BSN", ISSUER), moved("1^^^BSN"), {"target": EXCHANGE}),
        *(
            (identity(LOCAL, OID), [*identity(LOCAL, bad), others(BSN_ITEM)], {"issuer": bad})
            for bad in ("", " ", "Z" * 65, "A\\B", "\xd6", "A\n")
        ),
        (
            [*MINE, others(item(GROUP_LENGTH, *identity(BSN)))],
            [*MINE, others(item(GROUP_LENGTH, *BSN_ITEM.elements))],
            {},
        ),
        *(
            (
                [*PRIMARY_BSN, others(item(*identity(LOCAL, ISSUER, None, said)))],
                [*identity(LOCAL, ISSUER, None, said), others(BSN_ITEM)],
                {},
            )
            for said in SAYING
        ),
        (
            [*PRIMARY_BSN, others(item(*identity(DOTTED, ISSUER)))],
            [*identity(DOTTED, ISSUER), others(BSN_ITEM)],
            {},
        ),
    ],
)
def test_what_correction_refuses_to_make_is_suspicious_when_made(own, made, settings):
    ordered = order(original_attributes=False, **settings)
    assert objects(head_bytes(own), head_bytes(made), ordered)


@pytest.mark.parametrize("said", SAYING)
def test_an_item_is_the_bsns_by_any_of_its_qualifiers(said):
    old = head_bytes([*MINE, others(item(*identity(BSN, "ZKH-ELDERS", "TEXT", said)))])
    assert not objects(old, spliced(old, order()), order())


def test_the_verdict_names_a_rule_and_no_value():
    with pytest.raises(Suspicious) as raised:
        delta(head_bytes(MINE), head_bytes(identity(BSN, ISSUER)), order())
    assert not any(number in str(raised.value) for number in (BSN, LOCAL))
