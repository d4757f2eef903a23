"""Delta's properties: of any head it accepts what splice makes, and no other bytes at all."""

from __future__ import annotations

import random

import pytest
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, JPEG
from dicom.head_strategies import bulk, heads, orders
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rewriting import objects

from remediation.dicom.correction import Refused
from remediation.dicom.delta import delta
from remediation.dicom.header import scan
from remediation.dicom.rewrite import rewrite

SYNTAXES = [EXPLICIT, IMPLICIT, JPEG, BIG, DEFLATED]
NEVER = {"suspicious", "deflated-unproven"}  # of what splice made
every_syntax = pytest.mark.parametrize("syntax", SYNTAXES)
NO_FILTER = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]


def pair(data, ordered):
    """Return an old head, as it stands in the file, and the new one; at least one byte differs."""
    head = scan(data, len(data))
    old = data if head.deflated else data[: head.length]
    try:
        new = rewrite(head, len(data), ordered, raw=old).head
    except Refused as refused:
        assert str(refused) not in NEVER  # noqa: PT017
        assume(False)
    assume(new != old)
    return old, new


def some(syntax, **more):
    return st.tuples(heads([syntax], **more), orders())


@settings(max_examples=150, deadline=None, suppress_health_check=NO_FILTER)
@given(heads(), orders())
def test_it_accepts_all_that_splice_makes_by_either_reader(data, ordered):
    old, new = pair(data, ordered)
    assert delta(old, new, ordered) == delta(old, new, ordered, quick=True) != frozenset()
    assert objects(old, old, ordered), "the order asks for a change"
    assert delta(new, new, ordered) == frozenset()


@every_syntax
@settings(max_examples=4, deadline=None, suppress_health_check=NO_FILTER)
@given(st.data())
def test_no_single_byte_of_a_small_head_can_be_another(syntax, data):
    drawn, ordered = data.draw(some(syntax))
    old, new = pair(drawn, ordered)
    dice = random.Random(data.draw(st.integers(0, 1 << 30)))
    for position in range(len(new)):
        other = bytearray(new)
        other[position] ^= dice.randint(1, 255)
        assert objects(old, bytes(other), ordered), position


@every_syntax
@settings(max_examples=4, deadline=None, suppress_health_check=NO_FILTER)
@given(st.data())
def test_no_single_byte_of_a_small_head_can_come_or_go(syntax, data):
    drawn, ordered = data.draw(some(syntax))
    old, new = pair(drawn, ordered)
    dice = random.Random(data.draw(st.integers(0, 1 << 30)))
    for position in range(0, len(new), 2):
        assert objects(old, new[:position] + new[position + 1 :], ordered), position
        more = bytes([dice.choice((0, 32, new[position], dice.randrange(256)))])
        assert objects(old, new[:position] + more + new[position:], ordered), position


@settings(max_examples=60, deadline=None, suppress_health_check=NO_FILTER)
@given(heads(large=bulk(40_000)), orders(), st.data())
def test_no_byte_of_a_large_head_can_be_another(data, ordered, chosen):
    old, new = pair(data, ordered)
    for position in chosen.draw(st.lists(st.integers(0, len(new) - 1), min_size=3, max_size=6)):
        other = bytearray(new)
        other[position] ^= chosen.draw(st.integers(1, 255))
        assert objects(old, bytes(other), ordered), position


@settings(max_examples=300, deadline=None, suppress_health_check=NO_FILTER)
@given(heads(), orders(), st.data())
def test_bytes_can_neither_come_nor_go_nor_change_places(data, ordered, chosen):
    old, new = pair(data, ordered)
    first, last = sorted(chosen.draw(st.integers(0, len(new))) for _ in range(2))
    size = chosen.draw(st.integers(1, 24))
    others = [
        new[:first] + new[first + size :],
        new[:first] + chosen.draw(st.binary(min_size=1, max_size=24)) + new[first:],
        new[:first] + new[first : first + size] + new[first:],
        new[:first] + new[last : last + size] + new[first + size : last] + new[first:last],
        new[:first]
        + new[first + size : first + 2 * size]
        + new[first : first + size]
        + new[first + 2 * size :],
        new[:last],
    ]
    for other in others:
        assert other == new or objects(old, other, ordered)


@settings(max_examples=200, deadline=None, suppress_health_check=NO_FILTER)
@given(heads([EXPLICIT, IMPLICIT, JPEG, BIG]), orders(), st.data())
def test_elements_and_items_can_neither_come_nor_go_nor_change_places(data, ordered, chosen):
    old, new = pair(data, ordered)
    head = scan(new, len(new))
    parts = [(one.start, one.end) for one in head.elements]
    items = [(i.start, i.end) for one in head.elements for i in one.items]
    for spans in (parts, items or parts):
        (a, b), (c, d) = sorted(chosen.draw(st.sampled_from(spans)) for _ in range(2))
        swapped = new[:a] + new[c:d] + new[b:c] + new[a:b] + new[d:] if b <= c else new
        for other in (new[:a] + new[b:], new[:b] + new[a:b] + new[b:], swapped):
            assert other == new or objects(old, other, ordered)
