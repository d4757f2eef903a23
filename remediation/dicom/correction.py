"""Correction: which elements of one head change, and into what, for a target placement.

Decides, element by element, and encodes; `splice` puts the result into the head. Refuses by
raising `Refused` with a reason from a closed list. Source: PS3.3 C.7.1.1 (patient identification),
C.12.1.1.9 (original attributes), PS3.5 section 6.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from remediation.dicom.elements import Element, Head, Item
from remediation.dicom.encode import Encoder
from remediation.dicom.locate import qualifier_texts
from remediation.model import bsn as bsn_rules
from remediation.model import issuers
from remediation.model.placement import AT_REST, ITEM_TYPE, MODIFYING_SYSTEM, Edit, Order

PATIENT_ID, ISSUER, TYPE, QUALIFIERS = 0x00100020, 0x00100021, 0x00100022, 0x00100024
RETIRED, OTHERS, ORIGINAL = 0x00101000, 0x00101002, 0x04000561
_VRS = {PATIENT_ID: "LO", ISSUER: "LO", TYPE: "CS", QUALIFIERS: "SQ"}
_VRS |= {RETIRED: "LO", OTHERS: "SQ", ORIGINAL: "SQ"}
_IDENTITY = (PATIENT_ID, ISSUER, TYPE, QUALIFIERS)
_MODIFIED, _WHEN, _SYSTEM, _SOURCE, _REASON = (
    0x04000550,
    0x04000562,
    0x04000563,
    0x04000564,
    0x04000565,
)


class Refused(Exception):  # noqa: N818 - a verdict
    """This head is not corrected, for a reason from a closed list."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Per tag the new encoded element (None: taken out), and the same as people read it."""

    changes: dict[int, bytes | None]
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class _Id:
    """An identity group, at the top level or in an item: number, issuer, kind of issuer."""

    number: str
    issuer: str
    kind: str
    elements: tuple[Element, ...]


def correct(head: Head, order: Order) -> Correction:
    """Return the changes that bring a head to the order's placement; none where it is there.

    Raises:
        Refused: `identity-vr`, `duplicate`, `odd-length`, `no-local-number`, `local-number-form`,
            `qualifiers-say-bsn`, `item-of-another-issuer`, `nested-group-length`.
    """
    writer = _Writer(head, order)
    if order.placement.target == AT_REST:
        writer.at_rest()
    else:
        writer.exchange()
    if order.placement.remove_retired:
        writer.remove_retired()
    return writer.finish()


