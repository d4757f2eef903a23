"""The write protocol for one file: stage the new bytes beside it, switch, verify, finish.

T is the target, X the staged file, A the old file's second name; all in T's directory. Nothing here
knows DICOM: a file is a head, which is replaced, and a tail, which is copied byte for byte. Nothing
here decides about a study or writes the journal: see `study`. Steps 1 to 3, 5 and 6 of:

1. T opened beneath its root, no link followed; size, time and keyed head digest as planned.
2. X made, written, given T's owner, attributes, mode and times, made durable, closed.
3. X read back from the disk: its digest is that of the new head and of T's tail as it was read.
4. (study) every file's intent durable in the journal.
5. T unchanged? A linked to T, X renamed over T; the directories made durable.
6. T read again from the disk. (study) Recorded. A removed once the study is verified.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.secrets import Keys
from remediation.store import files, primitives, undo
from remediation.store.intents import FileState, Intent, Place, new_intent
from remediation.store.primitives import Mark


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


@dataclass(frozen=True, slots=True)
class Staged:
    """A file whose new bytes lie beside it, read back; `old` and `new` are complete now."""

    root: Path
    intent: Intent
    old_mark: Mark
    new_mark: Mark


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
    there = replace(intent.new, mtime_ns=None)
    return Change(intent.place.archive, root, intent.place.relative, there, intent.old, rebuild)


# --- step 1: is it the file that was planned for? ---------------------------------------------


@contextlib.contextmanager
def _target(change: Change) -> Iterator[tuple[int, bytes, int]]:
    try:
        with files.parent_of(change.root, change.relative) as (folder, leaf):
            try:
                descriptor = files.open_at(folder, leaf)
            except files.IoError as error:
                if error.errno == errno.ENOENT:
                    raise NotWritten(Result.DRIFTED, Reason.VANISHED) from None
                raise
            try:
                yield folder, leaf, descriptor
            finally:
                files.close_read(descriptor)
    except files.NotRegular:
        raise NotWritten(Result.REFUSED, Reason.NOT_REGULAR) from None


def _old_head(source: int, change: Change, keys: Keys) -> bytes:
    """Return the old head, or raise `NotWritten`: already applied, drifted, refused."""
    with files.guarded("a file cannot be examined"):
        found = os.fstat(source)
    old, new = change.old, change.new
    if found.st_size == new.size:
        head = files.read_head(source, new.head_length)
        if keys.digest(head) == new.head_digest:
            if new.sha256 not in {None, files.sha256_of(source)}:
                raise NotWritten(Result.DRIFTED, Reason.CONTENT)
            raise NotWritten(Result.ALREADY_APPLIED, "")
    if found.st_size != old.size:
        raise NotWritten(Result.DRIFTED, Reason.SIZE)
    if old.mtime_ns not in {None, found.st_mtime_ns}:
        raise NotWritten(Result.DRIFTED, Reason.MTIME)
    head = files.read_head(source, old.head_length)
    if len(head) != old.head_length or keys.digest(head) != old.head_digest:
        raise NotWritten(Result.DRIFTED, Reason.HEAD)
    if found.st_nlink > 1:
        raise NotWritten(Result.REFUSED, Reason.HARD_LINK)
    return head


def _new_head(change: Change, head: bytes, keys: Keys) -> bytes:
    new_head = change.rebuild(head)
    wanted = change.new
    size = change.old.size - len(head) + len(new_head)
    if (size, len(new_head), keys.digest(new_head)) != (
        wanted.size,
        wanted.head_length,
        wanted.head_digest,
    ):
        raise NotWritten(Result.REFUSED, Reason.NOT_AS_PLANNED)
    return new_head


def examine(change: Change, keys: Keys) -> Outcome | None:
    """Return why a file would not be written; None: it is as planned, and can be.

    Raises:
        IoError: The share did not answer.
    """
    try:
        with _target(change) as (_, _, source):
            _old_head(source, change, keys)
    except NotWritten as stop:
        return stop.outcome
    return None


def rehearse(change: Change, keys: Keys) -> Outcome:
    """Return what would become of a file, new head included; writes nothing (a dry run).

    Raises:
        IoError: The share did not answer.
    """
    try:
        with _target(change) as (_, _, source):
            _new_head(change, _old_head(source, change, keys), keys)
    except NotWritten as stop:
        return stop.outcome
    return Outcome(Result.APPLIED)


# --- steps 2 and 3: the new bytes beside it, and read back ----------------------------------------


@dataclass(frozen=True, slots=True)
class _Filled:
    old_sha256: str
    new_sha256: str


def _fill(source: int, copy: int, head: bytes, new_head: bytes) -> _Filled:
    old_sum, new_sum = hashlib.sha256(head), hashlib.sha256(new_head)
    files.write_all(copy, new_head)
    offset = len(head)
    for piece in files.blocks(source, offset):
        old_sum.update(piece)
        new_sum.update(piece)
        primitives.copy_range(source, copy, offset, len(piece))
        offset += len(piece)
    return _Filled(old_sum.hexdigest(), new_sum.hexdigest())


def _read_back(folder: int, name: bytes, new_head: bytes, sha256: str) -> Mark:
    """Read X from the disk. Its digest covers the new head and T's tail: both must be there."""
    with files.reading(folder, name) as copy:
        primitives.drop_cache(copy)
        if files.read_head(copy, len(new_head)) != new_head or files.sha256_of(copy) != sha256:
            raise NotWritten(Result.FAILED, Reason.READ_BACK)
        with files.guarded("a file cannot be examined"):
            return Mark.of(os.fstat(copy))


