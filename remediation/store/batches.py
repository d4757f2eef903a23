"""Batches: the current state gone over in bounded memory, each study whole.

A batch is some whole months of one archive: up to BATCH_ROWS instances, or one month that has more.
A study of which files lie in more than one batch (undated ones, or ones that disagree) is set aside
and comes at the end, together with the others like it; memory holds one batch, and these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from remediation.store import datasets
from remediation.store.inventory import Inventory

BATCH_ROWS = 500_000
# Columns of text of which nearly each value is another; all others are read as dictionaries.
_UNIQUE = frozenset({"path", "SOPInstanceUID"})
_STUDY = "StudyInstanceUID"
_AGAIN = "remediation crawl --fresh"

Hashes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some whole months of one archive, in order."""

    archive: str
    months: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches of an inventory, in order of archive and month; folders are listed once."""

    inventory: Inventory
    all: tuple[Batch, ...]

    @classmethod
    def of(cls, inventory: Inventory, most: int = BATCH_ROWS) -> Batches:
        """Divide an inventory into batches of up to `most` instances.

        Raises:
            DatasetError: a file is damaged.
        """
        found = sorted((inventory.folder / "instances").glob("archive=*/study_month=*"))
        months = [
            (
                folder.parent.name.partition("=")[2],
                folder.name.partition("=")[2],
                sum(datasets.rows_in(path, _AGAIN) for path in _parts(folder)),
            )
            for folder in found
        ]
        batches: list[Batch] = []
        for archive, own in groupby(months, key=lambda month: month[0]):
            waiting, rows = list[str](), 0
            for _, month, more in own:
                if waiting and rows + more > most:
                    batches.append(Batch(archive, tuple(waiting)))
                    waiting, rows = [], 0
                waiting.append(month)
                rows += more
            batches.append(Batch(archive, tuple(waiting)))
        return cls(inventory, tuple(batches))

    def read(self, name: str, batch: Batch, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of a batch: of instances, findings or tallies.

        Columns of text are dictionaries, but for those in which nearly each value is another.

        Raises:
            DatasetError: a file is damaged, or of another schema version.
            KeyFileError: it was made with another key.
        """
        schema, key_id = self.inventory.schemas[name], self.inventory.key_id
        columns = list(columns or schema.names)
        text = {n for n in columns if pa.types.is_string(schema.field(n).type)} - _UNIQUE
        folder = self.inventory.folder / name / f"archive={batch.archive}"
        parts = [
            datasets.read_part(path, schema, key_id, _AGAIN, columns, encoded=text)
            for month in batch.months
            for path in _parts(folder / f"study_month={month}")
        ]
        if not parts:
            return schema.empty_table().select(columns)
        whole = pa.concat_tables(parts)
        coded = {
            name: _coded(column) if pa.types.is_dictionary(column.type) else column
            for name, column in zip(whole.column_names, whole.columns, strict=True)
        }
        return pa.table(coded)

    def holding(self, studies: Mapping[str, Iterable[str]]) -> Batches:
        """Return the batches narrowed to the months that hold files of some studies.

        Args:
            studies: StudyInstanceUIDs by archive.
        """
        found = []
        for archive, batches in groupby(self.all, key=lambda batch: batch.archive):
            wanted = np.unique(np.fromiter(map(hash, studies.get(archive, ())), dtype=np.int64))
            for batch in batches if len(wanted) else ():
                months = tuple(month for month in batch.months if self._has(batch, month, wanted))
                found += [Batch(archive, months)] if months else []
        return replace(self, all=tuple(found))

    def _has(self, batch: Batch, month: str, wanted: Hashes) -> bool:
        own = self.read("instances", Batch(batch.archive, (month,)), [_STUDY])[_STUDY]
        hashes = _hashes(_coded(own))
        at = np.searchsorted(wanted, hashes).clip(max=len(wanted) - 1)
        return bool((wanted[at] == hashes).any())

    def whole_studies(
        self,
        instances: Sequence[str],
        findings: Sequence[str],
        keep: Callable[[pa.Table], pa.Table] = lambda table: table,
    ) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Yield instances and their findings, the files of a study always together.

        Args:
            instances: the columns wanted; archive, path and StudyInstanceUID are among them.
            findings: the columns wanted; archive and path are among them.
            keep: takes out rows of instances that are not wanted.
        """
        split = self._split()
        aside: list[tuple[pa.Table, pa.Table]] = []
        for batch in self.all:
            # Nothing of a batch is kept here while the next one is read.
            yield self._whole(
                keep(self.read("instances", batch, instances)),
                self.read("findings", batch, findings),
                split[batch.archive],
                aside,
            )
        if aside:
            rows, found = (pa.concat_tables(tables) for tables in zip(*aside, strict=True))
            yield rows, found

    @staticmethod
    def _whole(
        rows: pa.Table, found: pa.Table, split: Hashes, aside: list[tuple[pa.Table, pa.Table]]
    ) -> tuple[pa.Table, pa.Table]:
        """Put the studies that have files elsewhere aside; return the others."""
        out = _among(rows[_STUDY], split)
        if not out.any():
            return rows, found
        own = rows.filter(pa.array(out))
        theirs = found.filter(pc.is_in(found["path"], own["path"].combine_chunks()))
        aside.append((_plain(own), _plain(theirs)))
        return rows.filter(pa.array(~out)), found

    def _split(self) -> dict[str, Hashes]:
        """Return per archive the studies that have files in more than one batch, as hashes.

        Two studies that share a hash may be taken for one: they are set aside for nothing.
        """
        found: dict[str, Hashes] = {}
        for archive, batches in groupby(self.all, key=lambda batch: batch.archive):
            columns = (self.read("instances", batch, [_STUDY])[_STUDY] for batch in batches)
            seen = [np.unique(_hashes(_coded(column))) for column in columns]
            values, counts = np.unique(np.concatenate(seen), return_counts=True)
            found[archive] = values[counts > 1]
        return found


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"), key=lambda p: int(p.stem.partition("-")[2]))


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()


def _hashes(column: pa.DictionaryArray) -> Hashes:
    """Return 64 bits for each different value: a study is known by them in this process."""
    values = column.dictionary.to_pylist()
    return np.fromiter(map(hash, values), dtype=np.int64, count=len(values))


def _among(column: pa.ChunkedArray, hashes: Hashes) -> NDArray[np.bool_]:
    """Tell of each row whether its value is one of these; null is not."""
    own = _coded(column)
    told = np.append(np.isin(_hashes(own), hashes), False)
    return np.asarray(told[np.asarray(pc.fill_null(own.indices, -1))])


def _plain(table: pa.Table) -> pa.Table:
    """Return a table that holds no dictionary larger than itself."""
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))
