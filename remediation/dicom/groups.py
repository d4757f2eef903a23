"""Groups: a patient number with its issuer, type and qualifiers, at the top level or in an item.

Read from a head, and written as the bytes of one. Source: PS3.3 C.7.1.1 and table 10-18 (Patient
ID, issuer, type and qualifiers belong together, also in an item of OtherPatientIDsSequence).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from remediation.dicom.elements import Element, Head, Item
from remediation.dicom.encode import Encoder
from remediation.dicom.locate import qualifier_texts
from remediation.model import issuers
from remediation.model.bsn import is_placeholder, normalise, passes
from remediation.model.placement import ITEM_TYPE, TEXT_CAP, Order

PATIENT_ID, ISSUER, TYPE, QUALIFIERS = 0x00100020, 0x00100021, 0x00100022, 0x00100024
RETIRED, OTHERS, ORIGINAL = 0x00101000, 0x00101002, 0x04000561
VRS = {PATIENT_ID: "LO", ISSUER: "LO", TYPE: "CS", QUALIFIERS: "SQ"}
VRS |= {RETIRED: "LO", OTHERS: "SQ", ORIGINAL: "SQ"}
IDENTITY = (PATIENT_ID, ISSUER, TYPE, QUALIFIERS)

REFUSALS = {
    "identity-vr": "an element of the closed list has VR UN, or one that is not its own",
    "duplicate": "an element of the closed list stands twice in its data set",
    "odd-length": "an element of the closed list has an odd length",
    "nested-group-length": "an item that would change holds a group length",
    "no-local-number": "PatientID is the BSN, and not exactly one item has the local issuer",
    "local-number-form": "the local number is empty, has a backslash, is over 64 characters, or "
    "says itself that it is a BSN",
    "local-issuer-form": "the local issuer is needed, and is empty or cannot be written",
    "qualifiers-say-bsn": "the qualifiers of the local number say that it is a BSN",
    "item-of-another-issuer": "the BSN's digits stand in an item of somebody else's issuer",
    "header-disagrees": "an item that says BSN holds another number that passes the elfproef",
    "other-ids-too-long": "OtherPatientIDs would be longer than its element can be",
}
"""Why a head is not brought to its placement; the reason, and what it means."""


class Refused(Exception):  # noqa: N818 - a verdict
    """This head is not corrected, for a reason from a closed list."""


def refuse(reason: str) -> NoReturn:
    """Raise `Refused` with a reason of `REFUSALS`."""
    assert reason in REFUSALS, "reasons are a closed list"
    raise Refused(reason)


@dataclass(frozen=True, slots=True, repr=False)
class Group:
    """An identity group: its texts, what it says of its issuer, and its elements as bytes."""

    number: str
    issuer: str
    type: str
    own: str  # kind of the issuer by IssuerOfPatientID alone
    described: bool  # it has qualifiers
    qualified: bool  # they say BSN
    marked: bool  # CX text behind the number says BSN
    is_bsn: bool  # it is the ordered number
    raw: Mapping[int, bytes]

    @property
    def labelled(self) -> bool:
        """Whether anything says that this is a BSN."""
        return self.own in issuers.ASSERTING or self.qualified or self.marked

    @property
    def concerns_bsn(self) -> bool:
        """Whether it is the BSN, or says that it is one."""
        return self.is_bsn or self.labelled

    @property
    def wrong(self) -> bool:
        """Whether it says BSN of another number."""
        return self.labelled and not self.is_bsn and self.number != ""

    def differs(self, order: Order) -> bool:
        """Whether a filled part is another than in the group of the BSN, spelling included."""
        pairs = [(self.number, order.bsn), (self.issuer, order.placement.issuer)]
        pairs += [(self.type, ITEM_TYPE)] if order.placement.typed else []
        other = self.described and not self.qualified
        return other or any(text and text != right for text, right in pairs)


def element_of(elements: tuple[Element, ...], tag: int) -> Element | None:
    """Return the one element with an identity tag.

    Raises:
        Refused: `duplicate`, `identity-vr` (wrong or UN), `odd-length`.
    """
    found = [e for e in elements if e.tag == tag]
    if len(found) > 1:
        refuse("duplicate")
    for element in found:
        if element.vr != VRS[tag]:
            refuse("identity-vr")
        if (element.end - element.start) % 2:
            refuse("odd-length")
    return found[0] if found else None


def read(head: Head, elements: tuple[Element, ...], order: Order) -> Group:
    """Read the identity group among the elements of a data set.

    Raises:
        Refused: as `element_of` does.
    """
    own = {tag: element_of(elements, tag) for tag in IDENTITY}
    number, issuer, kind = (head.text(own[tag]) for tag in (PATIENT_ID, ISSUER, TYPE))
    extra, said = order.extra_issuers, qualifier_texts(head, elements)
    qualifiers = own[QUALIFIERS]
    return Group(
        number,
        issuer,
        kind,
        issuers.kind(issuer, extra),
        bool(qualifiers and qualifiers.items),
        issuers.combined("", said, "", extra) in issuers.ASSERTING,
        issuers.combined("", (), number, extra) in issuers.ASSERTING,
        normalise(number) == order.bsn,
        {tag: head.data[e.start : e.end] for tag, e in own.items() if e},
    )


def check_item(group: Group, order: Order) -> None:
    """Refuse an item that concerns the BSN and may be of another domain, or another patient.

    Raises:
        Refused: `item-of-another-issuer`, `header-disagrees`.
    """
    if group.is_bsn and group.own == issuers.OTHER_KIND and not group.labelled:
        refuse("item-of-another-issuer")
    number = normalise(group.number) or ""
    if group.wrong and passes(number) and not is_placeholder(number, order.placeholders):
        refuse("header-disagrees")


def check_local(group: Group) -> None:
    """Refuse a local number that cannot be moved or kept.

    Raises:
        Refused: `local-number-form`.
    """
    text = group.number
    if not text or "\\" in text or len(text) > TEXT_CAP or group.marked:
        refuse("local-number-form")


def local_issuer(order: Order) -> bytes:
    """Return the local issuer to write.

    Raises:
        Refused: `local-issuer-form`: it is empty, no plain ASCII, or over 64 characters.
    """
    text = order.local_issuer
    plain = text.isascii() and text.isprintable() and "\\" not in text
    if not (text.strip() and plain and len(text) <= TEXT_CAP):
        refuse("local-issuer-form")
    return text.encode()


def bsn_group(encoder: Encoder, order: Order) -> dict[int, bytes]:
    """Return the elements that say the ordered BSN, with the placement's issuer."""
    text = encoder.text
    group = {
        PATIENT_ID: text(PATIENT_ID, "LO", order.bsn.encode()),
        ISSUER: text(ISSUER, "LO", order.placement.issuer.encode()),
    }
    if order.placement.typed:
        group[TYPE] = text(TYPE, "CS", ITEM_TYPE.encode())
    if order.placement.qualifiers:
        parts = [
            text(0x00400032, "UT", issuers.BSN_OID.encode()),
            text(0x00400033, "CS", b"ISO"),
            text(0x00400035, "CS", issuers.IDENTIFIER_TYPE.encode()),
        ]
        group[QUALIFIERS] = encoder.sequence(QUALIFIERS, [encoder.item(parts)])
    return group


def item_with(
    head: Head, encoder: Encoder, model: Item | None, group: Mapping[int, bytes]
) -> bytes:
    """Return an item with this identity group; all other elements stay as `model` has them.

    Raises:
        Refused: `nested-group-length`, `duplicate`.
    """
    parts = dict(group)
    for element in model.elements if model else ():
        if element.tag & 0xFFFF == 0:
            refuse("nested-group-length")
        if element.tag in IDENTITY:
            continue
        if element.tag in parts:
            refuse("duplicate")
        parts[element.tag] = head.data[element.start : element.end]
    undefined = model.undefined if model else False
    return encoder.item([parts[tag] for tag in sorted(parts)], undefined=undefined)
