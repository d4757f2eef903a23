"""Locate: spans in, findings and facts out. Every text value of a head is searched.

Plain values leave this module only in memory; whoever writes them turns them into tokens first.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from pydicom.charset import convert_encodings, decode_bytes

from remediation.dicom.elements import Element, Head, is_creator, is_private, keyword
from remediation.model import bsn, issuers, places

_SEARCHED = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "UN"})
_ENOUGH_DIGITS = re.compile(rb"\d[^\0-\x1f]{0,3}\d{2}[^\0-\x1f]{0,3}\d{2}")
_PRINTABLE = re.compile(rb"[\t\n\f\r\x1b -~\x80-\xff]*\0*")
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"0(?:{_YEAR}{_MONTH}{_DAY}|{_DAY}{_MONTH}{_YEAR})", re.ASCII)

PATIENT_ID, ISSUER, QUALIFIERS = 0x00100020, 0x00100021, 0x00100024
OTHER_IDS, OTHER_IDS_SEQUENCE = 0x00101000, 0x00101002
_IDENTIFIER_TAGS = frozenset({PATIENT_ID, OTHER_IDS})
# Codes of concepts (SNOMED CT has eight and nine digits): no free text, nobody types a BSN here.
_CODES = frozenset({0x00080100, 0x00080119, 0x00080120})
_QUALIFIER_TAGS = frozenset({0x00400032, 0x00400035, 0x00400031})


@dataclass(frozen=True, slots=True)
class Identifier:
    """A filled identifier place: `text` trimmed, `number` nine digits if well-formed."""

    place: str
    creator: str
    place_kind: str
    issuer: str
    issuer_kind: str
    text: str = field(repr=False)
    number: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One number at one place, with what this one header says of it."""

    place: str
    creator: str
    place_kind: str
    issuer: str
    issuer_kind: str
    form: str
    evidence: str
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """What the header says of the patient, decoded: `name` is the alphabetic group of the PN."""

    patient_id: str
    birth_date: str
    sex: str
    name: str


@dataclass(frozen=True, slots=True)
class BsnRules:
    """The hospital's own additions: issuers that mean BSN, and numbers that mean nothing."""

    extra_issuers: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Standing:
    """One element with what stands around it: siblings, the path to them, private creator."""

    element: Element
    siblings: tuple[Element, ...]
    prefix: str
    creator: str

    @property
    def place(self) -> str:
        return self.prefix + keyword(self.element.tag)


def _standings(head: Head) -> Iterator[_Standing]:
    stack = [(head.elements, "")]
    while stack:
        elements, prefix = stack.pop()
        creators: dict[int, str] = {}
        for element in elements:
            creator = ""
            if is_creator(element.tag):
                creators[element.tag >> 16 << 8 | element.tag & 0xFF] = head.text(element)
            elif is_private(element.tag):
                creator = creators.get(element.tag >> 16 << 8 | (element.tag & 0xFFFF) >> 8, "")
            yield _Standing(element, elements, prefix, creator)
            if element.items:
                name = prefix + keyword(element.tag)
                within = [(i.elements, f"{name}[{n}].") for n, i in enumerate(element.items)]
                stack += reversed(within)


def identifiers(head: Head, rules: BsnRules) -> list[Identifier]:
    """Return every filled identifier place of a head, historic ones included."""
    found: list[Identifier] = []
    for standing in _standings(head):
        element = standing.element
        if element.items or not (element.tag in _IDENTIFIER_TAGS or _known_private(standing)):
            continue
        kind = places.kind(standing.place, standing.creator)
        if kind in places.IDENTIFIER_KINDS | {"historic"}:
            found += _identifiers_at(head, standing, kind, rules)
    return found


def _known_private(standing: _Standing) -> bool:
    element = standing.element
    if not standing.creator or element.vr not in _SEARCHED:
        return False
    return (standing.creator, keyword(element.tag)) in places.PRIVATE_PATIENT_NUMBERS


def _identifiers_at(
    head: Head, standing: _Standing, kind: str, rules: BsnRules
) -> Iterator[Identifier]:
    issuer, qualifiers = "", []
    if standing.element.tag == PATIENT_ID:
        issuer = head.text(next((e for e in standing.siblings if e.tag == ISSUER), None))
        qualifiers = qualifier_texts(head, standing.siblings)
    for text in filter(None, _values(head, standing.element)):
        says = issuers.combined(issuer, qualifiers, text, rules.extra_issuers)
        yield Identifier(
            standing.place, standing.creator, kind, issuer, says, text, bsn.normalise(text)
        )


