"""A study as one unit of writing: all files staged, all intents durable, all switched; or none.

A failure, or an interrupt, at any point brings back the old bytes of every file of the study. What
cannot even be put back stays open in the journal for recovery, and stops the run. So do three
failed files, a failed fsync, a share that gives back other bytes than were written, and a journal
that cannot be written.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.secrets import Keys
from remediation.store import files, recovery, rewrite
from remediation.store.changes import Change, NotWritten, examine, failed
from remediation.store.intents import (
    Bytes,
    Kind,
    Place,
    closed_record,
    intent_record,
    outcome_list,
    stage_record,
)
from remediation.store.journal import Journal, Type
from remediation.store.recovery import State
from remediation.store.rewrite import Staged

IO_FAILURES = 3  # this many files, and the run stops


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What became of a study.

    Attributes:
        outcomes: One per change, in their order.
        switched: The files whose old bytes are still aside: `finish` or `put_back` it.
        stage: The number of its STAGE record; 0 where nothing was staged.
        halt: Why no further study may be written in this run; empty: go on.
    """

    study: str
    changes: tuple[Change, ...]
    outcomes: tuple[Outcome, ...]
    switched: tuple[Staged, ...] = ()
    stage: int = 0
    halt: str = ""

    @property
    def done(self) -> bool:
        """Whether every file has the wanted bytes."""
        return all(outcome.untroubled for outcome in self.outcomes)


@dataclass(slots=True)
class _Attempt:
    """How far the writing of one study has come."""

    study: str
    changes: tuple[Change, ...]
    pending: tuple[int, ...]  # which changes are to be written
    outcomes: list[Outcome | None]
    places: tuple[Place, ...] = ()
    stage: int = 0
    staged: list[Staged] = field(default_factory=list)
    current: int = 0  # which of the pending ones is being worked on
    switching: bool = False

    @property
    def roots(self) -> dict[str, Path]:
        return {change.archive: change.root for change in self.changes}


