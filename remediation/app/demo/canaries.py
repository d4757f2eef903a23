"""Canaries: does any artefact hold something that was planted? Packed formats are unpacked."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow.parquet as pq

_RUN = re.compile(rb"[0-9]{8,9}")


def artefacts(out: Path) -> list[Path]:
    """Return every file that the tool made for others to read: not archives, EPD, keys, truth."""
    inputs = {"archive", "epd", "keys", "truth"}
    return sorted(
        path
        for path in out.rglob("*")
        if path.is_file() and path.relative_to(out).parts[0] not in inputs
    )


def contents(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, and those that its format packs: Parquet columns, XLSX members."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path, partitioning=None)
        yield repr(pq.read_metadata(path).metadata).encode()
        for name in table.column_names:
            yield "\n".join(map(str, table.column(name).to_pylist())).encode(errors="replace")
    elif path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            for member in book.namelist():
                yield book.read(member)


def leaks(paths: Collection[Path], numbers: Collection[str], words: Collection[str]) -> list[str]:
    """Return where something planted stands: file and kind, never the value.

    Args:
        paths: files to look into.
        numbers: nine digits; runs of digits are compared whole, so a digest does not count.
        words: family names and birth dates, compared as they stand.
    """
    planted = {number.encode() for number in numbers}
    planted |= {number.lstrip("0").encode() for number in numbers if number[0] == "0"}
    texts = {word.encode() for word in words}
    found = []
    for path in paths:
        for data in contents(path):
            if any(run in planted for run in _digits(data)):
                found.append(f"{path.name}: number")
            if any(text in data for text in texts):
                found.append(f"{path.name}: name or date")
    return found


def _digits(data: bytes) -> Iterator[bytes]:
    """Yield runs of eight or nine digits that stand on their own, not inside hexadecimal text."""
    for match in _RUN.finditer(data):
        before = data[match.start() - 1 : match.start()]
        after = data[match.end() : match.end() + 1]
        if not (before.isalnum() or after.isalnum()):
            yield match[0]
