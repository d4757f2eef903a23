"""Wiring: from a checked job file to the options of each stage."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from remediation.app.config import Job
from remediation.app.config_placement import placement_of
from remediation.dicom.locate import BsnRules
from remediation.errors import UsageError
from remediation.model.acceptances import Accepted
from remediation.model.approvals import author_key_of
from remediation.model.audit import Seen, unseen
from remediation.model.evidence import ArchiveIssuers, IssuerPeriod, MatchRules
from remediation.model.files import ArchiveRoot
from remediation.model.pacing import Hours, Pace, Window
from remediation.model.placement import Placement
from remediation.model.running import new_run_id, utc_now
from remediation.model.secrets import Keys
from remediation.stages import apply, crawl, flag, judged, match, plan, rollback, verify
from remediation.stages import worklists as worklists_stage
from remediation.store import escrow
from remediation.store.acceptances import FOLDER as ACCEPTANCES
from remediation.store.acceptances import Acceptances
from remediation.store.crosswalk_files import read_crosswalk
from remediation.store.inventory import Inventory
from remediation.store.keys import load_key_file
from remediation.store.manifests import Stored
from remediation.store.permission import Conditions
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.judge import Sources
from remediation.tables.schemas import INVENTORY

if TYPE_CHECKING:
    from remediation.app.report.build import ReportResult


@dataclass(frozen=True, slots=True)
class Session:
    """A job with its keys, at one moment."""

    job: Job
    keys: Keys
    now: datetime

    @classmethod
    def open(cls, job: Job) -> Session:
        """Load the key file of a job.

        Raises:
            UsageError: what should receive the escrow is no recipient.
        """
        escrow.check(job.privacy.escrow_recipient)
        return cls(job, load_key_file(job.privacy.key_file), utc_now())

    @property
    def run_id(self) -> str:
        """A new name for a run."""
        return new_run_id(utc_now())

    @property
    def output(self) -> Path:
        """The job's output folder."""
        return self.job.output.dir

    def rules(self) -> BsnRules:
        """The hospital's own issuers and placeholders."""
        return BsnRules(self.job.bsn.extra_issuers, self.job.bsn.placeholders)

    def sources(self) -> Sources:
        """What a source is in this job."""
        return Sources(tuple(self.job.source.by), dict(self.job.source.rename))

    def roots(self) -> dict[str, Path]:
        """Archive names and their roots."""
        return {archive.name: Path(archive.root) for archive in self.job.archives}

    def crosswalk(self) -> Crosswalk:
        """Read the EPD export."""
        settings = self.job.crosswalk_settings()
        return Crosswalk.read(read_crosswalk(settings, self.now), settings.spelling)

    def archives(self) -> dict[str, ArchiveIssuers]:
        """Issuer settings per archive."""
        return {
            archive.name: ArchiveIssuers(
                archive.local_issuer,
                tuple(
                    IssuerPeriod(
                        one.local_issuer,
                        one.start,
                        one.end,
                        one.institution or "",
                        one.writing_software or "",
                        one.number_shape or "",
                    )
                    for one in archive.local_issuer_period
                ),
                {alias.spelling: alias.means for alias in archive.issuer_alias},
            )
            for archive in self.job.archives
        }

    def archive_root(self, name: str) -> ArchiveRoot:
        """One archive as crawl and survey see it."""
        one = self.job.archive(name)
        return ArchiveRoot(one.name, Path(one.root), one.layout or "", one.layout_date == "study")

    def crawl_options(
        self,
        archive: str,
        *,
        start: date | None = None,
        end: date | None = None,
        fresh: bool = False,
    ) -> crawl.CrawlOptions:
        """Options of `crawl` for one archive; a range of its own makes it partial."""
        job = self.job
        return crawl.CrawlOptions(
            archive=self.archive_root(archive),
            output=self.output,
            key_file=job.privacy.key_file,
            key_id=self.keys.key_id,
            run_id=new_run_id(self.now),
            at=self.now,
            rules=self.rules(),
            seal_paths=job.privacy.seal_paths,
            start=start or job.start,
            end=end or job.end,
            partial=bool(start or end),
            fresh=fresh,
            readers=job.run.readers,
            reads_per_second=job.run.reads_per_second or 0,
            hours=Hours(Window.parse(job.run.window) if job.run.window else None, job.timezone),
        )

    def flag_options(self) -> flag.FlagOptions:
        """Options of `flag`."""
        job = self.job
        return flag.FlagOptions(
            output=self.output,
            key_id=self.keys.key_id,
            sources=self.sources(),
            placement=self.placement(None),
            events=job.model_events(),
            target_coverage=job.target_coverage,
            provisional_from=_months_before(self.now.date(), job.provisional_months),
            start=job.start,
            end=job.end,
            today=self.now.date(),
        )

    def match_rules(self) -> MatchRules:
        """When a number may be written."""
        table = self.job.crosswalk
        if table is None:
            raise UsageError(
                "the job file has no [crosswalk]", str(self.job.path), "name the EPD's export there"
            )
        return MatchRules(
            frozenset(table.writable_statuses),
            frozenset(table.writable_validations),
            frozenset(self.job.bsn.placeholders),
            self.job.allow_test_numbers,
            self.archives(),
            self._accepted(),
            self.sources().label,
        )

    def _accepted(self) -> Accepted:
        """Which warnings two people accepted."""
        approvers = {one.name: one.public_key for one in self.job.approvers}
        required = self.job.apply.approvals
        return Acceptances.load(self.output / ACCEPTANCES, approvers, required, self.now)

    def match_options(self) -> match.MatchOptions:
        """Options of `match`."""
        run = self.job.run
        pace = Pace(run.reads_per_second or 0)
        return match.MatchOptions(
            self.output, self.match_rules(), self.roots(), self.sources(), run.readers, pace
        )

    def worklists(
        self, crosswalk: Crosswalk, seen: Seen = unseen
    ) -> tuple[worklists_stage.Worklists, dict[str, Path]]:
        """Write the worklists of what `match` found; return them, and the paths by name."""
        from remediation.app.listing import write_worklists

        job = self.job
        options = worklists_stage.WorklistOptions(
            output=self.output,
            roots=self.roots(),
            archives=self.archives(),
            extra_issuers=job.bsn.extra_issuers,
            examples=job.worklists.vendor_examples,
            readers=job.run.readers,
            seen=seen,
        )
        lists = worklists_stage.run(options, crosswalk, self.keys)
        return lists, write_worklists(self.output, lists, job.output.language)

    def placement(self, target: str | None) -> Placement:
        """Return the target placement: the job's, or one by name or path."""
        return placement_of(self.job, target)

    def plan_options(
        self,
        *,
        periods: Iterable[str] = (),
        select: Iterable[tuple[str, str]] = (),
        target: str | None = None,
        author: str | None = None,
        at: datetime | None = None,
        sharing: int = 1,
    ) -> plan.PlanOptions:
        """Options of `plan`; what a share may be asked is shared out to so many who ask."""
        job = self.job
        return plan.PlanOptions(
            output=self.output,
            key_file=job.privacy.key_file,
            job_file=job.path,
            job_name=job.name,
            author=author or getpass.getuser(),
            responsible=job.responsible,
            placement=self.placement(target),
            roots=self.roots(),
            archives=self.archives(),
            sources=self.sources(),
            extra_issuers=job.bsn.extra_issuers,
            placeholders=job.bsn.placeholders,
            in_place_statement=job.apply.in_place_statement,
            periods=tuple(periods),
            select=tuple(select),
            max_files=job.apply.max_files,
            at=at.astimezone(UTC) if at else None,
            tool_version=version("remediation"),
            readers=job.run.readers,
            reads_per_second=(job.run.reads_per_second or 0) / sharing,
        )

    def apply_options(
        self, mode: str, manifest: Stored, *, out: Path | None = None, go_on: bool = False
    ) -> apply.ApplyOptions:
        """Options of `apply`; they say where and when it may, never what is written."""
        job = self.job
        inventory = Inventory(self.output, self.keys.key_id, INVENTORY)
        approvers = {one.name: one.public_key for one in job.approvers}
        return apply.ApplyOptions(
            output=self.output,
            mode=mode,
            run_id=self.run_id,
            now=utc_now(),
            person=getpass.getuser(),
            roots=self.roots(),
            rules=self.match_rules(),
            conditions=Conditions(
                archive_ids={name: inventory.archive_id(name) for name in self.roots()},
                approvers=approvers,
                author_key=author_key_of(manifest.manifest.author, approvers),
                required=job.apply.approvals,
                max_files=job.apply.max_files,
                in_place_statement=job.apply.in_place_statement,
            ),
            bsn_rules=self.rules(),
            out=out,
            escrow=job.privacy.escrow_recipient,
            canary=job.apply.canary,
            pause_after_canary=job.apply.pause_after_canary,
            go_on=go_on,
        )

    def verify_options(self, part: int = 1, parts: int = 1) -> verify.VerifyOptions:
        """Options of `verify`."""
        return verify.VerifyOptions(
            self.output, self.roots(), self.run_id, utc_now(), self.rules(), part, parts
        )

    def rollback_options(
        self,
        *,
        dry_run: bool = False,
        periods: tuple[str, ...] = (),
        studies: tuple[str, ...] = (),
    ) -> rollback.RollbackOptions:
        """Options of `rollback`."""
        return rollback.RollbackOptions(
            self.output,
            self.roots(),
            self.run_id,
            utc_now(),
            getpass.getuser(),
            dry_run,
            periods,
            studies,
            self.job.privacy.escrow_recipient,
        )

    def judged_options(self) -> judged.JudgedOptions:
        """Options of what reads again what `flag` found."""
        return judged.JudgedOptions(self.output, self.keys.key_id)

    def report(self, language: Literal["nl", "en"] | None) -> ReportResult:
        """Write the report."""
        # matplotlib and pandas take a second to load: only for those who ask for a report.
        from remediation.app.report.build import ReportOptions, write_report

        job = self.job
        return write_report(
            ReportOptions(
                output=self.output,
                key_id=self.keys.key_id,
                job_name=job.name,
                target_coverage=job.target_coverage,
                language=language or job.output.language,
                events=job.model_events(),
                made_at=utc_now(),
                tool_version=version("remediation"),
            )
        )


def _months_before(day: date, months: int) -> date:
    """Return the first day of the month that lies `months` months before a day's."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
