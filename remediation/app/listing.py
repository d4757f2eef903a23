"""Listing: the worklists of one run as CSV and as one workbook, in the job's language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from remediation.app.report.words import Words
from remediation.app.worklist_texts import TEXTS, TODO
from remediation.stages.worklists import Listed, Waiting, Worklists
from remediation.store.files import durable_write
from remediation.store.worklists import write_csv

Language = Literal["nl", "en"]
Kind = Literal["text", "count", "share", "day"]
FOLDER, BOOK = "worklists", "werklijsten.xlsx"
# The names of the files are the same in every language: others find them by name.
FILES = {
    "desk": "registratie.csv",
    "mixups": "verwisselingen.csv",
    "leaks": "lekken.csv",
    "vendor": "leverancier.csv",
}
_DAYS, _COUNTS = frozenset({"first", "last", "start", "end"}), frozenset({"studies", "right"})


@dataclass(frozen=True, slots=True)
class _List:
    """One list: its name, the keys of its columns, and its lines."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def write_worklists(output: Path, lists: Worklists, language: Language) -> dict[str, Path]:
    """Write every list, each whole or not at all, over those of an earlier run; return the paths.

    Raises:
        ShareError: they cannot be written.
    """
    # pandas takes a second to load: only for those who write a workbook.
    from remediation.app.frames import Sheet, workbook

    folder, texts = output / FOLDER, TEXTS[language]
    made = {name: folder / file for name, file in FILES.items()}
    sheets = []
    for one in _lists(lists, language):
        headings = [texts[key] for key in one.columns]
        shown = [["" if cell is None else cell for cell in row] for row in one.rows]
        write_csv(made[one.name], headings, shown)
        kinds = zip(headings, map(_kind, one.columns), strict=True)
        sheets.append(Sheet(texts[one.name], list(kinds), one.rows))
    made["workbook"] = folder / BOOK
    durable_write(made["workbook"], workbook(sheets))
    return made


def _kind(column: str) -> Kind:
    if column in _DAYS:
        return "day"
    return "count" if column in _COUNTS | {"findings"} else "text"


def _lists(lists: Worklists, language: Language) -> Iterator[_List]:
    told = _Told(language)
    patient = ("number", "issuer", "archive", "reason", "means", "todo", "studies")
    rest = ("first", "last", "source", "example")
    desk = [(*told.patient(one), *told.rest(one)) for one in lists.desk.rows]
    yield told.ended(_List("desk", (*patient, *rest), desk), lists.desk)
    mixups = [(*told.patient(one), one.right, *told.rest(one)) for one in lists.mixups.rows]
    yield told.ended(_List("mixups", (*patient, "right", *rest), mixups), lists.mixups)
    columns: tuple[str, ...] = (
        "place",
        "creator",
        "kind",
        "archive",
        "source",
        "findings",
        "studies",
    )
    leaks = [told.leak(row) for row in lists.leaks.rows]
    yield told.ended(_List("leaks", columns, leaks), lists.leaks)
    columns = ("period", "archive", "source", "axis", "start", "end", "status", "means")
    columns += ("place", "bsn_issuer", "maker", "software", "studies", "first", "last", "examples")
    faults = [told.fault(row) for row in lists.vendor.rows]
    yield told.ended(_List("vendor", columns, faults), lists.vendor)


class _Told:
    """Rows in one language; what comes from headers is washed, local numbers aside."""

    def __init__(self, language: Language) -> None:
        self.words, self.texts, self.todo = Words.of(language), TEXTS[language], TODO[language]

    def patient(self, one: Waiting) -> tuple[Any, ...]:
        means, todo = self.words.reason(one.reason), self.todo.get(one.reason, "")
        issuer = self._plain(one.issuer)
        return one.number, issuer, one.archive, one.reason, means, todo, one.studies

    def rest(self, one: Waiting) -> tuple[Any, ...]:
        return one.first, one.last, self._source(one.source), one.example

    def leak(self, row: dict[str, Any]) -> tuple[Any, ...]:
        kind = self.words.catalogue.place_kinds.get(row["place_kind"], row["place_kind"])
        where = self._plain(row["place"]), self._plain(row["private_creator"]), kind
        return *where, row["archive"], self._source(row["source"]), row["findings"], row["studies"]

    def fault(self, row: dict[str, Any]) -> tuple[Any, ...]:
        names = ("place", "bsn_issuer", "Manufacturer", "ImplementationVersionName")
        return (
            row["period_id"],
            row["archive"],
            self._source(row["source"]),
            self.texts[f"axis_{row['axis']}"],
            row["start"],
            row["end"],
            row["status"],
            self.words.catalogue.statuses.get(row["status"], ""),
            *(self._plain(row[name]) for name in names),
            row["studies"],
            row["first"],
            row["last"],
            ", ".join(row["examples"]),
        )

    def ended(self, one: _List, found: Listed[Any]) -> _List:
        """Add a last line that says how many were left out."""
        if not found.left_out:
            return one
        said = self.texts["left_out"].format(count=self.words.number(found.left_out))
        last = (said, *[None] * (len(one.columns) - 1))
        return _List(one.name, one.columns, [*one.rows, last])

    def _plain(self, text: str | None) -> str:
        return self.words.plain(text) if text else ""

    def _source(self, text: str | None) -> str:
        return "" if text in (None, "unknown") else self._plain(text)