class StudyWriter:
    """Writes studies, one after another, for one run with one journal."""

    def __init__(
        self,
        journal: Journal,
        keys: Keys,
        kind: Kind = Kind.APPLY,
        *,
        keep_mtime: bool = True,
    ) -> None:
        self.journal, self.keys, self.kind = journal, keys, kind
        self.keep_mtime = keep_mtime
        self.failures = 0
        self.halt = ""

    def write(self, study: str, changes: Sequence[Change], group: str = "") -> StudyResult:
        """Write all files of a study, or none. `finish` or `put_back` the result.

        Files that hold the new bytes already are left out. A file that has drifted or is refused
        refuses its study: nothing of it is written. `group` goes into the journal as it is.

        Raises:
            IoError: An earlier study has stopped this run, or nothing could be examined.
            Exception: Whatever `rebuild` raises beside `NotWritten`, once all is put back.
        """
        if self.halt:
            raise files.IoError("this run has stopped", self.halt)
        attempt = self._examined(study, tuple(changes))
        if None not in attempt.outcomes or not attempt.pending:
            return self._left(attempt)
        try:
            self._stage_all(attempt, group)
            self._switch_all(attempt)
        except (NotWritten, files.IoError, files.NotRegular) as stop:
            return self._withdrawn(attempt, self._verdict(stop))
        except BaseException:
            self._withdrawn(attempt, Outcome(Result.FAILED, Reason.INTERRUPTED))
            raise
        wanted = Result.APPLIED if self.kind is Kind.APPLY else Result.ROLLED_BACK
        outcomes = tuple(outcome or Outcome(wanted) for outcome in attempt.outcomes)
        switched = tuple(attempt.staged)
        result = StudyResult(study, attempt.changes, outcomes, switched, attempt.stage)
        self._record(Type.STUDY_DONE, {"stage": attempt.stage})
        return replace(result, halt=self.halt)

    # --- before anything is written -------------------------------------------------------------

    def _examined(self, study: str, changes: tuple[Change, ...]) -> _Attempt:
        outcomes: list[Outcome | None] = []
        for change in changes:
            try:
                outcomes.append(examine(change, self.keys))
            except files.IoError as error:
                outcomes.append(self._verdict(error))
        pending = tuple(number for number, outcome in enumerate(outcomes) if outcome is None)
        attempt = _Attempt(study, changes, pending, outcomes)
        if any(outcome and not outcome.untroubled for outcome in outcomes):
            self._blame(attempt)
        return attempt

    def _blame(self, attempt: _Attempt) -> None:
        for number in attempt.pending:
            if attempt.outcomes[number] is None:
                attempt.outcomes[number] = Outcome(Result.REFUSED, Reason.OTHER_FILE)

    def _left(self, attempt: _Attempt) -> StudyResult:
        outcomes = _complete(attempt)
        body = {
            "study": self.keys.seal(attempt.study),
            "files": outcome_list(_listed(attempt.changes, outcomes), self.keys),
        }
        self._record(Type.OUTCOME, body)
        return StudyResult(attempt.study, attempt.changes, outcomes, halt=self.halt)

    # --- forward --------------------------------------------------------------------------------

    def _stage_all(self, attempt: _Attempt, group: str) -> None:
        # Not to be met again by any run, so that a name that is there is our own.
        run = f"{self.journal.run_id}-{self.journal.next_seq}-{secrets.token_hex(4)}"
        wanted = [attempt.changes[number] for number in attempt.pending]
        attempt.places = tuple(
            Place(change.archive, change.relative, f"{files.OURS.decode()}{run}-{number}")
            for number, change in enumerate(wanted)
        )
        body = stage_record(attempt.study, self.kind, attempt.places, self.keys, group)
        attempt.stage = self._must_record(Type.STAGE, body)
        for attempt.current, (change, place) in enumerate(zip(wanted, attempt.places, strict=True)):
            staged = rewrite.stage(change, place.stem, self.keys, keep_mtime=self.keep_mtime)
            attempt.staged.append(staged)

    def _switch_all(self, attempt: _Attempt) -> None:
        for attempt.current, staged in enumerate(attempt.staged):
            if not rewrite.unchanged(staged):
                raise NotWritten(Result.DRIFTED, Reason.MEANWHILE)
        intents = (staged.intent for staged in attempt.staged)
        self._must_record(Type.INTENT, intent_record(attempt.stage, intents, self.keys))
        attempt.switching = True
        for attempt.current, staged in enumerate(attempt.staged):
            rewrite.switch(staged)
        _sync_folders(attempt.staged)
        for attempt.current, staged in enumerate(attempt.staged):
            rewrite.verify(staged)

    def _must_record(self, kind: Type, body: Mapping[str, Any]) -> int:
        try:
            return self.journal.append(kind, body)
        except files.IoError:
            raise NotWritten(Result.FAILED, Reason.JOURNAL) from None

    def _record(self, kind: Type, body: Mapping[str, Any]) -> bool:
        """Record what is so already; without it recovery has to look, and no study may follow."""
        with contextlib.suppress(files.IoError):
            self.journal.append(kind, body)
            return True
        self._stop(Reason.JOURNAL)
        return False

    # --- back -----------------------------------------------------------------------------------

    def _verdict(self, stop: Exception) -> Outcome:
        """Turn what stopped a file into its outcome, and count it against the run."""
        if isinstance(stop, files.IoError):
            outcome = failed(stop)
            self.failures += 1
        elif isinstance(stop, NotWritten):
            outcome = stop.outcome
        else:
            outcome = Outcome(Result.REFUSED, Reason.NOT_REGULAR)
        if outcome.reason in {Reason.SYNC, Reason.READ_BACK, Reason.JOURNAL}:
            self._stop(outcome.reason)
        elif self.failures >= IO_FAILURES:
            self._stop(outcome.reason)
        return outcome

    def _stop(self, reason: str) -> None:
        self.halt = self.halt or str(reason)

    def _withdrawn(self, attempt: _Attempt, verdict: Outcome) -> StudyResult:
        """Bring the old bytes back, and say of each file why it is not written."""
        settled = self._undone(attempt)
        culprit = attempt.pending[attempt.current]
        attempt.outcomes[culprit] = verdict
        if not settled:
            self._stop(Reason.UNSETTLED)
            left = Outcome(Result.FAILED, Reason.UNSETTLED)
            attempt.outcomes = [
                left if number in attempt.pending else outcome
                for number, outcome in enumerate(attempt.outcomes)
            ]
        else:
            self._blame(attempt)
        outcomes = _complete(attempt)
        # After a failed fsync nothing that is said of this directory can be relied on now.
        if settled and attempt.stage and not (attempt.switching and verdict.reason == Reason.SYNC):
            self._close(attempt.stage, Bytes.OLD, attempt.changes, outcomes)
        return StudyResult(
            attempt.study, attempt.changes, outcomes, stage=attempt.stage, halt=self.halt
        )

    def _undone(self, attempt: _Attempt) -> bool:
        try:
            if not attempt.switching:
                staged = [recovery.discard(attempt.roots[p.archive], p) for p in attempt.places]
                return all(staged)
            return self._switched_back(attempt.stage, attempt.staged, attempt.roots)
        except (files.IoError, files.NotRegular):
            return False

    def _switched_back(
        self, stage: int, staged: Sequence[Staged], roots: Mapping[str, Path]
    ) -> bool:
        self._record(Type.PUT_BACK, {"stage": stage})
        intents = [file.intent for file in staged]
        return recovery.resolve(intents, roots, put_back=True) is State.OLD

    # --- the end of a study -----------------------------------------------------------------------

    def _close(
        self, stage: int, stand: Bytes, changes: Sequence[Change], outcomes: Sequence[Outcome]
    ) -> None:
        listed = _listed(changes, outcomes)
        self._record(Type.CLOSED, closed_record(stage, stand, listed, self.keys))

    def finish(self, result: StudyResult) -> StudyResult:
        """Let go of the old files of a written study: from here on, only rollback brings them back.

        A target that is not the verified file any more keeps its old file aside, and its study
        stays open for recovery, which reports it.
        """
        if not result.switched:
            return result
        outcomes, whole = list(result.outcomes), True
        by_place = {(c.archive, c.relative): n for n, c in enumerate(result.changes)}
        for staged in result.switched:
            number = by_place[staged.intent.place.archive, staged.intent.place.relative]
            try:
                if not rewrite.finish(staged):
                    outcomes[number] = Outcome(Result.DRIFTED, Reason.MEANWHILE)
                    whole = False
            except (files.IoError, files.NotRegular) as error:
                self._verdict(error)
                whole = False
        try:
            _sync_folders(result.switched)
        except (files.IoError, files.NotRegular) as error:
            self._verdict(error)
            whole = False
        if whole:
            self._close(result.stage, Bytes.NEW, result.changes, outcomes)
        else:
            self._stop(Reason.UNSETTLED)
        return replace(result, outcomes=tuple(outcomes), switched=(), halt=self.halt)

    def put_back(self, result: StudyResult, reason: str) -> StudyResult:
        """Put a written study back as a whole: its verification, or a person, said no."""
        if not result.switched:
            return result
        pending = {(s.intent.place.archive, s.intent.place.relative) for s in result.switched}
        roots = {change.archive: change.root for change in result.changes}
        try:
            settled = self._switched_back(result.stage, result.switched, roots)
        except (files.IoError, files.NotRegular) as error:
            self._verdict(error)
            settled = False
        back = Result.ROLLED_BACK if self.kind is Kind.APPLY else Result.FAILED
        put = Outcome(back, reason) if settled else Outcome(Result.FAILED, Reason.UNSETTLED)
        outcomes = tuple(
            put if (change.archive, change.relative) in pending else outcome
            for change, outcome in zip(result.changes, result.outcomes, strict=True)
        )
        if settled:
            self._close(result.stage, Bytes.OLD, result.changes, outcomes)
        else:
            self._stop(Reason.UNSETTLED)
        return replace(result, outcomes=outcomes, switched=(), halt=self.halt)


def _complete(attempt: _Attempt) -> tuple[Outcome, ...]:
    return tuple(
        outcome or Outcome(Result.REFUSED, Reason.OTHER_FILE) for outcome in attempt.outcomes
    )


def _listed(
    changes: Sequence[Change], outcomes: Sequence[Outcome]
) -> list[tuple[str, bytes, Outcome]]:
    pairs = zip(changes, outcomes, strict=True)
    return [(change.archive, change.relative, outcome) for change, outcome in pairs]


def _sync_folders(staged: Sequence[Staged]) -> None:
    # Once for each directory, however many files of the study lie in it.
    folders = {(s.root, s.intent.place.relative.rpartition(b"/")[0]): s for s in staged}
    for one in folders.values():
        with files.parent_of(one.root, one.intent.place.relative) as (folder, _):
            files.fsync(folder)
