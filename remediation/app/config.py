"""The job file: TOML in, a frozen Job out, or one error with every fault in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pydantic import ValidationError

from remediation.app import config_sections as sections
from remediation.app import config_toml
from remediation.app.config_checks import Context, context_of
from remediation.app.config_errors import as_error
from remediation.errors import UsageError
from remediation.model.crosswalk import SpellingRule
from remediation.model.events import Event
from remediation.store.crosswalk_files import CrosswalkSettings, Hl7Settings

_WHAT = "job file"


@dataclass(frozen=True, slots=True)
class Job:
    """A checked job file, its names as in the file, its paths absolute.

    Attributes:
        start: First StudyDate, inclusive, or None; `end` the last, inclusive, or None.
        target_coverage: Share of studies, 0 to 1.
        path: The job file; `folder` holds it, and relative paths were relative to that.
        local_issuers: Issuers of local numbers, of all archives and their periods.

    The other attributes are described with their tables in `config_sections`.
    """

    path: Path
    folder: Path
    name: str
    start: date | None
    end: date | None
    timezone: str
    target_coverage: float
    provisional_months: int
    responsible: str
    allow_test_numbers: bool
    local_issuers: frozenset[str]
    archives: tuple[sections.Archive, ...]
    source: sections.Source
    placement: sections.Placement
    bsn: sections.Bsn
    privacy: sections.Privacy
    events: tuple[sections.EventTable, ...]
    crosswalk: sections.CrosswalkTable | None
    approvers: tuple[sections.Approver, ...]
    apply: sections.Apply
    run: sections.Run
    worklists: sections.Worklists
    output: sections.Output

    def archive(self, name: str) -> sections.Archive:
        """Return an archive by its name.

        Raises:
            UsageError: The job has no such archive.
        """
        for archive in self.archives:
            if archive.name == name:
                return archive
        names = ", ".join(archive.name for archive in self.archives)
        raise UsageError("no such archive in the job file", str(self.path), f"it has {names}")

    def model_events(self) -> tuple[Event, ...]:
        """Return the events with half-open dates: `end` is the day after the last."""
        return tuple(_event(table) for table in self.events)

    def crosswalk_settings(self) -> CrosswalkSettings:
        """Return how to read the crosswalk.

        Raises:
            UsageError: The job file has no `[crosswalk]`.
        """
        table = self.crosswalk
        if table is None:
            raise UsageError(
                "the job file has no [crosswalk]", str(self.path), "name the EPD's export there"
            )
        return CrosswalkSettings(
            files=table.files,
            columns=table.columns.model_dump(exclude_none=True) if table.columns else {},
            default_issuer=next(iter(self.local_issuers)) if len(self.local_issuers) == 1 else "",
            spelling=tuple(
                SpellingRule(rule.issuer, rule.width, rule.prefix) for rule in table.spelling
            ),
            max_age_days=table.max_age_days,
            hl7=Hl7Settings(
                table.hl7.status or "", table.hl7.reliability, table.hl7.issuers, self.timezone
            ),
            extra_issuers=self.bsn.extra_issuers,
        )


def _event(table: sections.EventTable) -> Event:
    first, last = table.day or table.start, table.day or table.end
    assert first is not None, "an event without a date is not loaded"
    assert last is not None, "an event with a first day only is not loaded"
    return Event(table.name, table.kind, first, last + timedelta(days=1), table.archive)


def load_job(path: Path, today: date | None = None) -> Job:
    """Read a job file; "yesterday" is the day before `today`, by default that of its time zone.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has faults: all of them in one
            message, each with key and line where they can be had, none with a value.
    """
    raw = config_toml.read(path, _WHAT, "make one with `remediation init`")
    text = config_toml.decoded(raw, path, _WHAT)
    data = config_toml.parsed(text, path, _WHAT)
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() follows links
    context = context_of(data, folder, today)
    try:
        file = sections.JobFile.model_validate(data, context=context)
    except ValidationError as error:
        # Not chained: pydantic keeps the values that it refused.
        raise as_error(error, sections.JobFile, text, path) from None
    return _job(file, path.name, context)


def _job(file: sections.JobFile, file_name: str, context: Context) -> Job:
    return Job(
        path=context.folder / file_name,
        folder=context.folder,
        name=file.job.name,
        start=file.job.start,
        end=file.job.end,
        timezone=file.job.timezone,
        target_coverage=file.job.target_coverage,
        provisional_months=file.job.provisional_months,
        responsible=file.job.responsible,
        allow_test_numbers=file.job.allow_test_numbers,
        local_issuers=context.local_issuers,
        archives=file.archive,
        source=file.source,
        placement=file.placement,
        bsn=file.bsn,
        privacy=file.privacy,
        events=file.event,
        crosswalk=file.crosswalk,
        approvers=file.approver,
        apply=file.apply,
        run=file.run,
        worklists=file.worklists,
        output=file.output,
    )
