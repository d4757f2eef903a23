"""Drawing files from an archive share without walking it: from folder to folder, at random.

The chance of every draw is known: the product of 1 / ways at each folder on its path. All files
of a folder together are one way beside its subfolders, so that a few stray files do not draw as
often as the folders among which they lie. Nothing here writes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from remediation.dicom.header import quick_scan
from remediation.model.draws import Cell, Leaf, Parts, Start
from remediation.model.files import FileRef
from remediation.store.archive import FIRST_READ, Seen, look, not_opened, see_inside
from remediation.store.files import IoError, NotRegular, open_beneath, read_at
from remediation.store.frame import Folders, Listing, Pace

INSTANCE = frozenset({"read", "unreadable"})
TRIES = 8  # files of a folder that are tried: beside the studies lie DICOMDIRs, notes, thumbnails
_DEEPEST = 64  # folders: deeper than any archive
_STUDY_UID = 0x0020000D


@dataclass(frozen=True, slots=True)
class Taken:
    """What one draw gave.

    Attributes:
        leaf: where the draw ended; None where that was no folder with files in it.
        seen: an instance where one was found, else what the last file tried is; None for none.
            Without a head where the file was read before.
        tried: path and state of each file that was tried; a container is its first instance.
    """

    leaf: Leaf | None
    seen: Seen | None
    tried: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """The path of the file that was tried last; empty where there was none."""
        return self.tried[-1][0] if self.tried else ""

    @property
    def is_instance(self) -> bool:
        """Tell whether a DICOM instance was found, readable or not."""
        return self.seen is not None and self.seen.state in INSTANCE


class Sampler:
    """Draws from one archive root; its methods can be called from several threads at once.

    Attributes:
        folders: the archive's folders.
        read: state by path, of the files that need not be read again.
    """

    def __init__(self, root: Path, pace: Pace) -> None:
        self.root, self.pace = root, pace
        self.folders = Folders(root, pace)
        self.read: dict[str, str] = {}

    def take(self, cell: Cell, seed: str) -> Taken:
        """Draw one file of a cell and read it; the same seed draws the same file."""
        rng = _dice(seed)
        start = cell.starts[rng.randrange(len(cell.starts))]
        leaf = self._down(start, start.folder, (1 / len(cell.starts),), rng)
        return self._read(leaf, self.read)

    def pairs(self, taken: Taken, seed: str) -> tuple[list[tuple[int, int, bool]], int]:
        """Hold an instance against others that part from its path at each level, going up.

        Returns:
            (depth, level of the last folder that both share, whether they are of one study), up to
            the first of another study; and the number of files read for it.
        """
        found: list[tuple[int, int, bool]] = []
        reads = 0
        study = _study_of(taken.seen)
        if taken.leaf is None or not study:
            return found, reads
        rng, path = _dice(seed), tuple(taken.path.split("/"))
        for level in range(taken.leaf.depth, -1, -1):
            other = self._read(self._beside(taken.leaf, path, level, rng), {})
            reads += len(other.tried)
            other_study = _study_of(other.seen)
            if other_study:
                found.append((taken.leaf.depth, level, other_study == study))
                if other_study != study:
                    break
        return found, reads

    def _beside(self, leaf: Leaf, path: Parts, level: int, rng: Random) -> Leaf | None:
        """Go down from a folder on a file's path, by another way than that to the file."""
        length = len(leaf.start.folder) + level
        here, taken = path[:length], path[length]
        found = self.folders.listing(here)
        shallow = level == 0 and leaf.start.shallow
        folders = () if shallow else tuple(name for name in found.folders if name != taken)
        files = tuple(name for name in found.files if name != taken)
        return self._on(leaf.start, here, Listing(folders, files), (1.0,), rng)

    def _down(
        self, start: Start, folder: Parts, chances: tuple[float, ...], rng: Random
    ) -> Leaf | None:
        found = self.folders.listing(folder)
        if start.shallow and folder == start.folder:
            found = found._replace(folders=())
        return self._on(start, folder, found, chances, rng)

    def _on(
        self, start: Start, folder: Parts, found: Listing, chances: tuple[float, ...], rng: Random
    ) -> Leaf | None:
        ways = len(found.folders) + bool(found.files)
        if not ways or len(folder) > _DEEPEST:
            return None
        way, chance = rng.randrange(ways), chances[-1] / ways
        if way < len(found.folders):
            return self._down(start, (*folder, found.folders[way]), (*chances, chance), rng)
        files = rng.sample(found.files, min(TRIES, len(found.files)))
        return Leaf(start, folder, tuple(files), (*chances, chance / len(found.files)))

    def _read(self, leaf: Leaf | None, known: Mapping[str, str]) -> Taken:
        """Read the files of a leaf until one is an instance, but for those that are known."""
        seen, tried = None, []
        for name in leaf.files if leaf else ():
            assert leaf is not None
            path = "/".join((*leaf.folder, name))
            if path in known:
                seen = Seen(FileRef(path, 0, 0), known[path])
            else:
                self.pace()
                seen = _see(self.root, path)
            tried.append((path, seen.state))
            if seen.state in INSTANCE:
                break
        return Taken(leaf, seen, tuple(tried))


def _see(root: Path, path: str) -> Seen:
    """Read the head of one file; of a container, that of the first instance inside."""
    ref = FileRef(path, 0, 0)
    try:
        descriptor = open_beneath(root, path)
    except (NotRegular, IoError) as error:
        return not_opened(ref, error)
    try:
        status = os.fstat(descriptor)
        ref = FileRef(path, status.st_size, status.st_mtime_ns)
        data, read = read_at(descriptor, 0, FIRST_READ), partial(read_at, descriptor)
        seen = look(ref, data, read, scan=quick_scan)
        if seen.state == "container":
            inside = (one for one in see_inside(descriptor, ref) if one.state in INSTANCE)
            return next(inside, seen)
    except (IoError, OSError):
        return Seen(ref, "unreadable", "unreadable")
    else:
        return seen
    finally:
        os.close(descriptor)


def _dice(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - no secret: a draw that can be repeated


def _study_of(seen: Seen | None) -> str:
    head = seen.head if seen else None
    return head.text(head.find(_STUDY_UID)) if head else ""
