"""Datasets on disk: Parquet with a schema version and a key id; written whole or not at all.

Statistics are off for columns that could identify: a column's smallest and largest value stand in
the file's footer for everyone to read.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from remediation.errors import DatasetError, KeyFileError, ShareError
from remediation.store.files import durable_write, replacing, write_all

PARTITIONS = ("archive", "study_month")
GROUP_ROWS = 1 << 16  # rows that a stream writes at a time: a filter reads groups, not rows
_SAFE_STATISTICS = frozenset({"size", "mtime_ns", "state", "StudyDate", "Modality", "status"})
_CODED = pa.dictionary(pa.int32(), pa.string())
_VERSION, _OLDER, _KEY = b"schema_version", b"older_versions", b"key_id"


def write(path: Path, table: pa.Table, key_id: str) -> None:
    """Write a table as one Parquet file, durable, with its schema version and key id.

    Raises:
        ShareError: the disk is full, or the folder cannot be written.
    """
    table = table.cast(marked(table.schema, key_id))
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, **_how(table.schema))
    _make_folder(path.parent)
    durable_write(path, buffer.getvalue().to_pybytes())


@contextlib.contextmanager
def stream(path: Path, schema: pa.Schema, key_id: str) -> Iterator[Callable[[pa.Table], None]]:
    """Write a dataset bit by bit: gives what takes its tables, one after the other.

    The file is what `write` makes of them together, but in row groups of GROUP_ROWS. It stands in
    its place, durable, once the block has ended; after an error nothing of it is left.

    Raises:
        ShareError: the disk is full, or the folder cannot be written.
    """
    schema = marked(schema, key_id)
    _make_folder(path.parent)
    waiting = schema.empty_table()
    with replacing(path) as descriptor, contextlib.ExitStack() as left:
        file = pq.ParquetWriter(_Sink(descriptor), schema, **_how(schema))
        left.callback(_give_up, file)

        def put(table: pa.Table) -> None:
            nonlocal waiting
            waiting = pa.concat_tables([waiting, table.cast(schema)])
            while waiting.num_rows >= GROUP_ROWS:
                file.write_table(waiting.slice(0, GROUP_ROWS))
                waiting = waiting.slice(GROUP_ROWS)

        yield put
        if waiting.num_rows:
            file.write_table(waiting)
        file.close()


class _Sink(io.RawIOBase):
    """An open file as Arrow wants one to write to; what fails names no path."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        write_all(self.descriptor, data)
        return len(data)


def _give_up(file: pq.ParquetWriter) -> None:
    """Close a file that is thrown away, so that nothing is written when it is collected."""
    with contextlib.suppress(Exception):
        file.close()


def _how(schema: pa.Schema) -> dict[str, Any]:
    return {
        "compression": "zstd",
        "compression_level": 3,
        "write_statistics": [f.name for f in schema if f.name in _SAFE_STATISTICS],
        "write_page_checksum": True,
        "store_schema": True,
    }


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ShareError(
            "the output folder cannot be made", str(path), "give this user write permission"
        ) from error


def marked(schema: pa.Schema, key_id: str) -> pa.Schema:
    """Return a schema as it stands in a file: with the id of the key."""
    return schema.with_metadata({**(schema.metadata or {}), _KEY: key_id.encode()})


def read(path: Path, schema: pa.Schema, key_id: str, made_by: str) -> pa.Table:
    """Read one Parquet file that `write` made.

    Args:
        path: the file.
        schema: the schema it must have.
        key_id: the key it must have been made with.
        made_by: the command that makes it, for the mend.

    Raises:
        DatasetError: missing, damaged, or of another schema version.
        KeyFileError: made with another key.
    """
    _require(path, made_by)
    with undamaged(path, made_by):
        table = pq.read_table(path, partitioning=None, page_checksum_verification=True)
        older = check(table.schema.metadata or {}, schema, key_id, path, made_by)
        return _whole(table, list(schema), schema.metadata, {}, older=older)


def _require(path: Path, made_by: str) -> None:
    if not path.exists():
        raise DatasetError(f"{path.name} is not there", str(path), f"run `{made_by}` first")


def read_rows(
    path: Path,
    schema: pa.Schema,
    key_id: str,
    made_by: str,
    *,
    columns: Collection[str],
    where: Any,
) -> pa.Table:
    """Read columns of the rows of one file for which a filter holds; raises as `read` does.

    Row groups are passed over by day, status and Modality only: what may identify has no
    statistics. Text comes as dictionaries.
    """
    _require(path, made_by)
    text = [field.name for field in schema if pa.types.is_string(field.type)]
    parquet = ds.ParquetFileFormat(
        read_options=ds.ParquetReadOptions(dictionary_columns=text),
        default_fragment_scan_options=ds.ParquetFragmentScanOptions(
            page_checksum_verification=True
        ),
    )
    with undamaged(path, made_by):
        check(pq.read_schema(path).metadata or {}, schema, key_id, path, made_by)
        return ds.dataset(path, format=parquet).to_table(columns=list(columns), filter=where)


