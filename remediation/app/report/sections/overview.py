"""The overview: the numbers that a reader looks for first, each a link to its section."""

from __future__ import annotations

from dataclasses import dataclass

from remediation.app.report.gather import Facts
from remediation.app.report.sections.identities import totals
from remediation.app.report.words import NONE, Words


@dataclass(frozen=True, slots=True)
class Key:
    """One number, its name, the section it links to; `tone` is bad where it asks for someone."""

    value: str
    name: str
    anchor: str
    tone: str


def section(facts: Facts, words: Words) -> tuple[Key, ...]:
    """Return the key figures; a dash where the stage that would know has not run."""
    found = totals(facts)
    unreadable = sum(n for (_, state, _), n in facts.files.items() if state == "unreadable")
    studies = None if facts.statuses is None else sum(facts.statuses.values())
    periods = None if facts.periods is None else len(facts.periods)
    numbers: tuple[tuple[int | None, str, str, str], ...] = (
        (studies, "k_studies", "statuses", ""),
        (sum(facts.files.values()), "k_files", "files", ""),
        (periods, "k_periods", "periods", "warn"),
        (found.resolved if found else None, "k_resolved", "identities", ""),
        (found.desk if found else None, "k_desk", "identities", "warn"),
        (found.mixups if found else None, "k_mixups", "identities", "bad"),
        (unreadable, "k_unreadable", "files", "warn"),
    )
    return tuple(
        Key(
            NONE if value is None else words.number(value),
            words(name),
            anchor,
            tone if value else "",
        )
        for value, name, anchor, tone in numbers
    )
