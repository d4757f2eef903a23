"""Heads that are read again: what a patient is called, of files that the inventory knows.

A name is read once for each patient and spelling, by threads that read ahead where the share is
slow; it is kept in memory, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from remediation.dicom.header import glance
from remediation.dicom.locate import person
from remediation.model.evidence import PatientGroup, PlainPerson
from remediation.model.files import INSIDE, FileRef, resolved
from remediation.model.secrets import Keys
from remediation.store.ahead import Ahead, Begun
from remediation.store.archive import Seen, see
from remediation.store.files import IoError

# Of one archive: what tells a spelling of a patient from others.
_Spelling = tuple[str, str | None, frozenset[str]]


@dataclass(slots=True)
class Names:
    """The names that were read again so far, of archives with these roots.

    Attributes:
        readers: threads that read ahead.
        pace: asked before each file.
        heads_read: files that were opened.
    """

    roots: Mapping[str, Path]
    keys: Keys
    readers: int = 4
    pace: Callable[[], None] = lambda: None
    heads_read: int = 0
    _known: dict[_Spelling, PlainPerson | None] = field(default_factory=dict, repr=False)

    def of(self, archive: str, group: PatientGroup) -> PlainPerson | None:
        """Return what was read of a group; None where that could not be, or was not asked for."""
        return self._known.get(_spelling(archive, group))

    def read(self, groups: Iterable[tuple[str, PatientGroup]]) -> None:
        """Read a head of each of these groups, unless its words were read before."""
        wanted: dict[str, dict[_Spelling, PatientGroup]] = {}
        for archive, group in groups:
            spelling = _spelling(archive, group)
            if spelling not in self._known and archive in self.roots:
                wanted.setdefault(archive, {}).setdefault(spelling, group)
        for archive, own in wanted.items():
            paths = [resolved(group.path, self.keys) for group in own.values()]
            # What cannot be read is not tried again; the verdict without a name stands.
            self._known |= dict.fromkeys(own)
            of = list(own.items())
            for n, seen in read_again(self.roots[archive], paths, self.readers, self.pace):
                self.heads_read += 1
                spelling, group = of[n]
                self._known[spelling] = self._said(group, seen)

    def _said(self, group: PatientGroup, seen: Seen) -> PlainPerson | None:
        if seen.head is None:
            return None
        who = person(seen.head)
        plain = PlainPerson.of(who.patient_id, who.name)
        # What has changed since the crawl says nothing of what was crawled.
        return plain if group.says(plain, self.keys) else None


def read_again(
    root: Path, paths: Sequence[str], readers: int, pace: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, Seen]]:
    """Yield for each path its index and its head, as far as patient and study.

    The order is that in which they come; what cannot be read comes without a head, and where the
    root itself cannot be read nothing comes.
    """
    plain = [n for n, path in enumerate(paths) if INSIDE not in path]
    ahead = Ahead(root, readers, pace, scan=glance)
    try:
        for n, begun in ahead.read([paths[n] for n in plain]) if plain else ():
            yield plain[n], _looked(ahead, begun)
    except IoError:
        return
    for n, path in enumerate(paths):
        if INSIDE in path:
            pace()
            yield n, see(root, FileRef(path, 0, 0), glance)


def _looked(ahead: Ahead, begun: Begun | Seen) -> Seen:
    if isinstance(begun, Seen):
        return begun
    try:
        return ahead.look(begun)
    finally:
        begun.close()


def _spelling(archive: str, group: PatientGroup) -> _Spelling:
    return archive, group.patient_token, group.person.names
