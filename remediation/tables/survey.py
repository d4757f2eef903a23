"""Survey: what was drawn of an archive in, estimated coverage with its interval out.

Studies are counted, each once, with the status that all its drawn instances share; so a study of
mixed instances is seen as such by chance only. Places are not calibrated: a sample is too small for
that, and a number that no issuer vouches for stays a candidate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from remediation.model.events import UNKNOWN_MONTH
from remediation.model.placement import Placement
from remediation.model.sampling import estimate
from remediation.tables.judge import Sources, judged
from remediation.tables.schemas import FINDINGS, INSTANCES, PLACES, STATUSES, SURVEY

Row = dict[str, Any]
Stratum = tuple[str, str, str]  # archive, source, month
_SCOPES = ("all", "archive", "year", "month")


@dataclass(frozen=True, slots=True)
class Drawn:
    """How the sample of one archive was drawn.

    Attributes:
        frame: `layout` (the months of its folders, each drawn from by itself) or `descent`.
        cells: parts that were drawn from by themselves.
        draws: ways taken from the top of a cell down.
        reads: files read.
        empty: draws that ended where no DICOM instance was found.
        containers: files read that are a zip, tar or gz: their first instance stands for them.
        outside: draws of studies outside the range.
        again: instances that were left out: their series had one in the sample.
        unreadable: instances that could not be read.
        by_file: studies without a folder of their own: large ones were drawn more often.
        split: studies met in more than one such folder: these as well.
    """

    archive: str
    frame: str
    cells: int
    draws: int
    reads: int
    folders_listed: int
    folders_lost: int
    empty: int
    containers: int
    outside: int
    again: int
    unreadable: int
    studies: int
    strata: int
    complete: int
    by_file: int
    split: int


def sampled_studies(
    rows: Iterable[Row], findings: Iterable[Row], sources: Sources, placement: Placement
) -> pa.Table:
    """Return STUDIES of what was drawn, judged by the code of `flag` without any calibration.

    Args:
        rows: rows of INSTANCES, at least the columns that `judged` takes and the source's.
        findings: rows of FINDINGS of the same files.
        sources: what a source is.
        placement: the target placement.
    """
    instances = pa.Table.from_pylist(list(rows), schema=INSTANCES)
    found = pa.Table.from_pylist(list(findings), schema=FINDINGS)
    return judged(instances, found, PLACES.empty_table(), sources, placement).studies


def stratum_of(study: Mapping[str, Any]) -> Stratum:
    """Return archive, source and month of a row of STUDIES."""
    return study["archive"], study["source"], study["study_month"]


def survey_table(
    studies: pa.Table, weights: Mapping[tuple[str, str], float], complete: Collection[Stratum]
) -> pa.Table:
    """Estimate coverage by source and month, by year, by archive, and of all together.

    Args:
        studies: STUDIES of what was drawn.
        weights: by archive and StudyInstanceUID: 1 / the chance to be drawn.
        complete: the strata of which as many were drawn as asked for, or nearly all.
    """
    groups: dict[tuple[str | None, ...], list[tuple[Row, float]]] = defaultdict(list)
    for row in studies.to_pylist():
        pair = row, weights[row["archive"], row["StudyInstanceUID"]]
        for key in _keys(row):
            groups[key].append(pair)
    rows = [_row(key, pairs, complete) for key, pairs in sorted(groups.items(), key=_order)]
    return pa.Table.from_pylist(rows, schema=SURVEY)


def _keys(row: Mapping[str, Any]) -> Iterable[tuple[str | None, ...]]:
    """Yield scope, archive, source, month and year of the rows that a study counts in."""
    archive, source, month = stratum_of(row)
    year = month if month == UNKNOWN_MONTH else month[:4]
    yield "all", None, None, None, None
    yield "archive", archive, None, None, None
    yield "year", archive, None, None, year
    yield "month", archive, source, month, year


def _order(item: tuple[tuple[str | None, ...], Any]) -> tuple[Any, ...]:
    scope, archive, source, month, year = item[0]
    return _SCOPES.index(scope or ""), archive or "", source or "", month or year or ""


def _row(
    key: tuple[str | None, ...],
    pairs: Collection[tuple[Row, float]],
    complete: Collection[Stratum],
) -> Row:
    found = estimate((row["status"] == "conformant", weight) for row, weight in pairs)
    statuses = [row["status"].replace("-", "_") for row, _ in pairs]
    return {
        **dict(zip(SURVEY.names[:5], key, strict=True)),
        "studies": found.drawn,
        **{status: statuses.count(status) for status in STATUSES},
        "coverage": found.share,
        "low": found.low,
        "high": found.high,
        "effective": found.effective,
        "design_effect": found.design_effect,
        "stands_for": found.stands_for,
        "complete": all(stratum_of(row) in complete for row, _ in pairs),
    }
