"""Broken periods: stretches of days in which the BSN clearly stands wrong, per source.

Found without being told: change points divide a source's days, parts clearly below both the target
and the best that the source has shown are broken, and neighbours among these are one period.
What changed at its edges comes with a strength; the listed event that is near, with its distance.
Periods of all sources are held against each other: of those that are told, at most one in twenty is
expected to be chance (Y. Benjamini and Y. Hochberg, J. R. Statist. Soc. B 57, 1995).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.events import Event, first_day, month_of, nearest
from remediation.model.statistics import FALSE_DISCOVERIES, q_values, wilson
from remediation.tables.broken import Stretch, level, stretches
from remediation.tables.causes import EDGE, Between, causes
from remediation.tables.daily import by_source, on_days, total
from remediation.tables.division import (
    Days,
    Division,
    Edge,
    Part,
    Series,
    day_of,
    divide,
    number_of,
)
from remediation.tables.drifts import with_drifts
from remediation.tables.rewrites import Rewrite, rewrite
from remediation.tables.schemas import FILE, PERIODS, STATUSES, STUDY

FEWEST = 10  # studies: below this a stretch is too small to be called clearly broken
NO_CHANGE = {"open", "provisional"}  # ends at which no change is sure, so that no event explains it

_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """The days of one source, on one axis: what was judged, and what it was divided into."""

    archive: str | None
    source: str | None
    axis: str
    counts: pa.Table
    division: Division
    ends: tuple[int, int]  # months of the first and last study of the archive

    @property
    def key(self) -> tuple[str, str]:
        """Its archive and source, to sort by."""
        return self.archive or "", self.source or ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A stretch that may become a period, with provisional months that prolong it."""

    history: History
    stretch: Stretch
    end: int  # after provisional months
    extra: int  # studies in these


@dataclass(frozen=True, slots=True)
class Held:
    """What periods are held against.

    Attributes:
        target_coverage: what coverage should be.
        events: of the job file.
        provisional_from: days from that of its month on neither begin nor end a period; while
            they are as low, they prolong one that is open.
    """

    target_coverage: float
    events: Sequence[Event] = ()
    provisional_from: date | None = None


def periods_table(daily: pa.Table, late: pa.Table, held: Held, between: Between) -> pa.Table:
    """Find the broken periods of each archive and source, in order of these and of start.

    Args:
        daily: DAILY by StudyDate.
        late: DAILY by file_date, of studies whose file was written long after them.
        held: what they are held against.
        between: reads studies: for causes, and for what the files' dates say.

    Returns:
        PERIODS; `start` and `end` are days, half-open.
    """
    ends = _ends(daily)
    histories = list(_histories(daily, STUDY, held, ends))
    shown = [one for history in histories for one in _found(history, held.target_coverage)]
    best = {(one.archive, one.source): level(one.division) for one in histories}
    behind = [
        one
        for history in _histories(late, FILE, held, ends)
        for one in _found(
            history, held.target_coverage, best.get((history.archive, history.source), 0)
        )
    ]
    tested = len({(one.archive, one.source) for one in histories})
    told = _held_against(shown + behind, tested)
    sure = [one for one, _ in told if one.history.axis == STUDY]
    told.sort(key=lambda pair: pair[0].history.key)  # the studies of a source are read once
    rows = [
        _row(one, chance, held.events, between)
        for one, chance in told
        if one.history.axis == STUDY or not _explained(one, sure, between)
    ]
    order = sorted(rows, key=lambda row: (row["archive"] or "", row["source"] or "", row["start"]))
    return pa.Table.from_pylist(order, schema=PERIODS)


def _ends(counts: pa.Table) -> dict[str | None, tuple[int, int]]:
    """Return the months of the first and last study of each archive."""
    dated = counts.filter(pc.is_valid(counts["day"]))
    ends = dated.group_by("archive").aggregate([("day", "min"), ("day", "max")])
    return {
        row["archive"]: (month_of(row["day_min"]), month_of(row["day_max"]))
        for row in ends.to_pylist()
    }


