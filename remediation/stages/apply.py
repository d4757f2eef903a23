"""Apply: an approved manifest in, corrected files and a journal out. Nothing is decided here.

The conditions, in this order: the manifest is whole, of this job and archive, not expired, approved
by enough people; in place only with the statement that was agreed, and never with the BSN as
PatientID.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from remediation.dicom.correction import Refused
from remediation.dicom.locate import BsnRules
from remediation.dicom.second import second_opinion
from remediation.model.audit import Seen, together, unseen
from remediation.model.crosswalk import Crosswalk
from remediation.model.evidence import REASONS, MatchRules
from remediation.model.files import FileRef, resolved
from remediation.model.opinions import Opinions
from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.running import Advance, silent, utc_now
from remediation.model.secrets import Keys
from remediation.store import dcmtk
from remediation.store.archive import see
from remediation.store.changes import Change, NotWritten, failed, planned, rehearse
from remediation.store.escrow import run_key
from remediation.store.files import IoError, guarded
from remediation.store.journal import Journal, Type
from remediation.store.locks import lock_root
from remediation.store.manifests import Stored
from remediation.store.permission import (
    Conditions,
    approved,
    current,
    in_place,
    roots_of,
    settle,
    settled,
    spent,
)
from remediation.store.rewrite import mirror
from remediation.store.runs import next_number
from remediation.store.study import StudyWriter
from remediation.tables.heads import stands
from remediation.tables.orders import OrderRules, Orders

Row = Mapping[str, Any]
DRY_RUN, OUT, IN_PLACE = "dry-run", "out", "in-place"
SPENT = "spent"
MISMATCH, UNVERIFIED, PAUSED = "identity-mismatch", "canary-not-as-promised", "canary"


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """Where and under which conditions; nothing here changes what is written."""

    output: Path
    mode: str
    run_id: str
    now: datetime
    person: str
    roots: Mapping[str, Path]
    rules: MatchRules
    conditions: Conditions
    bsn_rules: BsnRules = field(default_factory=BsnRules)
    out: Path | None = None
    canary: int = 20
    pause_after_canary: bool = False
    go_on: bool = False
    escrow: str = ""  # age recipient who can open the undo data as well
    seen: Seen = unseen  # hears of each study that was written, for the audit log
    paranoid: bool = False  # every result is read by every second reader that is there


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """Files per outcome; `halt` says why the run stopped early, empty where it did not.

    `second` counts results by what second readers said of them, before anything was replaced.
    """

    mode: str
    run_id: str
    outcomes: dict[str, int]
    reasons: dict[str, int]
    halt: str = ""
    second: dict[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every file has the wanted bytes."""
        good = {Result.APPLIED, Result.ALREADY_APPLIED}
        return not self.halt and set(self.outcomes) <= {str(one) for one in good}


def run(
    options: ApplyOptions,
    stored: Stored,
    crosswalk: Crosswalk,
    keys: Keys,
    *,
    advance: Advance = silent,
) -> ApplyReport:
    """Write the corrections of a manifest.

    Raises:
        ManifestError: stale, of another archive or job, expired, or not approved.
        UsageError: the mode's own conditions do not hold.
        LockedError: another run holds an archive root.
        ShareError: the journal cannot be written, or a root is missing.
    """
    current(options.conditions, stored, keys, options.now, options.output)
    roots_of(stored.manifest, options.roots)
    work = _Work(options, stored, crosswalk, keys)
    used = options.mode != OUT and spent(stored, options.output)
    if options.mode == DRY_RUN and not used:
        return work.report(work.dry(advance))
    approved(options.conditions, stored, options.output, options.now)
    if options.mode == IN_PLACE:
        in_place(options.conditions, stored)
    if used:
        return work.report(work.left(advance))
    with ExitStack() as held:
        for name, root in sorted(options.roots.items()):
            writes = options.mode == IN_PLACE and name in stored.manifest.archives
            held.enter_context(lock_root(root, "apply", in_place=writes))
        if options.mode == IN_PLACE:
            settle(options.output, options.roots, keys)
        else:
            settled(options.output, keys)
        begin = {
            "command": "apply",
            "number": next_number(options.output),
            "mode": options.mode,
            "manifest": stored.manifest.digest,
            "by": options.person,
            "responsible": stored.manifest.responsible,
            "at": options.now.isoformat(),
            "out": str(options.out.resolve()) if options.out else "",
            "key_id": keys.key_id,
            "in_place_statement": stored.manifest.in_place_statement,
            **run_key(keys, options.run_id, options.escrow),
        }
        with Journal.create(options.output / "journal", options.run_id, begin) as journal:
            outcomes = work.out(advance) if options.mode == OUT else work.write(journal, advance)
            report = work.report(outcomes)
            ending = {"complete": report.complete, "at": utc_now().isoformat()}
            if not journal.broken:
                journal.append(Type.END, ending)
            return report


