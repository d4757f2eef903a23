"""Rollback: the old bytes back, study by study, by the journals of the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from remediation.errors import ManifestError, UsageError
from remediation.model.audit import Seen, together, unseen
from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.running import Advance, silent, utc_now
from remediation.model.secrets import Keys
from remediation.store.changes import Change, failed, rehearse, undo_of
from remediation.store.escrow import run_key
from remediation.store.files import IoError
from remediation.store.intents import Kind, StudyLog
from remediation.store.journal import Journal, Type, journals
from remediation.store.locks import lock_root
from remediation.store.manifests import Stored
from remediation.store.permission import roots_of
from remediation.store.recovery import State, recover
from remediation.store.runs import applied, next_number, runs_of
from remediation.store.study import StudyWriter


@dataclass(frozen=True, slots=True)
class RollbackOptions:
    """What to take back: all, some periods, or some studies."""

    output: Path
    roots: Mapping[str, Path]
    run_id: str
    now: datetime
    person: str
    dry_run: bool = False
    periods: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    escrow: str = ""  # age recipient who can open this run's undo data as well
    seen: Seen = unseen  # hears of each study that was written, for the audit log


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """Files per outcome; `halt` says why it stopped early, empty where it did not."""

    outcomes: dict[str, int]
    reasons: dict[str, int]
    halt: str = ""

    @property
    def complete(self) -> bool:
        """Whether the old bytes stand in every file that was asked for."""
        good = {str(Result.ROLLED_BACK), str(Result.ALREADY_APPLIED)}
        return not self.halt and set(self.outcomes) <= good


def run(
    options: RollbackOptions, stored: Stored, keys: Keys, *, advance: Advance = silent
) -> RollbackReport:
    """Put the old bytes back; a file that changed since is left alone.

    Raises:
        ManifestError: nothing of the manifest stands in the archive, or its undo data was dropped.
        UsageError: nothing of what was asked for does.
        LockedError: another run holds an archive root.
    """
    roots = roots_of(stored.manifest, options.roots)
    with ExitStack() as held:
        for name, root in sorted(options.roots.items()):
            writes = not options.dry_run and name in roots
            held.enter_context(lock_root(root, "rollback", in_place=writes))
        left = () if options.dry_run else _settled(options, keys)
        standing = _standing(options, stored, keys)
        logs = [log for log in standing if _asked(options, log)]
        _undo_is_there(logs, stored)
        if not logs:
            raise UsageError(
                "nothing of that stands in the archive",
                "--period, --study",
                "see `remediation show MANIFEST`",
            )
        if options.dry_run:
            return _count(_rehearsed(logs, roots, keys, advance), None)
        whole = len(logs) == len(standing)
        begin = {
            "command": "rollback",
            "number": next_number(options.output),
            "mode": "in-place",
            "manifest": stored.manifest.digest,
            "by": options.person,
            "responsible": stored.manifest.responsible,
            "at": options.now.isoformat(),
            "key_id": "" if keys.escrowed else keys.key_id,
            **run_key(keys, options.run_id, options.escrow),
        }
        with Journal.create(options.output / "journal", options.run_id, begin) as journal:
            writer = StudyWriter(journal, keys, Kind.ROLLBACK)
            pairs = ((log, _changes(log, roots, keys)) for log in logs)
            report = _count(chain(left, _written(writer, pairs, options.seen, advance)), writer)
            if not journal.broken:
                # Until now, nobody can have approved that it is applied once more.
                ending = {"complete": report.complete and whole, "at": utc_now().isoformat()}
                journal.append(Type.END, ending)
            return report


def _settled(options: RollbackOptions, keys: Keys) -> tuple[Outcome, ...]:
    """Settle interrupted runs; return an outcome for each file that a person must look at."""
    left = recover(options.roots, journals(options.output / "journal"), keys)
    unsettled = Outcome(Result.FAILED, Reason.UNSETTLED)
    return tuple(
        unsettled
        for one in left
        if one.state not in {State.OLD, State.NEW}
        for _ in range(one.files)
    )


def _standing(options: RollbackOptions, stored: Stored, keys: Keys) -> list[StudyLog]:
    logs = applied(runs_of(options.output, stored.manifest.digest), keys)
    if not logs:
        raise ManifestError(
            "nothing of this manifest stands in the archive",
            str(stored.folder),
            "it was not applied in place, or was rolled back",
        )
    return logs


def _undo_is_there(logs: list[StudyLog], stored: Stored) -> None:
    dropped = sum(not intent.undo for log in logs for intent in log.intents)
    if dropped:
        raise ManifestError(
            f"the undo data of {dropped:,} of these files was dropped after its retention time",
            str(stored.folder),
            "there is no way back but a backup; `remediation trace` tells who dropped it and when",
        )


def _asked(options: RollbackOptions, log: StudyLog) -> bool:
    return (not options.periods or log.group in options.periods) and (
        not options.studies or log.study in options.studies
    )


def _changes(log: StudyLog, roots: Mapping[str, Path], keys: Keys) -> list[Change]:
    return [undo_of(intent, roots[intent.place.archive], keys) for intent in log.intents]


def _rehearsed(
    logs: list[StudyLog], roots: Mapping[str, Path], keys: Keys, advance: Advance
) -> Iterator[Outcome]:
    for log in logs:
        for change in _changes(log, roots, keys):
            found = rehearse(change, keys)
            applied_to = found.result is Result.APPLIED
            yield Outcome(Result.ROLLED_BACK) if applied_to else found
        advance(len(log.intents))


def _written(
    writer: StudyWriter,
    pairs: Iterable[tuple[StudyLog, list[Change]]],
    seen: Seen,
    advance: Advance,
) -> Iterator[Outcome]:
    for log, changes in pairs:
        result = writer.write(log.study, changes, log.group)
        result = writer.finish(result) if result.done else result
        seen(
            changes[0].archive,
            log.study,
            len(changes),
            together(one.result for one in result.outcomes),
        )
        yield from result.outcomes
        advance(len(changes))
        if result.halt:
            return


def _count(outcomes: Iterator[Outcome], writer: StudyWriter | None) -> RollbackReport:
    results: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    halt = ""
    try:
        for one in outcomes:
            results[str(one.result)] += 1
            if one.reason:
                reasons[one.reason] += 1
    except IoError as error:
        halt = failed(error).reason
    if writer is not None:
        halt = halt or writer.halt
    return RollbackReport(dict(sorted(results.items())), dict(sorted(reasons.items())), halt)
