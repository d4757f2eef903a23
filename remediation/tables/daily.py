"""Daily counts: how many studies of each source and day have which status.

All that is said of time (coverage, periods, events) is counted from these, so that ten million
files need no more memory than their days do.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from remediation.tables.schemas import STATUSES

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
