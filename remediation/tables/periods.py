"""Broken periods: stretches of months in which the BSN clearly stands wrong, per source.

Found without being told: change points divide a source's months, segments clearly below both the
target and the best that the source has shown are broken, and neighbours among these are one period.
What changed at its edge comes with a strength; the listed event that is near, with its distance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.events import (
    UNKNOWN_MONTH,
    Event,
    first_day,
    month_number,
    month_text,
    nearest,
)
from remediation.model.statistics import cramers_v, wilson
from remediation.tables.changepoints import Segment, segments
from remediation.tables.coverage import coverage_table
from remediation.tables.schemas import PERIODS, STATUSES

DROP = 0.10  # coverage below the source's best from which a stretch counts as broken
# A source in which not even half the studies were ever right has nothing to hold a stretch against.
WORKS = 0.5
FEWEST = 10  # studies: below this a stretch is too small to be called clearly broken
EDGE_MONTHS = 12  # of the stretch beside a period: what was usual longer ago explains no edge
STRONG = 0.3  # Cramer's V from which a signal is named
SIGNALS = (
    "place",
    "bsn_issuer",
    "IssuerOfPatientID",
    "patient_id_shape",
    "ImplementationVersionName",
    "StationName",
    "TransferSyntaxUID",
)

_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A broken run of months [start, end), and the segments beside it; all in month numbers."""

    start: int
    end: int
    studies: int
    conformant: int
    before: Segment | None
    after: Segment | None


def periods_table(
    studies: pa.Table,
    events: Sequence[Event],
    target_coverage: float,
    provisional_from: date | None,
) -> pa.Table:
    """Find the broken periods of each archive and source, in order of these and of start.

    Takes STUDIES (of SIGNALS, the columns that are there) and gives PERIODS; `start` and `end` are
    first days of months, half-open. Studies without a month are left out. Months from that of
    `provisional_from` on neither begin nor end a period: while they are as low, they prolong one
    that is open.

    Raises:
        ValueError: a month is neither YYYY-MM nor `unknown`.
    """
    dated = studies.filter(pc.not_equal(studies["study_month"], UNKNOWN_MONTH))
    rows: list[_Row] = []
    by_source = groupby(
        coverage_table(dated, provisional_from).to_pylist(),
        key=lambda row: (row["archive"], row["source"]),
    )
    last_month = _last_months(dated)
    for (archive, source), lines in by_source:
        months = {month_number(line["study_month"]): line for line in lines}
        stretches = list(_stretches(months, target_coverage))
        own = _of_source(dated, archive, source) if stretches else None
        for stretch in stretches:
            # Where the data end nothing changed, so no event explains that edge.
            open_end = stretch.end > last_month[archive]
            days = [first_day(month) for month in (stretch.start, stretch.end)]
            event = nearest(events, days[:1] if open_end else days, archive)
            rows.append(
                _counted(archive, source, stretch, months)
                | _linked(event)
                | {"causes": _causes(own, stretch)}
            )
    return pa.Table.from_pylist(rows, schema=PERIODS)


def _last_months(studies: pa.Table) -> dict[str | None, int]:
    last = studies.group_by("archive").aggregate([("study_month", "max")])
    return {row["archive"]: month_number(row["study_month_max"]) for row in last.to_pylist()}


def _of_source(studies: pa.Table, archive: str | None, source: str | None) -> pa.Table:
    return studies.filter(
        pc.and_(_equal(studies["archive"], archive), _equal(studies["source"], source))
    )


def _equal(column: pa.ChunkedArray, value: str | None) -> pa.ChunkedArray:
    return pc.is_null(column) if value is None else pc.equal(column, value)


def _stretches(months: dict[int, _Row], target: float) -> Iterator[_Stretch]:
    """Yield the maximal runs of broken segments of one source that are not too small."""
    parts = _parts({month: row for month, row in months.items() if not row["provisional"]})
    at = 0
    for is_broken, run in groupby(_broken(parts, target)):
        begin, at = at, at + len(list(run))
        if not is_broken:
            continue
        inside = parts[begin:at]
        start, end = inside[0].start, inside[-1].end
        conformant, total = sum(p.successes for p in inside), sum(p.trials for p in inside)
        if at == len(parts):
            halfway = (conformant / total + target) / 2
            for row in _prolonging(months, end, halfway):
                end, total = end + 1, total + row["studies"]
                conformant += row["conformant"]
        if total >= FEWEST:
            before = parts[begin - 1] if begin else None
            after = parts[at] if at < len(parts) else None
            yield _Stretch(start, end, total, conformant, before, after)


