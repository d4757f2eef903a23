"""Events: coverage before, during and after each event, what changed, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remediation.app.report.gather import Facts
from remediation.app.report.shown import Kind, Table, capped
from remediation.app.report.told import effects, phrases
from remediation.app.report.words import Words

_MOST = 80


@dataclass(frozen=True, slots=True)
class Section:
    """The table of events, None where there are none, and what is done about their number."""

    table: Table | None
    multiplicity: str


def section(facts: Facts, words: Words) -> Section | None:
    """Return what events did, an event's sources together; None without `flag`."""
    if facts.events is None:
        return None
    multiplicity = effects.multiplicity(words)
    if not facts.events:
        return Section(None, multiplicity)
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_source"), "text"),
        (words("c_verdict"), "text"),
        (words("c_before"), "number"),
        (words("c_during"), "number"),
        (words("c_after"), "number"),
        (words("c_change"), "number"),
    )
    grouped = effects.by_event(facts.events)
    rows = [(key, row) for key, found in grouped.items() for row in found]
    kept, note = capped(rows, _MOST, words, sheet=True)
    groups: dict[Any, list[tuple[str, ...]]] = {}
    for key, row in kept:
        groups.setdefault(key, []).append(_row(row, words))
    named = tuple((_name(grouped[key][0], words), tuple(told)) for key, told in groups.items())
    return Section(Table(words("events_caption"), columns, named, note), multiplicity)


def _name(row: Mapping[str, Any], words: Words) -> str:
    days = phrases.days(row["start"], row["end"], words)
    return words("event_days", event=effects.name(row, words), days=days)


def _row(row: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    return (
        words.source(row["archive"], row["source"]),
        effects.verdict(row, words),
        *(words.share(row[f"coverage_{when}"]) for when in ("before", "in", "after")),
        effects.change(row, words, "change_cell"),
    )
