"""Manifests on disk: `manifest.json`, `corrections.parquet`, `refusals.parquet` in one folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from remediation.errors import DatasetError, KeyFileError, ManifestError
from remediation.model.manifest import Manifest, content_digest, from_json, to_json
from remediation.store import datasets
from remediation.store.files import durable_write

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """A manifest as it was read: the bytes that approvals sign, and its tables."""

    folder: Path
    raw: bytes
    manifest: Manifest
    corrections: pa.Table
    refusals: pa.Table


def save(
    manifests: Path, manifest: Manifest, corrections: pa.Table, refusals: pa.Table, job_file: Path
) -> Stored:
    """Write a manifest below `manifests/`, in a folder named by its digest; return it.

    An equal manifest that is there already is left as it is, its approvals with it.
    """
    relative = os.path.relpath(job_file, manifests / "id")
    manifest = replace(manifest, job_file=relative)
    digest = content_digest(manifest, corrections.to_pylist(), refusals.to_pylist())
    manifest = replace(manifest, digest=digest)
    folder = manifests / manifest.manifest_id
    raw = to_json(manifest)
    if not (folder / NAME).exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        datasets.write(folder / "corrections.parquet", corrections, manifest.key_id)
        datasets.write(folder / "refusals.parquet", refusals, manifest.key_id)
        durable_write(folder / NAME, raw)
    return Stored(folder, raw, manifest, corrections, refusals)


def head(folder: Path) -> Manifest:
    """Return what `manifest.json` says, without its tables.

    Raises:
        ManifestError: missing or altered.
    """
    return from_json(_raw(folder))


def _raw(folder: Path) -> bytes:
    try:
        return (folder / NAME).read_bytes()
    except OSError as error:
        raise ManifestError(
            "there is no manifest", str(folder), "give the folder that `plan` printed"
        ) from error


def load(folder: Path, corrections_schema: pa.Schema, refusals_schema: pa.Schema) -> Stored:
    """Read a manifest and hold it against its digest.

    Raises:
        ManifestError: missing, damaged, or altered by as little as one byte.
    """
    raw = _raw(folder)
    manifest = from_json(raw)
    try:
        corrections, refusals = (
            datasets.read(folder / f"{name}.parquet", schema, manifest.key_id, "remediation plan")
            for name, schema in (
                ("corrections", corrections_schema),
                ("refusals", refusals_schema),
            )
        )
        digest = content_digest(manifest, corrections.to_pylist(), refusals.to_pylist())
    except (DatasetError, KeyFileError, ValueError) as error:
        raise ManifestError("the manifest is damaged", str(folder), "plan again") from error
    if digest != manifest.digest:
        raise ManifestError("the manifest was altered", str(folder), "plan again")
    return Stored(folder, raw, manifest, corrections, refusals)
