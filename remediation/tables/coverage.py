"""Coverage: which share of the studies is conformant, per archive, source and month.

The share is of studies, not instances; unreadable studies stay in the denominator. This is the
coverage of an archive: not the share of what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.events import UNKNOWN_MONTH, first_day, month_of
from remediation.model.statistics import wilson
from remediation.tables.daily import EARLIEST
from remediation.tables.schemas import COVERAGE, STATUSES

_KEYS = ["archive", "source", "study_month"]
_COUNTS = ["studies", *STATUSES]


@dataclass(frozen=True, slots=True)
class Overall:
    """Coverage of all studies together; `coverage` is None where there are none.

    `low` and `high` are the 95 % Wilson interval.
    """

    studies: int
    conformant: int
    coverage: float | None
    low: float
    high: float


def coverage_table(
    daily: pa.Table, provisional_from: date | None, today: date | None = None
) -> pa.Table:
    """Count the studies of each month by status, with the coverage and its 95 % interval.

    Takes DAILY; gives COVERAGE, in order of archive, source and month (`unknown` last: of studies
    without a day). Provisional are the months from that of `provisional_from` on: numbers are
    verified late. Improbable are those before 1970, and after that of today where it is told.
    """
    months = pc.fill_null(pc.strftime(daily["day"], format="%Y-%m"), UNKNOWN_MONTH)
    counted = (
        daily.append_column("study_month", months)
        .group_by(_KEYS)
        .aggregate([(name, "sum") for name in _COUNTS])
    )
    columns = {key: counted[key] for key in _KEYS}
    columns |= {name: counted[f"{name}_sum"] for name in _COUNTS}
    bounds = [
        wilson(conformant, total)
        for conformant, total in zip(
            columns["conformant"].to_pylist(), columns["studies"].to_pylist(), strict=True
        )
    ]
    columns["coverage"] = pc.divide(
        pc.cast(columns["conformant"], pa.float64()), pc.cast(columns["studies"], pa.float64())
    )
    columns["low"] = pa.array([low for low, _ in bounds], pa.float64())
    columns["high"] = pa.array([high for _, high in bounds], pa.float64())
    months = columns["study_month"]
    columns["provisional"] = _from(months, provisional_from)
    early = pc.less(months, f"{EARLIEST:%Y-%m}")
    after = first_day(month_of(today) + 1) if today else None
    columns["improbable"] = pc.or_(early, _from(months, after))
    table = pa.table([columns[name] for name in COVERAGE.names], names=COVERAGE.names)
    return table.cast(COVERAGE).sort_by([(key, "ascending") for key in _KEYS])


def _from(months: pa.ChunkedArray, first: date | None) -> pa.ChunkedArray:
    """Tell of each month whether it is that of a day, or later."""
    if first is None:
        return pa.array([False] * len(months), pa.bool_())
    late = pc.greater_equal(months, f"{first:%Y-%m}")
    return pc.and_(late, pc.not_equal(months, UNKNOWN_MONTH))


def overall(studies: pa.Table) -> Overall:
    """Return the coverage of all studies together, those without a date included."""
    total = studies.num_rows
    conformant = pc.sum(pc.equal(studies["status"], "conformant")).as_py() or 0
    low, high = wilson(conformant, total)
    return Overall(total, conformant, conformant / total if total else None, low, high)
