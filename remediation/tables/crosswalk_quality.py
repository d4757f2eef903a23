"""How good the export is: counts of rows by what is wrong with them; no cell of theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from remediation.model.bsn import PLACEHOLDERS
from remediation.model.washing import shown_words
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.crosswalk_cells import NONE, PASSES, PLACEHOLDER, TEST_NUMBER
from remediation.tables.crosswalk_columns import Columns, Mask


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts of rows; each row counts once, and duplicates in `rows` and `duplicates` only.

    Attributes:
        rows: All that were read.
        duplicates: Rows that equal an earlier one in every respect.
        superseded: Messages that a later one of the same patient took the place of.
        without_local_number: Rows that no header can lead to; `without_issuer` as well.
        without_number: Rows without a BSN, a reason for that (`exempt`) or none.
        invalid_numbers: Rows of which the number is malformed or fails the elfproef.
        placeholders: Rows of which the number stands for none.
        test_numbers: Rows of which the number lies in the test range.
        unverified: Rows with a usable number of which the status does not allow writing.
        without_birth_date: Rows of whom no header can be confirmed; `without_family_name` as well.
        replaced: Rows whose local number another took the place of.
        replaced_by_nobody: Those of which that other has no row.
        replaced_by_itself: Those of which it is the same.
        bounded: Rows that hold within some days only.
        two_numbers: Local numbers of which rows name different BSNs for one day.
        shared_numbers: BSNs with several local numbers of one issuer that nothing links.
        by_status: Rows by the EPD's word, `by_issuer` by issuer, `by_kind` (duplicates included)
            by kind of file. Words with many digits, and too many words, are not shown.
    """

    rows: int
    duplicates: int
    superseded: int
    without_local_number: int
    without_issuer: int
    without_number: int
    exempt: int
    invalid_numbers: int
    placeholders: int
    test_numbers: int
    unverified: int
    without_birth_date: int
    without_family_name: int
    without_sex: int
    without_initials: int
    replaced: int
    replaced_by_nobody: int
    replaced_by_itself: int
    bounded: int
    two_numbers: int
    shared_numbers: int
    by_status: dict[str, int]
    by_issuer: dict[str, int]
    by_kind: dict[str, int]

    def counts(self) -> dict[str, Any]:
        """Return everything by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def quality(
    crosswalk: Crosswalk, writable: Collection[str] = (), placeholders: Collection[str] = ()
) -> Quality:
    """Count; `writable` are the status words that allow writing, `placeholders` the job's own."""
    columns, dropped = crosswalk.columns, crosswalk.dropped
    none = (columns.number == NONE) & columns.empty("other_number")
    own = [int(number) for number in {*placeholders, *PLACEHOLDERS}]
    stand_in = ((columns.flags & PLACEHOLDER) > 0) | np.isin(columns.number, own)
    passing = (columns.flags & PASSES) > 0
    replaced = ~columns.empty("replaced_by")
    return Quality(
        rows=len(columns) + dropped.duplicates + dropped.superseded,
        duplicates=dropped.duplicates,
        superseded=dropped.superseded,
        without_local_number=_sum(columns.empty("local_number")),
        without_issuer=_sum(columns.empty("issuer")),
        without_number=_sum(none),
        exempt=_sum(none & ~columns.empty("exemption")),
        invalid_numbers=_sum(~none & ~passing & ~stand_in),
        placeholders=_sum(stand_in),
        test_numbers=_sum((columns.flags & TEST_NUMBER) > 0),
        unverified=_sum(passing & ~stand_in & ~_writable(columns, writable)),
        without_birth_date=_sum(columns.empty("birth_date")),
        without_family_name=_sum(columns.empty("family_names")),
        without_sex=_sum(columns.empty("sex")),
        without_initials=_sum(columns.empty("initials")),
        replaced=_sum(replaced),
        replaced_by_nobody=sum(
            not crosswalk.by_plain(entry.issuer, entry.replaced_by)
            for entry in map(columns.entry, np.flatnonzero(replaced).tolist())
        ),
        replaced_by_itself=sum(
            columns.text("local_number", row) == columns.text("replaced_by", row)
            for row in np.flatnonzero(replaced).tolist()
        ),
        bounded=_sum(~(columns.empty("valid_from") & columns.empty("valid_to"))),
        two_numbers=len(crosswalk.two_numbers),
        shared_numbers=len(crosswalk.shared_numbers),
        by_status=_by_word(columns, "status"),
        by_issuer=_by_word(columns, "issuer"),
        by_kind=dict(sorted(columns.kinds.items())),
    )


def _sum(mask: Mask) -> int:
    return int(mask.sum())


def _writable(columns: Columns, writable: Collection[str]) -> Mask:
    allowed = {word.casefold() for word in writable}
    codes = [n for n, word in enumerate(columns.words["status"]) if word.casefold() in allowed]
    return np.isin(columns.codes["status"], codes)


def _by_word(columns: Columns, name: str) -> dict[str, int]:
    found = zip(columns.words[name], np.bincount(columns.codes[name]).tolist(), strict=False)
    rows_of = {word: rows for word, rows in found if rows}
    counts = Counter[str]()
    for word, shown in shown_words(rows_of).items():
        counts[shown] += rows_of[word]
    return dict(sorted(counts.items()))
