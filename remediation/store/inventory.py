"""The inventory on disk: shards that workers write, and the current state that they merge into."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from remediation.errors import DatasetError
from remediation.store import datasets
from remediation.store.files import durable_write

_NOT_OPENED = frozenset({"no-permission", "unreadable"})
_DONE = "done.json"  # a shard counts only when this stands beside its tables


@dataclass(frozen=True, slots=True)
class Known:
    """What the inventory knows of a file."""

    size: int
    mtime_ns: int
    month: str
    again: bool = False  # it could not be opened: that need not show in its size or time


@dataclass(frozen=True, slots=True)
class Inventory:
    """The folder `inventory/` of an output folder, and the schemas of its three tables."""

    output: Path
    key_id: str
    instances_schema: pa.Schema
    findings_schema: pa.Schema
    tallies_schema: pa.Schema

    @property
    def folder(self) -> Path:
        """The inventory's own folder."""
        return self.output / "inventory"

    def instances(self, columns: Collection[str] | None = None, where: Any = None) -> pa.Table:
        """Return the current state: one row per file."""
        return datasets.read_partitions(
            self.folder / "instances",
            self.instances_schema,
            self.key_id,
            columns=columns,
            where=where,
        )

    def findings(self, columns: Collection[str] | None = None, where: Any = None) -> pa.Table:
        """Return one row per finding."""
        return datasets.read_partitions(
            self.folder / "findings",
            self.findings_schema,
            self.key_id,
            columns=columns,
            where=where,
        )

    def tallies(self) -> pa.Table:
        """Return the tallies."""
        return datasets.read_partitions(self.folder / "tallies", self.tallies_schema, self.key_id)

    def require(self) -> None:
        """Raise DatasetError unless something was crawled."""
        if not (self.folder / "instances").exists():
            raise DatasetError(
                "there is no inventory", str(self.folder), "run `remediation crawl` first"
            )

    def known(self, archive: str) -> dict[str, Known]:
        """Return per stored path what is known of the files of one archive."""
        columns = ["path", "size", "mtime_ns", "study_month", "error"]
        rows = self.instances(columns, ds.field("archive") == archive)
        return {
            path: Known(size, mtime, month, error in _NOT_OPENED)
            for path, size, mtime, month, error in zip(
                *(rows.column(name).to_pylist() for name in columns), strict=True
            )
        }

    # -- shards -------------------------------------------------------------------------------

    def shard(self, archive: str, run_id: str, number: int) -> Path:
        """Return the folder of one shard."""
        return self.folder / "shards" / archive / run_id / f"{number:06d}"

    def write_shard(self, folder: Path, instances: pa.Table, findings: pa.Table) -> None:
        """Write a shard's tables, then the mark that it is whole."""
        datasets.write(folder / "instances.parquet", instances, self.key_id)
        datasets.write(folder / "findings.parquet", findings, self.key_id)
        durable_write(folder / _DONE, b"{}\n")

    def shards(self, archive: str) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Yield the tables of every whole shard of an archive, older runs first."""
        root = self.folder / "shards" / archive
        for mark in sorted(root.glob(f"*/*/{_DONE}")) if root.exists() else ():
            yield (
                datasets.read(
                    mark.parent / "instances.parquet",
                    self.instances_schema,
                    self.key_id,
                    "remediation crawl",
                ),
                datasets.read(
                    mark.parent / "findings.parquet",
                    self.findings_schema,
                    self.key_id,
                    "remediation crawl",
                ),
            )

    def clear_shards(self, archive: str) -> None:
        """Remove the shards of an archive, after they were merged."""
        shutil.rmtree(self.folder / "shards" / archive, ignore_errors=True)

    def forget(self, archive: str) -> None:
        """Remove the current state of an archive: `crawl --fresh`."""
        for name in ("shards", "instances", "findings", "tallies"):
            child = archive if name == "shards" else f"archive={archive}"
            shutil.rmtree(self.folder / name / child, ignore_errors=True)

    def merge(
        self,
        archive: str,
        known: dict[str, Known],
        gone: Iterable[str],
        tally: Callable[[pa.Table], pa.Table],
    ) -> None:
        """Bring shards into the current state, month by month; doing it twice changes nothing.

        Args:
            archive: the archive's name.
            known: what the inventory held before.
            gone: stored paths that are no longer there.
            tally: counts one month's instances.
        """
        pairs = _latest(list(self.shards(archive)))
        fresh = pa.concat_tables([self.instances_schema.empty_table(), *(i for i, _ in pairs)])
        found = pa.concat_tables([self.findings_schema.empty_table(), *(f for _, f in pairs)])
        replaced = set(fresh.column("path").to_pylist()) | set(gone)
        months = set(fresh.column("study_month").to_pylist())
        months |= {known[path].month for path in replaced if path in known}
        for month in sorted(months):
            instances, findings = self._merged(archive, month, replaced, (fresh, found))
            for name, table in (
                ("findings", findings),
                ("tallies", tally(instances)),
                ("instances", instances),  # last: it is what tells that a file was read
            ):
                datasets.write_partition(self.folder / name, table, archive, month, self.key_id)
        self.clear_shards(archive)

    def _merged(
        self, archive: str, month: str, replaced: set[str], new: tuple[pa.Table, pa.Table]
    ) -> tuple[pa.Table, pa.Table]:
        """Return one month's instances and findings: the old ones that stay, and the new ones."""
        fresh, found = new
        out = pa.array(sorted(replaced), pa.string())
        old = self._partition("instances", self.instances_schema, archive, month)
        old_found = self._partition("findings", self.findings_schema, archive, month)
        instances = pa.concat_tables(
            [
                old.filter(pc.invert(pc.is_in(old["path"], out))),
                fresh.filter(pc.equal(fresh["study_month"], month)),
            ]
        ).sort_by("path")
        findings = pa.concat_tables(
            [
                old_found.filter(pc.invert(pc.is_in(old_found["path"], out))),
                found.filter(pc.equal(found["study_month"], month)),
            ]
        ).sort_by([("path", "ascending"), ("place", "ascending")])
        here = pc.is_in(findings["path"], instances["path"].combine_chunks())
        return instances, findings.filter(here)

    def _partition(self, name: str, schema: pa.Schema, archive: str, month: str) -> pa.Table:
        if not datasets.partition(self.folder / name, archive, month).exists():
            return schema.empty_table()
        return datasets.read_partitions(
            self.folder / name / f"archive={archive}" / f"study_month={month}",
            schema,
            self.key_id,
        )

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


def _latest(pairs: list[tuple[pa.Table, pa.Table]]) -> list[tuple[pa.Table, pa.Table]]:
    """Keep of each path what the last shard says: two runs may have read the same file."""
    last = {path: n for n, (rows, _) in enumerate(pairs) for path in rows["path"].to_pylist()}
    return [
        tuple(
            table.filter(
                pa.array([last.get(path) == n for path in table["path"].to_pylist()], pa.bool_())
            )
            for table in pair
        )
        for n, pair in enumerate(pairs)
    ]
