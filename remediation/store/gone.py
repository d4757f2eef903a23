"""What is gone from an archive: files that the last crawl knew and this one does not find.

Kept on disk while the walk goes on (there may be millions), sealed, in the order of the walk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from remediation.model.files import stored
from remediation.model.secrets import Keys
from remediation.store.walking import Parts

_BATCH = 100_000  # paths in memory at a time


@dataclass(slots=True)
class Gone:
    """A file of sealed lines, one for each folder; `count` files in all."""

    path: Path
    keys: Keys
    count: int = 0
    _file: IO[str] | None = field(default=None, repr=False)

    def add(self, parts: Parts, names: list[str]) -> None:
        """Note files of a folder; folders come in the order of the walk."""
        if not names:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = os.fdopen(handle, "w", encoding="ascii")
        self._file.write(self.keys.seal(json.dumps([parts, names])) + "\n")
        self.count += len(names)

    def close(self) -> None:
        """Write what is still in memory."""
        if self._file is not None:
            self._file.close()

    def forget(self) -> None:
        """Take back everything: nothing is gone."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.count = 0

    def folders(self) -> Iterator[tuple[Parts, list[str]]]:
        """Yield each folder with the names that are gone from it."""
        if not self.count:
            return
        with self.path.open(encoding="ascii") as lines:
            for line in lines:
                parts, names = json.loads(self.keys.unseal(line.rstrip("\n")))
                yield tuple(parts), names

    def paths(self, *, seal: bool) -> Iterator[list[str]]:
        """Yield paths as artefacts hold them, many at a time."""
        every = (
            stored("/".join((*parts, name)), self.keys, seal=seal)
            for parts, names in self.folders()
            for name in names
        )
        while some := list(islice(every, _BATCH)):
            yield some
