"""The crosswalk's columns: ten million rows without an object for each of them.

Words that repeat are numbers in the smallest type that holds them, other text is Arrow's; a row
becomes an `Entry` when somebody asks for it. In memory only: plain values have no file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from remediation.model.crosswalk import Entry
from remediation.tables.crosswalk_cells import NONE, WELL_FORMED, Ints

Mask = npt.NDArray[np.bool_]

# The first name of a column of words is its widest meaning: what a message calls it.
WORDS = ("issuer", "status", "validation", "sex", "exemption")
DAYS = ("birth_date", "valid_from", "valid_to")
TEXTS = ("local_number", "initials", "replaced_by", "other_number", "family_names")
BETWEEN = "\n"  # family names; they consist of letters


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Columns:
    """All rows, each column of one length; rows are known by their position.

    Attributes:
        codes: For each of `WORDS` and `DAYS`, and for `source`, the place of its text in `words`.
        words: The texts that the codes stand for.
        texts: For each of `TEXTS` an Arrow array of strings; `other_number` is what stands in the
            number's column and has not nine digits.
        number: The BSN as a number, or `NONE`; `flags` what is known of it (`crosswalk_cells`).
        line: Line, row or message within the source; 0 where the source says it all.
        local_hash: 64 bits of (issuer, spelled local number).
        name_codes: 32 bits of each part of the family names, row after row; `name_counts` how
            many each row has.
    """

    codes: dict[str, Ints]
    words: dict[str, list[str]]
    texts: dict[str, Any]
    number: Ints
    flags: Ints
    line: Ints
    local_hash: Ints
    name_codes: Ints
    name_counts: Ints
    kinds: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.number)

    def __repr__(self) -> str:
        return f"<{len(self)} rows of a crosswalk>"

    def word(self, name: str, row: int) -> str:
        """Return the text of a column of codes."""
        return self.words[name][int(self.codes[name][row])]

    def text(self, name: str, row: int) -> str:
        """Return the text of an Arrow column."""
        return str(self.texts[name][row].as_py())

    def empty(self, name: str) -> Mask:
        """Return which rows have no text in a column."""
        if name in self.codes:
            return np.asarray(self.codes[name] == _code_of_nothing(self.words[name]))
        return np.asarray(lengths(self.texts[name]) == 0)

    def place(self, row: int) -> str:
        """Return file and line of a row."""
        source, line = self.word("source", row), self.line[row]
        return f"{source} {line}" if line else source

    def entry(self, row: int) -> Entry:
        """Return a row as what it says."""
        number, names = int(self.number[row]), self.text("family_names", row)
        return Entry(
            issuer=self.word("issuer", row),
            local_number=self.text("local_number", row),
            bsn=self.text("other_number", row) if number == NONE else f"{number:09}",
            well_formed=bool(self.flags[row] & WELL_FORMED),
            family_names=tuple(names.split(BETWEEN)) if names else (),
            initials=self.text("initials", row),
            replaced_by=self.text("replaced_by", row),
            place=self.place(row),
            **{name: self.word(name, row) for name in (*WORDS[1:], *DAYS)},
        )

    def taken(self, rows: Ints) -> Columns:
        """Return the columns of some rows, in their order."""
        return Columns(
            {name: codes[rows] for name, codes in self.codes.items()},
            self.words,
            {name: text.take(pa.array(rows)) for name, text in self.texts.items()},
            self.number[rows],
            self.flags[rows],
            self.line[rows],
            self.local_hash[rows],
            self.name_codes[np.repeat(_chosen(rows, len(self)), self.name_counts)],
            self.name_counts[rows],
            self.kinds,
        )

    def name_rows(self) -> Ints:
        """Return the row of each of `name_codes`."""
        return np.repeat(np.arange(len(self), dtype=np.uint32), self.name_counts)


class Entries(Sequence[Entry]):
    """The rows as a sequence of entries, each made when it is asked for."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns)

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, at: int | slice) -> Entry | tuple[Entry, ...]:
        rows = range(len(self))[at]
        if isinstance(rows, int):
            return self._columns.entry(rows)
        return tuple(map(self._columns.entry, rows))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as lists have none

    def __repr__(self) -> str:
        return f"<{len(self)} entries>"


def lengths(texts: Any) -> Ints:
    """Return the bytes of each string of an Arrow array."""
    import pyarrow.compute as pc

    return np.asarray(pc.binary_length(texts).to_numpy(zero_copy_only=False))


def _chosen(rows: Ints, size: int) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[rows] = True
    return mask


def _code_of_nothing(words: list[str]) -> int:
    return words.index("") if "" in words else len(words)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Index:
    """Rows by a key of 64 bits: the keys in rising order, and the row of each."""

    keys: Ints
    rows: Ints

    @classmethod
    def of(cls, keys: Ints, rows: Ints) -> Index:
        """Sort; rows of one key stay in their order."""
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], rows[order])

    def find(self, key: int) -> list[int]:
        """Return the rows of a key, in their order."""
        # One look costs numpy ten times what it costs here, and there are several for each study.
        keys, found = self.keys.data, list[int]()
        for at in range(bisect_left(keys, key), len(keys)):
            if keys[at] != key:
                break
            found.append(int(self.rows[at]))
        return found

    def repeated(self) -> Mask:
        """Return which of the rows, in the order of keys, have the key of the one before."""
        same = np.zeros(len(self.keys), dtype=np.bool_)
        same[1:] = self.keys[1:] == self.keys[:-1]
        return same


def several(index: Index, differ: Callable[[Ints, Ints], Mask]) -> Ints:
    """Return the keys of which a row differs from the key's first; each once."""
    same = index.repeated()
    first = np.maximum.accumulate(np.where(same, 0, np.arange(len(same))))
    at = np.flatnonzero(same)
    unlike = differ(index.rows[first[at]], index.rows[at])
    return np.unique(index.keys[at[unlike]])
