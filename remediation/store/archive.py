"""Reading heads from an archive share: one open a file, and its head's bytes. Nothing here writes.

Reading is total: whatever lies there gives a `Seen`, never an exception.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from remediation.dicom.deflated import FILE_CAP
from remediation.dicom.elements import (
    ITEM,
    LONG_VRS,
    PIXEL_GROUP,
    SEQUENCE_END,
    UNDEFINED,
    Head,
)
from remediation.dicom.header import (
    MEDIA_STORAGE_DIRECTORY,
    SHORT,
    looks_like_container,
    looks_like_dicom,
    quick_scan,
    scan,
)
from remediation.model.files import INSIDE, FileRef
from remediation.store.containers import ContainerError, Member, kind_of, members
from remediation.store.files import IoError, NotRegular, open_beneath, read_at

FIRST_READ = 16 * 1024
HEAD_CAP = 64 * 1024 * 1024
CUT = "truncated-pixel-data"
_PERMISSION, _UNREADABLE = "no-permission", "unreadable"
_DICOMDIR = MEDIA_STORAGE_DIRECTORY.encode()
_Order = Literal["little", "big"]
_whole = scan
Scan = Callable[[bytes, int], Head]  # bytes and size of the file to a head
_Read = Callable[[int, int], bytes]  # offset and length to bytes; fewer where there are no more


@dataclass(frozen=True, slots=True)
class Seen:
    """What reading one file gave: state as in the inventory, head where there is one."""

    ref: FileRef
    state: str
    error: str = ""
    head: Head | None = None
    head_bytes: bytes = b""  # the head as it stands in the file; where it is deflated, see `look`
    inside: str = ""  # path of the container that holds it


def see(root: Path, ref: FileRef, scan: Scan = scan) -> Seen:
    """Read the head of one file, or of one file inside a container, and how its pixels end."""
    path, _, member = ref.path.partition(INSIDE)
    try:
        descriptor = open_beneath(root, path)
    except (NotRegular, IoError) as error:
        return not_opened(ref, error)
    try:
        if member:
            found = (one for one in see_inside(descriptor, ref) if one.ref.path == ref.path)
            return next(found, Seen(ref, "unreadable", _UNREADABLE))
        status = os.fstat(descriptor)
        there = FileRef(path, status.st_size, status.st_mtime_ns)
        data = read_at(descriptor, 0, FIRST_READ)
        read = partial(read_at, descriptor)
        return look(there, data, read, to_the_end=scan is _whole, scan=scan)
    except (IoError, OSError):
        return Seen(ref, "unreadable", _UNREADABLE)
    finally:
        os.close(descriptor)


def not_opened(ref: FileRef, error: NotRegular | IoError) -> Seen:
    """Return what is to be said of a file that could not be opened."""
    if isinstance(error, NotRegular):
        return Seen(ref, "not-dicom", "not-a-file")
    denied = error.errno in (errno.EACCES, errno.EPERM)
    return Seen(ref, "unreadable", _PERMISSION if denied else _UNREADABLE)


def look(
    ref: FileRef, data: bytes, read: _Read, *, to_the_end: bool = False, scan: Scan = scan
) -> Seen:
    """Judge a file by its first bytes, reading on only where the head is longer.

    A deflated file is its own head, all of it, as far as such files are rewritten at all; of a
    larger one, and for a glance, `head_bytes` are empty.

    Args:
        ref: the file, with its size.
        data: its first bytes, `FIRST_READ` or more, or all there are.
        read: reads on.
        to_the_end: follow encapsulated Pixel Data through the file. Otherwise that is told only
            as far as the bytes at hand show it: a crawl does not read a share twice for it.
        scan: the scanner; with `glance` no more is read than is needed for who and when.

    Raises:
        IoError: reading on failed.
    """
    if looks_like_container(data):
        return Seen(ref, "container")
    if not looks_like_dicom(data):
        return Seen(ref, "not-dicom", "" if data else "empty")
    head, wanted = scan(data, ref.size), max(len(data), FIRST_READ)
    while head.error == SHORT and wanted < min(ref.size, HEAD_CAP):
        wanted *= 8
        data += read(len(data), min(wanted, HEAD_CAP) - len(data))
        head = scan(data, ref.size)
    error = "head-too-long" if head.error == SHORT else head.error
    if not error and not head.deflated:
        with contextlib.suppress(_UnreadError):
            at = read if to_the_end else _at_hand(data, ref.size)
            error = "" if _tail_whole(head, ref.size, at) else CUT
    sop_class = next((span for span in head.meta_spans if span[0] == 0x00020002), None)  # noqa: PLR2004
    if sop_class and data[sop_class[3] : sop_class[4]].rstrip(b"\0 ") == _DICOMDIR:
        return Seen(ref, "dicomdir", error)
    state = "unreadable" if error and error != CUT else "read"
    if head.deflated:
        whole = b"" if error else _all_of(ref, data, read, scan)
        head = scan(whole, ref.size) if len(whole) > len(data) else head
        return Seen(ref, "unreadable" if head.error else state, head.error or error, head, whole)
    return Seen(ref, state, error, head, data[: head.length])


def _all_of(ref: FileRef, data: bytes, read: _Read, scan: Scan) -> bytes:
    """Return a small file whole, or nothing."""
    if ref.size > FILE_CAP or scan not in (_whole, quick_scan):
        return b""
    data += read(len(data), ref.size - len(data)) if len(data) < ref.size else b""
    return data if len(data) == ref.size else b""


def see_inside(descriptor: int, container: FileRef) -> Iterator[Seen]:
    """Yield what is inside an open container; last, where it went wrong, the container itself."""
    path = container.path.partition(INSIDE)[0]
    kind = kind_of(read_at(descriptor, 0, FIRST_READ))
    if not kind:
        return
    try:
        for member in members(descriptor, kind, _needed, path.rpartition("/")[2]):
            yield _member(path, member)
    except ContainerError as error:
        yield Seen(container, "container", error.reason)


def _needed(data: bytes, whole: bool) -> int:  # noqa: FBT001 - containers' own signature
    """Return how many bytes of a member its head needs: 0 for no more."""
    if whole or not looks_like_dicom(data) or quick_scan(data, len(data) + 1).error != SHORT:
        return 0
    return min(8 * max(len(data), FIRST_READ), HEAD_CAP)


def _member(path: str, member: Member) -> Seen:
    size = len(member.data) if member.size < 0 else member.size
    ref = FileRef(path + INSIDE + member.name, size, member.mtime_ns)
    if member.error:
        state = "not-dicom" if member.error == "not-a-file" else "unreadable"
        return Seen(ref, state, member.error, inside=path)
    total = len(member.data) if member.whole else max(size, len(member.data) + 1)
    there = FileRef(ref.path, total, ref.mtime_ns)
    seen = look(there, member.data, lambda _at, _length: b"", scan=quick_scan)
    return Seen(ref, seen.state, seen.error, seen.head, seen.head_bytes, path)


def _tail_whole(head: Head, size: int, read: _Read) -> bool:
    """Tell whether Pixel Data ends within the file: by its length, or fragment by fragment."""
    if head.pixel_end is not None:
        return head.pixel_end <= size
    order: _Order = "little" if head.little else "big"
    position = head.length
    while position < size:  # elements of group 7FE0 before the fragments (offset tables)
        raw = read(position, 12)
        if len(raw) < 8:  # noqa: PLR2004 - the shortest header
            return False
        if _pair(raw, order) >> 16 != PIXEL_GROUP:
            return True
        long = head.explicit and raw[4:6].decode("latin-1") in LONG_VRS
        start, width = (8, 4) if long else (6, 2) if head.explicit else (4, 4)
        length = int.from_bytes(raw[start : start + width], order)
        position += start + width
        if length == UNDEFINED:
            return _fragments_end(position, size, order, read)
        position += length
    return position <= size


def _fragments_end(position: int, size: int, order: _Order, read: _Read) -> bool:
    """Tell whether fragments from `position` on come to their delimiter within the file."""
    while position + 8 <= size:
        raw = read(position, 8)
        tag, length = _pair(raw, order), int.from_bytes(raw[4:8], order)
        if tag == SEQUENCE_END:
            return True
        if tag != ITEM or length == UNDEFINED:
            return False
        position += 8 + length
    return False


def _pair(raw: bytes, order: _Order) -> int:
    return int.from_bytes(raw[:2], order) << 16 | int.from_bytes(raw[2:4], order)


class _UnreadError(Exception):
    """What would have to be read for the answer is not at hand."""


def _at_hand(data: bytes, size: int) -> _Read:
    """Return a reader of bytes that were read already."""

    def read(offset: int, length: int) -> bytes:
        if min(offset + length, size) > len(data):
            raise _UnreadError
        return data[offset : offset + length]

    return read
