"""Rewrite: a plan may read by the compiled pass, and promises what the plain reader would make."""

from __future__ import annotations

import pytest
from at_rest_cases import AT_REST_CASES
from builders import dicom, el, item, pixels
from exchange_cases import EXCHANGE_CASES
from own_placement_cases import OWN_CASES
from rewriting import file_of, head_bytes, objects, spliced

from remediation.dicom.correction import Refused
from remediation.dicom.delta import Suspicious, delta
from remediation.dicom.header import quick_scan, scan
from remediation.dicom.rewrite import rewrite

CASES = {one.name: one for one in AT_REST_CASES} | {f"x {one.name}": one for one in EXCHANGE_CASES}
CASES |= {f"own {one.name}": one for one in OWN_CASES}
SOME = sorted(CASES)[::9]


def made(data, order, *, quick):
    """Return what is made of a file, or why nothing is."""
    head = (quick_scan if quick else scan)(data, len(data))
    try:
        return rewrite(head, len(data), order, quick=quick)
    except Refused as refused:
        return str(refused)


@pytest.mark.parametrize("name", CASES)
def test_both_readers_promise_the_same_head(name):
    one = CASES[name]
    data = file_of(one.given)
    plain = made(data, one.order, quick=False)
    assert made(data, one.order, quick=True) == plain
    assert not isinstance(plain, str)


@pytest.mark.parametrize("name", SOME)
def test_both_readers_object_to_the_same_bytes(name):
    one = CASES[name]
    old = head_bytes(one.given)
    new = spliced(old, one.order)
    for position in range(0, len(new), 3):
        flipped = new[:position] + bytes([new[position] ^ 0x01]) + new[position + 1 :]
        try:
            delta(old, flipped, one.order, quick=True)
        except Suspicious:
            continue
        assert not objects(old, flipped, one.order), position


def test_a_signature_in_an_item_is_found_however_deep():
    order = AT_REST_CASES[0].order
    deep = el(0x00081140, "SQ", [item(el(0x00081199, "SQ", [item(el(0xFFFAFFFA, "SQ", b""))]))])
    data = dicom([deep, el(0x00100020, "LO", "A12")], tail=pixels())
    for quick in (False, True):
        assert made(data, order, quick=quick) == "signed"
