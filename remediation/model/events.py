"""Events of a hospital's history (migrations, upgrades, mergers), and months to hold them against.

Dates are half-open: `end` is the first day after. Months are text `YYYY-MM` in datasets and
numbers (months since year 0) in between, so that they can be counted.

>>> migration = Event("PACS-migratie", "pacs-migration", date(2011, 7, 1), date(2011, 7, 2), "oost")
>>> nearest([migration], [date(2011, 8, 1), date(2012, 3, 1)], "oost")[1]
31
>>> nearest([migration], [date(2011, 8, 1)], "west") is None
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

UNKNOWN_MONTH = "unknown"  # the bucket of studies without a usable date

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: from `start` up to, not including, `end`; `archive` None is all.

    >>> Event("Fusie", "merger", date(2012, 1, 1), date(2012, 1, 1), None)
    Traceback (most recent call last):
    ...
    ValueError: an event ends after it starts: a single date is one day
    """

    name: str
    kind: str
    start: date
    end: date
    archive: str | None

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError("an event ends after it starts: a single date is one day")

    def distance(self, day: date) -> int:
        """Return the days between a day and the event's nearest day; 0 within the event."""
        if day < self.start:
            return (self.start - day).days
        return max(0, (day - (self.end - timedelta(days=1))).days)


def nearest(
    events: Iterable[Event], edges: Iterable[date], archive: str, limit_days: int = 180
) -> tuple[Event, int] | None:
    """Return the event nearest to any of a period's edges, with its distance in days.

    Only events of this archive, or of all archives, within `limit_days` (inclusive) are linked.
    Of equally near ones the earlier wins, then the first by name.
    """
    days = tuple(edges)
    linked = (
        (event.distance(day), event.start, event.name, event.end, event)
        for event in events
        if event.archive in (None, archive)
        for day in days
        if event.distance(day) <= limit_days
    )
    best = min(linked, key=lambda link: link[:4], default=None)
    return None if best is None else (best[-1], best[0])


def month_number(text: str) -> int:
    """Return a month `YYYY-MM` as months since year 0.

    Raises:
        ValueError: the text is not a month (`unknown` is none).

    >>> month_number("2011-08") - month_number("2010-12")
    8
    >>> month_number("unknown")
    Traceback (most recent call last):
    ...
    ValueError: not a month of the form YYYY-MM
    """
    match = _MONTH.fullmatch(text)
    if match is None:
        raise ValueError("not a month of the form YYYY-MM")
    return int(match[1]) * 12 + int(match[2]) - 1


def month_of(day: date) -> int:
    """Return the month number of a day.

    >>> month_of(date(2011, 7, 4)) == month_number("2011-07")
    True
    """
    return day.year * 12 + day.month - 1


def month_text(number: int) -> str:
    """Return the text `YYYY-MM` of a month number; the inverse of `month_number`.

    >>> month_text(month_number("2011-12") + 1)
    '2012-01'
    """
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def first_day(number: int) -> date:
    """Return the first day of a month number.

    >>> first_day(month_number("2011-07"))
    datetime.date(2011, 7, 1)
    """
    return date(number // 12, number % 12 + 1, 1)
