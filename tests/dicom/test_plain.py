"""Identity elements as values: what is told of them, and what cannot be written as text."""

import pytest
from builders import dicom, el, item, patient_head

from remediation.dicom.header import scan
from remediation.dicom.plain import identity
from remediation.model.placement import CLOSED_LIST


def of(*own, **more):
    data = dicom(patient_head(*own), **more)
    return identity(scan(data, len(data)))


def test_only_the_closed_list_is_told():
    found = of(el(0x00100020, "LO", "70123 "), el(0x00100021, "LO", ""))
    assert found.keys() <= CLOSED_LIST
    assert found[0x00100020].text == "70123"
    assert found[0x00100021].raw == b""


def test_items_are_told_with_all_that_they_hold():
    nested = item(el(0x00100020, "LO", "9"), el(0x00091001, "UN", b"\1\2"))
    found = of(el(0x00101002, "SQ", [nested]))[0x00101002]
    assert found.plain
    assert [node.plain for node in found.items[0].values()] == [True, False]
    assert found.items[0][0x00100020].text == "9"


@pytest.mark.parametrize("value", [b"\xe9", b"a\\b", b"  7"])
def test_a_value_comes_back_byte_by_byte(value):
    text = of(el(0x00100020, "LO", value))[0x00100020].text
    assert text.encode("utf-8", "surrogateescape") == value


@pytest.mark.parametrize("element", [el(0x00100022, "UN", b"TEXT"), el(0x00100022, "CS", b"a\nb ")])
def test_what_dcmodify_would_write_otherwise_is_no_plain_text(element):
    assert not of(element)[0x00100022].plain
