"""Effects: what an event of the job file did to coverage; "no effect" is an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from remediation.app.report.told import phrases
from remediation.app.report.words import Words
from remediation.model.statistics import FALSE_DISCOVERIES

Row = Mapping[str, Any]
CHANGED = ("worse", "passing", "better")  # verdicts that say something happened, gravest first
_NAMED = 3


def verdict(row: Row, words: Words) -> str:
    """Return the verdict of an event on a source in words."""
    return words.catalogue.effects.get(row["verdict"], words.plain(row["verdict"]))


def change(row: Row, words: Words, form: str = "change") -> str:
    """Return the change of coverage in points, with its interval; a dash where it is unknown.

    `form` is `change` for a sentence, `change_cell` for a table.
    """
    if row["change"] is None:
        return phrases.points(None, words)
    low, high = phrases.points(row["low"], words), phrases.points(row["high"], words)
    bounds = words("between", low=low, high=high)
    return words(form, points=phrases.points(row["change"], words), interval=bounds)


def effect(row: Row, words: Words) -> str:
    """Return the verdict with the figures that it rests on."""
    if row["change"] is None:
        return verdict(row, words)
    figures = {
        "verdict": verdict(row, words),
        "before": words.share(row["coverage_before"]),
        "after": words.share(row["coverage_after"]),
        "change": change(row, words),
    }
    if row["coverage_in"] is None:  # a day without studies
        return words("effect_around", **figures)
    return words("effect", during=words.share(row["coverage_in"]), **figures)


def name(row: Row, words: Words) -> str:
    """Return an event's name, with its kind where the name does not say it."""
    text, kind = words.plain(row["event"]), words.event_kind(row["event_kind"])
    known = kind.casefold() in text.casefold()
    return text if known else words("event_of", event=text, kind=kind)


def multiplicity(words: Words) -> str:
    """Return what is done about so many sources and events."""
    return words("multiplicity", share=words.target(FALSE_DISCOVERIES))


Key = tuple[Any, Any, str, str]


def by_event(rows: Iterable[Row]) -> dict[Key, list[Row]]:
    """Return the rows of each event, in order of time and name."""
    found: dict[Key, list[Row]] = {}
    for row in rows:
        key = row["start"], row["end"], row["event"] or "", row["event_kind"] or ""
        found.setdefault(key, []).append(row)
    return dict(sorted(found.items()))


def in_short(rows: Sequence[Row], words: Words) -> str:
    """Return what one event did to all its sources: who changed by name, the rest as counts."""
    if len(rows) == 1:
        (row,) = rows
        where = words.source(row["archive"], row["source"])
        return words("effect_in", effect=effect(row, words), source=where)
    parts = []
    for word in words.catalogue.effects:
        found = [row for row in rows if row["verdict"] == word]
        named = found if len(rows) <= _NAMED else found[:_NAMED] if word in CHANGED else []
        parts += [_named(row, words) for row in named]
        if len(found) > len(named):
            parts.append(_counted(found[0], len(found) - len(named), words))
    return "; ".join(parts)


def _named(row: Row, words: Words) -> str:
    where = words.source(row["archive"], row["source"])
    if row["change"] is None:
        return words("effect_in", source=where, effect=verdict(row, words))
    return words(
        "effect_short",
        verdict=verdict(row, words),
        source=where,
        before=words.share(row["coverage_before"]),
        after=words.share(row["coverage_after"]),
    )


def _counted(row: Row, count: int, words: Words) -> str:
    return words("effect_count", verdict=verdict(row, words), count=words.count(count, "source"))
