"""The difference: the walk held against the index of folders gives the files that must be read.

Both come in one order, so neither is ever whole in memory.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from remediation.model.listing import digest_of, listing
from remediation.model.secrets import Keys
from remediation.store.folders import FolderIndex, Known
from remediation.store.gone import Gone
from remediation.store.walking import File, Folder, Parts, Passed, walk

Work = list[tuple[Parts, list[File]]]  # folders, each with the files of it to read

_SAMPLED = 20  # pruned folders that are looked into


def sealed(work: Work, keys: Keys) -> bytes:
    """Return work as bytes that show nothing of it."""
    return keys.seal_bytes(zlib.compress(json.dumps(work).encode(), 1))


def opened(data: bytes, keys: Keys) -> Work:
    """Return the work that `sealed` was given."""
    found = json.loads(zlib.decompress(keys.unseal_bytes(data)))
    return [(tuple(parts), [(n, s, m, w) for n, s, m, w in files]) for parts, files in found]


@dataclass(slots=True, kw_only=True)
class Difference:
    """Walks an archive and holds it against its index.

    Attributes:
        prune: Told a folder; true passes it over.
        fresh: Read everything again.
        partial: Say nothing of files that are not found.
        share: Told what part of the archive was walked, 0 to 1.
        counts: `walked`, `new`, `changed`, `unchanged` files; `pruned`, `lost` folders.
        sampled: Some of the folders that were pruned.
    """

    root: Path
    index: FolderIndex
    gone: Gone
    prune: Callable[[Parts], bool]
    share: Callable[[float], None]
    fresh: bool = False
    partial: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    sampled: list[Parts] = field(default_factory=list)
    _replaces: bool = False
    _dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - a sample, no secret

    def shards(self, size: int) -> Iterator[tuple[Work, bool]]:
        """Yield what must be read, `size` files at a time, and whether any so far was known."""
        work: Work = []
        files = 0
        for parts, wanted in self._wanted():
            for start in range(0, len(wanted), size):
                some = wanted[start : start + size]
                if files and files + len(some) > size:
                    yield work, self._replaces
                    work, files = [], 0
                work.append((parts, some))
                files += len(some)
        if work:
            yield work, self._replaces

    def close(self) -> None:
        """Finish: while anything was lost, nothing is said to be gone."""
        self.gone.close()
        if self.counts["lost"]:
            self.gone.forget()

    def _wanted(self) -> Iterator[tuple[Parts, list[File]]]:
        index = self.index.read()
        before = next(index, None)
        for one in walk(self.root, self.prune):
            self.share(one.share)
            while before is not None and before.parts < one.parts:
                self._missing(before)
                before = next(index, None)
            if isinstance(one, Passed):
                self._pass(one)
                while before is not None and before.parts[: len(one.parts)] == one.parts:
                    before = next(index, None)
                continue
            known = None
            if before is not None and before.parts == one.parts:
                known, before = before, next(index, None)
            self.counts["walked"] += len(one.files)
            self.counts["lost"] += one.untold
            if wanted := self._compared(one, known):
                yield one.parts, wanted
        while before is not None:
            self._missing(before)
            before = next(index, None)

    def _compared(self, folder: Folder, known: Known | None) -> list[File]:
        """Return the files of a folder that are new or changed."""
        files, keys = folder.files, self.index.keys
        if known is None:
            self.counts["new"] += len(files)
            return files
        same = digest_of(listing(files), keys) == known.digest
        if same and not self.fresh:
            self.counts["unchanged"] += len(files)
            return []
        before, wanted = known.entries(keys), list[File]()
        for file in files:
            entry = before.pop(file[0], None)
            if entry == file[1:] and not self.fresh:
                self.counts["unchanged"] += 1
                continue
            self.counts["new" if entry is None else "changed"] += 1
            self._replaces |= entry is not None
            wanted.append(file)
        if not folder.untold and not self.partial:
            self.gone.add(folder.parts, sorted(before))
        return wanted

    def _missing(self, known: Known) -> None:
        """Note that a folder is gone with all that was in it."""
        if not self.partial:
            self.gone.add(known.parts, sorted(known.entries(self.index.keys)))

    def _pass(self, one: Passed) -> None:
        self.counts["lost" if one.lost else "pruned"] += 1
        if one.lost:
            return
        # Every pruned folder has the same chance to be looked into, however many there are.
        place = len(self.sampled)
        if place == _SAMPLED:
            place = self._dice.randrange(self.counts["pruned"])
        if place < _SAMPLED:
            self.sampled[place : place + 1] = [one.parts]
