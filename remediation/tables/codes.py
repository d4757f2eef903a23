"""Codes: columns as small numbers, so that millions of rows are compared without being read.

A column may be text or dictionary-encoded text; what has a null has the code -1.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def encoded(column: pa.ChunkedArray | pa.Array) -> pa.DictionaryArray:
    """Return a column as one dictionary array.

    >>> encoded(pa.chunked_array([["b"], ["a", "b"]])).indices.to_pylist()
    [0, 1, 0]
    """
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if not pa.types.is_dictionary(chunked.type):
        chunked = pc.dictionary_encode(chunked)
    if chunked.num_chunks == 1:
        return chunked.chunk(0)
    return chunked.unify_dictionaries().combine_chunks()


def numbers(column: pa.DictionaryArray) -> Numbers:
    """Return the codes of an encoded column; null: -1."""
    return integers(column.indices)


def integers(column: pa.Array | pa.ChunkedArray, null: int = -1) -> Numbers:
    """Return whole numbers as numpy knows them; null: -1, or as told."""
    return np.asarray(pc.fill_null(column.cast(pa.int64()), null), dtype=np.int64)


def one_of(column: pa.ChunkedArray | pa.Array, values: Collection[str | None]) -> Flags:
    """Tell of each row whether its value is one of these.

    >>> one_of(pa.array(["a", None, "b"]), {"a"}).tolist()
    [True, False, False]
    """
    own = encoded(column)
    # The last one is what a null's code, -1, points at.
    told = [value in values for value in own.dictionary.to_pylist()]
    return np.array([*told, None in values], dtype=bool)[numbers(own)]


def mapped(
    column: pa.ChunkedArray | pa.Array, change: Callable[[str], str], null: str | None = None
) -> pa.Array:
    """Return a column of text with each of its different values changed.

    >>> mapped(pa.array(["a", None, "a"]), str.upper, null="?").to_pylist()
    ['A', '?', 'A']
    """
    own = encoded(column)
    values = pa.array([*map(change, own.dictionary.to_pylist()), null], pa.string())
    return values.take(pa.array(np.where(own.is_null(), len(values) - 1, numbers(own))))


def distinct(rows: int, columns: Iterable[pa.ChunkedArray | pa.Array]) -> tuple[Numbers, Numbers]:
    """Number the different rows of some columns of text, by where they first stand.

    Returns:
        The number of each row, and for each number the first row that has it.

    >>> codes, first = distinct(3, [pa.array(["a", "b", "a"]), pa.array(["x", "x", "x"])])
    >>> codes.tolist(), first.tolist()
    ([0, 1, 0], [0, 1])
    """
    codes = np.zeros(rows, dtype=np.int64)
    for column in columns:
        own = encoded(column)
        codes = codes * (len(own.dictionary) + 1) + numbers(own) + 1
        # Numbered anew each time: they stay small, however many columns there are.
        codes = integers(pa.array(codes).dictionary_encode().indices)
    return codes, firsts(codes)


def firsts(codes: Numbers) -> Numbers:
    """Return the first row of each code from 0 to the largest.

    >>> firsts(np.array([1, 0, 1])).tolist()
    [1, 0]
    """
    first = np.zeros(codes.max(initial=-1) + 1, dtype=np.int64)
    # The last one that is put there stays.
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def kept(table: pa.Table, flags: Flags) -> pa.Table:
    """Return the rows that are flagged; without a copy where all are."""
    return table if flags.all() else table.filter(pa.array(flags))


def column_of(values: Collection[Any], codes: Numbers) -> pa.Array:
    """Return a column of text from its different values and their numbers; -1: null."""
    texts = pa.array([*values, None], pa.string())
    return texts.take(pa.array(np.where(codes < 0, len(texts) - 1, codes)))
