"""Gather: finished datasets in, counts out. Whatever stage has not run leaves its part None."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from remediation.app.report.history import History, history
from remediation.model.places import IDENTIFIER_KINDS
from remediation.store import datasets
from remediation.store.files import guarded
from remediation.store.inventory import Inventory
from remediation.tables.schemas import (
    COVERAGE,
    EVENTS,
    IDENTITIES,
    INVENTORY,
    MIXED,
    PERIODS,
    PLACES,
    STUDIES,
)

Row = dict[str, Any]
WORKLISTS = tuple(Path("worklists") / f"{name}.csv" for name in ("registratie", "verwisselingen"))
_REASON_COLUMN = 3
_STUDY = ["archive", "StudyInstanceUID"]
# Of each dataset: its schema, the columns that are told of, and the command that makes it.
_DATASETS = {
    "studies": (STUDIES, [*_STUDY, "status"], "flag"),
    "coverage": (COVERAGE, COVERAGE.names, "flag"),
    "periods": (PERIODS, PERIODS.names, "flag"),
    "events": (EVENTS, EVENTS.names, "flag"),
    "places": (PLACES, PLACES.names, "flag"),
    "mixed": (MIXED, ["archive", "status"], "flag"),
    "identities": (
        IDENTITIES,
        [*_STUDY, "outcome", "reason", "exemption", "warnings"],
        "match",
    ),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the report tells, as counts; None where the stage that would know has not run.

    Attributes:
        statuses: studies per status.
        outcomes: studies per (status, outcome, reason, exemption).
        warnings: studies per (outcome, warning).
        coverage, periods, events, places: rows of these datasets, in their order.
        mixed: instances of mixed studies per (archive, status).
        files: files per (archive, state, error).
        leaks: rows of place, private_creator, place_kind, archive, findings, studies.
        crawls: rows of archive, run_id, crawled_at, files.
        listed: lines per reason of the worklists of patients: the registration desk's, and that of
            possible mix-ups.
        missing: commands that have not run yet.
    """

    statuses: Mapping[str, int] | None
    outcomes: Mapping[tuple[str, str, str, str], int] | None
    warnings: Mapping[tuple[str, str], int]
    coverage: tuple[Row, ...] | None
    periods: tuple[Row, ...] | None
    events: tuple[Row, ...] | None
    places: tuple[Row, ...] | None
    mixed: Mapping[tuple[str, str], int]
    files: Mapping[tuple[str, str, str], int]
    leaks: tuple[Row, ...]
    crawls: tuple[Row, ...]
    listed: Mapping[str, int] | None
    history: History
    missing: tuple[str, ...]


def gather(output: Path, key_id: str) -> Facts:
    """Read what an output folder holds.

    Raises:
        DatasetError: there is no inventory, or a dataset is damaged.
        KeyFileError: a dataset was made with another key.
    """
    inventory = Inventory(output, key_id, INVENTORY)
    inventory.require()
    found = {name: _dataset(output, name, key_id) for name in _DATASETS}
    studies, identities = found["studies"], found["identities"]
    lacking = [name for name, table in found.items() if table is None and name != "mixed"]
    missing = dict.fromkeys(_DATASETS[name][2] for name in lacking)
    return Facts(
        statuses=None if studies is None else _tally(studies, "status"),
        outcomes=None if studies is None or identities is None else _outcomes(studies, identities),
        warnings={} if identities is None else _warnings(identities),
        coverage=_rows(found["coverage"]),
        periods=_rows(found["periods"]),
        events=_rows(found["events"]),
        places=_rows(found["places"]),
        mixed={} if found["mixed"] is None else _mixed(found["mixed"]),
        files=_files(inventory),
        leaks=_leaks(inventory),
        crawls=_crawls(inventory),
        listed=_listed(output),
        history=history(output),
        missing=tuple(missing),
    )


def _dataset(output: Path, name: str, key_id: str) -> pa.Table | None:
    path = output / f"{name}.parquet"
    schema, columns, command = _DATASETS[name]
    if not path.exists():
        return None
    # The rest of a large dataset is let go at once.
    return datasets.read(path, schema, key_id, f"remediation {command}").select(columns)


