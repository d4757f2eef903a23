"""Walking an archive share, folder by folder, in one order that is always the same.

The order is that of the names from the root down, a folder before what is in it: two walks of one
archive can be held against each other without either in memory. Links are never followed;
snapshots and our own temporary names are passed over. Nothing here writes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from remediation.errors import ShareError
from remediation.store.files import OURS

Parts = tuple[str, ...]  # names from the root down
File = tuple[str, int, int, str]  # name, size in bytes, mtime in nanoseconds, what it is

SNAPSHOTS = frozenset({".snapshot", "~snapshot", ".zfs"})
_LOOKED_INTO = 50  # folders, for a first file
_OURS = os.fsdecode(OURS)
_by_name = attrgetter("name")


class Folder(NamedTuple):
    """A folder that was listed: its files in the order of their names."""

    parts: Parts
    files: list[File]
    untold: int  # entries of which the server does not tell what they are
    share: float  # of the archive walked until here, 0 to 1, each folder as large as its sisters


class Passed(NamedTuple):
    """A folder that was not listed, and nothing is known of what is in it."""

    parts: Parts
    lost: bool  # it could not be listed; otherwise it was pruned
    share: float


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


def walk(root: Path, prune: Callable[[Parts], bool]) -> Iterator[Folder | Passed]:
    """Yield every folder below a root, and the root itself.

    Args:
        root: the archive root.
        prune: told the names of a folder from the root down; true passes it over.
    """
    base = str(root)
    stack: list[tuple[Parts, float, float]] = [((), 0.0, 1.0)]
    while stack:
        parts, share, width = stack.pop()
        if parts and prune(parts):
            yield Passed(parts, lost=False, share=share + width)
            continue
        try:
            with os.scandir("/".join((base, *parts))) as found:
                entries = sorted(found, key=_by_name)
        except OSError:
            if not parts:
                check_root(root)
            yield Passed(parts, lost=True, share=share + width)
            continue
        folders, files, untold = _told(entries)
        step = width / (len(folders) + 1)
        yield Folder(parts, files, untold, share + step)
        stack.extend(
            ((*parts, name), share + step * (n + 1), step)
            for n, name in reversed(list(enumerate(folders)))
        )


def first_files(root: Path, parts: Parts) -> Iterator[str]:
    """Yield paths of a few regular files below a folder: the first that a walk comes upon."""
    inside = (one for one in walk(root.joinpath(*parts), lambda _parts: False))
    for one in islice(inside, _LOOKED_INTO):
        if isinstance(one, Folder):
            for name, _, _, word in one.files[:1]:
                if word == "file":
                    yield "/".join((*parts, *one.parts, name))


def _told(entries: list[os.DirEntry[str]]) -> tuple[list[str], list[File], int]:
    """Return folders, files, and how many entries the server does not tell of."""
    folders: list[str] = []
    files: list[File] = []
    untold = 0
    for entry in entries:
        name = entry.name
        if name in SNAPSHOTS or name.startswith(_OURS):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)
                continue
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # vanished meanwhile
            continue
        except OSError:  # it is there, and the server does not tell what it is
            untold += 1
            continue
        mode = status.st_mode
        word = "file" if stat.S_ISREG(mode) else "link" if stat.S_ISLNK(mode) else "special"
        files.append((name, status.st_size, status.st_mtime_ns, word))
    return folders, files, untold
