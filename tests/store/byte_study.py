"""A study of plain byte files to write, and what to look for afterwards. No DICOM in it."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from remediation.model.secrets import Keys
from remediation.store import files, rewrite
from remediation.store.changes import Change
from remediation.store.intents import FileState, Intent

if TYPE_CHECKING:  # the fault script must start fast
    import pytest

KEYS = Keys.from_hex("5a" * 32)
STUDY = "1.2.3.4"
ARCHIVE = "oost"
MTIME = 1_200_000_000_123_456_789


@dataclass(frozen=True)
class ByteFile:
    """One file: where it lies, its old and new head, its tail."""

    relative: str
    old_head: bytes
    new_head: bytes
    tail: bytes

    @property
    def old(self) -> bytes:
        return self.old_head + self.tail

    @property
    def new(self) -> bytes:
        return self.new_head + self.tail

    def change(self, root: Path, **other: object) -> Change:
        expected = {
            "archive": ARCHIVE,
            "root": root,
            "relative": os.fsencode(self.relative),
            "old": state(self.old_head, self.old, mtime_ns=MTIME),
            "new": state(self.new_head, self.new),
            "rebuild": self.rebuild,
        }
        return Change(**{**expected, **other})

    def rebuild(self, head: bytes) -> bytes:
        assert head == self.old_head
        return self.new_head


def state(head: bytes, whole: bytes, mtime_ns: int | None = None) -> FileState:
    return FileState(len(whole), len(head), KEYS.digest(head), None, mtime_ns)


def byte_study(sizes: tuple[int, ...] = (0, 700, 70_000)) -> tuple[ByteFile, ...]:
    """One file per size of tail: heads that grow, shrink and keep their length."""
    draw = random.Random(4)
    made = []
    for number, size in enumerate(sizes):
        head = draw.randbytes(300 + 50 * number)
        changed = [head[:90] + b"a longer value" + head[95:], head[:40] + head[60:], head[::-1]]
        folder = "2007/03" if number % 2 == 0 else "2007/04"
        name = f"{folder}/IM{number:04}.dcm"
        made.append(ByteFile(name, head, changed[number % 3], draw.randbytes(size)))
    return tuple(made)


def lay_down(root: Path, study: tuple[ByteFile, ...], *, new: bool = False) -> None:
    for file in study:
        path = root / file.relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.new if new else file.old)
        path.chmod(0o640)
        os.utime(path, ns=(MTIME, MTIME))


def changes(root: Path, study: tuple[ByteFile, ...]) -> list[Change]:
    return [file.change(root) for file in study]


def standing(root: Path, study: tuple[ByteFile, ...]) -> list[str]:
    """Say of each file: old, new, missing or other."""
    found = []
    for file in study:
        path = root / file.relative
        data = path.read_bytes() if path.exists() else None
        known = {file.old: "old", file.new: "new", None: "missing"}
        found.append(known.get(data, "other"))
    return found


def orphans(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if files.is_ours(path.name))


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def roots(root: Path) -> dict[str, Path]:
    return {ARCHIVE: root}


def intents_of(path: Path) -> tuple[Intent, ...]:
    from remediation.store.intents import study_logs
    from remediation.store.journal import read

    return study_logs(read(path), KEYS)[-1].intents


def rewrite_in_place(path: Path, data: bytes, *, mtime: int = MTIME) -> None:
    path.write_bytes(data)
    os.utime(path, ns=(mtime, mtime))


def replace_by(path: Path, data: bytes) -> None:
    """Put another file in a file's place, as a PACS does."""
    other = path.with_name("other")
    rewrite_in_place(other, data)
    other.rename(path)


def fail_at(
    patched: pytest.MonkeyPatch,
    name: str,
    number: int,
    error: Exception | None = None,
) -> None:
    """Let the `number`-th call of a step of the write protocol fail."""
    real, calls = getattr(rewrite, name), itertools.count(1)

    def fail(*arguments: object, **named: object) -> object:
        if next(calls) == number:
            raise error or files.IoError("no", number=errno.EIO)
        return real(*arguments, **named)

    patched.setattr(rewrite, name, fail)
