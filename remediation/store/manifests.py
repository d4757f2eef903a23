"""Manifests on disk: `manifest.json`, `corrections.parquet`, `refusals.parquet` in one folder."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from remediation.errors import DatasetError, KeyFileError, ManifestError, RemediationError
from remediation.model.manifest import ID_LENGTH, Manifest, content_digest, from_json, to_json
from remediation.store import datasets, ledger
from remediation.store.consent import read_text, write_text
from remediation.store.files import durable_write

NAME = "manifest.json"
SUPERSEDED = "superseded.json"
_UNNAMED = "another manifest"


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
    return keep(manifests, replace(manifest, job_file=relative), corrections, refusals)


def keep(
    manifests: Path,
    manifest: Manifest,
    corrections: pa.Table,
    refusals: pa.Table,
    *,
    before: Callable[[Stored], None] | None = None,
) -> Stored:
    """Write a manifest that knows its job file; else as `save` does.

    `before` writes what must lie in the folder before the manifest is one.
    """
    digest = content_digest(manifest, corrections.to_pylist(), refusals.to_pylist())
    manifest = replace(manifest, digest=digest)
    folder = manifests / manifest.manifest_id
    stored = Stored(folder, to_json(manifest), manifest, corrections, refusals)
    if not (folder / NAME).exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        datasets.write(folder / "corrections.parquet", corrections, manifest.key_id)
        datasets.write(folder / "refusals.parquet", refusals, manifest.key_id)
        if before is not None:
            before(stored)
        durable_write(folder / NAME, stored.raw)
    return stored


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


def supersede(stored: Stored, by: Stored, output: Path | None) -> None:
    """Mark a manifest as superseded by a reviewed one; the ledger remembers it.

    Raises:
        ShareError: that cannot be written.
    """
    last = by.manifest.reviews[-1]
    said = {"by": last.by, "at": last.at, "manifest_id": by.manifest.manifest_id}
    text = json.dumps(said | {"digest": by.manifest.digest}, indent=1, ensure_ascii=False) + "\n"
    write_text(stored.folder / SUPERSEDED, text, "mark")
    if output is not None:
        ledger.keep(output, stored.manifest.digest, SUPERSEDED, text)


def successor(stored: Stored, output: Path | None = None) -> str | None:
    """Return the id of the manifest that took the place of this one; None where none did.

    A mark says so, in the folder or in the job's state; and so does the newer manifest itself,
    while it lies beside this one: taking the mark away does not bring the old one back.
    """
    digest = stored.manifest.digest
    marks = [stored.folder / SUPERSEDED]
    if output is not None:
        marks.append(ledger.folder(output, digest) / SUPERSEDED)
    for mark in marks:
        if os.path.lexists(mark):
            return _named(mark)
    for path in sorted(stored.folder.resolve().parent.glob(f"*/{NAME}")):
        with contextlib.suppress(ManifestError):
            other = head(path.parent)
            if other.parent is not None and other.parent.digest == digest:
                return other.manifest_id
    return None


def _named(mark: Path) -> str:
    """Return the id that a mark names; that it is there is enough."""
    try:
        return str(json.loads(read_text(mark, "mark"))["manifest_id"])[:ID_LENGTH]
    except (RemediationError, ValueError, KeyError, TypeError, RecursionError):
        return _UNNAMED


def newest(stored: Stored, output: Path | None = None) -> None:
    """Raise where another manifest took the place of this one.

    Raises:
        ManifestError: one did.
    """
    later = successor(stored, output)
    if later is not None:
        raise ManifestError(
            "the manifest was superseded by a review", str(stored.folder), f"use {later}"
        )


def in_force(stored: Stored, now: datetime, output: Path | None) -> None:
    """Raise where another manifest took the place of this one, or its time is over.

    Raises:
        ManifestError: it was superseded, or has expired.
    """
    newest(stored, output)
    if now > datetime.fromisoformat(stored.manifest.expires):
        raise ManifestError("the manifest has expired", str(stored.folder), "plan again")
