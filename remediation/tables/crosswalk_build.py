"""Builds the crosswalk's columns from batches, and drops rows that say nothing new.

A row that equals an earlier one in every respect is a duplicate. A message of a patient takes the
place of his earlier ones: the latest by its own time, of equals the one that was read last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.errors import UsageError
from remediation.model.crosswalk import SpellingRule
from remediation.tables.crosswalk_cells import NONE, Cells, Ints, name_code
from remediation.tables.crosswalk_columns import BETWEEN, DAYS, TEXTS, WORDS, Columns, Index, Mask

MANY_WORDS = 1 << 16  # different ones in a column; one with more holds no words
_MOST_TEXT = (1 << 31) - 1  # bytes that Arrow's short strings can hold
_KEPT_NAMES = 1 << 18
_ALWAYS = np.iinfo(np.int64).min  # the time of a row that is no message


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows that are not among the columns: equal to earlier ones, or older messages."""

    duplicates: int = 0
    superseded: int = 0


def local_hash(issuer: str, spelled: str) -> bytes:
    """Return 64 bits of a local number; two may share them, so a find is always confirmed."""
    return blake2b(f"{issuer}\0{spelled}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


class _Codes(dict[str, int]):
    """A number for each different text, in the order of their first appearance."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


class _NameCodes(dict[str, int]):
    def __missing__(self, part: str) -> int:
        if len(self) >= _KEPT_NAMES:
            self.clear()
        code = self[part] = name_code(part)
        return code


class Builder:
    """Takes batches of rows; gives columns."""

    def __init__(self, rules: Iterable[SpellingRule] = ()) -> None:
        self._rules = {rule.issuer: rule for rule in rules}
        self._codes = {name: _Codes() for name in (*WORDS, *DAYS, "source")}
        self._names = _NameCodes()
        self._parts: dict[str, list[Any]] = {}
        self._kinds: dict[str, int] = {}
        self._rows = 0

    def add(self, cells: Cells) -> None:
        """Take a batch.

        Raises:
            UsageError: A column of words has more different ones than any EPD: it is another's.
        """
        if not len(cells):
            return
        texts = cells.texts
        for name in (*WORDS, *DAYS):
            self._add_codes(name, texts[name])
        self._add_codes("source", cells.sources)
        others = [
            text if number == NONE else ""
            for text, number in zip(texts["bsn"], cells.numbers.tolist(), strict=True)
        ]
        names = [BETWEEN.join(parts) for parts in cells.family_names]
        plain = [texts["local_number"], texts["initials"], texts["replaced_by"], others, names]
        for name, column in zip(TEXTS, plain, strict=True):
            self._keep(name, pa.array(column, pa.string()))
        self._keep("rest", np.fromiter(map(hash, zip(*plain, strict=True)), np.int64, len(cells)))
        self._keep("number", np.asarray(cells.numbers, np.int32))
        self._keep("flags", np.asarray(cells.flags, np.uint8))
        self._keep("line", np.asarray(cells.lines, np.uint32))
        self._keep("local_hash", self._hashes(texts["issuer"], texts["local_number"]))
        self._keep("name_counts", np.fromiter(map(len, cells.family_names), np.uint32, len(cells)))
        codes = map(self._names.__getitem__, chain.from_iterable(cells.family_names))
        self._keep("name_codes", np.fromiter(codes, np.uint32))
        if cells.times and "time" not in self._parts:
            self._keep("time", np.full(self._rows, _ALWAYS))
        if "time" in self._parts:
            times = cells.times or np.full(len(cells), _ALWAYS)
            self._keep("time", np.asarray(times, np.int64))
        self._rows += len(cells)
        self._kinds[cells.kind] = self._kinds.get(cells.kind, 0) + len(cells)

    def _keep(self, name: str, part: Any) -> None:
        self._parts.setdefault(name, []).append(part)

    def _add_codes(self, name: str, column: Sequence[str]) -> None:
        codes = self._codes[name]
        found = np.fromiter(map(codes.__getitem__, column), np.uint32, len(column))
        if name in WORDS and len(codes) > MANY_WORDS:
            raise UsageError(
                f"the crosswalk's column for {name} holds other things than words",
                "",
                "check [crosswalk] columns",
            )
        self._keep(name, found.astype(np.min_scalar_type(len(codes))))

    def _hashes(self, issuers: Sequence[str], local_numbers: Sequence[str]) -> Ints:
        rules = self._rules
        spelled = (
            rules[issuer].spell(local) if issuer in rules else local
            for issuer, local in zip(issuers, local_numbers, strict=True)
        )
        return np.frombuffer(b"".join(map(local_hash, issuers, spelled)), np.uint64)

    def finish(self) -> tuple[Columns, Dropped]:
        """Return the columns of the rows that count, and how many did not."""
        columns = Columns(
            {name: self._joined(name, np.uint8) for name in self._codes},
            {name: list(codes) for name, codes in self._codes.items()},
            {name: self._strings(name) for name in TEXTS},
            self._joined("number", np.int32),
            self._joined("flags", np.uint8),
            self._joined("line", np.uint32),
            self._joined("local_hash", np.uint64),
            self._joined("name_codes", np.uint32),
            self._joined("name_counts", np.uint32),
            self._kinds,
        )
        rest, size = self._joined("rest", np.int64), len(columns)
        late = np.ones(size, dtype=np.bool_)
        if "time" in self._parts:
            late = _latest(columns, self._joined("time", np.int64))
        twice = _duplicates(columns, rest, np.flatnonzero(late))
        kept = late & ~twice
        dropped = Dropped(int(twice.sum()), int(size - late.sum()))
        return (columns if kept.all() else columns.taken(np.flatnonzero(kept))), dropped

    def _joined(self, name: str, empty: type[Any]) -> Ints:
        parts = self._parts.pop(name, None)
        return np.concatenate(parts) if parts else np.zeros(0, empty)

    def _strings(self, name: str) -> Any:
        parts = self._parts.pop(name, [])
        long = sum(part.nbytes for part in parts) > _MOST_TEXT
        kind = pa.large_string() if long else pa.string()
        return pa.concat_arrays([part.cast(kind) for part in parts] or [pa.array([], kind)])


def _latest(columns: Columns, times: Ints) -> Mask:
    """Return the rows that no later message of the same patient takes the place of.

    Rows of one message stay together: it may give a local number two numbers, and that must show.
    """
    messages = np.flatnonzero(
        (times != _ALWAYS) & ~columns.empty("issuer") & ~columns.empty("local_number")
    )
    keys = columns.local_hash[messages]
    messages = messages[np.lexsort((messages, times[messages], keys))]
    keys = columns.local_hash[messages]
    last = np.append(keys[1:] != keys[:-1], True)[: len(keys)]
    ends = np.flatnonzero(last)
    end_of = messages[ends[np.searchsorted(ends, np.arange(len(keys)))]] if len(keys) else messages
    source = columns.codes["source"]
    newest = (times[messages] == times[end_of]) & (source[messages] == source[end_of])
    newest &= columns.line[messages] == columns.line[end_of]
    issuer = columns.codes["issuer"]
    its_own = (issuer[messages] == issuer[end_of]) & alike(
        columns.texts["local_number"], messages, end_of
    )
    keep = np.ones(len(columns), dtype=np.bool_)
    keep[messages[its_own & ~newest]] = False
    return keep


def _duplicates(columns: Columns, rest: Ints, rows: Ints) -> Mask:
    """Return which rows equal an earlier one in all that they say, their place aside."""
    codes = [columns.codes[name] for name in (*WORDS, *DAYS)]
    key = _mixed([columns.local_hash, rest, columns.number, columns.flags, *codes])
    index = Index.of(key[rows], rows)
    same = index.repeated()
    first = np.maximum.accumulate(np.where(same, 0, np.arange(len(same))))
    later = np.flatnonzero(same)
    one, other = index.rows[first[later]], index.rows[later]
    equal = np.ones(len(later), dtype=np.bool_)
    for column in (columns.local_hash, columns.number, columns.flags, *codes):
        equal &= column[one] == column[other]
    for text in columns.texts.values():
        equal &= alike(text, one, other)
    found = np.zeros(len(columns), dtype=np.bool_)
    found[other[equal]] = True
    return found


def alike(texts: Any, one: Ints, other: Ints) -> Mask:
    """Return where the texts of two lists of rows are the same."""
    same = pc.equal(texts.take(pa.array(one)), texts.take(pa.array(other)))
    return np.asarray(same.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _mixed(columns: list[Ints]) -> Ints:
    """Return 64 bits of each row; equal rows have the same, unequal ones hardly ever."""
    mixed = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        mixed ^= column.astype(np.uint64)
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    return mixed
