"""Encode: elements, items and sequences as bytes, in a head's own transfer syntax.

Only what the closed list of identifier elements needs. Source: PS3.5 sections 6.2 (padding),
7.1 (element structures), 7.5 (sequences).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from remediation.dicom.elements import (
    ITEM,
    ITEM_END,
    LONG_VRS,
    SEQUENCE_END,
    UNDEFINED,
)


def padded(value: bytes) -> bytes:
    """Return a text value of even length; LO, CS, DT and UT are padded with a space.

    >>> padded(b"999900006"), padded(b"TEXT")
    (b'999900006 ', b'TEXT')
    """
    return value + b" " * (len(value) % 2)


@dataclass(frozen=True, slots=True)
class Encoder:
    """Writes elements with explicit or implicit VR, in the byte order of the file.

    >>> Encoder(explicit=True).text(0x00100022, "CS", b"TEXT").hex(" ")
    '10 00 22 00 43 53 04 00 54 45 58 54'
    >>> Encoder(explicit=False).text(0x00100022, "CS", b"TEXT").hex(" ")
    '10 00 22 00 04 00 00 00 54 45 58 54'
    >>> Encoder(explicit=True, little=False).text(0x00100022, "CS", b"TEXT").hex(" ")
    '00 10 00 22 43 53 00 04 54 45 58 54'
    """

    explicit: bool
    little: bool = True

    def header(self, tag: int, vr: str, length: int) -> bytes:
        """Return tag, VR and length."""
        head = self._pack("HH", tag >> 16, tag & 0xFFFF)
        if not self.explicit:
            return head + self._pack("L", length)
        if vr in LONG_VRS:
            return head + vr.encode() + b"\0\0" + self._pack("L", length)
        return head + vr.encode() + self._pack("H", length)

    def text(self, tag: int, vr: str, value: bytes) -> bytes:
        """Return an element with a text value, padded to even length."""
        value = padded(value)
        return self.header(tag, vr, len(value)) + value

    def sequence(self, tag: int, items: Sequence[bytes], *, undefined: bool = False) -> bytes:
        """Return a sequence of encoded items, with the length form that is asked for."""
        body = b"".join(items)
        if undefined:
            return self.header(tag, "SQ", UNDEFINED) + body + self._delimiter(SEQUENCE_END)
        return self.header(tag, "SQ", len(body)) + body

    def item(self, elements: Sequence[bytes], *, undefined: bool = False) -> bytes:
        """Return an item of encoded elements."""
        body = b"".join(elements)
        tag = self._pack("HH", ITEM >> 16, ITEM & 0xFFFF)
        if undefined:
            return tag + self._pack("L", UNDEFINED) + body + self._delimiter(ITEM_END)
        return tag + self._pack("L", len(body)) + body

    def number(self, value: int) -> bytes:
        """Return the value of a UL element, as a group length is.

        >>> Encoder(explicit=True, little=False).number(258).hex(" ")
        '00 00 01 02'
        """
        return self._pack("L", value)

    def _delimiter(self, tag: int) -> bytes:
        return self._pack("HHL", tag >> 16, tag & 0xFFFF, 0)

    def _pack(self, form: str, *numbers: int) -> bytes:
        return struct.pack(("<" if self.little else ">") + form, *numbers)
