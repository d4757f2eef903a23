"""The JSON Schema of `manifest.json`: from its dataclasses, so that it cannot fall behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from remediation.model.manifest import ID_LENGTH, OPTIONAL, Manifest, Parent, Review
from remediation.model.placement import Placement

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Validators may pass over a format, but not over a pattern.
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
_TIMES = frozenset({"created", "expires", "at"})
_DIGESTS = {"digest": "^[0-9a-f]{64}$", "manifest_id": f"^[0-9a-f]{{{ID_LENGTH}}}$"}
_COUNTS = ("files", "studies", "refused")

_MANIFEST: Mapping[str, str] = {
    "created": "time of the plan, ISO 8601 in UTC",
    "expires": "after this time it is refused, ISO 8601 in UTC",
    "author": "who planned; neither this name nor this key can approve",
    "responsible": "the person on whose responsibility it runs",
    "job": "name of the job",
    "placement": "the target placement: name, version, all settings, and the digest of its file",
    "archives": "name of each archive, and the id that the job's state gave it",
    "counts": "files to be corrected, their studies, and studies refused",
    "in_place_statement": "what was agreed with the PACS vendor; empty: never in place",
    "key_id": "short digest of the key that tokens, sealed paths and digests were made with",
    "tool_version": "version of remediation that planned",
    "selection": "periods and conditions that limited the plan; empty: everything",
    "not_done": "what these corrections leave to people",
    "job_file": "path of the job file, relative to the manifest's folder",
    "digest": "SHA-256 over the content, corrections and refusals included: what is approved",
    "parent": "the manifest whose place this one took after a review; only where there was one",
    "reviews": "decisions that took studies out, oldest first; only where there are any",
}
_MANIFEST_ID = "the first 16 digits of the digest: the name of the manifest's folder"
_PARENT: Mapping[str, str] = {
    "manifest_id": "its id",
    "digest": "its digest",
}
_REVIEW: Mapping[str, str] = {
    "by": "who decided",
    "at": "when, ISO 8601 in UTC",
    "why": "on what ground; free text without anybody's number",
    "excluded": "StudyInstanceUIDs that were asked to be left out",
    "only_periods": "periods that were to be kept; empty: all",
    "studies": "studies that this took out",
    "files": "files that this took out",
    "key": "minisign public key of who signed the decision; empty: nobody did",
}


def manifest_schema() -> dict[str, Any]:
    """Return the JSON Schema of `manifest.json`."""
    whole = _object(Manifest, _MANIFEST, "A plan as a value; it holds tokens, no numbers.")
    whole["properties"]["manifest_id"] = {
        "type": "string",
        "pattern": _DIGESTS["manifest_id"],
        "description": _MANIFEST_ID,
    }
    whole["properties"]["placement"] |= _placement()
    whole["properties"]["counts"] |= {"required": list(_COUNTS)}
    whole["required"] = [name for name in whole["properties"] if name not in OPTIONAL]
    return {
        "$schema": _DIALECT,
        "title": "Manifest",
        **whole,
        "$defs": {
            "Parent": _object(Parent, _PARENT, "The manifest before a review."),
            "Review": _object(Review, _REVIEW, "A decision that took studies out of a manifest."),
        },
    }


def _object(kind: Any, meanings: Mapping[str, str], about: str) -> dict[str, Any]:
    properties = {
        one.name: _type(one.name, str(one.type)) | {"description": meanings[one.name]}
        for one in fields(kind)
    }
    return {
        "description": about,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _placement() -> dict[str, Any]:
    """Return what a placement holds; a plan of an older version may know fewer settings."""
    known = {"str": {"type": "string"}, "bool": {"type": "boolean"}}
    return {
        "properties": {one.name: known[str(one.type)] for one in fields(Placement)},
        "required": ["target"],
        "additionalProperties": False,
    }


def _type(name: str, annotation: str) -> dict[str, Any]:
    """Return the JSON Schema of a field by its annotation."""
    known: dict[str, dict[str, Any]] = {
        "str": {"type": "string"},
        "int": {"type": "integer", "minimum": 0},
        "Mapping[str, Any]": {"type": "object"},
        "Mapping[str, str]": {"type": "object", "additionalProperties": {"type": "string"}},
        "Mapping[str, int]": {
            "type": "object",
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        "tuple[str, ...]": {"type": "array", "items": {"type": "string"}},
        "Parent | None": {"$ref": "#/$defs/Parent"},
        "tuple[Review, ...]": {
            "type": "array",
            "items": {"$ref": "#/$defs/Review"},
            "minItems": 1,
        },
    }
    found = dict(known[annotation])
    if name in _TIMES:
        found |= {"format": "date-time", "pattern": _TIME}
    if name in _DIGESTS:
        found["pattern"] = _DIGESTS[name]
    return found
