"""Where one span stands: its place as an attribute path, its private creator, what is beside it.

Worked out only for the few spans that somebody asks about: a head has hundreds.
Source: PS3.5 section 7.5 (nesting), section 7.8.1 (private creators).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remediation.dicom.elements import Head, Span, is_creator, is_private, keyword


@dataclass(frozen=True, slots=True)
class Standing:
    """A span with what stands around it: `beside` has the first span of each tag of its data set.

    `place` is a keyword path with item numbers; `creator` is empty for public elements.
    """

    span: Span
    place: str
    creator: str
    beside: Mapping[int, Span]


def standing(head: Head, index: int) -> Standing:
    """Return where the span with this index stands."""
    span = head.spans[index]
    if head.top.get(span[0]) is span:
        return _standing(head, span, "", head.top)
    prefix, beside = _around(head.spans, index)
    return _standing(head, span, prefix, head.top if beside is None else beside)


def _standing(head: Head, span: Span, prefix: str, beside: Mapping[int, Span]) -> Standing:
    tag, creator = span[0], ""
    if is_private(tag) and not is_creator(tag):
        reserved = beside.get(tag >> 16 << 16 | (tag & 0xFFFF) >> 8)
        if reserved:
            creator = head.data[reserved[3] : reserved[4]].decode("latin-1").strip(" \0")
    return Standing(span, prefix + keyword(tag), creator, beside)


def _around(spans: list[Span], index: int) -> tuple[str, dict[int, Span] | None]:
    """Return the path of the containers around a span, and its data set; None for the top."""
    start = spans[index][2]
    # Whatever begins before it and ends behind its start holds it: sequence, item, sequence, item.
    around = [n for n in range(index) if spans[n][4] > start]
    prefix = ""
    for sequence, item in zip(around[::2], around[1::2], strict=True):
        number = sum(1 for _ in _level(spans, sequence + 1, spans[item][2]))
        prefix += f"{keyword(spans[sequence][0])}[{number}]."
    if not around:
        return "", None
    beside: dict[int, Span] = {}
    for span in _level(spans, around[-1] + 1, spans[around[-1]][4]):
        beside.setdefault(span[0], span)
    return prefix, beside


def _level(spans: list[Span], first: int, end: int) -> list[Span]:
    """Return the spans from index `first` that begin before `end`, and none of their content."""
    level, after = [], -1
    for n in range(first, len(spans)):
        span = spans[n]
        if span[2] >= end:
            break
        if span[2] >= after:
            level.append(span)
            after = span[4]
    return level


def has_content(head: Head, index: int) -> bool:
    """Tell whether a span is a container with something in it."""
    following = head.spans[index + 1 : index + 2]
    return bool(following) and following[0][2] < head.spans[index][4]


def inside(head: Head, span: Span) -> list[Span]:
    """Return all spans within a container, whatever their depth."""
    return [one for one in head.spans if span[2] < one[2] < span[4]]
