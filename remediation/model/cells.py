"""Cells: lines of CSV that Excel opens in Dutch, and that it takes for text, not for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

BYTE_ORDER_MARK = "\ufeff"  # without it, Excel takes UTF-8 for Windows-1252

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


def line(cells: Iterable[object]) -> str:
    r"""Return one line of `;`-separated CSV, ended as in RFC 4180.

    >>> line(["a;b", "=1", "Jansen"])
    '"a;b";\'=1;Jansen\r\n'
    """
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow([safe(cell) for cell in cells])
    return text.getvalue()
