"""Commands that look at an archive and judge it: init, key, check, crawl, flag, match, report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click

from remediation.app.config import load_job
from remediation.app.console import counts, emit, note
from remediation.app.fleet import fleet
from remediation.app.progress import progress
from remediation.app.records import recorded
from remediation.app.wiring import Session
from remediation.errors import PartlyDone, UsageError
from remediation.stages import check as check_stage
from remediation.stages import crawl as crawl_stage
from remediation.stages import flag as flag_stage
from remediation.stages import match as match_stage
from remediation.store.approvals import new_approver_key
from remediation.store.archive import check_root
from remediation.store.keys import new_key_file
from remediation.store.locks import lock_root

JOB = click.argument("job", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default="remediation.toml")
def init(path: Path) -> None:
    """Write a commented job file and a key file.

    PATH is the new job file (default: remediation.toml). Nothing is ever replaced.
    """
    from remediation.app.template import KEY_FILE, TEMPLATE

    if path.exists():
        raise UsageError("there is a file already", str(path), "choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    key = path.parent / KEY_FILE
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        note(f"key file {key}, key id {new_key_file(key)}: keep a copy in a safe place")
    with path.open("x", encoding="utf-8") as file:
        file.write(TEMPLATE)
    click.echo(f"{path}: fill in the archive roots, then run `remediation check {path}`")


@click.group()
def key() -> None:
    """Make key files."""


@key.command("new")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--approver", is_flag=True, help="A signing key pair, for a person who approves.")
def key_new(path: Path, *, approver: bool) -> None:
    """Make a key file at PATH; with --approver, print the public line for the job file."""
    if approver:
        click.echo(new_approver_key(path))
        note(f"secret key {path}: for its owner alone; the line above goes into [[approver]]")
    else:
        note(f"key file {path}, key id {new_key_file(path)}")


@click.command()
@JOB
@JSON
def check(job: Path, *, as_json: bool) -> None:
    """See whether JOB's shares, keys, EPD export and disk are in order."""
    from remediation.model.running import utc_now

    loaded = load_job(job)
    report = check_stage.run(
        check_stage.CheckOptions(
            loaded.privacy.key_file,
            loaded.output.dir,
            {archive.name: Path(archive.root) for archive in loaded.archives},
            loaded.crosswalk_settings() if loaded.crosswalk else None,
            utc_now(),
        )
    )
    width = max(len(one.what) for one in report.findings)
    lines = [f"{one.verdict:5}  {one.what:{width}}  {one.line}" for one in report.findings]
    emit(report, lines, as_json=as_json)
    click.get_current_context().exit(report.exit_code)


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
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Worker processes; the job's by default."
)
@JSON
def crawl(
    job: Path,
    start: datetime | None,
    end: datetime | None,
    names: tuple[str, ...],
    *,
    fresh: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Inventory JOB's archives; new and changed files only.

    One row per file, one per number found and where it stands; no number in it, only tokens.
    """
    session = Session.open(load_job(job))
    first, last = start.date() if start else None, end.date() if end else None
    if first and last and first > last:
        raise UsageError("the range ends before it begins", "--from, --to", "swap them")
    chosen = names or tuple(archive.name for archive in session.job.archives)
    options = [session.crawl_options(name, start=first, end=last, fresh=fresh) for name in chosen]
    reports = []
    with recorded(session.job, "crawl") as record:
        for one in options:
            check_root(one.archive.root)
        with fleet(workers or session.job.run.workers) as mapper:
            for one in options:
                with (
                    lock_root(one.archive.root, "crawl", in_place=False),
                    progress(f"crawl {one.archive.name}", "files") as advance,
                ):
                    reports.append(crawl_stage.run(one, mapper=mapper, advance=advance))
        record.update({report.archive: report.states for report in reports})
        said = [dataclasses.asdict(one) for one in reports]
        emit({"archives": said}, _crawl_lines(reports), as_json=as_json)
        for report in reports:
            if report.walked == 0:
                note(f"warning: archive {report.archive} is empty")
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
        if one.pruned_folders:
            lines.append(f"  {one.pruned_folders:,} folders outside the range were not opened")
        if one.lost_folders:
            lines.append(f"  {one.lost_folders:,} folders could not be listed")
        lines += counts("  read now, by state:", one.states)
    return lines


@click.command()
@JOB
@JSON
def flag(job: Path, *, as_json: bool) -> None:
    """Judge it: statuses, coverage per month, broken periods."""
    session = Session.open(load_job(job))
    with recorded(session.job, "flag") as record:
        report = flag_stage.run(session.flag_options())
        record.update(report.statuses)
    for place in report.demoted:
        note(f"warning: {place} says BSN, but behaves as local numbers do: not believed")
    lines = [f"{report.studies:,} studies, {report.periods} broken periods"]
    emit(report, [*lines, *counts("statuses:", report.statuses)], as_json=as_json)


@click.command()
@JOB
@JSON
def match(job: Path, *, as_json: bool) -> None:
    """Match studies to the EPD export; write the desk's worklist."""
    session = Session.open(load_job(job))
    with recorded(session.job, "match") as record, progress("match", "studies") as advance:
        options, crosswalk = session.match_options(), session.crosswalk()
        report = match_stage.run(options, crosswalk, session.keys, advance=advance)
        record.update(report.outcomes | {"heads_read": report.heads_read})
    lines = [*counts("outcomes:", report.outcomes), *counts("reasons:", report.reasons)]
    emit(report, [*lines, f"worklist: {report.worklist}"], as_json=as_json)
    for reason in ("birth-date-clash", "sex-clash", "name-clash", "header-disagrees"):
        if report.reasons.get(reason):
            note(
                f"warning: {report.reasons[reason]} studies: {reason}: possible mix-up of patients"
            )


@click.command()
@JOB
@click.option("--lang", type=click.Choice(["nl", "en"]), help="Language; the job's by default.")
@JSON
def report(job: Path, lang: Literal["nl", "en"] | None, *, as_json: bool) -> None:
    """Write the report: one offline HTML file, XLSX beside it."""
    session = Session.open(load_job(job))
    with recorded(session.job, "report"):
        result = session.report(lang)
    emit(result, [str(result.html)], as_json=as_json)


COMMANDS: tuple[Callable[..., Any], ...] = (init, key, check, crawl, flag, match, report)
