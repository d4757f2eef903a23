"""Reads the EPD's export from Parquet: text, whole numbers and dates; batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from remediation.errors import UsageError
from remediation.model.crosswalk import Rows
from remediation.store.crosswalk_reading import BATCH, batch, positions

DATES = frozenset({"birth_date", "valid_from", "valid_to"})


def read_parquet(
    file: BinaryIO, path: Path, columns: Mapping[str, str], default_issuer: str
) -> Iterator[Rows]:
    """Yield the rows of an open file in batches.

    Raises:
        UsageError: It is no Parquet, is damaged, lacks a column, or one of them has a type that
            does not say the same as text: numbers with a fraction, dates for numbers, lists.
    """
    try:
        parquet = pq.ParquetFile(file, buffer_size=1 << 20)
        schema = parquet.schema_arrow
        at = positions(schema.names, columns, path)
        _check_types(schema, columns, path)
        start = 1
        for found in parquet.iter_batches(BATCH, columns=[schema.names[i] for i in at.values()]):
            cells = {key: _texts(found.column(schema.names[i])) for key, i in at.items()}
            lines = range(start, start + len(found))
            start = lines.stop
            yield batch(cells, lines, f"{path.name} row", "parquet", default_issuer)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # Not chained, and not quoted: Arrow's messages may hold values.
        raise UsageError(
            "the crosswalk is no Parquet file, or damaged", str(path), "export it again"
        ) from None


def _check_types(schema: pa.Schema, columns: Mapping[str, str], path: Path) -> None:
    wrong = [
        f"{name!r} ({schema.field(name).type})"
        for key, name in columns.items()
        if not _fits(schema.field(name).type, is_date=key in DATES)
    ]
    if wrong:
        raise UsageError(
            "columns of the crosswalk have another type than text: " + ", ".join(wrong),
            str(path),
            "export identifiers as text, dates as dates or text",
        )


def _fits(kind: pa.DataType, *, is_date: bool) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    if any(one(kind) for one in (*texts, pa.types.is_integer, pa.types.is_null)):
        return True
    # A moment with a time zone may be another day than the one that was meant.
    dated = pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None)
    return is_date and dated


def _texts(column: Any) -> list[str]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us"), safe=False).cast(pa.date32(), safe=False)
    texts: list[str] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return texts
