"""A study as one unit of writing: all files staged, all intents durable, all switched; or none.

A failure, or an interrupt, at any point brings back the old bytes of every file of the study. What
cannot even be put back stays open in the journal for recovery, and stops the run. So do three
failed files, a failed fsync, a share that gives back other bytes than were written, and a journal
that cannot be written.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.secrets import Keys
from remediation.store import files, recovery, rewrite
from remediation.store.attempt import Attempt, StudyResult, put_back, sync_folders
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

IO_FAILURES = 3  # this many files, and the run stops
_AT_ONCE = {Reason.SYNC, Reason.READ_BACK, Reason.JOURNAL}


class StudyWriter:
    """Writes studies, one after another, for one run with one journal.

    Attributes:
        failures: Files on which a system call failed, in this run.
        halt: Why no further study may be written; empty: go on.
    """

    def __init__(
        self, journal: Journal, keys: Keys, kind: Kind = Kind.APPLY, *, keep_mtime: bool = True
    ) -> None:
        self.journal, self.keys, self.kind = journal, keys, kind
        self.keep_mtime = keep_mtime
        self.run_keys = keys.of_run(journal.begin)  # what the journal is sealed with
        self.failures = 0
        self.halt = ""

    def write(self, study: str, changes: Sequence[Change], group: str = "") -> StudyResult:
        """Write all files of a study, or none; then `finish` or `put_back` the result.

        Files that hold the new bytes already are left out. One file that has drifted, is refused
        or fails keeps all others of its study from being written. `group` goes into the journal
        as it is, for the caller to find the study by.

        Raises:
            IoError: An earlier study has stopped this run.
            Exception: Whatever `rebuild` raises beside `NotWritten`, once all is put back.
        """
        if self.halt:
            raise files.IoError("this run has stopped", self.halt)
        attempt = Attempt(study, tuple(changes), [self._examined(change) for change in changes])
        if not attempt.open:
            return self._left(attempt)
        try:
            self._stage_all(attempt, group)
            self._switch_all(attempt)
        except (NotWritten, files.IoError, files.NotRegular) as stop:
            return self._withdrawn(attempt, self._verdict(stop))
        except BaseException:
            self._withdrawn(attempt, Outcome(Result.FAILED, Reason.INTERRUPTED))
            raise
        self._record(Type.STUDY_DONE, {"stage": attempt.stage})
        done = Result.APPLIED if self.kind is Kind.APPLY else Result.ROLLED_BACK
        attempt.end(Outcome(done))
        return attempt.result(self.halt, attempt.staged)

    def finish(self, result: StudyResult) -> StudyResult:
        """Let go of the old files of a written study; from here on, only rollback brings them back.

        A target that is not the verified file any more keeps its old file aside, and its study
        stays open for recovery, which reports it.
        """
        if not result.switched:
            return result
        whole, drifted = True, []
        for staged in result.switched:
            try:
                if not rewrite.finish(staged):
                    drifted.append(staged)
            except (files.IoError, files.NotRegular) as error:
                self._verdict(error)
                whole = False
        whole = sync_folders(result.switched) and whole and not drifted
        outcomes = result.replaced(drifted, Outcome(Result.DRIFTED, Reason.MEANWHILE))
        return self._ended(replace(result, outcomes=outcomes), Bytes.NEW, settled=whole)

    def put_back(self, result: StudyResult, reason: str) -> StudyResult:
        """Put a written study back as a whole: its verification, or a person, said no."""
        if not result.switched:
            return result
        self._record(Type.PUT_BACK, {"stage": result.stage})
        settled = put_back(result.switched)
        back = Result.ROLLED_BACK if self.kind is Kind.APPLY else Result.FAILED
        end = Outcome(back, reason) if settled else Outcome(Result.FAILED, Reason.UNSETTLED)
        outcomes = result.replaced(result.switched, end)
        return self._ended(replace(result, outcomes=outcomes), Bytes.OLD, settled=settled)

    # --- forward --------------------------------------------------------------------------------

    def _examined(self, change: Change) -> Outcome | None:
        try:
            return examine(change, self.keys)
        except files.IoError as error:
            return self._verdict(error)

    def _stage_all(self, attempt: Attempt, group: str) -> None:
        # Not to be met again by any run, so that a name that is there is our own.
        run = f"{self.journal.run_id}-{self.journal.next_seq}-{secrets.token_hex(4)}"
        attempt.places = tuple(
            Place(change.archive, change.relative, f"{files.OURS.decode()}{run}-{number}")
            for number, change in enumerate(attempt.wanted)
        )
        body = stage_record(attempt.study, self.kind, attempt.places, self.run_keys, group)
        attempt.stage = self._must_record(Type.STAGE, body)
        seen: set[tuple[int, int]] = set()
        for number, change in enumerate(attempt.wanted):
            attempt.current = number
            stem = attempt.places[number].stem
            staged = rewrite.stage(
                change, stem, self.keys, keep_mtime=self.keep_mtime, run_keys=self.run_keys
            )
            attempt.staged.append(staged)
            # By what it is, not by its path: a share can be mounted twice.
            inode = staged.old_mark.device, staged.old_mark.inode
            if inode in seen:
                raise NotWritten(Result.REFUSED, Reason.LISTED_TWICE)
            seen.add(inode)

    def _switch_all(self, attempt: Attempt) -> None:
        for staged in attempt.each():
            if not rewrite.unchanged(staged):
                raise NotWritten(Result.DRIFTED, Reason.MEANWHILE)
        intents = (staged.intent for staged in attempt.staged)
        self._must_record(Type.INTENT, intent_record(attempt.stage, intents, self.run_keys))
        attempt.switching = True
        for staged in attempt.each():
            rewrite.switch(staged)
        if not sync_folders(attempt.staged):
            raise NotWritten(Result.FAILED, Reason.SYNC)
        for staged in attempt.each():
            rewrite.verify(staged)

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
        if outcome.reason in _AT_ONCE or self.failures >= IO_FAILURES:
            self._stop(outcome.reason)
        return outcome

    def _stop(self, reason: str) -> None:
        self.halt = self.halt or str(reason)

    def _withdrawn(self, attempt: Attempt, verdict: Outcome) -> StudyResult:
        """Bring the old bytes back, and say of each file why it is not written."""
        settled = self._undone(attempt)
        attempt.blame(verdict)
        if not settled:
            attempt.end(Outcome(Result.FAILED, Reason.UNSETTLED), all_pending=True)
        if not attempt.stage:
            return attempt.result(self.halt)
        # After a failed fsync nothing that is said of a directory now can be relied on.
        sure = settled and not (attempt.switching and verdict.reason == Reason.SYNC)
        return self._ended(attempt.result(self.halt), Bytes.OLD, settled=sure)

    def _undone(self, attempt: Attempt) -> bool:
        if attempt.switching:
            self._record(Type.PUT_BACK, {"stage": attempt.stage})
        clean = put_back(attempt.staged)
        begun = zip(attempt.wanted, attempt.places, strict=False)
        for change, place in list(begun)[len(attempt.staged) :]:
            try:
                clean = recovery.discard(change.root, place) and clean
            except (files.IoError, files.NotRegular):
                clean = False
        return clean

    # --- the journal ----------------------------------------------------------------------------

    def _must_record(self, kind: Type, body: Mapping[str, Any]) -> int:
        try:
            return self.journal.append(kind, body)
        except files.IoError:
            raise NotWritten(Result.FAILED, Reason.JOURNAL) from None

    def _record(self, kind: Type, body: Mapping[str, Any]) -> None:
        """Record what is so already; without it recovery has to look, and no study may follow."""
        try:
            self.journal.append(kind, body)
        except files.IoError:
            self._stop(Reason.JOURNAL)

    def _left(self, attempt: Attempt) -> StudyResult:
        result = attempt.result(self.halt)
        listed = outcome_list(result.listed(), self.run_keys)
        self._record(Type.OUTCOME, {"study": self.run_keys.seal(result.study), "files": listed})
        return replace(result, halt=self.halt)

    def _ended(self, result: StudyResult, stand: Bytes, *, settled: bool) -> StudyResult:
        if settled:
            body = closed_record(result.stage, stand, result.listed(), self.run_keys)
            self._record(Type.CLOSED, body)
        else:
            self._stop(Reason.UNSETTLED)
        return replace(result, switched=(), halt=self.halt)