def _rows(table: pa.Table | None) -> tuple[Row, ...] | None:
    return None if table is None else tuple(table.to_pylist())


def _tally(table: pa.Table, column: str) -> dict[str, int]:
    return {pair["values"]: pair["counts"] for pair in pc.value_counts(table[column]).to_pylist()}


def _grouped(table: pa.Table, keys: list[str]) -> list[Row]:
    """Return one row per combination of keys, null as empty text, with `count`."""
    plain = pa.table([pc.fill_null(table[key], "") for key in keys], names=keys)
    counted = plain.group_by(keys).aggregate([([], "count_all")])
    return sorted(counted.to_pylist(), key=lambda row: (-row["count_all"], *map(row.get, keys)))


def _outcomes(studies: pa.Table, identities: pa.Table) -> dict[tuple[str, str, str, str], int]:
    joined = studies.join(identities.drop_columns(["warnings"]), _STUDY, join_type="left outer")
    columns = ["status", "outcome", "reason", "exemption"]
    return {
        (row["status"], row["outcome"], row["reason"], row["exemption"]): row["count_all"]
        for row in _grouped(joined, columns)
    }


def _warnings(identities: pa.Table) -> dict[tuple[str, str], int]:
    warned = identities.filter(pc.greater(pc.list_value_length(identities["warnings"]), 0))
    pairs = zip(warned["outcome"].to_pylist(), warned["warnings"].to_pylist(), strict=True)
    return dict(Counter((outcome, word) for outcome, words in pairs for word in set(words)))


def _mixed(table: pa.Table) -> dict[tuple[str, str], int]:
    counted = _grouped(table, ["archive", "status"])
    return {(row["archive"], row["status"]): row["count_all"] for row in counted}


def _files(inventory: Inventory) -> dict[tuple[str, str, str], int]:
    instances = inventory.instances(["archive", "state", "error"])
    return {
        (row["archive"], row["state"], row["error"]): row["count_all"]
        for row in _grouped(instances, ["archive", "state", "error"])
    }


def _leaks(inventory: Inventory) -> tuple[Row, ...]:
    keys = ["place", "private_creator", "place_kind", "archive"]
    outside = ~ds.field("place_kind").isin([*sorted(IDENTIFIER_KINDS), "historic"])
    found = inventory.findings([*keys, "StudyInstanceUID"], outside)
    stable = pc.replace_substring_regex(found["place"], r"\[\d+\]", "")
    found = found.set_column(found.column_names.index("place"), "place", stable)
    counted = found.group_by(keys).aggregate(
        [([], "count_all"), ("StudyInstanceUID", "count_distinct")]
    )
    rows = [
        {key: row[key] or "" for key in keys}
        | {"findings": row["count_all"], "studies": row["StudyInstanceUID_count_distinct"]}
        for row in counted.to_pylist()
    ]
    return tuple(sorted(rows, key=lambda row: (-row["findings"], *(row[key] for key in keys))))


def _crawls(inventory: Inventory) -> tuple[Row, ...]:
    instances = inventory.instances(["archive", "run_id", "crawled_at"])
    counted = instances.group_by(["archive", "run_id"]).aggregate(
        [([], "count_all"), ("crawled_at", "max")]
    )
    rows = [
        {
            "archive": row["archive"],
            "run_id": row["run_id"] or "",
            "crawled_at": row["crawled_at_max"],
            "files": row["count_all"],
        }
        for row in counted.to_pylist()
    ]
    return tuple(sorted(rows, key=lambda row: (row["run_id"], row["archive"]), reverse=True))


def _listed(output: Path) -> dict[str, int] | None:
    """Count the lines of the worklists per reason: they alone know who is on them."""
    found = [path for path in (output / one for one in WORKLISTS) if path.exists()]
    return dict(sum(map(_reasons, found), Counter[str]())) if found else None


def _reasons(path: Path) -> Counter[str]:
    with guarded("the worklist cannot be read", path.name):
        text = path.read_bytes().decode("utf-8-sig", "replace")
    lines = csv.reader(io.StringIO(text), delimiter=";")
    next(lines, None)
    # A last line may say how many were left out; it has no reason.
    return Counter(row[_REASON_COLUMN] for row in lines if any(row[_REASON_COLUMN:][:1]))