class _Writer:
    """Gathers the changes of one head."""

    def __init__(self, head: Head, order: Order) -> None:
        self.head, self.order = head, order
        self.encoder = Encoder(head.explicit)
        self.changes: dict[int, bytes | None] = {}
        self.edits: list[Edit] = []
        self.wrong = False  # a wrong value is replaced, not just one added or moved
        self.own = {tag: self._checked(head.elements, tag) for tag in _VRS}
        self.primary = self._id(head.elements)
        others = self.own[OTHERS]
        self.items = others.items if others else ()
        for item in self.items:
            for tag in _IDENTITY:
                self._checked(item.elements, tag)
        self.ids = [self._id(item.elements) for item in self.items]

    def _checked(self, elements: tuple[Element, ...], tag: int) -> Element | None:
        found = [e for e in elements if e.tag == tag]
        if len(found) > 1:
            raise Refused("duplicate")
        if not found:
            return None
        element = found[0]
        if element.vr != _VRS[tag] or (element.vr == "SQ") != self._is_sequence(element):
            raise Refused("identity-vr")
        if (element.end - element.start) % 2:
            raise Refused("odd-length")
        return element

    @staticmethod
    def _is_sequence(element: Element) -> bool:
        return element.vr == "SQ"

    def _id(self, elements: tuple[Element, ...]) -> _Id:
        by_tag = {e.tag: e for e in elements}
        number = self.head.text(by_tag.get(PATIENT_ID))
        issuer = self.head.text(by_tag.get(ISSUER))
        said = qualifier_texts(self.head, elements)
        return _Id(
            number,
            issuer,
            issuers.combined(issuer, said, number, self.order.extra_issuers),
            elements,
        )

    def _is_bsn(self, one: _Id) -> bool:
        return bsn_rules.normalise(one.number) == self.order.bsn

    # -- placements ---------------------------------------------------------------------------

    def at_rest(self) -> None:
        if self._is_bsn(self.primary):
            self._swap_back()
            return
        self._local_form()
        if self.primary.kind in issuers.ASSERTING:
            if issuers.kind(self.primary.issuer, self.order.extra_issuers) not in issuers.ASSERTING:
                raise Refused("qualifiers-say-bsn")
            self._set(ISSUER, self.order.local_issuer.encode(), "job")
            self.wrong = True
        self._bsn_item(self._bsn_items())

    def exchange(self) -> None:
        keep = [self._raw(item) for n, item in enumerate(self.items) if not self._says_bsn(n)]
        dropped = len(keep) != len(self.items)
        if not self._is_bsn(self.primary):
            self._local_form()
            former = self._former_local_item()
            if former not in keep:
                keep = [
                    self._raw(item)
                    for n, item in enumerate(self.items)
                    if not self._says_bsn(n) and not self._is_former(n)
                ]
                keep.append(former)
                self._note("OtherPatientIDsSequence.PatientID", "move", "header", "local")
            self.wrong |= self.primary.kind in issuers.ASSERTING
            self._set(PATIENT_ID, self.order.bsn.encode(), "crosswalk", "bsn")
        elif self.primary.number != self.order.bsn:
            self._set(PATIENT_ID, self.order.bsn.encode(), "crosswalk", "bsn")
        self._set(ISSUER, issuers.BSN_OID.encode(), "constant")
        self._set(TYPE, ITEM_TYPE.encode(), "constant")
        if self.order.placement.qualifiers:
            self._replace(QUALIFIERS, self._qualifiers(), "set", "constant")
        if dropped:
            self._note("OtherPatientIDsSequence.PatientID", "remove", "header", "bsn")
        self._others(keep)

    def _local_form(self) -> None:
        raw = self.head.raw(self.own[PATIENT_ID])
        if not self.primary.number or b"\\" in raw or len(self.primary.number) > 64:  # noqa: PLR2004
            raise Refused("local-number-form")

    def _swap_back(self) -> None:
        """PatientID holds the BSN: it changes places with the one item of the local issuer."""
        local = [n for n, one in enumerate(self.ids) if one.issuer in self.order.local_spellings]
        if len(local) != 1 or not self.ids[local[0]].number or self._is_bsn(self.ids[local[0]]):
            raise Refused("no-local-number")
        position = local[0]
        item = self.items[position]
        for tag in _IDENTITY:
            source = next((e for e in item.elements if e.tag == tag), None)
            raw = self.head.data[source.start : source.end] if source else None
            if tag == PATIENT_ID and source and len(self.head.raw(source)) > 64:  # noqa: PLR2004
                raise Refused("local-number-form")
            self._replace(tag, raw, "move", "header", "local" if tag == PATIENT_ID else "")
        others = [n for n in self._bsn_items() if n != position]
        self._bsn_item([position, *others])

    def _bsn_items(self) -> list[int]:
        for one in self.ids:
            if self._is_bsn(one) and one.kind == issuers.OTHER_KIND:
                raise Refused("item-of-another-issuer")
        return [n for n in range(len(self.items)) if self._says_bsn(n)]

    def _says_bsn(self, n: int) -> bool:
        return self._is_bsn(self.ids[n]) or self.ids[n].kind in issuers.ASSERTING

    def _bsn_item(self, positions: list[int]) -> None:
        """Make exactly one item with the BSN: in place of the first of `positions`, or last."""
        kept = [self._raw(item) for item in self.items]
        if not positions:
            kept.append(self.encoder.item(self._identity_of_bsn()))
            self._note("OtherPatientIDsSequence.PatientID", "add", "crosswalk", "bsn")
        else:
            first, *more = positions
            made = self._with_bsn(self.items[first])
            if kept[first] != made:
                self._note(f"OtherPatientIDsSequence[{first}].PatientID", "set", "crosswalk", "bsn")
                self.wrong |= any(
                    self.ids[n].kind in issuers.ASSERTING and not self._is_bsn(self.ids[n])
                    for n in positions
                )
                self.wrong |= self.ids[first].kind == issuers.BSN_KIND
            kept[first] = made
            for n in more:
                self._note(f"OtherPatientIDsSequence[{n}].PatientID", "remove", "header", "bsn")
            kept = [raw for n, raw in enumerate(kept) if n not in more]
        self._others(kept)

    # -- pieces -------------------------------------------------------------------------------

    def _raw(self, item: Item) -> bytes:
        return self.head.data[item.start : item.end]

    def _identity_of_bsn(self) -> list[bytes]:
        parts = [
            self.encoder.text(PATIENT_ID, "LO", self.order.bsn.encode()),
            self.encoder.text(ISSUER, "LO", issuers.BSN_OID.encode()),
            self.encoder.text(TYPE, "CS", ITEM_TYPE.encode()),
        ]
        if self.order.placement.qualifiers:
            parts.append(self._qualifiers())
        return parts

    def _qualifiers(self) -> bytes:
        text = self.encoder.text
        item = self.encoder.item(
            [
                text(0x00400032, "UT", issuers.BSN_OID.encode()),
                text(0x00400033, "CS", b"ISO"),
                text(0x00400035, "CS", issuers.IDENTIFIER_TYPE.encode()),
            ]
        )
        return self.encoder.sequence(QUALIFIERS, [item])

    def _with_bsn(self, item: Item) -> bytes:
        """Return an item with its identity group replaced; its other elements stay as they are."""
        group = dict(zip(_IDENTITY, self._identity_of_bsn(), strict=False))
        for element in item.elements:
            if element.tag & 0xFFFF == 0:
                raise Refused("nested-group-length")
            if element.tag not in _IDENTITY:
                group[element.tag] = self.head.data[element.start : element.end]
        return self.encoder.item([group[tag] for tag in sorted(group)], undefined=item.undefined)

    def _former_local_item(self) -> bytes:
        """Return the item that holds the former primary number, as the bytes that it was."""
        raw = self.head.raw(self.own[PATIENT_ID])
        vouched = self.primary.kind not in issuers.ASSERTING and self.primary.issuer
        issuer = self.head.raw(self.own[ISSUER]) if vouched else self.order.local_issuer.encode()
        kind = self.head.raw(self.own[TYPE]).strip(b" \0") or ITEM_TYPE.encode()
        parts = [
            self.encoder.text(PATIENT_ID, "LO", raw),
            self.encoder.text(ISSUER, "LO", issuer),
            self.encoder.text(TYPE, "CS", kind),
        ]
        qualifiers = self.own[QUALIFIERS]
        if qualifiers and vouched:
            parts.append(self.head.data[qualifiers.start : qualifiers.end])
        return self.encoder.item(parts)

    def _is_former(self, n: int) -> bool:
        same = self.ids[n].number == self.primary.number
        return same and self.ids[n].issuer in self.order.local_spellings | {self.primary.issuer}

    def _others(self, items: list[bytes]) -> None:
        old = self.own[OTHERS]
        undefined = old.undefined if old else False
        encoded = self.encoder.sequence(OTHERS, items, undefined=undefined) if items else None
        self._put(OTHERS, encoded)

    def remove_retired(self) -> None:
        old = self.own[RETIRED]
        values = self.head.raw(old).strip(b" \0").split(b"\\") if old else []
        kept = [v for v in values if bsn_rules.normalise(v.decode("latin-1")) != self.order.bsn]
        if len(kept) != len(values):
            encoded = self.encoder.text(RETIRED, "LO", b"\\".join(kept)) if kept else None
            self._replace(RETIRED, encoded, "remove", "header", "bsn")

    # -- bookkeeping --------------------------------------------------------------------------

    def _note(self, attribute: str, action: str, source: str, token_of: str = "") -> None:
        self.edits.append(Edit(attribute, action, source, token_of))

    def _set(self, tag: int, value: bytes, source: str, token_of: str = "") -> None:
        if self.head.text(self.own[tag]).encode("latin-1") != value:
            self._replace(tag, self.encoder.text(tag, _VRS[tag], value), "set", source, token_of)

    def _replace(
        self, tag: int, encoded: bytes | None, action: str, source: str, token_of: str = ""
    ) -> None:
        names = {PATIENT_ID: "PatientID", ISSUER: "IssuerOfPatientID", TYPE: "TypeOfPatientID"}
        names |= {QUALIFIERS: "IssuerOfPatientIDQualifiersSequence", RETIRED: "OtherPatientIDs"}
        if self._put(tag, encoded):
            self._note(names[tag], action, source, token_of)

    def _put(self, tag: int, encoded: bytes | None) -> bool:
        old = self.own[tag]
        before = self.head.data[old.start : old.end] if old else None
        if encoded == before:
            return False
        self.changes[tag] = encoded
        return True

    def finish(self) -> Correction:
        """Add the item of former values, and return everything."""
        if self.changes and self.order.placement.original_attributes:
            old = self.own[ORIGINAL]
            items = [self._raw(item) for item in old.items] if old else []
            items.append(self.encoder.item(list(self._history())))
            undefined = old.undefined if old else False
            self.changes[ORIGINAL] = self.encoder.sequence(ORIGINAL, items, undefined=undefined)
            self._note("OriginalAttributesSequence", "append", "header")
        return Correction(self.changes, tuple(self.edits))

    def _history(self) -> Iterator[bytes]:
        tags = set(self.changes)
        if PATIENT_ID in tags:
            tags.add(ISSUER)
        former = []
        for tag in sorted(tags):
            old = self.own[tag]
            empty = self.encoder.header(tag, _VRS[tag], 0)
            former.append(self.head.data[old.start : old.end] if old else empty)
        text = self.encoder.text
        yield self.encoder.sequence(_MODIFIED, [self.encoder.item(former)])
        yield text(_WHEN, "DT", self.order.at.encode())
        yield text(_SYSTEM, "LO", MODIFYING_SYSTEM.encode())
        yield text(_SOURCE, "LO", b"")
        yield text(_REASON, "CS", b"CORRECT" if self.wrong else b"COERCE")
