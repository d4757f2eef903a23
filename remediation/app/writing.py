"""Commands that plan and write: plan, apply, verify, rollback, recover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from remediation.app import deciding, reviewing
from remediation.app.config import load_job
from remediation.app.console import JOB, JSON, counts, emit, note
from remediation.app.named import JOB_OPTION, MANIFEST, job_of, stored
from remediation.app.planning import plan
from remediation.app.progress import progress
from remediation.app.records import recorded
from remediation.app.wiring import Session
from remediation.errors import PartlyDone, ShareError, UsageError
from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.running import utc_now
from remediation.stages import apply as apply_stage
from remediation.stages import recover as recover_stage
from remediation.stages import rollback as rollback_stage
from remediation.stages import verify as verify_stage
from remediation.store.escrow import escrow_keys


@click.command()
@MANIFEST
@click.option("--dry-run", is_flag=True, help="Rehearse everything, write nothing.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Corrected files to another tree."
)
@click.option("--in-place", is_flag=True, help="Rewrite the archive's own files.")
@click.option("--continue", "go_on", is_flag=True, help="Go on after the canary.")
@click.option(
    "--paranoid",
    is_flag=True,
    help="Have every result read by pydicom, and by DCMTK where it is installed.",
)
@JOB_OPTION
@JSON
def apply(
    manifest: Path,
    out: Path | None,
    job: Path | None,
    *,
    dry_run: bool,
    in_place: bool,
    go_on: bool,
    paranoid: bool,
    as_json: bool,
) -> None:
    """Write an approved MANIFEST's corrections.

    One of --dry-run, --out DIR and --in-place must be given: there is no default.
    """
    if dry_run + in_place + (out is not None) != 1:
        raise UsageError(
            "apply writes nowhere by itself", "", "give one of --dry-run, --out DIR, --in-place"
        )
    found = stored(manifest)
    session = Session.open(job_of(manifest, job))
    mode = "dry-run" if dry_run else "in-place" if in_place else "out"
    about = {"manifest": found.manifest.manifest_id, "mode": mode}
    if in_place:
        about["in_place_statement"] = found.manifest.in_place_statement
    with recorded(session.job, "apply", keys=session.keys, about=about) as record:
        options = session.apply_options(mode, found, out=out, go_on=go_on)
        options = record.wired(options, session.keys)
        options = replace(options, paranoid=paranoid)
        with progress("apply", "files") as advance:
            report = apply_stage.run(
                options, found, session.crosswalk(), session.keys, advance=advance
            )
        record.update(report.outcomes | {"halt": report.halt})
        lines = [
            *counts(f"{mode}, files by outcome:", report.outcomes),
            *counts("reasons:", report.reasons),
            *counts("second readers:", report.second),
        ]
        emit(report, lines, as_json=as_json)
        halt = report.halt
        if halt == apply_stage.PAUSED:
            note("the canary is written: verify it, then `apply --in-place --continue`")
            halt = ""
        if halt in {apply_stage.MISMATCH, apply_stage.UNVERIFIED}:
            raise PartlyDone(
                f"the run stopped: {halt}", str(manifest), "see the outcomes; nothing is half done"
            )
        _judge(halt, report.outcomes, report.reasons, manifest)


def _judge(
    halt: str, outcomes: Mapping[str, int], reasons: Mapping[str, int], manifest: Path
) -> None:
    """Raise for what a share or disk said no to, and for files that were left alone."""
    if Reason.NO_SPACE in {halt, *reasons}:
        raise ShareError(
            "the disk is full", str(manifest), "nothing is half done: make room and run again"
        )
    if halt:
        raise ShareError(
            f"the run stopped: {halt}", str(manifest), "nothing is half done: mend it and run again"
        )
    if not all(Outcome(Result(one)).untroubled for one in outcomes):
        raise PartlyDone("some files were left alone", str(manifest), "see the reasons above")


@click.command()
@MANIFEST
@click.option(
    "--slice", "share", default="1/1", metavar="n/t", help="The n-th of t shares, as n/t."
)
@JOB_OPTION
@JSON
def verify(manifest: Path, share: str, job: Path | None, *, as_json: bool) -> None:
    """Hold the touched files against MANIFEST's promise."""
    part, _, parts = share.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise UsageError("a share has the form n/t", "--slice", "for example 1/7")
    found = stored(manifest)
    session = Session.open(job_of(manifest, job))
    about = {"manifest": found.manifest.manifest_id, "slice": share}
    with recorded(session.job, "verify", keys=session.keys, about=about) as record:
        options = record.wired(session.verify_options(int(part), int(parts)), session.keys)
        with progress("verify", "files") as advance:
            report = verify_stage.run(options, found, session.keys, advance=advance)
        record.update(report.verdicts)
        emit(report, list(counts(f"{report.files:,} files:", report.verdicts)), as_json=as_json)
        if not report.right:
            raise PartlyDone(
                "some files are not as promised", str(report.path), "roll back, or look"
            )


@click.command()
@MANIFEST
@click.option("--dry-run", is_flag=True, help="Rehearse, write nothing.")
@click.option(
    "--period", "periods", multiple=True, metavar="ID", help="Only studies of this period."
)
@click.option(
    "--study", "studies", multiple=True, metavar="UID", help="Only this StudyInstanceUID."
)
@click.option(
    "--escrow-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key file is lost: the age key of the job's escrow_recipient.",
)
@JOB_OPTION
@JSON
def rollback(
    manifest: Path,
    periods: tuple[str, ...],
    studies: tuple[str, ...],
    escrow_key: Path | None,
    job: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put the old bytes back, to the last bit."""
    found = stored(manifest)
    about = {"manifest": found.manifest.manifest_id, "mode": "dry-run" if dry_run else "in-place"}
    if escrow_key is None:
        session = Session.open(job_of(manifest, job))
        recipient, known = session.job.privacy.escrow_recipient, session.keys
    else:
        keys, recipient = escrow_keys(escrow_key)
        session, known = Session(job_of(manifest, job), keys, utc_now()), None
        about["escrow"] = recipient
    with recorded(session.job, "rollback", keys=known, about=about) as record:
        options = session.rollback_options(dry_run=dry_run, periods=periods, studies=studies)
        options = replace(record.wired(options, session.keys), escrow=recipient)
        with progress("rollback", "files") as advance:
            report = rollback_stage.run(options, found, session.keys, advance=advance)
        record.update(report.outcomes | {"halt": report.halt})
        mode = "dry run, " if dry_run else ""
        lines = counts(f"{mode}files by outcome:", report.outcomes)
        emit(report, [*lines, *counts("reasons:", report.reasons)], as_json=as_json)
        _judge(report.halt, report.outcomes, report.reasons, manifest)


@click.command()
@JOB
@JSON
def recover(job: Path, *, as_json: bool) -> None:
    """Settle an interrupted apply or rollback of JOB."""
    session = Session.open(load_job(job))
    with recorded(session.job, "recover", keys=session.keys) as record:
        seen = record.seen(session.keys)
        options = recover_stage.RecoverOptions(session.output, session.roots(), seen)
        report = recover_stage.run(options, session.keys)
        record.update(report.states)
        lines = list(counts("studies settled:", report.states)) or ["nothing was interrupted"]
        emit(report, [*lines, *report.for_a_person], as_json=as_json)
        if not report.clean:
            raise PartlyDone("some studies need a person", "", "see the lines above")


_SHOW, _APPROVE = reviewing.COMMANDS
COMMANDS: tuple[Any, ...] = (
    plan,
    _SHOW,
    *deciding.COMMANDS,
    _APPROVE,
    apply,
    verify,
    rollback,
    recover,
)
