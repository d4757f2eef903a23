"""The inventory on disk: shards that workers write, and the current state that they merge into."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from remediation.errors import DatasetError
from remediation.store import datasets
from remediation.store.files import durable_write

NOT_OPENED = frozenset({"no-permission", "unreadable"})
_DONE = "done.json"  # a shard counts only when this stands beside its tables
_AGAIN = "remediation crawl"


@dataclass(frozen=True, slots=True)
class Shard:
    """What one task read: rows of files, of findings, of folders; `replaces`: some were known."""

    path: Path
    run_id: str
    replaces: bool


@dataclass(frozen=True, slots=True)
class Inventory:
    """The folder `inventory/` of an output folder, and the schemas of its tables by name."""

    output: Path
    key_id: str
    schemas: Mapping[str, pa.Schema]

    @property
    def folder(self) -> Path:
        """The inventory's own folder."""
        return self.output / "inventory"

    def instances(self, columns: Collection[str] | None = None, where: Any = None) -> pa.Table:
        """Return the current state: one row per file."""
        return self._read("instances", columns, where)

    def findings(self, columns: Collection[str] | None = None, where: Any = None) -> pa.Table:
        """Return one row per finding."""
        return self._read("findings", columns, where)

    def tallies(self) -> pa.Table:
        """Return the tallies."""
        return self._read("tallies")

    def _read(
        self, name: str, columns: Collection[str] | None = None, where: Any = None
    ) -> pa.Table:
        return datasets.read_partitions(
            self.folder / name, self.schemas[name], self.key_id, columns=columns, where=where
        )

    def require(self) -> None:
        """Raise DatasetError unless something was crawled."""
        if not (self.folder / "instances").exists():
            raise DatasetError(
                "there is no inventory", str(self.folder), "run `remediation crawl` first"
            )

    # -- shards -------------------------------------------------------------------------------

    def shard(self, archive: str, run_id: str, number: int) -> Path:
        """Return the folder of one shard; shards sort in the order of the walk."""
        return self.folder / "shards" / archive / run_id / f"{number:08d}"

    def write_shard(
        self, folder: Path, tables: Mapping[str, pa.Table], *, replaces: bool = False
    ) -> None:
        """Write a shard's tables (instances, findings, folders), then the mark that it is whole."""
        for name, table in tables.items():
            datasets.write(folder / f"{name}.parquet", table, self.key_id)
        durable_write(folder / _DONE, json.dumps({"replaces": replaces}).encode() + b"\n")

    def shards(self, archive: str) -> list[Shard]:
        """Return every whole shard of an archive, older runs first."""
        root = self.folder / "shards" / archive
        marks = sorted(root.glob(f"*/*/{_DONE}")) if root.exists() else []
        return [
            Shard(mark.parent, mark.parent.parent.name, json.loads(mark.read_bytes())["replaces"])
            for mark in marks
        ]

    def read_shard(self, shard: Shard, name: str) -> pa.Table:
        """Return one table of a shard."""
        path = shard.path / f"{name}.parquet"
        return datasets.read(path, self.schemas[name], self.key_id, _AGAIN)

    def clear_shards(self, archive: str) -> None:
        """Remove the shards of an archive, after they were merged."""
        shutil.rmtree(self.folder / "shards" / archive, ignore_errors=True)

    def index_path(self, archive: str) -> Path:
        """Return the file of an archive's index of folders."""
        return self.folder / "folders" / f"{archive}.parquet"

    def holds(self, archive: str) -> bool:
        """Tell whether there are rows of an archive: without them its index means nothing."""
        return (self.folder / "instances" / f"archive={archive}").exists()

    def forget(self, archive: str) -> None:
        """Remove the current state of an archive: `crawl --fresh`."""
        self.index_path(archive).unlink(missing_ok=True)
        for name in ("shards", "instances", "findings", "tallies"):
            child = archive if name == "shards" else f"archive={archive}"
            shutil.rmtree(self.folder / name / child, ignore_errors=True)

    # -- state --------------------------------------------------------------------------------

    def archive_id(self, archive: str) -> str:
        """Return the id that this job gave an archive at its first crawl, making it if new."""
        path = self.output / "state" / "archives.json"
        ids: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if archive not in ids:
            ids[archive] = uuid.uuid4().hex
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            durable_write(path, json.dumps(ids, indent=2, sort_keys=True).encode() + b"\n")
        return ids[archive]
