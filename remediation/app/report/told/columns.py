"""Columns: rows of text as lines that stand under each other on a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from unicodedata import combining, east_asian_width

_GAP = "  "
_NARROWEST = 8


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    shrink: Collection[int] = (),
    width: int = 0,
) -> Iterator[str]:
    """Yield rows as lines of equal columns.

    Args:
        rows: all of one length; the first may be headings.
        right: columns that are aligned at the right.
        shrink: columns that give way, the widest first, where a line would be longer than `width`.
        width: signs in a line; 0 for as many as it takes.

    >>> list(aligned([("a", "bc"), ("long name", "1")], right=[1], shrink=[0], width=12))
    ['a         bc', 'long na…   1']
    """
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    while width and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        widest = max(shrink, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    for row in rows:
        texts = (
            _fitted(text, size, right=at in right)
            for at, (text, size) in enumerate(zip(row, widths, strict=True))
        )
        yield _GAP.join(texts).rstrip()


def cells(text: str) -> int:
    """Return how many places of a terminal a text takes.

    >>> cells("Oost"), cells(chr(0x5317))
    (4, 2)
    """
    wide = sum(east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(combining(sign) > 0 for sign in text)


def _fitted(text: str, size: int, *, right: bool) -> str:
    if cells(text) > size:
        while cells(text) > size - 1:
            text = text[:-1]
        text += "…"
    blanks = " " * (size - cells(text))
    return blanks + text if right else text + blanks
