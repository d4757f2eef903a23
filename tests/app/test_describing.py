"""`schema`: every dataset, the job file and the manifest, described by what they are made with."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema
import pyarrow as pa
import pytest
from app.hospital_line import call
from job_texts import FULL, MINIMAL
from small_hospital import lay_down, study_uid

from remediation.app.describing import (
    DATASETS,
    described,
    job_schema,
    manifest_schema,
    placement_schema,
)
from remediation.model.manifest import OPTIONAL, Manifest, to_json
from remediation.stages import review
from remediation.tables import schemas

NAMES = ("inventory", *DATASETS, "job", "placement", "manifest", "reasons")
EXAMPLE = Path(__file__).parents[2] / "jobs/placements/pacs-noord.toml"
MANIFEST = Manifest(
    created="2026-11-23T01:04:00Z",
    expires="2026-12-23T01:04:00Z",
    author="Anna Auteur",
    responsible="PACS-beheer",
    job="demo",
    placement={"target": "at-rest"},
    archives={"oost": "0a"},
    counts={"files": 1, "studies": 1, "refused": 0},
    in_place_statement="",
    key_id="0b",
    tool_version="0.1.0",
    selection=("period:1a2b3c4d",),
)


KINDS = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": (),
    "object": dict,
    "array": list,
}


def is_wrong(schema, value):
    """Tell whether a value by itself is not what its schema says."""
    if "enum" in schema and value not in schema["enum"]:
        return True
    if "const" in schema and value != schema["const"]:
        return True
    if "type" in schema and not isinstance(value, KINDS[schema["type"]]):
        return True
    try:
        return schema.get("format") == "date" and not date.fromisoformat(value)
    except ValueError:
        return True


def faults(schema, value, whole=None, at=""):
    """Yield where a value is not what a JSON Schema says, as far as our schemas go."""
    whole = whole or schema
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        if all(any(True for _ in faults(way, value, whole, at)) for way in schema["anyOf"]):
            yield at
    elif is_wrong(schema, value):
        yield at
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        yield from (f"{at}.{key}" for key in set(schema.get("required", ())) - value.keys())
        yield from (f"{at}.{key}" for key in value.keys() - known.keys() if rest is False)
        other = rest if isinstance(rest, dict) else {}
        for key, one in value.items():
            yield from faults(known.get(key, other), one, whole, f"{at}.{key}")
    elif isinstance(value, list):
        for one in value:
            yield from faults(schema.get("items", {}), one, whole, f"{at}[]")


def as_json(text):
    """Return TOML as JSON has it: dates are text."""
    return json.loads(json.dumps(tomllib.loads(text), default=lambda day: day.isoformat()))


def test_every_dataset_has_a_name():
    all_of_them = {id(one) for one in vars(schemas).values() if isinstance(one, pa.Schema)}
    assert {id(one) for one, _ in DATASETS.values()} == all_of_them


@pytest.mark.parametrize("name", DATASETS)
def test_every_column_is_described(name):
    columns = described(name)["columns"]
    assert [one["name"] for one in columns] == DATASETS[name][0].names
    assert all(one["description"].strip() and one["type"] for one in columns)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_gives_text_and_one_json_document(name, capsys):
    text, document = call(capsys, "schema", name), call(capsys, "schema", name, "--json")
    assert (text.code, document.code, text.err, document.err) == (0, 0, "", "")
    assert isinstance(json.loads(document.out), dict)
    assert max(map(len, text.out.splitlines())) <= 175
    assert not any(line != line.rstrip() for line in text.out.splitlines())


def test_without_a_name_it_lists_the_names(capsys):
    said = call(capsys, "schema")
    assert [line.split()[0] for line in said.out.splitlines()] == list(NAMES)
    assert list(json.loads(call(capsys, "schema", "--json").out)["names"]) == list(NAMES)


def test_the_inventory_is_its_three_datasets(capsys):
    said = json.loads(call(capsys, "schema", "inventory", "--json").out)
    assert list(said["datasets"]) == ["instances", "findings", "tallies"]


def test_text_shows_column_type_and_meaning(capsys):
    lines = call(capsys, "schema", "coverage").out.splitlines()
    assert lines[0] == "coverage: coverage.parquet"
    assert "  coverage      double  conformant / studies" in lines


def test_an_unknown_name_is_refused_and_told_what_there_is(capsys):
    said = call(capsys, "schema", "metadata")
    assert said.code == 2
    assert "choose from inventory, instances" in said.err


@pytest.mark.parametrize(
    "text", [MINIMAL, FULL, FULL.replace("to = 2015-12-31", 'to = "yesterday"', 1)]
)
def test_job_files_are_what_the_schema_says(text):
    assert list(faults(job_schema(), as_json(text))) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('name = "demo"', "name = 1", ".job.name"),
        ('layout_date = "study"', 'layout_date = "stored?"', ".archive[].layout_date"),
        ("[placement]", "[placment]", ".placment"),
        ("from = 2007-01-01", 'from = "today"', ".job.from"),
    ],
)
def test_job_files_with_a_fault_are_not(old, new, where):
    assert where in list(faults(job_schema(), as_json(FULL.replace(old, new, 1))))


def test_a_placement_file_is_what_its_schema_says():
    said = as_json(EXAMPLE.read_text(encoding="utf-8"))
    assert list(faults(placement_schema(), said)) == []
    wrong = said | {"bsn": {"places": ["PatientName"], "other": 1}}
    assert ".bsn.other" in set(faults(placement_schema(), wrong))


def test_a_manifest_is_what_its_schema_says():
    said = json.loads(to_json(MANIFEST))
    schema = manifest_schema()
    assert list(faults(schema, said)) == []
    assert set(schema["required"]) == said.keys()
    assert schema["properties"].keys() - said.keys() == set(OPTIONAL)
    names = [one.name for one in dataclasses.fields(Manifest)]
    assert list(schema["properties"]) == [*names, "manifest_id"]
    assert all(one["description"] for one in schema["properties"].values())
    wrong = said | {"counts": said["counts"] | {"files": "1"}, "more": 1}
    assert set(faults(schema, wrong)) == {".counts.files", ".more"}


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Return manifest.json as `plan` and as `review` wrote it."""
    hospital = lay_down(tmp_path_factory.mktemp("klein") / "out")
    hospital.look()
    manifest = hospital.plan()
    at = datetime.now(UTC)
    options = review.ReviewOptions(
        "Bea Bekijker", "hoort er niet bij", at, hospital.output, (study_uid(0),)
    )
    reviewed = hospital.load(review.run(options, manifest).folder)
    return [json.loads(one.raw) for one in (manifest, reviewed)]


def wrong_manifests(said):
    """Yield manifests that are not what the schema says, one fault each."""
    for name in manifest_schema()["required"]:
        yield {key: value for key, value in said.items() if key != name}
        yield said | {name: 7}
    yield said | {"surplus": ""}
    yield said | {"created": "yesterday"}
    yield said | {"digest": said["digest"][:-1]}
    yield said | {"counts": said["counts"] | {"files": -1}}
    yield said | {"placement": said["placement"] | {"surplus": True}}
    yield said | {"parent": {"digest": said["digest"]}}
    yield said | {"reviews": []}
    yield said | {"reviews": [{"by": "Bea Bekijker"}]}


def test_real_manifests_are_valid_by_a_validator_that_is_not_ours(planned):
    schema = manifest_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    assert planned[1].keys() - planned[0].keys() == set(OPTIONAL)
    for said in planned:
        judge.validate(said)
        for wrong in wrong_manifests(said):
            assert not judge.is_valid(wrong), wrong.keys()
