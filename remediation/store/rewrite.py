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
import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.secrets import Keys
from remediation.store import files, primitives, undo
from remediation.store.changes import Change, NotWritten, new_head_of, old_head, target
from remediation.store.intents import Intent, Place, new_intent
from remediation.store.primitives import Mark


@dataclass(frozen=True, slots=True)
class Staged:
    """A file whose new bytes lie beside it, read back; its intent's two states are complete."""

    root: Path
    intent: Intent
    old_mark: Mark
    new_mark: Mark


# --- steps 2 and 3: the new bytes beside it, and read back ----------------------------------------


@dataclass(frozen=True, slots=True)
class _Copy:
    """What is copied: the change, T's mark before, both heads, the time to set (None: leave it)."""

    change: Change
    before: Mark
    head: bytes
    new_head: bytes
    stamp: int | None
    owner: bool = True


@dataclass(frozen=True, slots=True)
class _Filled:
    """SHA-256 of all of T as it was read, and of what must stand in X."""

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


def _check_promise(plan: _Copy, filled: _Filled, source: int) -> None:
    with files.guarded("a file cannot be examined"):
        after = Mark.of(os.fstat(source))
    if after != plan.before:
        raise NotWritten(Result.DRIFTED, Reason.MEANWHILE)
    if plan.change.old.sha256 not in {None, filled.old_sha256}:
        raise NotWritten(Result.DRIFTED, Reason.CONTENT)
    if plan.change.new.sha256 not in {None, filled.new_sha256}:
        raise NotWritten(Result.REFUSED, Reason.NOT_AS_PLANNED)


def _read_back(folder: int, name: bytes, new_head: bytes, sha256: str) -> Mark:
    """Read X from the disk. Its digest covers the new head and T's tail: both must be there."""
    with files.reading(folder, name) as copy:
        primitives.drop_cache(copy)
        if files.read_head(copy, len(new_head)) != new_head or files.sha256_of(copy) != sha256:
            raise NotWritten(Result.FAILED, Reason.READ_BACK)
        with files.guarded("a file cannot be examined"):
            return Mark.of(os.fstat(copy))


def _beside(folder: int, name: bytes, source: int, plan: _Copy) -> tuple[_Filled, Mark]:
    """Make X whole, or leave nothing."""
    copy = primitives.create(folder, name)
    try:
        try:
            filled = _fill(source, copy, plan.head, plan.new_head)
            primitives.copy_attributes(source, copy, plan.stamp, owner=plan.owner)
            files.fsync(copy)
        finally:
            files.close_written(copy)
        _check_promise(plan, filled, source)
        return filled, _read_back(folder, name, plan.new_head, filled.new_sha256)
    except BaseException:
        with contextlib.suppress(files.IoError):
            primitives.unlink(folder, name)
        raise


def _stamp(change: Change, before: Mark, *, keep_mtime: bool) -> int | None:
    if change.new.mtime_ns is None and keep_mtime:
        return before.mtime_ns
    return change.new.mtime_ns


def stage(
    change: Change,
    stem: str,
    keys: Keys,
    *,
    keep_mtime: bool = True,
    run_keys: Keys | None = None,
) -> Staged:
    """Put the new bytes beside the target, durable and read back; the target is not touched.

    `stem` begins the names of X and A. With `keep_mtime`, or where `change.new` has a time, X gets
    T's or that one; else it keeps the time of its making. The undo bytes are encrypted with
    `run_keys`, where the run has keys of its own.

    Raises:
        NotWritten: The file is left alone; nothing lies beside it.
        IoError: A system call failed; what was made was removed if it could be.
    """
    place = Place(change.archive, change.relative, stem)
    with target(change) as (folder, _, source):
        with files.guarded("a file cannot be examined"):
            before = Mark.of(os.fstat(source))
        head = old_head(source, change, keys)
        new_head = new_head_of(change, head, keys)
        stamp = _stamp(change, before, keep_mtime=keep_mtime)
        filled, new_mark = _beside(
            folder, place.staged, source, _Copy(change, before, head, new_head, stamp)
        )
    old = replace(change.old, sha256=filled.old_sha256, mtime_ns=before.mtime_ns)
    new = replace(change.new, sha256=filled.new_sha256, mtime_ns=new_mark.mtime_ns)
    intent = new_intent(place, old, new, undo.difference(head, new_head), run_keys or keys)
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
    with (
        files.parent_of(staged.root, staged.intent.place.relative) as (folder, leaf),
        files.reading(folder, leaf) as target,
    ):
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


def put_back(staged: Staged) -> bool:
    """Give T its old bytes back and remove X and A; False where T is neither of our two files.

    Goes by what the names point at, so that it also undoes a switch of which T cannot be read
    again. A T that somebody else replaced or changed before the switch is theirs, and stays.

    Raises:
        IoError: A system call failed; recovery decides what stands.
    """
    place = staged.intent.place
    with files.parent_of(staged.root, place.relative) as (folder, leaf):
        there, aside, beside = (
            primitives.mark(folder, name) for name in (leaf, place.aside, place.staged)
        )
        if there is not None and (aside is None or aside.same_file(there)):
            if there.same_file(staged.new_mark):
                return False  # switched, and the old file is gone
            if aside is not None:
                primitives.unlink(folder, place.aside)
        elif aside is not None and aside.same_file(staged.old_mark):
            if there is not None and not there.same_file(staged.new_mark):
                return False
            primitives.rename(folder, place.aside, leaf)
        else:
            return False
        if beside is not None and beside.same_file(staged.new_mark):
            primitives.unlink(folder, place.staged)
    return True


# --- writing elsewhere ----------------------------------------------------------------------------


def mirror(change: Change, destination: Path, keys: Keys, *, keep_mtime: bool = True) -> Outcome:
    """Write the new file to the same path beneath `destination`; the archive is only read.

    Directories are made as needed, `destination` itself must be there. It appears under its name
    whole and read back, or not at all; what stands there already is never replaced. Doing it again
    after an interruption leaves nothing of the first try. The owner is who runs this.

    Raises:
        IoError: A system call failed.
    """
    try:
        with (
            target(change) as (_, _, source),
            files.parent_of(destination, change.relative, make=True) as (folder, leaf),
        ):
            with files.guarded("a file cannot be examined"):
                before = Mark.of(os.fstat(source))
            head = old_head(source, change, keys)
            new_head = new_head_of(change, head, keys)
            if primitives.mark(folder, leaf) is not None:
                return _standing(folder, leaf, change, new_head)
            # The same name each time, so that a rerun clears what a killed one left.
            name = files.OURS + b"out-" + hashlib.sha256(leaf).hexdigest()[:24].encode()
            primitives.unlink(folder, name)
            stamp = _stamp(change, before, keep_mtime=keep_mtime)
            _beside(folder, name, source, _Copy(change, before, head, new_head, stamp, owner=False))
            primitives.link(folder, name, leaf)
            primitives.unlink(folder, name)
            files.fsync(folder)
    except NotWritten as stop:
        return stop.outcome
    return Outcome(Result.APPLIED)


def _standing(folder: int, leaf: bytes, change: Change, new_head: bytes) -> Outcome:
    with files.reading(folder, leaf) as there:
        with files.guarded("a file cannot be examined"):
            size = os.fstat(there).st_size
        if size == change.new.size and files.read_head(there, len(new_head)) == new_head:
            return Outcome(Result.ALREADY_APPLIED)
    return Outcome(Result.REFUSED, Reason.OCCUPIED)
