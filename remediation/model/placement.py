"""Placement: where the BSN should stand, as a named setting, and what an order to write holds.

Two placements are right, at different moments: `at-rest` inside the hospital (PatientID is the
local number), `exchange` when sent (PatientID is the BSN). Source: PS3.3 C.7.1.1, C.12.1.1.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from remediation.model.bsn import is_placeholder, passes

AT_REST, EXCHANGE = "at-rest", "exchange"

# The only top-level elements that a correction may change, whatever the placement.
CLOSED_LIST = frozenset(
    {0x00100020, 0x00100021, 0x00100022, 0x00100024, 0x00101000, 0x00101002, 0x04000561}
)
MODIFYING_SYSTEM = "REMEDIATION"
ITEM_TYPE = "TEXT"
TEXT_CAP = 64  # characters of an LO value, PS3.5 section 6.2

_MOMENT = re.compile(r"\d{14}(?:\.\d{1,6})?[+-]\d{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Placement:
    """A target placement and its settings.

    >>> Placement("nowhere")
    Traceback (most recent call last):
    ...
    ValueError: a placement is at-rest or exchange
    """

    target: str = AT_REST
    qualifiers: bool = True
    original_attributes: bool = True
    remove_retired: bool = False

    def __post_init__(self) -> None:
        if self.target not in (AT_REST, EXCHANGE):
            raise ValueError("a placement is at-rest or exchange")


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
    """One change to one attribute, as people read it; `token_of` is `bsn`, `local`, or empty."""

    attribute: str
    action: str  # set | add | remove | move | append
    value_source: str  # crosswalk | header | job | constant
    token_of: str = ""
