"""Scoring: which planted stretches a method found, what else it told, and its edge errors.

A stretch is found when a period overlaps it with intersection over union of at least one half;
where a stretch drifts, with its days or with these and the whole of the drift. Pairs are one to
one, the best overlap first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.periods.found import Edge, Found
from bench.periods.histories import EPOCH, History
from bench.periods.layout import Stretch
from bench.periods.oracle import edge_day
from remediation.model.statistics import wilson

OVERLAP = 0.5
CLASS_VOLUME = 100.0  # studies a month, mean of the history: the goal's class begins here


@dataclass(frozen=True, slots=True)
class Pair:
    """A planted stretch with the period that was matched to it, or with none."""

    history: History
    stretch: Stretch
    found: Found | None


@dataclass(frozen=True, slots=True)
class Result:
    """What one method made of one history: each planted stretch, and the periods left over."""

    history: History
    pairs: tuple[Pair, ...]
    extra: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """Return the share; not a number where there is nothing to count."""
        return self.count / self.of if self.of else float("nan")

    def __str__(self) -> str:
        if not self.of:
            return "none"
        low, high = wilson(self.count, self.of)
        text = f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        return f"{text}, {self.count}/{self.of}"


@dataclass(frozen=True, slots=True)
class EdgeError:
    """How far a found edge lies from the planted one, the oracle's, and what else was said."""

    days: int
    oracle: int
    inside: bool | None  # of its interval; None where there is none
    kind: str
    width: int | None  # days of the interval


def overlap(found: Found, start: int, end: int) -> float:
    """Return intersection over union of a period and days [start, end)."""
    both = min(found.end.day, end) - max(found.start.day, start)
    either = max(found.end.day, end) - min(found.start.day, start)
    return max(0.0, both / either)


def matched(history: History, periods: Sequence[Found]) -> Result:
    """Pair planted stretches with periods."""
    near = sorted(
        (
            (max(overlap(found, s.start, s.end), overlap(found, *s.outer)), -i, -j)
            for i, s in enumerate(history.stretches)
            for j, found in enumerate(periods)
        ),
        reverse=True,
    )
    taken: dict[int, int] = {}
    for share, i, j in near:
        if share >= OVERLAP and -i not in taken and -j not in taken.values():
            taken[-i] = -j
    pairs = tuple(
        Pair(history, stretch, periods[taken[i]] if i in taken else None)
        for i, stretch in enumerate(history.stretches)
    )
    return Result(
        history, pairs, tuple(p for j, p in enumerate(periods) if j not in taken.values())
    )


def of_goal(pair: Pair) -> bool:
    """Tell whether a stretch is of the goal's class: a break, in a history of enough studies."""
    return pair.history.volume >= CLASS_VOLUME and not pair.stretch.slides


def recall(results: Iterable[Result], wanted: Callable[[Pair], bool]) -> Share:
    """Return how many of the wanted stretches were found."""
    pairs = [pair for result in results for pair in result.pairs if wanted(pair)]
    return Share(sum(pair.found is not None for pair in pairs), len(pairs))


def precision(results: Iterable[Result], wanted: Callable[[History], bool]) -> Share:
    """Return how many of the periods told of wanted histories are planted; flat ones left out."""
    some = [r for r in results if r.history.stretches and wanted(r.history)]
    right = sum(pair.found is not None for result in some for pair in result.pairs)
    return Share(right, right + sum(len(result.extra) for result in some))


def false_alarms(results: Iterable[Result]) -> Share:
    """Return how many flat histories have any period."""
    flat = [result for result in results if not result.history.stretches]
    return Share(sum(bool(result.extra) for result in flat), len(flat))


def edges(pair: Pair) -> Iterator[tuple[int, str, Edge]]:
    """Yield planted day, planted kind and what was found, at both ends of a found stretch."""
    if pair.found is not None:
        yield pair.stretch.start, pair.stretch.start_kind, pair.found.start
        yield pair.stretch.end, pair.stretch.end_kind, pair.found.end


def edge_errors(results: Iterable[Result], wanted: Callable[[Pair], bool]) -> list[EdgeError]:
    """Return the errors at planted jumps of found stretches; the data's ends are none."""
    return [
        EdgeError(
            abs(found.day - day),
            abs(edge_day(result.history, day) - day),
            None if found.low is None or found.high is None else found.low <= day <= found.high,
            found.kind,
            None if found.low is None or found.high is None else found.high - found.low + 1,
        )
        for result in results
        for pair in result.pairs
        if wanted(pair)
        for day, kind, found in edges(pair)
        if kind == "jump"
    ]


def named(results: Iterable[Result], kinds: Sequence[str], told: Sequence[str]) -> Share:
    """Return how many edges of the kinds that were planted (and found) are told as one of these."""
    said = [
        found.kind
        for result in results
        for pair in result.pairs
        for _, kind, found in edges(pair)
        if kind in kinds
    ]
    return Share(sum(kind in told for kind in said), len(said))


def linked(results: Iterable[Result]) -> Share:
    """Return how many found stretches with a listed event at their start are linked to it.

    Others are nearer to one at which nothing happened, or to that of another stretch.
    """
    own = [
        pair.found.event == event.name
        for result in results
        for pair in result.pairs
        if pair.found is not None
        for event in result.history.events
        if (event.start - EPOCH).days == pair.stretch.start
    ]
    return Share(sum(own), len(own))


def inside(errors: Iterable[EdgeError]) -> Share:
    """Return how many intervals hold the planted day, of those that were given."""
    told = [error.inside for error in errors if error.inside is not None]
    return Share(sum(told), len(told))


def middle(days: Sequence[int]) -> float:
    """Return the median of errors in whole days, each spread evenly over its day.

    Where more than half are 0 a plain median says no more; this one tells 55 % from 90 %. An error
    of 0 lies between 0 and 0.5, one of 3 between 2.5 and 3.5. Not a number of nothing.

    >>> middle([0, 0, 0, 0, 4]), middle([3, 3, 3])
    (0.3125, 3.0)
    """
    if not days:
        return float("nan")
    half, below = len(days) / 2, 0
    for day in sorted(set(days)):
        here = sum(value == day for value in days)
        if below + here >= half:
            low, width = (day - 0.5, 1.0) if day else (0.0, 0.5)
            return low + width * (half - below) / here
        below += here
    raise AssertionError("the last day holds all")


def mean(values: Sequence[float]) -> float:
    """Return the mean; not a number of nothing."""
    return fmean(values) if values else float("nan")
