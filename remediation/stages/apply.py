"""Apply: an approved manifest in, corrected files and a journal out. Nothing is decided here.

The conditions, in this order: the manifest is whole, of this job and archive, not expired, approved
by enough people; in place only with the statement that was agreed, and never in exchange form.
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
from remediation.dicom.header import scan
from remediation.dicom.locate import BsnRules
from remediation.dicom.rewrite import rewrite
from remediation.dicom.second import second_opinion
from remediation.errors import KeyFileError, ManifestError, ShareError, UsageError
from remediation.model.crosswalk import Crosswalk
from remediation.model.evidence import REASONS, ArchiveIssuers, MatchRules
from remediation.model.files import FileRef, Layout, resolved
from remediation.model.identity import Matcher
from remediation.model.outcomes import Outcome, Result
from remediation.model.placement import AT_REST, Order, Placement
from remediation.model.running import Advance, silent
from remediation.model.secrets import Keys
from remediation.model.tokens import bsn_token
from remediation.store.approvals import valid_approvals
from remediation.store.changes import Change, NotWritten, rehearse
from remediation.store.files import IoError
from remediation.store.intents import FileState
from remediation.store.journal import Journal, Type, journals
from remediation.store.locks import lock_root
from remediation.store.manifests import Stored
from remediation.store.recovery import State, recover
from remediation.store.rewrite import mirror
from remediation.store.runs import runs_of
from remediation.store.study import StudyWriter
from remediation.tables.heads import evidence_of_head
from remediation.tables.rows import RowMaker

Row = Mapping[str, Any]
DRY_RUN, OUT, IN_PLACE = "dry-run", "out", "in-place"
MISMATCH, PAUSED = "identity-mismatch", "canary"


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """Where and under which conditions; nothing here changes what is written."""

    output: Path
    mode: str
    run_id: str
    now: datetime
    person: str
    roots: Mapping[str, Path]
    archive_ids: Mapping[str, str]
    rules: MatchRules
    bsn_rules: BsnRules = field(default_factory=BsnRules)
    out: Path | None = None
    approvers: Mapping[str, str] = field(default_factory=dict)
    author_key: str | None = None
    required: int = 1
    max_files: int = 10_000
    canary: int = 20
    pause_after_canary: bool = False
    go_on: bool = False
    in_place_statement: str = ""


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """Files per outcome; `halt` says why the run stopped early, empty where it did not."""

    mode: str
    run_id: str
    outcomes: dict[str, int]
    reasons: dict[str, int]
    halt: str = ""

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
    _conditions(options, stored, keys)
    work = _Work(options, stored, crosswalk, keys)
    if options.mode == DRY_RUN:
        return work.report(work.dry(advance))
    with ExitStack() as held:
        for name in sorted(stored.manifest.archives):
            root = options.roots[name]
            held.enter_context(lock_root(root, "apply", in_place=options.mode == IN_PLACE))
        settle(options.output, options.roots, keys)
        begin = {
            "command": "apply",
            "mode": options.mode,
            "manifest": stored.manifest.digest,
            "by": options.person,
            "responsible": stored.manifest.responsible,
            "at": options.now.isoformat(),
            "out": str(options.out.resolve()) if options.out else "",
            "key_id": keys.key_id,
            "in_place_statement": stored.manifest.in_place_statement,
        }
        with Journal.create(options.output / "journal", options.run_id, begin) as journal:
            outcomes = work.out(advance) if options.mode == OUT else work.write(journal, advance)
            report = work.report(outcomes)
            ending = {"complete": report.complete, "at": options.now.isoformat()}
            if not journal.broken:
                journal.append(Type.END, ending)
            return report


def settle(output: Path, roots: Mapping[str, Path], keys: Keys) -> None:
    """Bring interrupted runs to a clean state first.

    Raises:
        ShareError: a study is in a state that only a person can judge.
    """
    left = recover(roots, journals(output / "journal"), keys)
    if any(one.state in {State.QUARANTINED, State.LOCKED} for one in left):
        raise ShareError(
            "an interrupted run left a study that needs a person", "", "see `remediation recover`"
        )


def _conditions(options: ApplyOptions, stored: Stored, keys: Keys) -> None:
    manifest = stored.manifest
    if manifest.key_id != keys.key_id:
        raise KeyFileError(
            "the manifest was made with another key", str(stored.folder), "use that key file"
        )
    for name, number in manifest.archives.items():
        if options.archive_ids.get(name) != number or name not in options.roots:
            raise ManifestError(
                "the manifest is for another archive", name, "plan with the job of this archive"
            )
    if options.now > datetime.fromisoformat(manifest.expires):
        raise ManifestError("the manifest has expired", str(stored.folder), "plan again")
    if options.mode == DRY_RUN:
        return
    approved = valid_approvals(
        stored.folder,
        stored.raw,
        manifest.digest,
        author=manifest.author,
        author_key=options.author_key,
        approvers=options.approvers,
        required=options.required,
        now=options.now,
    )
    rolled_back = [
        run.end
        for run in runs_of(options.output, manifest.digest)
        if run.begin.get("command") == "rollback" and run.complete
    ]
    if rolled_back and min(one.at.isoformat() for one in approved) <= max(rolled_back):
        raise ManifestError(
            "the manifest was rolled back since it was approved",
            str(stored.folder),
            "approve it anew",
        )
    if options.mode == IN_PLACE:
        _in_place_conditions(options, stored)


def _in_place_conditions(options: ApplyOptions, stored: Stored) -> None:
    manifest = stored.manifest
    if not (manifest.in_place_statement and options.in_place_statement):
        raise UsageError(
            "in-place work needs the statement of what was agreed with the PACS vendor",
            "[apply] in_place_statement",
            "fill it in and plan again, or use --out",
        )
    if manifest.placement["target"] != AT_REST:
        raise UsageError(
            "the exchange placement is never written in place", "--in-place", "use --out"
        )
    if manifest.counts["files"] > options.max_files:
        raise UsageError(
            "the manifest touches more files than max_files", "[apply] max_files", "plan less"
        )


class _Work:
    """The corrections of one manifest, study by study."""

    def __init__(
        self, options: ApplyOptions, stored: Stored, crosswalk: Crosswalk, keys: Keys
    ) -> None:
        self.options, self.stored, self.keys = options, stored, keys
        self.matcher = Matcher(crosswalk, keys, options.rules)
        self.numbers = {
            bsn_token(keys, entry.bsn): entry.bsn
            for entry in crosswalk.entries
            if entry.well_formed and entry.bsn
        }
        self.placement = Placement(**stored.manifest.placement)
        created = datetime.fromisoformat(stored.manifest.created)
        self.at = f"{created:%Y%m%d%H%M%S}.000000+0000"
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
            for row in rows:
                yield rehearse(self.change(row), self.keys)
            advance(len(rows))

    def out(self, advance: Advance) -> Iterator[Outcome]:
        """Write corrected files to another tree."""
        assert self.options.out is not None
        for _, _, rows in self.studies():
            for row in rows:
                root = self.options.out / row["archive"]
                root.mkdir(parents=True, exist_ok=True, mode=0o700)
                yield mirror(self.change(row), root, self.keys)
            advance(len(rows))

    def write(self, journal: Journal, advance: Advance) -> Iterator[Outcome]:
        """Write in place, whole studies, the canary first."""
        writer = StudyWriter(journal, self.keys)
        done = 0
        for study, period, rows in self.studies():
            result = writer.write(study, [self.change(row) for row in rows], period)
            result = writer.finish(result) if result.done else result
            yield from result.outcomes
            advance(len(rows))
            done += len(rows)
            if any(one.reason in REASONS for one in result.outcomes):
                self.halt = MISMATCH
            self.halt = self.halt or result.halt
            if done >= self.options.canary and self._pauses():
                self.halt = self.halt or PAUSED
            if self.halt:
                return

    def _pauses(self) -> bool:
        return self.options.pause_after_canary and not self.options.go_on

    def change(self, row: Row) -> Change:
        """Return what is to become of one file."""
        relative = resolved(row["path"], self.keys)
        size = row["size"] - row["head_length"] + row["result_length"]

        def rebuild(head: bytes) -> bytes:
            return self._rebuilt(row, FileRef(relative, row["size"], row["mtime_ns"]), head)

        return Change(
            row["archive"],
            self.options.roots[row["archive"]],
            os.fsencode(relative),
            FileState(row["size"], row["head_length"], row["head_digest"], None, row["mtime_ns"]),
            FileState(size, row["result_length"], row["result_digest"]),
            rebuild,
        )

    def _rebuilt(self, row: Row, ref: FileRef, raw: bytes) -> bytes:
        """Return the new head; the person is checked again, and two readers must agree."""
        head = scan(raw, len(raw))
        maker = RowMaker(
            self.keys,
            row["archive"],
            Layout(""),
            self.options.bsn_rules,
            True,
            self.options.run_id,
            self.options.now,
        )
        reason = self.matcher.confirm(
            evidence_of_head(maker, ref, head, raw),
            row["bsn_token"],
            row["local_issuer"],
            row["local_token"],
        )
        number = self.numbers.get(row["bsn_token"])
        if reason or number is None:
            raise NotWritten(Result.REFUSED, reason or "no-crosswalk-entry")
        spellings = self.options.rules.archives.get(row["archive"], ArchiveIssuers())
        order = Order(
            number,
            row["local_issuer"],
            spellings.spellings(row["local_issuer"]),
            self.placement,
            self.at,
            self.options.bsn_rules.extra_issuers,
        )
        try:
            new = rewrite(head, ref.size, order).head
        except Refused as refused:
            raise NotWritten(Result.REFUSED, str(refused)) from None
        if second_opinion(raw, new) is False:
            raise NotWritten(Result.REFUSED, "second-reader-disagrees")
        return new

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
            self.halt = self.halt or error.what
        return ApplyReport(
            self.options.mode,
            self.options.run_id,
            dict(sorted(results.items())),
            dict(sorted(reasons.items())),
            self.halt,
        )
