"""The index of an archive's folders: what the last crawl found in each, in the order of the walk.

It lets a crawl of an unchanged archive cost the walk alone: both are read side by side, and neither
is ever whole in memory. Paths and listings are sealed.
"""

from __future__ import annotations

import heapq
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from remediation.model.listing import Entry, digest_of, entries_of, listing_of, packed, unpacked
from remediation.model.secrets import Keys
from remediation.store import datasets
from remediation.store.files import fsync, guarded, sync_folder
from remediation.store.walking import Parts

_BATCH = 4096  # folders in memory at a time
_by_parts = attrgetter("parts")


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a folder: `digest` of its listing, and the listing, sealed."""

    parts: Parts
    digest: str
    sealed: bytes

    def entries(self, keys: Keys) -> dict[str, Entry]:
        """Return its files by name."""
        return entries_of(unpacked(self.sealed, keys))


@dataclass(frozen=True, slots=True)
class FolderIndex:
    """The index of one archive, one Parquet file."""

    path: Path
    schema: pa.Schema
    keys: Keys

    def read(self) -> Iterator[Known]:
        """Yield every folder, in the order of the walk; nothing where there is no index yet."""
        return read(self.path, self.schema, self.keys)

    def update(
        self, found: Iterable[Iterable[Known]], gone: Iterable[tuple[Parts, list[str]]]
    ) -> None:
        """Bring what was found and what is gone into the index; each in the order of the walk."""
        rows = _merged([self.read(), *found], gone, self.keys)
        write(self.path, rows, self.schema, self.keys)


def known(parts: Parts, entries: dict[str, Entry], keys: Keys) -> Known:
    """Return what is known of a folder with these entries."""
    text = listing_of(entries)
    return Known(parts, digest_of(text, keys), packed(text, keys))


def _merged(
    streams: list[Iterable[Known]], gone: Iterable[tuple[Parts, list[str]]], keys: Keys
) -> Iterator[Known]:
    """Merge folders of several streams; of one folder the later stream's entries count."""
    missing = iter(gone)
    out = next(missing, None)
    for parts, same in groupby(heapq.merge(*streams, key=_by_parts), key=_by_parts):
        rows = list(same)
        while out is not None and out[0] < parts:
            out = next(missing, None)
        if len(rows) == 1 and (out is None or out[0] != parts):
            yield rows[0]
            continue
        entries: dict[str, Entry] = {}
        for row in rows:
            entries |= row.entries(keys)
        while out is not None and out[0] == parts:
            for name in out[1]:
                entries.pop(name, None)
            out = next(missing, None)
        if entries:
            yield known(parts, entries, keys)


def table(rows: Iterable[Known], schema: pa.Schema, keys: Keys) -> pa.Table:
    """Return folders as a table."""
    some = list(rows)
    columns = {
        "folder": [keys.seal("/".join(row.parts)) for row in some],
        "digest": [row.digest for row in some],
        "listing": [row.sealed for row in some],
    }
    return pa.table([columns[field.name] for field in schema], schema=schema)


def read(path: Path, schema: pa.Schema, keys: Keys) -> Iterator[Known]:
    """Yield the folders of one file; nothing where there is none.

    Raises:
        DatasetError: it is damaged, or of another schema version.
        KeyFileError: it was made with another key.
    """
    again = "remediation crawl --fresh"
    if not path.exists():
        return
    with datasets.undamaged(path, again), pq.ParquetFile(path) as file:
        datasets.check(file.schema_arrow.metadata or {}, schema, keys.key_id, path, again)
        for batch in file.iter_batches(_BATCH):
            columns = (batch.column(name).to_pylist() for name in ("folder", "digest", "listing"))
            for folder, digest, sealed in zip(*columns, strict=True):
                text = keys.unseal(folder)
                yield Known(tuple(text.split("/")) if text else (), digest, sealed)


def write(path: Path, rows: Iterable[Known], schema: pa.Schema, keys: Keys) -> None:
    """Write folders as one file, durable, whole or not at all; `rows` may read the old one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    rows = iter(rows)
    try:
        with guarded("the index of folders cannot be written"):
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            guarded("the index of folders cannot be written"),
            os.fdopen(descriptor, "wb") as file,
        ):
            marked = datasets.marked(schema, keys.key_id)
            with pq.ParquetWriter(file, marked, compression="zstd", write_statistics=False) as out:
                while some := list(islice(rows, _BATCH)):
                    out.write_table(table(some, schema, keys).cast(marked))
            file.flush()
            fsync(file.fileno())
        with guarded("the index of folders cannot be replaced"):
            beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
