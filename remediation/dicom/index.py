"""The index of a head's spans: those at the top by tag, identifiers, texts that may hold a number.

One pass that serves everybody who looks for something in a head. Compiled where that is asked for
and was compiled; both give the same.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from remediation.model.places import PRIVATE_PATIENT_NUMBERS

try:
    from remediation.dicom import _pass
except ImportError:  # there was no compiler where this was installed
    COMPILED = False
else:
    COMPILED = os.environ.get("REMEDIATION_PURE") != "1"

PATIENT_ID, OTHER_IDS = 0x00100020, 0x00101000
_PRIVATE = (name[1:-1].split(",xx") for _, name in PRIVATE_PATIENT_NUMBERS)
IDENTIFIER_TAGS = frozenset({PATIENT_ID, OTHER_IDS}) | frozenset(
    int(group, 16) << 16 | block << 8 | int(number, 16)
    for group, number in _PRIVATE
    for block in range(0x10, 0x100)
)
TEXT_VRS = frozenset({b"AE", b"CS", b"LO", b"LT", b"PN", b"SH", b"ST", b"UC", b"UR", b"UT", b"UN"})
LEAST = 8  # bytes of a value that can hold a number


class Index(NamedTuple):
    """The first top-level span of each tag, and indices of spans among all of them."""

    top: dict[int, Any]
    identifiers: list[int]  # of an identifier's tag, wherever they stand
    texts: list[int]  # of a text VR and long enough


def index(spans: list[Any], *, quick: bool = False) -> Index:
    """Return the index of spans; `quick`: by the compiled pass, where there is one."""
    if quick and COMPILED:
        return Index(*_pass.index(spans, IDENTIFIER_TAGS, TEXT_VRS, LEAST))
    top: dict[int, Any] = {}
    end = -1
    for span in spans:
        if span[2] >= end:
            top.setdefault(span[0], span)
            end = span[4]
    return Index(
        top,
        [n for n, span in enumerate(spans) if span[0] in IDENTIFIER_TAGS],
        [
            n
            for n, (_, vr, _, value, after, _) in enumerate(spans)
            if after - value >= LEAST and vr in TEXT_VRS
        ],
    )
