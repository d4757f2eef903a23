"""The compiled pass beside the Python one: of any bytes the same spans, offset, error and notes."""

import random
import struct
import time

import pytest
from builders import DEFLATED, EXPLICIT, IMPLICIT, Form, data_set, dicom, el, item, meta
from dicom.strategies import built, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary
from samples import files, read

from remediation.dicom import quick
from remediation.dicom.header import glance, scan
from remediation.dicom.reader import UNBOUNDED, BrokenError, Reader

pytestmark = pytest.mark.skipif(
    not quick.COMPILED,
    reason="THE COMPILED PASS IS NOT THERE: no C compiler or Python headers, or REMEDIATION_PURE",
)
SLOW = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SMALL = [name for name in files() if len(read(name)) < 60_000]
MISSING = ["", "short", "truncated", "deflate", "inflate-cap"]
ONLY = [None, (), frozenset({0x00100024, 0x00081140}), [0x00081140]]
LENGTHS = [b"\xff\xff\xff\xff", bytes(4), b"\xfe\xff\xff\x7f", b"\xfe\xff\xff\xff", b"\x08\0\0\0"]
PIECES = [
    b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff",
    b"\x08\0\x40\x11SQ\0\1\x18\0\0\0",
    b"\x33\0\x01\x10UN\0\0\xff\xff\xff\xff",
    b"\x33\0\x01\x10UN\0\0\x20\0\0\0",
    b"\x33\0\x01\x10ZZ\x02\0ab",
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
    b"\xfe\xff\x00\xe0\x08\0\0\0",
    b"\xfe\xff\x00\xe0\0\0\0\0",
    b"\xfe\xff\x0d\xe0\0\0\0\0",
    b"\xfe\xff\xdd\xe0\0\0\0\1",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"\xfe\xff\xdd\xe0OB\0\0",
    b"\x10\0\x20\0LO\x04\x001234",
    b"\x10\0\x20\0\x04\0\0\x001234",
    b"\x28\0\x10\x12OW\0\0\xff\xff\xff\xff",
    b"\xe0\x7f\x10\0OW\0\0\x02\0\0\0ab",
    b"\xff\xff\x01\0LO\x02\0ab",
]


def head_of(data, total, **how):
    """Return what either way of reading makes of bytes, for comparison."""
    head = scan(data, total, **how)
    said = {name: value for name, value in vars(head).items() if name != "quick"}
    return (said, head.index, [tuple(map(type, span)) for span in head.spans[:1]])


def assert_same(data, total=None, **how):
    total = len(data) if total is None else total
    assert head_of(data, total, quick=True, **how) == head_of(data, total, **how)


def passes(kind, data, order, missing, total, *, start, in_meta=False, **how):
    """Return what one reader makes of bytes, in a form of its own for the meta header."""
    reader = kind(data, order, missing, total)
    try:
        found = reader.meta(start) if in_meta else reader.data_set(start, **how)
    except BrokenError as broken:
        found = str(broken)
    return found, reader.notes


def assert_passes_alike(data, order, missing, total, **how):
    kinds = (quick.CompiledReader, Reader)
    both = [passes(kind, data, order, missing, total, **how) for kind in kinds]
    assert both[0] == both[1]


@st.composite
def arguments(draw):
    """Arguments of a pass that a head would hardly bring together."""
    how = {"order": draw(st.sampled_from("<>")), "missing": draw(st.sampled_from(MISSING))}
    how["total"] = draw(st.sampled_from([0, 50, 400, UNBOUNDED]))
    how["start"] = draw(st.integers(0, 20))
    if draw(st.integers(0, 4)) == 0:
        return how | {"in_meta": True}
    how |= {"explicit": draw(st.booleans()), "only": draw(st.sampled_from(ONLY))}
    return how | {"until": draw(st.sampled_from([0x7FE0, 0x0021, 0x0009, 0, 0xFFFF, 1 << 20]))}


