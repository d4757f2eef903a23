"""Recovery: brings every study of an interrupted run to its old bytes or its new ones, as a whole.

What to do is a pure function of digests: of the target (t), of the staged file (x) and of the old
file's second name (a). What it does not know is quarantined: reported, and touched by nobody. Doing
it again, or being interrupted itself, changes nothing about the end.

>>> decide("o", "n", None, "o", "n"), decide("n", None, "o", "o", "n")
(<Action.KEEP_OLD: 'keep-old'>, <Action.KEEP_NEW: 'keep-new'>)
>>> decide("?", "n", "o", "o", "n")
<Action.QUARANTINE: 'quarantine'>
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from remediation.errors import LockedError
from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.secrets import Keys
from remediation.store import files, primitives
from remediation.store.intents import (
    Bytes,
    Intent,
    Kind,
    Place,
    StudyLog,
    closed_record,
    study_logs,
)
from remediation.store.journal import Journal, Record, Type, read

NOT_A_FILE = "not a regular file"  # stands for a digest where there is none to take


class Action(StrEnum):
    """What the digests of one file's three names allow."""

    KEEP_OLD = "keep-old"  # the target is old: what was made beside it can go
    KEEP_NEW = "keep-new"  # the target is new and the old file is aside: both ways are open
    FINISH = "finish"  # the target is new and nothing is aside: it can only stay
    PUT_BACK = "put-back"  # there is no target, the old file is aside: it must go back
    QUARANTINE = "quarantine"


class State(StrEnum):
    """What recovery made of a study."""

    OLD = "old"
    NEW = "new"
    QUARANTINED = "quarantined"  # something unknown is there: nothing of the study was touched
    FAILED = "failed"  # the share did not answer: nothing is decided, run it again
    LOCKED = "locked"  # the run is still going on


@dataclass(frozen=True, slots=True)
class Recovered:
    """One study of an interrupted run, and what became of it (a locked run: no study)."""

    run_id: str
    study: str
    state: State
    files: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """SHA-256 of target, staged file and file aside, None where there is none; target's mark."""

    target: str | None
    staged: str | None
    aside: str | None
    mark: primitives.Mark | None


def decide(t: str | None, x: str | None, a: str | None, old: str, new: str) -> Action:
    """Return what can be done with a file from the digests that are there and the two expected."""
    if x not in {None, new} or a not in {None, old}:
        return Action.QUARANTINE
    if t == old:
        return Action.KEEP_OLD
    if t == new:
        return Action.FINISH if a is None else Action.KEEP_NEW
    if t is None and a == old:
        return Action.PUT_BACK
    return Action.QUARANTINE


def settle(actions: Sequence[Action], *, put_back: bool) -> State:
    """Return where a whole study goes: new only if all of it is, and nobody wanted it back.

    >>> settle([Action.KEEP_NEW, Action.KEEP_OLD], put_back=False)
    <State.OLD: 'old'>
    >>> settle([Action.FINISH, Action.KEEP_OLD], put_back=False)
    <State.QUARANTINED: 'quarantined'>
    """
    if Action.QUARANTINE in actions:
        return State.QUARANTINED
    if not put_back and all(a in {Action.KEEP_NEW, Action.FINISH} for a in actions):
        return State.NEW
    return State.QUARANTINED if Action.FINISH in actions else State.OLD


# --- one file -----------------------------------------------------------------------------------


def _digest(folder: int, name: bytes) -> str | None:
    try:
        with files.reading(folder, name) as descriptor:
            return files.sha256_of(descriptor)
    except files.NotRegular:
        return NOT_A_FILE
    except files.IoError:
        if primitives.identity(folder, name) is None:
            return None
        raise


def observe(root: Path, place: Place) -> Observed:
    """Read the three names of one file.

    Raises:
        IoError: One of them is there and cannot be read, or the directory cannot.
    """
    with files.parent_of(root, place.relative) as (folder, leaf):
        before = primitives.mark(folder, leaf)
        t, x, a = (_digest(folder, name) for name in (leaf, place.staged, place.aside))
        return Observed(t, x, a, before)


def _unchanged(folder: int, leaf: bytes, seen: Observed) -> None:
    # The other files of the study were read in between: the digest must still be this file's.
    if primitives.mark(folder, leaf) != seen.mark:
        raise files.IoError("a file changed while its study was looked at")


def _to_old(root: Path, intent: Intent, seen: Observed) -> None:
    place = intent.place
    with files.parent_of(root, place.relative) as (folder, leaf):
        _unchanged(folder, leaf, seen)
        if seen.target != intent.old.sha256:
            primitives.rename(folder, place.aside, leaf)
            files.fsync(folder)  # the old bytes stand, and for good, before anything goes
        elif seen.aside is not None:
            primitives.unlink(folder, place.aside)
        if seen.staged is not None:
            primitives.unlink(folder, place.staged)
        files.fsync(folder)


def _to_new(root: Path, intent: Intent, seen: Observed) -> None:
    place = intent.place
    with files.parent_of(root, place.relative) as (folder, leaf):
        _unchanged(folder, leaf, seen)
        files.fsync(folder)  # the new bytes stand, and for good, before the old ones go
        if seen.staged is not None:
            primitives.unlink(folder, place.staged)
        if seen.aside is not None:
            primitives.unlink(folder, place.aside)
        files.fsync(folder)


