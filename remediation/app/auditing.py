"""The commands of whoever answers for the work afterwards: audit, forget."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from remediation.app.config import Job, load_job
from remediation.app.console import JOB, JSON, counts, emit, note
from remediation.app.records import recorded
from remediation.app.wiring import Session
from remediation.errors import UsageError
from remediation.model.running import utc_now
from remediation.stages import forget as forget_stage
from remediation.store.audit import prove

_HEX = frozenset("0123456789abcdef")


@click.group()
def audit() -> None:
    """The audit log: who did what to which study, on whose responsibility."""


@audit.command()
@JOB
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="HASH",
    help="A head that a run told, noted down elsewhere; may be repeated.",
)
@click.option(
    "--since",
    metavar="HASH",
    default="",
    help="The head before the first year that is there, where older years were moved away.",
)
@JSON
def verify(job: Path, heads: tuple[str, ...], since: str, *, as_json: bool) -> None:
    """Prove that JOB's audit log is whole; exit 5 names the first record that is not.

    Each run tells the log's head when it ends: a number that stands for all records up to there.
    Noted down outside this machine and given with --head, it proves that nothing before it was
    changed or cut off since. Those in the run records are held against the log as well.
    """
    loaded = load_job(job)
    for given in (*heads, since) if since else heads:
        _is_head(given)
    noted = [(head, "--head") for head in heads]
    proof = prove(loaded.output.dir, since=since, noted=[*noted, *_recorded(loaded, since)])
    if proof.torn:
        note(
            "warning: the log ends in half a line, of a run that was killed; the next one mends it"
        )
    emit(
        proof,
        [f"{proof.records:,} records, whole; head {proof.head}"],
        as_json=as_json,
    )


def _is_head(text: str) -> None:
    if len(text) != 64 or not _HEX.issuperset(text):  # noqa: PLR2004 - a SHA-256
        raise UsageError("a head is 64 hexadecimal digits", "--head, --since", "as a run told it")


def _recorded(job: Job, since: str) -> Iterator[tuple[str, str]]:
    """Yield (head, where) of every run record; none where older years were moved away."""
    for path in sorted((job.output.dir / "runs").glob("*.json")) if not since else ():
        try:
            head = json.loads(path.read_bytes())["audit"]["head"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a record of before there was a log, or one that is written just now
        yield str(head), f"runs/{path.name}"


@click.command()
@JOB
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(1),
    required=True,
    metavar="DAYS",
    help="The retention time: runs that ended at least so long ago.",
)
@click.option("--by", required=True, metavar="NAME", help="Who decides it.")
@click.option("--dry-run", is_flag=True, help="Say what would be dropped, drop nothing.")
@JSON
def forget(job: Path, days: int, by: str, *, dry_run: bool, as_json: bool) -> None:
    """Drop the undo data of old runs: from then on there is no rollback of them.

    Only of runs that are closed, and of which every file was verified, or rolled back, since. The
    journal keeps all else, and its chain can be proved as before.
    """
    session = Session.open(load_job(job))
    about = {"older_than_days": days, "mode": "dry-run" if dry_run else "drop"}
    with recorded(session.job, "forget", keys=session.keys, by=by, about=about) as record:
        options = forget_stage.ForgetOptions(
            session.output,
            session.roots(),
            record.run_id,
            utc_now(),
            days,
            by,
            getpass.getuser(),
            session.job.responsible,
            dry_run,
            record.seen(session.keys),
        )
        report = forget_stage.run(options, session.keys)
        record.update({"dropped": report.dropped, "kept": report.kept})
    would = "would lose" if dry_run else "lost"
    lines = [f"{report.files:,} files of {len(report.dropped)} runs {would} their undo data"]
    emit(report, [*lines, *counts("runs that keep it, by reason:", report.kept)], as_json=as_json)


COMMANDS: tuple[Any, ...] = (audit, forget)
