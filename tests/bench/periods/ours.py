"""The product: its periods of a history's daily counts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from bench.periods.found import Edge, Found
from bench.periods.histories import EPOCH, History
from remediation.tables.daily import DAILY
from remediation.tables.periods import Held, periods_table
from remediation.tables.schemas import STUDIES

TARGET = 0.95  # coverage


def ours(history: History) -> list[Found]:
    """Return the periods that `periods_table` finds, with no month held to be provisional."""
    held = Held(TARGET, history.events)
    table = periods_table(history.daily(), DAILY.empty_table(), held, _no_studies)
    return [
        Found(_edge(row, "start"), _edge(row, "end"), row["event"]) for row in table.to_pylist()
    ]


def _no_studies(*_: object, **__: object) -> pa.Table:
    return STUDIES.empty_table()


def _edge(row: dict[str, Any], side: str) -> Edge:
    day, low, high = (_number(row[name]) for name in (side, f"{side}_low", f"{side}_high"))
    assert day is not None
    return Edge(day, row[f"{side}_kind"], low, high)


def _number(day: date | None) -> int | None:
    return None if day is None else (day - EPOCH).days
