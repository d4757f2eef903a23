"""The product: its periods of a history's daily counts."""

from __future__ import annotations

from datetime import date
from inspect import signature
from typing import Any

import pyarrow as pa

from bench.periods.found import Edge, Found
from bench.periods.histories import EPOCH, History
from remediation.tables.daily import DAILY
from remediation.tables.periods import periods_table
from remediation.tables.schemas import STUDIES

TARGET = 0.95  # coverage


def ours(history: History) -> list[Found]:
    """Return the periods that `periods_table` finds, with no month held to be provisional."""
    if "studies" in signature(periods_table).parameters:  # the one before days
        return _before(history)
    table = periods_table(
        history.daily(),
        DAILY.empty_table(),
        history.events,
        TARGET,
        provisional_from=None,
        between=_no_studies,
    )
    return [
        Found(_edge(row, "start"), _edge(row, "end"), row["event"]) for row in table.to_pylist()
    ]


def _before(history: History) -> list[Found]:
    import numpy as np

    day = history.days.astype("datetime64[D]")
    month = np.datetime_as_string(day.astype("datetime64[M]"))
    flags = (("conformant", history.conformant), ("absent", history.studies - history.conformant))
    parts = [
        pa.table({"study_month": np.repeat(month, n).tolist(), "status": [s] * int(n.sum())})
        for s, n in flags
    ]
    rows = pa.concat_tables(parts)
    own = pa.table(
        {
            "archive": ["a"] * len(rows),
            "source": ["s"] * len(rows),
            "study_month": rows["study_month"],
            "status": rows["status"],
        }
    )
    table = periods_table(own, [], TARGET, None)
    first, last = int(history.days[0]), int(history.days[-1]) + 1
    found = []
    for row in table.to_pylist():
        a, b = _number(row["start"]), _number(row["end"])
        found.append(
            Found(
                Edge(max(a, first), "first" if a <= first else "jump"),
                Edge(min(b, last), "open" if b >= last else "jump"),
            )
        )
    return found


def _no_studies(*_: object, **__: object) -> pa.Table:
    return STUDIES.empty_table()


def _edge(row: dict[str, Any], side: str) -> Edge:
    day, low, high = (_number(row[name]) for name in (side, f"{side}_low", f"{side}_high"))
    assert day is not None
    return Edge(day, row[f"{side}_kind"], low, high)


def _number(day: date | None) -> int | None:
    return None if day is None else (day - EPOCH).days
