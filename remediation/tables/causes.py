"""Causes: signals whose usual value is another inside a period than beside it, with their strength.

Compared is what lies within a year of an edge, on either side: what was usual longer ago explains
no edge. Source: W. Bergsma (see `statistics`) for the strength.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.statistics import cramers_v

EDGE = timedelta(days=365)
STRONG = 0.3  # Cramer's V from which a signal is named
SIGNALS = (
    "place",
    "bsn_issuer",
    "IssuerOfPatientID",
    "patient_id_shape",
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
    "InstitutionName",
    "Manufacturer",
    "StationName",
    "TransferSyntaxUID",
    "file_age",
)

Row = dict[str, Any]
# Studies of an archive and source on days [start, end) of an axis: rows of STUDIES.
Between = Callable[[str | None, str | None, str, date, date], pa.Table]


def causes(
    at_start: tuple[pa.Table, pa.Table] | None, at_end: tuple[pa.Table, pa.Table] | None
) -> list[Row]:
    """Return what changed at a period's edges, strongest first; gives rows of CAUSE.

    Takes studies beside an edge and inside it, for each edge at which something changed. A change
    that the end only takes back is told once, at the start.
    """
    found = _changes(*at_start, "start") if at_start else []
    told = {(one["signal"], one["inside"]) for one in found}
    ends = _changes(*at_end, "end") if at_end else []
    return found + [one for one in ends if (one["signal"], one["inside"]) not in told]


def _changes(beside: pa.Table, inside: pa.Table, edge: str) -> list[Row]:
    found = []
    for signal in SIGNALS:
        usual, now = _counts(beside[signal]), _counts(inside[signal])
        strength = cramers_v(usual, now)
        values = _usual(usual), _usual(now)
        # Without a number there is no issuer beside it either: `place` has said so.
        said = signal == "bsn_issuer" and None in values
        if strength >= STRONG and values[0] != values[1] and not said:
            found.append(
                {"signal": signal, "before": values[0], "inside": values[1]}
                | {"strength": strength, "edge": edge}
            )
    return sorted(found, key=lambda one: -float(one["strength"]))


def _counts(column: pa.ChunkedArray) -> dict[str | None, int]:
    return {pair["values"]: pair["counts"] for pair in pc.value_counts(column).to_pylist()}


def _usual(counts: dict[str | None, int]) -> str | None:
    return max(sorted(counts, key=lambda value: value or ""), key=counts.__getitem__, default=None)
