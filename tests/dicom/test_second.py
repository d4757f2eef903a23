"""The second reader: pydicom sees what changed, wherever it stands, and says nothing else."""

from __future__ import annotations

import warnings

import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    MR,
    OID,
    dicom,
    el,
    identity,
    item,
    patient_head,
    pixels,
    private,
    qualifiers,
    with_group_lengths,
)
from samples import files, read

from remediation.dicom.correction import Refused
from remediation.dicom.header import scan
from remediation.dicom.rewrite import rewrite
from remediation.dicom.second import LARGEST, MOST, second_opinion
from remediation.model.bsn import test_number as number_of
from remediation.model.placement import Order, Placement

BSN = number_of(3)
LOCAL = el(0x00100020, "LO", "0012345")
SYNTAXES = [EXPLICIT, IMPLICIT, BIG, JPEG]


def head(*more, own=(LOCAL,), syntax=EXPLICIT, **changes):
    return dicom(patient_head(*own, **({"more": more} | changes)), syntax)


def bsn_item():
    return el(0x00101002, "SQ", [item(*identity(BSN, OID, "TEXT", qualifiers()))])


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_only_the_closed_list_may_differ(syntax):
    old = head(syntax=syntax)
    assert second_opinion(old, old) is True
    assert second_opinion(old, head(bsn_item(), syntax=syntax)) is True
    own = (el(0x00100020, "LO", BSN), el(0x00100021, "LO", OID), el(0x00101000, "LO", "x"))
    assert second_opinion(old, head(own=own, syntax=syntax)) is True


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Schijn^Anne"},
        {"birth": "19500204"},
        {"sex": "M"},
        {"more": [el(0x00080050, "SH", "A1")]},
        {"more": [el(0x00104000, "LT", "x")]},
        {"more": private(0x0031, "MITRA LINKED ATTRIBUTES 1.0", (0x20, "LO", BSN))},
    ],
    ids=["name", "birth", "sex", "added", "added beside", "added private"],
)
def test_any_other_element_that_differs_is_seen(syntax, changed):
    old = head(syntax=syntax)
    new = head(syntax=syntax, **changed)
    assert second_opinion(old, new) is False
    assert second_opinion(new, old) is False


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("at", [0, 31, 63])
def test_a_change_deep_in_another_sequence_is_seen(undefined, at):
    def nested(data):
        inner = item(el(0x00420011, "OB", bytes(data)), undefined=undefined)
        outer = item(el(0x00081140, "SQ", [inner], undefined=undefined), undefined=undefined)
        return el(0x00081110, "SQ", [outer], undefined=undefined)

    old, new = bytearray(64), bytearray(64)
    new[at] = 1
    assert second_opinion(head(nested(old)), head(nested(old), bsn_item())) is True
    assert second_opinion(head(nested(old)), head(nested(new))) is False


def test_a_changed_meta_header_is_seen():
    old = head()
    at = old.index(b"1.2.826.0.1.3680043.9.7777.9")
    new = old[:at] + b"1.2.826.0.1.3680043.9.7777.8" + old[at + 28 :]
    assert second_opinion(old, new) is False


def test_another_vr_of_the_same_bytes_is_seen():
    old, new = head(el(0x00081030, "LO", "borst ")), head(el(0x00081030, "SH", "borst "))
    assert second_opinion(old, new) is False


def test_group_lengths_of_touched_groups_may_differ_and_no_other():
    def grouped(*more, groups=None):
        elements = with_group_lengths(patient_head(LOCAL, more=more), groups=groups)
        return dicom(sorted(elements, key=lambda one: one.tag))

    assert second_opinion(grouped(), grouped(bsn_item())) is True
    assert second_opinion(grouped(groups={0x10, 0x20}), grouped(groups={0x10})) is False


def test_what_it_cannot_read_before_gives_no_opinion_and_after_is_a_no():
    whole = head()
    cut = whole[:132] + b"\x08\x00\x05\x00ZZ" + b"\xff" * 6
    assert second_opinion(whole, b"") is False
    assert second_opinion(cut, cut) in {None, True}
    assert second_opinion(whole, whole[:-3]) is False


def many(undefined):
    """Return a head with more items than it may have to parse."""
    one = item(el(0x00081150, "UI", MR), undefined=undefined)
    return head(el(0x00081140, "SQ", [one] * (MOST // 2 + 1), undefined=undefined))


def test_heads_that_would_take_it_long_give_no_opinion():
    large = head(el(0x00420011, "OB", bytes(LARGEST)))
    assert second_opinion(large, large) is None
    assert second_opinion(head(), large) is None
    assert second_opinion(many(undefined=True), many(undefined=True)) is None


def test_large_values_and_sequences_that_say_their_length_are_no_trouble():
    value = head(el(0x00420011, "OB", bytes(3 << 20)))
    assert second_opinion(value, value) is True
    torn = bytearray(value)
    torn[len(value) // 2] ^= 1
    assert second_opinion(value, bytes(torn)) is False
    assert second_opinion(many(undefined=False), many(undefined=False)) is True


def test_a_deflated_bomb_gives_no_opinion_and_pixels_of_a_deflated_file_count():
    bomb = head(el(0x00420011, "OB", bytes(4 * LARGEST)), syntax=DEFLATED)
    assert len(bomb) < LARGEST
    assert second_opinion(bomb, bomb) is None
    one, other = (
        dicom(patient_head(LOCAL), DEFLATED, tail=pixels()[:-1] + last) for last in (b"a", b"b")
    )
    assert second_opinion(one, one) is True
    assert second_opinion(one, other) is False


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_listed_sequence_that_it_cannot_read_any_more_is_seen(syntax):
    broken = el(0x00101002, "SQ", b"\0" * 12)
    assert second_opinion(head(syntax=syntax), head(broken, syntax=syntax)) is False
    assert second_opinion(head(broken, syntax=syntax), head(bsn_item(), syntax=syntax)) is True


def test_it_never_speaks(capsys):
    odd = [el(0x00100032, "TM", BSN), el(0x00101010, "AS", BSN), el(0x00080020, "DA", BSN)]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        second_opinion(head(*odd), head(*odd, bsn_item()))
        second_opinion(head(el(0x00080005, "CS", BSN)), head())
    assert heard == []
    assert capsys.readouterr() == ("", "")


ORDER = Order(BSN, "ZKH-OOST", frozenset(), Placement(), "20260102030405.000000+0000")


def test_of_every_sample_that_is_rewritten_it_agrees_and_finds_one_flipped_letter():
    agreed = flipped = 0
    for name in files():
        data = read(name)
        try:
            found = scan(data, len(data))
            new = rewrite(found, len(data), ORDER).head
        except Refused:
            continue
        old = data[: found.length]
        opinion = second_opinion(old, new)
        assert opinion is not False, name
        agreed += bool(opinion)
        uid = new.find(b"1.2.840.10008.5.1.4", 400)
        if opinion and uid > 0:
            torn = new[: uid + 18] + b"7" + new[uid + 19 :]
            assert second_opinion(old, torn) is False, name
            flipped += 1
    assert agreed > 40
    assert flipped > 40
