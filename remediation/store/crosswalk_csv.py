"""Reads the EPD's export from CSV: comma, semicolon or tab; UTF-8 or Windows-1252; as a stream.

The file is run through twice: once to see that all of it is text of one encoding, once to read.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from remediation.errors import UsageError
from remediation.model.crosswalk import Rows
from remediation.store.crosswalk_reading import BATCH, batch, positions

DELIMITERS = ";,\t"
_CHUNK = 1 << 20  # bytes
_ENCODINGS = ("utf-8-sig", "cp1252")


def read_csv(
    file: BinaryIO, path: Path, columns: Mapping[str, str], default_issuer: str
) -> Iterator[Rows]:
    """Yield the rows of an open file in batches.

    Raises:
        UsageError: It is no text, lacks a column, has a row of another width or a quote out of
            place; names the line, never a value.
    """
    text = io.TextIOWrapper(file, encoding_of(file, path), newline="")
    first = re.split(r"[\r\n]", text.readline(_CHUNK), maxsplit=1)[0]
    delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    text.seek(0)
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        at = positions(header, columns, path)
        for cells, lines in _batches(rows, len(header), path):
            column = list(zip(*cells, strict=True))
            yield batch(
                {key: column[i] for key, i in at.items()},
                lines,
                f"{path.name} line",
                "csv",
                default_issuer,
            )
    except csv.Error:
        raise UsageError(
            "the crosswalk has a quote out of place", f"{path}, near line {rows.line_num}"
        ) from None
    finally:
        text.detach()


def encoding_of(file: BinaryIO, path: Path) -> str:
    """Return the encoding that all of a file has; it then stands at its beginning again.

    Raises:
        UsageError: It is neither UTF-8 nor Windows-1252, or has a NUL and is no text.
    """
    for encoding in _ENCODINGS:
        file.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            chunks = iter(lambda: file.read(_CHUNK), b"")
            binary = any("\0" in decoder.decode(chunk) for chunk in chunks)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        if not binary:
            file.seek(0)
            return encoding
    raise UsageError(
        "the crosswalk is neither UTF-8 nor Windows-1252 text", str(path), "export it as UTF-8"
    )


def _batches(
    rows: Iterator[list[str]], width: int, path: Path
) -> Iterator[tuple[list[list[str]], list[int]]]:
    """Yield rows of the header's width with their lines; blank ones are left out."""
    cells: list[list[str]] = []
    lines: list[int] = []
    for row in rows:
        line: int = rows.line_num  # type: ignore[attr-defined]
        if len(row) != width or not row[0].strip():
            if not any(cell.strip() for cell in row):
                continue
            if len(row) < width or any(cell.strip() for cell in row[width:]):
                raise UsageError(
                    f"a row has {len(row)} cells where the header line has {width}",
                    f"{path}, line {line}",
                    "export it again with quoted text",
                )
        cells.append(row[:width])
        lines.append(line)
        if len(cells) == BATCH:
            yield cells, lines
            cells, lines = [], []
    if cells:
        yield cells, lines