def _parts(months: dict[int, _Row]) -> list[Segment]:
    """Divide the months of one source into segments of one coverage, in month numbers."""
    if not months:
        return []
    first = min(months)
    nothing = {"conformant": 0, "studies": 0}
    rows = [months.get(month, nothing) for month in range(first, max(months) + 1)]
    parts = segments([row["conformant"] for row in rows], [row["studies"] for row in rows])
    return [replace(part, start=first + part.start, end=first + part.end) for part in parts]


def _broken(parts: Sequence[Segment], target: float) -> list[bool]:
    best = max((part.rate for part in parts), default=0.0)
    return [
        wilson(part.successes, part.trials)[1] < target
        and (best < WORKS or part.rate <= best - DROP)
        for part in parts
    ]


def _prolonging(months: dict[int, _Row], end: int, halfway: float) -> Iterator[_Row]:
    """Yield the provisional months after an open period that are nearer to it than to target."""
    while end in months and months[end]["coverage"] < halfway:
        yield months[end]
        end += 1


def _counted(
    archive: str | None, source: str | None, stretch: _Stretch, months: dict[int, _Row]
) -> _Row:
    low, high = wilson(stretch.conformant, stretch.studies)
    start, end = first_day(stretch.start), first_day(stretch.end)
    inside = [months[month] for month in range(stretch.start, stretch.end) if month in months]
    counts = {
        status: sum(row[status] for row in inside) for status in STATUSES if status != "conformant"
    }
    return {
        "period_id": _period_id(archive, source, start, end),
        "archive": archive,
        "source": source,
        "start": start,
        "end": end,
        "studies": stretch.studies,
        "coverage": stretch.conformant / stretch.studies,
        "coverage_before": stretch.before.rate if stretch.before else None,
        "coverage_after": stretch.after.rate if stretch.after else None,
        "low": low,
        "high": high,
        "dominant_status": max(counts, key=counts.__getitem__).replace("_", "-"),
    }


def _period_id(archive: str | None, source: str | None, start: date, end: date) -> str:
    content = "\0".join((archive or "", source or "", start.isoformat(), end.isoformat()))
    # Eight digits: short enough to type, too short to look like a number of nine digits.
    return sha256(content.encode()).hexdigest()[:8]


def _linked(link: tuple[Event, int] | None) -> _Row:
    event, days = link or (None, None)
    return {
        "event": event.name if event else None,
        "event_kind": event.kind if event else None,
        "event_distance_days": days,
    }


def _causes(studies: pa.Table, stretch: _Stretch) -> list[_Row]:
    """Return the signals whose usual value is another inside than beside it, strongest first."""
    inside = _between(studies, stretch.start, stretch.end)
    if stretch.before:
        start = max(stretch.before.start, stretch.before.end - EDGE_MONTHS)
        beside = _between(studies, start, stretch.before.end)
    elif stretch.after:
        end = min(stretch.after.end, stretch.after.start + EDGE_MONTHS)
        beside = _between(studies, stretch.after.start, end)
    else:
        return []
    causes = []
    for signal in SIGNALS:
        if signal not in studies.column_names:
            continue
        usual, now = _counts(beside[signal]), _counts(inside[signal])
        strength = cramers_v(usual, now)
        values = _usual(usual), _usual(now)
        # Without a number there is no issuer beside it either: `place` has said so.
        told = signal == "bsn_issuer" and None in values
        if strength >= STRONG and values[0] != values[1] and not told:
            causes.append(
                {"signal": signal, "before": values[0], "inside": values[1], "strength": strength}
            )
    return sorted(causes, key=lambda cause: -float(cause["strength"] or 0))


def _between(studies: pa.Table, start: int, end: int) -> pa.Table:
    month = studies["study_month"]
    return studies.filter(
        pc.and_(pc.greater_equal(month, month_text(start)), pc.less(month, month_text(end)))
    )


def _counts(column: pa.ChunkedArray) -> dict[str | None, int]:
    return {pair["values"]: pair["counts"] for pair in pc.value_counts(column).to_pylist()}


def _usual(counts: dict[str | None, int]) -> str | None:
    return max(sorted(counts, key=lambda value: value or ""), key=counts.__getitem__)
