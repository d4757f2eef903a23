"""Draws: from where, by which way, to which file; and what chance that gives a study.

A draw goes from folder to folder. Levels count the folders on its way: 0 where it started, `depth`
the one that holds the file; `depth` + 1 stands for the file itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from remediation.model.sampling import weight

Parts = tuple[str, ...]  # names from the archive root down

_ALIKE = 0.5  # of the pairs that part in a folder: from here on it is one study's


class Start(NamedTuple):
    """A folder where draws start; a shallow one is drawn from without its subfolders."""

    folder: Parts
    shallow: bool = False


class Cell(NamedTuple):
    """A part of an archive that is drawn from by itself: a month of its folders, or the rest."""

    name: str
    starts: tuple[Start, ...]


class Leaf(NamedTuple):
    """The end of one way down: files to try, in this order, and the chances on the way.

    `chances` are those of the folder of each level, and, last, of a file.

    >>> leaf = Leaf(Start(("2011",)), ("2011", "S1"), ("1.dcm",), (1.0, 0.5, 0.25))
    >>> leaf.depth, leaf.unit(0, "1.dcm"), leaf.unit(1, "1.dcm"), leaf.unit(2, "1.dcm")
    (1, ('2011',), ('2011', 'S1'), ('2011', 'S1', '1.dcm'))
    """

    start: Start
    folder: Parts
    files: tuple[str, ...]
    chances: tuple[float, ...]

    @property
    def depth(self) -> int:
        """Folders below the start."""
        return len(self.folder) - len(self.start.folder)

    def unit(self, level: int, name: str) -> Parts:
        """Return the folder of a level on the way to a file, or the file itself below them all."""
        return (*self.folder, name)[: len(self.start.folder) + level]


class Hit(NamedTuple):
    """One time that a study was met: the cell, the way down, the name of the file."""

    cell: str
    leaf: Leaf
    name: str
    container: bool = False  # the file holds others, as a folder does


Unit = tuple[str, Parts]  # a cell, and the folder (or file) in it that is one study's

Votes = Counter[tuple[int, int, bool]]
"""Pairs of files by depth of their folders, level of the last folder they share, and whether they
are of one study. Levels count from where draws start (0)."""


def unit_level(depth: int, votes: Votes) -> int:
    """Return the level of the folder that is one study's, by pairs of files that were looked at.

    A study is drawn with the chance of its folder, however many files lie in it; so one must know
    which folder that is. It lies just below the deepest one in which files of several studies part.
    `depth` + 1 stands for the file itself: studies have no folder of their own.

    >>> day_study_series = Counter({(2, 2, True): 12, (2, 1, True): 7, (2, 0, False): 11})
    >>> unit_level(2, day_study_series)
    1
    >>> unit_level(0, Counter({(0, 0, False): 9, (0, 0, True): 2}))
    1
    >>> unit_level(3, Counter())
    0
    """
    for level in range(depth, -1, -1):
        same, other = votes[depth, level, True], votes[depth, level, False]
        if other and same < _ALIKE * (same + other):
            return level + 1
    return 0


class Hits:
    """The studies that an archive's draws met, and what chance each of them had.

    >>> hits = Hits()
    >>> way = Leaf(Start(()), ("S1",), ("1.dcm",), (1.0, 0.5, 0.05))
    >>> hits.add("1.2.3", Hit("all", way, "1.dcm"))
    >>> hits.draws["all"] = 1
    >>> hits.votes[1, 0, False] += 9
    >>> hits.weight("1.2.3"), hits.by_file("1.2.3"), hits.is_split("1.2.3")
    (2.0, False, False)

    Attributes:
        draws: number of draws, by cell.
        votes: pairs of files that were held against each other.
    """

    def __init__(self) -> None:
        self.draws: Counter[str] = Counter()
        self.votes: Votes = Counter()
        self._of: dict[str, list[Hit]] = defaultdict(list)

    def __iter__(self) -> Iterator[str]:
        return iter(self._of)

    def add(self, study: str, hit: Hit) -> None:
        """Note that a study was met."""
        self._of[study].append(hit)

    def times(self, study: str) -> int:
        """Return how often a study was met."""
        return len(self._of[study])

    def weight(self, study: str) -> float:
        """Return 1 / the chance of a study to be drawn at least once."""
        chances: dict[str, float] = defaultdict(float)
        for (cell, _), chance in self._units(study).items():
            chances[cell] += chance
        return weight(chances, self.draws)

    def by_file(self, study: str) -> bool:
        """Tell whether a study has no folder of its own: the more files, the sooner it is drawn."""
        alone = (hit for hit in self._of[study] if not hit.container)
        return any(self._level(hit) > hit.leaf.depth for hit in alone)

    def is_split(self, study: str) -> bool:
        """Tell whether a study was met in more than one of the folders that are one study's."""
        return len(self._units(study)) > 1 and not self.by_file(study)

    def join(self, studies: list[str]) -> dict[str, str]:
        """Make those of one folder one study, the first; return what each of them is now."""
        first: dict[Unit, str] = {}
        joined = {
            study: first.setdefault(next(iter(self._units(study))), study) for study in studies
        }
        for study, kept in joined.items():
            if study != kept:
                self._of[kept] += self._of.pop(study)
        return joined

    def _units(self, study: str) -> dict[Unit, float]:
        """Return the folders (or files) that a study was met in, with their chance per draw."""
        found: dict[Unit, float] = {}
        for hit in self._of[study]:
            level = self._level(hit)
            found[hit.cell, hit.leaf.unit(level, hit.name)] = hit.leaf.chances[level]
        return found

    def _level(self, hit: Hit) -> int:
        return unit_level(hit.leaf.depth, self.votes)
