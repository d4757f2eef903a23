"""Worklists for people: CSV that Excel opens in Dutch, safe against formulas, mode 0600."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from remediation.model.cells import BYTE_ORDER_MARK, line, safe
from remediation.store.files import durable_write

__all__ = ["safe", "write_csv"]


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write `;`-separated UTF-8 with a byte order mark, whole or not at all."""
    text = BYTE_ORDER_MARK + line(columns) + "".join(map(line, rows))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    durable_write(path, text.encode())
