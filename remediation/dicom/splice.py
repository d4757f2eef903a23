"""Splice: a head and new elements in, a new head out; every other byte is copied.

Elements are replaced, inserted in tag order, or taken out, at the top level of the data set only.
Group lengths of touched groups are computed anew where the file has them. Source: PS3.5 section
7.2 (group length), section 7.1 (elements in rising tag order).
"""

from __future__ import annotations

from collections.abc import Mapping

from remediation.dicom import deflated
from remediation.dicom.elements import Head
from remediation.dicom.encode import Encoder
from remediation.dicom.header import MEDIA_STORAGE_DIRECTORY
from remediation.model.placement import CLOSED_LIST

_SIGNATURES = frozenset({0x4FFE0001, 0xFFFAFFFA})  # MAC parameters, digital signatures
_DIRECTORY_RECORDS = 0x00041220
_GROUP_LENGTH_SIZE = 4


def splice(head: Head, changes: Mapping[int, bytes | None]) -> bytes:
    """Return the new head's bytes, from the start of the file to Pixel Data.

    Args:
        head: a head without error; of a deflated file its offsets, and the result, are inflated.
        changes: per tag the whole encoded element, or None to take it out.
    """
    start = head.elements[0].start if head.elements else head.length
    parts: dict[int, bytes] = {e.tag: head.data[e.start : e.end] for e in head.elements}
    for tag, encoded in changes.items():
        if encoded is None:
            parts.pop(tag, None)
        else:
            parts[tag] = encoded
    for tag in {tag & 0xFFFF0000 for tag in changes} & parts.keys():
        parts[tag] = _group_length(head, tag, parts)
    return head.data[:start] + b"".join(parts[tag] for tag in sorted(parts))


def _group_length(head: Head, tag: int, parts: Mapping[int, bytes]) -> bytes:
    group = sum(len(p) for t, p in parts.items() if t & 0xFFFF0000 == tag and t != tag)
    old = head.find(tag)
    assert old is not None
    size = Encoder(head.explicit, head.little).number(group)
    return head.data[old.start : old.value] + size


def rewritable(head: Head, size: int, sop_class: str, raw: bytes = b"") -> str | None:
    """Return why a file of `size` bytes is never rewritten, or None where it may be.

    `raw` is the whole file where it is deflated. Reasons: `head-…` (what the scanner found),
    those of `deflated`, `dicomdir`, `duplicate`,
    `ambiguous` (syntax, VR, order or group length is not what the file says), `truncated`,
    `signed` (anywhere in the head: what a signature covers is not looked into).
    """
    tags = [element.tag for element in head.elements]
    if head.error:
        return f"head-{head.error}"
    checks = {
        "dicomdir": sop_class == MEDIA_STORAGE_DIRECTORY or _DIRECTORY_RECORDS in tags,
        "duplicate": len(set(tags)) != len(tags),
        "ambiguous": bool(head.notes - {"no-meta"}) or not _group_lengths_sound(head),
        "truncated": head.pixel_end is not None and head.pixel_end > size,
        "signed": any(span[0] in _SIGNATURES for span in head.spans),
    }
    found = next((reason for reason, holds in checks.items() if holds), None)
    return found or (head.deflated and deflated.refusal(raw, head)) or None


def _group_lengths_sound(head: Head) -> bool:
    """Tell whether each group length that may have to be counted anew is one: UL, four bytes."""
    groups = {tag & 0xFFFF0000 for tag in CLOSED_LIST}
    found = [element for element in head.elements if element.tag in groups]
    return all(e.vr == "UL" and e.end - e.value == _GROUP_LENGTH_SIZE for e in found)