def mutated(dice, data):
    """Return damaged bytes: headers are where damage tells."""
    data = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at, how = dice.randrange(len(data) + 1), dice.randrange(6)
        if how == 0 and at < len(data):
            data[at] ^= dice.randint(1, 255)
        elif how == 1 and dice.random() < 0.3:
            del data[at:]
        elif how == 2:
            data[at:at] = dice.randbytes(dice.randint(1, 12))
        elif how == 3:
            del data[at : at + dice.randint(1, 12)]
        elif how == 4:
            data[at : at + 4] = dice.choice(LENGTHS)
        else:
            data[at:at] = dice.choice(PIECES)
    return bytes(data)


# -- real files -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", files())
def test_samples_are_read_alike(name):
    data = read(name)
    assert_same(data)
    assert_same(data[:16384], len(data))
    assert_same(data, len(data), until=0x0021, only=frozenset({0x00100024, 0x00101002}))
    assert glance(data, len(data)) == scan(
        data, len(data), until=0x0021, only=frozenset({0x00100024, 0x00101002})
    )


@pytest.mark.parametrize("name", SMALL[::6])
def test_prefixes_of_samples_are_read_alike(name):
    data = read(name)
    for length in range(0, min(len(data), 4000), 7):
        assert_same(data[:length])
        assert_same(data[:length], len(data))


def test_mutated_samples_are_read_alike():
    dice = random.Random(3)
    samples = [read(name)[:6000] for name in SMALL]
    for _ in range(4000):
        data = mutated(dice, dice.choice(samples))
        assert_same(data, len(data) + dice.choice([0, 0, 1, 5000]))


def test_every_tag_of_the_dictionary_has_its_vr_and_others_theirs():
    others = [g << 16 | n for g in (8, 9, 0x11, 0x5002, 0x6002, 0x7FDF) for n in range(0x1100)]
    body = b"".join(
        struct.pack("<HHL", tag >> 16, tag & 0xFFFF, 0)
        for tag in sorted({*DicomDictionary, *others})
        if tag >> 16 < 0x7FE0
    )
    assert_passes_alike(body, "<", "", len(body), start=0, explicit=False)


# -- made ones --------------------------------------------------------------------------------


@SLOW
@given(built(), st.integers(0, 5000))
def test_built_files_are_read_alike(made, cut):
    assert_same(made.data)
    assert_same(made.data[:cut], len(made.data))


@SLOW
@given(damaged())
def test_damaged_files_are_read_alike(data):
    assert_same(data)
    assert_same(data, len(data) + 1)


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join), arguments())
def test_any_order_of_headers_and_delimiters_is_read_alike(data, how):
    assert_passes_alike(data, **how)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300), arguments())
def test_any_bytes_are_read_alike(data, how):
    assert_passes_alike(data, **how)


# -- hostile ones -----------------------------------------------------------------------------


def nested(depth, syntax, vr):
    lead = Form(syntax).header(0x00081140, vr, 0xFFFFFFFF)
    return (lead + Form(syntax).tag(0xFFFEE000) + b"\xff\xff\xff\xff") * depth


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("depth", [1, 63, 64, 65, 5_000, 100_000])
def test_deep_nesting_is_read_alike(syntax, depth):
    form = Form(syntax)
    closing = (form.tag(0xFFFEE00D) + bytes(4) + form.tag(0xFFFEE0DD) + bytes(4)) * depth
    for vr in ("SQ", "UN"):
        assert_same(dicom([], syntax, tail=nested(depth, syntax, vr)))
        assert_same(dicom([], syntax, tail=nested(depth, syntax, vr) + closing))


@pytest.mark.parametrize("depth", [10, 63, 64, 65, 200])
def test_deep_un_of_defined_length_is_read_alike(depth):
    value = b""
    for _ in range(depth):
        inside = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value
        value = b"\x33\0\x01\x10" + struct.pack("<L", len(inside)) + inside
    inside = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value
    data = dicom([el(0x00331001, "UN", inside)])
    assert_same(data)
    assert_same(data[:-2], len(data))


