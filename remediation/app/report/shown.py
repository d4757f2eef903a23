"""Shown: what the page's templates are given; every text in it is final, none of it is markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from remediation.app.report.words import Words

Kind = Literal["text", "number", "code", "bar"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Table:
    """A table: caption, columns with their kind, rows in groups, and a note on what is left off.

    A cell of a `bar` column is its text; the width (0 to 100) stands in `bars`, row by row.
    A group without a name has no heading row of its own.
    """

    caption: str
    columns: tuple[tuple[str, Kind], ...]
    groups: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    note: str = ""
    bars: tuple[float, ...] = field(default=())

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """All rows, whatever their group."""
        return tuple(row for _, rows in self.groups for row in rows)


def table(
    caption: str,
    columns: Sequence[tuple[str, Kind]],
    rows: Sequence[tuple[str, ...]],
    *,
    bars: Sequence[float] = (),
    note: str = "",
) -> Table:
    """Return a table of one group."""
    return Table(caption, tuple(columns), (("", tuple(rows)),), note, tuple(bars))


def capped(rows: Sequence[T], most: int, words: Words, *, sheet: bool) -> tuple[Sequence[T], str]:
    """Return the first `most` rows, and a note where there are more."""
    if len(rows) <= most:
        return rows, ""
    key = "left_off" if sheet else "left_off_here"
    return rows[:most], words(key, shown=words.number(most), total=words.number(len(rows)))
