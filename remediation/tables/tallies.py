"""Tallies: of the filled identifier places, how many hold a number, and how many pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from remediation.tables.schemas import TALLIES

SOURCE_COLUMNS = (
    "InstitutionName",
    "StationName",
    "Manufacturer",
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
)
# What of the instances is counted.
TALLIED = ("archive", "study_month", "StudyInstanceUID", *SOURCE_COLUMNS, "identifiers")
_PLACES = ("archive", "source", "place", "private_creator", "issuer_kind")
_AT_A_TIME = 10_000
_COUNTED = {"well-formed", "passing"}


def tallies(instances: pa.Table) -> pa.Table:
    """Count the values of one partition of instances, each study, place and kind once.

    A study of five hundred files says its number once: files of one study are no independent
    sample, and a pass rate over them would look surer than it is.
    """
    seen: set[tuple[object, ...]] = set()
    counts: dict[tuple[object, ...], Counter[str]] = {}
    for row in _rows(instances):
        head = (row["archive"], row["study_month"], *(row[name] for name in SOURCE_COLUMNS))
        for one in row["identifiers"] or ():
            place = (one["place"], one["private_creator"], one["issuer_kind"])
            once = (row["StudyInstanceUID"], *place, one["shape"])
            if once in seen:
                continue
            seen.add(once)
            counter = counts.setdefault((*head, *place), Counter())
            counter["values"] += 1
            counter["well_formed"] += one["shape"] in _COUNTED
            counter["passing"] += one["shape"] == "passing"
    names = [field.name for field in TALLIES]
    rows = [
        dict(zip(names, (*key, c["values"], c["well_formed"], c["passing"]), strict=True))
        for key, c in sorted(counts.items(), key=lambda pair: tuple(map(str, pair[0])))
    ]
    return pa.Table.from_pylist(rows, schema=TALLIES)


def summed(tables: Iterable[pa.Table]) -> pa.Table:
    """Sum tallies that have their `source`: one row for each month of a place of a source."""
    keys, counts = [*_PLACES, "study_month"], ["values", "well_formed", "passing"]
    kinds = {name: pa.string() for name in keys} | {name: pa.int64() for name in counts}
    schema = pa.schema(list(kinds.items()))
    found = [schema.empty_table()]
    for table in tables:
        own = table.select(schema.names).cast(schema)
        sums = own.group_by(keys).aggregate([(name, "sum") for name in counts])
        found.append(sums.rename_columns(schema.names))
    return pa.concat_tables(found)


def _rows(instances: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield rows a few at a time: as Python objects they are large, and a month may have many."""
    for batch in instances.select(TALLIED).to_batches(_AT_A_TIME):
        yield from batch.to_pylist()
