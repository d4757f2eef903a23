"""Placement: where the BSN should stand, as a named setting, and what an order to write holds.

Two placements are right, at different moments: `at-rest` inside the hospital (PatientID is the
local number), `exchange` when sent (PatientID is the BSN). A hospital can make its own on the base
of either, as agreed with its PACS vendor. Source: PS3.3 C.7.1.1, C.12.1.1.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

from remediation.errors import ManifestError
from remediation.model.bsn import is_placeholder, passes
from remediation.model.issuers import BSN_OID

AT_REST, EXCHANGE = "at-rest", "exchange"
BUILT_IN = (AT_REST, EXCHANGE)
BUILT_IN_VERSION = "1"

# The only top-level elements that a correction may change, whatever the placement.
CLOSED_LIST = frozenset(
    {0x00100020, 0x00100021, 0x00100022, 0x00100024, 0x00101000, 0x00101002, 0x04000561}
)
MODIFYING_SYSTEM = "REMEDIATION"
ITEM_TYPE = "TEXT"
TEXT_CAP = 64  # characters of an LO value, PS3.5 section 6.2

ACTIONS = frozenset({"set", "add", "remove", "move", "append"})
VALUE_SOURCES = frozenset({"crosswalk", "header", "job", "constant"})

_MOMENT = re.compile(r"\d{14}(?:\.\d{1,6})?[+-]\d{4}", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)


def is_name(text: str) -> bool:
    """Tell whether a placement can be called this: it becomes part of reports and logs.

    >>> is_name("pacs-noord"), is_name("pacs noord")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Tell whether a placement's version can be called this.

    >>> is_version("2026-11"), is_version("")
    (True, False)
    """
    return _VERSION.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Placement:
    """A target placement: its name and everything that it settles.

    Attributes:
        target: its name.
        qualifiers: IssuerOfPatientIDQualifiersSequence is written beside the BSN.
        original_attributes: former values are kept in OriginalAttributesSequence.
        remove_retired: the BSN leaves OtherPatientIDs.
        base: the built-in placement that it is made on; of a built-in one, itself.
        version: the hospital's own, or that of the built-in rules.
        issuer: text of IssuerOfPatientID beside the BSN.
        typed: TypeOfPatientID is written beside the BSN.
        beside_retired: the BSN stands in OtherPatientIDs as well.
        digest: SHA-256 of the file that it was read from; empty for a built-in one.

    >>> Placement("nowhere")
    Traceback (most recent call last):
    ...
    ValueError: a placement is at-rest or exchange, or made on the base of one of them
    >>> Placement("pacs-noord", base="exchange").bsn_places
    ('PatientID',)
    """

    target: str = AT_REST
    qualifiers: bool = True
    original_attributes: bool = True
    remove_retired: bool = False
    base: str = ""
    version: str = BUILT_IN_VERSION
    issuer: str = BSN_OID
    typed: bool = True
    beside_retired: bool = False
    digest: str = ""

    def __post_init__(self) -> None:
        if not self.base and self.target in BUILT_IN:
            object.__setattr__(self, "base", self.target)
        for fault in self._faults():
            raise ValueError(fault)

    def _faults(self) -> Iterator[str]:
        if self.base not in BUILT_IN:
            yield "a placement is at-rest or exchange, or made on the base of one of them"
        if not (is_name(self.target) and is_version(self.version)):
            yield "a placement has a name and a version of plain letters, digits, - and _"
        own = (self.base, self.version, self.issuer, self.typed, self.beside_retired, self.digest)
        meant = (self.target, BUILT_IN_VERSION, BSN_OID, True, False, "")
        if self.target in BUILT_IN and own != meant:
            yield "the name of a built-in placement means that one"
        plain = self.issuer.isascii() and self.issuer.isprintable() and "\\" not in self.issuer
        if not (self.issuer.strip() == self.issuer != "" and plain) or len(self.issuer) > TEXT_CAP:
            yield "the issuer to write is plain ASCII, at most 64 characters"
        if self.beside_retired and self.remove_retired:
            yield "the BSN cannot both stand in OtherPatientIDs and leave it"
        if not (self.typed or self.primary_is_bsn):
            yield "an item of OtherPatientIDsSequence has a TypeOfPatientID"

    @classmethod
    def recorded(cls, said: Mapping[str, Any]) -> Placement:
        """Return the placement that a manifest records; what older ones do not name is a default.

        Raises:
            ManifestError: it is none that this version knows.
        """
        kinds = {one.name: type(one.default) for one in fields(cls)}
        if all(type(value) is kinds.get(name) for name, value in said.items()):
            with suppress(ValueError):
                return cls(**said)
        raise ManifestError(
            "the manifest's placement is not known to this version", "", "plan again"
        )

    @property
    def primary_is_bsn(self) -> bool:
        """Whether PatientID is the BSN: never in place, as a PACS would lose its own patients."""
        return self.base == EXCHANGE

    @property
    def bsn_places(self) -> tuple[str, ...]:
        """Keywords of the attributes in which the BSN stands, the one with its issuer first."""
        first = "PatientID" if self.primary_is_bsn else "OtherPatientIDsSequence"
        return (first, "OtherPatientIDs") if self.beside_retired else (first,)

    @property
    def local_place(self) -> str:
        """Keyword of the attribute in which the local number stands."""
        return "OtherPatientIDsSequence" if self.primary_is_bsn else "PatientID"

    @property
    def conformant_kind(self) -> str:
        """The kind of place (`places.kind`) in which a BSN is conformant."""
        return "primary" if self.primary_is_bsn else "other"

    @property
    def conformant_issuer(self) -> str:
        """The text of IssuerOfPatientID beside it with which it is conformant."""
        return self.issuer

    @property
    def conformant_is_right(self) -> bool:
        """Whether a conformant instance has all that is asked: OtherPatientIDs has no status."""
        return not self.beside_retired


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written into one study's heads; holds a plain BSN, so it is never printed.

    >>> Order("999900007", "ZKH-OOST", frozenset(), Placement(), "20260102030405.000000+0000")
    Traceback (most recent call last):
    ...
    ValueError: an order holds a number that passes the elfproef and is no placeholder
    """

    bsn: str = field(repr=False)
    local_issuer: str
    local_spellings: frozenset[str]  # how IssuerOfPatientID may spell that issuer
    placement: Placement
    at: str  # DICOM DT with UTC offset: the time of the plan
    extra_issuers: tuple[str, ...] = ()  # the hospital's own spellings of the BSN issuer
    placeholders: tuple[str, ...] = ()  # the hospital's own numbers that mean nothing

    def __post_init__(self) -> None:
        if not passes(self.bsn) or is_placeholder(self.bsn, self.placeholders):
            raise ValueError(
                "an order holds a number that passes the elfproef and is no placeholder"
            )
        if not _MOMENT.fullmatch(self.at):
            raise ValueError("an order's time is a DICOM DT with UTC offset")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to one attribute, as people read it; `token_of` is `bsn`, `local`, or empty.

    `set` puts a value in place of another, `add` where there was none, `move` takes one from
    elsewhere in the header, `remove` takes it out, `append` puts an item behind the others.

    >>> Edit("PatientID", "erase", "header")
    Traceback (most recent call last):
    ...
    ValueError: an edit has an action and a value source of the closed lists
    """

    attribute: str
    action: str
    value_source: str
    token_of: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS or self.value_source not in VALUE_SOURCES:
            raise ValueError("an edit has an action and a value source of the closed lists")
