"""The peers: change points by ruptures, and a plain threshold on monthly coverage.

Both get the product's rule for what is broken (below the target and so far below the best that the
source has shown; neighbours are one period), with thresholds of their own. Their settings were
chosen by `--tune`, on other seeds than those that are reported; see `tuning`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from bench.periods.found import Edge, Found
from bench.periods.histories import Floats, History, Ints
from remediation.model.statistics import wilson

TARGET = 0.95
FEWEST = 10  # studies of a period
BEST_MONTHS = 2  # at least, of the segment that is the best
NORMAL_BIAS = 1e-6  # what ruptures adds to a variance


@dataclass(frozen=True, slots=True)
class Ruptures:
    """Settings of PELT: cost, width of a bin, smallest segment in bins, penalty, and the rule.

    `penalty` counts ln(bins), in units of the noise's variance (in none for `normal`, which
    estimates its own). `drop` is how far below the best segment a broken one lies.
    """

    model: str  # l2 | normal | weighted
    bins: str  # month | week
    min_size: int
    penalty: float
    drop: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """Settings of the threshold: months below it, at least `months` in a row, gaps bridged.

    `kind` is `absolute`, or `relative`: so far below the median month of the source.
    """

    kind: str
    below: float
    months: int


def ruptures_version() -> str | None:
    """Return the version of ruptures; None where it is not installed."""
    try:
        return version("ruptures")
    except PackageNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class Bins:
    """Weeks or months with studies: first days, the day after the last, and counts."""

    starts: Ints
    end: int
    hits: Floats
    all_: Floats

    @classmethod
    def of(cls, history: History, width: str) -> Bins:
        """Count a history by month or week."""
        first, last = int(history.days[0]), int(history.days[-1])
        if width == "month":
            starts, hits, all_ = history.months()
        else:
            starts, hits, all_ = history.binned(np.arange(first, last + 1, 7))
        seen = np.flatnonzero(all_)
        starts = starts[seen]
        starts[0] = first
        return cls(starts, last + 1, hits[seen].astype(float), all_[seen].astype(float))

    def rate(self) -> Floats:
        """Return the coverage of each bin."""
        return self.hits / self.all_


def weights(bins: Bins, model: str) -> Floats:
    """Return how much each bin counts: alike, or for `weighted` as much as it has studies."""
    return bins.all_ / bins.all_.mean() if model == "weighted" else np.ones(len(bins.all_))


def unit(bins: Bins, model: str) -> float:
    """Return the penalty of one change point at setting 1: ln(bins) and the noise's variance.

    The variance comes from differences of neighbours, robustly, and is at least that of chance.
    """
    size = np.log(max(2, len(bins.starts)))
    if model == "normal":
        return float(size)
    rate, weight = bins.rate(), weights(bins, model)
    scale = 1 / weight[1:] + 1 / weight[:-1]
    steps = np.abs(np.diff(rate)) / np.sqrt(scale)
    robust = (1.4826 * float(np.median(steps))) ** 2 if len(steps) else 0.0
    pooled = (bins.hits.sum() + 1) / (bins.all_.sum() + 2)
    chance = float(pooled * (1 - pooled) * (weight / bins.all_).mean())
    return float(size * max(robust, chance))


def by_ruptures(settings: Ruptures) -> Callable[[History], list[Found]]:
    """Return the method: ruptures' PELT and the product's rule."""

    def method(history: History) -> list[Found]:
        bins = Bins.of(history, settings.bins)
        penalty = settings.penalty * unit(bins, settings.model)
        if len(bins.starts) < 2 * settings.min_size:
            return broken(bins, [], settings.drop)
        return broken(bins, _pelt(bins, settings, penalty), settings.drop)

    return method


def _pelt(bins: Bins, settings: Ruptures, penalty: float) -> list[int]:
    import ruptures

    rate = bins.rate()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `normal` announces its bias each time
        if settings.model == "l2":  # PELT in C; the linear kernel's cost is that of l2
            search: Any = ruptures.KernelCPD("linear", min_size=settings.min_size, jump=1)
        elif settings.model == "normal":
            search = ruptures.Pelt("normal", min_size=settings.min_size, jump=1)
        else:
            cost = _weighted(weights(bins, "weighted"))
            search = ruptures.Pelt(custom_cost=cost, min_size=settings.min_size, jump=1)
        return [int(at) for at in search.fit(rate.reshape(-1, 1)).predict(pen=penalty)[:-1]]


def _weighted(weight: Floats) -> Any:
    """Return a cost for ruptures: squares around the weighted mean, by running sums."""
    from ruptures.base import BaseCost

    class Weighted(BaseCost):  # type: ignore[misc, unused-ignore]
        model = "weighted"
        min_size = 1

        def fit(self, signal: Floats) -> Any:
            self.signal = signal
            value = signal.ravel()
            terms = (weight, weight * value, weight * value**2)
            self.sums = [np.concatenate(([0.0], np.cumsum(term))) for term in terms]
            return self

        def error(self, start: int, end: int) -> float:
            size, first, second = (float(part[end] - part[start]) for part in self.sums)
            return max(0.0, second - first * first / size)

    return Weighted()


def broken(bins: Bins, cuts: Sequence[int], drop: float) -> list[Found]:
    """Return the periods of segments that begin at 0 and at each cut."""
    bounds = [0, *cuts, len(bins.starts)]
    sums = [(bins.hits[a:b].sum(), bins.all_[a:b].sum()) for a, b in pairwise(bounds)]
    rates = [hits / all_ for hits, all_ in sums]
    days = [*(int(bins.starts[at]) for at in bounds[:-1]), bins.end]
    held = [
        rate
        for rate, start, end in zip(rates, days, days[1:], strict=False)
        if end - start >= BEST_MONTHS * 28
    ]
    best = max(held or rates)
    bad = [
        wilson(float(hits), float(all_))[1] < TARGET and rate <= best - drop
        for (hits, all_), rate in zip(sums, rates, strict=True)
    ]
    found, at = [], 0
    for is_bad, run in groupby(bad):
        begin, at = at, at + len(list(run))
        if is_bad and sum(all_ for _, all_ in sums[begin:at]) >= FEWEST:
            found.append(_period(days[begin], days[at], bins))
    return found


def _period(start: int, end: int, bins: Bins) -> Found:
    return Found(
        Edge(start, "first" if start == int(bins.starts[0]) else "jump"),
        Edge(end, "open" if end == bins.end else "jump"),
    )


def by_threshold(settings: Threshold) -> Callable[[History], list[Found]]:
    """Return the method: months in a row below a threshold."""

    def method(history: History) -> list[Found]:
        bins = Bins.of(history, "month")
        below = settings.below
        if settings.kind == "relative":
            below = float(np.median(bins.rate())) - below
        return list(_runs(bins, bins.rate() < below, settings.months))

    return method


def _runs(bins: Bins, low: Sequence[bool] | Any, months: int) -> Iterator[Found]:
    at, days = 0, [*(int(day) for day in bins.starts), bins.end]
    for is_low, run in groupby(bool(value) for value in low):
        begin, at = at, at + len(list(run))
        if is_low and at - begin >= months and bins.all_[begin:at].sum() >= FEWEST:
            yield _period(days[begin], days[at], bins)
