"""Delta: an old head, a new head and the order in; the changed elements out, or a suspicion.

Written without the code that makes corrections: it parses both heads, derives on its own what the
order makes of each element of the closed list, and accepts that and nothing else. What no rule
claims is suspicious. Source: the closed list of model/placement.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from remediation.dicom.beyond import objection
from remediation.dicom.elements import LONG_VRS, Element, Head, Item
from remediation.dicom.header import quick_scan, scan
from remediation.model import issuers
from remediation.model.bsn import is_placeholder, normalise, passes
from remediation.model.placement import (
    CLOSED_LIST,
    EXCHANGE,
    ITEM_TYPE,
    MODIFYING_SYSTEM,
    TEXT_CAP,
    Order,
)

_ID, _ISSUER, _TYPE, _QUALIFIERS = 0x00100020, 0x00100021, 0x00100022, 0x00100024
_RETIRED, _OTHERS, _ORIGINAL = 0x00101000, 0x00101002, 0x04000561
_GROUP_LENGTHS = frozenset({0x00100000, 0x04000000})
_IDENTITY = (_ID, _ISSUER, _TYPE, _QUALIFIERS)
_VRS = {_ID: "LO", _ISSUER: "LO", _TYPE: "CS", _QUALIFIERS: "SQ"}
_VRS |= {_RETIRED: "LO", _OTHERS: "SQ", _ORIGINAL: "SQ"}
_NAMESPACES = frozenset({0x00400031, 0x00400032, 0x00400035})  # what in qualifiers names an issuer

_LIMIT = 0xFFFF  # bytes: an element with a short length field is shorter

Parts = dict[int, bytes]  # per tag an element's bytes


class Suspicious(Exception):  # noqa: N818 - a verdict
    """A difference that no rule claims; the message names the rule, never a value."""


def delta(old: bytes, new: bytes, order: Order, *, quick: bool = False) -> frozenset[int]:
    """Return the top-level tags that differ between two heads, all of them as ordered.

    Args:
        old: the head as it was, from the start of the file to Pixel Data; of a deflated file all.
        new: the head that is to replace it.
        order: what was to be written.
        quick: parse by the compiled pass, where there is one: for a plan, which writes nothing.

    Raises:
        Suspicious: on any other difference, one byte being enough; and where the order asks for a
            change that is not there.
    """
    return _Comparison(old, new, order, quick=quick).verdict()


def _claim(holds: bool, rule: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Suspicious(rule)


@dataclass(frozen=True, slots=True, repr=False)
class _Place:
    """What the old head says at the top level, or in one item of OtherPatientIDsSequence."""

    parts: Parts
    number: str
    issuer: str
    type: str
    described: bool  # there are qualifiers
    qualified: bool  # and they say BSN
    labelled: bool  # something says BSN
    holds: bool  # the number is the ordered one


class _Comparison:
    def __init__(self, old: bytes, new: bytes, order: Order, *, quick: bool) -> None:
        read = quick_scan if quick else scan
        self.old, self.new, self.order = read(old, len(old)), read(new, len(new)), order
        broken = objection(old, self.old, new, self.new)
        _claim(not broken, broken)
        for head in (self.old, self.new):
            _claim(head.notes <= {"no-meta"}, "nothing ambiguous in either head")
        self.order_of_bytes = "<" if self.old.little else ">"
        self.wrong = False

    def verdict(self) -> frozenset[int]:
        self._frame()
        self._sound(self.old.elements)
        found = self.old.find(_OTHERS)
        self.items = found.items if found else ()
        self.top = self._place(self.old.elements)
        self.places = [self._place(item.elements) for item in self.items]
        top, items = self._exchange() if self.order.placement.base == EXCHANGE else self._at_rest()
        expected = {tag: top.get(tag, b"") for tag in _IDENTITY}
        expected[_OTHERS] = self._sequence(_OTHERS, items) if items else b""
        if not (items or self.items):
            expected[_OTHERS] = self._at(self.old, _OTHERS)
        expected[_RETIRED] = self._retired()
        for tag, right in expected.items():
            _claim(self._at(self.new, tag) == right, f"({tag >> 16:04x},{tag & 0xFFFF:04x})")
        changed = {tag for tag, right in expected.items() if right != self._at(self.old, tag)}
        if changed and self.order.placement.original_attributes:
            self._original(changed)
            changed.add(_ORIGINAL)
        else:
            same = self._at(self.old, _ORIGINAL) == self._at(self.new, _ORIGINAL)
            _claim(same, "OriginalAttributesSequence stays as it is")
        for tag in _GROUP_LENGTHS:
            self._group_length(tag, changed)
        return frozenset(changed)

    # -- what must not change -----------------------------------------------------------------

    def _frame(self) -> None:
        old, new = self.old, self.new
        forms = [(head.syntax, head.explicit, head.little) for head in (old, new)]
        _claim(forms[0] == forms[1], "the same syntax")
        _claim(self._prefix(old) == self._prefix(new), "preamble and meta header unchanged")
        tags = [e.tag for e in new.elements]
        _claim(tags == sorted(set(tags)), "elements in rising order, each once")
        free = CLOSED_LIST | _GROUP_LENGTHS
        _claim(
            [self._raw(old, e) for e in old.elements if e.tag not in free]
            == [self._raw(new, e) for e in new.elements if e.tag not in free],
            "every other element unchanged",
        )

    def _group_length(self, tag: int, changed: set[int]) -> None:
        old, new = self.old.find(tag), self.new.find(tag)
        _claim((old is None) == (new is None), "group length elements neither come nor go")
        if not (old and new):
            return
        right = self._raw(self.old, old)
        if any(t >> 16 == tag >> 16 for t in changed):
            group = [e for e in self.new.elements if e.tag >> 16 == tag >> 16 and e.tag != tag]
            size = self._pack("L", sum(e.end - e.start for e in group))
            _claim(len(self.old.raw(old)) == len(size), "a group length has four bytes")
            right = self.old.data[old.start : old.value] + size
        _claim(self._raw(self.new, new) == right, "group length counted anew")

    @staticmethod
    def _prefix(head: Head) -> bytes:
        return head.data[: head.elements[0].start] if head.elements else head.data

    @staticmethod
    def _raw(head: Head, part: Element | Item) -> bytes:
        return head.data[part.start : part.end]

    def _at(self, head: Head, tag: int) -> bytes:
        element = head.find(tag)
        return self._raw(head, element) if element else b""

    # -- what the old head says ---------------------------------------------------------------

    def _sound(self, elements: tuple[Element, ...]) -> None:
        for element in elements:
            if element.tag in _VRS:
                _claim(element.vr == _VRS[element.tag], "identity elements have their own VR")
                _claim((element.end - element.start) % 2 == 0, "and an even length")

    def _place(self, elements: tuple[Element, ...]) -> _Place:
        self._sound(tuple(e for e in elements if e.tag in _IDENTITY))
        by_tag = {e.tag: e for e in elements if e.tag in _IDENTITY}
        _claim(sum(e.tag in _IDENTITY for e in elements) == len(by_tag), "each element once")
        number, issuer, kind = (self.old.text(by_tag.get(t)) for t in (_ID, _ISSUER, _TYPE))
        qualifiers = by_tag[_QUALIFIERS].items if _QUALIFIERS in by_tag else ()
        named = [e for item in qualifiers for e in item.elements if e.tag in _NAMESPACES]
        qualified = any(self._says_bsn(self.old.text(e)) for e in named)
        return _Place(
            {tag: self._raw(self.old, e) for tag, e in by_tag.items()},
            number,
            issuer,
            kind,
            bool(qualifiers),
            qualified,
            qualified or self._says_bsn(issuer) or self._says_bsn(number.partition("^")[2]),
            normalise(number) == self.order.bsn,
        )

    def _says_bsn(self, text: str) -> bool:
        return issuers.kind(text, self.order.extra_issuers) in issuers.ASSERTING

    def _is_local(self, issuer: str) -> bool:
        return issuer != "" and issuer in self.order.local_spellings | {self.order.local_issuer}

    def _concerned(self) -> list[int]:
        """Return the items of the BSN: they hold it, or say so of a number that is nobody's."""
        result = [n for n, place in enumerate(self.places) if place.holds or place.labelled]
        for place in (self.places[n] for n in result):
            if place.holds:
                _claim(place.labelled or not place.issuer, "no item of another issuer is touched")
                continue
            self.wrong |= place.number != ""
            number = normalise(place.number) or ""
            nobody = not passes(number) or is_placeholder(number, self.order.placeholders)
            _claim(nobody, "no item holds another person's BSN")
        return result

    def _local_number(self, place: _Place) -> None:
        text = place.number
        moveable = text != "" and "\\" not in text and len(text) <= TEXT_CAP
        said = self._says_bsn(text.partition("^")[2])
        _claim(moveable and not said, "a local number that can be kept")

    # -- what the order makes of it -----------------------------------------------------------

    def _bsn_parts(self) -> Parts:
        parts = {
            _ID: self._text(_ID, "LO", self.order.bsn),
            _ISSUER: self._text(_ISSUER, "LO", self.order.placement.issuer),
        }
        if self.order.placement.typed:
            parts[_TYPE] = self._text(_TYPE, "CS", ITEM_TYPE)
        if self.order.placement.qualifiers:
            body = (
                self._text(0x00400032, "UT", issuers.BSN_OID)
                + self._text(0x00400033, "CS", "ISO")
                + self._text(0x00400035, "CS", issuers.IDENTIFIER_TYPE)
            )
            parts[_QUALIFIERS] = self._element(_QUALIFIERS, "SQ", self._item(body))
        return parts

    def _corrects(self, place: _Place) -> bool:
        """Tell whether making the BSN's place of this one replaces a value by another."""
        right = {(place.number, self.order.bsn), (place.issuer, self.order.placement.issuer)}
        if self.order.placement.typed:
            right.add((place.type, ITEM_TYPE))
        replaced = any(was and was != will for was, will in right)
        return replaced or (place.described and not place.qualified)

    def _at_rest(self) -> tuple[Parts, list[bytes]]:
        concerned, top = self._concerned(), dict(self.top.parts)
        if self.top.holds:
            local = [n for n, place in enumerate(self.places) if self._is_local(place.issuer)]
            _claim(len(local) == 1, "PatientID changes places with the one local number")
            place = self.places[local[0]]
            self._local_number(place)
            _claim(not (place.holds or place.labelled), "that is a local number")
            top, concerned = dict(place.parts), [local[0], *concerned]
        else:
            self._local_number(self.top)
            _claim(not self.top.qualified, "no qualifiers say BSN of a local number")
            if self.top.labelled:
                top[_ISSUER] = self._local_issuer()
                self.wrong = True
            if concerned:
                self.wrong |= self._corrects(self.places[concerned[0]])
        items = [self._raw(self.old, item) for item in self.items]
        if not concerned:
            return top, [*items, self._item(b"".join(self._bsn_parts().values()))]
        items[concerned[0]] = self._rebuilt(self.items[concerned[0]], self._bsn_parts())
        return top, [raw for n, raw in enumerate(items) if n not in concerned[1:]]

    def _exchange(self) -> tuple[Parts, list[bytes]]:
        concerned, top = self._concerned(), self._bsn_parts()
        spelt = {_ID: self.top.number, _ISSUER: self.top.issuer, _TYPE: self.top.type}
        kind = ITEM_TYPE if self.order.placement.typed else ""
        right = {_ID: self.order.bsn, _ISSUER: self.order.placement.issuer, _TYPE: kind}
        same = (tag for tag in spelt if spelt[tag] == right[tag] and tag in self.top.parts)
        top |= {tag: self.top.parts[tag] for tag in same}
        items = {n: self._raw(self.old, i) for n, i in enumerate(self.items) if n not in concerned}
        if self.top.holds:
            self.wrong |= self._corrects(self.top)
            return top, list(items.values())
        self._local_number(self.top)
        self.wrong |= self.top.labelled
        mine = [n for n in items if self._is_former(self.places[n])]
        made = self._former(mine[0] if mine else None)
        items[mine[0] if mine else len(self.items)] = made
        return top, [raw for n, raw in sorted(items.items()) if n not in mine[1:]]

    def _is_former(self, place: _Place) -> bool:
        same = place.issuer != "" and place.issuer == self.top.issuer
        return place.number == self.top.number and (same or self._is_local(place.issuer))

    def _former(self, position: int | None) -> bytes:
        """Return the item of the former local number; what the header had wrong is left out."""
        parts = dict(self.places[position].parts) if position is not None else {}
        taken = {
            _ID: True,
            _ISSUER: bool(self.top.issuer) and not self._says_bsn(self.top.issuer),
            _TYPE: bool(self.top.type),
            _QUALIFIERS: self.top.described and not self.top.qualified,
        }
        parts |= {tag: raw for tag, raw in self.top.parts.items() if taken[tag]}
        if _ISSUER not in parts:
            parts[_ISSUER] = self._local_issuer()
        parts.setdefault(_TYPE, self._text(_TYPE, "CS", ITEM_TYPE))
        if position is not None:
            return self._rebuilt(self.items[position], parts)
        return self._item(b"".join(raw for _, raw in sorted(parts.items())))

    def _rebuilt(self, item: Item, parts: Parts) -> bytes:
        """Return an item with this identity, all else in it as it was."""
        rest = [e for e in item.elements if e.tag not in _IDENTITY]
        _claim(all(e.tag & 0xFFFF for e in rest), "no group length inside a changed item")
        every = [(e.tag, self._raw(self.old, e)) for e in rest] + list(parts.items())
        _claim(len({tag for tag, _ in every}) == len(every), "each element once")
        return self._item(b"".join(raw for _, raw in sorted(every)), undefined=item.undefined)

    def _retired(self) -> bytes:
        placement, plain = self.order.placement, self.order.bsn.encode()
        values = self.old.raw(self.old.find(_RETIRED)).rstrip(b"\0").split(b"\\")
        mine = [normalise(v.decode("latin-1")) == self.order.bsn for v in values]
        kept = [v for v, is_mine in zip(values, mine, strict=True) if not is_mine]
        filled = any(v.strip(b" \0") for v in kept)
        if placement.remove_retired and any(mine):
            return self._retired_of(kept) if filled else b""
        if not placement.beside_retired:
            return self._at(self.old, _RETIRED)
        if not any(mine):
            return self._retired_of([*kept, plain] if filled else [plain])
        first = mine.index(True)
        exact = values[first].strip(b" ") == plain
        if exact and sum(mine) == 1:
            return self._at(self.old, _RETIRED)
        self.wrong |= not exact
        kept.insert(first, values[first] if exact else plain)
        return self._retired_of(kept)

    def _retired_of(self, values: list[bytes]) -> bytes:
        text = b"\\".join(values).decode("latin-1")
        _claim(len(text) < _LIMIT, "a short length field holds OtherPatientIDs")
        return self._text(_RETIRED, "LO", text)

    # -- the former values --------------------------------------------------------------------

    def _original(self, changed: set[int]) -> None:
        old, new = self.old.find(_ORIGINAL), self.new.find(_ORIGINAL)
        items = [self._raw(self.old, i) for i in old.items] if old else []
        tags = changed | ({_ISSUER} if _ID in changed else set())
        values = b"".join(self._former_value(tag) for tag in sorted(tags))
        body = self._element(0x04000550, "SQ", self._item(values))
        body += self._text(0x04000562, "DT", self.order.at)
        body += self._text(0x04000563, "LO", MODIFYING_SYSTEM)
        body += self._text(0x04000564, "LO", "")
        body += self._text(0x04000565, "CS", "CORRECT" if self.wrong else "COERCE")
        right = self._sequence(_ORIGINAL, [*items, self._item(body)])
        _claim(
            new is not None and self._raw(self.new, new) == right, "the former values, as ordered"
        )

    def _former_value(self, tag: int) -> bytes:
        """Return a former element; numbers that may be another person's are not kept in it."""
        wrong = [p.labelled and not p.holds and p.number != "" for p in self.places]
        if tag == _OTHERS and any(wrong):
            pairs = zip(self.items, wrong, strict=True)
            return self._sequence(_OTHERS, [self._raw(self.old, i) for i, bad in pairs if not bad])
        return self._at(self.old, tag) or self._element(tag, _VRS[tag], b"")

    # -- spelling it out ----------------------------------------------------------------------

    def _local_issuer(self) -> bytes:
        text = self.order.local_issuer
        plain = text.isascii() and text.isprintable() and "\\" not in text
        _claim(bool(text.strip()) and plain and len(text) <= TEXT_CAP, "a local issuer to write")
        return self._text(_ISSUER, "LO", text)

    def _text(self, tag: int, vr: str, text: str) -> bytes:
        value = text.encode("latin-1")
        return self._element(tag, vr, value + b" " * (len(value) % 2))

    def _element(self, tag: int, vr: str, value: bytes, size: int | None = None) -> bytes:
        head = self._pack("HH", tag >> 16, tag & 0xFFFF)
        size = len(value) if size is None else size
        if not self.old.explicit:
            return head + self._pack("L", size) + value
        if vr in LONG_VRS:
            return head + vr.encode() + bytes(2) + self._pack("L", size) + value
        return head + vr.encode() + self._pack("H", size) + value

    def _sequence(self, tag: int, items: list[bytes]) -> bytes:
        """Return a sequence with the length form that it had; a new one has a defined length."""
        old, body = self.old.find(tag), b"".join(items)
        if old and old.undefined:
            end = self._pack("HHL", 0xFFFE, 0xE0DD, 0)
            return self._element(tag, "SQ", body + end, 0xFFFFFFFF)
        return self._element(tag, "SQ", body)

    def _item(self, body: bytes, *, undefined: bool = False) -> bytes:
        if undefined:
            end = self._pack("HHL", 0xFFFE, 0xE00D, 0)
            return self._pack("HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + body + end
        return self._pack("HHL", 0xFFFE, 0xE000, len(body)) + body

    def _pack(self, form: str, *numbers: int) -> bytes:
        return struct.pack(self.order_of_bytes + form, *numbers)
