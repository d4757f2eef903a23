"""Daily counts: how many studies of each source and day have which status.

All that is said of time (coverage, periods, events) is counted from these, so that ten million
files need no more memory than their days do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from remediation.tables.schemas import STATUSES

EARLIEST = date(1970, 1, 1)  # films of before were digitised, but not as years of an archive
KEYS = ("archive", "source", "day")
DAILY = pa.schema(
    [
        ("archive", pa.string()),
        ("source", pa.string()),
        ("day", pa.date32()),  # null: without a date
        ("studies", pa.int64()),
        *((status, pa.int64()) for status in STATUSES),
    ]
)


def daily(studies: pa.Table, day: str = "StudyDate") -> pa.Table:
    """Count studies by archive, source and day; gives DAILY.

    Takes columns archive, source, status and the one that `day` names, of STUDIES.
    """
    flags = {
        status: pc.cast(pc.equal(studies["status"], status.replace("_", "-")), pa.int64())
        for status in STATUSES
    }
    ones = pc.cast(pc.is_valid(studies["status"]), pa.int64())
    keys = {"archive": studies["archive"], "source": studies["source"], "day": studies[day]}
    return together([pa.table(keys | {"studies": ones} | flags)])


def together(tables: Iterable[pa.Table]) -> pa.Table:
    """Sum tables of daily counts into one, in order of archive, source and day."""
    all_ = pa.concat_tables([DAILY.empty_table(), *(table.cast(DAILY) for table in tables)])
    counts = ("studies", *STATUSES)
    summed = all_.group_by(list(KEYS)).aggregate([(name, "sum") for name in counts])
    columns = [*(summed[key] for key in KEYS), *(summed[f"{name}_sum"] for name in counts)]
    order = [(key, "ascending") for key in KEYS]
    return pa.table(columns, schema=DAILY).sort_by(order)


def probable(counts: pa.Table, today: date | None) -> pa.Table:
    """Return daily counts without days that no study is of: before 1970, and after today.

    Undated studies stay. Such days are typing errors; between them and the rest lie decades.
    """
    day = counts["day"]
    keep = pc.greater_equal(day, EARLIEST)
    if today:
        keep = pc.and_(keep, pc.less_equal(day, today))
    return counts.filter(pc.fill_null(keep, fill_value=True))


def on_days(counts: pa.Table, start: date, end: date) -> pa.Table:
    """Return the rows of days [start, end)."""
    day = counts["day"]
    return counts.filter(pc.and_(pc.greater_equal(day, start), pc.less(day, end)))


def total(counts: pa.Table, name: str = "studies") -> int:
    """Return how many studies there are, or how many of a status."""
    return pc.sum(counts[name]).as_py() or 0


def by_source(counts: pa.Table) -> Iterator[tuple[str | None, str | None, pa.Table]]:
    """Yield archive, source and the rows of each source, in order of day; undated ones left out."""
    dated = counts.filter(pc.is_valid(counts["day"])).combine_chunks()
    at = 0
    # Groups come in no order that Arrow promises; the counts are in that of archive and source.
    order = [(key, "ascending") for key in KEYS[:2]]
    grouped = dated.group_by(list(KEYS[:2])).aggregate([([], "count_all")]).sort_by(order)
    for row in grouped.to_pylist():
        yield row["archive"], row["source"], dated.slice(at, row["count_all"])
        at += row["count_all"]
