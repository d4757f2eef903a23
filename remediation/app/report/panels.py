"""Panels: which sources are drawn apart, which together; months as numbers, half-open."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from remediation.model.events import UNKNOWN_MONTH, Event, month_number
from remediation.model.statistics import wilson
from remediation.tables.schemas import FILE

Row = dict[str, Any]
MOST = 12  # panels drawn apart: more is a wall, not a picture
_NO_END = ("open", "stopped", "provisional")


@dataclass(frozen=True, slots=True)
class Point:
    """One month of one panel; a month number as in `model.events`, shares in [0, 1]."""

    month: int
    studies: int
    conformant: int
    low: float
    high: float
    provisional: bool

    @property
    def coverage(self) -> float:
        """Conformant studies / studies."""
        return self.conformant / self.studies


@dataclass(frozen=True, slots=True)
class Span:
    """A broken period in a panel: its number in the list, and where it lies.

    Attributes:
        number: its number in the list.
        start, end: month numbers, whole on the first day of a month; half-open.
        begin, close: how far each edge may lie off (95 %), as month numbers; None where nothing
            changed there.
        open: whether the data end in it.
    """

    number: int
    start: float
    end: float
    begin: tuple[float, float] | None = None
    close: tuple[float, float] | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot; `source` None is the `sources` that are not drawn apart, all together."""

    archive: str
    source: str | None
    points: tuple[Point, ...]
    spans: tuple[Span, ...] = ()
    marks: tuple[Event, ...] = ()
    sources: int = 1

    @property
    def studies(self) -> int:
        """Studies in all its months."""
        return sum(point.studies for point in self.points)

    @property
    def coverage(self) -> float:
        """Conformant studies / studies, of all its months."""
        return sum(point.conformant for point in self.points) / self.studies


def panels(
    coverage: Iterable[Row], periods: Iterable[Row], events: Sequence[Event], most: int = MOST
) -> tuple[Panel, ...]:
    """Return the plots of COVERAGE rows; beyond `most` sources the rest is one plot more.

    Drawn apart are sources with a broken period, then those with the most studies; the order is
    that of archive and source. Months that are `unknown` or improbable are in no plot, and neither
    are periods whose days are those of files: a plot has the months of studies.
    """
    months: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for row in coverage:
        improbable = row["study_month"] == UNKNOWN_MONTH or row["improbable"]
        if row["studies"] and not improbable:
            months[row["archive"] or "", row["source"] or ""].append(_point(row))
    spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for number, row in enumerate(periods, start=1):
        if row.get("axis") != FILE:
            spans[row["archive"] or "", row["source"] or ""].append(span(number, row))

    def weight(key: tuple[str, str]) -> tuple[bool, int]:
        return key in spans, sum(point.studies for point in months[key])

    apart = sorted(sorted(months), key=weight, reverse=True)[:most]
    made = [
        Panel(*key, tuple(months[key]), tuple(spans[key]), _marks(events, {key[0]}))
        for key in sorted(apart)
    ]
    rest = sorted(months.keys() - set(apart))
    if rest:
        points = _together(point for key in rest for point in months[key])
        archives = {archive for archive, _ in rest}
        made.append(Panel("", None, points, (), _marks(events, archives), len(rest)))
    return tuple(made)


def span(number: int, row: Row) -> Span:
    """Return a row of PERIODS as it lies in a plot."""
    return Span(
        number,
        position(row["start"]),
        position(row["end"]),
        _bounds(row, "start"),
        _bounds(row, "end"),
        row.get("end_kind") in _NO_END,
    )


def _bounds(row: Row, edge: str) -> tuple[float, float] | None:
    low, high = row.get(f"{edge}_low"), row.get(f"{edge}_high")
    return None if low is None or high is None else (position(low), position(high))


def position(day: date) -> float:
    """Return a day as a month number, with the part of the month that is over.

    >>> position(date(2011, 7, 1)), position(date(2011, 6, 16))
    (24138.0, 24137.5)
    """
    part = (day.day - 1) / monthrange(day.year, day.month)[1]
    return month_number(f"{day:%Y-%m}") + part


def _point(row: Row) -> Point:
    return Point(
        month_number(row["study_month"]),
        row["studies"],
        row["conformant"],
        row["low"],
        row["high"],
        bool(row["provisional"]),
    )


def _marks(events: Sequence[Event], archives: set[str]) -> tuple[Event, ...]:
    here = (event for event in events if event.archive is None or event.archive in archives)
    return tuple(sorted(here, key=lambda event: (event.start, event.name)))


def _together(points: Iterable[Point]) -> tuple[Point, ...]:
    by_month: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        by_month[point.month].append(point)
    return tuple(_sum(month, by_month[month]) for month in sorted(by_month))


def _sum(month: int, points: list[Point]) -> Point:
    studies = sum(point.studies for point in points)
    conformant = sum(point.conformant for point in points)
    late = any(point.provisional for point in points)
    return Point(month, studies, conformant, *wilson(conformant, studies), late)


def span_of(made: Sequence[Panel]) -> tuple[int, int]:
    """Return the months [first, end) that hold all panels, at least half a year.

    Raises:
        ValueError: there are no panels.
    """
    first = min(panel.points[0].month for panel in made)
    end = max(panel.points[-1].month for panel in made) + 1
    return first, max(end, first + 6)
