"""The frame of a sample: the folders of an archive share, listed where a draw comes by.

Links are never followed. Nothing here writes.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from remediation.errors import ShareError
from remediation.model.draws import Parts, Start
from remediation.model.files import Layout
from remediation.store.files import OURS
from remediation.store.walking import SNAPSHOTS

Pace = Callable[[], None]  # called before each folder and each file that is read

WHOLE, BESIDE = "all", "beside"  # cells that are no month
_KEPT = 500_000  # names of folders that are remembered: some 60 MB


class Listing(NamedTuple):
    """What lies in a folder, in the order of the names; links and devices are left out."""

    folders: tuple[str, ...]
    files: tuple[str, ...]


class Folders:
    """The folders of one archive; can be asked from several threads at once.

    Attributes:
        listed: folders that were listed.
        lost: folders and entries of which the server told nothing.
    """

    def __init__(self, root: Path, pace: Pace) -> None:
        self.root, self.pace = root, pace
        self.listed: set[Parts] = set()
        self.lost: set[Parts] = set()
        self._kept: OrderedDict[Parts, Listing] = OrderedDict()
        self._names = 0
        self._lock = Lock()

    def listing(self, folder: Parts) -> Listing:
        """List a folder; one that cannot be listed is empty, and noted as lost.

        Raises:
            ShareError: the archive root itself cannot be listed.
        """
        with self._lock:
            known = self._kept.get(folder)
            if known is not None:
                self._kept.move_to_end(folder)
                return known
        self.pace()
        try:
            with os.scandir(self.root.joinpath(*folder)) as entries:
                found = self._sorted(entries, folder)
        except OSError as error:
            if not folder:
                raise ShareError(
                    "the archive root cannot be read", str(self.root), "mount the share"
                ) from error
            self.lost.add(folder)
            return Listing((), ())
        self.listed.add(folder)
        with self._lock:
            self._keep(folder, found)
        return found

    def forget(self) -> None:
        """Forget what lies in folders: no draw from here on goes there."""
        with self._lock:
            self._kept.clear()
            self._names = 0

    def _sorted(self, entries: Iterable[os.DirEntry[str]], folder: Parts) -> Listing:
        folders, files = [], []
        for entry in entries:
            if entry.name in SNAPSHOTS or os.fsencode(entry.name).startswith(OURS):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
            except OSError:  # it is there, and the server does not tell what it is
                self.lost.add((*folder, entry.name))
        # The server's order is not the same twice, and draws must be.
        return Listing(tuple(sorted(folders)), tuple(sorted(files)))

    def _keep(self, folder: Parts, found: Listing) -> None:
        """Remember a folder for the next draw, and forget those that were not used for long."""
        if folder in self._kept:
            return
        self._kept[folder] = found
        self._names += _size(found)
        if self._names <= _KEPT:
            return
        for one, kept in list(self._kept.items()):
            # A folder that fills the memory by itself is on the way of every draw: it stays.
            if one != folder and _size(kept) <= _KEPT // 2:
                self._names -= _size(self._kept.pop(one))
            if self._names <= _KEPT * 3 // 4:
                break


def _size(listing: Listing) -> int:
    return len(listing.folders) + len(listing.files)


def cells(
    folders: Folders, layout: Layout, outside: Callable[[Parts], bool]
) -> Iterator[tuple[str, Start]]:
    """Yield each folder that draws start from, with the name of its cell.

    Without a layout that is the root. With one, only the folders that it names are listed: their
    months are the cells, and what lies beside them is one more.

    Args:
        folders: those of the archive.
        layout: the archive's layout.
        outside: told the names of a folder from the root down; true passes it over.

    Raises:
        ShareError: the archive root cannot be listed.
    """
    if not layout.levels:
        yield WHOLE, Start(())
        return
    here: list[Parts] = [()]
    for _ in range(layout.levels):
        below: list[Parts] = []
        for folder in here:
            found = folders.listing(folder)
            if found.files:
                yield BESIDE, Start(folder, shallow=True)
            for name in found.folders:
                inside = (*folder, name)
                if not layout.matches(inside):
                    yield BESIDE, Start(inside)
                elif not outside(inside):
                    below.append(inside)
        here = below
    for folder in here:
        yield _month(layout, folder), Start(folder)


def _month(layout: Layout, folder: Parts) -> str:
    """Return the month of a folder; its year where it holds several months."""
    span = layout.span(folder)
    if span is None:  # the 31st of a month that has none
        return BESIDE
    first, last = span
    return (
        f"{first:%Y-%m}"
        if (first.year, first.month) == (last.year, last.month)
        else f"{first.year:04d}"
    )
