"""Faulty: what stands where in broken periods, by place, issuer and software, for a PACS vendor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from remediation.tables.codes import kept, one_of
from remediation.tables.lying import COLUMNS, Lying, Period

_BY = ("status", "place", "bsn_issuer", "Manufacturer", "ImplementationVersionName")
STUDY_COLUMNS = (*dict.fromkeys([*COLUMNS, *_BY]), "StudyInstanceUID")
Row = dict[str, Any]


def faulty(studies: pa.Table, periods: Iterable[Period], examples: int = 0) -> Iterator[Row]:
    """Yield one row per period and kind of fault, the most frequent of a period first.

    Args:
        studies: STUDIES, at least `STUDY_COLUMNS`.
        periods: of PERIODS, in the order wanted.
        examples: how many StudyInstanceUIDs to name in a row.

    Yields:
        The period's period_id, archive, source, axis, start and end; status, place, bsn_issuer,
        Manufacturer, ImplementationVersionName; `studies`, `first` and `last` (StudyDate), and
        `examples`.
    """
    wrong = kept(studies, ~one_of(studies["status"], {"conformant"}))
    filled = {name: pc.fill_null(wrong[name].cast(pa.string()), "") for name in _BY}
    wrong = pa.table(filled | {name: wrong[name] for name in (*COLUMNS, "StudyInstanceUID")})
    lying = Lying(wrong)
    for period in periods:
        own = wrong.filter(pa.array(lying.in_period(period)))
        said = {name: period[name] for name in ("period_id", "archive", "source", "axis")}
        said |= {name: period[name] for name in ("start", "end")}
        for row in _counted(own):
            yield said | row | {"examples": _named(own, row, examples) if examples else []}


def _counted(own: pa.Table) -> list[Row]:
    days = [("StudyDate", "min"), ("StudyDate", "max")]
    found = own.group_by(list(_BY)).aggregate([([], "count_all"), *days])
    found = found.rename_columns([*_BY, "studies", "first", "last"])
    order = [("studies", "descending"), *((name, "ascending") for name in _BY)]
    return list(found.sort_by(order).to_pylist())


def _named(own: pa.Table, row: Row, examples: int) -> list[str]:
    alike = pc.scalar(True)
    for name in _BY:
        alike &= pc.field(name) == row[name]
    return sorted(own.filter(alike)["StudyInstanceUID"].to_pylist())[:examples]
