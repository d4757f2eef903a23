"""What holds of any bytes: a head with spans inside them, rows that can be written, in time.

Whatever breaks it raises; the fuzzer feeds it bytes, and a test the samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from remediation.dicom.elements import Element, Head, Item
from remediation.dicom.header import SHORT, looks_like_container, looks_like_dicom, scan
from remediation.dicom.locate import BsnRules
from remediation.model import bsn
from remediation.model.files import FileRef, Layout
from remediation.model.secrets import SEALED, Keys
from remediation.tables.rows import RowMaker
from remediation.tables.schemas import FINDINGS, INSTANCES

LONGEST = 5.0  # seconds for one input of at most 64 KiB; a millisecond is usual
_MAKER = RowMaker(
    Keys.from_hex("5a" * 32),
    "fuzz",
    Layout("{yyyy}/{mm}/{dd}"),
    BsnRules(),
    True,
    "20110704T000000Z-0000",
    datetime(2011, 7, 4, tzinfo=UTC),
)
# Columns that hold text as it stands in a header.
_FREE = ("Modality", "Manufacturer", "ManufacturerModelName", "InstitutionName", "StationName")
_FREE += ("SpecificCharacterSet", "IssuerOfPatientID", "issuer", "private_creator")


def check(data: bytes) -> None:
    """Raise AssertionError, or whatever comes of it, where bytes are not read as they should be."""
    start = time.process_time()
    looks_like_container(data)
    looks_like_dicom(data)
    head = scan(data, len(data))
    assert head.error != SHORT, "more is asked for than there is"
    check_spans(head)
    _check_prefix(data, head)
    _check_rows(data, head)
    assert time.process_time() - start < LONGEST, "too slow"


def check_spans(head: Head) -> None:
    """Raise AssertionError unless spans lie inside the bytes, in order, and inside each other."""
    assert 0 <= head.length <= len(head.data)
    position = 0
    for element in (*head.meta, *head.elements):
        assert position <= element.start < element.value <= element.end <= len(head.data)
        position = element.end
    for holder in _nested(head.elements):
        position = holder.value
        inside = holder.items if isinstance(holder, Element) else holder.elements
        for part in inside:
            assert position <= part.start < part.value <= part.end <= holder.end
            position = part.end


def _nested(elements: tuple[Element, ...]) -> Iterator[Element | Item]:
    stack: list[Element | Item] = [e for e in elements if e.items]
    while stack:
        holder = stack.pop()
        yield holder
        if isinstance(holder, Element):
            stack += holder.items
        else:
            stack += [e for e in holder.elements if e.items]


def _check_prefix(data: bytes, head: Head) -> None:
    """A prefix says that it is too short, or what the whole says.

    Where deflated bytes are damaged, what stands just before the damage may be lost with it.
    """
    part = scan(data[: len(data) // 2], len(data)) if len(data) > 1 else head
    if head.error == "deflate":
        return
    if part.error != SHORT:
        assert (part.elements, part.length, part.error) == (head.elements, head.length, head.error)


def _check_rows(data: bytes, head: Head) -> None:
    ref = FileRef("2011/07/04/fuzz.dcm", len(data), 0)
    state = "unreadable" if head.error else "read"
    whole = b"" if head.deflated else data[: head.length]
    row, found = _MAKER.rows(ref, state, head.error, head, whole)
    pa.Table.from_pylist([row], schema=INSTANCES)
    pa.Table.from_pylist(found, schema=FINDINGS)
    for name, text in _texts([row, *found]):
        numbers = [] if text.startswith(SEALED) else bsn.runs(text)
        assert not any(bsn.passes(number) for number in numbers), f"{name} holds a plain number"


def _texts(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for name in _FREE:
            if isinstance(row.get(name), str):
                yield name, row[name]