@contextlib.contextmanager
def undamaged(path: Path, made_by: str) -> Iterator[None]:
    """Turn whatever a damaged file makes of reading it into one error."""
    try:
        yield
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise DatasetError(
            f"{path.name} is damaged", str(path), f"run `{made_by}` again"
        ) from error


def check(
    found: dict[bytes, bytes], schema: pa.Schema, key_id: str, path: Path, made_by: str
) -> bool:
    """Hold a file's schema version and key id against what is wanted; tell whether it is older.

    A schema names the older versions that its reader understands: they lack columns, no more.
    """
    said = schema.metadata or {}
    readable = {said.get(_VERSION, b""), *said.get(_OLDER, b"").split()}
    if found.get(_VERSION) not in readable:
        raise DatasetError(
            f"{path.name} has another schema version", str(path), f"run `{made_by}` again"
        )
    if found.get(_KEY, b"") != key_id.encode():
        raise KeyFileError(
            f"{path.name} was made with another key", str(path), "use that key, or crawl anew"
        )
    return found.get(_VERSION) != said.get(_VERSION)


def write_partition(
    folder: Path, table: pa.Table, archive: str, month: str, key_id: str, *, number: int = 0
) -> None:
    """Write one part of an (archive, month) of a partitioned dataset; an empty table removes it."""
    path = partition(folder, archive, month, number)
    if table.num_rows == 0:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()
        return
    write(path, table.drop_columns([n for n in PARTITIONS if n in table.column_names]), key_id)


def partition(folder: Path, archive: str, month: str, number: int = 0) -> Path:
    """Return the file of one part of an (archive, month)."""
    return folder / f"archive={archive}" / f"study_month={month}" / f"part-{number}.parquet"


def read_part(
    path: Path,
    schema: pa.Schema,
    key_id: str,
    made_by: str,
    columns: Collection[str] | None = None,
    *,
    encoded: Collection[str] = (),
) -> pa.Table:
    """Read one part, its archive and month from its folders; or columns of it, in their order.

    Those of the `encoded` columns come as dictionaries: text that repeats, small.

    Raises:
        DatasetError: damaged, or of a schema version that cannot be read.
        KeyFileError: made with another key.
    """
    told = dict(
        zip(PARTITIONS, (part.partition("=")[2] for part in path.parts[-3:-1]), strict=True)
    )
    fields = [schema.field(name) for name in columns or schema.names]
    fields = [field.with_type(_CODED) if field.name in encoded else field for field in fields]
    with undamaged(path, made_by), pq.ParquetFile(path) as file:
        found, footer = file.schema_arrow, file.metadata
    older = check(found.metadata or {}, schema, key_id, path, made_by)
    there = [field.name for field in fields if field.name in found.names]
    coded = [name for name in there if name in encoded]
    with (
        undamaged(path, made_by),
        pq.ParquetFile(
            path, metadata=footer, read_dictionary=coded, page_checksum_verification=True
        ) as file,
    ):
        return _whole(file.read(there), fields, schema.metadata, told, older=older)


def rows_in(path: Path, made_by: str) -> int:
    """Return how many rows a part has, as its footer says.

    Raises:
        DatasetError: damaged.
    """
    with undamaged(path, made_by):
        return int(pq.read_metadata(path).num_rows)


def _whole(
    table: pa.Table,
    fields: list[pa.Field],
    metadata: Any,
    told: Mapping[str, str],
    *,
    older: bool,
) -> pa.Table:
    """Return a table with all these fields: what the folders tell, and nulls for an older file."""
    rows = table.num_rows
    arrays = [
        pa.repeat(pa.scalar(told.get(field.name), _plain(field.type)), rows).cast(field.type)
        if field.name not in table.column_names and (older or field.name in told)
        else table[field.name].cast(field.type)
        for field in fields
    ]
    return pa.table(arrays, schema=pa.schema(fields, metadata=metadata))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def read_partitions(
    folder: Path,
    schema: pa.Schema,
    key_id: str,
    *,
    columns: Collection[str] | None = None,
    where: Any = None,
) -> pa.Table:
    """Read a partitioned dataset, or columns of it; empty where there is none yet.

    Raises:
        DatasetError: a file that is damaged, or of another schema version.
        KeyFileError: a file that was made with another key.
    """
    again = "remediation crawl --fresh"
    names = [f.name for f in schema if columns is None or f.name in columns]
    wanted = pa.schema([schema.field(name) for name in names], metadata=schema.metadata)
    files = sorted(folder.rglob("*.parquet")) if folder.exists() else []
    if not files:
        return wanted.empty_table()
    for path in files:
        with undamaged(path, again):
            check(pq.read_schema(path).metadata or {}, schema, key_id, path, again)
    parts = pa.schema([(name, pa.string()) for name in PARTITIONS])
    hive = ds.partitioning(parts, flavor="hive")
    scan = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    parquet = ds.ParquetFileFormat(default_fragment_scan_options=scan)
    data = ds.dataset(files, schema=schema, format=parquet, partitioning=hive)
    with undamaged(folder, again):
        return data.to_table(columns=names, filter=where).cast(wanted)
