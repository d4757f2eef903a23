"""Small file helpers: open beneath a root, write durably, copy, digest. No error names a path.

A path of an archive can hold a name or a number, so a failed system call comes out as `IoError`
with its `errno` and no path: the caller knows which file it was working on.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from remediation.errors import ShareError

OURS = b".remediation-"  # every name that we make in an archive begins with this
BLOCK = 1 << 20  # bytes read, hashed and written at a time
_READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_READING |= getattr(os, "O_CLOEXEC", 0)


class IoError(ShareError):
    """A system call failed; `errno` tells how (0: not a system call's own verdict)."""

    def __init__(self, what: str, where: str = "", mend: str = "", *, number: int = 0) -> None:
        super().__init__(what, where, mend)
        self.errno = number


class SyncError(IoError):
    """fsync failed: what was written may be lost, and asking again may lie. Never retried."""


class NotRegular(ShareError):  # noqa: N818 - a fact about the file, not a fault
    """Not a regular file beneath the root: a link in its path, a directory, a pipe, a device."""


def _failed(doing: str, error: OSError, where: str = "") -> IoError:
    number = error.errno or 0
    cause = os.strerror(number)
    return IoError(doing, f"{where}: {cause}" if where else cause, number=number)


@contextlib.contextmanager
def guarded(doing: str, where: str = "") -> Iterator[None]:
    """Turn any `OSError` into an `IoError` that says what was being done, and names no path.

    `where` may name a file of our own.
    """
    try:
        yield
    except OSError as error:
        raise _failed(doing, error, where) from None


def is_ours(name: bytes | str) -> bool:
    """Whether this file name is one of ours, to be passed over by a crawl.

    >>> is_ours(b".remediation-r1-2-0.new"), is_ours("IM0001.dcm")
    (True, False)
    """
    return os.fsencode(name).startswith(OURS)


# --- opening ----------------------------------------------------------------------------------


def _parts(relative: bytes | str) -> list[bytes]:
    parts = os.fsencode(relative).split(b"/")
    if any(part in {b"", b".", b".."} or b"\0" in part for part in parts):
        raise NotRegular("a path does not stay beneath its root")
    return parts


def _open_folder(name: Path | bytes, folder: int | None = None) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    # The root is the administrator's own choice and may be a link; nothing below it may be one.
    return os.open(name, flags if folder is None else flags | os.O_NOFOLLOW, dir_fd=folder)


@contextlib.contextmanager
def parent_of(
    root: Path, relative: bytes | str, *, make: bool = False
) -> Iterator[tuple[int, bytes]]:
    """Open the directory of `relative` beneath `root`, following no link: its descriptor, the name.

    `make` creates the directories that are missing (mode 0700, made durable).

    Raises:
        NotRegular: The path would leave the root, or a part of it is a link or no directory.
        IoError: A directory is missing or cannot be opened.
    """
    *folders, name = _parts(relative)
    with guarded("a directory cannot be opened"):
        current = _open_folder(root)
    try:
        for part in folders:
            try:
                if make:
                    _make_folder(part, current)
                below = _open_folder(part, current)
            except OSError as error:
                if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                    raise NotRegular("a path leads through a link or a file") from None
                with guarded("a directory cannot be opened"):
                    raise
            close_read(current)
            current = below
        yield current, name
    finally:
        close_read(current)


def _make_folder(name: bytes, parent: int) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
        os.fsync(parent)


def open_at(folder: int, name: bytes) -> int:
    """Open a regular file in an open directory for reading; a pipe does not block.

    Raises:
        NotRegular: It is a link, a directory, a pipe or a device.
        IoError: It cannot be opened; `errno` is ENOENT where it is missing.
    """
    return _opened(folder, name)[0]


def _opened(folder: int, name: bytes) -> tuple[int, os.stat_result]:
    try:
        descriptor = os.open(name, _READING, dir_fd=folder)
    except OSError as error:
        # A socket or a device without a driver says ENXIO.
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.ENODEV}:
            raise NotRegular("not a regular file") from None
        raise _failed("a file cannot be opened", error) from None
    try:
        status = os.fstat(descriptor)
    except OSError as error:
        close_read(descriptor)
        raise _failed("a file cannot be examined", error) from None
    if not stat.S_ISREG(status.st_mode):
        close_read(descriptor)
        raise NotRegular("not a regular file")
    return descriptor, status


def open_beneath(root: Path, relative: bytes | str) -> int:
    """Open a regular file beneath `root` for reading, no link followed in any part of its path.

    The caller closes the descriptor.

    Raises:
        NotRegular: It is no regular file, or its path leaves the root or leads through a link.
        IoError: It cannot be opened; `errno` is ENOENT where it is missing.
    """
    with parent_of(root, relative) as (folder, name):
        return open_at(folder, name)


