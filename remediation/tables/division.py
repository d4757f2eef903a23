"""Division of a daily series into stretches of one coverage, each edge to the day.

Exact in two steps: change points over months first, then over all days near them, so that an edge
in the middle of a month makes no stretch of its own. Each edge has the days between which it lies
with 95 % confidence: those whose likelihood ratio to the best day is at most 7.35.
Days are numbers since 1970-01-01, stretches are half-open.
Sources: as for `changepoints`; B.E. Hansen, Econometrica 68 (2000), table 1, for 7.35.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remediation.tables.changepoints import (
    Floats,
    breaks,
    cost_of,
    deviance,
    dispersion,
    optimum,
    price,
)

Days = NDArray[np.int64]
_EPOCH = date(1970, 1, 1)

MIN_MONTHS = 2  # of a stretch, at first
MIN_DAYS = 28  # of a stretch, once its edges are days
FACTOR = 1.7  # of ln(months): what a change point must buy at first
ALPHA = 0.02  # of flat histories in which an edge (or a stretch) may come of chance
_SAME = 1e-9  # of likelihood ratios that differ by rounding alone
_QUARTER, _ENOUGH = 3, 12  # months of a quarter; quarters that tell anything
SURE = 7.35  # likelihood ratio of days that an edge is between, 95 %


@dataclass(frozen=True, slots=True)
class Part:
    """Days [start, end) with one rate (or, for a `drift`, a rate that slides through them)."""

    start: int
    end: int
    successes: int
    trials: int
    drift: bool = False

    @property
    def rate(self) -> float:
        """Successes per trial."""
        return self.successes / self.trials


@dataclass(frozen=True, slots=True)
class Edge:
    """Where one part ends and the next begins: at the earliest, and at the latest (inclusive)."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Division:
    """Parts in order, the edges between them, and the overdispersion of months within parts.

    `freedom` are the degrees of freedom that the dispersion was estimated with.
    """

    parts: tuple[Part, ...]
    edges: tuple[Edge, ...]
    dispersion: float
    freedom: int
    months: int


@dataclass(frozen=True, slots=True)
class Series:
    """Days with trials, ascending, and the running counts before each and after the last."""

    days: Days
    hits: Floats
    all_: Floats

    @classmethod
    def of(cls, days: ArrayLike, successes: ArrayLike, trials: ArrayLike) -> Series:
        """Take the days that have trials.

        Raises:
            ValueError: days are not ascending, or a day has more successes than trials.
        """
        at = np.asarray(days, dtype=np.int64)
        x, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
        if not (np.all(np.diff(at) > 0) and np.all(x >= 0) and np.all(x <= n)):
            raise ValueError("each day needs 0 <= successes <= trials, and days must ascend")
        seen = n > 0
        hits, all_ = (np.concatenate(([0.0], np.cumsum(counts[seen]))) for counts in (x, n))
        return cls(at[seen], hits, all_)

    def months(self) -> Days:
        """Return the position at which each month with trials begins."""
        number = self.days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return np.flatnonzero(np.concatenate(([True], np.diff(number) > 0)))

    def counts(self, bounds: Days) -> tuple[Floats, Floats]:
        """Return successes and trials between positions."""
        return np.diff(self.hits[bounds]), np.diff(self.all_[bounds])

    def day(self, position: int) -> int:
        """Return the day at a position; after the last, the day that follows."""
        return int(self.days[position]) if position < len(self.days) else int(self.days[-1]) + 1


def divide(series: Series) -> Division:
    """Divide the daily counts of one source.

    >>> good, bad = range(0, 90, 3), range(90, 180, 3)
    >>> found = divide(Series.of([*good, *bad], [4] * 30 + [0] * 30, [4] * 60))
    >>> [(part.start, part.end, part.rate) for part in found.parts], found.edges
    ([(0, 90, 1.0), (90, 178, 0.0)], (Edge(low=88, high=90),))
    """
    count = len(series.days)
    if not count:
        return Division((), (), 1.0, 0, 0)
    starts = series.months()
    x, n = series.counts(np.append(starts, count))
    coarse, phi = breaks(x, n, MIN_MONTHS, factor=FACTOR)
    cost = price(len(starts), FACTOR) * phi
    inner = _fine(series, starts, coarse, cost) if coarse else []
    inner = _proven(series, starts, inner)
    phi, freedom = spread(series, starts, inner)
    bounds = [0, *inner, count]
    found = [_edge(series, *around, phi) for around in zip(bounds, inner, bounds[2:], strict=False)]
    days_ = [series.day(0), *(best for best, _ in found), series.day(count)]
    x, n = series.counts(np.searchsorted(series.days, days_))
    parts = tuple(
        Part(start, end, int(hits), int(all_))
        for (start, end), hits, all_ in zip(pairwise(days_), x, n, strict=True)
    )
    return Division(parts, tuple(edge for _, edge in found), phi, freedom, len(starts))


