"""Where spans stand: their place as an attribute path, private creator, what is beside them.

Worked out only for the few spans that somebody asks about, and in one pass however many they are: a
hostile head has hundreds of thousands.
Source: PS3.5 section 7.5 (nesting), section 7.8.1 (private creators).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from remediation.dicom.elements import ITEM, Head, Span, is_creator, is_private, keyword

_start = itemgetter(2)


@dataclass(frozen=True, slots=True)
class Standing:
    """A span with what stands around it: `beside` has the first span of each tag of its data set.

    `place` is a keyword path with item numbers; `creator` is empty for public elements.
    """

    span: Span
    place: str
    creator: str
    beside: Mapping[int, Span]


@dataclass(slots=True)
class _Open:
    """A container that holds the spans at hand: its items so far, or its own number as an item."""

    index: int
    span: Span
    number: int = 0


def standings(head: Head, indices: Iterable[int]) -> Iterator[Standing]:
    """Yield where the spans with these indices stand; the indices rise."""
    spans, top = head.spans, head.top
    around: list[_Open] = []
    data_sets: dict[int, Mapping[int, Span]] = {}  # by the index of the item
    passed = 0
    for index in indices:
        span = spans[index]
        if top.get(span[0]) is span:
            yield _standing(head, span, "", top)
            continue
        for n in range(passed, index):
            _pass(spans, n, around)
        passed = index
        _leave(around, span[2])
        if not around:
            yield _standing(head, span, "", top)
            continue
        item = around[-1].index
        if item not in data_sets:
            data_sets[item] = _data_set(spans, item)
        prefix = "".join(
            f"{keyword(sequence.span[0])}[{one.number}]."
            for sequence, one in zip(around[::2], around[1::2], strict=True)
        )
        yield _standing(head, span, prefix, data_sets[item])


def _leave(around: list[_Open], start: int) -> None:
    while around and start >= around[-1].span[4]:
        around.pop()


def _pass(spans: list[Span], index: int, around: list[_Open]) -> None:
    """Go past one span: count it if it is an item, and enter it if it has content."""
    span = spans[index]
    _leave(around, span[2])
    number = 0
    if span[0] == ITEM and around:
        number = around[-1].number
        around[-1].number += 1
    if has_content(spans, index):
        around.append(_Open(index, span, number))


def has_content(spans: list[Span], index: int) -> bool:
    """Tell whether a span is a container with something in it."""
    return index + 1 < len(spans) and spans[index + 1][2] < spans[index][4]


def inside(spans: list[Span], span: Span) -> list[Span]:
    """Return all spans within a container, whatever their depth."""
    first = bisect_right(spans, span[2], key=_start)
    return spans[first : bisect_left(spans, span[4], lo=first, key=_start)]


def _data_set(spans: list[Span], item: int) -> dict[int, Span]:
    """Return the first span of each tag of an item's own data set."""
    first: dict[int, Span] = {}
    after, end = -1, spans[item][4]
    for n in range(item + 1, len(spans)):
        span = spans[n]
        if span[2] >= end:
            break
        if span[2] >= after:
            first.setdefault(span[0], span)
            after = span[4]
    return first


def _standing(head: Head, span: Span, prefix: str, beside: Mapping[int, Span]) -> Standing:
    tag, creator = span[0], ""
    if is_private(tag) and not is_creator(tag):
        reserved = beside.get(tag >> 16 << 16 | (tag & 0xFFFF) >> 8)
        if reserved:
            creator = head.data[reserved[3] : reserved[4]].decode("latin-1").strip(" \0")
    return Standing(span, prefix + keyword(tag), creator, beside)
