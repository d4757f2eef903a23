"""The one figure: coverage against the target, its interval, and exemptions apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from remediation.app.report.gather import Facts
from remediation.app.report.words import NONE, Words
from remediation.model.statistics import wilson


@dataclass(frozen=True, slots=True)
class Figure:
    """A coverage as it is shown; `tone` is met, missed, unsure or none; widths are 0 to 100."""

    value: str
    tone: str
    verdict: str
    detail: str
    interval: str
    aria: str
    width: float
    low: float
    high: float
    target: float
    target_text: str


@dataclass(frozen=True, slots=True)
class Section:
    """The figure over all studies, the one without exempt studies, and remarks."""

    figure: Figure
    without: Figure | None
    exempt: str
    provisional: str


def section(facts: Facts, words: Words, target: float) -> Section:
    """Return the figures; without `flag` there is none, without `match` not the second."""
    statuses = facts.statuses or {}
    total, conformant = sum(statuses.values()), statuses.get("conformant", 0)
    empty = words("coverage_none") if facts.statuses is None else words("no_studies")
    late = sum(row["studies"] for row in facts.coverage or () if row["provisional"])
    provisional = words("provisional_of", count=words.count(late, "study")) if late else ""
    if facts.outcomes is None:
        exempt = words("exempt_unknown")
        return Section(_figure(conformant, total, target, words, empty), None, exempt, provisional)
    kinds: Counter[str] = Counter()
    for (status, outcome, _, kind), count in facts.outcomes.items():
        # One that has a BSN in its place all the same is no exception to anything.
        if outcome == "exempt" and status != "conformant":
            kinds[kind] += count
    without = _figure(conformant, total - kinds.total(), target, words, empty)
    return Section(
        _figure(conformant, total, target, words, empty),
        without,
        _exempt(kinds, words),
        provisional,
    )


def _exempt(kinds: Counter[str], words: Words) -> str:
    if not kinds:
        return words("exempt_none")
    named = [f"{words.plain(kind)}: {words.number(count)}" for kind, count in kinds.most_common(6)]
    return words("exempt_of", count=words.count(kinds.total(), "study"), kinds=", ".join(named))


def _figure(conformant: int, total: int, target: float, words: Words, empty: str) -> Figure:
    goal = words.target(target)
    line = words("target", target=goal)
    if not total:
        return Figure(NONE, "none", empty, "", "", empty, 0, 0, 0, target * 100, line)
    share = conformant / total
    low, high = wilson(conformant, total)
    tone = "met" if low >= target else "missed" if high < target else "unsure"
    shown, interval = words.share(share, below=target), words.interval(low, high)
    return Figure(
        shown,
        tone,
        words(tone, target=goal),
        words(
            "coverage_of",
            conformant=words.number(conformant),
            studies=words.count(total, "study"),
        ),
        words("interval", interval=interval),
        words("gauge", coverage=shown, interval=interval, target=goal),
        share * 100,
        low * 100,
        high * 100,
        target * 100,
        line,
    )
