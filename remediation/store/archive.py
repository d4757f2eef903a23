"""The archive share: walking it and reading heads. Nothing here writes.

Links are never followed, snapshots and our own temporary names are passed over, and a file is
opened once: its size and mtime come from the open descriptor.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
    scan,
)
from remediation.errors import ShareError
from remediation.model.files import FileRef
from remediation.store.files import OURS, IoError, NotRegular, open_beneath, read_at

FIRST_READ = 16 * 1024
HEAD_CAP = 64 * 1024 * 1024
_SNAPSHOTS = frozenset({".snapshot", "~snapshot", ".zfs"})
_PERMISSION, _UNREADABLE = "no-permission", "unreadable"
_DICOMDIR = MEDIA_STORAGE_DIRECTORY.encode()
_Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What reading one file gave: state as in the inventory, head where there is one."""

    ref: FileRef
    state: str
    error: str = ""
    head: Head | None = None
    head_bytes: bytes = b""  # the head as it stands in the file; empty where it is deflated


def check_root(root: Path) -> None:
    """Raise ShareError unless an archive root is a directory that can be listed."""
    if not root.is_dir():
        raise ShareError(
            "the archive root is missing", str(root), "mount the share, or mend `root`"
        )
    try:
        with os.scandir(root):
            pass
    except OSError as error:
        raise ShareError(
            "the archive root cannot be read", str(root), "give this user read permission"
        ) from error


def walk(
    root: Path,
    skip: Callable[[list[str]], bool],
    lost: Callable[[], None],
) -> Iterator[tuple[FileRef, str]]:
    """Yield every entry below a root with a word on what it is: `file`, `link`, or `special`.

    Args:
        root: the archive root.
        skip: told the names of a directory from the root down; true prunes it.
        lost: called for each directory that cannot be listed, and each entry that cannot be told.
    """
    stack: list[list[str]] = [[]]
    while stack:
        parts = stack.pop()
        try:
            with os.scandir(root.joinpath(*parts)) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            if not parts:
                check_root(root)
            lost()
            continue
        folders = []
        for entry in entries:
            if entry.name in _SNAPSHOTS or os.fsencode(entry.name).startswith(OURS):
                continue
            inside = [*parts, entry.name]
            try:
                folder = entry.is_dir(follow_symlinks=False)
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # vanished meanwhile
                continue
            except OSError:  # it is there, and the server does not tell what it is
                lost()
                continue
            if not folder:
                ref = FileRef("/".join(inside), status.st_size, status.st_mtime_ns)
                yield ref, _word(status.st_mode)
            elif not skip(inside):
                folders.append(inside)
        stack.extend(reversed(folders))


def _word(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    return "link" if stat.S_ISLNK(mode) else "special"


def see(root: Path, ref: FileRef) -> Seen:
    """Read one file's head. Total: whatever lies there gives a `Seen`, never an exception."""
    try:
        descriptor = open_beneath(root, ref.path)
    except NotRegular:
        return Seen(ref, "not-dicom", "not-a-file")
    except IoError as error:
        denied = error.errno in (errno.EACCES, errno.EPERM)
        return Seen(ref, "unreadable", _PERMISSION if denied else _UNREADABLE)
    try:
        return _see(descriptor, ref.path)
    except (IoError, OSError):
        return Seen(ref, "unreadable", _UNREADABLE)
    finally:
        os.close(descriptor)


def _see(descriptor: int, path: str) -> Seen:
    status = os.fstat(descriptor)
    ref = FileRef(path, status.st_size, status.st_mtime_ns)
    wanted = FIRST_READ
    data = read_at(descriptor, 0, wanted)
    if looks_like_container(data):
        return Seen(ref, "container")
    if not looks_like_dicom(data):
        return Seen(ref, "not-dicom", "" if data else "empty")
    head = scan(data, ref.size)
    while head.error == SHORT and wanted < min(ref.size, HEAD_CAP):
        wanted *= 8
        data += read_at(descriptor, len(data), min(wanted, HEAD_CAP) - len(data))
        head = scan(data, ref.size)
    error = "head-too-long" if head.error == SHORT else head.error
    if not error and not head.deflated and not _tail_whole(descriptor, head, ref.size):
        error = "truncated-pixel-data"
    directory = next((e for e in head.meta if e.tag == 0x00020002), None)  # noqa: PLR2004
    whole = data if head.deflated else data[: head.length]
    if directory and data[directory.value : directory.end].rstrip(b"\0 ") == _DICOMDIR:
        return Seen(ref, "dicomdir", error)
    state = "unreadable" if error and error != "truncated-pixel-data" else "read"
    return Seen(ref, state, error, head, b"" if head.deflated else whole)


def _tail_whole(descriptor: int, head: Head, size: int) -> bool:
    """Tell whether Pixel Data ends within the file: by its length, or fragment by fragment."""
    if head.pixel_end is not None:
        return head.pixel_end <= size
    order: _Order = "little" if head.little else "big"
    position = head.length
    while position < size:  # elements of group 7FE0 before the fragments (offset tables)
        raw = read_at(descriptor, position, 12)
        if len(raw) < 8:  # noqa: PLR2004 - the shortest header
            return False
        if _pair(raw, order) >> 16 != PIXEL_GROUP:
            return True
        long = head.explicit and raw[4:6].decode("latin-1") in LONG_VRS
        start, width = (8, 4) if long else (6, 2) if head.explicit else (4, 4)
        length = int.from_bytes(raw[start : start + width], order)
        position += start + width
        if length == UNDEFINED:
            return _fragments_end(descriptor, position, size, order)
        position += length
    return position <= size


def _fragments_end(descriptor: int, position: int, size: int, order: _Order) -> bool:
    """Tell whether fragments from `position` on come to their delimiter within the file."""
    while position + 8 <= size:
        raw = read_at(descriptor, position, 8)
        tag, length = _pair(raw, order), int.from_bytes(raw[4:8], order)
        if tag == SEQUENCE_END:
            return True
        if tag != ITEM or length == UNDEFINED:
            return False
        position += 8 + length
    return False


def _pair(raw: bytes, order: _Order) -> int:
    return int.from_bytes(raw[:2], order) << 16 | int.from_bytes(raw[2:4], order)
