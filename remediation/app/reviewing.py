"""Commands of those who look at a manifest before anything is written: show, approve."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import click

from remediation.app.config import Job
from remediation.app.console import JSON, counts, emit
from remediation.app.named import JOB_OPTION, MANIFEST, approvers_of, job_of, stored
from remediation.app.progress import progress
from remediation.app.records import recorded
from remediation.app.report.told.plainly import plainly
from remediation.app.report.words import Words
from remediation.app.wiring import Session
from remediation.errors import ManifestError, RemediationError, UsageError
from remediation.model.approvals import author_key_of
from remediation.stages import approve as approve_stage
from remediation.stages import show as show_stage
from remediation.stages import stale as stale_stage
from remediation.store.files import durable_write
from remediation.store.manifests import Stored
from remediation.store.permission import Conditions
from remediation.store.standing import counted

_STUDIES = 20  # stale studies that are listed on a terminal; --json lists all


@click.command()
@MANIFEST
@click.option("--limit", type=click.IntRange(0), default=10, metavar="N", help="Rows to show.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page for the person who signs.",
)
@click.option(
    "--lang",
    type=click.Choice(["nl", "en"]),
    default="nl",
    show_default=True,
    help="Language of that page.",
)
@click.option("--stale", is_flag=True, help="Look at the planned files again: what has changed?")
@JOB_OPTION
@JSON
def show(
    manifest: Path,
    limit: int,
    html: Path | None,
    lang: Literal["nl", "en"],
    job: Path | None,
    *,
    stale: bool,
    as_json: bool,
) -> None:
    """Show what MANIFEST would do; numbers are tokens.

    With --stale it exits 5 where files changed since the plan.
    """
    found = stored(manifest)
    loaded = job_of(manifest, job) if job or stale else _job_if_there(manifest)
    report = show_stage.run(
        found,
        limit,
        output=loaded.output.dir if loaded else None,
        conditions=_asked(loaded, found) if loaded else None,
    )
    changed = _looked_again(loaded, found) if stale and loaded else None
    if html is not None:
        _write_page(html, manifest, report, changed, lang)
    said = dataclasses.asdict(report)
    said["periods"] = [plainly(row, Words.of("en")) for row in report.periods]
    said["stale"] = dataclasses.asdict(changed) if changed else None
    said["html"] = str(html) if html else None
    emit(said, [*_lines(report), *_stale_lines(changed)], as_json=as_json)
    if changed and not changed.fresh:
        raise ManifestError(
            "files changed since the plan",
            str(manifest),
            "plan again, or leave these studies out: `remediation review --exclude`",
        )


def _job_if_there(manifest: Path) -> Job | None:
    """Return the manifest's job; None where it is not where it was: a plan is read without it."""
    try:
        return job_of(manifest, None)
    except RemediationError:
        return None


def _asked(job: Job, found: Stored) -> Conditions:
    approvers = approvers_of(job)
    return Conditions(
        {},
        approvers,
        author_key_of(found.manifest.author, approvers),
        job.apply.approvals,
    )


def _looked_again(job: Job, found: Stored) -> stale_stage.StaleReport:
    session = Session.open(job)
    with progress("show", "files") as advance:
        return stale_stage.run(found, session.roots(), session.keys, advance=advance)


def _write_page(
    html: Path,
    manifest: Path,
    report: show_stage.ShowReport,
    changed: stale_stage.StaleReport | None,
    lang: Literal["nl", "en"],
) -> None:
    from remediation.app.report.signing import page

    folder = shlex.quote(str(manifest.resolve()))
    files = changed.files if changed else None
    durable_write(html, page(report, files, Words.of(lang), folder).encode("utf-8", "replace"))


