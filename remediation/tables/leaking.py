"""Leaking: findings outside the identifier places, counted by place and source; no values."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.places import IDENTIFIER_KINDS, stable
from remediation.tables.codes import kept, mapped, one_of

FINDING_COLUMNS = ("archive", "StudyInstanceUID", "place", "private_creator", "place_kind")
_PLACE = ["place", "private_creator", "place_kind"]
_NOTHING = pa.table(
    {name: pa.array([], pa.string()) for name in _PLACE}
    | {name: pa.array([], pa.int64()) for name in ("study", "count_all")}
)
_NO_LEAK = IDENTIFIER_KINDS | {"historic"}


def leaking(findings: Iterable[pa.Table], studies: pa.Table) -> pa.Table:
    """Return one row per place, archive and source, those of the most findings first.

    Args:
        findings: FINDINGS in parts, at least `FINDING_COLUMNS`; those of other studies are left
            out. Memory holds one part, and each study with a leak as a number.
        studies: STUDIES, at least archive, StudyInstanceUID and source.

    Returns:
        place (without item numbers), private_creator, place_kind, archive, source, `findings` and
        `studies`.
    """
    own = {
        archive: _rows_of(studies, archive) for archive in pc.unique(studies["archive"]).to_pylist()
    }
    found = [
        _of_studies(part.filter(pc.equal(part["archive"], archive)), *own[archive])
        for part in findings
        for archive in pc.unique(part["archive"]).to_pylist()
        if archive in own
    ]
    return _summed(pa.concat_tables(found) if found else _NOTHING, studies)


def _rows_of(studies: pa.Table, archive: str) -> tuple[pa.Array, np.ndarray]:
    rows = np.flatnonzero(one_of(studies["archive"], {archive}))
    return studies["StudyInstanceUID"].take(pa.array(rows)).combine_chunks(), rows


def _of_studies(findings: pa.Table, uids: pa.Array, rows: np.ndarray) -> pa.Table:
    """Count the leaks of each study at each place; a study as its row."""
    part = kept(findings, ~one_of(findings["place_kind"], _NO_LEAK))
    at = pc.index_in(part["StudyInstanceUID"].cast(pa.string()), uids)
    columns = {name: mapped(part[name], str, null="") for name in _PLACE[1:]}
    columns["place"] = mapped(part["place"], stable, null="")
    columns["study"] = pa.array(rows, pa.int64()).take(at)
    table = pa.table(columns)
    table = table.filter(table["study"].is_valid())
    return table.group_by([*_PLACE, "study"]).aggregate([([], "count_all")])


def _summed(found: pa.Table, studies: pa.Table) -> pa.Table:
    once = found.group_by([*_PLACE, "study"]).aggregate([("count_all", "sum")])
    for name in ("archive", "source"):
        once = once.append_column(name, studies[name].take(once["study"]))
    by = once.group_by([*_PLACE, "archive", "source"])
    rows = by.aggregate([("count_all_sum", "sum"), ([], "count_all")])
    rows = rows.rename_columns([*_PLACE, "archive", "source", "findings", "studies"])
    named = [(name, "ascending") for name in (*_PLACE, "archive", "source")]
    return rows.sort_by([("findings", "descending"), *named])
