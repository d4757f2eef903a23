"""The header scanner on the files that ship with pydicom: the same tags and values, whole and cut.

Mutated, they still give a head with spans that fit, or an error: never an exception, never a hang.
"""

import time
import warnings
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from samples import files, read

from remediation.dicom.elements import PIXEL_GROUP, walk
from remediation.dicom.header import SHORT, looks_like_dicom, scan

# Files that pydicom gives something of and the scanner refuses, each with what is wrong with it.
REFUSED = {
    "test_files/no_meta.dcm": "truncated",  # a stray byte in front: nothing is where it should be
    "test_files/rtplan_truncated.dcm": "truncated",  # ends inside a sequence
    "test_files/dicomdirtests/DICOMDIR-nooffset": "overrun",  # an item outlasts its sequence
}
# Read by both, and not alike: SOPInstanceUID is there twice, and pydicom keeps the last.
UNLIKE = {"palettes/winter.dcm"}
NOTED = {"palettes/winter.dcm": {"order"}, "test_files/SC_rgb_jpeg.dcm": {"syntax-mismatch"}}

SMALL = [name for name in files() if len(read(name)) < 60_000]


def whole(name):
    data = read(name)
    return scan(data, len(data))


def by_pydicom(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(BytesIO(read(name)), force=True)


def assert_alike(head, mine, theirs):
    """Assert that elements and pydicom's data set hold the same tags and the same raw values."""
    kept = {e.tag: e for e in mine if e.tag & 0xFFFF}
    wanted = [int(tag) for tag in theirs.keys() if tag.element]  # noqa: SIM118 - tags, not values
    assert list(kept) == [tag for tag in wanted if tag >> 16 < PIXEL_GROUP or tag in kept]
    for tag, element in kept.items():
        raw = theirs.get_item(tag)
        if isinstance(raw, RawDataElement) and not element.items and raw.value is not None:
            assert head.raw(element) == raw.value, f"{tag:08x}"
        elif theirs[tag].VR == "SQ":
            assert len(element.items) == len(theirs[tag].value)
            for item, inner in zip(element.items, theirs[tag].value, strict=True):
                assert_alike(head, item.elements, inner)


@pytest.mark.parametrize("name", files())
def test_each_sample_gives_what_pydicom_reads(name):
    head = whole(name)
    assert head.error == REFUSED.get(name, "")
    if name in REFUSED:
        return
    assert looks_like_dicom(read(name)[:16384])
    assert head.notes - {"no-meta"} == NOTED.get(name, set())
    if name not in UNLIKE:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert_alike(head, head.elements, by_pydicom(name))


def test_there_are_samples_of_every_syntax_that_matters():
    heads = [whole(name) for name in files()]
    assert len(heads) > 80
    assert sum(head.deflated for head in heads) >= 1
    assert sum(not head.little for head in heads) >= 3
    assert sum(not head.explicit for head in heads) >= 10
    assert sum("no-meta" in head.notes for head in heads) >= 1
    assert any(e.vr == "UN" and e.items for head in heads for e in walk(head.elements))


@pytest.mark.parametrize("name", files())
def test_spans_of_each_sample_stand_edge_to_edge(name):
    head = whole(name)
    position = head.meta[-1].end if head.meta else (132 if head.data[128:132] == b"DICM" else 0)
    for element in head.elements:
        assert element.start == position
        position = element.end
    assert head.length >= position
    assert head.error or head.length == position


def same(one, other):
    return (
        one.elements == other.elements
        and (one.meta, one.length, one.notes) == (other.meta, other.length, other.notes)
        and (one.syntax, one.explicit, one.little) == (other.syntax, other.explicit, other.little)
        and (one.error, one.pixel_end) == (other.error, other.pixel_end)
    )


@pytest.mark.parametrize("name", SMALL)
def test_a_prefix_of_a_sample_is_short_until_it_is_enough(name):
    data, complete, enough = read(name), whole(name), False
    step = max(1, len(data) // 150)
    for length in [*range(0, len(data), step), len(data)]:
        head = scan(data[:length], len(data))
        if head.error == SHORT:
            assert not enough, "asked for more after it had enough"
        else:
            enough = True
            assert same(head, complete)
    assert enough


@st.composite
def mutated(draw):
    data = bytearray(read(draw(st.sampled_from(SMALL))))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        how = draw(st.sampled_from(["byte", "cut", "insert", "delete", "length", "delimiter"]))
        if how == "byte":
            data[at] ^= draw(st.integers(1, 255))
        elif how == "cut":
            del data[max(at, 1) :]
        elif how == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=12))
        elif how == "delete" and len(data) > 20:
            del data[at : at + draw(st.integers(1, 12))]
        elif how == "length":
            data[at : at + 4] = draw(
                st.sampled_from([b"\xff\xff\xff\xff", bytes(4), b"\xfe\xff\xff\x7f"])
            )
        else:
            data[at:at] = draw(st.sampled_from([b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"])) + bytes(
                4
            )
        if not data:
            break
    return bytes(data) or b"\0"


def assert_sound(data):
    before = time.monotonic()
    head = scan(data, len(data))
    assert time.monotonic() - before < 5
    assert head.length <= len(head.data)
    assert head.error != SHORT
    position = 0
    for element in (*head.meta, *head.elements):
        assert position <= element.start < element.value <= element.end <= len(head.data)
        position = element.end
    for element in walk(head.elements):
        assert element.value <= element.end <= head.length or head.error


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_a_mutated_sample_gives_a_head_or_an_error(data):
    assert_sound(data)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", bytes(128) + b"DICM", b"\x08\0\x05\0CS"]))
def test_any_bytes_give_a_head_or_an_error(data, lead):
    assert_sound(lead + data)


TOKENS = st.sampled_from(
    [
        b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff",
        b"\x08\0\x40\x11SQ\0\0\x18\0\0\0",
        b"\x33\0\x01\x10UN\0\0\xff\xff\xff\xff",
        b"\x33\0\x01\x10UN\0\0\x20\0\0\0",
        b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
        b"\xfe\xff\x00\xe0\x08\0\0\0",
        b"\xfe\xff\x00\xe0\0\0\0\0",
        b"\xfe\xff\x0d\xe0\0\0\0\0",
        b"\xfe\xff\xdd\xe0\0\0\0\0",
        b"\x10\0\x20\0LO\x04\0" + b"1234",
        b"\x10\0\x20\0\x04\0\0\0" + b"1234",
        b"\x28\0\x10\x12OW\0\0\xff\xff\xff\xff",
        b"\xe0\x7f\x10\0OW\0\0\x02\0\0\0ab",
    ]
)


@settings(max_examples=600, deadline=None)
@given(st.lists(TOKENS, max_size=25).map(b"".join), st.integers(0, 400))
def test_any_order_of_headers_and_delimiters_gives_a_head_and_every_prefix_agrees(body, length):
    data = b"\x08\0\x05\0CS\x02\0ab" + body
    assert_sound(data)
    part = scan(data[:length], len(data))
    if len(data[:length]) < len(data) and part.error != SHORT:
        assert same(part, scan(data, len(data)))
