"""Delta: accepts what splice made of an order, and nothing else: no other byte, no other order."""

from dataclasses import replace

import pytest
from at_rest_cases import AT_REST_CASES
from builders import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    OID,
    data_set,
    dicom,
    el,
    identity,
    item,
    qualifiers,
)
from exchange_cases import EXCHANGE_CASES
from own_placement_cases import BESIDE, OWN_CASES
from placement_cases import (
    BSN,
    BSN_ITEM,
    FOREIGN_ITEM,
    INVALID,
    ISSUER,
    LOCAL,
    LOCAL_ITEM,
    MINE,
    NO_OTHERS,
    OTHER_BSN,
    PRIMARY_BSN,
    order,
    original,
    original_item,
    others,
    retired,
)
from rewriting import head_bytes, objects, spliced

from remediation.dicom.delta import delta
from remediation.dicom.header import scan
from remediation.model.placement import AT_REST, EXCHANGE

CASES = {one.name: one for one in AT_REST_CASES} | {f"x {one.name}": one for one in EXCHANGE_CASES}
CASES |= {f"own {one.name}": one for one in OWN_CASES}
MASKS = (0x01, 0x10, 0x80, 0xFF)
LAYOUTS = [(EXPLICIT, True), (IMPLICIT, False), (BIG, True)]
THOROUGH = ["bare", "x bare", "BSN and local number swap", "own bare", "own bare, as sent"]
EMPTY_KIND = el(0x00100022, "CS", "")  # stays empty where no type is written
GONE = (INVALID, "999999990", "A12")
DATA_SET = len(dicom([]))  # offset of the data set


def pair(one, layout):
    syntax, lengths = layout
    old = head_bytes(one.given, syntax, lengths=lengths)
    return old, spliced(old, one.order)


def assert_no_flip_is_unseen(one, layout, start, masks):
    old, new = pair(one, layout)
    assert not objects(old, new, one.order)
    for position in range(start, len(new)):
        for mask in masks:
            flipped = bytearray(new)
            flipped[position] ^= mask
            assert objects(old, bytes(flipped), one.order), (position, mask)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", THOROUGH)
def test_no_byte_of_a_new_head_can_be_flipped_unseen(name, layout):
    """Every byte, those of preamble and meta header included, in several ways."""
    assert_no_flip_is_unseen(CASES[name], layout, 0, MASKS)


@pytest.mark.parametrize("name", [name for name in CASES if name not in THOROUGH])
def test_no_byte_of_the_data_set_of_any_new_head_can_be_flipped_unseen(name):
    assert_no_flip_is_unseen(CASES[name], LAYOUTS[0], DATA_SET, (0x01,))


# Wrong numbers are kept nowhere: there is nothing to hold those old bytes against.
KEPT = [
    name
    for name, one in CASES.items()
    if one.order.placement.original_attributes and not any(w in str(one.before) for w in GONE)
]


@pytest.mark.parametrize("name", KEPT)
def test_no_byte_of_an_old_head_can_be_another_unseen(name):
    """Old bytes stay, or are kept as former values; a group length alone is counted anew."""
    one = CASES[name]
    old, new = pair(one, LAYOUTS[0])
    counted = scan(old, len(old)).find(0x00100000)
    for position in range(0 if name in THOROUGH else DATA_SET, len(old)):
        if not counted.value <= position < counted.end:
            flipped = bytearray(old)
            flipped[position] ^= 0x01
            assert objects(bytes(flipped), new, one.order), position


@pytest.mark.parametrize("name", CASES)
def test_bytes_cannot_come_or_go(name):
    one = CASES[name]
    old, new = pair(one, LAYOUTS[0])
    assert objects(old, new + b"\0", one.order)
    assert objects(old, new[:-1], one.order)
    assert objects(old, new + data_set([el(0xFFFCFFFC, "OB", b"ab")]), one.order)
    assert objects(b"\0" + old, new, one.order)
    for cut in range(0, len(new), 7):
        assert objects(old, new[:cut] + new[cut + 1 :], one.order)
        assert objects(old, new[:cut] + new[cut : cut + 1] + new[cut:], one.order)


