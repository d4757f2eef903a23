"""The header scanner: every syntax and length form, damage of every kind, and real files."""

import struct

import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    Form,
    data_set,
    dicom,
    el,
    item,
    meta,
    patient_head,
    pixels,
    private,
    with_group_lengths,
)

from remediation.dicom.elements import walk
from remediation.dicom.header import (
    looks_like_container,
    looks_like_dicom,
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


# -- syntaxes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_elements_and_items_are_found_in_every_syntax_and_length_form(syntax, undefined):
    inner = item(el(0x00081150, "UI", "1.2.3"), undefined=undefined)
    sequence = el(0x00081140, "SQ", [inner, item(undefined=undefined)], undefined=undefined)
    elements = patient_head(*PATIENT, sequence, *private(0x0009, "SCHIJN 1.0", (1, "LO", "x")))
    tail = pixels(EXPLICIT if syntax == DEFLATED else syntax)
    data = dicom(elements, syntax, tail=tail)
    head = read(data)
    assert head.error == ""
    assert head.notes == frozenset()
    assert tags(head) == [one.tag for one in elements]
    assert head.syntax == syntax
    assert (head.explicit, head.little) == (syntax != IMPLICIT, syntax != BIG)
    assert head.deflated == (syntax == DEFLATED)
    found = head.find(0x00081140)
    assert [len(one.elements) for one in found.items] == [1, 0]
    assert {one.undefined for one in found.items} == {undefined} == {found.undefined}
    assert head.text(head.find(0x00100020)) == "0012345"
    assert head.text(head.meta[-1]) == "1.2.826.0.1.3680043.9.7777.9"
    start = head.meta[-1].end
    assert_partition(head, start, len(head.data))
    if syntax != DEFLATED:
        assert head.data[head.length :] == tail
        assert head.pixel_end == len(data)


def test_encapsulated_pixel_data_is_not_read_and_its_end_not_known():
    tail = pixels(JPEG)
    head = read(dicom(patient_head(*PATIENT), JPEG, tail=tail))
    assert (head.error, head.pixel_end, head.data[head.length :]) == ("", None, tail)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_without_pixel_data_the_head_is_the_whole_file(syntax):
    data = dicom(patient_head(*PATIENT), syntax)
    head = read(data)
    assert (head.error, head.pixel_end) == ("", None)
    assert head.length == len(head.data)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("preamble", [bytes(128), b"II*\0" + b"\x08" * 124, None])
def test_preamble_and_meta_header_may_be_missing(syntax, header, preamble):
    elements = [one for one in patient_head(*PATIENT) if one.tag != 0x00080005]
    data = dicom(elements, syntax, preamble=preamble, header=header, tail=pixels(syntax))
    head = read(data)
    assert looks_like_dicom(data)
    assert head.error == ""
    assert tags(head) == [one.tag for one in elements]
    assert (head.explicit, head.little) == (syntax != IMPLICIT, syntax != BIG)
    assert head.notes == (frozenset() if header else {"no-meta"})
    assert head.syntax == syntax


def test_group_lengths_are_elements_like_any_other():
    elements = with_group_lengths(patient_head(*PATIENT))
    head = read(dicom(elements, tail=pixels()))
    assert tags(head) == [one.tag for one in elements]
    assert head.notes == frozenset()


def test_a_group_length_before_pixel_data_is_passed_over():
    length = el(0x7FE00000, "UL", struct.pack("<L", 28))
    data = dicom(patient_head(*PATIENT), tail=data_set([length]) + pixels())
    head = read(data)
    assert head.pixel_end == len(data)
    assert head.data[head.length :].startswith(b"\xe0\x7f\x00\x00")


@pytest.mark.parametrize(
    ("tag", "vr"), [(0x7FE00008, "OF"), (0x7FE00009, "OD"), (0x7FE00010, "OB")]
)
def test_integer_float_and_double_pixel_data_end_the_head_alike(tag, vr):
    data = dicom(patient_head(*PATIENT), tail=data_set([el(tag, vr, bytes(24))]) + b"\0\0")
    assert read(data).pixel_end == len(data) - 2


def test_an_offset_table_says_nothing_of_where_pixel_data_ends():
    tail = data_set([el(0x7FE00001, "OV", bytes(8))]) + pixels(JPEG)
    head = read(dicom(patient_head(*PATIENT), JPEG, tail=tail))
    assert (head.error, head.pixel_end) == ("", None)


def test_pixel_data_that_ends_inside_its_header_ends_past_the_file():
    data = dicom(patient_head(*PATIENT), tail=pixels()[:10])
    assert (read(data).error, read(data).pixel_end) == ("", len(data) + 2)
    assert read(data[:-4]).error == "truncated"
    for syntax in (EXPLICIT, IMPLICIT):
        data = dicom(patient_head(*PATIENT), syntax, tail=pixels(syntax, size=0))
        assert read(data).pixel_end == len(data)


def test_native_pixel_data_that_is_cut_ends_past_the_file():
    data = dicom(patient_head(*PATIENT), tail=pixels(size=64))
    assert read(data[:-10]).pixel_end == len(data)


def test_elements_behind_where_pixel_data_would_stand_belong_to_the_head():
    trailing = el(0xFFFCFFFC, "OB", bytes(6))
    assert tags(read(dicom(patient_head(*PATIENT, trailing))))[-1] == 0xFFFCFFFC


def test_pixel_data_inside_an_item_is_an_element_and_does_not_end_the_head():
    icon = item(el(0x00280010, "US", b"\1\0"), el(0x7FE00010, "OW", bytes(4)))
    fragments = Form().tag(0xFFFEE000) + bytes(4) + Form().tag(0xFFFEE000) + struct.pack("<L", 4)
    packed = item(el(0x7FE00010, "OB", fragments + b"\xff\xd8\xff\xd9", undefined=True))
    sequence = el(0x00880200, "SQ", [icon, packed])
    head = read(dicom(patient_head(*PATIENT, sequence), JPEG, tail=pixels(JPEG)))
    assert head.error == ""
    assert tags(head)[-1] == 0x00880200
    found = [one for one in walk(head.elements) if one.tag == 0x7FE00010]
    assert [one.undefined for one in found] == [False, True]


# -- what the file says of itself, and what it is ---------------------------------------------


@pytest.mark.parametrize(
    ("stated", "real"), [(EXPLICIT, IMPLICIT), (IMPLICIT, EXPLICIT), (JPEG, IMPLICIT)]
)
def test_data_in_another_form_than_stated_is_read_as_what_it_is_and_noted(stated, real):
    head = read(dicom(patient_head(*PATIENT), real, states=stated))
    assert (head.error, head.explicit, head.notes) == ("", real == EXPLICIT, {"syntax-mismatch"})
    assert head.text(head.find(0x00100020)) == "0012345"


def test_implicit_data_whose_first_length_looks_like_letters_stays_implicit():
    first = el(0x00080001, "UN", bytes(0x4141))
    head = read(dicom([first, *PATIENT], IMPLICIT))
    assert (head.error, head.explicit, head.notes) == ("", False, frozenset())


@pytest.mark.parametrize("undefined", [False, True])
def test_un_holds_implicit_items_whatever_the_syntax(undefined):
    inner = item(el(0x00100020, "LO", "A12"), *private(0x0033, "INNEN", (2, "LO", "b")))
    holder = el(0x00331001, "UN", [inner], undefined=undefined)
    head = read(
        dicom([*PATIENT, el(0x00330010, "LO", "BUITEN"), holder, el(0x00400007, "LO", "z")])
    )
    assert head.error == ""
    found = head.find(0x00331001)
    assert [e.tag for e in found.items[0].elements] == [0x00100020, 0x00330010, 0x00331002]
    assert not any(e.explicit for e in found.items[0].elements)
    assert head.text(found.items[0].elements[0]) == "A12"


@pytest.mark.parametrize(
    "value",
    [
        b"\xfe\xff\x00\xe0" + b"\xff" * 12,
        b"\xfe\xff\x00\xe0" + struct.pack("<L", 8) + b"\x10\0\x20\0" + struct.pack("<L", 99),
        b"\xfe\xff\x00\xe0" + struct.pack("<L", 0xFFFFFFFF) + b"abcdefgh",
        b"\xfe\xff\x00\xe0" + struct.pack("<L", 0xFFFFFFFF) + b"\x10\0\x20\0" + bytes(4),
        b"\xfe\xff\x00\xe0" + struct.pack("<L", 2) + b"abcd",
    ],
)
def test_un_that_only_looks_like_a_sequence_is_opaque_and_leaves_no_note(value):
    holder = el(0x00331001, "UN", value)
    after = el(0x00400007, "LO", "z")
    head = read(dicom([*PATIENT, holder, after], tail=pixels()))
    assert (head.error, head.notes) == ("", frozenset())
    assert head.find(0x00331001).items == ()
    assert head.raw(head.find(0x00331001)) == value
    assert tags(head)[-1] == after.tag


@pytest.mark.parametrize("vr", ["OB", "OW", "LT", "UT"])
def test_a_value_of_another_vr_is_never_taken_for_a_sequence(vr):
    value = data_set([el(0x00331001, "UN", [item(*PATIENT)])])[12:]
    head = read(dicom([*PATIENT, el(0x00331001, vr, value)]))
    assert head.error == ""
    assert head.elements[-1].items == ()


def test_the_smallest_sequence_inside_un_is_one_empty_item():
    head = read(dicom([*PATIENT, el(0x00331001, "UN", [item()])]))
    assert [one.elements for one in head.elements[-1].items] == [()]


def test_private_sequences_of_undefined_length_are_read_in_implicit_syntax():
    holder = el(0x00331001, "UN", [item(*PATIENT, undefined=True)], undefined=True)
    head = read(dicom([el(0x00330010, "LO", "BUITEN"), holder], IMPLICIT, tail=pixels(IMPLICIT)))
    assert head.error == ""
    assert [e.tag for e in head.find(0x00331001).items[0].elements] == [0x00100020, 0x00100021]


@pytest.mark.parametrize(
    ("elements", "note"),
    [
        ([*PATIENT, PATIENT[0]], "order"),
        ([PATIENT[1], PATIENT[0]], "order"),
        ([el(0x00081140, "SQ", [item(PATIENT[1], PATIENT[0])]), *PATIENT], "order"),
        ([el(0x00100020, "ZZ", "12")], "unknown-vr"),
    ],
)
def test_oddities_are_read_and_noted(elements, note):
    head = read(dicom([el(0x00080005, "CS", "ISO_IR 100"), *elements]))
    assert (head.error, head.notes) == ("", {note})


def test_reserved_bytes_and_lengths_of_delimiters_are_noted():
    sequence = data_set([NESTED])
    stated = sequence[:6] + b"\1\0" + sequence[8:]
    assert read(dicom([]) + stated).notes == {"reserved"}
    stated = sequence[:-4] + b"\1\0\0\0"
    assert read(dicom([]) + stated).notes == {"delimiter-length"}


def test_lengths_of_item_delimiters_and_behind_fragments_are_noted():
    for sequence in (
        el(0x00081140, "SQ", [item(PATIENT[0], undefined=True)]),
        el(0x00880200, "SQ", [item(el(0x7FE00010, "OB", b"", undefined=True))]),
    ):
        assert read(dicom([sequence])).notes == frozenset()
        data = dicom([sequence])[:-4] + b"\1\0\0\0"
        assert (read(data).error, read(data).notes) == ("", {"delimiter-length"})


def test_an_implicit_or_unordered_meta_header_is_noted():
    elements = data_set(patient_head(*PATIENT))
    lead = bytes(128) + b"DICM"
    implicit = data_set([el(0x00020010, "UI", EXPLICIT)], IMPLICIT)
    head = read(lead + implicit + elements)
    assert (head.error, head.notes, head.syntax) == ("", {"implicit-meta"}, EXPLICIT)
    for again in (el(0x00020010, "UI", IMPLICIT), el(0x00020012, "UI", "1.2.3")):
        assert read(lead + meta() + data_set([again]) + elements).notes == {"order"}


# -- what a file looks like -------------------------------------------------------------------


@pytest.mark.parametrize(
    "lead", [b"PK\3\4rest", b"\x1f\x8brest", b"BZh9", b"7z\xbc\xaf", bytes(257) + b"ustar"]
)
def test_containers_are_told_from_dicom(lead):
    assert looks_like_container(lead)
    assert not looks_like_dicom(lead)


@pytest.mark.parametrize(
    "data", [b"", b"hello world, this is text", b"\x89PNG\r\n\x1a\n", bytes(200)]
)
def test_other_files_do_not_look_like_dicom(data):
    assert not looks_like_dicom(data)
    assert not looks_like_container(data)
