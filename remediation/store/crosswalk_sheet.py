"""Reads the EPD's export from Excel (.xlsx): the sheet that has the columns, row by row.

Excel keeps a number's leading zeros in the cell's format only, turns what looks like a date into
one, and rounds after fifteen digits: a cell counts as what it shows, or is refused with its place.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from remediation.errors import UsageError
from remediation.model.crosswalk import Rows
from remediation.store.crosswalk_parquet import DATES
from remediation.store.crosswalk_reading import BATCH, batch, positions

_EXACT = 10**15  # from here on Excel's numbers are rounded
_PADDED = re.compile(r"0+")
_PLAIN = re.compile(r"General|@|#|#?0*(?:\.0+)?|#,##0(?:\.0+)?", re.IGNORECASE)
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]+)(\d+)(?::([A-Z]+)(\d+))?\"")
_CHUNK, _LONGEST = 1 << 20, 200  # bytes; of one merged area's element
_DAMAGE = (zipfile.BadZipFile, KeyError, ValueError, ParseError, EOFError, TypeError)


def read_sheet(
    file: BinaryIO, path: Path, columns: Mapping[str, str], default_issuer: str
) -> Iterator[Rows]:
    """Yield the rows of an open workbook in batches.

    Raises:
        UsageError: It is no workbook; not exactly one sheet has the columns; cells are merged; or
            a cell that counts is a formula, an error, a date for a number, or rounded.
    """
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's may quote cells
            workbook = load_workbook(file, read_only=True, data_only=False, keep_links=False)
            with closing(workbook):
                number, sheet, top = _chosen(workbook, columns, path)
                header = [_heading(cell) for cell in _padded(_rows(sheet), top)]
                at = positions(header, columns, path)
                _refuse_merged(file, sheet, top, f"{path}, sheet {number}")
                yield from _read(sheet, top, at, (path, number), default_issuer)
    except UsageError:
        raise
    except _DAMAGE:
        raise UsageError(
            "the crosswalk is no Excel workbook, or damaged", str(path), "save it again as .xlsx"
        ) from None


def _rows(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # what a file says of its size is often wrong
    found: Iterator[Sequence[Any]] = sheet.iter_rows()
    return found


def _padded(rows: Iterator[Sequence[Any]], top: int) -> Sequence[Any]:
    return next(row for at, row in enumerate(rows, 1) if at == top)


def _heading(cell: Any) -> str:
    return cell.value.strip() if isinstance(cell.value, str) else ""


def _chosen(workbook: Any, columns: Mapping[str, str], path: Path) -> tuple[int, Any, int]:
    """Return the one sheet that has the columns, its place, and the row of its headings."""
    found = []
    first: tuple[int, Any, int] | None = None
    for number, sheet in enumerate(workbook.worksheets, 1):
        top = _top(sheet)
        if top is None:
            continue
        first = first or (number, sheet, top)
        headings = [_heading(cell) for cell in _padded(_rows(sheet), top)]
        if columns and all(headings.count(name) == 1 for name in columns.values()):
            found.append((number, sheet, top))
    if len(found) > 1:
        raise UsageError(
            "several sheets have the crosswalk's columns", str(path), "leave one in the workbook"
        )
    if found:
        return found[0]
    if first is None:
        raise UsageError("the crosswalk holds no rows", str(path), "export it from the EPD again")
    return first  # `positions` tells what it lacks


def _top(sheet: Any) -> int | None:
    """Return the first row, from 1, in which anything stands."""
    for at, row in enumerate(_rows(sheet), 1):
        if any(cell.value not in (None, "") for cell in row):
            return at
    return None


def _refuse_merged(file: BinaryIO, sheet: Any, top: int, place: str) -> None:
    """Refuse merged cells from the headings on: all but the first of them look empty."""
    with zipfile.ZipFile(file) as packed, packed.open(sheet._worksheet_path) as source:  # noqa: SLF001 - a read-only sheet does not tell
        rest = b""
        while chunk := source.read(_CHUNK):
            for match in _MERGED.finditer(rest + chunk):
                if int(match[4] or match[2]) >= top:
                    raise UsageError(
                        "the crosswalk has merged cells",
                        f"{place}, cell {match[1].decode()}{match[2].decode()}",
                        "undo the merging, and save it again",
                    )
            rest = chunk[-_LONGEST:]


def _read(
    sheet: Any, top: int, at: Mapping[str, int], where: tuple[Path, int], default_issuer: str
) -> Iterator[Rows]:
    path, number = where
    source = f"{path.name} sheet {number} row"
    cells: dict[str, list[str]] = {key: [] for key in at}
    lines: list[int] = []
    for line, row in enumerate(_rows(sheet), 1):
        if line <= top or all(cell.value in (None, "") for cell in row):
            continue
        for key, i in at.items():
            cell = row[i] if i < len(row) else None
            cells[key].append("" if cell is None else _text(cell, key, (path, number, line)))
        lines.append(line)
        if len(lines) == BATCH:
            yield batch(cells, lines, source, "xlsx", default_issuer)
            cells, lines = {key: [] for key in at}, []
    if lines:
        yield batch(cells, lines, source, "xlsx", default_issuer)


def _text(cell: Any, key: str, where: tuple[Path, int, int]) -> str:
    """Return what a cell shows, as text."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        if cell.data_type in {"s", "inlineStr", "str"}:
            return value
        raise _refused("is a formula or an error", cell, where)
    if isinstance(value, date):  # a datetime is one as well
        if key not in DATES:
            raise _refused("is a date where none belongs", cell, where)
        return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("is neither text, number nor date", cell, where)
    if value != int(value) or value < 0 or value >= _EXACT:
        raise _refused("is a number with a fraction, a sign, or over 15 digits", cell, where)
    width = _width(cell.number_format)
    if width is None:
        raise _refused("has a number format that shows more than its digits", cell, where)
    return str(int(value)).zfill(width)


@cache
def _width(number_format: str) -> int | None:
    """Return to how many digits a format pads, 0 for not at all; None where it shows other things.

    >>> _width("0000000"), _width("General"), _width("0"), _width('"A"0000'), _width("000-00-000")
    (7, 0, 1, None, None)
    """
    bare = number_format.partition(";")[0].strip()
    if _PADDED.fullmatch(bare):
        return len(bare)
    return 0 if _PLAIN.fullmatch(bare) else None


def _refused(why: str, cell: Any, where: tuple[Path, int, int]) -> UsageError:
    path, sheet, _ = where
    return UsageError(
        f"a cell of the crosswalk {why}",
        f"{path}, sheet {sheet}, cell {cell.coordinate}",
        "format the column as text, put the values in, and save it again",
    )
