"""Canaries: does any artefact hold something that was planted? Packed formats are unpacked."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow.parquet as pq

# On their own, or beside what is no hexadecimal digit: a digest holds every run sooner or later.
_RUN = re.compile(rb"(?<![0-9a-f])[0-9]{8,9}(?![0-9a-f])")
_DATE = re.compile(rb"(?<!\d)(?:(\d{4})-(\d\d)-(\d\d)|(\d\d)-(\d\d)-(\d{4}))(?!\d)")


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
        values = (str(value) for column in table.columns for value in column.to_pylist())
        yield "\n".join(values).encode(errors="replace")
    elif path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            for member in book.namelist():
                yield book.read(member)


def leaks(paths: Collection[Path], numbers: Collection[str], words: Collection[str]) -> list[str]:
    """Return where something planted stands: file and kind, never the value.

    Args:
        paths: files to look into.
        numbers: nine digits; runs of digits are compared whole, so a digest does not count.
        words: family names, compared as they stand, and birth dates (YYYYMMDD), compared as runs.
    """
    planted = {number.encode() for number in numbers}
    planted |= {number.lstrip("0").encode() for number in numbers if number[0] == "0"}
    dates = {word.encode() for word in words if word.isdigit()}
    texts = {word.encode() for word in words} - dates
    found = []
    for path in paths:
        for data in contents(path):
            runs = set(_RUN.findall(data))
            if runs & planted:
                found.append(f"{path.name}: number")
            if (runs | set(_dates(data))) & dates or any(text in data for text in texts):
                found.append(f"{path.name}: name or date")
    return found


def _dates(data: bytes) -> Iterator[bytes]:
    """Yield dates as YYYYMMDD that are written as programs do, or as Dutch people do."""
    for match in _DATE.finditer(data):
        yield b"".join(match.groups(b"")[:3] if match[1] else match.groups(b"")[:2:-1])