def _lines(report: show_stage.ShowReport) -> Iterator[str]:
    yield f"manifest {report.manifest_id}, by {report.author}, target {report.target}"
    yield f"made {report.created}; expires {report.expires}{' (expired)' * report.expired}"
    yield f"digest {report.digest}"
    if report.successor:
        yield f"superseded by a review: use {report.successor}"
    if report.spent:
        yield "spent: it was applied in place"
    if report.parent:
        yield f"made by a review of {report.parent}"
    yield from counts("it would correct:", report.counts)
    yield from counts("files by rule:", report.by_rule)
    yield from counts("files by archive:", report.by_archive)
    yield from counts("files by period:", report.by_period)
    yield from counts("files by source:", report.by_source)
    yield from counts("files by month:", report.by_month)
    yield from counts("studies refused, by reason:", report.refused)
    yield from (f"not told: {line}" for line in report.left_out)
    yield from _decided(report)
    yield "it does not do:"
    yield from (f"  {line}" for line in report.not_done)
    yield from _sample(report)


def _decided(report: show_stage.ShowReport) -> Iterator[str]:
    for review in report.reviews:
        taken = f"{review.studies:,} studies taken out"
        yield f"reviewed by {review.by}, {review.at}: {taken} ({review.why})"
    asked = f" of {report.required} asked for" if report.required is not None else ""
    bad = ", as one stops apply" if any(one.stops for one in report.approvals) else ""
    yield f"approvals: {counted(report.approvals)}{asked}{bad}"
    for one in report.approvals:
        signed = "signed" if one.signed else "not signed"
        why = f" ({one.why})" if one.why else ""
        yield f"  {one.approval_id or '-'}  {one.by}, {one.at}, {signed}: {one.state}{why}"


def _sample(report: show_stage.ShowReport) -> Iterator[str]:
    for kind in report.kinds:
        yield f"{kind.files:,} files of {kind.studies:,} studies, {kind.rule}:"
        for one in kind.changes:
            token = f" (token {one.token}…)" if one.token else ""
            yield f"    {one.place}: {one.before} > {one.after} from {one.source}{token}"
    for row in report.rows:
        yield f"{row['archive']} {row['StudyInstanceUID']}: {row['rule']}"
        yield from (f"    {edit}" for edit in row["edits"])


def _stale_lines(changed: stale_stage.StaleReport | None) -> Iterable[str]:
    if changed is None:
        return
    yield from counts("planned files, looked at again:", changed.files)
    for one in changed.studies[:_STUDIES]:
        yield f"  {one['archive']} {one['StudyInstanceUID']}: {one['state']}"
    if len(changed.studies) > _STUDIES:
        yield f"  and {len(changed.studies) - _STUDIES:,} more studies: see --json"


@click.command()
@MANIFEST
@click.option("--by", required=True, metavar="NAME", help="Your full name.")
@click.option(
    "--key", "key_file", type=click.Path(path_type=Path), metavar="FILE", help="Your signing key."
)
@click.option(
    "--revoke", metavar="ID|NAME", help="Take an approval back: yours, or another approver's."
)
@click.option("--why", metavar="TEXT", help="Why it is taken back; without anybody's number.")
@JOB_OPTION
@JSON
def approve(
    *,
    manifest: Path,
    by: str,
    key_file: Path | None,
    revoke: str | None,
    why: str | None,
    job: Path | None,
    as_json: bool,
) -> None:
    """Approve MANIFEST, signed with --key; or take an approval back with --revoke.

    The approval is bound to the manifest's bytes. Its author cannot approve it.
    """
    if (revoke is None) != (why is None):
        raise UsageError("taking an approval back needs a reason", "", "give --revoke and --why")
    loaded, found = job_of(manifest, job), stored(manifest)
    options = approve_stage.ApproveOptions(
        by,
        datetime.now(UTC),
        key_file,
        approvers_of(loaded),
        loaded.apply.approvals,
        loaded.output.dir,
    )
    about = {"manifest": found.manifest.manifest_id}
    with recorded(loaded, "approve", by=by, about=about) as record:
        record["manifest"] = found.manifest.digest
        if revoke is None or why is None:
            report, done = approve_stage.run(options, found), f"approved by {by}"
        else:
            report = approve_stage.revoke(options, found, revoke, why)
            done = f"taken back by {by}"
            record["revoked"] = True
    emit(report, [f"{done}: {report.path}"], as_json=as_json)


COMMANDS: tuple[Any, ...] = (show, approve)
"""Show and approve, in the order of the work."""
