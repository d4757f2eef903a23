"""The timeline: coverage by month and source, as plots with their tables, and in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from remediation.app.report.charts import LOW, TALL, Labels, chart, unsure
from remediation.app.report.gather import Facts
from remediation.app.report.marks import ticks
from remediation.app.report.panels import Panel, panels, span_of
from remediation.app.report.shown import Kind, Table, capped, table
from remediation.app.report.words import NONE, Words
from remediation.model.events import UNKNOWN_MONTH, Event, first_day
from remediation.model.statistics import wilson

_MANY = 4  # panels from which each is drawn lower
_SOURCES, _MONTHS = 100, 240


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot: its heading, the figure of all its months, the drawing, the table behind it."""

    heading: str
    coverage: str
    tone: str
    svg: str
    table: Table


@dataclass(frozen=True, slots=True)
class Section:
    """All plots, remarks on what they leave out, and the table of sources where there are more."""

    plots: tuple[Plot, ...]
    notes: tuple[str, ...]
    sources: Table | None
    provisional: bool
    edges: bool


def section(facts: Facts, words: Words, target: float, events: Sequence[Event]) -> Section | None:
    """Return the timeline; None without `flag`."""
    if facts.coverage is None:
        return None
    named = [replace(event, name=words.plain(event.name)) for event in events]
    made = panels(facts.coverage, facts.periods or (), named)
    span = span_of(made) if made else (0, 0)
    tall = LOW if len(made) > _MANY else TALL
    plots = tuple(
        _plot(panel, words, target, (span, tall), f"c{number}")
        for number, panel in enumerate(made, start=1)
    )
    notes = []
    together = next((panel for panel in made if panel.source is None), None)
    if together:
        total = len(made) - 1 + together.sources
        shown = {"total": words.number(total), "shown": words.number(len(made) - 1)}
        notes.append(words("too_many_sources", **shown))
    undated = sum(r["studies"] for r in facts.coverage if r["study_month"] == UNKNOWN_MONTH)
    if undated:
        notes.append(words("undated_studies", count=words.count(undated, "study")))
    improbable = sum(row["studies"] for row in facts.coverage if row["improbable"])
    if improbable:
        notes.append(words("improbable_studies", count=words.count(improbable, "study")))
    late = any(point.provisional for panel in made for point in panel.points)
    edges = any(unsure(one, span) for panel in made for one in panel.spans)
    return Section(plots, tuple(notes), _sources(facts.coverage, words), late, edges)


def _plot(
    panel: Panel, words: Words, target: float, form: tuple[tuple[int, int], float], name: str
) -> Plot:
    name_shown = heading(panel, words)
    span, tall = form
    texts = labels(panel, words, target, span)
    share = panel.coverage
    high = wilson(sum(point.conformant for point in panel.points), panel.studies)[1]
    tone = "missed" if high < target else "met" if share >= target else "unsure"
    drawing = chart(panel, texts, target=target, span=span, name=name, tall=tall)
    return Plot(name_shown, words.share(share), tone, drawing, _months(panel, words, name_shown))


def heading(panel: Panel, words: Words) -> str:
    """Return the name of a panel: its source, or how many stand together."""
    if panel.source is None:
        return words("rest_of_sources", count=words.number(panel.sources))
    return words.source(panel.archive, panel.source)


def labels(panel: Panel, words: Words, target: float, span: tuple[int, int]) -> Labels:
    """Return what is written in a panel's plot."""
    lowest = min(panel.points, key=lambda point: (point.coverage, point.month))
    first, last = panel.points[0].month, panel.points[-1].month + 1
    monthly = span[1] - span[0] <= 2 * 12
    title = words(
        "plot_title",
        source=heading(panel, words),
        stretch=words.stretch(first_day(first), first_day(last)),
    )
    text = words(
        "plot_text",
        studies=words.count(panel.studies, "study"),
        coverage=words.share(panel.coverage),
        lowest=words.short_month(lowest.month),
        lowest_coverage=words.share(lowest.coverage),
        periods=words.count(len(panel.spans), "period"),
    )
    return Labels(
        title,
        text,
        words("target", target=words.target(target)),
        tuple(words.target(share) for share in (0.0, 0.5, 1.0)),
        words("studies_per_month"),
        words.number(max(point.studies for point in panel.points)),
        tuple(
            (month, words.short_month(month) if monthly else str(month // 12))
            for month in ticks(span, 8 if monthly else 12)
        ),
    )


def _months(panel: Panel, words: Words, heading: str) -> Table:
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_month"), "text"),
        (words("c_studies"), "number"),
        (words("c_conformant"), "number"),
        (words("c_coverage"), "number"),
        (words("c_interval"), "number"),
        (words("c_provisional"), "text"),
    )
    rows = [
        (
            words.short_month(point.month),
            words.number(point.studies),
            words.number(point.conformant),
            words.share(point.coverage),
            words.interval(point.low, point.high),
            words("yes") if point.provisional else NONE,
        )
        for point in panel.points
    ]
    kept, note = capped(rows, _MONTHS, words, sheet=True)
    return table(words("months_caption", source=heading), columns, kept, note=note)


def _sources(coverage: Sequence[dict[str, Any]], words: Words) -> Table | None:
    """Return coverage per source over all its months, undated ones included; None for one."""
    totals: dict[tuple[str, str], list[int]] = {}
    for row in coverage:
        counts = totals.setdefault((row["archive"] or "", row["source"] or ""), [0, 0])
        counts[0] += row["studies"]
        counts[1] += row["conformant"]
    if len(totals) < 2:  # noqa: PLR2004 - of one source all is said above
        return None
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_archive"), "text"),
        (words("c_source"), "text"),
        (words("c_studies"), "number"),
        (words("c_coverage"), "bar"),
        (words("c_interval"), "number"),
    )
    order = sorted(totals.items(), key=lambda pair: (-pair[1][0], pair[0]))
    kept, note = capped(order, _SOURCES, words, sheet=True)
    rows = [
        (
            words.plain(archive),
            words.plain(source) if source != "unknown" else words("undated_source"),
            words.number(studies),
            words.share(conformant / studies if studies else None),
            words.interval(*wilson(conformant, studies)),
        )
        for (archive, source), (studies, conformant) in kept
    ]
    bars = [100 * conformant / studies if studies else 0.0 for _, (studies, conformant) in kept]
    return table(words("sources_caption"), columns, rows, bars=bars, note=note)
