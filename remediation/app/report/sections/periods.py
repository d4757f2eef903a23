"""Broken periods: when, how deep, near which event, and what there is to tell, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remediation.app.report.gather import Facts
from remediation.app.report.shown import capped
from remediation.app.report.told import causes, edges, story
from remediation.app.report.words import Words
from remediation.tables.schemas import FILE

_MOST = 60


@dataclass(frozen=True, slots=True)
class Period:
    """One broken period as it is shown; `shares` are before, inside and after."""

    number: str
    when: str
    edges: str
    source: str
    studies: str
    shares: tuple[str, str, str]
    interval: str
    status: str
    meaning: str
    event: str
    has_event: bool
    told: tuple[str, ...]
    period_id: str


@dataclass(frozen=True, slots=True)
class Section:
    """The periods, and a note where there are more."""

    periods: tuple[Period, ...]
    note: str


def section(facts: Facts, words: Words) -> Section | None:
    """Return the periods; None without `flag`."""
    if facts.periods is None:
        return None
    numbered = list(enumerate(facts.periods, start=1))
    kept, note = capped(numbered, _MOST, words, sheet=True)
    return Section(tuple(_period(number, row, words) for number, row in kept), note)


def _period(number: int, row: Mapping[str, Any], words: Words) -> Period:
    shares = (row["coverage_before"], row["coverage"], row["coverage_after"])
    before, inside, after = (words.share(share) for share in shares)
    begin, end = (edges.margin(row, edge, words) for edge in ("start", "end"))
    return Period(
        number=str(number),
        when=words.stretch(row["start"], row["end"]),
        edges=words("edges", begin=begin, end=end),
        source=words.source(row["archive"], row["source"]),
        studies=words.number(row["studies"]),
        shares=(before, inside, after),
        interval=words.interval(row["low"], row["high"]),
        status=words.plain(row["dominant_status"]),
        meaning=words.catalogue.statuses.get(row["dominant_status"], ""),
        event=story.event(row, words),
        has_event=row["event"] is not None,
        told=told(row, words),
        period_id=row["period_id"],
    )


def told(row: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """Return what the figures beside it do not say: edges, steps, a rewrite, causes."""
    sentences = (
        words("axis_file") if row["axis"] == FILE else "",
        edges.begun(row, words),
        edges.ended(row, words),
        story.steps(row, words),
        story.rewritten(row, words),
        *causes.sentences(row, words),
    )
    return tuple(text for text in sentences if text)
