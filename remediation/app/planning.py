"""The command that plans: plan."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from remediation.app.config import load_job
from remediation.app.console import JOB, JSON, emit, note
from remediation.app.progress import progress
from remediation.app.records import recorded
from remediation.app.spread import fleet_for_many, spread
from remediation.app.where import chosen
from remediation.app.wiring import Session
from remediation.errors import UsageError, WorkFound
from remediation.stages import judged
from remediation.stages import plan as plan_stage
from remediation.store.ready import ready_for
from remediation.tables.selection import SELECTABLE

_FEW = 8  # tasks of `TASK_FILES` heads that are read sooner than workers are there

_SELECT = (
    "Only such studies; may be repeated: of one key any value will do. Keys: "
    f"{', '.join(SELECTABLE)}."
)


@click.command()
@JOB
@click.option(
    "--period",
    "periods",
    multiple=True,
    metavar="ID",
    help="Only this period, by as much of its id as no other has; may be repeated.",
)
@click.option("--select", "selected", multiple=True, metavar="KEY=VALUE", help=_SELECT)
@click.option(
    "--target",
    metavar="NAME",
    help="Target placement: at-rest, exchange, or a placement file; the job's by default.",
)
@click.option("--author", metavar="NAME", help="Who plans; your user name by default.")
@click.option(
    "--at",
    type=click.DateTime(),
    metavar="TIME",
    help="Time of the plan (UTC); that of the newest crawl by default.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 4 where there is work.")
@spread
@JSON
def plan(
    *,
    job: Path,
    periods: tuple[str, ...],
    selected: tuple[str, ...],
    target: str | None,
    author: str | None,
    at: datetime | None,
    detailed_exitcode: bool,
    workers: int | None,
    scheduler: str | None,
    scheduler_file: Path | None,
    as_json: bool,
) -> None:
    """Plan corrections: a manifest for people to review.

    Writes to no archive. The same inputs and time give the same manifest, however many workers. The
    last line on stdout is the manifest's folder.
    """
    select = [_pair(one) for one in selected]
    session = Session.open(load_job(job))
    where = chosen(session.job.run, workers, scheduler, scheduler_file)
    with recorded(session.job, "plan", keys=session.keys, by=author or "") as record:
        options = session.plan_options(
            periods=_whole_ids(session, periods),
            select=select,
            target=target,
            author=author,
            at=at.replace(tzinfo=UTC) if at else None,
            sharing=1 if where.scheduler else where.workers,
        )
        with (
            ready_for(
                options.key_file, session.keys.key_id, _roots(options), session.output
            ) as ready,
            fleet_for_many(where, ready, _FEW) as mapper,
            progress("plan", "studies") as advance,
        ):
            report = plan_stage.run(
                options, session.crosswalk(), session.keys, mapper=mapper, advance=advance
            )
        record.update({"files": report.files, "refused": report.refused, "heads": report.heads})
        lines = [
            (
                f"{report.files:,} files of {report.studies:,} studies to correct; "
                f"{report.refused:,} studies refused"
            ),
            str(report.folder),
        ]
        emit(report, lines, as_json=as_json, manifest=str(report.folder))
        if not (report.files or report.refused) and (periods or select):
            note("nothing is to be corrected there: is it selected as studies.parquet has it?")
        if detailed_exitcode and report.files:
            raise WorkFound(f"{report.files} files to correct", str(report.folder))


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise UsageError(
            "a selection has the form KEY=VALUE", "--select", "for example archive=oost"
        )
    return key, value


def _roots(options: plan_stage.PlanOptions) -> list[Path]:
    """Return the roots that are read: a share that is not needed need not be there."""
    named = {value for key, value in options.select if key == "archive"}
    return [root for name, root in options.roots.items() if not named or name in named]


def _whole_ids(session: Session, beginnings: tuple[str, ...]) -> list[str]:
    """Return the ids of periods that begin so; no two may begin as one of them."""
    if not beginnings:
        return []
    rows = judged.run(session.judged_options(), "periods")
    return [str(rows[judged.one_period(rows, one)]["period_id"]) for one in beginnings]
