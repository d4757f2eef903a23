"""Deflated: a data set that is compressed as a whole, opened, and closed again with proof.

A change of one element changes every byte of such a stream behind it. So all of the file counts
as its head: the digests cover it, the undo holds the old stream whole, and the file has no tail.
What must stay is held inflated: the new stream is opened by zlib and by ISA-L, two inflaters that
share no code, and both must find the spliced head and the old rest. Only Deflated Explicit VR
Little Endian is opened. Behind a stream stands nothing, one NUL to an even length, or what gzip
puts there (CRC-32 and size), as some writers do; that is made anew. Source: PS3.5 section A.5,
RFC 1951, RFC 1952.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

from remediation.dicom.elements import Head
from remediation.dicom.reader import BrokenError, Reader

try:
    from isal import isal_zlib
except ImportError:  # no build for this machine: then there is no second inflater, and no proof
    isal_zlib = None  # type: ignore[assignment,unused-ignore]

SYNTAX = "1.2.840.10008.1.2.1.99"
FILE_CAP = 256 * 1024  # bytes of the file: the journal keeps them all
INFLATED_CAP = 16 * 1024 * 1024  # bytes
_RAW = -zlib.MAX_WBITS

REFUSALS = {
    "deflated": "another deflated syntax than Explicit VR Little Endian, or no second inflater",
    "deflated-too-large": "a deflated file of which the undo would be too large to keep",
    "deflated-unproven": "a deflated file that two inflaters do not read alike to its end",
    "truncated": "Pixel Data ends behind the end of the inflated data set",
}


def refusal(raw: bytes, head: Head) -> str:
    """Return why a deflated file is not rewritten; empty where it may be.

    Args:
        raw: the whole file; empty where it is not at hand.
        head: its head, of inflated bytes.
    """
    if head.syntax != SYNTAX or isal_zlib is None or not raw:
        return "deflated"
    if len(raw) > FILE_CAP or len(head.data) > INFLATED_CAP:
        return "deflated-too-large"
    if not _proven(raw, head.data, _start(head)):
        return "deflated-unproven"
    return "" if _whole(head) else "truncated"


def closed(raw: bytes, head: Head, new_head: bytes) -> bytes:
    """Return the whole new file for a new head; empty where the proof fails."""
    start = _start(head)
    plain = new_head + head.data[head.length :]
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW)
    stream = packer.compress(plain[start:]) + packer.flush()
    sealed = raw.endswith(_seal(head.data[start:]))
    made = raw[:start] + stream + (_seal(plain[start:]) if sealed else bytes(len(stream) % 2))
    return made if plain[:start] == raw[:start] and _proven(made, plain, start) else b""


def _start(head: Head) -> int:
    """Return the offset of the stream: what stands before is as it is in the file."""
    return head.elements[0].start


def _proven(raw: bytes, plain: bytes, start: int) -> bool:
    """Tell whether both inflaters find exactly these bytes in a stream, and nothing behind it."""
    wanted = plain[start:]
    return raw[:start] == plain[:start] and all(
        opened(raw[start:], len(wanted) + 1) == wanted for opened in (_by_zlib, _by_isal)
    )


def _by_zlib(stream: bytes, most: int) -> bytes | None:
    return _inflated(zlib.decompressobj, zlib.error, stream, most)


def _by_isal(stream: bytes, most: int) -> bytes | None:
    return _inflated(isal_zlib.decompressobj, isal_zlib.error, stream, most)


def _inflated(opener: Callable[..., Any], error: Any, stream: bytes, most: int) -> bytes | None:
    """Return what a stream holds, at most so many bytes; None where it is not whole and alone."""
    opened = opener(wbits=_RAW)
    try:
        found: bytes = opened.decompress(stream, most)
    except error:
        return None
    alone = opened.eof and opened.unused_data in (b"", b"\0", _seal(found))
    return found if alone else None


def _seal(plain: bytes) -> bytes:
    """Return what gzip puts behind a stream."""
    return struct.pack("<LL", zlib.crc32(plain), len(plain))


def _whole(head: Head) -> bool:
    reader = Reader(head.data, "<", "truncated", len(head.data))
    try:
        end = reader.pixel_end(head.length, explicit=head.explicit)
    except BrokenError:
        return False
    return end is None or end <= len(head.data)
