"""Figures: which panels go into a plot of its own, of all periods or of one, with their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from remediation.app.report.panels import Panel, panels, span, span_of
from remediation.app.report.plots import Drawing, Legend, plot, within
from remediation.app.report.sections.timeline import heading, labels
from remediation.app.report.words import Words
from remediation.model.events import Event
from remediation.tables.schemas import FILE

Row = Mapping[str, Any]
_BESIDE = 24  # months that are drawn on either side of one period
_LINES = 12  # periods that are explained below a panel


@dataclass(frozen=True, slots=True)
class Ground:
    """What every plot of a job is drawn against."""

    words: Words
    target: float
    events: tuple[Event, ...]
    form: str


def of_all(coverage: Sequence[Row], periods: Sequence[Row], ground: Ground) -> bytes | None:
    """Return a plot of the sources, those with a period first; None where no month is known.

    Args:
        coverage: of COVERAGE.
        periods: of PERIODS; their numbers are their places in this list.
        ground: what it is drawn against.
    """
    made = panels(map(dict, coverage), map(dict, periods), _named(ground))
    if not made:
        return None
    return _plot([(one, "") for one in made], span_of(made), periods, ground)


def of_one(
    coverage: Iterable[Row], periods: Sequence[Row], number: int, ground: Ground
) -> bytes | None:
    """Return a plot of one period with what lies beside it; None where no month is known.

    Args:
        coverage: of COVERAGE; of a period of files, counted by the months of these.
        periods: of PERIODS.
        number: its place in this list, from 1 on.
        ground: what it is drawn against.
    """
    row = periods[number - 1]
    key = row["archive"], row["source"]
    own = [dict(one) for one in coverage if (one["archive"], one["source"]) == key]
    of_files = row["axis"] == FILE
    made = panels(own, () if of_files else map(dict, periods), _named(ground))
    if not made:
        return None
    panel = made[0]
    if of_files:
        panel = replace(panel, spans=(span(number, dict(row)),))
    here = span(number, dict(row))
    whole = span_of([panel])
    first = max(whole[0], int(here.start) - _BESIDE)
    end = min(whole[1], int(here.end) + 1 + _BESIDE)
    months = first, max(end, first + 6)
    panel = within(panel, months)
    if not panel.points:
        return None
    note = ground.words("plot_by_file") if of_files else ""
    return _plot([(panel, note)], months, periods, ground)


def _named(ground: Ground) -> list[Event]:
    """Return the events with names that may be shown."""
    return [replace(event, name=ground.words.plain(event.name)) for event in ground.events]


def _plot(
    made: Sequence[tuple[Panel, str]],
    months: tuple[int, int],
    periods: Sequence[Row],
    ground: Ground,
) -> bytes:
    words = ground.words
    drawings = [
        Drawing(
            f"{heading(panel, words)} ({note})" if note else heading(panel, words),
            panel,
            labels(panel, words, ground.target, months),
            tuple(
                _line(one.number, periods[one.number - 1], words) for one in panel.spans[:_LINES]
            ),
        )
        for panel, note in made
    ]
    keys = ("coverage", "interval", "target", "period", "edge", "event", "provisional")
    legend = Legend(*(words(f"key_{key}") for key in keys))
    return plot(
        drawings, words("plot_all"), legend, target=ground.target, span=months, form=ground.form
    )


def _line(number: int, row: Row, words: Words) -> str:
    return words(
        "plot_period",
        number=number,
        period=row["period_id"],
        when=words.stretch(row["start"], row["end"]),
        share=words.share(row["coverage"]),
        studies=words.count(row["studies"], "study"),
    )
