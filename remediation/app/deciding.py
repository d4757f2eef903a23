"""The command that records decisions of people: review, of a manifest or of a job's warnings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from remediation.app.config import Job, load_job
from remediation.app.console import JOB, JSON, emit
from remediation.app.named import JOB_OPTION, MANIFEST, approvers_of, job_of, stored
from remediation.app.records import recorded
from remediation.errors import UsageError
from remediation.model.acceptances import ACCEPTABLE, PEOPLE, Acceptance, rule_of
from remediation.model.approvals import Rules
from remediation.model.minisign import public_line_of
from remediation.model.running import utc_now
from remediation.model.washing import washed
from remediation.stages import review as review_stage
from remediation.store import acceptances
from remediation.store.approvals import load_approver_key
from remediation.store.consent import usable_name

_OF_MANIFEST = "manifest"
BY = click.option("--by", required=True, metavar="NAME", help="Your full name.")
WHY = click.option(
    "--why", required=True, metavar="TEXT", help="On what ground; without anybody's number."
)
KEY = click.option(
    "--key", "key_file", type=click.Path(path_type=Path), metavar="FILE", help="Your signing key."
)


class _Review(click.Group):
    """`review MANIFEST` is the command itself; accept, withdraw and list are others beside it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [_OF_MANIFEST, *args]
        return super().parse_args(ctx, args)


_HELP = """Record a decision: take studies out of a manifest, or accept a warning of match.

\b
remediation review MANIFEST --by NAME --why TEXT --exclude UID
remediation review accept JOB --by NAME --why TEXT --reason WORD --study UID

The first makes a new manifest in place of the old one, to be approved anew. The second is done by
two people, before match.
"""


@click.group(cls=_Review, help=_HELP)
def review() -> None:
    """Hold the decisions together."""


@review.command(_OF_MANIFEST)
@MANIFEST
@BY
@WHY
@click.option("--exclude", multiple=True, metavar="UID", help="Leave this study out.")
@click.option(
    "--only-period", "only_periods", multiple=True, metavar="ID", help="Keep only this period."
)
@KEY
@JOB_OPTION
@JSON
def review_manifest(
    *,
    manifest: Path,
    by: str,
    why: str,
    exclude: tuple[str, ...],
    only_periods: tuple[str, ...],
    key_file: Path | None,
    job: Path | None,
    as_json: bool,
) -> None:
    """Take studies out of MANIFEST: a new manifest takes its place (the word may be left out).

    The last line on stdout is the new manifest's folder.
    """
    found = stored(manifest)
    loaded = job_of(manifest, job)
    about = {"manifest": found.manifest.manifest_id}
    with recorded(loaded, "review", by=by, about=about) as record:
        report = review_stage.run(
            review_stage.ReviewOptions(
                by,
                why,
                datetime.now(UTC),
                loaded.output.dir,
                exclude,
                only_periods,
                key_file,
                approvers_of(loaded),
            ),
            found,
        )
        record.update({"manifest": report.manifest_id, "studies": report.studies})
    lines = [
        f"{report.files:,} files of {report.studies:,} studies taken out of {report.parent}",
        f"{report.files_left:,} files of {report.studies_left:,} studies are left, to be approved",
        str(report.folder),
    ]
    emit(report, lines, as_json=as_json, manifest=str(report.folder))


