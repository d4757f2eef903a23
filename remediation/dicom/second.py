"""The second reader: pydicom looks at an old and a new head, and says what differs.

It never writes. Its warnings and errors can quote values, so none of them leaves this module.
Its time goes with the elements that it has to parse, not with bytes: a value, and a sequence that
says its length, it takes as they are. So the limit counts the former (PS3.5 section 7.5).
"""

from __future__ import annotations

import warnings
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from remediation.dicom.header import quick_scan
from remediation.model.placement import CLOSED_LIST

LARGEST = 16 << 20  # bytes of a head; inflated, where it is deflated
MOST = 20_000  # elements and items that it must parse: a second of its time or two


def second_opinion(old: bytes, new: bytes) -> bool | None:
    """Tell whether pydicom, too, sees only elements of the closed list differ.

    What stands in those must be readable to it in the new head where it was in the old one. A
    deflated file is told whole, and its pixels are compared as well.

    Returns:
        None where a head is too much for it, or it cannot read the old one.
    """
    if too_much(old) or too_much(new):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            before, sound = _read(old)
        except Exception:  # noqa: BLE001 - whatever it raises, it has no opinion
            return None
        try:
            after, still_sound = _read(new)
        except Exception:  # noqa: BLE001 - it could read the old head and not the new one
            return False
    return before == after and still_sound >= sound


def too_much(data: bytes) -> bool:
    """Tell whether a head, or what a deflated file inflates to, is over the limits.

    Asked before pydicom sees it: it would inflate and parse without an end.
    """
    if len(data) > LARGEST:
        return True
    head = quick_scan(data, len(data))
    if head.deflated and (head.error or len(head.data) > LARGEST):
        return True
    if len(head.spans) <= MOST:
        return False
    parsed, closed = 0, 0
    for _, _, start, value, end, _ in head.spans:
        if start < closed:
            continue
        parsed += 1
        if head.data[value - 4 : value] != b"\xff\xff\xff\xff":
            closed = end
    return parsed > MOST


def _read(head: bytes) -> tuple[dict[int, object], bool]:
    """Return what must stay, as it can be compared, and whether the rest can be read."""
    deflated = quick_scan(head, len(head)).deflated
    data = dcmread(BytesIO(head), force=True, defer_size=None, stop_before_pixels=not deflated)
    listed = CLOSED_LIST | {tag & 0xFFFF0000 for tag in CLOSED_LIST}
    found = {**_comparable(data.file_meta), **_comparable(data)}
    return {tag: value for tag, value in found.items() if tag not in listed}, _sound(data)


def _sound(data: Dataset) -> bool:
    """Tell whether the elements of the closed list can be read, items and all."""
    try:
        for tag in CLOSED_LIST & {int(tag) for tag in data.keys()}:  # noqa: SIM118 - raw tags
            for one in data[tag].value if data[tag].VR == "SQ" else ():
                _ = list(one.iterall())
    except Exception:  # noqa: BLE001 - not to be read is all that matters
        return False
    return True


def _comparable(data: Dataset) -> dict[int, object]:
    """Return VR and bytes of each element, items of sequences likewise; no value is decoded."""
    found: dict[int, object] = {}
    for tag in data.keys():  # noqa: SIM118 - raw tags
        raw = data.get_item(tag)  # type: ignore[no-untyped-call,unused-ignore]
        value = raw.value
        if isinstance(value, Sequence):
            value = [_comparable(item) for item in value]
        found[int(tag)] = str(raw.VR), value if isinstance(value, bytes | list) else repr(value)
    return found
