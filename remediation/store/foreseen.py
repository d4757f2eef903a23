"""Foreseen: what heads would become, by orders that a worker opens; nothing here writes.

A task holds its orders sealed: no number, no path and no name crosses to a worker, nor comes back.
A worker needs the key file and the share, and no crosswalk.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from remediation.dicom.correction import Refused
from remediation.dicom.rewrite import rewrite
from remediation.errors import KeyFileError
from remediation.model.files import FileRef, resolved
from remediation.model.pacing import Pace
from remediation.model.placement import Edit, Order, Placement
from remediation.model.secrets import Keys
from remediation.store.ahead import Ahead
from remediation.store.archive import Seen
from remediation.store.keys import load_key_file


@dataclass(frozen=True, slots=True)
class Foresight:
    """What all tasks of one archive share; travels to the workers, so it holds no key."""

    root: Path
    key_file: Path
    key_id: str
    placement: Placement
    at: str  # DICOM DT with UTC offset
    readers: int = 4
    reads_per_second: float = 0  # of one worker; 0: as fast as it goes


class File(NamedTuple):
    """One file as the inventory has it: its path as stored there, and what it must still be."""

    path: str
    size: int
    mtime_ns: int
    digest: str
    inside: bool  # in a container


class Study(NamedTuple):
    """One study and what is to be written into it; holds a plain number, so it is never shown."""

    bsn: str
    local_issuer: str
    spellings: tuple[str, ...]
    files: tuple[File, ...]

    def __repr__(self) -> str:
        return f"<a study of {len(self.files)} files>"


@dataclass(frozen=True, slots=True)
class Task:
    """Some whole studies of one archive, sealed."""

    number: int
    work: bytes = field(repr=False)


class Promise(NamedTuple):
    """What a file's head becomes: bytes before Pixel Data, their keyed digest, and the edits."""

    length: int
    digest: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Of each study of a task, in their order: a promise for each file (None: right already).

    Or the reason why the study is refused: that of its first file that is.
    """

    number: int
    studies: tuple[str | tuple[Promise | None, ...], ...]
    files: int


Extras = tuple[tuple[str, ...], tuple[str, ...]]  # issuers and placeholders of the hospital's own


def sealed(studies: Sequence[Study], extras: Extras, keys: Keys) -> bytes:
    """Return orders as bytes that show nothing of them."""
    said = json.dumps([extras, studies]).encode()
    return keys.seal_bytes(zlib.compress(said, 1))


def opened(data: bytes, keys: Keys) -> tuple[list[Study], Extras]:
    """Return the orders that `sealed` was given.

    Raises:
        KeyFileError: they were sealed with another key, or altered since.
    """
    (issuers, placeholders), studies = json.loads(zlib.decompress(keys.unseal_bytes(data)))
    found = [
        Study(bsn, issuer, tuple(spellings), tuple(File(*one) for one in files))
        for bsn, issuer, spellings, files in studies
    ]
    return found, (tuple(issuers), tuple(placeholders))


def foresee(task: tuple[Foresight, Task]) -> Foreseen:
    """Read the heads of one task, and say what they become.

    Raises:
        KeyFileError: this worker's key file is not the one that the run began with.
    """
    sight, one = task
    keys = load_key_file(sight.key_file)
    if keys.key_id != sight.key_id:
        raise KeyFileError(
            "this worker has another key", "key file", "give every worker the same key file"
        )
    studies, (issuers, placeholders) = opened(one.work, keys)
    orders = [
        Order(
            study.bsn,
            study.local_issuer,
            frozenset(study.spellings),
            sight.placement,
            sight.at,
            issuers,
            placeholders,
        )
        for study in studies
    ]
    found: list[list[Any]] = [[None] * len(study.files) for study in studies]
    wanted = [(n, m) for n, study in enumerate(studies) for m in range(len(study.files))]
    for n, m in [(n, m) for n, m in wanted if studies[n].files[m].inside]:
        found[n][m] = "in-container"
    wanted = [(n, m) for n, m in wanted if not studies[n].files[m].inside]
    paths = {(n, m): resolved(studies[n].files[m].path, keys) for n, m in wanted}
    wanted.sort(key=paths.__getitem__)  # as they lie on the share, whatever they are sealed as
    reader = Ahead(sight.root, sight.readers, Pace(sight.reads_per_second), to_the_end=True)
    for index, begun in reader.read([paths[at] for at in wanted]):
        n, m = wanted[index]
        try:
            seen = begun if isinstance(begun, Seen) else reader.look(begun)
            found[n][m] = _promised(seen, paths[n, m], studies[n].files[m], orders[n], keys)
        except Refused as refused:
            found[n][m] = str(refused)
        finally:
            if not isinstance(begun, Seen):
                begun.close()
    return Foreseen(one.number, tuple(map(_judged, found)), sum(map(len, found)))


def _judged(found: list[Any]) -> str | tuple[Promise | None, ...]:
    return next((one for one in found if isinstance(one, str)), tuple(found))


def _promised(seen: Seen, path: str, file: File, order: Order, keys: Keys) -> Promise | None:
    """Return what a head becomes; None where it is right already.

    Raises:
        Refused: it may not be rewritten, or is not what the crawl saw.
    """
    if seen.error:
        raise Refused(seen.error if seen.state != "unreadable" else f"head-{seen.error}")
    if seen.head is None or seen.ref != FileRef(path, file.size, file.mtime_ns):
        raise Refused("changed-since-crawl")
    if seen.head_bytes and keys.digest(seen.head_bytes) != file.digest:
        raise Refused("changed-since-crawl")
    made = rewrite(seen.head, file.size, order, raw=seen.head_bytes, quick=True)
    return Promise(len(made.head), keys.digest(made.head), made.edits) if made.edits else None