@review.command()
@JOB
@BY
@WHY
@click.option(
    "--reason",
    required=True,
    metavar="WORD",
    help=f"The warning that you accept: {', '.join(sorted(ACCEPTABLE))}.",
)
@click.option("--study", default="", metavar="UID", help="Of this StudyInstanceUID.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="KEY=VALUE",
    help="Of studies with archive, source, StationName, Modality, from, to; together one rule.",
)
@KEY
@JSON
def accept(
    *,
    job: Path,
    by: str,
    why: str,
    reason: str,
    study: str,
    rules: tuple[str, ...],
    key_file: Path | None,
    as_json: bool,
) -> None:
    """Accept a warning of JOB's match, of one study or by one rule.

    It counts from the next match on, once two people accepted the same.
    """
    loaded = load_job(job)
    folder, now = loaded.output.dir / acceptances.FOLDER, utc_now()
    with recorded(loaded, "review accept", by=by):
        secret = load_approver_key(key_file) if key_file else None
        one = Acceptance(
            usable_name(washed(by, "--by")),
            now,
            washed(why, "--why"),
            reason,
            study,
            rule_of(rules, reason) if rules else (),
            public_line_of(secret) if secret else "",
        )
        one.check()
        _may(loaded, one)
        path = acceptances.write(folder, one, secret)
        counting = _subjects(loaded)
    holds = one.subject in counting
    state = "counts from the next match on" if holds else f"one of {_people(loaded)} people"
    said = {"id": one.acceptance_id, "path": str(path), "counts": holds}
    emit(said, [f"accepted by {by}, {state}: {one.acceptance_id}"], as_json=as_json)


def _may(job: Job, one: Acceptance) -> None:
    """Refuse who cannot accept in this job, before anything is written.

    Raises:
        UsageError: a key is required and not given.
        ManifestError: not an approver of the job, or not that approver's key.
    """
    if not one.key and (job.approvers or job.apply.approvals > 1):
        raise UsageError("this job asks for signatures", "--key", "give your key: `--key FILE`")
    Rules("", None, approvers_of(job), job.apply.approvals).check(one.by, one.key or None, "--key")


def _people(job: Job) -> int:
    return max(PEOPLE, job.apply.approvals)


@review.command()
@JOB
@click.argument("acceptance")
@BY
@JSON
def withdraw(job: Path, acceptance: str, by: str, *, as_json: bool) -> None:
    """Withdraw ACCEPTANCE, by its id, from JOB: from the next match on it counts no more."""
    loaded = load_job(job)
    with recorded(loaded, "review withdraw", by=by):
        folder = loaded.output.dir / acceptances.FOLDER
        path = acceptances.withdraw(folder, acceptance, washed(by, "--by"), utc_now())
    emit({"path": str(path)}, [f"withdrawn by {by}: {acceptance}"], as_json=as_json)


@review.command("list")
@JOB
@JSON
def list_(job: Path, *, as_json: bool) -> None:
    """List what people accepted in JOB, and what of it counts."""
    loaded = load_job(job)
    counting = _subjects(loaded)
    rows = [
        _told(one, counting, withdrawn=withdrawn)
        for one, withdrawn in acceptances.read(*_where(loaded), utc_now())
    ]
    lines = [
        f"{row['id']}  {row['by']}, {row['at']}: {row['reason']}, {row['about']}: {row['state']}"
        f" ({row['why']})"
        for row in rows
    ]
    emit({"acceptances": rows}, lines or ["nobody accepted anything"], as_json=as_json)


def _where(job: Job) -> tuple[Path, Mapping[str, str], int]:
    return job.output.dir / acceptances.FOLDER, approvers_of(job), job.apply.approvals


def _subjects(job: Job) -> set[tuple[str, str, Any]]:
    """Return what enough people accepted alike."""
    found = acceptances.Acceptances.load(*_where(job))
    return {(reason, study, ()) for reason, study in found.studies} | {
        (reason, "", rule) for reason, rule in found.rules
    }


def _told(one: Acceptance, counting: set[Any], *, withdrawn: bool) -> dict[str, str]:
    state = "counts" if one.subject in counting else "waits for another person"
    about = one.study or " ".join(f"{key}={value}" for key, value in one.rule)
    return {
        "id": one.acceptance_id,
        "by": one.by,
        "at": one.at.isoformat(),
        "reason": one.reason,
        "about": about,
        "state": "withdrawn" if withdrawn else state,
        "why": one.why,
    }


COMMANDS: tuple[Any, ...] = (review,)
"""Review and its parts."""
