"""Correction: which elements of one head change, and into what, for a target placement.

Decides, element by element; `splice` puts the result into the head. Refuses by raising `Refused`
with a reason from a closed list. Source: PS3.3 C.7.1.1 (patient identification), C.12.1.1.9
(original attributes), PS3.5 section 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from remediation.dicom import retired
from remediation.dicom.elements import Element, Head, Item, keyword
from remediation.dicom.encode import Encoder
from remediation.dicom.former import former_item
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
from remediation.model.issuers import ASSERTING
from remediation.model.placement import ITEM_TYPE, Edit, Order

__all__ = ["Correction", "Refused", "correct"]

_ITEM_NUMBER = "OtherPatientIDsSequence.PatientID"


@dataclass(frozen=True, slots=True)
class Correction:
    """Per tag the new encoded element (None: taken out), and the same as people read it."""

    changes: dict[int, bytes | None] = field(repr=False)
    edits: tuple[Edit, ...]


def correct(head: Head, order: Order) -> Correction:
    """Return the changes that bring a head to the order's placement; none where it is there.

    Raises:
        Refused: for a reason of `REFUSALS`.
    """
    return _Writer(head, order).write()


class _Writer:
    """Gathers the changes of one head."""

    def __init__(self, head: Head, order: Order) -> None:
        self.head, self.order = head, order
        self.encoder = Encoder(head.explicit, head.little)
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
        if self.order.placement.primary_is_bsn:
            self._exchange(concerned)
        else:
            self._at_rest(concerned)
        self._retired()
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
            self.wrong |= self.groups[concerned[0]].differs(self.order)
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
            self._note_gone(n)
        if self.primary.is_bsn:
            self.wrong |= self.primary.differs(self.order)
        else:
            check_local(self.primary)
            self.wrong |= self.primary.labelled
            self._keep_local(items)
        texts = {PATIENT_ID: self.primary.number, ISSUER: self.primary.issuer}
        texts |= {TYPE: self.primary.type, QUALIFIERS: ""}
        placement = self.order.placement
        rights = {PATIENT_ID: self.order.bsn, ISSUER: placement.issuer}
        rights[TYPE] = ITEM_TYPE if placement.typed else ""
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
            self._note_gone(n)
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

    def _retired(self) -> None:
        placement, bsn = self.order.placement, self.order.bsn
        given = retired.values(self.head.raw(self.own[RETIRED]))
        there = [value for value in given if retired.is_bsn(value, bsn)]
        if placement.remove_retired and there:
            left = retired.without(given, bsn)
            self._replace(
                RETIRED, self._retired_of(left) if left else None, "remove", "header", "bsn"
            )
        elif placement.beside_retired and retired.beside(given, bsn) != given:
            self.wrong |= bool(there) and there[0].strip(b" ") != bsn.encode()
            made = self._retired_of(retired.beside(given, bsn))
            self._replace(RETIRED, made, "set" if there else "add", "crosswalk", "bsn")

    def _retired_of(self, values: list[bytes]) -> bytes:
        joined = b"\\".join(values)
        if len(joined) > retired.LONGEST:
            refuse("other-ids-too-long")
        return self.encoder.text(RETIRED, "LO", joined)

    # -- bookkeeping --------------------------------------------------------------------------

    def _raw(self, part: Element | Item) -> bytes:
        return self.head.data[part.start : part.end]

    def _note(self, attribute: str, action: str, source: str, token_of: str = "") -> None:
        self.edits.append(Edit(attribute, action, source, token_of))

    def _note_gone(self, n: int) -> None:
        token_of = "bsn" if self.groups[n].is_bsn else ""
        self._note(f"OtherPatientIDsSequence[{n}].PatientID", "remove", "header", token_of)

    def _replace(
        self, tag: int, encoded: bytes | None, action: str, source: str, token_of: str = ""
    ) -> None:
        """Put an element in place of what stood there; `set` is `add` where nothing did."""
        if self._put(tag, encoded):
            action = "add" if action == "set" and self.own[tag] is None else action
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
        at, encoder = self.order.at, self.encoder
        items.append(former_item(encoder, self._former_values(), at, wrong=self.wrong))
        undefined = old.undefined if old else False
        self.changes[ORIGINAL] = encoder.sequence(ORIGINAL, items, undefined=undefined)
        self._note("OriginalAttributesSequence", "append", "header")

    def _former_values(self) -> list[bytes]:
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
        return former

    def _former_others(self, old: Element) -> bytes:
        """Return the former sequence, without items that may hold another person's number."""
        keep = [not group.wrong for group in self.groups]
        if all(keep):
            return self._raw(old)
        items = [self._raw(item) for item, kept in zip(self.items, keep, strict=True) if kept]
        return self.encoder.sequence(OTHERS, items, undefined=old.undefined)
