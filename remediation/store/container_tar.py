"""A tar's members, one after the other: a tar has no list of them.

`tarfile` reads a header's block; what extends a header is read here. In Python 3.11 a pax header
of 1 MiB can cost `tarfile` hours and all memory, a negative size an endless loop (CVE-2024-6232,
CVE-2025-8194), and a damaged header looks to it like the end.
Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual,
"Basic Tar Format" (long names, sparse files).
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator

from remediation.store.container_streams import (
    DAMAGED,
    FAR,
    MEMBER_CAP,
    MEMBER_DAMAGED,
    MEMBERS,
    ContainerError,
    Member,
    Need,
    Part,
    Stream,
    first_bytes,
    leads_out,
    text_of,
)

BLOCK = 512
HEADERS_CAP = 1024 * 1024  # bytes of headers before one member

_Said = dict[bytes, bytes]  # what extends a header: pax keywords to their values

_EXTENSIONS = frozenset({b"L", b"K", b"x", b"X", b"g"})  # GNU long name and link, pax headers
_FOLDERS = frozenset({tarfile.DIRTYPE, b"D"})  # D: GNU's dump of a folder
_GNU_MAGIC = b"ustar  \0"
_SPARSE = b"GNU.sparse."
_WANTED = frozenset({b"path", b"size", b"mtime"})
_SECONDS = re.compile(rb"(\d{1,10})(?:\.(\d*))?")
_NANOSECONDS_CAP = 1 << 63


def tar_members(stream: Stream, need: Need) -> Iterator[Member]:
    """Yield the members of a tar, from its first byte to the zeros that end it.

    Raises:
        ContainerError: It goes wrong in the middle, has too many members or inflates to too much.
        IoError: The descriptor cannot be read.
    """
    count = 0
    while (header := _header(stream)) is not None:
        count += 1
        if count > MEMBER_CAP:
            raise ContainerError(MEMBERS)
        info, said = header
        stored = _stored(info, said)
        part = Part(stream, stored)
        sparse = _is_sparse(info, said)
        name = _name(info, said)
        data, whole, error = b"", False, _refusal(info, name, sparse=sparse)
        # Older tars tell a folder by its name alone.
        folder = info.type in _FOLDERS or (name.endswith("/") and not stored)
        if not error and not folder:
            data, whole, error = first_bytes(part, need)
        if not part.skip(part.left):
            error = error or MEMBER_DAMAGED
        stream.skip(-stored % BLOCK)
        if not folder:
            yield Member(name, -1 if sparse else stored, _time(info, said), data, whole, error)


def _header(stream: Stream) -> tuple[tarfile.TarInfo, _Said] | None:
    """Read the header of the next member and what extends it; None where the zeros begin."""
    said: _Said = {}
    left = HEADERS_CAP
    while left > 0:
        block = stream.read(BLOCK)
        if not said and block == bytes(BLOCK):
            return None
        info = _info(block)
        if info.type not in _EXTENSIONS:
            _pass_map(stream, info, block)
            return info, said
        left -= BLOCK + info.size
        if info.size < 0 or left < 0:
            break
        payload = stream.read(info.size + -info.size % BLOCK)[: info.size]
        if info.type == tarfile.GNUTYPE_LONGNAME:
            said[b"path"] = payload.partition(b"\0")[0]
        elif info.type in {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}:
            said |= _records(payload)
    raise ContainerError(DAMAGED)


def _info(block: bytes) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except Exception:  # noqa: BLE001 - whatever `tarfile` makes of hostile bytes
        raise ContainerError(DAMAGED) from None
    if block[257:265] == _GNU_MAGIC:  # GNU tar keeps times where POSIX has a name's beginning
        info.name = text_of(block[:100].partition(b"\0")[0])
    return info


def _pass_map(stream: Stream, info: tarfile.TarInfo, block: bytes) -> None:
    """Pass over the blocks in which the header of a sparse file (old GNU format) goes on."""
    goes_on = info.type == tarfile.GNUTYPE_SPARSE and block[482]
    while goes_on:
        block = stream.read(BLOCK)
        goes_on = len(block) == BLOCK and block[504]


def _records(payload: bytes) -> _Said:
    r"""Return the records of a pax header that matter.

    >>> _records(b"15 path=IM0001\n12 comment=\n")
    {b'path': b'IM0001'}
    """
    said: _Said = {}
    at = 0
    while at < len(payload):
        digits, space, _ = payload[at : at + 8].partition(b" ")
        end = at + int(digits) if space and digits.isdigit() else 0
        key, equals, value = payload[at + len(digits) + 1 : end - 1].partition(b"=")
        if not equals or not payload[:end].endswith(b"\n") or end > len(payload):
            raise ContainerError(DAMAGED)
        if key in _WANTED or key.startswith(_SPARSE):
            said[key] = value
        at = end
    return said


def _stored(info: tarfile.TarInfo, said: _Said) -> int:
    """Return how many bytes of data follow the header."""
    if info.type in tarfile.SUPPORTED_TYPES and not info.isreg():
        return 0
    digits = said.get(b"size") or b"%d" % info.size
    stored = int(digits) if digits.isdigit() and len(digits) < 20 else FAR  # noqa: PLR2004
    if stored >= FAR:
        raise ContainerError(DAMAGED)
    return stored


def _name(info: tarfile.TarInfo, said: _Said) -> str:
    raw = said.get(_SPARSE + b"name") or said.get(b"path")
    return text_of(raw) if raw else info.name


def _is_sparse(info: tarfile.TarInfo, said: _Said) -> bool:
    return info.type == tarfile.GNUTYPE_SPARSE or any(key.startswith(_SPARSE) for key in said)


def _refusal(info: tarfile.TarInfo, name: str, *, sparse: bool) -> str:
    if leads_out(name):
        return "member-path"
    if not info.isreg():
        return "not-a-file"
    return "unsupported" if sparse else ""


def _time(info: tarfile.TarInfo, said: _Said) -> int:
    found = _SECONDS.fullmatch(said.get(b"mtime") or b"%d" % info.mtime)
    if not found:
        return 0
    moment = int(found[1]) * 10**9 + int((found[2] or b"")[:9].ljust(9, b"0"))
    return moment if moment < _NANOSECONDS_CAP else 0