def open_once(root: int, base: bytes, relative: str) -> tuple[int, os.stat_result] | None:
    """Open a regular file beneath an open root with one call, as `open_beneath` does with several.

    A share answers every open in its own time, those of directories too. Whether a link was
    followed is asked of the kernel afterwards: it knows where the open file really lies. None
    where it lies elsewhere, or where this system cannot tell; ask `open_beneath` then.

    Args:
        root: descriptor of the root.
        base: real path of the root, with a slash behind it.
        relative: path of the file beneath it.

    Raises:
        NotRegular: It is a link, a directory, a pipe or a device, or its path leaves the root.
        IoError: It cannot be opened; `errno` is ENOENT where it is missing.
    """
    path = os.fsencode(relative)
    if b".." in path or b"//" in path or path.startswith(b"/"):
        path = b"/".join(_parts(path))
    opened = _opened(root, path)
    try:
        lies = os.readlink(f"/proc/self/fd/{opened[0]}".encode())  # noqa: PTH115 - bytes
    except OSError:
        lies = b""
    if lies == base + path:
        return opened
    close_read(opened[0])
    return None


@contextlib.contextmanager
def reading(folder: int, name: bytes) -> Iterator[int]:
    """`open_at`, closed at the end of the block."""
    descriptor = open_at(folder, name)
    try:
        yield descriptor
    finally:
        close_read(descriptor)


def close_read(descriptor: int) -> None:
    """Close what was only read: nothing can be lost by it."""
    with contextlib.suppress(OSError):
        os.close(descriptor)


# --- reading, writing, copying ------------------------------------------------------------------


def read_head(descriptor: int, length: int) -> bytes:
    """Return the first `length` bytes of the file, fewer only where the file ends earlier."""
    return read_at(descriptor, 0, length)


def read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Return `length` bytes from `offset`, fewer only where the file ends earlier."""
    pieces: list[bytes] = []
    try:
        while length > 0 and (piece := os.pread(descriptor, length, offset)):
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
    except OSError as error:
        raise _failed("a file cannot be read", error) from None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def blocks(descriptor: int, offset: int = 0) -> Iterator[bytes]:
    """Yield the file from `offset` to its end, at most `BLOCK` bytes at a time."""
    while piece := read_at(descriptor, offset, BLOCK):
        yield piece
        offset += len(piece)


def sha256_of(descriptor: int) -> str:
    """Return the SHA-256 of the whole file, in hexadecimal digits.

    For the journal and for comparing only: a digest that leaves the journal is keyed.
    """
    digest = hashlib.sha256()
    for piece in blocks(descriptor):
        digest.update(piece)
    return digest.hexdigest()


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`: a short write raises nothing, so go on until it is all there."""
    rest = memoryview(data)
    with guarded("a file cannot be written"):
        while rest:
            rest = rest[os.write(descriptor, rest) :]


# --- durability ---------------------------------------------------------------------------------


def fsync(descriptor: int) -> None:
    """Make a file or a directory durable.

    Raises:
        SyncError: It may not be; never ask again, discard what was written.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        number = error.errno or 0
        raise SyncError("not made durable", os.strerror(number), number=number) from None


def close_written(descriptor: int) -> None:
    """Close what was written to: a server can report a full disk as late as here."""
    with guarded("a written file cannot be closed"):
        os.close(descriptor)


def durable_write(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a small file whole or not at all: beside it, durable, then in its place.

    For artefacts of our own (JSON, TOML, keys), whose names are no secret. An existing file is
    replaced; `mode` holds whatever the umask.

    Raises:
        IoError: It could not be written; the former file stands.
    """
    with replacing(path, mode) as descriptor:
        write_all(descriptor, data)


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[int]:
    """Open a file to be written whole or not at all, as `durable_write` does; its descriptor.

    After the block it is made durable and put in its place; after an error nothing is left of it.

    Raises:
        IoError: It could not be written; the former file stands.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with guarded("a file cannot be written", path.name):
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            yield descriptor
            if hasattr(os, "fchmod"):
                with guarded("a file's mode cannot be set", path.name):
                    os.fchmod(descriptor, mode)
            fsync(descriptor)
        finally:
            close_written(descriptor)
        with guarded("a file cannot be replaced", path.name):
            beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a directory durable, where the system has a way to."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with guarded("a directory cannot be opened"):
        descriptor = _open_folder(path)
    try:
        fsync(descriptor)
    finally:
        close_read(descriptor)
