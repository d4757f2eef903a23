"""Weigh: findings and calibrated places in, what each finding is worth out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.places import stable
from remediation.tables.codes import (
    Numbers,
    column_of,
    distinct,
    encoded,
    integers,
    kept,
    mapped,
    numbers,
    one_of,
)

STRONG = frozenset({"asserted", "calibrated"})
_WEIGHED = frozenset({"asserted", "unasserted"})
_KEYS = ("archive", "source", "place", "private_creator", "issuer_kind")
_SAID = (*_KEYS, "study_month", "evidence")

Segments = dict[tuple[str, ...], list[tuple[str, str, str]]]


def segments(places: pa.Table) -> Segments:
    """Return per place the calibrated stretches: first month, month after the last, verdict."""
    found: Segments = defaultdict(list)
    for row in places.to_pylist():
        key = tuple(row[name] for name in _KEYS)
        found[key].append((row["start"], row["end"], row["verdict"]))
    return found


def weigh(finding: Mapping[str, Any], known: Segments) -> str:
    """Return a finding's evidence once its field is calibrated; it has its `source` beside it.

    `unasserted` becomes `calibrated` or `candidate`; `asserted` becomes `candidate` where the field
    behaves as one of local numbers does. What is not known to be either changes nothing.
    """
    evidence = str(finding["evidence"])
    if evidence not in _WEIGHED:
        return evidence
    key = tuple(finding[name] for name in _KEYS)
    month = finding["study_month"]
    verdict = next(
        (v for start, end, v in known.get(key, ()) if start == month or start <= month < end), ""
    )
    if evidence == "asserted":
        return "candidate" if verdict == "not-bsn" else "asserted"
    return "calibrated" if verdict == "bsn" else "candidate"


def weighed(instances: pa.Table, findings: pa.Table, places: pa.Table) -> pa.Table:
    """Return the findings of these instances, with what they are worth.

    Args:
        instances: archive, path and source.
        findings: FINDINGS; those of other files are left out.
        places: PLACES, the calibration.

    Returns:
        The findings in their order; `at`, the row of the instance, for their path; and `weight`.
    """
    at = _joined(instances, findings)
    found, at = kept(findings.drop_columns(["path"]), at >= 0), at[at >= 0]
    found = found.append_column("at", pa.array(at))
    return found.append_column("weight", _weights(found, instances["source"], places))


def _joined(instances: pa.Table, findings: pa.Table) -> Numbers:
    """Return the row of each finding's instance; -1 for none."""
    at = np.full(findings.num_rows, -1, dtype=np.int64)
    for archive in encoded(findings["archive"]).dictionary.to_pylist():
        own, others = (one_of(table["archive"], {archive}) for table in (findings, instances))
        paths = kept(findings.select(["path"]), own)["path"]
        hits = pc.index_in(paths, kept(instances.select(["path"]), others)["path"])
        rows = np.append(np.flatnonzero(others), -1)
        at[own] = rows[integers(hits)]
    return at


def _weights(found: pa.Table, source: pa.ChunkedArray, places: pa.Table) -> pa.Array:
    """Weigh each combination of what weighs once: of millions of findings there are a few."""
    evidence = encoded(found["evidence"])
    values = {name: code for code, name in enumerate(evidence.dictionary.to_pylist())}
    weights = numbers(evidence).copy()
    which = np.flatnonzero(one_of(evidence, _WEIGHED))
    rows = pa.array(which)
    columns = {name: found[name].take(rows) for name in _SAID if name != "source"}
    columns["source"] = source.take(found["at"].take(rows))
    columns["place"] = mapped(columns["place"], stable)
    own = pa.table(columns)
    codes, first = distinct(own.num_rows, (own[name] for name in _SAID))
    known = segments(places)
    said = [weigh(row, known) for row in own.take(pa.array(first)).to_pylist()]
    weights[which] = np.array([values.setdefault(one, len(values)) for one in said], int)[codes]
    return column_of(values, weights)
