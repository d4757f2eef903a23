"""The second reader: pydicom looks at an old and a new head, and says what differs.

It never writes. Its warnings and errors can quote values, so none of them leaves this module.
"""

from __future__ import annotations

import warnings
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from remediation.model.placement import CLOSED_LIST

_LARGEST = 1 << 20  # bytes: a larger head would take pydicom seconds


def second_opinion(old: bytes, new: bytes) -> bool | None:
    """Tell whether pydicom, too, sees only elements of the closed list differ.

    Returns:
        None where the head is too large for it, or it cannot read the old one.
    """
    if len(old) > _LARGEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            before = _elements(old)
        except Exception:  # noqa: BLE001 - whatever it raises, it has no opinion
            return None
        try:
            after = _elements(new)
        except Exception:  # noqa: BLE001 - it could read the old head and not the new one
            return False
    closed = CLOSED_LIST | {tag & 0xFFFF0000 for tag in CLOSED_LIST}
    same = {tag: value for tag, value in before.items() if tag not in closed}
    return same == {tag: value for tag, value in after.items() if tag not in closed}


def _elements(head: bytes) -> dict[int, object]:
    data = dcmread(BytesIO(head), force=True, defer_size=None, stop_before_pixels=True)
    return {**_comparable(data.file_meta), **_comparable(data)}


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