# -- other orders -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_the_result_of_another_order_is_refused(name):
    one = CASES[name]
    old, new = pair(one, LAYOUTS[0])
    placement = one.order.placement

    def with_placement(**settings):
        return replace(one.order, placement=replace(placement, **settings))

    assert objects(old, new, replace(one.order, bsn=OTHER_BSN))
    if placement.original_attributes:
        assert objects(old, new, replace(one.order, at="20260102030405.000001+0000"))
    turned = AT_REST if placement.primary_is_bsn else EXCHANGE
    assert objects(old, new, with_placement(target="other", base=turned, typed=True))
    assert objects(old, new, with_placement(qualifiers=not placement.qualifiers))
    kept = not placement.original_attributes
    assert objects(old, new, with_placement(original_attributes=kept))
    assert objects(old, new, with_placement(target="other", issuer="BSN"))
    if placement.primary_is_bsn and EMPTY_KIND not in one.after:
        assert objects(old, new, with_placement(target="other", typed=not placement.typed))
    if not placement.remove_retired:
        beside = not placement.beside_retired
        same = any(e.tag == 0x00101000 and BSN in str(e.value) for e in one.before)
        assert same or objects(old, new, with_placement(target="other", beside_retired=beside))


@pytest.mark.parametrize(
    ("target", "own"), [(AT_REST, identity(LOCAL, OID)), (EXCHANGE, identity(LOCAL))]
)
def test_another_local_issuer_than_the_ordered_one_is_refused(target, own):
    old = head_bytes(own)
    new = spliced(old, order(target=target))
    assert not objects(old, new, order(target=target))
    assert objects(old, new, order(target=target, issuer="ZKH-WEST"))


def test_a_swap_with_an_item_of_another_issuer_is_refused():
    old = head_bytes([*PRIMARY_BSN, others(FOREIGN_ITEM, LOCAL_ITEM)])
    new = spliced(old, order())
    assert objects(old, new, order(issuer="ZKH-ELDERS", spellings=()))


# -- results that are well-formed and wrong ---------------------------------------------------

HISTORY = original(original_item([NO_OTHERS], "COERCE"))
WRONG = [
    ("nothing was done", MINE),
    ("no former values", [*MINE, others(BSN_ITEM)]),
    ("former values only", [*MINE, HISTORY]),
    ("two items of the BSN", [*MINE, others(BSN_ITEM, BSN_ITEM), HISTORY]),
    (
        "the item has undefined length",
        [*MINE, others(item(*BSN_ITEM.elements, undefined=True)), HISTORY],
    ),
    ("the sequence has undefined length", [*MINE, others(BSN_ITEM, undefined=True), HISTORY]),
    ("another item came along", [*MINE, others(BSN_ITEM, FOREIGN_ITEM), HISTORY]),
    ("it stands in OtherPatientIDs", [*MINE, retired(BSN), others(BSN_ITEM), HISTORY]),
    ("the local number changed", [*identity("0012346", ISSUER), others(BSN_ITEM), HISTORY]),
    ("the local number is gone", [*identity(None, ISSUER), others(BSN_ITEM), HISTORY]),
    ("the local issuer changed", [*identity(LOCAL, OID), others(BSN_ITEM), HISTORY]),
    ("a type came along", [*identity(LOCAL, ISSUER, "TEXT"), others(BSN_ITEM), HISTORY]),
    (
        "qualifiers came along",
        [*identity(LOCAL, ISSUER, None, qualifiers()), others(BSN_ITEM), HISTORY],
    ),
    ("no qualifiers", [*MINE, others(item(*identity(BSN, OID, "TEXT"))), HISTORY]),
    ("no type", [*MINE, others(item(*identity(BSN, OID, None, qualifiers()))), HISTORY]),
    (
        "another person's number",
        [*MINE, others(item(*identity(OTHER_BSN, OID, "TEXT", qualifiers()))), HISTORY],
    ),
    (
        "an element inside the item",
        [*MINE, others(item(*BSN_ITEM.elements, el(0x00400036, "SQ", b""))), HISTORY],
    ),
    (
        "the reason is another",
        [*MINE, others(BSN_ITEM), original(original_item([NO_OTHERS], "CORRECT"))],
    ),
    (
        "former values of something else",
        [*MINE, others(BSN_ITEM), original(original_item([*MINE, NO_OTHERS], "COERCE"))],
    ),
    (
        "former values twice",
        [*MINE, others(BSN_ITEM), original(*[original_item([NO_OTHERS], "COERCE")] * 2)],
    ),
    ("a private element came along", [*MINE, others(BSN_ITEM), HISTORY, el(0x00990010, "LO", "X")]),
    (
        "a group length came along",
        [el(0x00100000, "UL", b"\x18\0\0\0"), *MINE, others(BSN_ITEM), HISTORY],
    ),
    ("the name came along", [*MINE, el(0x00100010, "PN", "X"), others(BSN_ITEM), HISTORY]),
]


@pytest.mark.parametrize("own", [own for _, own in WRONG], ids=[name for name, _ in WRONG])
def test_a_head_that_no_rule_claims_is_suspicious(own):
    assert objects(head_bytes(MINE), head_bytes(own), order())