@pytest.mark.parametrize("count", [199_990, 399_990, 399_999, 400_000, 400_001])
def test_the_caps_are_the_same(count):
    empty = Form().tag(0xFFFEE000) + bytes(4)
    icon = item(el(0x7FE00010, "OB", empty * count, undefined=True))
    bodies = [
        data_set([el(0x00091001, "LO", "")]) * count,
        data_set([el(0x00081140, "SQ", empty * (count // 2))]),
        data_set([el(0x00880200, "SQ", [icon])]),
        data_set([el(0x00331001, "UN", empty * (count // 2))]),
    ]
    for body in bodies:
        assert_passes_alike(body, "<", "truncated", len(body), start=0, explicit=True)


def test_many_values_that_only_look_like_sequences_are_read_alike_and_soon():
    fake = b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x08\x00\x01\x00" + bytes(4)
    data = dicom([], tail=data_set([el(0x00331001, "UN", fake)]) * 150_000)
    assert_same(data)
    before = time.monotonic()
    scan(data, len(data), quick=True)
    assert time.monotonic() - before < 1


def test_a_deflated_file_that_is_damaged_is_read_alike():
    data = dicom([el(0x00100020, "LO", "0012345")], DEFLATED)
    start = 132 + len(meta(DEFLATED))
    for bad in (data, data[:-4], data[:start], data[:start] + b"\xff" * 40):
        assert_same(bad)
        assert_same(bad, len(data) + 9)


# -- the module itself ------------------------------------------------------------------------


def test_spans_share_the_bytes_of_their_vrs_and_are_plain_tuples():
    data = dicom([el(0x00100020, "LO", "1"), el(0x00100021, "LO", "2")])
    first, second = scan(data, len(data), quick=True).spans
    assert first[1] is second[1]
    assert [type(part) for part in first] == [int, bytes, int, int, int, bool]
    assert type(first) is tuple


@pytest.mark.parametrize("start", [-1, -(1 << 63), 1 << 61, (1 << 63) - 1])
def test_offsets_that_are_none_are_refused(start):
    reader = quick.CompiledReader(b"12345678", "<", "", 8)
    with pytest.raises(ValueError, match="no such offset"):
        reader.data_set(start, explicit=True)
    with pytest.raises(ValueError, match="no such offset"):
        reader.meta(start)


def test_an_offset_behind_the_end_is_read_alike():
    for missing in MISSING:
        for start in (8, 9, 1 << 60):
            how = {"total": 1 << 40, "start": start}
            assert_passes_alike(b"12345678", "<", missing, **how, explicit=True)
            assert_passes_alike(b"12345678", "<", missing, **how, in_meta=True)


def test_tags_that_are_no_numbers_are_an_error_and_nothing_leaks():
    reader = quick.CompiledReader(b"12345678", "<", "", 8)
    for only in (["a"], [-1], [1 << 70], 5):
        with pytest.raises((TypeError, OverflowError)):
            reader.data_set(0, explicit=True, only=only)


def test_an_index_is_of_spans_alone():
    tags, vrs = frozenset({0x00100020}), frozenset({b"LO"})
    one = (0x00100020, b"LO", 0, 8, 16, True)
    assert quick._pass.index([one], tags, vrs, 8) == ({0x00100020: one}, [0], [0])
    assert quick._pass.index([], tags, vrs, 8) == ({}, [], [])
    for wrong in ([one[:5]], [None], [[*one]], [(0x00100020, b"LO", "0", 8, 16, True)]):
        with pytest.raises(TypeError):
            quick._pass.index(wrong, tags, vrs, 8)
    for wrong in (
        [(0x00100020, b"LO", 0, 8, 1 << 70, True)],
        [(0x00100020, b"LO", -(1 << 70), 8, 9, True)],
    ):
        with pytest.raises(OverflowError):
            quick._pass.index(wrong, tags, vrs, 8)
    with pytest.raises(TypeError):
        quick._pass.index((one,), tags, vrs, 8)
    with pytest.raises(TypeError):
        quick._pass.index([one], {0x00100020}, vrs, 8)
