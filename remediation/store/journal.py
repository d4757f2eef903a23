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

import base64
import contextlib
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
from remediation.model import chain as chained
from remediation.store import files

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}", re.ASCII)
_RESERVED = {"seq", "type", "chain", "format"}
FORMAT = 2  # since then, what an INTENT's chain holds fast of undo bytes is their digest


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
    FORGOTTEN = "FORGOTTEN"  # the undo bytes were dropped, by whom and when; their digests stay


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number in the file from 1, what it is, what it says."""

    seq: int
    type: Type
    body: Mapping[str, Any]


def _line(chain: str, seq: int, kind: str, body: Mapping[str, Any], form: int) -> tuple[bytes, str]:
    record = {"seq": seq, "type": str(kind), **body}
    if form == 1:
        return chained.line(chain, record)
    if seq == 1:
        record["format"] = form
    if kind == Type.INTENT:
        return chained.line(chain, record, _without_undo(record))
    return chained.line(chain, record)


def _without_undo(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an INTENT record with a digest in the place of each file's undo bytes."""
    return {**record, "files": [_digested(entry) for entry in record["files"]]}


def _digested(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    if "undo" not in entry:
        return entry
    if "undo_sha256" in entry:
        raise ValueError("both undo bytes and their digest")
    rest = {name: value for name, value in entry.items() if name != "undo"}
    data = base64.b64decode(entry["undo"], validate=True)
    return {**rest, "undo_sha256": hashlib.sha256(data).hexdigest()}


def _start(run_id: str) -> str:
    return chained.start(f"journal {run_id}")


def _parse(path: Path) -> tuple[tuple[Record, ...], str, int, int]:
    """The records, the last chain value, where the last whole record ends, and the format."""
    with files.guarded("a journal cannot be read", path.name):
        data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    records: list[Record] = []
    chain, form = _start(path.stem), 1
    for number, line in enumerate(whole.splitlines(keepends=True), start=1):
        try:
            body = json.loads(line)
            kind = Type(body["type"])
            form = _form(body) if number == 1 else form
            said = {key: value for key, value in body.items() if key not in _RESERVED}
            expected, chain = _line(chain, number, kind, said, form)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            expected = b""
        if line != expected:
            raise _damaged(path, number)
        records.append(Record(number, kind, said))
    _lawfully_dropped(records, path)
    return tuple(records), chain, len(whole), form


def _form(begin: Mapping[str, Any]) -> int:
    form = begin.get("format", 1)
    if form not in {1, FORMAT}:
        raise ValueError("a journal of a later version")
    return int(form)


def _lawfully_dropped(records: list[Record], path: Path) -> None:
    """Raise where undo bytes are missing and no record says that they were dropped."""
    if any(record.type is Type.FORGOTTEN for record in records):
        return
    for record in records:
        if record.type is Type.INTENT and any("undo_sha256" in one for one in record.body["files"]):
            raise _damaged(path, record.seq)


def _damaged(path: Path, number: int) -> DatasetError:
    return DatasetError(
        "the journal is damaged or was altered",
        f"{path.name}, record {number}",
        "touch nothing, and compare it with its backup: it holds the way back",
    )


def read(path: Path) -> tuple[Record, ...]:
    """Return the records of a journal; a torn last line is passed over.

    Raises:
        DatasetError: A record is damaged, altered, missing or out of its place.
        IoError: The file cannot be read.
    """
    return _parse(path)[0]


def droppable(path: Path) -> bool:
    """Tell whether a journal's undo bytes can be dropped and its chain still be proved.

    Raises:
        DatasetError: A record is damaged, altered, missing or out of its place.
        IoError: The file cannot be read.
    """
    return _parse(path)[3] != 1


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
        begin: What its BEGIN record says.
        broken: A record could not be written: nothing may be changed any more.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.run_id = path, path.stem
        self._descriptor, self._chain, self._seq, self._end = descriptor, _start(path.stem), 0, 0
        self.broken = False
        self.begin: Mapping[str, Any] = {}
        self._form = FORMAT

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
            journal.begin = begin
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
            records, journal._chain, journal._end, form = _parse(path)
            journal._seq = len(records)
            if records:
                journal.begin = records[0].body
                journal._form = form
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
            raise ValueError("seq, type, chain and format are the journal's own")
        line, chain = _line(self._chain, self._seq + 1, kind, body, self._form)
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

    def forget(self, said: Mapping[str, Any]) -> None:
        """Drop the undo bytes, and say so in a last record.

        The file is replaced whole; the chain stays what it was. Nothing can be appended afterwards.

        Raises:
            ValueError: It is of a format whose chain holds the undo bytes themselves.
            IoError: It could not be written: then nothing was dropped.
        """
        if self._form == 1:
            raise ValueError("the chain of this journal holds its undo bytes")
        with files.guarded("a journal cannot be read", self.path.name):
            lines = self.path.read_bytes().splitlines(keepends=True)
        last, _ = _line(self._chain, self._seq + 1, Type.FORGOTTEN, said, self._form)
        self.broken = True
        for left in self.path.parent.glob(f".{self.path.name}.*.tmp"):  # of one that was killed
            with contextlib.suppress(OSError):
                left.unlink()
        with files.replacing(self.path) as descriptor:
            for line in lines:
                files.write_all(descriptor, _stripped(line))
            files.write_all(descriptor, last)

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


def _stripped(line: bytes) -> bytes:
    """Return a line of the journal without undo bytes, its chain value as it was."""
    record = json.loads(line)
    return line if record["type"] != Type.INTENT else chained.written(_without_undo(record))
