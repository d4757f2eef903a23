"""Worklists for people: CSV that Excel opens in Dutch, safe against formulas, mode 0600."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from remediation.store.files import durable_write

_FORMULA = ("=", "+", "-", "@")
_CONTROLS = ("\t", "\r", "\n")


def safe(text: object) -> str:
    """Return a cell that a spreadsheet takes as text: a leading sign of a formula is quoted.

    >>> safe("=cmd"), safe("Jansen"), safe(12)
    ("'=cmd", 'Jansen', '12')
    """
    cell = str(text)
    formula = cell.startswith(_CONTROLS) or cell.lstrip().startswith(_FORMULA)
    return "'" + cell if formula else cell


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write `;`-separated UTF-8 with a byte order mark, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    durable_write(path, text.getvalue().encode("utf-8-sig"))
