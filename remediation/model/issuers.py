"""Issuers: which spellings of an assigning authority mean "this is a BSN".

The OID in IssuerOfPatientID is the form to write; the others are recognised only.
Source: HL7 Nederland OID register (2.16.840.1.113883.2.4.6.3 = BSN); HL7 table 0363 and 0203 as
used in the Netherlands (NLMINBIZA, NNNLD); the hospital can add spellings in its job file.

>>> kind("2.16.840.1.113883.2.4.6.3"), kind("NLMINBIZA"), kind(""), kind("ZKH-OOST")
('bsn-oid', 'bsn', 'none', 'other')
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

BSN_OID = "2.16.840.1.113883.2.4.6.3"
IDENTIFIER_TYPE = "NNNLD"
SPELLINGS = frozenset({"NLMINBIZA", IDENTIFIER_TYPE, "BSN"})

OID_KIND, BSN_KIND, NO_KIND, OTHER_KIND = "bsn-oid", "bsn", "none", "other"
ASSERTING = frozenset({OID_KIND, BSN_KIND})


def kind(text: str, extra: Collection[str] = ()) -> str:
    """Return the kind of issuer of one spelling; `extra` are the hospital's own for the BSN.

    HL7 CX and HD text counts by its components, so the spelling may stand anywhere among them.

    >>> kind("123456782^^^&2.16.840.1.113883.2.4.6.3&ISO"), kind("x^^^NLMINBIZA^NNNLD")
    ('bsn', 'bsn')
    >>> kind("BSN-BUREAU"), kind("BSN-BUREAU", extra=["BSN-Bureau"])
    ('other', 'bsn')
    """
    bare = text.strip(" \0")
    if not bare:
        return NO_KIND
    return OID_KIND if bare == BSN_OID else _kind(bare, tuple(extra))


@lru_cache(1 << 12)  # an archive has few issuers, and each stands in millions of headers
def _kind(bare: str, extra: tuple[str, ...]) -> str:
    own = {spelling.strip().upper() for spelling in extra} - {""}
    known = own | SPELLINGS | {BSN_OID}
    parts = {part.strip().upper() for part in bare.replace("&", "^").split("^")}
    return BSN_KIND if parts & known or bare.upper() in known else OTHER_KIND


def combined(
    issuer: str, qualifiers: Collection[str], value: str, extra: Collection[str] = ()
) -> str:
    """Return the kind of issuer that one place states: by issuer, qualifiers, or CX text.

    The OID in IssuerOfPatientID wins; otherwise any BSN spelling in IssuerOfPatientID, in
    IssuerOfPatientIDQualifiersSequence, or behind the number itself (CX) says BSN.

    >>> combined("", ["2.16.840.1.113883.2.4.6.3", "ISO"], "")
    'bsn'
    >>> combined("ZKH-OOST", [], "123456782^^^NLMINBIZA^NNNLD")
    'bsn'
    """
    own = kind(issuer, extra)
    if own == OID_KIND:
        return own
    behind = value.partition("^")[2]
    stated = [own, kind(behind, extra), *(kind(text, extra) for text in qualifiers)]
    return BSN_KIND if ASSERTING & set(stated) else own
