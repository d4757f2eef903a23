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
from typing import Generic, TypeVar

from remediation.model import bsn, person
from remediation.model.crosswalk import Entry, Rows

_KEPT = 1 << 17  # distinct cells of a column that are remembered
_NAMES = ("family_name", "birth_name", "partner_name")
WELL_FORMED, PASSES, PLACEHOLDER, TEST_NUMBER = 1, 2, 4, 8  # what is known of a number
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class Cells:
    """Normalised rows as columns of one length; each means what `Entry`'s attribute does.

    `numbers` and `flags` tell of `bsn`; `sources` and `lines` are the place in two parts (line 0:
    the source is all of it); `times` is empty, or when the message of each row was made.
    """

    texts: dict[str, Sequence[str]]
    family_names: Sequence[tuple[str, ...]]
    numbers: Sequence[int]  # of nine digits, -1 for any other text
    flags: Sequence[int]
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
        texts["bsn"] = [text for text, _, _ in numbered]
        texts["birth_date"] = self._births.all(column("birth_date"))
        texts["sex"] = self._sexes.all(column("sex"))
        texts["initials"] = self._initials.all(column("initials"))
        for name in ("valid_from", "valid_to"):
            texts[name] = self._days.all(column(name)) if name in rows.cells else nothing
        return Cells(
            texts,
            self._family_names([rows.cells[name] for name in _NAMES if name in rows.cells], rows),
            [number for _, number, _ in numbered],
            [flags for _, _, flags in numbered],
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
    known = [_known(entry.bsn, entry.well_formed) for entry in entries]
    return Cells(
        {name: list(map(attrgetter(name), entries)) for name in names},
        [entry.family_names for entry in entries],
        [number for number, _ in known],
        [flags for _, flags in known],
        [entry.place for entry in entries],
        [0] * len(entries),
        "",
    )


def _number(text: str) -> tuple[str, int, int]:
    """Return the text of a number, its value or -1, and what is known of it."""
    if not text:
        return "", -1, 0
    normal = bsn.normalise(text)
    return (normal or text, *_known(normal or text, normal is not None))


def _known(text: str, well_formed: bool) -> tuple[int, int]:  # noqa: FBT001 - an Entry's own
    nine = len(text) == len(bsn.WEIGHTS) and text.isascii() and text.isdigit()
    flags = WELL_FORMED if well_formed else 0
    if not (nine and well_formed):
        return -1, flags
    flags |= PASSES * bsn.passes(text)
    flags |= PLACEHOLDER * bsn.is_placeholder(text)
    return int(text), flags | TEST_NUMBER * bsn.is_test_number(text)


def name_code(part: str) -> int:
    """Return a number of 32 bits for a part of a name; others may have the same."""
    return zlib.crc32(part.encode())
