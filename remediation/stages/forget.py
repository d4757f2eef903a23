"""Forget: the undo data of runs that are closed, proved and old enough is dropped, for good.

What is dropped are the encrypted old bytes in the journal. All else stays, with its chain: which
files of which studies were written, when and by whom. Afterwards only a backup leads back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from remediation.errors import UsageError
from remediation.model.audit import Seen, unseen
from remediation.model.secrets import Keys
from remediation.store.intents import study_logs
from remediation.store.journal import Journal, Type, droppable, journals, read
from remediation.store.locks import lock_root
from remediation.store.recovery import left_open
from remediation.store.runs import Run
from remediation.store.verifications import verified_at

OPEN, YOUNGER, UNVERIFIED = "open", "younger", "unverified"
OLDER_FORMAT = "older-format"  # its chain holds the undo bytes themselves
DROPPED = "undo-dropped"


@dataclass(frozen=True, slots=True)
class ForgetOptions:
    """How old a run must be, and who wants it."""

    output: Path
    roots: Mapping[str, Path]
    run_id: str
    now: datetime
    days: int
    by: str
    person: str
    responsible: str
    dry_run: bool = False
    seen: Seen = unseen  # hears of each study whose undo data was dropped, for the audit log


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """Files whose undo data was dropped, per run; and runs that keep theirs, by reason."""

    dropped: dict[str, int]
    kept: dict[str, int]
    dry_run: bool

    @property
    def files(self) -> int:
        """All files whose undo data was dropped."""
        return sum(self.dropped.values())


def run(options: ForgetOptions, keys: Keys) -> ForgetReport:
    """Drop the undo data of every run that may lose it.

    Raises:
        UsageError: no number of days.
        LockedError: another run holds an archive root.
        DatasetError: a journal is damaged: nothing is dropped.
        KeyFileError: a journal was written with another key: nothing is dropped.
        IoError: a journal could not be written: it has its undo data still.
    """
    if options.days < 1:
        raise UsageError("at least one day", "--older-than", "give the retention time in days")
    with ExitStack() as held:
        # Who rolls back or recovers holds the same locks.
        for _, root in sorted(options.roots.items()):
            held.enter_context(lock_root(root, "forget", in_place=False))
        found = [_run_of(path) for path in journals(options.output / "journal")]
        kept: Counter[str] = Counter()
        going: list[Run] = []
        for one in found:
            if _undo_files(one):
                reason = _keeps(one, found, options)
                kept.update([reason] if reason else [])
                going += [] if reason else [one]
        studies = {one.run_id: study_logs(one.records, keys) for one in going}
        dropped: dict[str, int] = {}
        for one in going:
            dropped[one.run_id] = _undo_files(one)
            if options.dry_run:
                continue
            _drop(one, options)
            for log in studies[one.run_id]:
                if log.intents:
                    place = log.intents[0].place
                    options.seen(place.archive, log.study, len(log.intents), DROPPED)
    return ForgetReport(dropped, dict(sorted(kept.items())), options.dry_run)


def _run_of(path: Path) -> Run:
    records = read(path)
    return Run(path.stem, dict(records[0].body) if records else {}, records)


def _undo_files(one: Run) -> int:
    """Return how many files of a run still have undo data."""
    intents = (record.body["files"] for record in one.records if record.type is Type.INTENT)
    return sum("undo" in file for files in intents for file in files)


def _keeps(one: Run, all_runs: Sequence[Run], options: ForgetOptions) -> str:
    """Return why a run keeps its undo data; empty: it may go."""
    if left_open(one.records):
        return OPEN
    ended = datetime.fromisoformat(one.end) if one.end else None
    proved = _proved_at(one, all_runs, ended, options.output)
    if proved is None:
        return UNVERIFIED
    # A run that was killed has no end of its own: its age counts from when it was proved.
    if options.now - (ended or proved) < timedelta(days=options.days):
        return YOUNGER
    return "" if droppable(_path(options.output, one)) else OLDER_FORMAT


def _proved_at(
    one: Run, all_runs: Sequence[Run], ended: datetime | None, output: Path
) -> datetime | None:
    """Return when every file of a run was read and found right after it; None: never.

    A complete rollback reads each file back against its old digest, so it proves itself and all
    that was before it.
    """
    digest, number = str(one.begin.get("manifest", "")), _number(one)
    for other in all_runs:
        same = other.begin.get("manifest") == digest and _number(other) >= number
        if same and other.begin.get("command") == "rollback" and other.complete:
            return datetime.fromisoformat(other.end)
    if ended is None:
        ended = datetime.fromisoformat(str(one.begin["at"])) if "at" in one.begin else None
    return verified_at(output, digest, ended)


def _number(one: Run) -> int:
    return int(one.begin.get("number", 0))


def _drop(one: Run, options: ForgetOptions) -> None:
    said: dict[str, Any] = {
        "by": options.by,
        "person": options.person,
        "responsible": options.responsible,
        "at": options.now.isoformat(),
        "run": options.run_id,
        "older_than_days": options.days,
    }
    journal, _ = Journal.reopen(_path(options.output, one))
    with journal:
        journal.forget(said)


def _path(output: Path, one: Run) -> Path:
    return output / "journal" / f"{one.run_id}.jsonl"
