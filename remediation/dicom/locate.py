"""Locate: spans in, findings and facts out. Every text value of a head is searched.

Plain values leave this module only in memory; whoever writes them turns them into tokens first.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from pydicom.charset import convert_encodings, decode_bytes

from remediation.dicom.elements import Element, Head, Span
from remediation.dicom.index import PATIENT_ID, TEXT_VRS
from remediation.dicom.search import MOST, numbers, passing
from remediation.dicom.standing import Standing, has_content, inside, standings
from remediation.model import bsn, issuers, places

ISSUER, QUALIFIERS = 0x00100021, 0x00100024
_IDENTIFIER_KINDS = places.IDENTIFIER_KINDS | {"historic"}
_VALUE = re.compile(r"[^\\]+")
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
    span: int = field(default=-1, repr=False)  # index of the span that holds it


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


def identifiers(head: Head, rules: BsnRules) -> list[Identifier]:
    """Return every filled identifier place of a head, historic ones included."""
    spans = head.spans
    filled = [n for n in head.index.identifiers if not has_content(spans, n)]
    pairs = zip(filled, standings(head, filled), strict=True)
    every = (one for n, where in pairs for one in _identifiers_at(head, n, where, rules))
    return list(islice(every, MOST))


def _identifiers_at(
    head: Head, index: int, where: Standing, rules: BsnRules
) -> Iterator[Identifier]:
    kind = places.kind(where.place, where.creator)
    if kind not in _IDENTIFIER_KINDS or (kind == "private" and where.span[1] not in TEXT_VRS):
        return
    issuer, qualifiers = "", list[str]()
    if where.span[0] == PATIENT_ID:
        issuer = _text(head, where.beside.get(ISSUER))
        stated = where.beside.get(QUALIFIERS)
        within = inside(head.spans, stated) if stated else ()
        qualifiers = [_text(head, span) for span in within if span[0] in _QUALIFIER_TAGS]
    for match in _VALUE.finditer(_text(head, where.span)):
        text = match[0].strip(" \0")
        if text:
            says = issuers.combined(issuer, qualifiers, text, rules.extra_issuers)
            number = bsn.normalise(text)
            yield Identifier(where.place, where.creator, kind, issuer, says, text, number, index)


def _text(head: Head, span: Span | None) -> str:
    return head.data[span[3] : span[4]].decode("latin-1").strip(" \0") if span else ""


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
    return result + _leaks(head, {one.span for one in found}, rules)


def _leaks(head: Head, taken: Collection[int], rules: BsnRules) -> list[Finding]:
    """Return the findings of all text values but those of spans that are `taken`."""
    every = list(islice(numbers(head, rules.placeholders, taken), MOST))
    if not every:
        return []
    indices = sorted({index for index, _, _ in every})
    where = dict(zip(indices, standings(head, indices), strict=True))
    return [
        _leak(where[index].place, where[index].creator, number, form)
        for index, number, form in every
    ]


def in_text(place: str, creator: str, text: str, rules: BsnRules) -> list[Finding]:
    """Return the findings in a text value, a path among them; dates are none."""
    return [_leak(place, creator, *one) for one in passing(text, rules.placeholders)]


def _leak(place: str, creator: str, number: str, form: str) -> Finding:
    kind = places.kind(place, creator)
    says = "embedded" if form == "embedded" else "unasserted"
    return Finding(place, creator, kind, "", issuers.NO_KIND, form, says, number)


def person(head: Head) -> Person:
    """Return what the header says of the patient; text is decoded by SpecificCharacterSet."""
    name = decoded(head, head.bytes_of(0x00100010))
    return Person(
        patient_id=head.text_of(PATIENT_ID),
        birth_date=head.text_of(0x00100030),
        sex=head.text_of(0x00100040),
        name=name.partition("=")[0].strip(" \0"),
    )


def decoded(head: Head, raw: bytes) -> str:
    """Return bytes as text by the head's SpecificCharacterSet; unknown bytes become U+FFFD."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    stated = head.text_of(0x00080005).split("\\")
    sets = [part.strip(" \0") or "ISO_IR 6" for part in stated]
    with warnings.catch_warnings():  # pydicom quotes values in its warnings
        warnings.simplefilter("ignore")
        try:
            return str(decode_bytes(raw, convert_encodings(sets), {0x5E, 0x3D}))
        except (LookupError, UnicodeError, ValueError):
            return raw.decode("ascii", "replace")
