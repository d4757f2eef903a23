"""Frames: Arrow tables as pandas, and sheets as an Excel workbook. pandas is imported here only."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from remediation.store.worklists import safe

Kind = Literal["text", "count", "share", "day"]
Cell = str | int | float | bool | date | None

# What XML cannot hold, and what would show as a box: openpyxl refuses most of it.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")
_WIDEST, _LONGEST_NAME, _LONGEST_CELL = 60, 31, 2_000
_FORMATS = {"count": "#,##0", "share": "0.0%", "day": "yyyy-mm-dd"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, its columns (heading and kind), its rows; counts and shares as numbers.

    Shares lie in [0, 1]; None is an empty cell.
    """

    name: str
    columns: Sequence[tuple[str, Kind]]
    rows: Sequence[Sequence[Cell]] = field(default=())


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a dataset as a frame: dates as dates, integers with gaps as integers.

    >>> to_frame(pa.table({"studies": [3, None]})).dtypes["studies"].name
    'Int64'
    """
    kinds = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=kinds.get)
    return frame


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """Return an Excel workbook; no cell of it is ever taken for a formula."""
    made = io.BytesIO()
    with pd.ExcelWriter(made, engine="openpyxl") as writer:
        for sheet in sheets:
            headings = [cell(heading) for heading, _ in sheet.columns]
            rows = [[cell(value) for value in row] for row in sheet.rows]
            frame = pd.DataFrame(rows, columns=headings, dtype=object)
            name = re.sub(r"[\[\]:*?/\\']", " ", sheet.name)[:_LONGEST_NAME]
            frame.to_excel(writer, sheet_name=name, index=False)
            _dress(writer.sheets[name], sheet)
    return made.getvalue()


def cell(value: Cell) -> Any:
    r"""Return a value as it goes into a cell: text is quoted where it looks like a formula.

    >>> cell("=cmd|'/c calc'!A1"), cell("Oost\x00"), cell(0.123456), cell(3)
    ("'=cmd|'/c calc'!A1", 'Oost ', 0.1235, 3)
    """
    if isinstance(value, str):
        return safe(_UNPRINTABLE.sub(" ", value)[:_LONGEST_CELL])
    # Four decimals are a hundredth of a percent; more would be digits without a meaning.
    return round(value, 4) if isinstance(value, float) else value


def _dress(sheet: Worksheet, content: Sheet) -> None:
    """Bold headings that stay in view, a filter, number formats, and columns as wide as needed."""
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    for number, (heading, kind) in enumerate(content.columns, start=1):
        letter = get_column_letter(number)
        texts = [heading, *(_shown(row[number - 1]) for row in content.rows)]
        sheet.column_dimensions[letter].width = min(_WIDEST, max(map(len, texts)) + 3)
        top = sheet.cell(1, number)
        top.font, top.alignment = Font(bold=True), Alignment(wrap_text=False)
        for line in range(2, sheet.max_row + 1) if kind in _FORMATS else ():
            sheet.cell(line, number).number_format = _FORMATS[kind]


def _shown(value: Cell) -> str:
    if isinstance(value, float):
        return "100.0%"
    return f"{value:%Y-%m-%d}" if isinstance(value, date | datetime) else str(value or "")