class _Work:
    """The corrections of one manifest, study by study."""

    def __init__(
        self, options: ApplyOptions, stored: Stored, crosswalk: Crosswalk, keys: Keys
    ) -> None:
        self.options, self.stored, self.keys = options, stored, keys
        rules = OrderRules(options.rules, options.run_id, options.now, options.bsn_rules)
        dumps = options.paranoid and dcmtk.installed()
        readers = (second_opinion, dcmtk.dcmdump_opinion) if dumps else (second_opinion,)
        self.opinions = Opinions(readers, stored.manifest.digest, options.paranoid)
        self.orders = Orders(stored.manifest, crosswalk, keys, rules, self.opinions)
        self.halt = ""

    def studies(self) -> Iterator[tuple[str, str, list[Row]]]:
        """Yield StudyInstanceUID, period, and rows of each study."""
        rows = self.stored.corrections.to_pylist()
        rows.sort(key=lambda row: (row["archive"], row["StudyInstanceUID"], row["path"]))
        for (_, study), group in groupby(
            rows, key=lambda row: (row["archive"], row["StudyInstanceUID"])
        ):
            found = list(group)
            yield study, found[0]["period_id"] or "", found

    def dry(self, advance: Advance) -> Iterator[Outcome]:
        """Rehearse everything: the same code, and nothing is written."""
        for _, _, rows in self.studies():
            yield from self._rehearsed(rows)
            advance(len(rows))

    def left(self, advance: Advance) -> Iterator[Outcome]:
        """Look at what a spent manifest wrote, and write nothing: not even what is old again."""
        for found in self.dry(advance):
            old = found.result is Result.APPLIED
            yield Outcome(Result.REFUSED, SPENT) if old else found

    def _rehearsed(self, rows: list[Row]) -> list[Outcome]:
        """Return what would become of a study; one file that cannot be written keeps the others."""
        found = [rehearse(self.change(row), self.keys) for row in rows]
        if all(one.untroubled for one in found):
            return found
        other = Outcome(Result.REFUSED, Reason.OTHER_FILE)
        return [other if one.result is Result.APPLIED else one for one in found]

    def out(self, advance: Advance) -> Iterator[Outcome]:
        """Write corrected files to another tree, whole studies."""
        for study, _, rows in self.studies():
            rehearsed = zip(rows, self._rehearsed(rows), strict=True)
            outcomes = [self._mirrored(row, found) for row, found in rehearsed]
            self._seen(study, rows, outcomes)
            yield from outcomes
            advance(len(rows))

    def _seen(self, study: str, rows: list[Row], outcomes: Iterable[Outcome]) -> None:
        result = together(one.result for one in outcomes)
        self.options.seen(rows[0]["archive"], study, len(rows), result)

    def _mirrored(self, row: Row, found: Outcome) -> Outcome:
        assert self.options.out is not None
        root = self.options.out / row["archive"]
        if found.result is Result.APPLIED:
            with guarded("a folder cannot be made", str(root)):
                root.mkdir(parents=True, exist_ok=True, mode=0o700)
            return mirror(self.change(row), root, self.keys)
        # Without the old file in the archive there is nothing to make a corrected copy of.
        lost = found.result is Result.ALREADY_APPLIED
        lost = lost and not os.path.lexists(root / self._ref(row).path)
        return Outcome(Result.REFUSED, "corrected-in-place") if lost else found

    def write(self, journal: Journal, advance: Advance) -> Iterator[Outcome]:
        """Write in place, whole studies, the canary first."""
        writer = StudyWriter(journal, self.keys)
        written: list[Row] = []
        canary = True
        for study, period, rows in self.studies():
            result = writer.write(study, [self.change(row) for row in rows], period)
            result = writer.finish(result) if result.done else result
            self._seen(study, rows, result.outcomes)
            yield from result.outcomes
            advance(len(rows))
            if all(one.untroubled for one in result.outcomes):
                written += rows
            if any(one.reason in REASONS for one in result.outcomes):
                self.halt = MISMATCH
            self.halt = self.halt or result.halt
            if canary and not self.halt and len(written) >= self.options.canary:
                canary = False
                self.halt = self._after_canary(written)
            if self.halt:
                return
        if canary:
            self.halt = self._after_canary(written, last=True)

    def _after_canary(self, rows: list[Row], *, last: bool = False) -> str:
        """Read the first studies again as a crawl does; return why to stop, or nothing."""
        placement = self.orders.placement
        for row in rows:
            seen = see(self.options.roots[row["archive"]], self._ref(row))
            found = set()
            if seen.head is not None and seen.state == "read":
                maker = self.orders.maker(row)
                found = stands(maker, seen.ref, seen.head, seen.head_bytes, placement)
            if found != {row["bsn_token"]}:
                return UNVERIFIED
        pauses = self.options.pause_after_canary and not (self.options.go_on or last)
        return PAUSED if pauses else ""

    def change(self, row: Row) -> Change:
        """Return what is to become of one file."""
        ref = self._ref(row)
        root = self.options.roots[row["archive"]]
        return planned(row, root, ref.path, lambda head: self._rebuilt(row, ref, head))

    def _ref(self, row: Row) -> FileRef:
        return FileRef(resolved(row["path"], self.keys), row["size"], row["mtime_ns"])

    def _rebuilt(self, row: Row, ref: FileRef, raw: bytes) -> bytes:
        """Return the new head; the person is checked again, and second readers must agree."""
        try:
            return self.orders.rewritten(row, ref, raw)[1]
        except Refused as refused:
            raise NotWritten(Result.REFUSED, str(refused)) from None

    def report(self, outcomes: Iterable[Outcome]) -> ApplyReport:
        """Count outcomes; running through them is what does the work."""
        results: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        try:
            for one in outcomes:
                results[str(one.result)] += 1
                if one.reason:
                    reasons[one.reason] += 1
        except IoError as error:
            self.halt = self.halt or failed(error).reason
        return ApplyReport(
            self.options.mode,
            self.options.run_id,
            dict(sorted(results.items())),
            dict(sorted(reasons.items())),
            self.halt,
            self.opinions.counts(),
        )
