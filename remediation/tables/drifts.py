"""Slow drifts: coverage that slid from one level to another over months, where no day is the day.

Change points make a staircase of a slide. Each run of edges in one direction is held against one
straight slide between the two outer levels; where that explains the months better, and for fewer
parameters, it takes the staircase's place. Days are numbers since 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from remediation.tables.changepoints import Floats, cost_of, price
from remediation.tables.division import (
    Days,
    Division,
    Edge,
    Part,
    Series,
    first_days,
)

SHORTEST = 6  # months that a slide lasts at least: what is quicker is a jump
_OUTER = 36  # months of the levels beside it that are looked at
_SIDE = 2  # months that a level needs
_FACTOR = 2.6  # of ln(months): what an edge of the staircase costs
_PARAMETERS = 1.5  # a slide's, in units of those of an edge: it has a length as well
_MONTH, _LEAST = 30, 1e-9  # days, about; the least rate that has a logarithm
_SURE = 3.84  # likelihood ratio of its first and last month, 95 %


@dataclass(frozen=True, slots=True)
class _Slide:
    """A slide through days [start, end), with the days that either may be on."""

    start: int
    end: int
    first: Edge
    last: Edge


def with_drifts(division: Division, series: Series) -> Division:
    """Return a division in which staircases that are slides are one part each."""
    parts, edges = list(division.parts), list(division.edges)
    for first, last in reversed(list(_runs(parts))):
        slide = _slide(series, parts[first : last + 1], division)
        if slide is None:
            continue
        before = _counted(series, replace(parts[first], end=slide.start))
        inside = _counted(series, Part(slide.start, slide.end, 0, 0, drift=True))
        after = _counted(series, replace(parts[last], start=slide.end))
        if min(before.trials, inside.trials, after.trials) > 0:
            parts[first : last + 1] = [before, inside, after]
            edges[first:last] = [slide.first, slide.last]
    return replace(division, parts=tuple(parts), edges=tuple(edges))


def _runs(parts: list[Part]) -> Iterator[tuple[int, int]]:
    """Yield the first and last part of each longest run whose rates go one way."""
    at = 0
    while at + 1 < len(parts):
        up = parts[at + 1].rate > parts[at].rate
        end = at + 1
        while end + 1 < len(parts) and (parts[end + 1].rate > parts[end].rate) is up:
            end += 1
        yield at, end
        at = end


def _slide(series: Series, parts: list[Part], division: Division) -> _Slide | None:
    """Return the slide that explains these parts better than their edges do; None for none."""
    first, last = parts[0], parts[-1]
    begin = max(first.start, first.end - _OUTER * _MONTH)
    end = min(last.end, last.start + _OUTER * _MONTH)
    starts = series.months()
    starts = starts[(series.days[starts] >= begin) & (series.days[starts] < end)]
    if len(starts) < SHORTEST + 2 * _SIDE:
        return None
    bounds = np.append(starts, np.searchsorted(series.days, end))
    k, n = series.counts(bounds)
    months = first_days(series.days[starts])
    fits = _fits(months, k, n)
    inner = np.searchsorted(series.days, [part.start for part in parts[1:]])
    stairs = cost_of(*series.counts(np.array([bounds[0], *inner, bounds[-1]]))).sum()
    each = price(division.months, _FACTOR) * division.dispersion
    best = float(fits.min())
    if best + _PARAMETERS * each >= stairs + len(inner) * each:
        return None
    sure = fits <= best + _SURE * division.dispersion
    a, b = (int(i) for i in np.unravel_index(int(fits.argmin()), fits.shape))
    begins, ends = (months[sure.any(axis=axis)] for axis in (1, 0))
    return _Slide(
        int(months[a]),
        int(months[b]),
        Edge(int(begins[0]), int(begins[-1])),
        Edge(int(ends[0]), int(ends[-1])),
    )


def _fits(months: Days, k: Floats, n: Floats) -> Floats:
    """Return minus twice the log likelihood of a slide from month a up to b, in cell a, b."""
    count = len(k)
    out = np.full((count, count), np.inf)
    ks, ns = (np.concatenate(([0.0], np.cumsum(counts))) for counts in (k, n))
    middle = months + _MONTH / 2
    for a in range(_SIDE, count - SHORTEST - _SIDE + 1):
        low = ks[a] / ns[a]
        ends = np.arange(a + SHORTEST, count - _SIDE + 1)
        high = (ks[-1] - ks[ends]) / (ns[-1] - ns[ends])
        along = (middle - months[a]) / (months[ends] - months[a])[:, np.newaxis]
        rates = low + (high - low)[:, np.newaxis] * np.clip(along, 0.0, 1.0)
        out[a, ends] = _deviance(k, n, rates)
    return out


def _deviance(k: Floats, n: Floats, rates: Floats) -> Floats:
    safe = np.clip(rates, _LEAST, 1 - _LEAST)
    out: Floats = -2 * (k * np.log(safe) + (n - k) * np.log(1 - safe)).sum(axis=-1)
    return out


def _counted(series: Series, part: Part) -> Part:
    hits, all_ = (
        int(counts[0])
        for counts in series.counts(np.searchsorted(series.days, [part.start, part.end]))
    )
    return replace(part, successes=hits, trials=all_)
