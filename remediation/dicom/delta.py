"""Delta: an old head, a new head and the order in; the changed elements out, or a suspicion.

Written without the code that makes corrections: it parses both heads and accepts only what a rule
below claims. What no rule claims is suspicious. Source: the closed list of model/placement.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from remediation.dicom.elements import LONG_VRS, Element, Head, Item
from remediation.dicom.header import scan
from remediation.model import issuers
from remediation.model.bsn import normalise
from remediation.model.placement import (
    AT_REST,
    CLOSED_LIST,
    ITEM_TYPE,
    MODIFYING_SYSTEM,
    Order,
)

_ID, _ISSUER, _TYPE, _QUALIFIERS = 0x00100020, 0x00100021, 0x00100022, 0x00100024
_RETIRED, _OTHERS, _ORIGINAL = 0x00101000, 0x00101002, 0x04000561
_GROUP_LENGTHS = frozenset({0x00100000, 0x04000000})
_IDENTITY = (_ID, _ISSUER, _TYPE, _QUALIFIERS)
_TEXT_VRS = {_ID: b"LO", _ISSUER: b"LO", _TYPE: b"CS"}


class Suspicious(Exception):  # noqa: N818 - a verdict
    """A difference that no rule claims; the message names the rule, never a value."""


def delta(old: bytes, new: bytes, order: Order) -> frozenset[int]:
    """Return the top-level tags that differ between two heads, all of them as ordered.

    Args:
        old: the head as it was, from the start of the file to Pixel Data.
        new: the head that is to replace it.
        order: what was to be written.

    Raises:
        Suspicious: on any other difference, one byte being enough.
    """
    return _Comparison(old, new, order).verdict()


def _claim(holds: bool, rule: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Suspicious(rule)


class _Comparison:
    def __init__(self, old: bytes, new: bytes, order: Order) -> None:
        self.old, self.new, self.order = scan(old, len(old)), scan(new, len(new)), order
        for head, size in ((self.old, len(old)), (self.new, len(new))):
            _claim(not head.error and head.length == size, "both heads parse to their end")
            _claim(not head.deflated and head.little, "little endian, not deflated")

    def verdict(self) -> frozenset[int]:
        old, new = self.old, self.new
        _claim(old.notes == new.notes, "the same notes on both heads")
        _claim((old.syntax, old.explicit) == (new.syntax, new.explicit), "the same syntax")
        _claim(self._prefix(old) == self._prefix(new), "preamble and meta header unchanged")
        tags = [e.tag for e in new.elements]
        _claim(tags == sorted(set(tags)), "elements in rising order, each once")
        free = CLOSED_LIST | _GROUP_LENGTHS
        _claim(
            [self._raw(old, e) for e in old.elements if e.tag not in free]
            == [self._raw(new, e) for e in new.elements if e.tag not in free],
            "every other element unchanged",
        )
        for tag in _GROUP_LENGTHS:
            self._group_length(tag)
        changed = {tag for tag in CLOSED_LIST if self._at(old, tag) != self._at(new, tag)}
        if not changed:
            _claim(old.data == new.data, "nothing changed")
            return frozenset()
        at_rest = self.order.placement.target == AT_REST
        swapped = self._swapped_item() if at_rest and _ID in changed else None
        (self._at_rest if at_rest else self._exchange)(changed, swapped)
        self._retired(changed)
        self._original(changed)
        return frozenset(changed)

    # -- small views --------------------------------------------------------------------------

    @staticmethod
    def _prefix(head: Head) -> bytes:
        return head.data[: head.elements[0].start] if head.elements else head.data

    @staticmethod
    def _raw(head: Head, part: Element | Item) -> bytes:
        return head.data[part.start : part.end]

    def _at(self, head: Head, tag: int) -> bytes:
        element = head.find(tag)
        return self._raw(head, element) if element else b""

    @staticmethod
    def _inside(item: Item, tag: int) -> Element | None:
        return next((e for e in item.elements if e.tag == tag), None)

    def _kind(self, head: Head, elements: tuple[Element, ...]) -> str:
        by_tag = {e.tag: e for e in elements}
        qualifiers = by_tag.get(_QUALIFIERS)
        said = [
            head.text(inner)
            for item in (qualifiers.items if qualifiers else ())
            for inner in item.elements
        ]
        issuer, number = head.text(by_tag.get(_ISSUER)), head.text(by_tag.get(_ID))
        return issuers.combined(issuer, said, number, self.order.extra_issuers)

    def _says_bsn(self, item: Item) -> bool:
        number = self.old.text(self._inside(item, _ID))
        return (
            normalise(number) == self.order.bsn
            or self._kind(self.old, item.elements) in issuers.ASSERTING
        )

    def _written(self, tag: int, vr: bytes, value: bytes) -> bytes:
        """Spell out, on its own, the element that should have been written."""
        value += b" " * (len(value) % 2)
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if not self.old.explicit:
            return head + struct.pack("<L", len(value)) + value
        if vr.decode() in LONG_VRS:
            return head + vr + bytes(2) + struct.pack("<L", len(value)) + value
        return head + vr + struct.pack("<H", len(value)) + value

    def _qualifiers(self) -> bytes:
        body = (
            self._written(0x00400032, b"UT", issuers.BSN_OID.encode())
            + self._written(0x00400033, b"CS", b"ISO")
            + self._written(0x00400035, b"CS", issuers.IDENTIFIER_TYPE.encode())
        )
        item = struct.pack("<HHL", 0xFFFE, 0xE000, len(body)) + body
        return self._written(_QUALIFIERS, b"SQ", item)

    # -- rules --------------------------------------------------------------------------------

    def _group_length(self, tag: int) -> None:
        old, new = self.old.find(tag), self.new.find(tag)
        _claim((old is None) == (new is None), "group length elements neither come nor go")
        if old and new:
            header = self.old.data[old.start : old.value] == self.new.data[new.start : new.value]
            size = sum(
                e.end - e.start
                for e in self.new.elements
                if e.tag >> 16 == tag >> 16 and e.tag != tag
            )
            right = self.new.raw(new) == struct.pack("<L", size)
            same = self.new.raw(new) == self.old.raw(old)
            touched = any(
                t >> 16 == tag >> 16 and self._at(self.old, t) != self._at(self.new, t)
                for t in CLOSED_LIST
            )
            _claim(header and (right if touched else same), "group length counted anew")

    def _bsn_parts(self) -> dict[int, bytes]:
        parts = {
            _ID: self._written(_ID, b"LO", self.order.bsn.encode()),
            _ISSUER: self._written(_ISSUER, b"LO", issuers.BSN_OID.encode()),
            _TYPE: self._written(_TYPE, b"CS", ITEM_TYPE.encode()),
        }
        if self.order.placement.qualifiers:
            parts[_QUALIFIERS] = self._qualifiers()
        return parts

    def _swapped_item(self) -> Item:
        others = self.old.find(_OTHERS)
        local = [
            item
            for item in (others.items if others else ())
            if self.old.text(self._inside(item, _ISSUER)) in self.order.local_spellings
        ]
        primary = normalise(self.old.text(self.old.find(_ID)))
        _claim(primary == self.order.bsn, "PatientID moves only where it was the BSN")
        _claim(len(local) == 1, "one item has the local issuer")
        return local[0]

    def _at_rest(self, changed: set[int], swapped: Item | None) -> None:
        if swapped is not None:
            for tag in _IDENTITY:
                inside = self._inside(swapped, tag)
                moved = self._raw(self.old, inside) if inside else b""
                _claim(self._at(self.new, tag) == moved, "the local identity moves as it was")
        else:
            _claim(not changed & {_ID, _TYPE, _QUALIFIERS}, "the local identity stays")
            if _ISSUER in changed:
                said = self._kind(self.old, self.old.elements) in issuers.ASSERTING
                local = self._written(_ISSUER, b"LO", self.order.local_issuer.encode())
                right = self._at(self.new, _ISSUER) == local
                _claim(said and right, "a BSN issuer on a local number becomes the local one")
        _claim(_OTHERS in changed or swapped is None, "the BSN goes where the local number was")
        self._items(
            leaves=lambda item: item is swapped or self._says_bsn(item),
            comes=self._is_bsn_item,
            at_most=1 if _OTHERS in changed else 0,
        )

    def _exchange(self, changed: set[int], swapped: Item | None) -> None:
        assert swapped is None
        for tag, part in self._bsn_parts().items():
            same = tag in _TEXT_VRS and self.new.text(self.new.find(tag)) == self.old.text(
                self.old.find(tag)
            )
            kept = (
                same and tag not in changed and self.new.text(self.new.find(tag)).encode() in part
            )
            _claim(kept or self._at(self.new, tag) == part, "the BSN is primary, with its issuer")
        if not self.order.placement.qualifiers:
            _claim(_QUALIFIERS not in changed, "qualifiers stay")
        number = self.old.text(self.old.find(_ID))
        self._items(
            leaves=lambda item: (
                self._says_bsn(item) or self.old.text(self._inside(item, _ID)) == number
            ),
            comes=self._is_former_local,
            at_most=1 if normalise(number) != self.order.bsn else 0,
        )

    def _items(
        self, leaves: Callable[[Item], bool], comes: Callable[[Item], bool], at_most: int
    ) -> None:
        """Every item of OtherPatientIDsSequence stays in its order, but for what may change."""
        old, new = self.old.find(_OTHERS), self.new.find(_OTHERS)
        old_items, new_items = (old.items if old else ()), (new.items if new else ())
        if old and new:
            _claim(old.undefined == new.undefined and new.vr == "SQ", "the sequence's length form")
        elif new:
            _claim(not new.undefined and new.vr == "SQ", "a new sequence has a defined length")
        staying = [self._raw(self.old, i) for i in old_items if not leaves(i)]
        may_stay = {self._raw(self.old, i) for i in old_items}
        fresh = [i for i in new_items if self._raw(self.new, i) not in may_stay]
        kept = [self._raw(self.new, i) for i in new_items if self._raw(self.new, i) in may_stay]
        _claim([raw for raw in kept if raw in staying] == staying, "other items unchanged")
        _claim(len(kept) <= len(old_items), "no item twice")
        _claim(len(fresh) <= at_most and all(map(comes, fresh)), "one new item, as ordered")

    def _is_bsn_item(self, item: Item) -> bool:
        parts = {e.tag: self._raw(self.new, e) for e in item.elements}
        if [e.tag for e in item.elements] != sorted(parts):
            return False
        identity = {tag: parts.pop(tag) for tag in _IDENTITY if tag in parts}
        others = self.old.find(_OTHERS)
        models = [i for i in (others.items if others else ()) if i.undefined == item.undefined]
        rests = [
            {e.tag: self._raw(self.old, e) for e in old.elements if e.tag not in _IDENTITY}
            for old in models
        ]
        known = parts in rests or (not parts and not item.undefined)
        return identity == self._bsn_parts() and known

    def _is_former_local(self, item: Item) -> bool:
        parts = {e.tag: self._raw(self.new, e) for e in item.elements}
        vouched = self._kind(self.old, self.old.elements) not in issuers.ASSERTING
        issuer = self.old.raw(self.old.find(_ISSUER)) if vouched else b""
        issuer = issuer if issuer.strip(b" \0") else self.order.local_issuer.encode()
        kind = self.old.raw(self.old.find(_TYPE)).strip(b" \0") or ITEM_TYPE.encode()
        expected = {
            _ID: self._written(_ID, b"LO", self.old.raw(self.old.find(_ID))),
            _ISSUER: self._written(_ISSUER, b"LO", issuer),
            _TYPE: self._written(_TYPE, b"CS", kind),
        }
        if parts.keys() - expected.keys():
            expected[_QUALIFIERS] = self._at(self.old, _QUALIFIERS)
        return parts == expected and not item.undefined and list(parts) == sorted(parts)

    def _retired(self, changed: set[int]) -> None:
        if _RETIRED not in changed:
            return
        _claim(self.order.placement.remove_retired, "OtherPatientIDs stays as it is")
        values = self.old.raw(self.old.find(_RETIRED)).strip(b" \0").split(b"\\")
        kept = [v for v in values if normalise(v.decode("latin-1")) != self.order.bsn]
        right = self._written(_RETIRED, b"LO", b"\\".join(kept)) if kept else b""
        _claim(self._at(self.new, _RETIRED) == right, "only the BSN leaves OtherPatientIDs")

    def _original(self, changed: set[int]) -> None:
        if not self.order.placement.original_attributes:
            _claim(_ORIGINAL not in changed, "OriginalAttributesSequence stays as it is")
            return
        old, new = self.old.find(_ORIGINAL), self.new.find(_ORIGINAL)
        _claim(new is not None, "the former values are kept")
        assert new is not None
        _claim(new.undefined == (old.undefined if old else False), "the sequence's length form")
        former = [self._raw(self.old, i) for i in old.items] if old else []
        now = [self._raw(self.new, i) for i in new.items]
        _claim(now[:-1] == former, "existing items of OriginalAttributesSequence unchanged")
        _claim(now[-1] in self._histories(changed), "the item of former values, as ordered")

    def _histories(self, changed: set[int]) -> list[bytes]:
        tags = (changed | ({_ISSUER} if _ID in changed else set())) - {_ORIGINAL}
        vr = {_OTHERS: b"SQ", _QUALIFIERS: b"SQ", _TYPE: b"CS"}
        values = b"".join(
            self._at(self.old, tag) or self._written(tag, vr.get(tag, b"LO"), b"")
            for tag in sorted(tags)
        )
        item = struct.pack("<HHL", 0xFFFE, 0xE000, len(values)) + values
        body = self._written(0x04000550, b"SQ", item)
        body += self._written(0x04000562, b"DT", self.order.at.encode())
        body += self._written(0x04000563, b"LO", MODIFYING_SYSTEM.encode())
        body += self._written(0x04000564, b"LO", b"")
        full = [body + self._written(0x04000565, b"CS", why) for why in (b"COERCE", b"CORRECT")]
        return [struct.pack("<HHL", 0xFFFE, 0xE000, len(one)) + one for one in full]