def test_the_one_that_is_claimed_is_not():
    assert not objects(head_bytes(MINE), head_bytes([*MINE, others(BSN_ITEM), HISTORY]), order())


@pytest.mark.parametrize(
    "kept",
    [
        [FOREIGN_ITEM],
        [BSN_ITEM],
        [LOCAL_ITEM, FOREIGN_ITEM],
        [FOREIGN_ITEM, BSN_ITEM],
        [FOREIGN_ITEM, FOREIGN_ITEM, LOCAL_ITEM, BSN_ITEM],
        [],
    ],
)
def test_items_can_neither_go_nor_come_nor_change_places(kept):
    before = [FOREIGN_ITEM, LOCAL_ITEM]
    former = original(original_item([others(*before)], "COERCE"))
    right = head_bytes([*MINE, others(*before, BSN_ITEM), former])
    assert not objects(head_bytes([*MINE, others(*before)]), right, order())
    wrong = head_bytes([*MINE, others(*kept), former])
    assert objects(head_bytes([*MINE, others(*before)]), wrong, order())


def test_an_older_item_of_former_values_can_neither_go_nor_change_places():
    old_items = [original_item([*MINE], "COERCE"), original_item([NO_OTHERS], "CORRECT")]
    new_item = original_item([NO_OTHERS], "COERCE")
    old = head_bytes([*MINE, original(*old_items)])
    for items in (
        [new_item],
        [*old_items[1:], new_item],
        [*old_items[::-1], new_item],
        [new_item, *old_items],
    ):
        assert objects(old, head_bytes([*MINE, others(BSN_ITEM), original(*items)]), order())
    right = head_bytes([*MINE, others(BSN_ITEM), original(*old_items, new_item)])
    assert not objects(old, right, order())


def test_a_wrong_number_may_not_be_kept_among_the_former_values():
    bad = item(*identity(INVALID, OID))
    old = head_bytes([*MINE, others(bad, FOREIGN_ITEM)])
    for former, right in ((others(bad, FOREIGN_ITEM), False), (others(FOREIGN_ITEM), True)):
        history = original(original_item([former], "CORRECT"))
        new = head_bytes([*MINE, others(BSN_ITEM, FOREIGN_ITEM), history])
        assert objects(old, new, order()) is not right


@pytest.mark.parametrize("left", [None, retired(f"{BSN}\\{LOCAL}"), retired("X1"), retired("")])
def test_only_the_bsn_leaves_other_patient_ids(left):
    old = head_bytes([*MINE, others(BSN_ITEM), retired(f"{BSN}\\{LOCAL}")])
    ordered = order(remove_retired=True, original_attributes=False)
    right = head_bytes([*MINE, others(BSN_ITEM), retired(LOCAL)])
    assert not objects(old, right, ordered)
    wrong = head_bytes([*MINE, others(BSN_ITEM), *([left] if left else [])])
    assert objects(old, wrong, ordered)


@pytest.mark.parametrize(
    ("made", "right"),
    [
        (f"X1\\{LOCAL}\\{BSN}", True),
        (f"{BSN}\\X1\\{LOCAL}", False),
        (f"X1\\{BSN}", False),
        (f"X1\\{LOCAL}", False),
        (f"X2\\{LOCAL}\\{BSN}", False),
        (f"X1\\{LOCAL}\\{BSN}\\{BSN}", False),
        (f"X1\\{LOCAL}\\{OTHER_BSN}", False),
        (BSN, False),
    ],
)
def test_only_the_bsn_comes_into_other_patient_ids(made, right):
    old = head_bytes([*MINE, others(BSN_ITEM), retired(f"X1\\{LOCAL}")])
    new = head_bytes([*MINE, others(BSN_ITEM), retired(made)])
    placement = replace(BESIDE, original_attributes=False)
    assert objects(old, new, order(placement=placement)) is not right


def test_a_stale_group_length_is_suspicious():
    old, new = pair(CASES["bare"], (EXPLICIT, True))
    group = scan(new, len(new)).find(0x00100000)
    stale = new[: group.value] + scan(old, len(old)).raw(scan(old, len(old)).find(0x00100000))
    assert objects(old, stale + new[group.end :], CASES["bare"].order)


def test_nothing_changed_is_fine_only_where_nothing_is_to_change():
    right = head_bytes([*MINE, others(BSN_ITEM)])
    assert delta(right, right, order()) == frozenset()
    assert objects(right, right, order(bsn=OTHER_BSN))
    assert objects(head_bytes(MINE), head_bytes(MINE), order())
