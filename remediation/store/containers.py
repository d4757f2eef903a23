"""Containers of an archive: zip, tar and gzip read as streams, member by member. Nothing unpacks.

Total and bounded: whatever the bytes are, members come out and then at most one `ContainerError`.
No path of a container is opened or made, and only the first bytes of each member are kept.
Where a reason or an error is told, it is a word of a closed list, never a name or bytes.

Sources: PKWARE APPNOTE (zip), POSIX pax (tar), RFC 1952 section 2.3 (gzip); see `container_zip`
and `container_tar`.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

from remediation.store.container_streams import (
    DAMAGED,
    HEAD_CAP,
    INFLATED_CAP,
    MEMBER_CAP,
    ContainerError,
    Inflated,
    Member,
    Meter,
    Need,
    Span,
    first_bytes,
)
from remediation.store.container_tar import BLOCK, tar_members
from remediation.store.container_zip import EMPTY, LOCAL, zip_members
from remediation.store.files import read_at

__all__ = [
    "HEAD_CAP",
    "INFLATED_CAP",
    "MEMBER_CAP",
    "ContainerError",
    "Member",
    "Need",
    "kind_of",
    "members",
]

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def kind_of(first: bytes) -> str:
    r"""Return `zip`, `tar` or `gzip` by a file's first bytes (262 or more); empty for others.

    >>> kind_of(b"\x1f\x8b\x08\0"), kind_of(b"BZh9")
    ('gzip', '')
    """
    if first.startswith((LOCAL, EMPTY)):
        return "zip"
    if first.startswith(b"\x1f\x8b\x08"):  # 8: deflated, the one method there is
        return "gzip"
    return "tar" if _is_tar(first) else ""


def members(descriptor: int, kind: str, need: Need, name: str = "") -> Iterator[Member]:
    """Yield every member of a container but its folders, in the container's order.

    Args:
        descriptor: the container, open and seekable; it is not closed.
        kind: as `kind_of` says.
        need: told the first bytes of a member and whether that is all; returns how many bytes it
            wants from the member's start, up to `HEAD_CAP`. No more than it was told: enough.
        name: the container's own file name, by which the one member of a gzip file is named.

    Raises:
        ContainerError: The rest cannot be listed or is too much.
        IoError: The descriptor cannot be read.
    """
    size = os.fstat(descriptor).st_size
    if kind == "zip":
        yield from zip_members(descriptor, size, need)
    elif kind == "tar":
        yield from tar_members(Span(descriptor, 0, size), need)
    elif kind != "gzip":
        raise ContainerError(DAMAGED)
    elif _is_tar(_inflated(descriptor, size).read(BLOCK)):
        yield from tar_members(_inflated(descriptor, size), need)
    else:
        yield _gzip_member(descriptor, size, need, name)


def _is_tar(first: bytes) -> bool:
    return first[257:262] == b"ustar"


def _inflated(descriptor: int, size: int) -> Inflated:
    return Inflated(Span(descriptor, 0, size), _GZIP_WINDOW, Meter())


def _gzip_member(descriptor: int, size: int, need: Need, name: str) -> Member:
    data, whole, error = first_bytes(_inflated(descriptor, size), need)
    if error and not data:
        raise ContainerError(DAMAGED)
    seconds = int.from_bytes(read_at(descriptor, 4, 4), "little")  # MTIME
    shown = name[:-3] if name.lower().endswith(".gz") else name
    return Member(shown or name, -1, seconds * 10**9, data, whole, error)