def _make_copy(
    folder: int, name: bytes, source: int, heads: tuple[bytes, bytes], stamp: int | None
) -> _Filled:
    copy = primitives.create(folder, name)
    try:
        filled = _fill(source, copy, *heads)
        primitives.copy_attributes(source, copy, stamp)
        files.fsync(copy)
    finally:
        files.close_written(copy)
    return filled


def _as_promised(change: Change, filled: _Filled, before: Mark, source: int) -> None:
    with files.guarded("a file cannot be examined"):
        after = Mark.of(os.fstat(source))
    if after != before:
        raise NotWritten(Result.DRIFTED, Reason.MEANWHILE)
    if change.old.sha256 not in {None, filled.old_sha256}:
        raise NotWritten(Result.DRIFTED, Reason.CONTENT)
    if change.new.sha256 not in {None, filled.new_sha256}:
        raise NotWritten(Result.REFUSED, Reason.NOT_AS_PLANNED)


def stage(change: Change, stem: str, keys: Keys, *, keep_mtime: bool = True) -> Staged:
    """Put the new bytes beside the target, durable and read back; the target is not touched.

    `stem` begins the names of X and A. With `keep_mtime`, or where `change.new` has a time, X gets
    T's or that one; else it keeps the time of its making.

    Raises:
        NotWritten: The file is left alone; nothing lies beside it.
        IoError: A system call failed; what was made was removed if it could be.
    """
    place = Place(change.archive, change.relative, stem)
    with _target(change) as (folder, _, source):
        with files.guarded("a file cannot be examined"):
            before = Mark.of(os.fstat(source))
        head = _old_head(source, change, keys)
        new_head = _new_head(change, head, keys)
        stamp = change.new.mtime_ns
        if stamp is None and keep_mtime:
            stamp = before.mtime_ns
        try:
            filled = _make_copy(folder, place.staged, source, (head, new_head), stamp)
            _as_promised(change, filled, before, source)
            new_mark = _read_back(folder, place.staged, new_head, filled.new_sha256)
        except BaseException:
            with contextlib.suppress(files.IoError):
                primitives.unlink(folder, place.staged)
            raise
    old = replace(change.old, sha256=filled.old_sha256, mtime_ns=before.mtime_ns)
    new = replace(change.new, sha256=filled.new_sha256, mtime_ns=new_mark.mtime_ns)
    intent = new_intent(place, old, new, undo.difference(head, new_head), keys)
    return Staged(change.root, intent, before, new_mark)


# --- steps 5 and 6: switch, verify, finish --------------------------------------------------------


def unchanged(staged: Staged) -> bool:
    """Whether T and X are still the files that were read.

    Raises:
        IoError: The share did not answer.
        NotRegular: A path leads through a link by now.
    """
    place = staged.intent.place
    with files.parent_of(staged.root, place.relative) as (folder, leaf):
        target = primitives.mark(folder, leaf)
        return (target, primitives.mark(folder, place.staged)) == (
            staged.old_mark,
            staged.new_mark,
        )


def switch(staged: Staged) -> None:
    """Give the old file its second name and put the new one in its place. The intent is durable.

    The directory is not made durable here: that is done once for all files of a study in it.

    Raises:
        NotWritten: T or X changed since it was staged.
        IoError: A system call failed; recovery decides what stands.
    """
    place = staged.intent.place
    if not unchanged(staged):
        raise NotWritten(Result.DRIFTED, Reason.MEANWHILE)
    with files.parent_of(staged.root, place.relative) as (folder, leaf):
        primitives.link(folder, leaf, place.aside)
        aside, target = primitives.mark(folder, place.aside), primitives.mark(folder, leaf)
        if aside is None or aside != target or not aside.same_bytes(staged.old_mark):
            raise NotWritten(Result.DRIFTED, Reason.MEANWHILE)
        primitives.rename(folder, place.staged, leaf)


def verify(staged: Staged) -> None:
    """Read T from the disk once more: it holds the new bytes.

    Raises:
        NotWritten: It does not.
        IoError: It cannot be read.
    """
    with files.parent_of(staged.root, staged.intent.place.relative) as (folder, leaf):
        with files.reading(folder, leaf) as target:
            primitives.drop_cache(target)
            if files.sha256_of(target) != staged.intent.new.sha256:
                raise NotWritten(Result.FAILED, Reason.READ_BACK)


def finish(staged: Staged) -> bool:
    """Remove A; False, and nothing done, where T is not the file that was verified any more.

    Raises:
        IoError: It could not be removed, or T not be examined.
    """
    place = staged.intent.place
    with files.parent_of(staged.root, place.relative) as (folder, leaf):
        target = primitives.mark(folder, leaf)
        if target is None or not target.same_bytes(staged.new_mark):
            return False
        primitives.unlink(folder, place.aside)
    return True
