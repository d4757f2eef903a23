"""Finds the files of the EPD's export and reads them, of whatever kind, in batches of text.

Several files of several kinds count as one export. What the rows then mean is decided by `model`;
`tables.crosswalk` keeps them as columns: this layer hands over batches and forgets them.
"""

from __future__ import annotations

import glob
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from remediation.errors import UsageError
from remediation.model.crosswalk import Rows
from remediation.store.crosswalk_csv import read_csv
from remediation.store.crosswalk_hl7 import read_hl7
from remediation.store.crosswalk_parquet import read_parquet
from remediation.store.crosswalk_reading import CrosswalkSettings, Hl7Settings, unreadable
from remediation.store.crosswalk_sheet import read_sheet

__all__ = ["CrosswalkSettings", "Hl7Settings", "read_crosswalk"]

_SECONDS_A_DAY = 86_400
_SUFFIXES = {
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".hl7": "hl7",
    ".adt": "hl7",
}
# How files of a kind begin, where their name does not tell.
_BEGINNINGS = (
    (b"PK\x03\x04", "xlsx"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"PAR1", "parquet"),
    (b"MSH|", "hl7"),
    (b"\x0bMSH|", "hl7"),
    (b"FHS|", "hl7"),
    (b"BHS|", "hl7"),
)


def read_crosswalk(settings: CrosswalkSettings, now: datetime) -> Iterator[Rows]:
    """Yield the rows of all files in batches; `now` is the time that their age is measured from.

    Raises:
        UsageError: A file is missing, unreadable, of another kind, too old, undecodable, lacks a
            column that the job file names, or has a row of another shape; nothing holds a row.
            Names the file and line, never a value.
    """
    paths = _paths(settings.files)
    for path in paths:
        _check_age(path, settings.max_age_days, now)
    rows = 0
    for path in paths:
        for found in _read(path, settings):
            rows += len(found)
            yield found
    if not rows:
        raise UsageError(
            "the crosswalk holds no rows", _listed(settings.files), "export it from the EPD again"
        )


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
        raise unreadable(path, error) from None
    days = (now.timestamp() - written) / _SECONDS_A_DAY
    if max_age_days and days > max_age_days:
        raise UsageError(
            f"the crosswalk is {math.ceil(days)} days old, {max_age_days} are allowed",
            str(path),
            "export it again, or raise max_age_days",
        )


def _read(path: Path, settings: CrosswalkSettings) -> Iterator[Rows]:
    if not path.is_file():
        raise UsageError("the crosswalk is not a file", str(path), "check [crosswalk] files")
    try:
        with path.open("rb") as file:
            yield from _rows(file, path, settings)
    except OSError as error:
        raise unreadable(path, error) from None


def _rows(file: BinaryIO, path: Path, settings: CrosswalkSettings) -> Iterator[Rows]:
    kind = _SUFFIXES.get(path.suffix.lower()) or _kind(file)
    if kind == "hl7":
        return read_hl7(file, path, settings)
    if kind == "xls":
        raise UsageError(
            "the crosswalk is an old Excel file, which does not tell how numbers are written",
            str(path),
            "save it as .xlsx or CSV",
        )
    read = {"xlsx": read_sheet, "parquet": read_parquet}.get(kind, read_csv)
    return read(file, path, settings.columns, settings.default_issuer)


def _kind(file: BinaryIO) -> str:
    begin = file.read(8).removeprefix(b"\xef\xbb\xbf")
    file.seek(0)
    return next((kind for mark, kind in _BEGINNINGS if begin.startswith(mark)), "csv")
