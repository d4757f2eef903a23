"""Inputs to begin with: the small files that ship with pydicom, and built ones of every syntax."""

from __future__ import annotations

from collections.abc import Iterator

import builders as b
from samples import files, read

LARGEST = 64 * 1024  # bytes of an input
NUMBER = "999900006"


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes."""
    for name in files():
        if len(read(name)) <= LARGEST:
            yield name.replace("/", "-"), read(name)
    others = b.el(
        0x00101002,
        "SQ",
        [b.item(*b.identity(NUMBER, "NLMINBIZA"), undefined=True)],
        undefined=True,
    )
    block = b.private(0x0019, "SCHIJN 1.0", (1, "LO", NUMBER), (2, "UN", b"abcd"))
    for syntax in (b.EXPLICIT, b.IMPLICIT, b.BIG, b.DEFLATED, b.JPEG):
        elements = b.patient_head(*b.identity(NUMBER, "NLMINBIZA"), others, more=block)
        tail = b.pixels(b.EXPLICIT if syntax == b.DEFLATED else syntax)
        yield f"built-{syntax}", b.dicom(elements, syntax, tail=tail)
        yield f"bare-{syntax}", b.dicom(elements, syntax, preamble=None, tail=tail)
