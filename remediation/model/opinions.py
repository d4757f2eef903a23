"""Opinions: which results a second reader looks at before they are written, and what came of it.

A second reader is told an old and a new head, and says whether it, too, sees nothing change but
the closed list; None where it has no opinion. Of each study the first result is looked at, and of
the others a sample that the seed draws: the same for a rehearsal and the real run.

>>> Opinions((lambda old, new: old == new,)).objection("study", "file", b"a", b"b")
'second-reader-disagrees'
>>> silent = Opinions((lambda old, new: None,), every=True)
>>> silent.objection("study", "file", b"a", b"b"), silent.counts()
('no-second-opinion', {'no-opinion': 1})
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Reader = Callable[[bytes, bytes], bool | None]
"""Old and new head to: agrees, objects, or has no opinion."""

ONE_IN = 10  # results that are no study's first
DISAGREES, SILENT = "second-reader-disagrees", "no-second-opinion"
_AGREED, _OBJECTED, _NO_OPINION, _NOT_ASKED = "agreed", "objected", "no-opinion", "not-asked"


@dataclass(slots=True)
class Opinions:
    """Asks the second readers, and counts files by what they said.

    Attributes:
        readers: Who is asked, each of every result that is looked at.
        seed: What the sample is drawn by: the manifest's digest.
        every: Look at every result.
        silent_is_no: Where every result is looked at, one without any opinion is held back.
    """

    readers: tuple[Reader, ...]
    seed: str = ""
    every: bool = False
    silent_is_no: bool = True
    _studies: set[str] = field(default_factory=set)
    _said: dict[str, str] = field(default_factory=dict)

    def objection(self, study: str, file: str, old: bytes, new: bytes) -> str:
        """Return why a result must not be written, or nothing.

        A file that comes by again (rehearsed, then written) is not looked at twice: whoever calls
        holds its heads against the digests that were promised.
        """
        said = self._said.get(file, _NOT_ASKED)
        if said == _NOT_ASKED:
            said = self._said[file] = self._asked(study, file, old, new)
        if said == _OBJECTED:
            return DISAGREES
        no = self.every and self.silent_is_no and said == _NO_OPINION
        return SILENT if no else ""

    def counts(self) -> dict[str, int]:
        """Return files by what the second readers said of them."""
        return dict(sorted(Counter(self._said.values()).items()))

    def _asked(self, study: str, file: str, old: bytes, new: bytes) -> str:
        first = study not in self._studies
        if not (first or self.every or self._drawn(file)):
            return _NOT_ASKED
        found = {reader(old, new) for reader in self.readers}
        if False in found:
            return _OBJECTED
        if True not in found:
            return _NO_OPINION
        # A first file that nobody can judge stands for no study: the next one is looked at.
        self._studies.add(study)
        return _AGREED

    def _drawn(self, file: str) -> bool:
        digest = hashlib.sha256(f"{self.seed}\n{file}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:4]) % ONE_IN == 0
