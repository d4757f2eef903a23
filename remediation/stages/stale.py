"""Stale: the planned files looked at again; which are the same, changed or gone since the plan."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediation.model.files import FileRef, resolved
from remediation.model.running import Advance, silent
from remediation.model.secrets import Keys
from remediation.store.files import IoError, NotRegular, close_read, open_beneath, read_head
from remediation.store.manifests import Stored
from remediation.store.permission import roots_of

SAME, APPLIED, CHANGED, VANISHED, UNREADABLE = (
    "same",
    "as-promised",
    "changed",
    "vanished",
    "unreadable",
)
_FRESH = {SAME, APPLIED}


@dataclass(frozen=True, slots=True)
class StaleReport:
    """Files per state, and the studies in which one is changed, vanished or unreadable."""

    files: dict[str, int]
    studies: tuple[dict[str, str], ...]

    @property
    def fresh(self) -> bool:
        """Whether every file is as it was planned for, or as it was promised."""
        return set(self.files) <= _FRESH


def run(
    stored: Stored, roots: Mapping[str, Path], keys: Keys, *, advance: Advance = silent
) -> StaleReport:
    """Look at every planned file: size, time, and the keyed digest of its head.

    Raises:
        ManifestError: the job has no such archive.
        ShareError: a root is missing or cannot be read.
    """
    there = roots_of(stored.manifest, roots)
    files: Counter[str] = Counter()
    worst: dict[tuple[str, str], str] = {}
    order = (CHANGED, VANISHED, UNREADABLE)
    for row in stored.corrections.to_pylist():
        state = _state(row, there[row["archive"]], keys)
        files[state] += 1
        study = row["archive"], row["StudyInstanceUID"]
        if state not in _FRESH:
            worst[study] = max(state, worst.get(study, state), key=order.index)
        advance(1)
    return StaleReport(
        dict(sorted(files.items())),
        tuple(
            {"archive": archive, "StudyInstanceUID": uid, "state": state}
            for (archive, uid), state in sorted(worst.items())
        ),
    )


def _state(row: Mapping[str, Any], root: Path, keys: Keys) -> str:
    ref = FileRef(resolved(row["path"], keys), row["size"], row["mtime_ns"])
    try:
        descriptor = open_beneath(root, ref.path)
    except NotRegular:
        return CHANGED
    except IoError as error:
        return VANISHED if error.errno in {errno.ENOENT, errno.ENOTDIR} else UNREADABLE
    try:
        found = os.fstat(descriptor)
        size = row["size"] - row["head_length"] + row["result_length"]
        if found.st_size == size:
            head = read_head(descriptor, row["result_length"])
            if keys.digest(head) == row["result_digest"]:
                return APPLIED
        if (found.st_size, found.st_mtime_ns) != (row["size"], row["mtime_ns"]):
            return CHANGED
        head = read_head(descriptor, row["head_length"])
        return SAME if keys.digest(head) == row["head_digest"] else CHANGED
    except (IoError, OSError):
        return UNREADABLE
    finally:
        close_read(descriptor)
