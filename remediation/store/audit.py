"""The audit log on disk: `audit/<yyyy>.jsonl`, appended to, chained over all runs and years.

One writer at a time, by a lock that is held as long as an append lasts. What `append` returned for
is on the disk. A last line that is not whole was never acknowledged: the next append takes it away
and says so. Nothing here ever deletes an entry; how long they are kept is the hospital's to say.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediation.errors import AlteredError, LockedError
from remediation.model import chain
from remediation.model.audit import Entry, Event
from remediation.store import files
from remediation.store.locks import try_lock

FOLDER = "audit"
START = chain.start("audit log")
PATIENCE = 30.0  # seconds that another writer is waited for
_YEAR = re.compile(r"\d{4}\.jsonl", re.ASCII)
_TAIL = 1 << 16  # bytes; two entries fit, else it is doubled
_MEND = "compare the log with its backup, and with the heads that were noted down"


@dataclass(frozen=True, slots=True)
class Head:
    """The last record's number and chain value; `mended`: a line cut off was taken away."""

    seq: int = 0
    chain: str = START
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """One record as it was read: its number, its chain value, what it says."""

    seq: int
    chain: str
    said: Mapping[str, Any]


def years(output: Path) -> list[Path]:
    """Return the log's files, oldest first."""
    folder = output / FOLDER
    with files.guarded("the audit log cannot be listed", FOLDER):
        try:
            return sorted(path for path in folder.iterdir() if _YEAR.fullmatch(path.name))
        except FileNotFoundError:
            return []


def append(output: Path, entries: Sequence[Entry]) -> Head:
    """Write entries, make them durable, and return the new head; after an error there are none.

    Raises:
        LockedError: another writer does not come to its end.
        AlteredError: the log's last record is not what was written.
        IoError: the entries may not be on the disk.
    """
    folder = output / FOLDER
    with files.guarded("the audit log's folder cannot be made", FOLDER):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    with _alone(folder / "lock"):
        return _append(output, entries)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    with files.guarded("the audit log cannot be locked", FOLDER):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        until = time.monotonic() + PATIENCE
        while not try_lock(descriptor, path):
            if time.monotonic() > until:
                raise LockedError("the audit log is being written", FOLDER, "try again")
            time.sleep(0.01)
        yield
    finally:
        files.close_read(descriptor)


def _append(output: Path, entries: Sequence[Entry]) -> Head:
    folder = output / FOLDER
    head, last = _mended(output)
    if head.mended:
        first = entries[0]
        entries = [Entry(first.at, first.run, Event.MENDED, first.command, first.who), *entries]
    # Order is that of the records: a clock that was set back does not open an old year again.
    path = max(folder / f"{entries[0].at[:4]}.jsonl", last or folder / "0000.jsonl")
    pieces: list[bytes] = []
    value = head.chain
    for number, entry in enumerate(entries, start=head.seq + 1):
        piece, value = chain.line(value, {"seq": number, **entry.said()})
        pieces.append(piece)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
    with files.guarded("the audit log cannot be opened", path.name):
        descriptor = os.open(path, flags, 0o600)
    try:
        _written(descriptor, b"".join(pieces), path)
    finally:
        files.close_read(descriptor)
    if path != last:
        files.sync_folder(folder)
    return Head(head.seq + len(entries), value, head.mended)


def _written(descriptor: int, data: bytes, path: Path) -> None:
    with files.guarded("the audit log cannot be examined", path.name):
        end = os.fstat(descriptor).st_size
    try:
        files.write_all(descriptor, data)
        files.fsync(descriptor)
        _kept(descriptor, end, data, path)
    except BaseException:
        # Never acknowledged, so it can go; what cannot go now is taken away by the next writer
        # (a part), or stands as an entry of a run that did not go on (the whole).
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, end)
        raise


def _kept(descriptor: int, offset: int, data: bytes, path: Path) -> None:
    if files.read_at(descriptor, offset, len(data) + 1) != data:
        raise files.IoError("the disk did not keep an entry of the audit log", path.name)


