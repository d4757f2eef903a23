"""The system calls of the write protocol: create, copy, keep attributes, link, rename, remove.

Each works on a name in an open directory, so that a path cannot change meaning between two steps.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass

from remediation.store.files import BLOCK, IoError, guarded, read_at, write_all

_RETRIED = {errno.EINTR, errno.EAGAIN, errno.EBUSY}
_TRIES = 4
_NO_RANGE_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}


class AttributeLossError(IoError):
    """Owner, mode, access list, attributes or times cannot be given to the new file."""


def create(folder: int, name: bytes) -> int:
    """Create a file that must not exist yet, for writing, mode 0600; the caller closes it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with guarded("a file cannot be created"):
        return os.open(name, flags, 0o600, dir_fd=folder)


def copy_range(source: int, copy: int, offset: int, count: int) -> None:
    """Append `count` bytes from `offset` of `source` to `copy`, within the server where it can."""
    while count:
        try:
            done = os.copy_file_range(source, copy, count, offset_src=offset)
        except OSError as error:
            if error.errno not in _NO_RANGE_COPY:
                with guarded("a file cannot be copied"):
                    raise
            done = 0
        if not done:  # not on this filesystem, or between these two: through our own memory
            data = read_at(source, offset, min(count, BLOCK))
            if not data:
                raise IoError("a file ended while it was copied")
            write_all(copy, data)
            done = len(data)
        offset += done
        count -= done


def drop_cache(descriptor: int) -> None:
    """Ask for the next read to come from the disk or the server, not from memory."""
    with guarded("a cache cannot be dropped"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def copy_attributes(source: int, copy: int, mtime_ns: int | None, *, owner: bool = True) -> None:
    """Give `copy` the owner, extended attributes, mode and times of `source`.

    `mtime_ns` is the modification time to set (nanoseconds); None leaves the times alone. Without
    `owner`, neither the owner nor extended attributes are asked for.

    Raises:
        AttributeLossError: One of them cannot be kept.
    """
    try:
        wanted, made = os.fstat(source), os.fstat(copy)
        if owner:
            if (wanted.st_uid, wanted.st_gid) != (made.st_uid, made.st_gid):
                os.fchown(copy, wanted.st_uid, wanted.st_gid)
            # Before the mode, as an access list carries one; after the owner, which clears some.
            _copy_extended(source, copy)
        os.fchmod(copy, stat.S_IMODE(wanted.st_mode))
        if mtime_ns is not None:
            os.utime(copy, ns=(wanted.st_atime_ns, mtime_ns))
    except OSError as error:
        number = error.errno or 0
        raise AttributeLossError(
            "owner, mode or attributes cannot be kept", os.strerror(number), number=number
        ) from None


def _copy_extended(source: int, copy: int) -> None:
    wanted, held = _extended(source), _extended(copy)
    for name, value in wanted.items():
        if held.get(name) != value:
            os.setxattr(copy, name, value)
    for name in held.keys() - wanted.keys():
        # A directory's default access list is inherited; what a security module adds is its own.
        if not name.startswith("security."):
            os.removexattr(copy, name)


def _extended(descriptor: int) -> dict[str, bytes]:
    try:
        return {name: os.getxattr(descriptor, name) for name in os.listxattr(descriptor)}
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:  # a filesystem without any
            return {}
        raise


@dataclass(frozen=True, slots=True)
class Mark:
    """What shows that a file is still the one that was looked at, without reading it again."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Mark:
        """Return the mark of a stat result."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def same_file(self, other: Mark) -> bool:
        """Whether it is the same file, whatever became of it since."""
        return (self.device, self.inode) == (other.device, other.inode)

    def same_bytes(self, other: Mark) -> bool:
        """Whether it is the same file and was not written to; names and modes may differ."""
        unwritten = (self.size, self.mtime_ns) == (other.size, other.mtime_ns)
        return self.same_file(other) and unwritten


def mark(folder: int, name: bytes) -> Mark | None:
    """Return the mark of what stands under this name, a link not followed; None: nothing."""
    try:
        return Mark.of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None
    except OSError:
        with guarded("a file cannot be examined"):
            raise


def identity(folder: int, name: bytes) -> tuple[int, int] | None:
    """Return (device, inode) of what stands under this name, a link not followed; None: nothing."""
    found = mark(folder, name)
    return None if found is None else (found.device, found.inode)


def link(folder: int, name: bytes, aside: bytes) -> None:
    """Give a file a second name in the same directory, which must be free."""
    wanted = identity(folder, name)
    _persist(
        "a second name cannot be given",
        lambda: os.link(name, aside, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False),
        lambda: wanted is not None and identity(folder, aside) == wanted,
    )


def rename(folder: int, name: bytes, over: bytes) -> None:
    """Put a file in the place of another one of the same directory, in one step."""
    wanted = identity(folder, name)
    _persist(
        "a file cannot be renamed",
        lambda: os.rename(name, over, src_dir_fd=folder, dst_dir_fd=folder),
        lambda: wanted is not None and identity(folder, over) == wanted,
    )


def unlink(folder: int, name: bytes) -> None:
    """Remove a name; that it is gone already is well."""
    _persist(
        "a file cannot be removed",
        lambda: os.unlink(name, dir_fd=folder),
        lambda: identity(folder, name) is None,
    )


def _persist(doing: str, call: Callable[[], None], done: Callable[[], bool]) -> None:
    # A server's reply can be lost after the deed, or come without it: look at what is there.
    for attempt in range(_TRIES):
        try:
            call()
        except OSError as error:
            with contextlib.suppress(IoError):
                if done():
                    return
            if error.errno not in _RETRIED or attempt == _TRIES - 1:
                with guarded(doing):
                    raise
        else:
            if not done():
                raise IoError(doing, "the share says that it did, and did not")
            return
        time.sleep(0.02 * 4**attempt)
