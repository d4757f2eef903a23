"""Events' verdicts: coverage before, in and after each event's window, per source it concerns.

Half a year on either side. The change has an interval that counts with overdispersion, and all
events and sources are held against each other (false discovery rate). No effect is an answer.
Sources: R.G. Newcombe, Statistics in Medicine 17 (1998), method 10, for the interval of a
difference; Y. Benjamini and Y. Hochberg, J. R. Statist. Soc. B 57 (1995).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import erfc, sqrt
from typing import Any

import numpy as np
import pyarrow as pa

from remediation.model.events import Event
from remediation.model.statistics import FALSE_DISCOVERIES, Z999, difference, q_values
from remediation.tables.daily import by_source, on_days, total
from remediation.tables.division import Series, number_of, spread
from remediation.tables.schemas import EVENTS, STUDY

WINDOW = timedelta(days=183)
MATTERS = 0.02  # change of coverage below which nothing changed that matters
ALIKE = 0.05  # an interval within this on both sides of nothing says: no effect
FEWEST = 10  # studies on a side: fewer say nothing

_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Side:
    studies: int
    conformant: int

    @property
    def share(self) -> float:
        return self.conformant / self.studies if self.studies else 0.0

    @property
    def coverage(self) -> float | None:
        return self.share if self.studies else None

    def worth(self, phi: float) -> tuple[float, float]:
        """Return conformant and all studies, as many as they are worth."""
        return self.conformant / phi, self.studies / phi


def events_table(daily: pa.Table, events: Sequence[Event], periods: pa.Table) -> pa.Table:
    """Judge each event for each source of its archive, or of all.

    Args:
        daily: DAILY by StudyDate.
        events: of the job file.
        periods: PERIODS of the same studies.

    Returns:
        EVENTS, in order of start, name, archive and source.
    """
    found = periods.to_pylist()
    judged = []
    for archive, source, counts in by_source(daily) if events else ():
        own = [row for row in found if (row["archive"], row["source"]) == (archive, source)]
        judged += [
            _judged(event, counts, own, {"archive": archive, "source": source})
            for event in events
            if event.archive in (None, archive)
        ]
    held = q_values([one.row["p_value"] for one in judged])
    for one, value in zip(judged, held, strict=True):
        one.row["q_value"] = value
        one.row["verdict"] = _verdict(one)
    keys = ("start", "event", "archive", "source")
    rows = sorted(
        (one.row for one in judged), key=lambda row: tuple(str(row[key] or "") for key in keys)
    )
    return pa.Table.from_pylist(rows, schema=EVENTS)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row of EVENTS, and what its verdict is taken from."""

    row: _Row
    before: _Side
    inside: _Side
    after: _Side
    phi: float


def _judged(event: Event, counts: pa.Table, periods: Sequence[_Row], of: _Row) -> _Judged:
    phi = _dispersion(counts, periods, event)
    before, inside, after = (
        _side(counts, start, end)
        for start, end in (
            (event.start - WINDOW, event.start),
            (event.start, event.end),
            (event.end, event.end + WINDOW),
        )
    )
    row: _Row = of | {
        "event": event.name,
        "event_kind": event.kind,
        "start": event.start,
        "end": event.end,
        "periods": [
            row["period_id"]
            for row in periods
            if (row["event"], row["event_start"]) == (event.name, event.start)
        ],
    }
    for name, side in (("before", before), ("in", inside), ("after", after)):
        row |= {f"studies_{name}": side.studies, f"coverage_{name}": side.coverage}
    row |= dict.fromkeys(("change", "low", "high", "p_value"))
    if before.coverage is not None and after.coverage is not None:
        low, high = difference(before.worth(phi), after.worth(phi))
        row |= {"change": after.coverage - before.coverage, "low": low, "high": high}
        row["p_value"] = _chance(before.worth(phi), after.worth(phi))
    return _Judged(row, before, inside, after, phi)


def _verdict(one: _Judged) -> str:
    """Return what an event did, in one word of the schema."""
    row = one.row
    if row["change"] is None:
        return "no-studies"
    if min(one.before.studies, one.after.studies) < FEWEST:
        return "unclear"
    if row["q_value"] <= FALSE_DISCOVERIES and abs(row["change"]) >= MATTERS:
        return "worse" if row["change"] < 0 else "better"
    if one.inside.studies >= FEWEST:
        within = difference(one.before.worth(one.phi), one.inside.worth(one.phi), Z999)
        if within[1] < 0 and one.inside.share <= one.before.share - ALIKE:
            return "passing"
    return "no-effect" if row["low"] > -ALIKE and row["high"] < ALIKE else "unclear"


def _side(counts: pa.Table, start: date, end: date) -> _Side:
    inside = on_days(counts, start, end)
    return _Side(total(inside), total(inside, "conformant"))


def _dispersion(counts: pa.Table, periods: Iterable[_Row], event: Event) -> float:
    """Return the dispersion of months, cut at the edges of the periods and at the event."""
    days = counts["day"].cast(pa.int32()).to_numpy()
    series = Series.of(days, counts["conformant"].to_numpy(), counts["studies"].to_numpy())
    by_study = [row for row in periods if row["axis"] == STUDY]
    cuts = [row[name] for row in by_study for name in ("start", "end")]
    edges = [number_of(day) for day in (*cuts, event.start, event.end)]
    cuts = sorted({int(at) for at in np.searchsorted(series.days, edges)} - {0, len(days)})
    return spread(series, series.months(), cuts)[0]


def _chance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the chance of a change as great where there is none (score test)."""
    (k, n), (k_other, n_other) = one, other
    share = (k + k_other) / (n + n_other)
    variance = share * (1 - share) * (1 / n + 1 / n_other)
    return erfc(abs(k_other / n_other - k / n) / sqrt(2 * variance)) if variance > 0 else 1.0
