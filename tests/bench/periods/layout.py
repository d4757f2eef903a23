"""What is planted: pieces of one conformant share (or a sliding one), and the stretches they make.

Days are numbers since 1970-01-01, stretches half-open. A stretch is a maximal run of days whose
share lies DROP or more below every good share of the history.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

MONTH = 30.4375  # days
DROP = 0.10
LONGEST_DROP = 0.95
LENGTHS = (2.0, 36.0)  # months of a stretch
GOOD_MONTHS = 4.0  # at least, between two stretches and at either end
MOST_BROKEN = 0.6  # of the history
FLOOR = 0.005  # the lowest share
SLIDES = (12.0, 36.0)  # months of a drift

Kind = Literal["jump", "drift", "first", "open"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Days [start, end) whose share of conformant studies goes in a line from `rate` to `last`."""

    start: int
    end: int
    rate: float
    last: float

    @classmethod
    def level(cls, start: int, end: int, rate: float) -> Piece:
        """Make a piece of one share."""
        return cls(start, end, rate, rate)

    def at(self, day: int) -> float:
        """Return the share on a day (an end of the piece included)."""
        return self.rate + (self.last - self.rate) * (day - self.start) / (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A planted broken stretch; `outer` are its days with the whole of its drifts.

    `drop` is how far its studies' share lies below the good one (mean over its days).
    """

    start: int
    end: int
    start_kind: Kind
    end_kind: Kind
    drop: float
    outer: tuple[int, int]

    @property
    def slides(self) -> bool:
        """Tell whether either edge is a drift."""
        return "drift" in (self.start_kind, self.end_kind)

    @property
    def months(self) -> float:
        """Return its length in months."""
        return (self.end - self.start) / MONTH


@dataclass(frozen=True, slots=True)
class Plan:
    """Pieces that cover the history, without gap or overlap, and its stretches."""

    pieces: tuple[Piece, ...]
    stretches: tuple[Stretch, ...]


def flat(rng: np.random.Generator, start: int, end: int) -> Plan:
    """Plan a history in which nothing happens: one share between 0.5 and 0.99."""
    return Plan((Piece.level(start, end, rng.uniform(0.5, 0.99)),), ())


def steps(rng: np.random.Generator, start: int, end: int) -> Plan:
    """Plan one to five stretches, some nested, some at either end of the history."""
    first, last = rng.random() < 0.15, rng.random() < 0.25
    while True:
        count = int(rng.integers(1, 6))
        lengths = np.round(MONTH * np.exp(rng.uniform(*np.log(LENGTHS), count))).astype(int)
        least = np.full(count + 1, round(GOOD_MONTHS * MONTH))
        if first:
            least[0] = 0
        if last:
            least[-1] = 0
        slack = end - start - lengths.sum() - least.sum()
        if slack >= 0 and lengths.sum() <= MOST_BROKEN * (end - start) and least.any():
            break
    shares = rng.dirichlet(np.ones(count + 1)) * (least > 0)
    good = least + np.floor(slack * shares / shares.sum()).astype(int)
    good[int(np.argmax(good))] += end - start - lengths.sum() - good.sum()
    bases = _bases(rng, count + 1)
    pieces, at = [], start
    for number in range(count + 1):
        if good[number]:
            pieces.append(Piece.level(at, at + int(good[number]), bases[number]))
            at += int(good[number])
        if number < count:
            pieces += _broken(rng, at, at + int(lengths[number]), min(bases))
            at += int(lengths[number])
    return _planned(pieces)


def _bases(rng: np.random.Generator, count: int) -> list[float]:
    """Return the good shares: all the same, or (a quarter) with steps of at most three points."""
    base = rng.uniform(0.6, 0.99)
    if rng.random() < 0.75:
        return [base] * count
    return [float(np.clip(base + rng.uniform(-0.03, 0.03), 0.6, 0.99)) for _ in range(count)]


def _below(rng: np.random.Generator, base: float) -> float:
    return max(FLOOR, base - rng.uniform(DROP, min(LONGEST_DROP, base)))


def _broken(rng: np.random.Generator, start: int, end: int, base: float) -> list[Piece]:
    """Make one stretch: one level or, three in ten of those long enough, two or three."""
    months = int((end - start) / MONTH)
    count = min(int(rng.integers(2, 4)), months // 2) if months >= 6 and rng.random() < 0.3 else 1
    two = round(2 * MONTH)
    cuts = np.sort(rng.integers(0, end - start - count * two + 1, count - 1)) if count > 1 else []
    bounds = [start, *(start + int(cut) + two * n for n, cut in enumerate(cuts, 1)), end]
    return [Piece.level(one, other, _below(rng, base)) for one, other in pairwise(bounds)]


def drift(rng: np.random.Generator, start: int, end: int) -> Plan:
    """Plan a slow decline (a quarter: a sudden one that recovers slowly), held for a while."""
    base = rng.uniform(0.6, 0.99)
    low = max(FLOOR, base - rng.uniform(0.2, min(LONGEST_DROP, base)))
    whole, least = end - start, round(GOOD_MONTHS * MONTH)
    slide = min(round(MONTH * rng.uniform(*SLIDES)), whole // 2)
    hold = round(MONTH * rng.uniform(2, 18))
    before = int(rng.integers(least, max(least + 1, whole - slide - hold - least)))
    begin, bottom, rise = start + before, start + before + slide, start + before + slide + hold
    if rng.random() < 0.25:  # the same, seen from its end
        return _planned(
            [
                Piece.level(start, start + end - rise, base),
                Piece.level(start + end - rise, start + end - bottom, low),
                Piece(start + end - bottom, start + end - begin, low, base),
                Piece.level(start + end - begin, end, base),
            ]
        )
    pieces = [Piece.level(start, begin, base), Piece(begin, bottom, base, low)]
    if rng.random() < 0.4:  # still so at the end
        return _planned([*pieces, Piece.level(bottom, end, low)])
    return _planned([*pieces, Piece.level(bottom, rise, low), Piece.level(rise, end, base)])


def _planned(pieces: list[Piece]) -> Plan:
    """Find the stretches of pieces that are good, broken or sliding between these."""
    good = max(piece.rate for piece in pieces) - 0.8 * DROP  # good shares are not so far apart
    stretches: list[Stretch] = []
    run: list[Piece] = []
    for piece in [*pieces, None]:
        if piece is not None and min(piece.rate, piece.last) < good:
            run.append(piece)
        elif run:
            stretches.append(_stretch(run, pieces, good))
            run = []
    return Plan(tuple(pieces), tuple(stretches))


def _stretch(run: list[Piece], pieces: list[Piece], good: float) -> Stretch:
    best = max(piece.rate for piece in pieces)
    inner = [_crossed(piece, best) for piece in run]
    start, end = inner[0].start, inner[-1].end
    kinds: list[Kind] = ["jump", "jump"]
    if run[0].start == pieces[0].start:
        kinds[0] = "first"
    elif run[0].rate != run[0].last:
        kinds[0] = "drift"
    if run[-1].end == pieces[-1].end:
        kinds[1] = "open"
    elif run[-1].rate != run[-1].last:
        kinds[1] = "drift"
    share = sum((p.rate + p.last) / 2 * (p.end - p.start) for p in inner) / (end - start)
    held = [piece.rate for piece in pieces if min(piece.rate, piece.last) >= good]
    drop = sum(held) / len(held) - share
    return Stretch(start, end, kinds[0], kinds[1], drop, (run[0].start, run[-1].end))


def _crossed(piece: Piece, best: float) -> Piece:
    """Return the part of a drift that lies DROP below the good share; other pieces as they are."""
    if piece.rate == piece.last:
        return piece
    at = (best - DROP - piece.rate) / (piece.last - piece.rate)
    day = int(np.clip(round(piece.start + at * (piece.end - piece.start)), piece.start, piece.end))
    if piece.rate > piece.last:
        return replace(piece, start=min(day, piece.end - 1), rate=best - DROP)
    return replace(piece, end=max(day, piece.start + 1), last=best - DROP)