def _histories(
    counts: pa.Table, axis: str, held: Held, ends: Mapping[str | None, tuple[int, int]]
) -> Iterator[History]:
    first = held.provisional_from
    limit = number_of(first.replace(day=1)) if first else None
    for archive, source, own in by_source(counts):
        days, conformant, studies = (_ints(own[name]) for name in ("day", "conformant", "studies"))
        settled = days < limit if limit is not None else np.full(len(days), fill_value=True)
        series = Series.of(days[settled], conformant[settled], studies[settled])
        division = with_drifts(divide(series), series)
        yield History(archive, source, axis, own, division, ends[archive])


def _found(history: History, target: float, best_known: float = 0.0) -> Iterator[_Found]:
    for stretch in stretches(history.division, target, best_known):
        end, extra = stretch.end, 0
        if stretch.after is None:
            last = first_day(month_of(day_of(stretch.end - 1)) + 1)
            halfway = (stretch.successes / stretch.trials + target) / 2
            prolonged = _prolonged(history, last, halfway)
            end = number_of(prolonged)
            extra = total(on_days(history.counts, day_of(stretch.end), prolonged))
        if stretch.trials + extra >= FEWEST:
            yield _Found(history, stretch, end, extra)


def _prolonged(history: History, end: date, halfway: float) -> date:
    """Return the end of an open period: after provisional months nearer to it than to target.

    Months without studies are passed over.
    """
    days = history.counts["day"]
    last, month = end, month_of(end)
    while month <= month_of(days[-1].as_py()):
        after = first_day(month + 1)
        inside = on_days(history.counts, first_day(month), after)
        studies = total(inside)
        if studies and total(inside, "conformant") / studies >= halfway:
            break
        last, month = after if studies else last, month + 1
    return last


def _explained(one: _Found, found: Sequence[_Found], between: Between) -> bool:
    """Tell whether a stretch of file dates is that of periods which StudyDate shows already."""
    history = one.history
    inside = between(
        history.archive, history.source, FILE, day_of(one.stretch.start), day_of(one.end)
    )
    broken = inside.filter(pc.not_equal(inside["status"], "conformant"))
    if not broken.num_rows:
        return True
    days = _ints(broken["StudyDate"])
    known = np.zeros(len(days), dtype=bool)
    for other in found:
        same = other.history.archive, other.history.source
        if same == (history.archive, history.source):
            known |= (days >= other.stretch.start) & (days < other.end)
    return bool(known.mean() >= 0.5)  # noqa: PLR2004 - most of them


def _held_against(found: Sequence[_Found], tested: int) -> list[tuple[_Found, float | None]]:
    """Return what is not chance, with its q value; sources without a stretch are tests as well."""
    with_one = {(one.history.archive, one.history.source) for one in found}
    values = q_values([one.stretch.p_value for one in found], more=tested - len(with_one))
    pairs = zip(found, values, strict=True)
    return [(one, value) for one, value in pairs if value is None or value <= FALSE_DISCOVERIES]


