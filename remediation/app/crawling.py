"""The command that reads archives: crawl."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path

import click

from remediation.app.config import load_job
from remediation.app.console import JOB, JSON, counts, emit, note
from remediation.app.fleet import fleet
from remediation.app.progress import progress
from remediation.app.records import recorded
from remediation.app.spread import spread
from remediation.app.surveying import SAMPLE, SEED, survey
from remediation.app.where import chosen
from remediation.app.wiring import Session
from remediation.errors import PartlyDone, UsageError
from remediation.stages import crawl as crawl_stage
from remediation.store.locks import lock_root
from remediation.store.ready import ready_for
from remediation.store.walking import check_root

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@JOB
@click.option(
    "--from", "start", type=DAY, metavar="DATE", help="First StudyDate; the job's own by default."
)
@click.option("--to", "end", type=DAY, metavar="DATE", help="Last StudyDate, inclusive.")
@click.option(
    "--archive", "names", multiple=True, metavar="NAME", help="Only this archive; may be repeated."
)
@click.option("--fresh", is_flag=True, help="Read every file again.")
@spread
@SAMPLE
@SEED
@JSON
def crawl(
    job: Path,
    start: datetime | None,
    end: datetime | None,
    names: tuple[str, ...],
    *,
    fresh: bool,
    workers: int | None,
    scheduler: str | None,
    scheduler_file: Path | None,
    sample: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Inventory JOB's archives; new and changed files only.

    One row per file, one per number found and where it stands; no number in it, only tokens.
    With --sample: a survey instead, in minutes; coverage with intervals, in survey.parquet.
    """
    session = Session.open(load_job(job))
    first, last = start.date() if start else None, end.date() if end else None
    if first and last and first > last:
        raise UsageError("the range ends before it begins", "--from, --to", "swap them")
    where = chosen(session.job.run, workers, scheduler, scheduler_file)
    names = names or tuple(archive.name for archive in session.job.archives)
    if sample is not None:
        if fresh:
            raise UsageError("a survey makes no inventory", "--sample, --fresh", "leave one out")
        survey(session, names, start=first, end=last, sample=sample, seed=seed, as_json=as_json)
        return
    options = [session.crawl_options(name, start=first, end=last, fresh=fresh) for name in names]
    reports = []
    with recorded(session.job, "crawl", keys=session.keys) as record:
        for one in options:
            check_root(one.archive.root)
        roots = [one.archive.root for one in options]
        key_file, key_id = session.job.privacy.key_file, session.keys.key_id
        with (
            ready_for(key_file, key_id, roots, session.output) as ready,
            fleet(where, ready) as mapper,
        ):
            for one in options:
                with (
                    lock_root(one.archive.root, "crawl", in_place=False),
                    progress(f"crawl {one.archive.name}", "files") as advance,
                ):
                    # What a share may be asked is shared out to those who ask.
                    rate = one.reads_per_second / getattr(mapper, "threads", 1)
                    paced = dataclasses.replace(one, reads_per_second=rate)
                    reports.append(
                        crawl_stage.run(paced, mapper=mapper, advance=advance, share=advance.share)
                    )
        record.update({report.archive: report.states for report in reports})
        said = [dataclasses.asdict(one) for one in reports]
        emit({"archives": said}, _crawl_lines(reports), as_json=as_json)
        for report in reports:
            for warning in _warnings(report):
                note(warning)
        if any(report.incomplete for report in reports):
            raise PartlyDone(
                "some files or folders could not be read", "", "see the report, by state and error"
            )


def _crawl_lines(reports: list[crawl_stage.CrawlReport]) -> list[str]:
    lines = []
    for one in reports:
        lines.append(
            f"{one.archive}: {one.walked:,} files: {one.new:,} new, {one.changed:,} changed, "
            f"{one.unchanged:,} unchanged, {one.vanished:,} vanished"
        )
        read = one.new + one.changed
        rate, speed = read / one.seconds, one.read_bytes / one.seconds / 1e6
        lines.append(
            f"  {one.seconds:,.1f} s"
            + (f": {rate:,.0f} files/s, {speed:,.1f} MB/s" if read else "")
        )
        said = {
            "folders outside the range were not opened": one.pruned_folders,
            "folders could not be listed": one.lost_folders,
            "files are of another date than their folder": one.elsewhere,
            "containers could not be read to their end": one.broken_containers,
            "files are programs as well, by their preamble": one.programs,
        }
        lines += [f"  {count:,} {what}" for what, count in said.items() if count]
        lines += counts("  read now, by state:", one.states)
    return lines


def _warnings(one: crawl_stage.CrawlReport) -> list[str]:
    """Return what must not be overlooked in a report."""
    found = []
    if one.walked == 0:
        found.append(f"warning: archive {one.archive} is empty")
    if one.pruned_wrong:
        found.append(
            f"warning: {one.archive}: {one.pruned_wrong} of {one.pruned_checked} files in folders "
            "that were passed over are of another date: these folders are no StudyDates; set "
            'layout_date = "stored" and crawl again'
        )
    return found
