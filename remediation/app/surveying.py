"""The body of `crawl --sample`: a survey before the census."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import click

from remediation.app.console import emit, note
from remediation.app.progress import progress
from remediation.app.records import recorded
from remediation.app.wiring import Session
from remediation.errors import PartlyDone
from remediation.model.pacing import Hours, Pace, Window
from remediation.stages import survey as survey_stage
from remediation.store.locks import lock_root
from remediation.tables.survey import Drawn

SAMPLE = click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="Survey only: N studies of each source and month, drawn at random; no inventory.",
)
SEED = click.option(
    "--seed", type=int, default=1, show_default=True, metavar="S", help="Draws the same sample."
)

_LOWEST = 20  # strata that are shown
_CAVEATS = (
    "Judged by the headers that were drawn: a study counts as its drawn instances do.",
    "Places are not calibrated by a sample: numbers that no issuer vouches for stay candidates.",
)


def survey(
    session: Session,
    names: Iterable[str],
    *,
    start: date | None,
    end: date | None,
    sample: int,
    seed: int,
    as_json: bool,
) -> None:
    """Estimate coverage from a sample of the archives, and say how it was drawn.

    Raises:
        PartlyDone: some files or folders could not be read.
    """
    options = _options(session, names, start=start, end=end, sample=sample, seed=seed)
    with (
        recorded(session.job, "crawl", keys=session.keys) as record,
        contextlib.ExitStack() as held,
    ):
        for archive in options.archives:
            held.enter_context(lock_root(archive.root, "crawl", in_place=False))
        with progress("survey", "draws") as advance:
            pace = Pace(session.job.run.reads_per_second or 0)
            report = survey_stage.run(options, session.keys, pace=pace, advance=advance)
        record["survey"] = {one.archive: {"studies": one.studies} for one in report.drawn}
        file = session.output / survey_stage.FILE
        lines = _lines(report, session.job.target_coverage)
        emit(report, lines, as_json=as_json, file=file, caveats=_CAVEATS)
        for one in report.drawn:
            if not one.studies:
                note(f"warning: no study was found in archive {one.archive}")
        if report.incomplete:
            raise PartlyDone("some files or folders could not be read", "", "see the counts")


def _options(
    session: Session,
    names: Iterable[str],
    *,
    start: date | None,
    end: date | None,
    sample: int,
    seed: int,
) -> survey_stage.SurveyOptions:
    job = session.job
    return survey_stage.SurveyOptions(
        archives=tuple(session.archive_root(name) for name in dict.fromkeys(names)),
        output=session.output,
        sample=sample,
        seed=seed,
        run_id=session.run_id,
        at=session.now,
        rules=session.rules(),
        sources=session.sources(),
        placement=session.placement(None),
        start=start or job.start,
        end=end or job.end,
        hours=Hours(Window.parse(job.run.window) if job.run.window else None, job.timezone),
    )


def _lines(report: survey_stage.SurveyReport, target: float) -> Iterator[str]:
    yield (
        f"A sample of {report.sample} studies of each source and month, seed {report.seed}; "
        f"target placement {report.target}"
    )
    for one in report.drawn:
        yield from _drawn(one)
    wide = [row for row in report.rows if row["scope"] != "month"]
    wide.sort(key=lambda row: row["archive"] or "")  # each archive's years below it
    yield from _table([(_name(row), *_figures(row)) for row in wide])
    months = [row for row in report.rows if row["scope"] == "month"]
    yield from _below(months, target)
    yield from _CAVEATS


def _drawn(one: Drawn) -> Iterator[str]:
    frame = (
        f"the months of its folders ({one.cells:,} cells)" if one.frame == "layout" else "its root"
    )
    yield (
        f"{one.archive}: drawn from {frame}; {one.draws:,} draws, "
        f"{one.reads:,} files read, {one.folders_listed:,} folders listed"
    )
    yield (
        f"  {one.studies:,} studies; {one.complete:,} of {one.strata:,} sources and months complete"
    )
    told = {
        "draws found no DICOM file": one.empty,
        "containers were read, the first instance of each": one.containers,
        "studies were drawn by their files, large ones sooner: they have no folder": one.by_file,
        "studies lie in several folders, and were drawn sooner": one.split,
        "draws were outside the range": one.outside,
        "files could not be read": one.unreadable,
        "folders could not be listed": one.folders_lost,
    }
    yield from (f"  {count:,} {what}" for what, count in told.items() if count)


def _name(row: Mapping[str, Any]) -> str:
    if row["scope"] == "year":
        return f"  {row['study_year']}"
    return row["archive"] or "in all"


def _figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{row['coverage']:.1%}",
        f"({row['low']:.1%} to {row['high']:.1%})",
        f"{row['studies']:,} studies",
        f"design effect {row['design_effect']:.2f}",
        "" if row["complete"] else "not complete",
    )


def _below(months: list[dict[str, Any]], target: float) -> Iterator[str]:
    """Yield the strata whose whole interval lies below the target, the lowest first."""
    found = sorted((row for row in months if row["high"] < target), key=lambda row: row["high"])
    yield f"Whole interval below {target:.0%}: {len(found):,} of {len(months):,} sources and months"
    shown = found[:_LOWEST]
    yield from _table(
        [
            (f"  {one['archive']}", one["study_month"], one["source"], *_figures(one))
            for one in shown
        ]
    )
    if len(found) > _LOWEST:
        yield f"  and {len(found) - _LOWEST:,} more in {survey_stage.FILE}"


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
