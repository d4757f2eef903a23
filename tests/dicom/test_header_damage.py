"""The header scanner on damaged and hostile bytes: an error, soon, and nothing worse."""

import struct
import time
import zlib

import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    Form,
    data_set,
    dicom,
    el,
    item,
    meta,
    patient_head,
    pixels,
)

from remediation.dicom.elements import walk
from remediation.dicom.header import (
    INFLATE_CAP,
    SHORT,
    scan,
)

SYNTAXES = [EXPLICIT, IMPLICIT, BIG, DEFLATED]
PATIENT = [el(0x00100020, "LO", "0012345"), el(0x00100021, "LO", "ZKH-OOST")]
NESTED = el(
    0x00081140,
    "SQ",
    [item(el(0x00081150, "UI", "1.2.3")), item(el(0x00081155, "UI", "1.2.3.4"), undefined=True)],
    undefined=True,
)


def read(data):
    return scan(data, len(data))


def tags(head):
    return [element.tag for element in head.elements]


def assert_partition(head, start, whole):
    """Assert that the spans stand edge to edge, at the top and inside every sequence."""
    position = start
    for element in head.elements:
        assert element.start == position
        position = element.end
    assert position == head.length
    stack = [(e.items, e) for e in head.elements if e.items]
    while stack:
        items, holder = stack.pop()
        position = holder.value
        for one in items:
            assert one.start == position
            inside = one.value
            for element in one.elements:
                assert element.start == inside
                inside = element.end
                if element.items:
                    stack.append((element.items, element))
            assert one.end - inside == (8 if one.undefined else 0)
            position = one.end
        assert holder.end - position == (8 if holder.undefined else 0)
    assert head.length <= whole


# -- damage -----------------------------------------------------------------------------------


def broken(*elements, syntax=EXPLICIT, tail=b""):
    return read(dicom([el(0x00080005, "CS", "ISO_IR 100"), *elements], syntax, tail=tail)).error


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_length_of_4_gib_is_a_truncated_file(syntax):
    assert broken(el(0x00104000, "UT", b"ab", length=0xFFFFFFFE), syntax=syntax) == "truncated"


def test_a_missing_delimiter_swallows_the_rest_and_is_an_error():
    raw = data_set([NESTED])[:-8]
    assert read(dicom(PATIENT[:0], tail=raw + data_set(PATIENT) + pixels())).error == "no-item"
    item_open = data_set([el(0x00081140, "SQ", [item(PATIENT[0], undefined=True)])])
    data = dicom([], tail=item_open[:-8] + data_set(PATIENT[1:]))
    assert read(data).error == "overrun"


def test_a_sequence_that_the_file_ends_in_is_truncated():
    assert read(dicom([NESTED])).error == ""
    assert read(dicom([NESTED])[:-8]).error == "truncated"


@pytest.mark.parametrize("stray", [0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD])
def test_stray_delimiters_are_an_error(stray):
    data = dicom(PATIENT, tail=Form().tag(stray) + bytes(4) + pixels())
    assert read(data).error in {"stray-delimiter", "bad-vr"}
    data = dicom(PATIENT, IMPLICIT, tail=Form().tag(stray) + bytes(4) + pixels(IMPLICIT))
    assert read(data).error == "stray-delimiter"


def test_items_and_elements_may_not_be_longer_than_what_holds_them():
    long = el(0x00081150, "UI", "1.2", length=40)
    assert broken(el(0x00081140, "SQ", [item(long)]), *PATIENT, tail=pixels()) == "overrun"
    raw = Form().tag(0xFFFEE000) + struct.pack("<L", 40) + bytes(8)
    assert broken(el(0x00081140, "SQ", raw), *PATIENT, tail=pixels()) == "overrun"


def test_a_sequence_of_something_else_than_items_is_an_error():
    assert broken(el(0x00081140, "SQ", b"gibberish!")) == "no-item"


