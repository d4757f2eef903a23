"""The manifest that a command is given: its argument, what it holds, and the job it belongs to."""

from __future__ import annotations

from pathlib import Path

import click

from remediation.app.config import Job, load_job
from remediation.store.manifests import Stored, head, load
from remediation.tables.schemas import CORRECTIONS, REFUSALS

MANIFEST = click.argument("manifest", type=click.Path(path_type=Path))
JOB_OPTION = click.option(
    "--job",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Job file; by default the one it was made with.",
)


def stored(manifest: Path) -> Stored:
    """Read a manifest folder."""
    return load(manifest, CORRECTIONS, REFUSALS)


def job_of(manifest: Path, job: Path | None) -> Job:
    """Return the job of a manifest: as given, or as the manifest names it."""
    return load_job(job or (manifest / head(manifest).job_file).resolve())


def approvers_of(job: Job) -> dict[str, str]:
    """Return the public lines of the job's approvers, by name."""
    return {one.name: one.public_key for one in job.approvers}
