"""Judged: what `flag` found, read again; places, periods, events and coverage out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from remediation.errors import UsageError
from remediation.store import datasets
from remediation.tables.coverage import coverage_table
from remediation.tables.daily import daily
from remediation.tables.rewrites import written_late
from remediation.tables.schemas import COVERAGE, EVENTS, FILE, PERIODS, PLACES, STUDIES

Row = Mapping[str, Any]
_SCHEMAS = {"places": PLACES, "periods": PERIODS, "events": EVENTS, "coverage": COVERAGE}
_FLAG = "remediation flag"


@dataclass(frozen=True, slots=True)
class JudgedOptions:
    """Where the datasets lie, and with which key they were made."""

    output: Path
    key_id: str


def run(options: JudgedOptions, name: str) -> tuple[dict[str, Any], ...]:
    """Return the rows of a dataset that `flag` made: places, periods, events or coverage.

    Raises:
        DatasetError: `flag` has not run, or ran with an older version; or the file is damaged.
        KeyFileError: it was made with another key.
    """
    return tuple(table(options, name, _SCHEMAS[name]).to_pylist())


def table(options: JudgedOptions, name: str, schema: pa.Schema) -> pa.Table:
    """Return a dataset that `flag` made; raises as `run` does."""
    path = options.output / f"{name}.parquet"
    return datasets.read(path, schema, options.key_id, _FLAG)


def one_period(periods: Iterable[Row], beginning: str) -> int:
    """Return where the period lies whose id begins so; no two may.

    Raises:
        UsageError: none does, or several do.

    >>> one_period([{"period_id": "1a2b"}, {"period_id": "1b2c"}], "1b")
    1
    >>> one_period([{"period_id": "1a2b"}, {"period_id": "1b2c"}], "1")
    Traceback (most recent call last):
    ...
    remediation.errors.UsageError: two or more periods begin so: give more of the id: 1a2b, 1b2c
    """
    beginning = beginning.strip().lower()
    ids = [str(row["period_id"]) for row in periods]
    found = [at for at, one in enumerate(ids) if beginning and one.startswith(beginning)]
    if not found:
        raise UsageError("no such period", "", "`remediation periods list` shows them")
    if len(found) > 1 and beginning not in ids:
        named = ", ".join(ids[at] for at in found)
        raise UsageError("two or more periods begin so", "", f"give more of the id: {named}")
    return ids.index(beginning) if beginning in ids else found[0]


def by_axis(options: JudgedOptions, period: Row) -> tuple[Row, ...]:
    """Return coverage by month as a period counts them: months of studies, or of late files.

    Rows of files have the columns of COVERAGE that a plot needs.
    """
    if period["axis"] != FILE:
        return run(options, "coverage")
    own = (pc.field("archive") == period["archive"]) & (pc.field("source") == period["source"])
    late = datasets.read_rows(
        options.output / "studies.parquet",
        STUDIES,
        options.key_id,
        _FLAG,
        columns=("archive", "source", "status", "file_date"),
        where=own & written_late(),
    )
    return tuple(coverage_table(daily(late, "file_date"), None).to_pylist())
