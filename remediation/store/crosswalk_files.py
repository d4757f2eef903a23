"""Reads the EPD's export into a crosswalk: CSV files, strictly, every value as text.

A file that could be read in two ways is refused: a column that shifts by one gives every patient
another one's number. No message holds a cell of the file, not even of its header line, which may
be data where an export has none.
"""

from __future__ import annotations

import csv
import glob
import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypedDict

from remediation.errors import UsageError
from remediation.model import bsn, person
from remediation.model.crosswalk import Crosswalk, Entry, SpellingRule

DELIMITERS = ";,\t"
_LATER = frozenset({".xlsx", ".xls", ".parquet", ".hl7"})
_SECONDS_A_DAY = 86_400
_MANY_DIGITS = 5  # a status word with more of them is a date or a number in the wrong column
_MANY_WORDS = 30  # more different words than this are no statuses


@dataclass(frozen=True, slots=True)
class CrosswalkSettings:
    """Where the export is and how it is written.

    Attributes:
        files: Absolute paths or glob patterns.
        columns: Our name of each column (`local_number`, `bsn`, ...) to the export's.
        default_issuer: Issuer of local numbers where the export names none; empty for none.
        spelling: How headers write the local numbers, per issuer.
        max_age_days: Days since the file was written; 0 for no limit.
    """

    files: tuple[Path, ...]
    columns: Mapping[str, str]
    default_issuer: str = ""
    spelling: tuple[SpellingRule, ...] = ()
    max_age_days: int = 30


class Quality(TypedDict):
    """Counts of rows of the export, duplicates included in `rows` only."""

    rows: int
    duplicates: int
    without_local_number: int
    without_issuer: int
    without_number: int
    invalid_numbers: int
    two_numbers: int
    shared_numbers: int
    by_status: dict[str, int]


def read_crosswalk(settings: CrosswalkSettings, now: datetime) -> Crosswalk:
    """Return the crosswalk of all files; `now` is the time that their age is measured from.

    Raises:
        UsageError: A file is missing, unreadable, of another kind, too old, undecodable, lacks a
            column that the job file names, or has a row of another width; nothing holds a row; or
            two local numbers are written alike. Names the file and line, never a value.
    """
    entries: list[Entry] = []
    for path in _paths(settings.files):
        _check_age(path, settings.max_age_days, now)
        entries.extend(_entries(path, settings))
    if not entries:
        raise UsageError(
            "the crosswalk holds no rows", _listed(settings.files), "export it from the EPD again"
        )
    return Crosswalk(entries, settings.spelling)


def quality(crosswalk: Crosswalk) -> Quality:
    """Return counts that tell how good the export is, for `check` and the report."""
    entries = crosswalk.entries
    return {
        "rows": len(entries) + crosswalk.duplicates,
        "duplicates": crosswalk.duplicates,
        "without_local_number": sum(not entry.local_number for entry in entries),
        "without_issuer": sum(not entry.issuer for entry in entries),
        "without_number": sum(not entry.bsn for entry in entries),
        "invalid_numbers": sum(
            bool(entry.bsn) and not (entry.well_formed and bsn.passes(entry.bsn))
            for entry in entries
        ),
        "two_numbers": len(crosswalk.two_numbers),
        "shared_numbers": len(crosswalk.shared_numbers),
        "by_status": _by_status(entries),
    }


def _by_status(entries: tuple[Entry, ...]) -> dict[str, int]:
    counts = Counter(
        "(digits)" if sum(map(str.isdigit, entry.status)) > _MANY_DIGITS else entry.status
        for entry in entries
    )
    if len(counts) > _MANY_WORDS:  # a column of names, by mistake: not ours to print
        return {"(too many different words)": counts.total()}
    return dict(sorted(counts.items()))


def _listed(files: tuple[Path, ...]) -> str:
    return ", ".join(map(str, files))


def _paths(patterns: tuple[Path, ...]) -> list[Path]:
    found: dict[Path, None] = {}
    for pattern in patterns:
        paths = sorted(map(Path, glob.glob(str(pattern), recursive=True)))  # noqa: PTH207 - absolute
        if not paths:
            raise UsageError("no crosswalk file", str(pattern), "check [crosswalk] files")
        found.update(dict.fromkeys(paths))
    return list(found)


def _check_age(path: Path, max_age_days: int, now: datetime) -> None:
    try:
        written = path.stat().st_mtime
    except OSError as error:
        raise _unreadable(path, error) from None
    days = (now.timestamp() - written) / _SECONDS_A_DAY
    if max_age_days and days > max_age_days:
        raise UsageError(
            f"the crosswalk is {math.ceil(days)} days old, {max_age_days} are allowed",
            str(path),
            "export it again, or raise max_age_days",
        )


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError("the crosswalk file cannot be read", str(path), error.strerror or "")


def _text(path: Path) -> str:
    if path.suffix.lower() in _LATER or not path.is_file():
        raise UsageError(
            "the crosswalk is not a CSV file", str(path), "export it from the EPD as CSV"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UsageError(
        "the crosswalk is neither UTF-8 nor Windows-1252 text", str(path), "export it as UTF-8"
    )


def _entries(path: Path, settings: CrosswalkSettings) -> Iterator[Entry]:
    text = _text(path)
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        at = _positions(header, settings.columns, path)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            place = f"{path.name} line {rows.line_num}"
            if len(row) < len(header) or any(cell.strip() for cell in row[len(header) :]):
                raise UsageError(
                    f"a row has {len(row)} cells where the header line has {len(header)}",
                    f"{path}, line {rows.line_num}",
                    "export it again with quoted text",
                )
            yield _entry(
                {key: row[i].strip() for key, i in at.items()}, settings.default_issuer, place
            )
    except csv.Error:
        raise UsageError(
            "the crosswalk has a quote out of place", f"{path}, near line {rows.line_num}"
        ) from None


def _positions(header: list[str], columns: Mapping[str, str], path: Path) -> dict[str, int]:
    """Return where each of our columns stands in a row; names only what the job file names."""
    wrong = [name for name in columns.values() if header.count(name) != 1]
    if wrong:
        raise UsageError(
            "the crosswalk does not have exactly one column " + ", ".join(map(repr, wrong)),
            str(path),
            "check [crosswalk] columns and the file's first line",
        )
    return {key: header.index(name) for key, name in columns.items()}


def _entry(cells: Mapping[str, str], default_issuer: str, place: str) -> Entry:
    number = cells["bsn"]
    normal = bsn.normalise(number)
    names = (cells.get(key, "") for key in ("family_name", "birth_name", "partner_name"))
    return Entry(
        issuer=cells.get("issuer", "") or default_issuer,
        local_number=cells["local_number"],
        bsn=normal or number,
        well_formed=normal is not None,
        status=cells["status"],
        validation=cells.get("validation", ""),
        birth_date=person.birth_date(cells["birth_date"]),
        sex=person.sex(cells.get("sex", "")),
        family_names=tuple(
            dict.fromkeys(part for name in names for part in person.family_names(name))
        ),
        initials=person.initials(cells.get("initials", "")),
        exemption=cells.get("exemption", ""),
        replaced_by=cells.get("replaced_by", ""),
        valid_from=person.day(cells.get("valid_from", "")),
        valid_to=person.day(cells.get("valid_to", "")),
        place=place,
    )
