"""Plain: the identity elements of a head as values, for those who are told them.

Source: PS3.5 section 6.2 (padding of values), table 6.2-1 (which VRs are text).
"""

from __future__ import annotations

from collections.abc import Iterable

from remediation.dicom.elements import Element, Head, dictionary_vr, is_private
from remediation.model.handover import Node, Nodes
from remediation.model.placement import CLOSED_LIST

_TEXT = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM"})
_TEXT |= {"UC", "UI", "UR", "UT"}
_CONTROLS = frozenset(range(32))


def identity(head: Head) -> Nodes:
    """Return the elements of the closed list, with their items."""
    return _nodes(head, (one for one in head.elements if one.tag in CLOSED_LIST))


def _nodes(head: Head, elements: Iterable[Element]) -> dict[int, Node]:
    # A group length is counted anew by whoever writes.
    return {one.tag: _node(head, one) for one in elements if one.tag & 0xFFFF}


def _node(head: Head, element: Element) -> Node:
    items = tuple(_nodes(head, item.elements) for item in element.items)
    same = element.vr == dictionary_vr(element.tag) and not is_private(element.tag)
    if element.vr == "SQ":
        return Node(element.tag, "SQ", b"", items, same)
    raw = head.raw(element).rstrip(b" \0")
    plain = same and element.vr in _TEXT and _CONTROLS.isdisjoint(raw)
    return Node(element.tag, element.vr, raw, (), plain)
