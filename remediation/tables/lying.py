"""Lying in periods: which studies of a table lie in which broken period, by whole columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.tables.codes import Flags, column_of, encoded, integers, numbers
from remediation.tables.rewrites import LATE
from remediation.tables.schemas import FILE

Period = Mapping[str, Any]
# Columns of STUDIES that tell.
COLUMNS = ("archive", "source", "StudyDate", "file_date")
_NO_DAY = np.iinfo(np.int32).min


class Lying:
    """The days and sources of some studies (of STUDIES, at least `COLUMNS`), to ask again."""

    def __init__(self, studies: pa.Table) -> None:
        self.names = {name: encoded(studies[name]) for name in ("archive", "source")}
        self.codes = {name: numbers(column) for name, column in self.names.items()}
        self.made, self.written = (
            integers(studies[name].cast(pa.int32()), _NO_DAY) for name in COLUMNS[2:]
        )

    def in_period(self, period: Period) -> Flags:
        """Tell of each study whether it lies in a period."""
        here = np.ones(len(self.made), dtype=bool)
        for name, column in self.names.items():
            at = pc.index(column.dictionary, period[name]).as_py()
            here &= self.codes[name] == (len(column.dictionary) if at < 0 else at)
        by_file = period["axis"] == FILE
        day = self.written if by_file else self.made
        start, end = (_number(period[name]) for name in ("start", "end"))
        here &= (day != _NO_DAY) & (day >= start) & (day < end)
        if by_file:
            here &= (self.made != _NO_DAY) & (self.written - self.made > LATE)
        return here

    def period_ids(self, periods: Iterable[Period]) -> pa.Array:
        """Return of each study the id of the first of these periods that it lies in, or null."""
        ids, codes = list[str](), np.full(len(self.made), -1)
        for period in periods:
            codes[(codes < 0) & self.in_period(period)] = len(ids)
            ids.append(period["period_id"])
        return column_of(ids, codes)


def _number(day: Any) -> int:
    return int(pa.scalar(day, pa.date32()).cast(pa.int32()).as_py())
