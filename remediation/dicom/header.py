"""The header scanner: bytes in, spans out; strict, bounded and total.

Any bytes give a `Head`; what is wrong with them is its `error`, never an exception. Pixel Data is
not read. No recursion: nesting, elements and inflated bytes have caps. Source: PS3.5 section 7
(explicit and implicit VR, nesting), annex A (transfer syntaxes); PS3.10 section 7 (meta header).

Errors: `short`, `truncated`, `empty` (no element at all), `overrun` (longer than what holds it),
`no-item`, `stray-delimiter`, `fragments`, `undefined-length`, `bad-vr`, `too-deep`,
`too-many-elements`, `deflate` (damaged), `inflate-cap`. Notes, which are no errors: `no-meta`,
`implicit-meta`, `syntax-mismatch`, `unknown-vr`, `reserved`, `order`, `delimiter-length`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection

from remediation.dicom.elements import KNOWN_VRS, PIXEL_GROUP, Head, Span
from remediation.dicom.quick import QuickReader
from remediation.dicom.reader import SHORT, UNBOUNDED, VR_FORM, BrokenError, Reader

__all__ = [
    "MEDIA_STORAGE_DIRECTORY",
    "SHORT",
    "glance",
    "looks_like_container",
    "looks_like_dicom",
    "quick_scan",
    "scan",
]

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = frozenset(
    {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
)
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

INFLATE_CAP = 64 * 1024 * 1024
PREAMBLE = 132

_CONTAINERS = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf")
_GLANCED, _GLANCED_INTO = 0x0021, frozenset({0x00100024, 0x00101002})
_INFLATE_STEP = 16 * 1024  # what is lost of sound bytes before damaged ones


def looks_like_dicom(data: bytes) -> bool:
    """Tell whether bytes begin as a DICOM file does, with preamble or without."""
    if data[128:132] == b"DICM":
        return True
    if len(data) < 8:  # noqa: PLR2004 - the shortest element
        return False
    if _bare_big_endian(data):
        return True
    group, element = struct.unpack_from("<HH", data)
    if group not in (0x0002, 0x0008) or element > 0x0100:  # noqa: PLR2004 - the first groups
        return False
    return data[4:6].decode("latin-1") in KNOWN_VRS or data[6:8] == b"\0\0"


def _bare_big_endian(data: bytes) -> bool:
    return data[:2] == b"\0\x08" and data[4:6].decode("latin-1") in KNOWN_VRS


def looks_like_container(data: bytes) -> bool:
    """Tell whether bytes begin as an archive of files does: zip, gzip, bzip2, 7z, tar."""
    return data.startswith(_CONTAINERS) or data[257:262] == b"ustar"


def glance(data: bytes, total: int) -> Head:
    """Read patient, study and dates only: what stands up to group 0020, other sequences unopened.

    A third of the work of `scan`, and no ground to judge or rewrite a file on: the `Head` ends
    early, and has no error where one comes later.
    """
    return scan(data, total, until=_GLANCED, only=_GLANCED_INTO, quick=True)


def quick_scan(data: bytes, total: int) -> Head:
    """As `scan`, by the compiled pass where there is one: for a crawl, never to rewrite on."""
    return scan(data, total, quick=True)


def scan(
    data: bytes,
    total: int,
    *,
    until: int = PIXEL_GROUP,
    only: Collection[int] | None = None,
    quick: bool = False,
) -> Head:
    """Read the first bytes of a file into a `Head`.

    Args:
        data: the file's first bytes, from its start.
        total: the file's size in bytes; where `data` is less and the head goes on, the error is
            `short`: call again with more.
        until: the group at which to stop: see `glance`.
        only: the sequences to open; None for all.
        quick: by the compiled pass, where there is one.
    """
    read_by = QuickReader if quick else Reader
    start = PREAMBLE if data[128:PREAMBLE] == b"DICM" else 0
    missing = SHORT if len(data) < total else "truncated"
    if missing == SHORT and len(data) < PREAMBLE:
        return _unread(data, start, SHORT)
    reader = read_by(data, "<", missing, total)
    try:
        meta, position = reader.meta(start)
    except BrokenError as broken:
        return _unread(data, start, str(broken))
    syntax = _value(data, meta, 0x00020010)
    notes = reader.notes if meta else {"no-meta"}
    if not meta and _bare_big_endian(data[start : start + 8]):
        syntax = EXPLICIT_BIG
    body, deflated = data, syntax in DEFLATED
    if deflated:
        inflated, missing = _inflate(data[position:], missing)
        body, total = data[:position] + inflated, UNBOUNDED
    little = syntax != EXPLICIT_BIG
    reader = read_by(body, "<" if little else ">", missing, total)
    explicit = _is_explicit(body[position + 4 : position + 6], syntax)
    if syntax and explicit == (syntax == IMPLICIT_LITTLE):
        notes.add("syntax-mismatch")
    syntax = syntax or (EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE)
    spans, position, error = reader.data_set(position, explicit=explicit, until=until, only=only)
    notes |= reader.notes
    pixel_end = None
    if not (error or deflated) and until == PIXEL_GROUP:
        try:
            pixel_end = reader.pixel_end(position, explicit=explicit)
        except BrokenError as broken:
            error = SHORT if str(broken) == SHORT else ""
    error = error or ("" if spans else "empty")
    return Head(
        body,
        syntax,
        explicit,
        little,
        deflated,
        meta,
        spans,
        position,
        error,
        frozenset(notes),
        pixel_end,
        quick,
    )


def _value(data: bytes, spans: list[Span], tag: int) -> str:
    found = next((data[span[3] : span[4]] for span in spans if span[0] == tag), b"")
    return found.decode("latin-1").strip(" \0")


def _unread(data: bytes, start: int, error: str) -> Head:
    return Head(data, "", True, True, False, [], [], start, error)


def _is_explicit(vr: bytes, syntax: str) -> bool:
    """Judge by the first element: some writers put another form than the one they state."""
    if len(vr) < 2 or vr.decode("latin-1") in KNOWN_VRS:  # noqa: PLR2004 - a VR has two letters
        return bool(vr) or syntax != IMPLICIT_LITTLE
    return syntax != IMPLICIT_LITTLE and VR_FORM.fullmatch(vr) is not None


def _inflate(data: bytes, missing: str) -> tuple[bytes, str]:
    """Return inflated bytes, capped, and what it means to need more; empty: they are all there."""
    stream, parts, size = zlib.decompressobj(-zlib.MAX_WBITS), [], 0
    try:
        for start in range(0, len(data), _INFLATE_STEP):
            pending = data[start : start + _INFLATE_STEP]
            while pending and not stream.eof:
                parts.append(stream.decompress(pending, min(_INFLATE_STEP, INFLATE_CAP - size)))
                size += len(parts[-1])
                if size >= INFLATE_CAP:
                    return b"".join(parts), "inflate-cap"
                pending = stream.unconsumed_tail
    except zlib.error:
        return b"".join(parts), "deflate"
    return b"".join(parts), "" if stream.eof else missing
