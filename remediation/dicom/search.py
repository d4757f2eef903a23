"""The full search: numbers that may be BSNs, in every text value of a head.

One flat pass over the spans: text values are joined, digits become one byte and what stands between
groups of digits another, and `find` says where a closer look is worth it. A search over the raw
bytes of the head would stop at every UID. Bounded: of a hostile head the first findings do.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from itertools import accumulate, islice

from remediation.dicom.elements import Head
from remediation.dicom.standing import has_content
from remediation.model import bsn

MOST = 10_000  # numbers of one head

_SIGNS = bytes(48 if chr(n) in "0123456789" else 46 if chr(n) in ". -" else 10 for n in range(256))
_NUMBERS = (b"00000000", b"000.00.000", b"000.000.00")
_PRINTABLE = re.compile(rb"[\t\n\f\r\x1b -~\x80-\xff]*\0*")
_VALUE = re.compile(r"[^\\]+")
# Codes of concepts (SNOMED CT has eight and nine digits): no free text, nobody types a BSN here.
_CODES = frozenset({0x00080100, 0x00080119, 0x00080120})
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"0(?:{_YEAR}{_MONTH}{_DAY}|{_DAY}{_MONTH}{_YEAR})", re.ASCII)


def numbers(
    head: Head, placeholders: Collection[str], taken: Collection[int] = ()
) -> Iterator[tuple[int, str, str]]:
    """Yield index of the span, number and form, wherever a text value has a passing number.

    Spans whose indices are `taken` are passed over: they are identifiers, and judged as such.
    """
    data, spans = head.data, head.spans
    searched = head.index.texts
    values = [data[spans[index][3] : spans[index][4]] for index in searched]
    for n in _with_digits(values):
        index, raw = searched[n], values[n]
        tag, vr = spans[index][:2]
        if index in taken or tag in _CODES or has_content(spans, index):
            continue
        if vr == b"UN" and not _PRINTABLE.fullmatch(raw):
            continue
        for number, form in passing(raw.decode("latin-1"), placeholders):
            yield index, number, form


def _with_digits(values: list[bytes]) -> list[int]:
    """Return the indices of the values in which eight digits stand together, or in groups."""
    signs = b"\n".join(values).translate(_SIGNS)
    starts: list[int] = []
    found: set[int] = set()
    for number in _NUMBERS:
        position = signs.find(number)
        while position >= 0:
            starts = starts or [*accumulate(map((1).__add__, map(len, values)), initial=0)]
            n = bisect_right(starts, position)
            found.add(n - 1)
            position = signs.find(number, starts[n])
    return sorted(found)


def passing(text: str, placeholders: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the numbers in a text that may be BSNs, each with its form; dates are none.

    >>> list(passing("see 999900006 or 9999.00.006", ()))
    [('999900006', 'embedded'), ('999900006', 'embedded')]
    >>> list(passing("999900006", ())), list(passing("20110704", ()))
    ([('999900006', 'nine')], [])
    """
    if not bsn.may_hold(text):
        return
    for value in (match[0] for match in _VALUE.finditer(text)):
        whole = bsn.normalise(value)
        for number in (whole,) if whole else islice(bsn.runs(value), MOST):
            if not bsn.passes(number) or bsn.is_placeholder(number, placeholders):
                continue
            if not (_DATE.fullmatch(number) and number not in value):
                yield number, bsn.form(value) if whole else "embedded"
