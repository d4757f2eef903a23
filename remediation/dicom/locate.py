"""Locate: spans in, findings and facts out. Every text value of a head is searched.

Plain values leave this module only in memory; whoever writes them turns them into tokens first.
"""

from __future__ import annotations

import re
import warnings
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from pydicom.charset import convert_encodings, decode_bytes

from remediation.dicom.elements import Element, Head, Span
from remediation.dicom.standing import Standing, has_content, inside, standing
from remediation.model import bsn, issuers, places

_SEARCHED = frozenset({b"AE", b"CS", b"LO", b"LT", b"PN", b"SH", b"ST", b"UC", b"UR", b"UT", b"UN"})
_LEAST = 8  # bytes of a value that can hold a number
# Digits become one byte, what stands between groups of them another: then `find` finds numbers.
_SIGNS = bytes(48 if chr(n) in "0123456789" else 46 if chr(n) in ". -" else 10 for n in range(256))
_NUMBERS = (b"00000000", b"000.00.000", b"000.000.00")
_PRINTABLE = re.compile(rb"[\t\n\f\r\x1b -~\x80-\xff]*\0*")
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"0(?:{_YEAR}{_MONTH}{_DAY}|{_DAY}{_MONTH}{_YEAR})", re.ASCII)

PATIENT_ID, ISSUER, QUALIFIERS = 0x00100020, 0x00100021, 0x00100024
OTHER_IDS, OTHER_IDS_SEQUENCE = 0x00101000, 0x00101002
_PRIVATE_TAGS = frozenset(
    int(group, 16) << 16 | block << 8 | int(number, 16)
    for group, number in (name[1:-1].split(",xx") for _, name in places.PRIVATE_PATIENT_NUMBERS)
    for block in range(0x10, 0x100)
)
_IDENTIFIER_TAGS = frozenset({PATIENT_ID, OTHER_IDS}) | _PRIVATE_TAGS
_IDENTIFIER_KINDS = places.IDENTIFIER_KINDS | {"historic"}
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


def identifiers(head: Head, rules: BsnRules) -> list[Identifier]:
    """Return every filled identifier place of a head, historic ones included."""
    found: list[Identifier] = []
    for index in [n for n, span in enumerate(head.spans) if span[0] in _IDENTIFIER_TAGS]:
        if has_content(head, index):
            continue
        where, span = standing(head, index), head.spans[index]
        kind = places.kind(where.place, where.creator)
        if kind in _IDENTIFIER_KINDS and (kind != "private" or span[1] in _SEARCHED):
            found += _identifiers_at(head, where, kind, rules)
    return found


def _identifiers_at(
    head: Head, where: Standing, kind: str, rules: BsnRules
) -> Iterator[Identifier]:
    issuer, qualifiers = "", list[str]()
    if where.span[0] == PATIENT_ID:
        issuer = _text(head, where.beside.get(ISSUER))
        stated = where.beside.get(QUALIFIERS)
        within = inside(head, stated) if stated else ()
        qualifiers = [_text(head, span) for span in within if span[0] in _QUALIFIER_TAGS]
    for text in filter(None, (part.strip(" \0") for part in _text(head, where.span).split("\\"))):
        says = issuers.combined(issuer, qualifiers, text, rules.extra_issuers)
        yield Identifier(where.place, where.creator, kind, issuer, says, text, bsn.normalise(text))


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
    taken = {(one.place, one.creator) for one in found}
    return result + _search(head, taken, rules)


def _search(head: Head, taken: Collection[tuple[str, str]], rules: BsnRules) -> list[Finding]:
    """Search every text value: one pass over all of them joined, a closer look where it says."""
    searched = [
        index
        for index, (_, vr, _, value, end, _) in enumerate(head.spans)
        if end - value >= _LEAST and vr in _SEARCHED
    ]
    data, spans, result = head.data, head.spans, list[Finding]()
    values = [data[spans[index][3] : spans[index][4]] for index in searched]
    for n in _with_numbers(values):
        index, raw = searched[n], values[n]
        tag, vr = spans[index][:2]
        if tag in _CODES or has_content(head, index):
            continue
        if vr == b"UN" and not _PRINTABLE.fullmatch(raw):
            continue
        numbers = _passing(raw.decode("latin-1"), rules)
        if not numbers:
            continue
        where = standing(head, index)
        if (where.place, where.creator) not in taken:
            result += _leaks(where.place, where.creator, numbers)
    return result


def _with_numbers(values: list[bytes]) -> list[int]:
    """Return the indices of the values in which eight digits stand together, or in groups."""
    signs = b"\n".join(values).translate(_SIGNS)
    starts: list[int] = []
    found: set[int] = set()
    for number in _NUMBERS:
        position = signs.find(number)
        while position >= 0:
            starts = starts or [*accumulate((len(value) + 1 for value in values), initial=0)]
            n = bisect_right(starts, position)
            found.add(n - 1)
            position = signs.find(number, starts[n])
    return sorted(found)


def in_text(place: str, creator: str, text: str, rules: BsnRules) -> list[Finding]:
    """Return the findings in a text value, a path among them; dates are none."""
    numbers = _passing(text, rules) if bsn.may_hold(text) else []
    return _leaks(place, creator, numbers) if numbers else []


def _leaks(place: str, creator: str, numbers: list[tuple[str, str]]) -> list[Finding]:
    kind = places.kind(place, creator)
    return [
        Finding(
            place,
            creator,
            kind,
            "",
            issuers.NO_KIND,
            form,
            "embedded" if form == "embedded" else "unasserted",
            number,
        )
        for number, form in numbers
    ]


def _passing(text: str, rules: BsnRules) -> list[tuple[str, str]]:
    """Return the numbers in a text that may be BSNs, each with its form."""
    found = []
    for value in text.split("\\"):
        whole = bsn.normalise(value)
        for number in [whole] if whole else bsn.runs(value):
            if not bsn.passes(number) or bsn.is_placeholder(number, rules.placeholders):
                continue
            if not (_DATE.fullmatch(number) and number not in value):
                found.append((number, bsn.form(value) if whole else "embedded"))
    return found


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
