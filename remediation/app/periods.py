"""Commands that tell what was found: places; periods list and periods explain."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import click

from remediation.app.config import load_job
from remediation.app.console import JOB, JSON, emit, note
from remediation.app.report.figures import Ground, of_all, of_one
from remediation.app.report.plots import SUFFIXES
from remediation.app.report.told import lines, story
from remediation.app.report.told.plainly import plainly
from remediation.app.report.words import Words
from remediation.app.wiring import Session
from remediation.errors import DatasetError, UsageError
from remediation.model.statistics import FALSE_DISCOVERIES
from remediation.stages import judged
from remediation.store.files import durable_write
from remediation.tables.calibration import demoted

Row = Mapping[str, Any]
_WIDTH = 100  # signs in a line where there is no terminal
_NAMED = 12  # sources that are named where none of that name is there

LANG = click.option(
    "--lang", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="Language."
)
PLOT = click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw it as well: .svg, .png or .pdf.",
)


def _width() -> int:
    return shutil.get_terminal_size((_WIDTH, 24)).columns


@click.command()
@JOB
@click.option("--archive", metavar="NAME", help="Only this archive.")
@click.option("--source", metavar="NAME", help="Only this source, as it is listed.")
@click.option(
    "--verdict",
    type=click.Choice(["bsn", "mixture", "not-bsn", "unproven"]),
    help="Only places with this verdict.",
)
@LANG
@JSON
def places(
    job: Path,
    archive: str | None,
    source: str | None,
    verdict: str | None,
    lang: Literal["nl", "en"],
    *,
    as_json: bool,
) -> None:
    """List where numbers stand, and whether they are BSNs by their pass rate."""
    session = Session.open(load_job(job))
    words = Words.of(lang)
    if archive is not None:
        session.job.archive(archive)
    rows = judged.run(session.judged_options(), "places")
    if source is not None:
        _known(source, {str(row["source"]) for row in rows}, words)
    rows = tuple(
        row
        for row in rows
        if archive in (None, row["archive"])
        and source in (None, row["source"])
        and verdict in (None, row["verdict"])
    )
    said = {
        "places": [plainly(row, words) | {"demoted": demoted(row)} for row in rows],
        "meanings": dict(words.catalogue.meanings),
    }
    emit(said, lines.place_lines(rows, words, _width()), as_json=as_json)


def _known(source: str, names: set[str], words: Words) -> None:
    if source not in names:
        shown = sorted(map(words.plain, names))[:_NAMED]
        raise UsageError("no such source", "--source", f"there is: {', '.join(shown) or 'none'}")


@click.group()
def periods() -> None:
    """Tell of broken periods: list them, or explain one."""


@periods.command("list")
@JOB
@PLOT
@LANG
@JSON
def periods_list(job: Path, plot: Path | None, lang: Literal["nl", "en"], *, as_json: bool) -> None:
    """List the broken periods, and what each event of the job file did."""
    form = _form(plot)
    session = Session.open(load_job(job))
    words, options = Words.of(lang), session.judged_options()
    rows, events = judged.run(options, "periods"), judged.run(options, "events")
    if plot is not None:
        coverage = judged.run(options, "coverage")
        _draw(plot, of_all(coverage, rows, _ground(session, words, form)))
    explain = f"remediation periods explain {shlex.quote(str(job))} ID"
    said = {
        "periods": [plainly(row, words) for row in rows],
        "events": [plainly(row, words) for row in events],
        "false_discovery_rate": FALSE_DISCOVERIES,
    }
    emit(said, lines.periods(rows, events, explain, words, _width()), as_json=as_json)


@periods.command("explain")
@JOB
@click.argument("period", metavar="ID")
@PLOT
@LANG
@JSON
def periods_explain(
    job: Path, period: str, plot: Path | None, lang: Literal["nl", "en"], *, as_json: bool
) -> None:
    """Explain one period in whole sentences.

    ID is the period's id, or as much of its beginning as no other has.
    """
    form = _form(plot)
    session = Session.open(load_job(job))
    words, options = Words.of(lang), session.judged_options()
    rows = judged.run(options, "periods")
    at = judged.one_period(rows, period)
    row = rows[at]
    effect = story.effect_of(row, judged.run(options, "events"))
    if plot is not None:
        coverage = judged.by_axis(options, row)
        _draw(plot, of_one(coverage, rows, at + 1, _ground(session, words, form)))
    command = f"remediation plan {shlex.quote(str(job))} --period {row['period_id']}"
    told = (*story.story(row, effect, words), story.next_step(row, command, words))
    said = {
        "period": plainly(row, words),
        "event": None if effect is None else plainly(effect, words),
        "told": list(told),
    }
    emit(said, lines.explained(row, told, words, _width()), as_json=as_json)


def _form(plot: Path | None) -> str:
    """Return the form of a plot by its suffix, before anything else is done."""
    if plot is None:
        return ""
    suffix = plot.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            "a plot of an unknown form", f"--plot {plot.name}", f"end it in {', '.join(SUFFIXES)}"
        )
    if not plot.parent.is_dir():
        raise UsageError("no such folder", f"--plot {plot}", "make it first")
    return suffix.removeprefix(".")


def _ground(session: Session, words: Words, form: str) -> Ground:
    job = session.job
    return Ground(words, job.target_coverage, job.model_events(), form)


def _draw(plot: Path, drawn: bytes | None) -> None:
    if drawn is None:
        raise DatasetError(
            "there is nothing to draw", plot.name, "no study of it has a usable date"
        )
    durable_write(plot, drawn)
    note(f"plot: {plot}")


COMMANDS: tuple[Callable[..., Any], ...] = (places, periods)
