"""The crosswalk's cells made comparable: batches of text in, normalised columns out.

The same functions serve the header (`model.person`, `model.bsn`); here they run over columns, and
each distinct cell is worked out once, for an export has millions of rows and few birth dates.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from remediation.model import bsn, person
from remediation.model.crosswalk import Entry, Rows

Ints = npt.NDArray[np.integer[Any]]
NONE = -1  # no number of nine digits
NINE = len(bsn.WEIGHTS)
_PLACEHOLDERS = [int(number) for number in bsn.PLACEHOLDERS]
_TEST_SHARE = 10 ** (NINE - len(bsn.TEST_RANGE))
_KEPT = 1 << 17  # distinct cells of a column that are remembered
_NAMES = ("family_name", "birth_name", "partner_name")
WELL_FORMED, PASSES, PLACEHOLDER, TEST_NUMBER = 1, 2, 4, 8  # what is known of a number
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class Cells:
    """Normalised rows as columns of one length; each means what `Entry`'s attribute does.

    `numbers` (`NONE` for any other text than nine digits) and `flags` tell of `bsn`; `sources` and
    `lines` are the place in two parts (line 0: the source is all of it); `times` is empty, or when
    the message of each row was made.
    """

    texts: dict[str, Sequence[str]]
    family_names: Sequence[tuple[str, ...]]
    numbers: Ints
    flags: Ints
    sources: Sequence[str]
    lines: Sequence[int]
    kind: str
    times: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.lines)


class _Once(dict[str, _T], Generic[_T]):
    """What a function makes of each text, remembered up to a bound."""

    def __init__(self, function: Callable[[str], _T]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: str) -> _T:
        if len(self) >= _KEPT:
            self.clear()
        made = self[text] = self._function(text)
        return made

    def all(self, texts: Iterable[str]) -> list[_T]:
        """Return what it makes of each text."""
        return list(map(self.__getitem__, texts))


class Normaliser:
    """Makes batches comparable, one after another."""

    def __init__(self) -> None:
        self._births, self._days = _Once(person.birth_date), _Once(person.day)
        self._sexes, self._initials = _Once(person.sex), _Once(person.initials)
        self._names = _Once(person.family_names)

    def cells(self, rows: Rows) -> Cells:
        """Return the normalised columns of a batch."""
        nothing = [""] * len(rows)

        def column(name: str) -> Sequence[str]:
            return rows.cells.get(name, nothing)

        numbered = list(map(_number, column("bsn")))
        numbers, flags = _known(*(zip(*numbered, strict=True) if numbered else ((), ())))
        texts: dict[str, Sequence[str]] = {
            name: column(name)
            for name in (
                "issuer",
                "local_number",
                "status",
                "validation",
                "exemption",
                "replaced_by",
            )
        }
        texts["bsn"] = [text for text, _ in numbered]
        texts["birth_date"] = self._births.all(column("birth_date"))
        texts["sex"] = self._sexes.all(column("sex"))
        texts["initials"] = self._initials.all(column("initials"))
        for name in ("valid_from", "valid_to"):
            texts[name] = self._days.all(column(name)) if name in rows.cells else nothing
        return Cells(
            texts,
            self._family_names([rows.cells[name] for name in _NAMES if name in rows.cells], rows),
            numbers,
            flags,
            list(repeat(rows.source, len(rows))),
            rows.numbers,
            rows.kind,
            rows.times,
        )

    def _family_names(self, columns: list[Sequence[str]], rows: Rows) -> Sequence[tuple[str, ...]]:
        found = [self._names.all(column) for column in columns]
        if not found:
            return [()] * len(rows)
        if len(found) == 1:
            return found[0]
        return [tuple(dict.fromkeys(sum(parts, ()))) for parts in zip(*found, strict=True)]


def cells_of(entries: Sequence[Entry]) -> Cells:
    """Return entries, which are normalised already, as columns."""
    names = [
        "issuer",
        "local_number",
        "bsn",
        "status",
        "validation",
        "birth_date",
        "sex",
        "initials",
        "exemption",
        "replaced_by",
        "valid_from",
        "valid_to",
    ]
    numbers, flags = _known(
        [entry.bsn for entry in entries], [entry.well_formed for entry in entries]
    )
    return Cells(
        {name: list(map(attrgetter(name), entries)) for name in names},
        [entry.family_names for entry in entries],
        numbers,
        flags,
        [entry.place for entry in entries],
        [0] * len(entries),
        "",
    )


def _number(text: str) -> tuple[str, bool]:
    """Return the text of a number, nine digits where it is well-formed, and whether it is."""
    if len(text) == NINE and text.isascii() and text.isdigit():
        return text, True  # as nearly all are
    normal = bsn.normalise(text) if text else None
    return (text, False) if normal is None else (normal, True)


def _known(texts: Sequence[str], well_formed: Sequence[bool]) -> tuple[Ints, Ints]:
    """Return the numbers of nine digits, `NONE` for other texts, and what is known of each."""
    values = (
        int(text) if well and len(text) == NINE and text.isascii() and text.isdigit() else NONE
        for text, well in zip(texts, well_formed, strict=True)
    )
    numbers = np.fromiter(values, np.int32, len(texts))
    known = np.asarray(well_formed, dtype=np.uint8) * np.uint8(WELL_FORMED)
    known |= passing(numbers).astype(np.uint8) * np.uint8(PASSES)
    known |= np.isin(numbers, _PLACEHOLDERS).astype(np.uint8) * np.uint8(PLACEHOLDER)
    tested = numbers // _TEST_SHARE == int(bsn.TEST_RANGE)
    return numbers, known | tested.astype(np.uint8) * np.uint8(TEST_NUMBER)


def passing(numbers: Ints) -> npt.NDArray[np.bool_]:
    """Tell which numbers pass the elfproef, as `bsn.passes` does, many at once.

    >>> passing(np.array([999900006, 999900007, 0, NONE])).tolist()
    [True, False, False, False]
    """
    rest, total = numbers.astype(np.int64), np.zeros(len(numbers), np.int64)
    for weight in reversed(bsn.WEIGHTS):
        rest, digit = np.divmod(rest, 10)
        total += weight * digit
    return np.asarray((total % 11 == 0) & (numbers > 0), dtype=np.bool_)


def name_code(part: str) -> int:
    """Return a number of 32 bits for a part of a name; others may have the same."""
    return zlib.crc32(part.encode())