def test_text_of_undefined_length_is_an_error():
    assert broken(el(0x00100020, "LO", b"", length=0), syntax=IMPLICIT) == ""
    assert broken(el(0x00104000, "UT", b"abcd", length=0xFFFFFFFF)) == "undefined-length"
    assert (
        broken(el(0x00100020, "LO", b"", length=0xFFFFFFFF), syntax=IMPLICIT) == "undefined-length"
    )


def test_a_vr_that_is_no_letters_is_an_error():
    assert broken(el(0x00100020, "??", b"ab")) == "bad-vr"


@pytest.mark.parametrize("size", [8, 400])
def test_fragments_may_not_go_further_than_the_item_that_holds_them(size):
    fragment = Form().tag(0xFFFEE000) + struct.pack("<L", size)
    end = Form().tag(0xFFFEE0DD) + bytes(4)
    inside = Form().header(0x7FE00010, "OB", 0xFFFFFFFF) + fragment
    raw = Form().tag(0xFFFEE000) + struct.pack("<L", len(inside)) + inside
    tail = bytes(size) + end + data_set(PATIENT) + bytes(400)
    assert broken(el(0x00880200, "SQ", raw), tail=tail) == "overrun"
    inside = Form().header(0x7FE00010, "OB", 0xFFFFFFFF)
    raw = Form().tag(0xFFFEE000) + struct.pack("<L", len(inside)) + inside
    assert broken(el(0x00880200, "SQ", raw), tail=end + data_set(PATIENT)) == "overrun"


def test_fragments_that_are_none_are_an_error():
    inside = item(el(0x7FE00010, "OB", b"12345678", undefined=True))
    assert broken(el(0x00880200, "SQ", [inside])) == "fragments"


def test_a_few_bytes_behind_the_last_element_are_an_error():
    assert read(dicom(PATIENT) + b"\0\0\0").error == "truncated"


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0" * 7, bytes(128) + b"DICM", bytes(128) + b"DICM" + meta()]
)
def test_a_file_without_any_element_is_an_error(data):
    assert read(data).error in {"empty", "truncated"}
    assert read(data).elements == ()


def nested(depth, syntax, *, un=False):
    lead = Form(syntax).header(0x00081140, "UN" if un else "SQ", 0xFFFFFFFF)
    return (lead + Form(syntax).tag(0xFFFEE000) + b"\xff\xff\xff\xff") * depth


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("depth", [65, 100, 5_000, 200_000])
def test_deep_nesting_is_refused_without_recursion(syntax, depth):
    before = time.monotonic()
    head = read(dicom([], syntax, tail=nested(depth, syntax)))
    assert head.error == "too-deep"
    assert time.monotonic() - before < 1


@pytest.mark.parametrize("depth", [1, 30, 64])
def test_nesting_as_deep_as_is_met_is_read(depth):
    form = Form()
    closing = (form.tag(0xFFFEE00D) + bytes(4) + form.tag(0xFFFEE0DD) + bytes(4)) * depth
    head = read(dicom([], tail=nested(depth, EXPLICIT) + closing + data_set(PATIENT)))
    assert head.error == ""
    assert sum(1 for one in walk(head.elements) if one.tag == 0x00081140) == depth


def test_deep_nesting_in_un_of_defined_length_becomes_opaque():
    value = b""
    for _ in range(200):
        inside = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value
        value = b"\x33\0\x01\x10" + struct.pack("<L", len(inside)) + inside
    inside = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value
    head = read(dicom([*PATIENT, el(0x00331001, "UN", inside)]))
    assert head.error == ""
    assert tags(head)[-1] == 0x00331001


def test_sixteen_megabytes_of_empty_items_are_bounded():
    body = (Form().tag(0xFFFEE000) + bytes(4)) * (2 << 20)
    before = time.monotonic()
    assert broken(el(0x00081140, "SQ", body)) == "too-many-elements"
    assert time.monotonic() - before < 5


@pytest.mark.parametrize(("one", "times"), [(el(0x00091001, "LO", ""), 400_001), (NESTED, 100_000)])
def test_the_number_of_elements_is_bounded(one, times):
    head = read(dicom([], tail=data_set([one]) * times))
    assert head.error == "too-many-elements"
    assert len(head.elements) <= 400_000


