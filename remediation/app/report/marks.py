"""Marks: where the names of events stand so that none overlaps another, and which months are named.

Sizes are points of a plot of our width; a page scales them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from remediation.app.report.panels import position
from remediation.model.events import Event

WIDTH, LEFT, RIGHT = 960.0, 62.0, 92.0
_CHARACTER, _LONGEST = 8.3, 34
_YEAR = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """An event in a plot: where, until where, what it says, and on which line it is said."""

    start: float
    end: float
    text: str
    level: int
    leftward: bool


def placed(events: Sequence[Event], span: tuple[int, int]) -> tuple[Mark, ...]:
    """Give each event of the span the lowest line on which its text overlaps no other."""
    scale = (WIDTH - LEFT - RIGHT) / (span[1] - span[0])
    taken: list[list[tuple[float, float]]] = []
    marks = []
    for event in events:
        start, end = position(event.start), position(event.end)
        if end <= span[0] or start >= span[1]:
            continue
        start, end = max(start, span[0]), min(end, span[1])
        text = event.name if len(event.name) <= _LONGEST else event.name[: _LONGEST - 1] + "…"
        wide, at = width(text) + 14, (start - span[0]) * scale
        leftward = at + wide > WIDTH - LEFT and at > wide / 2
        box = (at - wide, at) if leftward else (at, at + wide)
        level = 0
        while level < len(taken) and any(a < box[1] and box[0] < b for a, b in taken[level]):
            level += 1
        if level == len(taken):
            taken.append([])
        taken[level].append(box)
        long_enough = (end - start) * scale > 3  # noqa: PLR2004 - points; less is a line
        marks.append(Mark(start, end if long_enough else start, text, level, leftward))
    return tuple(marks)


def width(text: str) -> float:
    """Return about how wide a text is: the browser's font is not known here."""
    wide = sum(east_asian_width(sign) in "WF" for sign in text)
    return (len(text) + 0.8 * wide) * _CHARACTER


def ticks(span: tuple[int, int], most: int = 12) -> tuple[int, ...]:
    """Return month numbers to label: every January, or rarer; months where there are few.

    >>> ticks((2007 * 12, 2010 * 12)), ticks((2011 * 12 + 2, 2011 * 12 + 8))
    ((24084, 24096, 24108), (24134, 24135, 24136, 24137, 24138, 24139))
    """
    first, end = span
    step = next(
        (n for n in (1, 3, 6) if end - first <= n * most and end - first <= 2 * _YEAR), _YEAR
    )
    while (end - first) / step > most:
        step *= 2 if step < 10 * _YEAR else 5
    return tuple(month for month in range(first, end) if month % step == 0)
