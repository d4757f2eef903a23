"""The command that describes what the others write and read: schema.

Datasets are described by the schemas that they are written with, the job file by the models that
it is checked with, and the manifest by its dataclass: none of it can fall behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click
import pyarrow as pa

from remediation.app import reasons
from remediation.app.config_placement import PlacementFile
from remediation.app.config_sections import JobFile
from remediation.app.console import JSON, emit
from remediation.app.manifest_schema import manifest_schema
from remediation.errors import UsageError
from remediation.tables import schemas

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PARTS = "archive=<name>/study_month=<YYYY-MM>/part-<n>.parquet"
_INVENTORY = ("instances", "findings", "tallies")

DATASETS: Mapping[str, tuple[pa.Schema, str]] = {
    "instances": (schemas.INSTANCES, f"inventory/instances/{_PARTS}"),
    "findings": (schemas.FINDINGS, f"inventory/findings/{_PARTS}"),
    "tallies": (schemas.TALLIES, f"inventory/tallies/{_PARTS}"),
    "studies": (schemas.STUDIES, "studies.parquet"),
    "mixed": (schemas.MIXED, "mixed.parquet"),
    "places": (schemas.PLACES, "places.parquet"),
    "coverage": (schemas.COVERAGE, "coverage.parquet"),
    "periods": (schemas.PERIODS, "periods.parquet"),
    "events": (schemas.EVENTS, "events.parquet"),
    "identities": (schemas.IDENTITIES, "identities.parquet"),
    "corrections": (schemas.CORRECTIONS, "manifests/<id>/corrections.parquet"),
    "refusals": (schemas.REFUSALS, "manifests/<id>/refusals.parquet"),
    "survey": (schemas.SURVEY, "survey.parquet"),
    "folders": (schemas.FOLDERS, "inventory/folders/<archive>.parquet"),
    "history": (schemas.HISTORY, "history/archive=<name>/"),
}
"""Each dataset: its schema, and its file below the job's output folder."""

_ALL: Mapping[str, str] = {
    "inventory": "instances, findings and tallies together",
    **{name: where for name, (_, where) in DATASETS.items()},
    "job": "the job file, as JSON Schema",
    "placement": "a hospital's own placement file, as JSON Schema",
    "manifest": "manifests/<id>/manifest.json, as JSON Schema",
    "reasons": "why a study's patient is not settled, and who can settle it",
}


@click.command()
@click.argument("name", required=False)
@JSON
def schema(name: str | None, *, as_json: bool) -> None:
    """Show the columns of a dataset, the keys of job file or manifest, or the reasons of `match`.

    Without NAME: which names there are.
    """
    if name is None:
        lines = [*_aligned(_ALL.items())]
        emit({"names": dict(_ALL)}, lines, as_json=as_json)
    elif name == "job":
        emit(job_schema(), _keys(job_schema()), as_json=as_json)
    elif name == "placement":
        emit(placement_schema(), _keys(placement_schema()), as_json=as_json)
    elif name == "manifest":
        emit(manifest_schema(), _keys(manifest_schema()), as_json=as_json)
    elif name == "reasons":
        emit({"reasons": reasons.told()}, [*_aligned(reasons.lines())], as_json=as_json)
    elif name == "inventory" or name in DATASETS:
        names = _INVENTORY if name == "inventory" else (name,)
        said = {"schema": name, "datasets": {one: described(one) for one in names}}
        emit(said, _columns(names), as_json=as_json)
    else:
        raise UsageError("no such schema", "", f"choose from {', '.join(_ALL)}")


def described(name: str) -> dict[str, Any]:
    """Return what there is to know of one dataset: its file, schema version, and columns."""
    found, where = DATASETS[name]
    return {
        "file": where,
        "schema_version": (found.metadata or {}).get(b"schema_version", b"").decode(),
        "columns": [
            {"name": one.name, "type": str(one.type), "description": _meaning(one)} for one in found
        ],
    }


def job_schema() -> dict[str, Any]:
    """Return the JSON Schema of a job file, its TOML read as JSON; dates are ISO 8601 text.

    It tells keys, types and defaults; `check` tells what holds between them.
    """
    said = JobFile.model_json_schema(by_alias=True)
    # A word that is turned into a date before the type is checked: pydantic does not see it.
    said["$defs"]["JobTable"]["properties"]["to"]["anyOf"].insert(0, {"const": "yesterday"})
    return {"$schema": _DIALECT} | said


def placement_schema() -> dict[str, Any]:
    """Return the JSON Schema of a placement file, its TOML read as JSON."""
    return {"$schema": _DIALECT} | PlacementFile.model_json_schema()


def _meaning(field: pa.Field) -> str:
    return (field.metadata or {}).get(b"description", b"").decode()  # type: ignore[no-any-return]


def _columns(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        found, where = DATASETS[name]
        yield f"{name}: {where}"
        yield from _aligned((one.name, _kind(one.type), _meaning(one)) for one in found)


def _kind(type_: pa.DataType) -> str:
    """Return an Arrow type in words; all that our structs hold is text, or named for its unit."""
    if pa.types.is_list(type_):
        return f"list of {_kind(type_.value_type)}"
    if pa.types.is_struct(type_):
        return "{" + ", ".join(one.name for one in type_) + "}"
    return str(type_)


def _keys(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of a JSON Schema as lines, table by table."""
    tables = {"": said} | dict(said.get("$defs", {}))
    for name, table in tables.items():
        about = str(table["description"]).partition("\n")[0]
        yield f"{name}: {about}" if name else about
        required = table.get("required", ())
        yield from _aligned(
            (key, _words(one), _note(key, one, required))
            for key, one in table["properties"].items()
        )


def _note(key: str, one: Mapping[str, Any], required: Iterable[str]) -> str:
    if "description" in one:
        return str(one["description"])
    default = one.get("default")
    if key in required:
        return "required"
    # A table's own defaults stand with its keys.
    if default is None or isinstance(default, dict):
        return "optional"
    return f"default {json.dumps(default)}"


def _words(one: Mapping[str, Any]) -> str:
    """Return the type of one key in words."""
    if "$ref" in one:
        return str(one["$ref"]).rpartition("/")[2]
    if "anyOf" in one:
        # Null is what a key that is left out becomes; TOML cannot say it.
        return " | ".join(_words(way) for way in one["anyOf"] if way != {"type": "null"})
    if "enum" in one or "const" in one:
        return " | ".join(json.dumps(value) for value in one.get("enum", [one.get("const")]))
    if one["type"] == "array":
        return f"list of {_words(one['items'])}"
    return str(one.get("format") or one["type"])


def _aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows as lines with aligned columns, the last as long as it is."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