def test_the_number_of_fragments_is_bounded():
    fragments = (Form().tag(0xFFFEE000) + bytes(4)) * 400_001
    inside = item(el(0x7FE00010, "OB", fragments, undefined=True))
    assert broken(el(0x00880200, "SQ", [inside])) == "too-many-elements"


@pytest.mark.parametrize("inner", [0, 1])
def test_a_delimiter_behind_what_holds_an_item_does_not_close_it(inner):
    """Some readers would go on in step; others would not: nobody may be led apart."""
    form = Form(IMPLICIT)
    lead = [form.tag(0xFFFEE000) + b"\xff" * 4, form.header(0x00331002, "UN", 0xFFFFFFFF)][
        : inner + 1
    ]
    ends = [form.tag(0xFFFEE00D) + bytes(4), form.tag(0xFFFEE0DD) + bytes(4)][inner:]
    holder = el(0x00331001, "UN", b"".join(lead))
    head = read(dicom([*PATIENT, holder], IMPLICIT, tail=ends[0] + pixels(IMPLICIT)))
    assert head.error == "stray-delimiter"


def test_many_values_that_only_look_like_sequences_are_bounded():
    fake = b"\xfe\xff\x00\xe0" + b"\xff\xff\xff\xff" + b"\x08\x00\x01\x00" + bytes(4)
    body = data_set([el(0x00331001, "UN", fake)]) * 150_000
    before = time.monotonic()
    head = read(dicom(PATIENT[:0], tail=body))
    assert head.error in {"", "too-many-elements"}
    assert time.monotonic() - before < 10


# -- deflated ---------------------------------------------------------------------------------


def deflated(body):
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return bytes(128) + b"DICM" + meta(DEFLATED) + packer.compress(body) + packer.flush()


@pytest.mark.parametrize("syntax", [DEFLATED, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"])
def test_three_syntaxes_are_deflated(syntax):
    data = dicom(patient_head(*PATIENT), DEFLATED, tail=pixels(), states=syntax)
    head = read(data)
    assert (head.error, head.deflated) == ("", True)
    assert head.text(head.find(0x00100020)) == "0012345"


def test_a_deflate_bomb_is_inflated_to_the_cap_only():
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    lead = packer.compress(data_set([el(0x00104000, "UT", b"", length=0xF0000000)]))
    lead += packer.flush(zlib.Z_FULL_FLUSH)
    chunk = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = lead + chunk * 2048 + packer.flush()
    assert len(bomb) > 2_000_000
    data = bytes(128) + b"DICM" + meta(DEFLATED) + bomb
    before = time.monotonic()
    head = read(data)
    assert head.error == "inflate-cap"
    assert len(head.data) <= INFLATE_CAP + 1000
    assert time.monotonic() - before < 5
    assert scan(data[:16384], len(data)).error in {SHORT, "inflate-cap"}


def test_a_large_deflated_file_whose_head_is_small_is_read():
    body = data_set(patient_head(*PATIENT)) + pixels(size=1 << 16) + bytes(80 << 20)
    head = read(deflated(body))
    assert (head.error, tags(head)[-1]) == ("", 0x00280010)


def test_damaged_and_cut_deflated_data_are_errors_and_never_an_empty_head():
    body = data_set(patient_head(*PATIENT, el(0x00104000, "LT", bytes(range(48, 122)) * 20)))
    data = deflated(body)
    assert read(data).error == ""
    assert read(data[:-20]).error == "truncated"
    start = data.index(b"DICM") + 4 + len(meta(DEFLATED))
    assert read(data[:start] + b"\xff" * 40).error == "deflate"
    assert read(data[:start]).error in {"empty", "truncated"}


def test_damage_behind_the_head_of_a_deflated_file_does_not_matter():
    packer = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data_set(patient_head(*PATIENT)) + pixels(size=1 << 15))
    packed += packer.flush(zlib.Z_FULL_FLUSH) + b"\xff\xff\xff\xff"
    head = read(bytes(128) + b"DICM" + meta(DEFLATED) + packed)
    assert (head.error, tags(head)[-1]) == ("", 0x00280010)