def _row(one: _Found, q_value: float | None, events: Sequence[Event], between: Between) -> _Row:
    history, stretch = one.history, one.stretch
    opens = month_of(day_of(stretch.start)) <= history.ends[0] and stretch.before is None
    first = first_day(month_of(day_of(stretch.start)))
    start = first if stretch.before is None else day_of(stretch.start)
    end = day_of(one.end)
    ends = _end_kind(history, end) if stretch.after is None else ""
    inside = on_days(history.counts, start, end)
    counts = {name: total(inside, name) for name in ("studies", *STATUSES)}
    wrong = {name: counts[name] for name in STATUSES if name != "conformant"}
    conformant, studies = counts["conformant"], counts["studies"]
    low, high = wilson(conformant, studies)
    written = _rewritten(history, start, end, between)
    # Where the data begin or end nothing changed, so no event explains that edge.
    edges = [*([] if opens else [start]), *([] if ends in NO_CHANGE else [end])]
    if written:
        edges = [day_of(written.start)]
    return {
        "period_id": _period_id(history, start, end),
        "archive": history.archive,
        "source": history.source,
        "axis": history.axis,
        "start": start,
        "end": end,
        **_edge("start", stretch.start_edge, _kind(stretch.parts[0], stretch.before, "first")),
        **_edge(
            "end",
            stretch.end_edge,
            _kind(stretch.parts[-1], stretch.after, ends),
        ),
        "studies": studies,
        "coverage": conformant / studies,
        "coverage_before": stretch.before.rate if stretch.before else None,
        "coverage_after": stretch.after.rate if stretch.after else None,
        "low": low,
        "high": high,
        "dispersion": history.division.dispersion,
        "p_value": stretch.p_value,
        "q_value": q_value,
        "steps": list(_steps(history, stretch, start, end)),
        "dominant_status": max(wrong, key=wrong.__getitem__).replace("_", "-"),
        "written_start": day_of(written.start) if written else None,
        "written_end": day_of(written.end) if written else None,
        "written_share": written.share if written else None,
        "causes": _causes(history, stretch, (start, end), between),
        **_linked(nearest(events, edges, history.archive or "")),
    }


def _end_kind(history: History, end: date) -> str:
    """Return how a period ends after which nothing is settled."""
    if month_of(end) > history.ends[1]:
        return "open"
    later = history.counts["day"][-1].as_py() >= end
    return "provisional" if later else "stopped"


def _kind(part: Part, beside: Part | None, otherwise: str) -> str:
    if beside is None:
        return otherwise
    return "drift" if part.drift else "jump"


def _edge(name: str, edge: Edge | None, kind: str) -> _Row:
    low, high = (day_of(edge.low), day_of(edge.high)) if edge else (None, None)
    return {f"{name}_kind": kind, f"{name}_low": low, f"{name}_high": high}


def _steps(history: History, stretch: Stretch, start: date, end: date) -> Iterator[_Row]:
    bounds = [start, *(day_of(part.start) for part in stretch.parts[1:]), end]
    for first, last in pairwise(bounds):
        inside = on_days(history.counts, first, last)
        yield {
            "start": first,
            "end": last,
            "studies": total(inside),
            "conformant": total(inside, "conformant"),
        }


def _period_id(history: History, start: date, end: date) -> str:
    axis = () if history.axis == STUDY else (history.axis,)
    content = "\0".join(
        (history.archive or "", history.source or "", *axis, start.isoformat(), end.isoformat())
    )
    # Eight digits: short enough to type, too short to look like a number of nine digits.
    return sha256(content.encode()).hexdigest()[:8]


def _linked(link: tuple[Event, int] | None) -> _Row:
    event, days = link or (None, None)
    return {
        "event": event.name if event else None,
        "event_kind": event.kind if event else None,
        "event_start": event.start if event else None,
        "event_distance_days": days,
    }


def _rewritten(history: History, start: date, end: date, between: Between) -> Rewrite | None:
    if history.axis == FILE:
        return None
    of = history.archive, history.source, STUDY
    inside = between(*of, start, end)
    return rewrite(inside, between(*of, start - 2 * EDGE, end + 2 * EDGE))


def _causes(
    history: History, stretch: Stretch, bounds: tuple[date, date], between: Between
) -> list[_Row]:
    of, (start, end) = (history.archive, history.source, history.axis), bounds
    at_start = at_end = None
    if stretch.before:
        usual = between(*of, max(start - EDGE, day_of(stretch.before.start)), start)
        at_start = usual, between(*of, start, min(end, start + EDGE))
    if stretch.after:
        later = between(*of, end, min(end + EDGE, day_of(stretch.after.end)))
        at_end = later, between(*of, max(start, end - EDGE), end)
    return causes(at_start, at_end)


def _ints(column: pa.ChunkedArray) -> Days:
    plain = column.cast(pa.int32()) if pa.types.is_date32(column.type) else column
    return np.asarray(plain.to_numpy(), dtype=np.int64)