def discard(root: Path, place: Place) -> bool:
    """Remove a staged file whose target was never touched; False, and nothing done, if in doubt.

    Only for a file without an intent: in doubt means that there is no target, that the staged name
    is the target's own, or that something is aside, as then an intent must have been lost.
    """
    with files.parent_of(root, place.relative) as (folder, leaf):
        target, staged, aside = (
            primitives.identity(folder, name) for name in (leaf, place.staged, place.aside)
        )
        if aside is None and staged is None:
            return True
        if target is None or aside is not None or staged == target:
            return False
        primitives.unlink(folder, place.staged)
        files.fsync(folder)
    return True


# --- one study ----------------------------------------------------------------------------------


def resolve(
    intents: Sequence[Intent], roots: Mapping[str, Path], *, put_back: bool = False
) -> State:
    """Bring the files of one staged study to their old bytes or their new ones, all alike.

    Raises:
        IoError: Something could not be read or done; calling again goes on from there.
        NotRegular: A path leads through a link by now.
    """
    seen = [observe(roots[intent.place.archive], intent.place) for intent in intents]
    actions = [
        decide(s.target, s.staged, s.aside, str(i.old.sha256), str(i.new.sha256))
        for i, s in zip(intents, seen, strict=True)
    ]
    state = settle(actions, put_back=put_back)
    if state is not State.QUARANTINED:
        step = _to_old if state is State.OLD else _to_new
        for intent, found in zip(intents, seen, strict=True):
            step(roots[intent.place.archive], intent, found)
    return state


def _discard_all(places: Sequence[Place], roots: Mapping[str, Path]) -> State:
    # No short cut: what can be cleaned is cleaned, though the study stays open for a person.
    cleaned = [discard(roots[place.archive], place) for place in places]
    return State.OLD if all(cleaned) else State.QUARANTINED


def _mounted(roots: Iterable[Path]) -> None:
    # The empty directory under a share that is not mounted must not pass for a clean archive.
    for root in roots:
        with files.guarded("the archive root cannot be read"), os.scandir(root) as entries:
            empty = next(entries, None) is None
        if empty:
            raise files.IoError("the archive root is empty", "is the share mounted?")


def _recover_study(
    log: StudyLog, journal: Journal, roots: Mapping[str, Path], keys: Keys
) -> Recovered:
    def told(state: State, reason: str = "") -> Recovered:
        return Recovered(journal.run_id, log.study, state, len(log.places), reason)

    if any(place.archive not in roots for place in log.places):
        return told(State.QUARANTINED, "an archive of it is not in the job file")
    try:
        _mounted({roots[place.archive] for place in log.places})
        if log.intents:
            state = resolve(log.intents, roots, put_back=log.put_back)
        else:
            state = _discard_all(log.places, roots)
        if state is State.QUARANTINED:
            return told(state, "its files are not as any step leaves them: look at them yourself")
        outcome = _outcome(log.kind, state)
        outcomes = [(place.archive, place.relative, outcome) for place in log.places]
        closed = closed_record(log.stage, Bytes(state), outcomes, keys.of_run(journal.begin))
        journal.append(Type.CLOSED, closed)
    except (files.IoError, files.NotRegular) as error:
        return told(State.FAILED, f"{error.what}: {error.where}" if error.where else error.what)
    return told(state)


def _outcome(kind: Kind, state: State) -> Outcome:
    if state is State.NEW:
        return Outcome(Result.APPLIED if kind is Kind.APPLY else Result.ROLLED_BACK)
    result = Result.ROLLED_BACK if kind is Kind.APPLY else Result.FAILED
    return Outcome(result, Reason.INTERRUPTED)


def left_open(records: Iterable[Record]) -> bool:
    """Tell without a key whether a journal has a study that was staged and not closed."""
    staged: set[int] = set()
    for record in records:
        if record.type is Type.STAGE:
            staged.add(record.seq)
        elif record.type is Type.CLOSED:
            staged.discard(record.body["stage"])
    return bool(staged)


def recover(
    roots: Mapping[str, Path], journals: Iterable[Path], keys: Keys
) -> tuple[Recovered, ...]:
    """Settle every study that a run began and did not close; return what became of each.

    Args:
        roots: The root of each archive, by name.
        journals: The runs' journals; those with nothing open are only read.
        keys: The key that the journals were written with.

    Raises:
        DatasetError: A journal is damaged: nothing of it is touched, and nothing after it.
        KeyFileError: A journal was written with another key.
        IoError: A journal cannot be read or gone on with.
    """
    results: list[Recovered] = []
    for path in journals:
        found = read(path)
        # With an escrow key only runs that must be settled have to be opened.
        if keys.escrowed and not left_open(found):
            continue
        if all(log.closed for log in study_logs(found, keys)):
            continue
        try:
            journal, records = Journal.reopen(path)
        except LockedError:
            results.append(Recovered(path.stem, "", State.LOCKED, 0, "its run is still going on"))
            continue
        with journal:
            results += [
                _recover_study(log, journal, roots, keys)
                for log in study_logs(records, keys)
                if log.closed is None
            ]
    return tuple(results)
