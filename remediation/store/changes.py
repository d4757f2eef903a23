"""One planned change of one file: what must be there, what is to come of it, and whether it can.

Step 1 of the write protocol (see `rewrite`): the target is opened beneath its root with no link
followed; it is written only if it is the file that was planned for. Nothing is written here.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from remediation.model.outcomes import Outcome, Reason, Result, reason_of
from remediation.model.secrets import Keys
from remediation.store import files, undo
from remediation.store.intents import FileState, Intent
from remediation.store.primitives import AttributeLossError


class NotWritten(Exception):  # noqa: N818 - an outcome on its way out, not a fault
    """A file is left alone, with the outcome that says why. Raised by `rebuild` to refuse it."""

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(f"{result} ({reason})")
        self.outcome = Outcome(result, reason)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one file.

    Attributes:
        archive: The archive's name, as the journal knows it.
        root: The archive's root.
        relative: The path beneath it.
        old: What must be there; a time or SHA-256 of None is not asked for.
        new: What must come of it. A time of None: as the writer's setting says.
        rebuild: The old head in, the new head out; raises `NotWritten` to refuse.
    """

    archive: str
    root: Path
    relative: bytes
    old: FileState
    new: FileState
    rebuild: Callable[[bytes], bytes]


def planned(
    row: Mapping[str, Any], root: Path, path: str, rebuild: Callable[[bytes], bytes]
) -> Change:
    """Return the change that a row of corrections asks for; `path` is the plain one."""
    size = row["size"] - row["head_length"] + row["result_length"]
    return Change(
        row["archive"],
        root,
        os.fsencode(path),
        FileState(row["size"], row["head_length"], row["head_digest"], None, row["mtime_ns"]),
        FileState(size, row["result_length"], row["result_digest"]),
        rebuild,
    )


def undo_of(intent: Intent, root: Path, keys: Keys) -> Change:
    """Return the change that takes an applied file back to its old bytes and time.

    Raises:
        KeyFileError: The undo bytes cannot be opened with this key.
    """
    delta = intent.open_undo(keys)

    def rebuild(head: bytes) -> bytes:
        try:
            return undo.restore(head, delta)
        except ValueError:
            raise NotWritten(Result.REFUSED, Reason.UNDO) from None

    # The bytes decide, and not the time: a backup that was put back is the same file.
    there, old = replace(intent.new, mtime_ns=None), intent.old
    if keys.escrowed:  # keyed digests cannot be made: those of the whole files decide alone
        there, old = replace(there, head_digest=""), replace(old, head_digest="")
    return Change(intent.place.archive, root, intent.place.relative, there, old, rebuild)


def failed(error: files.IoError) -> Outcome:
    """Return the outcome of a file on which a system call failed."""
    if isinstance(error, files.SyncError):
        return Outcome(Result.FAILED, Reason.SYNC)
    if isinstance(error, AttributeLossError):
        return Outcome(Result.FAILED, Reason.ATTRIBUTES)
    return Outcome(Result.FAILED, reason_of(error.errno))


@contextlib.contextmanager
def target(change: Change) -> Iterator[tuple[int, bytes, int]]:
    """Open T: its open directory, its name there, its open file. What is missing has drifted."""
    try:
        with _parent(change) as (folder, leaf):
            try:
                descriptor = files.open_at(folder, leaf)
            except files.IoError as error:
                raise _missing(error, change) from None
            try:
                yield folder, leaf, descriptor
            finally:
                files.close_read(descriptor)
    except files.NotRegular:
        raise NotWritten(Result.REFUSED, Reason.NOT_REGULAR) from None


@contextlib.contextmanager
def _parent(change: Change) -> Iterator[tuple[int, bytes]]:
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(files.parent_of(change.root, change.relative))
        except files.IoError as error:
            raise _missing(error, change) from None
        yield opened


def _missing(error: files.IoError, change: Change) -> Exception:
    # Without its root, nothing can be said of a file: then the share is gone, not the file.
    if error.errno == errno.ENOENT and change.root.is_dir():
        return NotWritten(Result.DRIFTED, Reason.VANISHED)
    return error


def old_head(source: int, change: Change, keys: Keys) -> bytes:
    """Return the old head, or raise `NotWritten`: already applied, drifted, refused."""
    with files.guarded("a file cannot be examined"):
        found = os.fstat(source)
    old, new = change.old, change.new
    if found.st_size == new.size:
        head = files.read_head(source, new.head_length)
        if _is_head(head, new, source, keys):
            if new.sha256 is not None and new.sha256 != files.sha256_of(source):
                raise NotWritten(Result.DRIFTED, Reason.CONTENT)
            raise NotWritten(Result.ALREADY_APPLIED, "")
    if found.st_size != old.size:
        raise NotWritten(Result.DRIFTED, Reason.SIZE)
    if old.mtime_ns not in {None, found.st_mtime_ns}:
        raise NotWritten(Result.DRIFTED, Reason.MTIME)
    head = files.read_head(source, old.head_length)
    if len(head) != old.head_length or not _is_head(head, old, source, keys):
        raise NotWritten(Result.DRIFTED, Reason.HEAD)
    if found.st_nlink > 1:
        raise NotWritten(Result.REFUSED, Reason.HARD_LINK)
    return head


def _is_head(head: bytes, state: FileState, source: int, keys: Keys) -> bool:
    """Tell whether this is the head of such a file; without a keyed digest by all of its bytes."""
    if not state.head_digest:
        return state.sha256 == files.sha256_of(source)
    return keys.digest(head) == state.head_digest


def new_head_of(change: Change, head: bytes, keys: Keys) -> bytes:
    """Return the rebuilt head, or raise `NotWritten` where it is not the promised one."""
    new_head = change.rebuild(head)
    wanted = change.new
    size = change.old.size - len(head) + len(new_head)
    # Without a keyed digest, what is staged is held against the digest of the whole file.
    digest = keys.digest(new_head) if wanted.head_digest else ""
    if (size, len(new_head), digest) != (wanted.size, wanted.head_length, wanted.head_digest):
        raise NotWritten(Result.REFUSED, Reason.NOT_AS_PLANNED)
    return new_head


def examine(change: Change, keys: Keys) -> Outcome | None:
    """Return why a file would not be written; None: it is as planned, and can be.

    Raises:
        IoError: The share did not answer.
    """
    try:
        with target(change) as (_, _, source):
            old_head(source, change, keys)
    except NotWritten as stop:
        return stop.outcome
    return None


def rehearse(change: Change, keys: Keys) -> Outcome:
    """Return what would become of a file, new head included; writes nothing (a dry run).

    Raises:
        IoError: The share did not answer.
    """
    try:
        with target(change) as (_, _, source):
            new_head_of(change, old_head(source, change, keys), keys)
    except NotWritten as stop:
        return stop.outcome
    return Outcome(Result.APPLIED)