def _fine(series: Series, starts: Days, coarse: list[int], cost: float) -> list[int]:
    """Return the positions of the best division whose edges lie within a month of coarse ones."""
    count = len(series.days)
    ends = np.append(starts, count)
    near = [np.arange(ends[at - 1] + 1, ends[at + 1]) for at in coarse]
    candidates = np.unique(np.concatenate([[0], *near, [count]])).astype(np.int64)
    at = np.append(series.days, series.days[-1] + 1)[candidates]
    reach = np.searchsorted(at, at - MIN_DAYS, side="right")
    reach[-1] = max(1, reach[-1])
    costs = deviance(series.hits[candidates], series.all_[candidates])
    return [int(candidates[at]) for at in optimum(costs, reach, cost)]


def _proven(series: Series, starts: Days, inner: list[int]) -> list[int]:
    """Return the edges that chance does not explain, taking the least proven away one by one.

    An edge must divide its two parts better than the best of all edges in a flat history would,
    and a part between two edges must stand out of its neighbours more than the best of all
    stretches would; in all but ALPHA of such histories.
    """
    from scipy.stats import f

    months = len(starts)
    edges, stretches = ALPHA / months, ALPHA / max(1, months * (months - 1) / 2)
    kept = list(inner)
    while kept:
        phi, freedom = spread(series, starts, kept)
        x, n = series.counts(np.array([0, *kept, len(series.days)]))
        one, two = (f.isf(chance, 1, max(1, freedom)) * phi for chance in (edges, stretches))
        single = [_gain(x[i : i + 2], n[i : i + 2]) / one for i in range(len(kept))]
        double = [_gain(x[i : i + 3], n[i : i + 3]) / two for i in range(len(kept) - 1)]
        weakest = min([*single, *double])
        if weakest >= 1:
            break
        if weakest in single:
            del kept[single.index(weakest)]
        else:
            at = double.index(weakest)
            del kept[at : at + 2]
    return kept


def _gain(x: Floats, n: Floats) -> float:
    """Return how much less the deviance of parts is than that of all of them as one."""
    return float(cost_of(x.sum(), n.sum()) - cost_of(x, n).sum())


def spread(series: Series, starts: Days, inner: list[int]) -> tuple[float, int]:
    """Return the dispersion of months within their parts, cut at the edges; and its freedom.

    What lifts or lowers several months together shows in quarters: theirs counts where it is more,
    and likely (75 %) so much.
    """
    from scipy.stats import chi2

    found = []
    for step in (1, _QUARTER):
        bounds = np.unique(np.concatenate([starts[::step], inner, [len(series.days)]]))
        x, n = series.counts(bounds.astype(np.int64))
        cuts = [int(np.searchsorted(bounds, at)) for at in inner]
        found.append((dispersion(x, n, cuts), max(0, len(n) - 1 - 2 * len(cuts))))
    (monthly, freedom), (quarterly, fewer) = found
    if fewer < _ENOUGH:
        return monthly, freedom
    return max(monthly, quarterly * fewer / float(chi2.ppf(0.75, fewer))), freedom


def _edge(series: Series, before: int, at: int, after: int, phi: float) -> tuple[int, Edge]:
    """Return the day of an edge between its neighbours, and the days that it may be on."""
    inside = np.arange(before + 1, after)
    hits, all_ = series.hits, series.all_
    ratio = (
        cost_of(hits[inside] - hits[before], all_[inside] - all_[before])
        + cost_of(hits[after] - hits[inside], all_[after] - all_[inside])
    ) / phi
    here = at - before - 1
    best = ratio[here]
    # An edge between two studies may lie on any day after the one, up to that of the other.
    alike = _run(np.abs(ratio - best) <= _SAME, here)
    sure = _run(ratio <= best + SURE, here)
    first, last = (series.day(before + 1 + i) for i in (alike[0] - 1, alike[1]))
    low, high = (series.day(before + 1 + i) for i in (sure[0] - 1, sure[1]))
    return _likely(first + 1, last), Edge(low + 1, high)


def _run(mask: NDArray[np.bool_], here: int) -> tuple[int, int]:
    """Return the first and last index of the run of true values around one."""
    gaps = np.flatnonzero(~mask)
    left, right = gaps[gaps < here], gaps[gaps > here]
    return int(left[-1]) + 1 if len(left) else 0, int(right[0]) - 1 if len(right) else len(mask) - 1


def _likely(first: int, last: int) -> int:
    """Return one of equally likely days: the last first of a month, else the one in the middle."""
    begin = int(first_days(np.array([last]))[0])
    return begin if begin >= first else (first + last + 1) // 2


def first_days(days: Days) -> Days:
    """Return the first days of the months that days lie in."""
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def number_of(day: date) -> int:
    """Return a day as days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """Return the day of a number.

    >>> day_of(number_of(date(2011, 7, 1)))
    datetime.date(2011, 7, 1)
    """
    return _EPOCH + timedelta(days=number)
