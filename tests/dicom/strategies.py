"""Hypothesis strategies for DICOM bytes, whole and damaged, by the hand-written builders.

`built()` gives a `Built`: the bytes, and the elements that they were made of. `damaged()` gives
bytes of such a file after some mutations; lengths in headers are favourite ones.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    MR,
    El,
    Form,
    dicom,
    el,
    item,
    pixels,
    private,
    with_group_lengths,
)
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary

from remediation.dicom.elements import walk
from remediation.dicom.header import scan

SYNTAXES = (EXPLICIT, IMPLICIT, BIG, DEFLATED, JPEG)
DEPTH = 3
WIDTHS = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
WIDTHS |= {"OB": 2, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "UN": 2}
TEXTS = {
    "AE": "ABCD ",
    "AS": "0123456789Y",
    "CS": "ABC_ 0",
    "DA": "0123456789",
    "DS": "0123456789.-",
    "DT": "0123456789.+",
    "IS": "0123456789-",
    "LO": "abc 0123456789\\é",
    "LT": "abc 0123456789\r\né",
    "PN": "abc^=é",
    "SH": "abc 0123",
    "ST": "abc 0123",
    "TM": "0123456789.",
    "UC": "abc 0123456789",
    "UI": "0123456789.",
    "UR": "abc:/0123",
    "UT": "abc 0123456789\\é",
}
VRS = sorted({*WIDTHS, *TEXTS})
_GROUPS = range(0x0008, 0x7FE0)  # behind group 0002 and before Pixel Data
_FIRST = el(0x00080016, "UI", MR)


def _tags() -> dict[str, list[int]]:
    """Return the tags of the dictionary by their one VR."""
    found = defaultdict(list)
    for tag, entry in DicomDictionary.items():
        if tag >> 16 in _GROUPS and tag > _FIRST.tag and tag & 0xFFFF and len(entry[0]) == 2:
            found[entry[0]].append(tag)
    return found


TAGS = _tags()


@dataclass(frozen=True)
class Built:
    """A file and what it is made of."""

    data: bytes
    elements: list[El]
    syntax: str


def values(vr):
    """Values of a VR, of even length; the shortest is empty."""
    if vr in TEXTS:
        return st.text(TEXTS[vr], max_size=20).map(lambda text: el(0, vr, text).value)
    width = WIDTHS[vr]
    return st.integers(0, 4).flatmap(lambda n: st.binary(min_size=n * width, max_size=n * width))


@st.composite
def plain_elements(draw):
    """One element of the dictionary with a VR of its own."""
    vr = draw(st.sampled_from([vr for vr in VRS if TAGS[vr]]))
    return el(draw(st.sampled_from(TAGS[vr])), vr, draw(values(vr)))


@st.composite
def sequences(draw, depth):
    """A sequence, or UN that holds items; with and without lengths."""
    inside = data_sets(depth - 1, most=4)
    items = [
        item(*draw(inside), undefined=draw(st.booleans())) for _ in range(draw(st.integers(0, 3)))
    ]
    return el(draw(st.sampled_from(TAGS["SQ"])), "SQ", items, undefined=draw(st.booleans()))


@st.composite
def private_blocks(draw, depth):
    """A private block: any VR, UN of bytes, and UN of implicit items."""
    group = draw(st.sampled_from([0x0009, 0x0019, 0x0029, 0x3333, 0x7FDF]))
    vrs = draw(st.lists(st.sampled_from(VRS), max_size=4))
    inside = [(n + 1, vr, draw(values(vr))) for n, vr in enumerate(vrs)]
    block = draw(st.integers(0x10, 0xFF))
    found = private(group, draw(st.sampled_from(["SCHIJN 1.0", ""])), *inside, block=block)
    if depth and draw(st.booleans()):
        # UN is implicit inside, and in explicit files too: see PS3.5 section 6.2.2.
        items = [item(*draw(data_sets(depth - 1, most=3)), undefined=draw(st.booleans()))]
        tag = group << 16 | block << 8 | 0xF0
        found.append(el(tag, "UN", items, undefined=draw(st.booleans())))
    return found


@st.composite
def icons(draw):
    """Pixels in fragments, as an icon inside an item has them."""
    form, fragments = Form(EXPLICIT), draw(st.lists(st.binary(max_size=8), max_size=3))
    raw = b"".join(
        form.tag(0xFFFEE000) + (len(one) & ~1).to_bytes(4, "little") + one[: len(one) & ~1]
        for one in fragments
    )
    inside = item(el(0x7FE00010, "OB", raw, undefined=True))
    return el(0x00880200, "SQ", [inside], undefined=draw(st.booleans()))


@st.composite
def data_sets(draw, depth=DEPTH, most=8):
    """Elements of one data set in rising order, each tag once."""
    kinds = [plain_elements().map(lambda one: [one])]
    if depth:
        kinds += [sequences(depth).map(lambda one: [one]), private_blocks(depth)]
    drawn = draw(st.lists(st.one_of(kinds), max_size=most))
    unique = {one.tag: one for part in drawn for one in part}
    return [unique[tag] for tag in sorted(unique)]


@st.composite
def built(draw, syntaxes=SYNTAXES):
    """A file of one of the syntaxes, with group lengths and Pixel Data or without."""
    syntax = draw(st.sampled_from(syntaxes))
    elements = [_FIRST, *draw(data_sets())]
    if syntax in {EXPLICIT, JPEG} and draw(st.booleans()):
        icon = draw(icons())
        elements = sorted([one for one in elements if one.tag != icon.tag] + [icon], key=_tag)
    if draw(st.booleans()):
        elements = with_group_lengths(elements, syntax, draw(st.sampled_from([None, {0x0008}])))
    tail = draw(st.sampled_from([b"", pixels(EXPLICIT if syntax == DEFLATED else syntax)]))
    lead = draw(st.sampled_from([bytes(128), b"II*\0" + bytes(124)]))
    preamble = None if draw(st.integers(0, 9)) == 0 else lead
    return Built(dicom(elements, syntax, preamble=preamble, tail=tail), elements, syntax)


def _tag(one):
    return one.tag


# -- damage -----------------------------------------------------------------------------------

_LENGTHS = [0, 1, 2, 7, 8, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF]


@st.composite
def damaged(draw, syntaxes=SYNTAXES):
    """Bytes of a built file after some mutations."""
    whole = draw(built(syntaxes)).data
    head = scan(whole, len(whole))
    # Where headers state their lengths; in a deflated file these lie in other bytes.
    places = [] if head.deflated else [e.value for e in (*head.meta, *walk(head.elements))]
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 3))):
        if data:
            draw(st.sampled_from(_HOWS))(draw, data, places)
    return bytes(data)


def _flip(draw, data, places):
    data[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))


def _cut(draw, data, places):
    del data[draw(st.integers(0, len(data))) :]


def _insert(draw, data, places):
    at = draw(st.integers(0, len(data)))
    data[at:at] = draw(st.one_of(st.binary(min_size=1, max_size=12), st.sampled_from(_MARKS)))


def _remove(draw, data, places):
    at = draw(st.integers(0, len(data) - 1))
    del data[at : at + draw(st.integers(1, 12))]


def _length(draw, data, places):
    """Change the bytes before a value: they are its length, of two bytes or of four."""
    at = draw(st.sampled_from(places)) if places else draw(st.integers(0, len(data)))
    width = draw(st.sampled_from([2, 4]))
    stated = draw(st.one_of(st.sampled_from(_LENGTHS), st.integers(0, 300)))
    if width <= at <= len(data):
        order = draw(st.sampled_from(["little", "big"]))
        data[at - width : at] = (stated & (1 << 8 * width) - 1).to_bytes(width, order)


_MARKS = [b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0" + bytes(4), b"\xfe\xff\xdd\xe0" + bytes(4)]
_HOWS = [_flip, _flip, _cut, _insert, _remove, _length, _length]
