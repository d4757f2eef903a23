"""Change points in a monthly share: where the rate of successes jumps, to the month.

Exact: dynamic programming over all divisions into segments finds the one with the least deviance
plus penalty. The likelihood is quasi-binomial: studies of one month resemble each other more than
chance allows, so the deviance is held against an overdispersion estimated from the series itself.
Segments are half-open over month indices and cover the series without gap or overlap.
Sources: B. Jackson et al., IEEE Signal Processing Letters 12 (2005) for the dynamic programming;
N.R. Zhang and D.O. Siegmund, Biometrics 63 (2007) for a penalty of 3 ln(months) a change point;
P. McCullagh and J.A. Nelder, Generalized Linear Models (1989), section 4.5, for the dispersion.

>>> good, broken = [29, 30, 30, 29, 30, 28], [0, 1, 0, 0]
>>> [(s.start, s.end) for s in segments(good + broken + good, [30] * 16)]
[(0, 6), (6, 10), (10, 16)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_QUANTILE = 1.0742  # 70 % of chi-square with one degree of freedom


@dataclass(frozen=True, slots=True)
class Segment:
    """Months [start, end) with one rate, and what was counted in them."""

    start: int
    end: int
    successes: int
    trials: int

    @property
    def rate(self) -> float:
        """Successes per trial; 0 where there were no trials."""
        return self.successes / self.trials if self.trials else 0.0


def segments(
    successes: Sequence[int],
    trials: Sequence[int],
    *,
    min_length: int = 2,
    penalty: float | None = None,
) -> list[Segment]:
    """Divide a monthly series into segments of one rate each.

    `min_length` counts months with trials; months without are gaps: they cost nothing, and one
    between two segments belongs to the earlier. `penalty` is the drop in deviance (twice the log
    likelihood), in units of the overdispersion, that a change point must buy; the default is about
    3 ln(months), more in short series.

    Raises:
        ValueError: lengths differ, a month has more successes than trials, or min_length < 1.

    >>> segments([5, 0, 6], [5, 0, 6])
    [Segment(start=0, end=3, successes=11, trials=11)]
    >>> segments([2], [1])
    Traceback (most recent call last):
    ...
    ValueError: each month needs 0 <= successes <= trials
    """
    x, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if x.shape != n.shape or min_length < 1:
        raise ValueError("successes and trials must be of one length, min_length 1 or more")
    if not (np.all(x >= 0) and np.all(x <= n)):
        raise ValueError("each month needs 0 <= successes <= trials")
    if not len(n):
        return []
    seen = np.flatnonzero(n)
    inner, _ = breaks(x[seen], n[seen], min_length, penalty)
    bounds = [0, *(int(seen[i]) for i in inner), len(n)]
    return [
        Segment(start, end, int(x[start:end].sum()), int(n[start:end].sum()))
        for start, end in pairwise(bounds)
    ]


def breaks(
    x: Floats, n: Floats, min_length: int, penalty: float | None = None, factor: float = 3.0
) -> tuple[list[int], float]:
    """Return the indices at which a new segment starts (0 left out), and the dispersion.

    Every `n` is over 0. Without a penalty it is `price(len(n), factor)`.
    """
    months = len(n)
    if months < 2 * min_length or x.sum() in (0, n.sum()):
        return [], 1.0
    cost = deviance(*(np.concatenate(([0.0], np.cumsum(counts))) for counts in (x, n)))
    each = price(months, factor) if penalty is None else penalty
    reach = np.arange(months + 1) - min_length + 1
    # Breaks inflate the first estimate, so it errs to caution; each break that is found in spite
    # of that lowers it, until nothing more is found.
    phi = min(dispersion(x, n, []), _dispersion_of_neighbours(x, n))
    while True:
        found = optimum(cost, reach, each * phi)
        within = dispersion(x, n, found)
        if within >= phi:
            return found, phi
        phi = within


def price(months: int, factor: float = 3.0) -> float:
    """Return factor ln(months), raised for a dispersion that so few months estimate."""
    freedom = max(1, months - 1)
    return freedom * (exp(factor * log(max(2, months)) / freedom) - 1)


def deviance(hits: Floats, all_: Floats) -> Floats:
    """Return the deviance between each two positions i, j, in cell i, j; from running counts."""
    k = hits[np.newaxis, :] - hits[:, np.newaxis]
    t = all_[np.newaxis, :] - all_[:, np.newaxis]
    cells: Floats = cost_of(k, t)
    return cells


def cost_of(k: Any, t: Any) -> Any:
    """Return minus twice the log likelihood of k successes in t trials of one rate."""

    def part(value: Any) -> Any:
        # Counts below zero stand in cells that are never read.
        return value * np.log(np.where(value > 0, value, 1.0))

    return 2 * (part(t) - part(k) - part(t - k))


def optimum(cost: Floats, reach: NDArray[np.int64], each: float) -> list[int]:
    """Return the starts of the segments with the least deviance plus a price per change point.

    A segment that ends at position j starts at one of the first `reach[j]` positions.
    """
    last_position = len(cost) - 1
    best = np.full(last_position + 1, np.inf)
    best[0] = -each
    last = np.zeros(last_position + 1, dtype=np.int64)
    for end in range(1, last_position + 1):
        if reach[end] > 0:
            totals = best[: reach[end]] + cost[: reach[end], end] + each
            last[end] = int(np.argmin(totals))
            best[end] = totals[last[end]]
    found: list[int] = []
    at = int(last[last_position])
    while at:
        found.append(at)
        at = int(last[at])
    return found[::-1]


def dispersion(x: Floats, n: Floats, starts: list[int]) -> float:
    """Return Pearson's chi-square per degree of freedom within the segments, at least 1."""
    bounds = [0, *starts, len(n)]
    chi_square = 0.0
    for start, end in pairwise(bounds):
        k, t = x[start:end], n[start:end]
        rate = k.sum() / t.sum()
        if 0 < rate < 1:
            chi_square += float(((k - t * rate) ** 2 / (t * rate * (1 - rate))).sum())
    # A break has a place and a level: both were chosen to please the data.
    freedom = len(n) - 1 - 2 * len(starts)
    return max(1.0, chi_square / freedom) if freedom > 0 else 1.0


def _dispersion_of_neighbours(x: Floats, n: Floats) -> float:
    """Return the chi-square that 70 % of neighbouring months stay under, over that of chance.

    Few neighbours span a break, so however great breaks are, they hardly move it. At least 1.
    """
    k, t = x[:-1] + x[1:], n[:-1] + n[1:]
    tell = (k > 0) & (k < t)
    rate = k[tell] / t[tell]
    gap = (x[1:] / n[1:] - x[:-1] / n[:-1])[tell]
    variance = rate * (1 - rate) * (1 / n[:-1] + 1 / n[1:])[tell]
    return max(1.0, float(np.quantile(gap**2 / variance, 0.7)) / _QUANTILE)
