"""Undo bytes: always the old head again, and about as long as what changed."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.store.undo import difference, restore


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_two_heads_give_the_old_one_again(old, new):
    assert restore(new, difference(old, new)) == old


@given(st.data())
def test_a_few_edits_give_the_old_one_again(data):
    old = random.Random(data.draw(st.integers(0, 9))).randbytes(3000)
    new = old
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(new)))
        stop = data.draw(st.integers(start, min(len(new), start + 40)))
        new = new[:start] + data.draw(st.binary(max_size=60)) + new[stop:]
    undo = difference(old, new)
    assert restore(new, undo) == old
    assert len(undo) < 700


def test_edits_far_apart_do_not_carry_what_lies_between():
    old = random.Random(1).randbytes(60_000)
    new = old[:500] + b"x" * 90 + old[510:50_000] + b"y" * 300 + old[50_000:]
    undo = difference(old, new)
    assert len(undo) < 120
    assert restore(new, undo) == old


def test_another_stream_is_kept_whole_without_a_long_search():
    noise = random.Random(1)
    lead, streams = b"lead" * 50, [noise.randbytes(256 * 1024) for _ in range(2)]
    old, new = (lead + one for one in streams)
    began = time.monotonic()
    undo = difference(old, new)
    assert time.monotonic() - began < 10
    assert len(undo) < len(old) + 500
    assert restore(new, undo) == old


def test_long_runs_of_one_byte_do_not_mislead_it():
    old = bytes(5000) + b"abc" + bytes(5000)
    new = bytes(5000) + b"abcd" + bytes(4990) + b"e"
    assert restore(new, difference(old, new)) == old


def test_equal_heads_need_next_to_nothing():
    assert len(difference(b"a" * 1000, b"a" * 1000)) < 16


@given(st.binary(max_size=60))
def test_rubbish_is_no_undo(rubbish):
    with pytest.raises(ValueError, match="undo bytes"):
        restore(b"head", b"\0" + rubbish)


def test_undo_bytes_cut_short_or_of_a_longer_head_are_refused():
    undo = difference(b"a" * 90 + b"b" * 90, b"a" * 90 + b"c" * 95)
    for cut in range(len(undo)):
        with pytest.raises(ValueError, match="undo bytes"):
            restore(b"a" * 90 + b"c" * 95, undo[:cut])
    with pytest.raises(ValueError, match="undo bytes"):
        restore(b"a" * 50, undo)
