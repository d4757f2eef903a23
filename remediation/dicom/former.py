"""Former values: the item of OriginalAttributesSequence that says what was changed, when, by what.

Source: PS3.3 table C.12-1 (original attributes) and section C.12.1.1.9.
"""

from __future__ import annotations

from collections.abc import Sequence

from remediation.dicom.encode import Encoder
from remediation.model.placement import MODIFYING_SYSTEM

_MODIFIED, _WHEN, _SYSTEM = 0x04000550, 0x04000562, 0x04000563
_SOURCE, _REASON = 0x04000564, 0x04000565


def former_item(encoder: Encoder, values: Sequence[bytes], at: str, *, wrong: bool) -> bytes:
    """Return the item that keeps former values.

    Args:
        encoder: writes in the head's own syntax.
        values: encoded elements as they were; one of no length for what was absent.
        at: DICOM DT with UTC offset.
        wrong: a wrong value was replaced; else values were only added or moved.
    """
    text = encoder.text
    return encoder.item(
        [
            encoder.sequence(_MODIFIED, [encoder.item(values)]),
            text(_WHEN, "DT", at.encode()),
            text(_SYSTEM, "LO", MODIFYING_SYSTEM.encode()),
            text(_SOURCE, "LO", b""),
            text(_REASON, "CS", b"CORRECT" if wrong else b"COERCE"),
        ]
    )
