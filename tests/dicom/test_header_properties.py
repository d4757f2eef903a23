"""Properties of the header scanner, on built files of every form and on damage to them.

Samples and fixed cases are in test_header_samples.py and test_header_damage.py.
"""

import os
import warnings
from io import BytesIO

from builders import El, dicom, el
from dicom.strategies import SYNTAXES, TAGS, VRS, built, damaged
from fuzz.checks import check
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataelem import RawDataElement

from remediation.dicom.elements import PIXEL_GROUP
from remediation.dicom.header import SHORT, scan
from remediation.dicom.splice import rewritable

TRANSFER_SYNTAX = 0x00020010
# Where each library has its own guess at what is meant.
UNLIKE = {"no-meta", "syntax-mismatch", "implicit-meta", "unknown-vr"}
SLOW = settings(
    max_examples=int(os.environ.get("REMEDIATION_EXAMPLES", "200")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def whole(data):
    return scan(data, len(data))


def assert_partition(head, elements, position, end):
    """Assert that spans stand edge to edge, each level from `position` to `end`."""
    for element in elements:
        assert element.start == position
        inside = element.value
        for item in element.items:
            assert item.start == inside
            delimiter = 8 if item.undefined else 0
            assert_partition(head, item.elements, item.value, item.end - delimiter)
            inside = item.end
        if element.items:
            assert inside == element.end - (8 if element.undefined else 0)
        position = element.end
    assert position == end


def assert_as_built(head, mine, made):
    assert [e.tag for e in mine] == [one.tag for one in made]
    for element, one in zip(mine, made, strict=True):
        if element.explicit:
            assert element.vr == one.vr
        if isinstance(one.value, bytes) and not one.undefined:
            assert head.raw(element) == one.value
        elif not isinstance(one.value, bytes):
            assert len(element.items) == len(one.value)
            for item, inner in zip(element.items, one.value, strict=True):
                assert_as_built(head, item.elements, inner.elements)


def by_pydicom(data):
    """Return pydicom's raw values by tag, up to Pixel Data; None where it gives up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = dcmread(BytesIO(data), force=True, stop_before_pixels=True)
            return {int(tag): found.get_item(tag) for tag in found.keys()}  # noqa: SIM118 - tags
        except Exception:  # noqa: BLE001 - whatever damage makes of it
            return None


def assert_agreed(head, theirs):
    """Assert that pydicom has the same top-level elements, with the same bytes.

    It passes over group lengths in some places and keeps them in others; we keep all.
    """
    mine = {e.tag: e for e in head.elements if e.tag & 0xFFFF}
    wanted = [tag for tag in theirs if tag & 0xFFFF and tag >> 16 < PIXEL_GROUP]
    assert sorted(mine) == sorted(wanted)
    for tag, element in mine.items():
        raw = theirs[tag]
        if isinstance(raw, RawDataElement) and not element.items and raw.value is not None:
            assert raw.value == head.raw(element), f"{tag:08x}"


@SLOW
@given(built())
def test_a_built_file_is_read_as_it_was_built(made):
    head = whole(made.data)
    assert (head.error, head.syntax) == ("", made.syntax)
    assert_as_built(head, head.elements, made.elements)
    assert_partition(head, head.elements, head.meta[-1].end, head.length)


@SLOW
@given(built())
def test_pydicom_reads_the_same_of_a_built_file(made):
    theirs = by_pydicom(made.data)
    assert theirs is not None
    assert_agreed(whole(made.data), theirs)


@SLOW
@given(built(), st.data())
def test_a_part_of_a_built_file_is_short_or_enough(made, data):
    length = data.draw(st.integers(0, len(made.data)))
    head, part = whole(made.data), scan(made.data[:length], len(made.data))
    if part.error != SHORT:
        assert (part.elements, part.length, part.error) == (head.elements, head.length, head.error)
    if length == len(made.data):
        assert part.error != SHORT


@SLOW
@given(damaged())
def test_reading_damage_is_total_and_spans_lie_inside_the_bytes(data):
    check(data)
    head = whole(data)
    if not head.error:
        start = head.meta[-1].end if head.meta else (132 if data[128:132] == b"DICM" else 0)
        assert_partition(head, head.elements, start, head.length)


@SLOW
@given(damaged())
def test_pydicom_agrees_on_damage_that_is_read(data):
    head, theirs = whole(data), by_pydicom(data)
    # Of a tag that is there twice pydicom keeps the last.
    once = len({element.tag for element in head.elements}) == len(head.elements)
    # Where the meta header has lost its TransferSyntaxUID, pydicom guesses by the first group.
    stated = any(element.tag == TRANSFER_SYNTAX for element in head.meta)
    if once and stated and not head.error and not head.notes & UNLIKE and theirs is not None:
        assert_agreed(head, theirs)


def test_a_meta_header_that_breaks_off_before_its_syntax_is_read_and_never_rewritten():
    made = dicom([el(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.4")])
    broken = made.replace(b"\x02\x00\x02\x00UI", b"\x02\x04\x02\x00UI", 1)
    head = whole(broken)
    assert (head.error, head.syntax) == ("", "1.2.840.10008.1.2.1")
    assert rewritable(head, len(broken), "") == "ambiguous"


def test_the_strategies_reach_every_form():
    """An element of each VR, each syntax, nesting, UN with items: all can be drawn."""
    quick = settings(max_examples=2000, deadline=None, database=None)
    for syntax in SYNTAXES:
        assert find(built([syntax]), lambda made: len(made.elements) > 1, settings=quick)
    assert find(built(), lambda made: any(deep(one, 2) for one in made.elements), settings=quick)
    assert find(built(), lambda made: any(un_with_items(one) for one in made.elements))
    assert {vr for vr in VRS if not TAGS[vr]} <= {"UN", "OV", "SV", "UV", "OD", "OL"}


def deep(one: El, depth: int) -> bool:
    if isinstance(one.value, bytes):
        return False
    return depth <= 1 or any(deep(e, depth - 1) for it in one.value for e in it.elements)


def un_with_items(one: El) -> bool:
    return one.vr == "UN" and not isinstance(one.value, bytes)
