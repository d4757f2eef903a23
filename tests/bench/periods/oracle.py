"""The oracle: told how many edges there are, their months and the shares on both sides.

What is left to find is the day, and it takes the likeliest by the binomial likelihood, within the
calendar month of the edge and the one on either side. No method that has to estimate places and
shares can be expected to do better. It also tells how clearly a stretch stands out at all.
"""

from __future__ import annotations

import numpy as np

from bench.periods.histories import Floats, History, first_days
from bench.periods.layout import FLOOR, Stretch


def edge_day(history: History, edge: int) -> int:
    """Return the likeliest day of a planted jump at `edge`: the first day of the new share."""
    before, after = (
        next(piece for piece in history.plan.pieces if getattr(piece, side) == edge)
        for side in ("end", "start")
    )
    months = first_days(edge - 31, edge + 31)
    at = int(np.searchsorted(months, edge, side="right")) - 1
    low = max(int(months[max(0, at - 1)]), before.start + 1)
    month_after = first_days(edge, edge + 70)[2]
    high = min(int(month_after), after.end - 1)
    return likeliest(history, (low, high), before.last, after.rate)


def likeliest(history: History, days: tuple[int, int], before: float, after: float) -> int:
    """Return the likeliest first day, from days[0] to days[1], of a jump between known shares.

    Among days that are equally likely, those between two days with studies, it takes the middle.
    """
    low, high = days
    candidates = np.arange(low, high + 1)
    inside = (history.days >= low) & (history.days < high)
    gain = np.zeros(len(candidates))  # of the days from low on, if they belong to what is before
    held, failed = history.conformant, history.studies - history.conformant
    told = held * _ratio(before, after) + failed * _ratio(1 - before, 1 - after)
    gain[history.days[inside] - low + 1] = told[inside]
    total = np.cumsum(gain)
    best = np.flatnonzero(total >= total.max() - 1e-9)
    run = best[: int(np.argmax(np.diff(best, append=best[-1] + 2) > 1)) + 1]
    return low + int(run[0] + run[-1]) // 2


def _ratio(one: float, other: float) -> float:
    clipped: Floats = np.clip([one, other], FLOOR / 10, 1 - FLOOR / 10)
    return float(np.log(clipped[0] / clipped[1]))


def clearness(history: History, stretch: Stretch) -> float:
    """Return how many standard errors a stretch lies below the good share, if all of it is told.

    The standard error is that of its studies, with the planted correlation in months and days.
    """
    inside = (history.days >= stretch.start) & (history.days < stretch.end)
    days, n = history.days[inside], history.studies[inside]
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    of_month = np.bincount(month - month[0], weights=n)[month - month[0]] if len(n) else n
    alike = 1 + (n - 1) * history.day_rho + (of_month - n) * history.month_rho
    planted = sum(
        (piece.at(max(piece.start, stretch.start)) + piece.at(min(piece.end, stretch.end)))
        / 2
        * max(0, min(piece.end, stretch.end) - max(piece.start, stretch.start))
        for piece in history.plan.pieces
    ) / (stretch.end - stretch.start)
    good = planted + stretch.drop
    variance = float((n * alike).sum()) * (planted * (1 - planted) + good * (1 - good)) / 2
    return float(n.sum() * stretch.drop / np.sqrt(max(variance, 1e-9)))
