"""How far the writing of one study has come, and what became of it in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.store import files, rewrite
from remediation.store.changes import Change
from remediation.store.intents import Place
from remediation.store.rewrite import Staged


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What became of a study.

    Attributes:
        outcomes: One per change, in their order.
        switched: The files whose old bytes are still aside: `finish` or `put_back` the study.
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

    def listed(self) -> list[tuple[str, bytes, Outcome]]:
        """Return (archive, relative path, outcome) of each file, as the journal takes them."""
        pairs = zip(self.changes, self.outcomes, strict=True)
        return [(change.archive, change.relative, outcome) for change, outcome in pairs]

    def replaced(self, of: Sequence[Staged], outcome: Outcome) -> tuple[Outcome, ...]:
        """Return the outcomes with that of some files replaced."""
        files_of = {(s.root, s.intent.place.relative) for s in of}
        return tuple(
            outcome if (change.root, change.relative) in files_of else former
            for change, former in zip(self.changes, self.outcomes, strict=True)
        )


@dataclass(slots=True)
class Attempt:
    """One study while it is written.

    Attributes:
        outcomes: One per change; None while it is to be written.
        pending: Which changes are to be written, by number.
        staged: Those of them that are staged, in the same order.
        current: Which of `pending` is being worked on.
        switching: The intents may be in the journal, and targets may be replaced.
    """

    study: str
    changes: tuple[Change, ...]
    outcomes: list[Outcome | None]
    pending: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()
    stage: int = 0
    staged: list[Staged] = field(default_factory=list)
    current: int = 0
    switching: bool = False

    def __post_init__(self) -> None:
        self.pending = tuple(n for n, outcome in enumerate(self.outcomes) if outcome is None)
        if any(outcome and not outcome.untroubled for outcome in self.outcomes):
            self.end(Outcome(Result.REFUSED, Reason.OTHER_FILE))

    @property
    def wanted(self) -> list[Change]:
        """The changes that are to be written."""
        return [self.changes[number] for number in self.pending]

    @property
    def open(self) -> bool:
        """Whether there is anything to write, and nothing against it."""
        return None in self.outcomes

    def each(self) -> Iterator[Staged]:
        """Yield the staged files, noting which one is being worked on."""
        for number, staged in enumerate(self.staged):
            self.current = number
            yield staged

    def blame(self, outcome: Outcome) -> None:
        """Give the file that is being worked on its outcome, and the others theirs for it."""
        self.outcomes[self.pending[self.current]] = outcome
        self.end(Outcome(Result.REFUSED, Reason.OTHER_FILE))

    def end(self, outcome: Outcome, *, all_pending: bool = False) -> None:
        """Give this outcome to what has none yet, or to everything that was to be written."""
        for number in self.pending:
            if all_pending or self.outcomes[number] is None:
                self.outcomes[number] = outcome

    def result(self, halt: str, switched: Sequence[Staged] = ()) -> StudyResult:
        """Return what became of it; every file has its outcome by now."""
        outcomes = tuple(outcome for outcome in self.outcomes if outcome is not None)
        return StudyResult(self.study, self.changes, outcomes, tuple(switched), self.stage, halt)


def put_back(staged: Sequence[Staged]) -> bool:
    """Put files back, the others too where one cannot be; False unless it is done for all."""
    clean = True
    for one in staged:
        try:
            clean = rewrite.put_back(one) and clean
        except (files.IoError, files.NotRegular):
            clean = False
    return sync_folders(staged) and clean


def sync_folders(staged: Sequence[Staged]) -> bool:
    """Make the files' names durable, each directory once; False where one may not be."""
    folders: dict[tuple[Path, bytes], Staged] = {
        (one.root, one.intent.place.relative.rpartition(b"/")[0]): one for one in staged
    }
    try:
        for one in folders.values():
            with files.parent_of(one.root, one.intent.place.relative) as (folder, _):
                files.fsync(folder)
    except (files.IoError, files.NotRegular):
        return False
    return True
