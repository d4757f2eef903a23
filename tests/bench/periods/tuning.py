"""How the peers' settings were chosen: all on a grid, on seeds that are never reported.

A setting's score is its F1 on the goal's class (breaks in histories of 100 studies a month and
more) less the share of flat histories with a false alarm; equal ones by the median edge error.
The division is made by exact dynamic programming over ruptures' own costs, which has the same
optimum as PELT and gives all penalties at once; the benchmark itself runs PELT.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from bench.periods.histories import Floats, History
from bench.periods.peers import (
    NORMAL_BIAS,
    Bins,
    Ruptures,
    Threshold,
    broken,
    by_threshold,
    unit,
    weights,
)
from bench.periods.score import (
    CLASS_VOLUME,
    Result,
    edge_errors,
    false_alarms,
    matched,
    middle,
    of_goal,
    precision,
    recall,
)

MODELS = (
    ("l2", "month"),
    ("l2", "week"),
    ("normal", "month"),
    ("weighted", "month"),
    ("weighted", "week"),
)
MIN_SIZES = {"month": (1, 2, 3, 4), "week": (2, 4, 8, 12)}
PENALTIES = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24)
DROPS = (0.05, 0.07, 0.09, 0.11, 0.13)
ABSOLUTE = tuple(np.round(np.arange(0.4, 0.96, 0.05), 2))
RELATIVE = (0.05, 0.07, 0.08, 0.09, 0.1, 0.11, 0.12, 0.15, 0.2)
MONTHS = (1, 2, 3, 4)

Score = tuple[float, float]


def score(results: Sequence[Result]) -> Score:
    """Return what is maximised: F1 less false alarms, then minus the median edge error."""
    hit = recall(results, of_goal).value
    right = precision(results, lambda history: history.volume >= CLASS_VOLUME).value
    f1 = 2 * hit * right / (hit + right) if hit + right > 0 else 0.0
    off = middle([error.days for error in edge_errors(results, of_goal)])
    return f1 - false_alarms(results).value, -off


def threshold(histories: Sequence[History]) -> list[tuple[Score, Threshold]]:
    """Score the thresholds of the grid, the best first."""
    grid = [Threshold("absolute", float(t), k) for t, k in product(ABSOLUTE, MONTHS)]
    grid += [Threshold("relative", t, k) for t, k in product(RELATIVE, MONTHS)]
    scored = [
        (score([matched(history, find(history)) for history in histories]), one)
        for one in grid
        for find in [by_threshold(one)]
    ]
    return sorted(scored, key=lambda pair: pair[0], reverse=True)


def ruptures(histories: Sequence[History]) -> list[tuple[Score, Ruptures]]:
    """Score ruptures' settings of the grid, the best first."""
    scored: list[tuple[Score, Ruptures]] = []
    for model, width in MODELS:
        kept = [(one, Bins.of(one, width)) for one in histories]
        costs = [matrix(bins, model) for _, bins in kept]
        for size, penalty in product(MIN_SIZES[width], PENALTIES):
            if model == "normal" and size < 2:
                continue  # it needs two
            cuts = [
                optimum(cost, size, penalty * unit(bins, model))
                for cost, (_, bins) in zip(costs, kept, strict=True)
            ]
            for drop in DROPS:
                results = [
                    matched(history, broken(bins, at, drop))
                    for (history, bins), at in zip(kept, cuts, strict=True)
                ]
                scored.append((score(results), Ruptures(model, width, size, penalty, drop)))
    return sorted(scored, key=lambda pair: pair[0], reverse=True)


def matrix(bins: Bins, model: str) -> Floats:
    """Return ruptures' cost of each segment [i, j) of the coverage, in cell i, j."""
    value, weight = bins.rate(), weights(bins, model)
    terms = (weight, weight * value, weight * value**2)
    sums = [np.concatenate(([0.0], np.cumsum(term))) for term in terms]
    size, first, second = (part[np.newaxis, :] - part[:, np.newaxis] for part in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.maximum(0.0, second - first**2 / size)
        if model == "normal":
            squares = size * np.log(squares / size + NORMAL_BIAS)
    cells: Floats = squares
    return cells


def optimum(cost: Floats, size: int, penalty: float) -> list[int]:
    """Return the cuts of the division with the least cost plus a penalty for each cut."""
    count = len(cost) - 1
    best, last = np.full(count + 1, np.inf), np.zeros(count + 1, dtype=np.int64)
    best[0] = -penalty
    for end in range(size, count + 1):
        totals = best[: end - size + 1] + cost[: end - size + 1, end] + penalty
        last[end] = int(np.argmin(totals))
        best[end] = totals[last[end]]
    cuts: list[int] = []
    at = int(last[count])
    while at:
        cuts.append(at)
        at = int(last[at])
    return cuts[::-1]
