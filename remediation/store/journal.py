"""The journal of one run: an append-only file of records, chained and durable, one writer.

One JSON record a line. `chain` is the SHA-256 of the previous line's chain and of the record itself
(the run's id before the first), so a record cannot be altered, taken out or moved unnoticed. Every
record is on the disk before `append` returns; after a failure nothing more is ever appended. A
last line that is not whole was never acknowledged, and is passed over; any other damage stops the
reader.

Order is the order of records: no clock is trusted. The file lies in a directory of its user alone,
holds sealed paths, plain digests and encrypted undo bytes, and never a number.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from remediation.errors import DatasetError, LockedError
from remediation.store import files

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}", re.ASCII)
_RESERVED = {"seq", "type", "chain"}


class Type(StrEnum):
    """The records, in the order in which a study meets them."""

    BEGIN = "BEGIN"  # the run: command, manifest, author, key id
    STAGE = "STAGE"  # the names that are about to be made for a study's files
    INTENT = "INTENT"  # all of them staged and read back; both digests and the undo of each
    STUDY_DONE = "STUDY_DONE"  # all of them switched and read back
    PUT_BACK = "PUT_BACK"  # decided: this study goes back to its old bytes
    CLOSED = "CLOSED"  # nothing of the study is left to do; which bytes stand, the outcomes
    OUTCOME = "OUTCOME"  # a study of which nothing was staged: why
    NOTE = "NOTE"  # the caller's own: a canary passed, a refusal
    END = "END"  # how the run ended


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number in the file from 1, what it is, what it says."""

    seq: int
    type: Type
    body: Mapping[str, Any]


def _line(chain: str, seq: int, kind: str, body: Mapping[str, Any]) -> tuple[bytes, str]:
    record = {"seq": seq, "type": str(kind), **body}
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
    link = hashlib.sha256(f"{chain}\n{text}".encode()).hexdigest()
    record["chain"] = link
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n", link


def _start(run_id: str) -> str:
    return hashlib.sha256(f"remediation journal {run_id}".encode()).hexdigest()


def _parse(path: Path) -> tuple[tuple[Record, ...], str, int]:
    """The records, the last chain value, and where the last whole record ends."""
    with files.guarded("a journal cannot be read", path.name):
        data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    records: list[Record] = []
    chain = _start(path.stem)
    for number, line in enumerate(whole.splitlines(keepends=True), start=1):
        try:
            body = json.loads(line)
            kind = Type(body["type"])
            said = {key: value for key, value in body.items() if key not in _RESERVED}
            expected, chain = _line(chain, number, kind, said)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            expected = b""
        if line != expected:
            raise DatasetError(
                "the journal is damaged or was altered",
                f"{path.name}, record {number}",
                "touch nothing, and compare it with its backup: it holds the way back",
            )
        records.append(Record(number, kind, said))
    return tuple(records), chain, len(whole)


def read(path: Path) -> tuple[Record, ...]:
    """Return the records of a journal; a torn last line is passed over.

    Raises:
        DatasetError: A record is damaged, altered, missing or out of its place.
        IoError: The file cannot be read.
    """
    return _parse(path)[0]


def journals(folder: Path) -> list[Path]:
    """Return the journals in a directory, by name; none where there is no such directory."""
    with files.guarded("the journals cannot be listed", folder.name):
        try:
            return sorted(path for path in folder.iterdir() if path.suffix == ".jsonl")
        except FileNotFoundError:
            return []


class Journal:
    """The one writer of a journal; use it as a context manager.

    Attributes:
        run_id: The run's id, also the file's name without suffix.
        broken: A record could not be written: nothing may be changed any more.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.run_id = path, path.stem
        self._descriptor, self._chain, self._seq, self._end = descriptor, _start(path.stem), 0, 0
        self.broken = False

    @classmethod
    def create(cls, folder: Path, run_id: str, begin: Mapping[str, Any]) -> Self:
        """Begin `<folder>/<run_id>.jsonl`, mode 0600 in a directory of mode 0700.

        `begin` is what the BEGIN record says of the run: JSON values only.

        Raises:
            ValueError: `run_id` is more than letters, digits and hyphens.
            LockedError: Another run has taken this id.
            IoError: The directory or the file cannot be made or made durable.
        """
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError("a run id is letters, digits and hyphens, at most a hundred")
        path = folder / f"{run_id}.jsonl"
        with files.guarded("the journal's directory cannot be made", folder.name):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        try:
            with files.guarded("a journal cannot be made", path.name):
                flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                descriptor = os.open(path, flags, 0o600)
        except files.IoError as error:
            if path.exists():
                raise LockedError("a run with this id exists", run_id) from None
            raise error from None
        journal = cls(path, descriptor)
        try:
            journal._lock()
            files.sync_folder(folder)
            journal.append(Type.BEGIN, begin)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def reopen(cls, path: Path) -> tuple[Self, tuple[Record, ...]]:
        """Open a journal to go on with it, and return it with its records; a torn end is cut off.

        Raises:
            LockedError: Its run is still going on.
            DatasetError: It is damaged.
            IoError: It cannot be opened or made durable.
        """
        with files.guarded("a journal cannot be opened", path.name):
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        journal = cls(path, descriptor)
        try:
            journal._lock()
            records, journal._chain, journal._end = _parse(path)
            journal._seq = len(records)
            with files.guarded("a journal cannot be mended", path.name):
                if os.fstat(descriptor).st_size != journal._end:
                    os.ftruncate(descriptor, journal._end)
            files.fsync(descriptor)
        except BaseException:
            journal.close()
            raise
        return journal, records

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError("the journal is being written", f"run {self.run_id}") from None
        except OSError as error:
            with files.guarded("a journal cannot be locked", self.path.name):
                raise error from None

    def append(self, kind: Type, body: Mapping[str, Any]) -> int:
        """Write one record, make it durable, and return its number.

        Raises:
            IoError: It may not be on the disk. The journal is broken from here on.
        """
        if self.broken:
            raise files.IoError("the journal cannot be written any more", f"run {self.run_id}")
        if _RESERVED & body.keys():
            raise ValueError("seq, type and chain are the journal's own")
        line, chain = _line(self._chain, self._seq + 1, kind, body)
        self.broken = True
        files.write_all(self._descriptor, line)
        files.fsync(self._descriptor)
        if files.read_at(self._descriptor, self._end, len(line) + 1) != line:
            # Never acknowledged, so it can go; left in place it would pass for an alteration.
            with files.guarded("a journal cannot be mended", self.path.name):
                os.ftruncate(self._descriptor, self._end)
            raise files.IoError("the disk did not keep a journal record", f"run {self.run_id}")
        self._chain, self._seq, self._end = chain, self._seq + 1, self._end + len(line)
        self.broken = False
        return self._seq

    @property
    def next_seq(self) -> int:
        """The number that the next record will have."""
        return self._seq + 1

    @property
    def head(self) -> str:
        """The chain's last value: whoever notes it down can tell later if anything was altered."""
        return self._chain

    def close(self) -> None:
        """Close the file and let go of the lock. Everything acknowledged is durable already."""
        if self._descriptor >= 0:
            descriptor, self._descriptor, self.broken = self._descriptor, -1, True
            try:
                os.close(descriptor)
            except OSError:
                self.broken = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
