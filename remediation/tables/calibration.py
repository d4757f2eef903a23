"""Calibration of places: where, and in which months, the values that pass the elfproef are BSNs.

A place is judged per archive, source, private creator and kind of issuer, and per stretch of
months in which its pass rate is the same: a field that held BSNs until a migration and local
numbers after it gets two verdicts, not one of their mixture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import pyarrow as pa

from remediation.model.events import UNKNOWN_MONTH, month_number, month_text
from remediation.model.issuers import ASSERTING
from remediation.model.statistics import calibrate
from remediation.tables.changepoints import segments
from remediation.tables.schemas import PLACES

_KEYS = ["archive", "source", "place", "private_creator", "issuer_kind"]
_COUNTS = ["values", "well_formed", "passing"]

_Counts = tuple[int, int, int]


def places_table(tallies: pa.Table) -> pa.Table:
    """Judge each place by its tallies: one row per stretch of months with one pass rate.

    Takes the columns archive, source, place, private_creator, issuer_kind, study_month, values,
    well_formed and passing, in any number of rows per month; values are counted once per study.
    Gives PLACES: `start` and `end` are months, `end` the first after; what has no month is one row
    with both `unknown`. Segments of one place adjoin, so that each month with values has one.

    Raises:
        ValueError: a month is neither YYYY-MM nor `unknown`, or more values pass than are formed.
    """
    summed = tallies.group_by([*_KEYS, "study_month"]).aggregate([(c, "sum") for c in _COUNTS])
    names = [*_KEYS, "study_month", *(f"{count}_sum" for count in _COUNTS)]
    order = [(name, "ascending") for name in names[: len(_KEYS) + 1]]
    columns = [summed.sort_by(order)[name].to_pylist() for name in names]
    rows: list[dict[str, Any]] = []
    for key, lines in groupby(zip(*columns, strict=True), key=lambda line: line[: len(_KEYS)]):
        months = {line[len(_KEYS)]: line[len(_KEYS) + 1 :] for line in lines}
        named = dict(zip(_KEYS, key, strict=True))
        rows.extend(named | segment for segment in _stretches(months))
    return pa.Table.from_pylist(rows, schema=PLACES)


def demoted(place: Mapping[str, Any]) -> bool:
    """Tell of a row of PLACES whether its issuer says BSN while its pass rate says it is none.

    >>> demoted({"verdict": "not-bsn", "issuer_kind": "bsn-oid"})
    True
    >>> demoted({"verdict": "not-bsn", "issuer_kind": "none"})
    False
    """
    return place["verdict"] == "not-bsn" and place["issuer_kind"] in ASSERTING


def doubted(place: Mapping[str, Any]) -> bool:
    """Tell of a row of PLACES whether its issuer says BSN, and too many of its numbers fail.

    >>> doubted({"verdict": "mixture", "issuer_kind": "bsn"})
    True
    """
    return place["verdict"] == "mixture" and place["issuer_kind"] in ASSERTING


def _stretches(months: dict[str, _Counts]) -> Iterator[dict[str, Any]]:
    undated = months.pop(UNKNOWN_MONTH, None)
    if months:
        dated = {month_number(month): counts for month, counts in months.items()}
        first, last = min(dated), max(dated)
        series = [dated.get(month, (0, 0, 0)) for month in range(first, last + 1)]
        for part in segments([c[2] for c in series], [c[1] for c in series]):
            start, end = month_text(first + part.start), month_text(first + part.end)
            yield _judged(start, end, series[part.start : part.end])
    if undated is not None:
        yield _judged(UNKNOWN_MONTH, UNKNOWN_MONTH, [undated])


def _judged(start: str, end: str, series: Iterable[_Counts]) -> dict[str, Any]:
    values, well_formed, passing = (sum(counts) for counts in zip(*series, strict=True))
    verdict = calibrate(well_formed, passing)
    return {
        "start": start,
        "end": end,
        "values": values,
        "well_formed": well_formed,
        "passing": passing,
        "pass_rate": verdict.pass_rate,
        "low": verdict.low,
        "high": verdict.high,
        "probability": verdict.probability,
        "verdict": verdict.verdict,
    }
