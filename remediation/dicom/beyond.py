"""Beyond the head: what delta asks of the bytes that stand in neither head's elements.

A head is all that is compared, but for a deflated file: that is compared whole. Its inflated rest
must stay, and its stream must be the one that these bytes give, so that no bit of it is free.
Written without the code that makes such files. Source: PS3.5 section A.5.
"""

from __future__ import annotations

import zlib

from remediation.dicom.elements import Head

_DEFLATED = "1.2.840.10008.1.2.1.99"


def objection(old: bytes, before: Head, new: bytes, after: Head) -> str:
    """Return the rule that bytes outside both heads' elements break; empty for none."""
    if before.error or after.error:
        return "both heads parse to their end"
    if not (before.deflated or after.deflated):
        whole = (before.length, after.length) == (len(old), len(new))
        return "" if whole else "both heads parse to their end"
    if not (before.syntax == after.syntax == _DEFLATED):
        return "of deflated syntaxes, Explicit VR Little Endian alone"
    if before.data[before.length :] != after.data[after.length :]:
        return "the inflated rest unchanged"
    if not _ends(old, before):
        return "the old stream ends with the file"
    start = before.elements[0].start if before.elements else 0
    checked = old[-8:] == _checked(before.data[start:])
    right = old if after.data == before.data else _packed(after, checked=checked)
    return "" if new == right else "the stream that these bytes give"


def _checked(inflated: bytes) -> bytes:
    """Return CRC-32 and size, as gzip has them: some writers put them behind the stream."""
    return b"".join(n.to_bytes(4, "little") for n in (zlib.crc32(inflated), len(inflated)))


def _ends(data: bytes, head: Head) -> bool:
    """Tell whether a stream comes to its end, with nothing but one NUL or its check behind it."""
    start = head.elements[0].start if head.elements else 0
    stream = zlib.decompressobj(wbits=-15)
    inflated = stream.decompress(data[start:], len(head.data) - start + 1)
    behind = stream.unused_data in (b"", b"\0", _checked(inflated))
    return stream.eof and behind and inflated == head.data[start:]


def _packed(head: Head, *, checked: bool) -> bytes:
    start = head.elements[0].start if head.elements else 0
    stream = zlib.compressobj(level=9, wbits=-15)
    packed = stream.compress(head.data[start:]) + stream.flush()
    end = _checked(head.data[start:]) if checked else bytes(len(packed) % 2)
    return head.data[:start] + packed + end