def qualifier_texts(head: Head, elements: tuple[Element, ...]) -> list[str]:
    """Return the issuer spellings of IssuerOfPatientIDQualifiersSequence beside a PatientID."""
    return [
        head.text(inner)
        for element in elements
        if element.tag == QUALIFIERS
        for item in element.items
        for inner in item.elements
        if inner.tag in _QUALIFIER_TAGS
    ]


def _values(head: Head, element: Element) -> list[str]:
    return [part.strip(" \0") for part in head.text(element).split("\\")]


def shape(identifier: Identifier, rules: BsnRules) -> str:
    """Return how a value looks: `other`, `well-formed`, `passing`, or `placeholder`."""
    if identifier.number is None:
        return "other"
    if bsn.is_placeholder(identifier.number, rules.placeholders):
        return "placeholder"
    return "passing" if bsn.passes(identifier.number) else "well-formed"


def evidence(identifier: Identifier, rules: BsnRules) -> str | None:
    """Return what one header says of one identifier; None where it is no finding."""
    asserted = identifier.issuer_kind in issuers.ASSERTING
    looks = shape(identifier, rules)
    if looks == "passing":
        return "asserted" if asserted else "unasserted"
    if not asserted:
        return None
    return "placeholder" if looks == "placeholder" else "invalid"


def findings(head: Head, found: list[Identifier], rules: BsnRules) -> list[Finding]:
    """Return the findings of the identifier places, then those of every other text value."""
    result = []
    for one in found:
        says = evidence(one, rules)
        if not says and one.number is None:
            result += in_text(one.place, one.creator, one.text, rules)
        if says:
            form = bsn.form(one.text) if one.number else "embedded"
            result.append(
                Finding(
                    one.place,
                    one.creator,
                    one.place_kind,
                    one.issuer,
                    one.issuer_kind,
                    form,
                    says,
                    one.number or "",
                )
            )
    taken = {(one.place, one.creator) for one in found}
    return result + _search(head, taken, rules)


def _search(head: Head, taken: Collection[tuple[str, str]], rules: BsnRules) -> list[Finding]:
    result: list[Finding] = []
    for standing in _standings(head):
        element = standing.element
        if element.items or element.vr not in _SEARCHED or element.tag in _CODES:
            continue
        raw = head.data[element.value : element.end]
        if not _ENOUGH_DIGITS.search(raw):
            continue
        if element.vr == "UN" and not _PRINTABLE.fullmatch(raw):
            continue
        if (standing.place, standing.creator) not in taken:
            text = raw.decode("latin-1")
            result += in_text(standing.place, standing.creator, text, rules)
    return result


def in_text(place: str, creator: str, text: str, rules: BsnRules) -> list[Finding]:
    """Return the findings in a text value, a path among them; dates are none."""
    result = []
    for value in text.split("\\"):
        whole = bsn.normalise(value)
        numbers = [whole] if whole else bsn.runs(value)
        for number in numbers:
            if _DATE.fullmatch(number) and number not in value:
                continue
            if not bsn.passes(number) or bsn.is_placeholder(number, rules.placeholders):
                continue
            form = bsn.form(value) if whole else "embedded"
            says = "unasserted" if whole else "embedded"
            kind = places.kind(place, creator)
            result.append(Finding(place, creator, kind, "", issuers.NO_KIND, form, says, number))
    return result


def person(head: Head) -> Person:
    """Return what the header says of the patient; text is decoded by SpecificCharacterSet."""
    name = decoded(head, head.raw(head.find(0x00100010)))
    return Person(
        patient_id=head.text(head.find(PATIENT_ID)),
        birth_date=head.text(head.find(0x00100030)),
        sex=head.text(head.find(0x00100040)),
        name=name.partition("=")[0].strip(" \0"),
    )


def decoded(head: Head, raw: bytes) -> str:
    """Return bytes as text by the head's SpecificCharacterSet; unknown bytes become U+FFFD."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    stated = head.find(0x00080005)
    sets = [part or "ISO_IR 6" for part in _values(head, stated)] if stated else ["ISO_IR 6"]
    with warnings.catch_warnings():  # pydicom quotes values in its warnings
        warnings.simplefilter("ignore")
        try:
            return str(decode_bytes(raw, convert_encodings(sets), {0x5E, 0x3D}))
        except (LookupError, UnicodeError, ValueError):
            return raw.decode("ascii", "replace")