def _mended(output: Path) -> tuple[Head, Path | None]:
    """Return the head, and the file that ends with it, after taking away a line cut off."""
    mended = False
    for path in reversed(years(output)):
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
        with files.guarded("the audit log cannot be opened", path.name):
            descriptor = os.open(path, flags)
        try:
            lines, torn, end = _last_two(descriptor, path)
            if torn:
                mended = True
                with files.guarded("the audit log cannot be mended", path.name):
                    os.ftruncate(descriptor, end)
                files.fsync(descriptor)
        finally:
            files.close_read(descriptor)
        if lines:
            return _head_of(lines, path, mended=mended), path
    return Head(mended=mended), None


def _last_two(descriptor: int, path: Path) -> tuple[list[bytes], bool, int]:
    """Return the last one or two whole lines, whether a torn one follows, where they end."""
    with files.guarded("the audit log cannot be examined", path.name):
        size = os.fstat(descriptor).st_size
    length = _TAIL
    while True:
        begin = max(0, size - length)
        data = files.read_at(descriptor, begin, size - begin)
        whole = data[: data.rfind(b"\n") + 1]
        found = whole.splitlines(keepends=True)
        if begin == 0 or len(found) > 2:  # noqa: PLR2004 - the first may be a part
            return found[-2:], len(whole) != len(data), begin + len(whole)
        length *= 2


def _head_of(lines: Sequence[bytes], path: Path, *, mended: bool) -> Head:
    try:
        *before, last = (json.loads(one) for one in lines)
        seq, value = int(last["seq"]), str(last["chain"])
        # The only record of a file follows on that of another year: `prove` looks at those.
        right = not before or _follows(lines[-1], last, str(before[0]["chain"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        right, seq, value = False, 0, ""
    if not right:
        raise AlteredError("the audit log is damaged or was altered", path.name, _MEND)
    return Head(seq, value, mended)


def _follows(line: bytes, said: Mapping[str, Any], before: str) -> bool:
    rest = {name: value for name, value in said.items() if name != "chain"}
    return chain.line(before, rest)[0] == line


# --- reading ------------------------------------------------------------------------------------


def read(output: Path, since: str = "") -> Iterator[Noted]:
    """Yield the records of all years in their order, each held against the chain.

    Args:
        output: the job's output folder.
        since: the head before the first record that is there, where older years were moved away.

    Raises:
        AlteredError: at the first record that is damaged, altered, missing or out of its place.
        IoError: a file cannot be read.
    """
    value, seq = since or START, None if since else 0
    for path in years(output):
        for number, line in enumerate(_lines(path), start=1):
            try:
                said = json.loads(line)
                found = int(said["seq"])
                right = _follows(line, said, value) and seq in {None, found - 1}
            except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
                right = False
            if not right:
                where = f"{path.name}, line {number}"
                raise AlteredError("the audit log is damaged or was altered", where, _MEND)
            seq, value = found, said["chain"]
            yield Noted(found, value, said)


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of a file; one cut off was never acknowledged."""
    with files.guarded("the audit log cannot be read", path.name), path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line


@dataclass(frozen=True, slots=True)
class Proof:
    """The chain is whole: its records, its head, and whether a line cut off follows them."""

    records: int
    first: int
    seq: int
    head: str
    torn: bool


def prove(output: Path, *, since: str = "", noted: Iterable[tuple[str, str]] = ()) -> Proof:
    """Hold the whole log against its chain, and heads noted down elsewhere against the log.

    Args:
        output: the job's output folder.
        since: as in `read`.
        noted: (head, where it was noted) of any earlier moment.

    Raises:
        AlteredError: a record is not what was written, or a noted head is not in the log: it was
            cut off or replaced since.
        IoError: a file cannot be read.
    """
    missing = {head: where for head, where in noted if head != (since or START)}
    count = first = last = 0
    value = since or START
    for one in read(output, since):
        count, last, value = count + 1, one.seq, one.chain
        first = first or one.seq
        missing.pop(value, None)
    if missing:
        where = min(missing.values())
        raise AlteredError(
            "a head that was noted down is not in the audit log",
            where,
            f"the log was cut off or replaced since: {_MEND}",
        )
    return Proof(count, first, last, value, _torn(output))


def _torn(output: Path) -> bool:
    found = years(output)
    if not found:
        return False
    with files.guarded("the audit log cannot be read", found[-1].name), found[-1].open("rb") as one:
        size = one.seek(0, os.SEEK_END)
        one.seek(max(0, size - 1))
        return one.read(1) not in {b"", b"\n"}
