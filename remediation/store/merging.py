"""Merging: shards and what is gone become the current state; doing it twice changes nothing.

A month's rows lie in parts of bounded size, so that memory does not grow with the archive. A run
may die at any moment: shards are cleared last, and the months whose tallies are not yet counted
anew are noted before anything in them changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.secrets import Keys
from remediation.store import datasets, folders
from remediation.store.files import durable_write
from remediation.store.folders import FolderIndex
from remediation.store.gone import Gone
from remediation.store.inventory import Inventory, Shard

PART_ROWS = 1 << 17  # rows of a part at most
_SHARDS = 64  # merged at a time
_AGAIN = "remediation crawl --fresh"
_PENDING = "pending.json"

Tally = Callable[[pa.Table], pa.Table]


@dataclass(slots=True)
class Merge:
    """One merge of an archive.

    Attributes:
        run_id: The crawl that asks for it.
        tally: Counts one month's instances; it needs these `counted` columns of them.
    """

    inventory: Inventory
    archive: str
    keys: Keys
    run_id: str
    tally: Tally
    counted: Sequence[str]
    _touched: set[str] = field(default_factory=set)
    _kept: int = 0

    def run(self, gone: Gone | None = None, *, seal: bool = True, sure: bool = False) -> None:
        """Bring shards, and files that are gone, into the current state.

        Args:
            gone: files that are no longer there.
            seal: whether paths are sealed in this inventory.
            sure: nothing is merged twice, so that files that were new need not be looked for.
        """
        inventory, archive = self.inventory, self.archive
        shards = inventory.shards(archive)
        self._touched = self._pending()
        if not (shards or self._touched or (gone and gone.count)):
            inventory.clear_shards(archive)
            return
        index = FolderIndex(inventory.index_path(archive), inventory.schemas["folders"], self.keys)
        waiting = iter(shards)
        while some := list(islice(waiting, _SHARDS)):
            self._put(some, sure=sure and index.path.exists())
        for paths in gone.paths(seal=seal) if gone else ():
            self._remove(pa.array(paths, pa.string()), "vanished")
        for month in sorted(self._touched):
            self._count(month)
        runs = {shard.run_id: [s for s in shards if s.run_id == shard.run_id] for shard in shards}
        found = [self._folders(run) for run in runs.values()]
        if found or (gone and gone.count):
            index.update(found, gone.folders() if gone else ())
        inventory.clear_shards(archive)

    def _folders(self, shards: list[Shard]) -> Iterator[folders.Known]:
        schema = self.inventory.schemas["folders"]
        for shard in shards:
            yield from folders.read(shard.path / "folders.parquet", schema, self.keys)

    # -- rows ---------------------------------------------------------------------------------

    def _put(self, shards: list[Shard], *, sure: bool) -> None:
        """Put the rows of some shards in place of those that stand for the same files."""
        read = self.inventory.read_shard
        pairs = _latest([(read(s, "instances"), read(s, "findings")) for s in shards])
        fresh = pa.concat_tables([rows for rows, _ in pairs])
        found = pa.concat_tables([rows for _, rows in pairs])
        if not sure or any(shard.replaces for shard in shards):
            self._remove(fresh["path"].combine_chunks(), "changed")
        for month in sorted(set(fresh["study_month"].to_pylist())):
            self._note(month)
            for name, table in (("findings", found), ("instances", fresh)):
                rows = table.filter(pc.equal(table["study_month"], month))
                self._append(name, month, rows)

    def _append(self, name: str, month: str, rows: pa.Table) -> None:
        """Add rows to the last part of a month, or to new ones where they would be too many."""
        if rows.num_rows == 0:
            return
        number, last = (self._parts(name, month) or [(-1, Path())])[-1]
        if number >= 0 and datasets.rows_in(last, _AGAIN) + rows.num_rows <= PART_ROWS:
            rows = pa.concat_tables([self._part(name, last), rows])
        else:
            number += 1
        rows = rows.sort_by([(key, "ascending") for key in _ORDER[name]])
        for start in range(0, rows.num_rows, PART_ROWS):
            self._write(name, month, number, rows.slice(start, PART_ROWS))
            number += 1

    def _remove(self, paths: pa.Array, why: str) -> None:
        """Take out the rows of files, and of what is inside them, whatever month they are in."""
        held, inside = list[tuple[str, int, Path]](), [paths]
        for month in self._months("instances"):
            for number, part in self._parts("instances", month):
                slim = self._part("instances", part, ["path", "container"])
                out = _of(slim, paths)
                if pc.any(out).as_py():
                    held.append((month, number, part))
                    inside += slim["path"].filter(out).chunks
        # Findings first: what is gone from the instances is never asked for again.
        every = pa.concat_arrays(inside)
        for month in self._months("findings"):
            for number, part in self._parts("findings", month):
                out = pc.is_in(self._part("findings", part, ["path"])["path"], every)
                if pc.any(out).as_py():
                    self._note(month)
                    rows = self._part("findings", part).filter(pc.invert(out))
                    self._write("findings", month, number, rows)
        for month, number, part in held:
            self._note(month)
            rows = self._part("instances", part)
            out = _of(rows, paths)
            self._keep(rows.filter(out), why)
            self._write("instances", month, number, rows.filter(pc.invert(out)))

    def _keep(self, rows: pa.Table, why: str) -> None:
        """Keep rows that no longer hold: what the inventory said of a file before."""
        schema = self.inventory.schemas["history"]
        said = {"superseded": why, "superseded_by": self.run_id}
        for name, value in said.items():
            rows = rows.append_column(name, pa.array([value] * rows.num_rows, pa.string()))
        folder = self.inventory.output / "history" / f"archive={self.archive}"
        path = folder / f"{self.run_id}-{self._kept:06d}.parquet"
        datasets.write(path, rows.select(schema.names).cast(schema), self.inventory.key_id)
        self._kept += 1

    def _count(self, month: str) -> None:
        columns, parts = list(self.counted), self._parts("instances", month)
        none = self.inventory.schemas["instances"].empty_table().select(columns)
        rows = [self._part("instances", part, columns) for _, part in parts]
        self._write("tallies", month, 0, self.tally(pa.concat_tables([none, *rows])))

    # -- parts --------------------------------------------------------------------------------

    def _months(self, name: str) -> list[str]:
        folder = self.inventory.folder / name / f"archive={self.archive}"
        found = folder.glob("study_month=*") if folder.exists() else ()
        return sorted(path.name.partition("=")[2] for path in found)

    def _parts(self, name: str, month: str) -> list[tuple[int, Path]]:
        first = datasets.partition(self.inventory.folder / name, self.archive, month)
        found = first.parent.glob("part-*.parquet")
        return sorted((int(path.stem.partition("-")[2]), path) for path in found)

    def _part(self, name: str, path: Path, columns: list[str] | None = None) -> pa.Table:
        schema, key_id = self.inventory.schemas[name], self.inventory.key_id
        return datasets.read_part(path, schema, key_id, _AGAIN, columns)

    def _write(self, name: str, month: str, number: int, rows: pa.Table) -> None:
        folder, key_id = self.inventory.folder / name, self.inventory.key_id
        datasets.write_partition(folder, rows, self.archive, month, key_id, number=number)

    # -- what is not yet counted --------------------------------------------------------------

    @property
    def _pending_path(self) -> Path:
        return self.inventory.folder / "shards" / self.archive / _PENDING

    def _pending(self) -> set[str]:
        path = self._pending_path
        return set(json.loads(path.read_bytes())) if path.exists() else set()

    def _note(self, month: str) -> None:
        """Note that a month changes, before it does: its tallies are to be counted anew."""
        if month not in self._touched:
            self._touched.add(month)
            self._pending_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            durable_write(self._pending_path, json.dumps(sorted(self._touched)).encode())


_ORDER = {"instances": ("path",), "findings": ("path", "place")}


def _of(rows: pa.Table, paths: pa.Array) -> pa.ChunkedArray:
    """Tell of each row whether it is one of these files, or inside one of them."""
    inside = pc.fill_null(pc.is_in(rows["container"], paths), False)
    return pc.or_(pc.is_in(rows["path"], paths), inside)


def _latest(pairs: Iterable[tuple[pa.Table, pa.Table]]) -> list[tuple[pa.Table, pa.Table]]:
    """Keep of each path what the last shard says: two runs may have read the same file."""
    pairs = list(pairs)
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
