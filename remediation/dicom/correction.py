"""Correction: which elements of one head change, and into what, for a target placement.

Decides, element by element; `splice` puts the result into the head. Refuses by raising `Refused`
with a reason from a closed list. Source: PS3.3 C.7.1.1 (patient identification), C.12.1.1.9
(original attributes), PS3.5 section 6.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from remediation.dicom.elements import Element, Head, Item, keyword
from remediation.dicom.encode import Encoder
from remediation.dicom.groups import (
    IDENTITY,
    ISSUER,
    ORIGINAL,
    OTHERS,
    PATIENT_ID,
    QUALIFIERS,
    RETIRED,
    TYPE,
    VRS,
    Group,
    Refused,
    bsn_group,
    check_item,
    check_local,
    element_of,
    item_with,
    local_issuer,
    read,
    refuse,
)
from remediation.model.bsn import normalise
from remediation.model.issuers import ASSERTING, BSN_OID
from remediation.model.placement import AT_REST, ITEM_TYPE, MODIFYING_SYSTEM, Edit, Order

__all__ = ["Correction", "Refused", "correct"]

_MODIFIED, _WHEN, _SYSTEM = 0x04000550, 0x04000562, 0x04000563
_SOURCE, _REASON = 0x04000564, 0x04000565
_ITEM_NUMBER = "OtherPatientIDsSequence.PatientID"


@dataclass(frozen=True, slots=True)
class Correction:
    """Per tag the new encoded element (None: taken out), and the same as people read it."""

    changes: dict[int, bytes | None] = field(repr=False)
    edits: tuple[Edit, ...]


def correct(head: Head, order: Order) -> Correction:
    """Return the changes that bring a head to the order's placement; none where it is there.

    Raises:
        Refused: `identity-vr` (wrong or UN), `duplicate`, `odd-length`, `nested-group-length`;
            `no-local-number` (to change places with), `local-number-form` (empty, a backslash,
            too long, or marked as a BSN), `local-issuer-form`, `qualifiers-say-bsn` (of a local
            number), `item-of-another-issuer` (the BSN's digits under an issuer that is neither
            the BSN's nor empty), `header-disagrees` (an item holds somebody else's BSN).
    """
    return _Writer(head, order).write()


class _Writer:
    """Gathers the changes of one head."""

    def __init__(self, head: Head, order: Order) -> None:
        self.head, self.order = head, order
        self.encoder = Encoder(head.explicit)
        self.changes: dict[int, bytes | None] = {}
        self.edits: list[Edit] = []
        self.wrong = False  # a wrong value is replaced, not just one added or moved
        self.own = {tag: element_of(head.elements, tag) for tag in VRS}
        others = self.own[OTHERS]
        self.items = others.items if others else ()
        self.primary = read(head, head.elements, order)
        self.groups = [read(head, item.elements, order) for item in self.items]
        self.bsn = bsn_group(self.encoder, order)
        self.local_spellings = (order.local_spellings | {order.local_issuer}) - {""}

    def write(self) -> Correction:
        """Decide on every element of the closed list, and return what changes."""
        concerned = [n for n, group in enumerate(self.groups) if group.concerns_bsn]
        for n in concerned:
            check_item(self.groups[n], self.order)
            self.wrong |= self.groups[n].wrong
        if self.order.placement.target == AT_REST:
            self._at_rest(concerned)
        else:
            self._exchange(concerned)
        if self.order.placement.remove_retired:
            self._remove_retired()
        if self.changes and self.order.placement.original_attributes:
            self._append_original()
        return Correction(self.changes, tuple(self.edits))

    # -- placements ---------------------------------------------------------------------------

    def _at_rest(self, concerned: list[int]) -> None:
        if self.primary.is_bsn:
            self._bsn_item([self._swap_back(), *concerned])
            return
        check_local(self.primary)
        if self.primary.qualified:
            refuse("qualifiers-say-bsn")
        if self.primary.labelled:
            issuer = self.encoder.text(ISSUER, "LO", local_issuer(self.order))
            self._replace(ISSUER, issuer, "set", "job")
            self.wrong = True
        if concerned:
            self.wrong |= self.groups[concerned[0]].differs(self.order.bsn)
        self._bsn_item(concerned)

    def _swap_back(self) -> int:
        """Move the one local identity among the items to the top; return which item it was."""
        local = [n for n, group in enumerate(self.groups) if group.issuer in self.local_spellings]
        if len(local) != 1 or not self.groups[local[0]].number or self.groups[local[0]].is_bsn:
            refuse("no-local-number")
        group = self.groups[local[0]]
        check_local(group)
        if group.qualified:
            refuse("qualifiers-say-bsn")
        for tag in IDENTITY:
            token_of = "local" if tag == PATIENT_ID else ""
            self._replace(tag, group.raw.get(tag), "move", "header", token_of)
        return local[0]

    def _exchange(self, concerned: list[int]) -> None:
        items = {n: self._raw(item) for n, item in enumerate(self.items) if n not in concerned}
        for n in concerned:
            self._note(f"OtherPatientIDsSequence[{n}].PatientID", "remove", "header", "bsn")
        if self.primary.is_bsn:
            self.wrong |= self.primary.differs(self.order.bsn)
        else:
            check_local(self.primary)
            self.wrong |= self.primary.labelled
            self._keep_local(items)
        texts = {PATIENT_ID: self.primary.number, ISSUER: self.primary.issuer}
        texts |= {TYPE: self.primary.type, QUALIFIERS: ""}
        rights = {PATIENT_ID: self.order.bsn, ISSUER: BSN_OID, TYPE: ITEM_TYPE}
        for tag in IDENTITY:
            if tag == QUALIFIERS or texts[tag] != rights[tag]:
                source, token_of = ("crosswalk", "bsn") if tag == PATIENT_ID else ("constant", "")
                self._replace(tag, self.bsn.get(tag), "set", source, token_of)
        self._others(list(items.values()))

    # -- items --------------------------------------------------------------------------------

    def _bsn_item(self, positions: list[int]) -> None:
        """Make exactly one item with the BSN: in place of the first of `positions`, or last."""
        kept = {n: self._raw(item) for n, item in enumerate(self.items)}
        first = positions[0] if positions else len(kept)
        model = self.items[first] if positions else None
        made = item_with(self.head, self.encoder, model, self.bsn)
        if not positions:
            self._note(_ITEM_NUMBER, "add", "crosswalk", "bsn")
        elif kept[first] != made:
            self._note(f"OtherPatientIDsSequence[{first}].PatientID", "set", "crosswalk", "bsn")
        kept[first] = made
        for n in positions[1:]:
            self._note(f"OtherPatientIDsSequence[{n}].PatientID", "remove", "header", "bsn")
            del kept[n]
        self._others(list(kept.values()))

    def _keep_local(self, items: dict[int, bytes]) -> None:
        """Give the former primary identity its one item: the one that it has, or a new one last."""
        same = [n for n in items if self._is_former(self.groups[n])]
        at = same[0] if same else len(self.items)
        model = self.items[at] if same else None
        group = {**(self.groups[at].raw if same else {}), **self._former()}
        if ISSUER not in group:
            group[ISSUER] = self.encoder.text(ISSUER, "LO", local_issuer(self.order))
        group.setdefault(TYPE, self.encoder.text(TYPE, "CS", ITEM_TYPE.encode()))
        made = item_with(self.head, self.encoder, model, group)
        if items.get(at) != made:
            self._note(_ITEM_NUMBER, "move", "header", "local")
        items[at] = made
        for n in same[1:]:
            self._note(f"OtherPatientIDsSequence[{n}].PatientID", "remove", "header", "local")
            del items[n]

    def _is_former(self, group: Group) -> bool:
        spellings = self.local_spellings | ({self.primary.issuer} - {""})
        return group.number == self.primary.number and group.issuer in spellings

    def _former(self) -> dict[int, bytes]:
        """Return the primary group as the bytes that it was, without what wrongly says BSN."""
        group = dict(self.primary.raw)
        if self.primary.own in ASSERTING or not self.primary.issuer:
            group.pop(ISSUER, None)
        if not self.primary.type:
            group.pop(TYPE, None)
        if self.primary.qualified or not self.primary.described:
            group.pop(QUALIFIERS, None)
        return group

    def _others(self, items: list[bytes]) -> None:
        if items or self.items:
            old = self.own[OTHERS]
            undefined = old.undefined if old else False
            encoded = self.encoder.sequence(OTHERS, items, undefined=undefined)
            self._put(OTHERS, encoded if items else None)

    def _remove_retired(self) -> None:
        values = self.head.raw(self.own[RETIRED]).split(b"\\")
        kept = [v for v in values if normalise(v.decode("latin-1")) != self.order.bsn]
        if len(kept) != len(values):
            filled = any(value.strip(b" \0") for value in kept)
            encoded = self.encoder.text(RETIRED, "LO", b"\\".join(kept)) if filled else None
            self._replace(RETIRED, encoded, "remove", "header", "bsn")

    # -- bookkeeping --------------------------------------------------------------------------

    def _raw(self, part: Element | Item) -> bytes:
        return self.head.data[part.start : part.end]

    def _note(self, attribute: str, action: str, source: str, token_of: str = "") -> None:
        self.edits.append(Edit(attribute, action, source, token_of))

    def _replace(
        self, tag: int, encoded: bytes | None, action: str, source: str, token_of: str = ""
    ) -> None:
        if self._put(tag, encoded):
            self._note(keyword(tag), action if encoded else "remove", source, token_of)

    def _put(self, tag: int, encoded: bytes | None) -> bool:
        old = self.own[tag]
        if encoded == (self._raw(old) if old else None):
            return False
        self.changes[tag] = encoded
        return True

    # -- the former values --------------------------------------------------------------------

    def _append_original(self) -> None:
        """Add the item of former values behind those that are there."""
        old = self.own[ORIGINAL]
        items = [self._raw(item) for item in old.items] if old else []
        items.append(self.encoder.item(list(self._history())))
        undefined = old.undefined if old else False
        self.changes[ORIGINAL] = self.encoder.sequence(ORIGINAL, items, undefined=undefined)
        self._note("OriginalAttributesSequence", "append", "header")

    def _history(self) -> Iterator[bytes]:
        tags = self.changes.keys() | ({ISSUER} if PATIENT_ID in self.changes else set())
        former = []
        for tag in sorted(tags):
            old = self.own[tag]
            if old is None:
                former.append(self.encoder.header(tag, VRS[tag], 0))
            elif tag == OTHERS:
                former.append(self._former_others(old))
            else:
                former.append(self._raw(old))
        text = self.encoder.text
        yield self.encoder.sequence(_MODIFIED, [self.encoder.item(former)])
        yield text(_WHEN, "DT", self.order.at.encode())
        yield text(_SYSTEM, "LO", MODIFYING_SYSTEM.encode())
        yield text(_SOURCE, "LO", b"")
        yield text(_REASON, "CS", b"CORRECT" if self.wrong else b"COERCE")

    def _former_others(self, old: Element) -> bytes:
        """Return the former sequence, without items that may hold another person's number."""
        keep = [not group.wrong for group in self.groups]
        if all(keep):
            return self._raw(old)
        items = [self._raw(item) for item, kept in zip(self.items, keep, strict=True) if kept]
        return self.encoder.sequence(OTHERS, items, undefined=old.undefined)
