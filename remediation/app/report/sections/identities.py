"""What can be done: corrections, the registration desk's part, possible mix-ups of patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from remediation.app.report.gather import Facts
from remediation.app.report.shown import Kind, Table, table
from remediation.app.report.words import Words
from remediation.model.worklists import DESK, MIXUPS


@dataclass(frozen=True, slots=True)
class Part:
    """One group of studies: heading, what it means, its table, and where more is to be found."""

    title: str
    lead: str
    table: Table | None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Everything that `match` found; `mixups` None where nobody may be mixed up."""

    mixups: Part | None
    resolved: Part
    desk: Part
    other: Part | None
    remarks: Table | None
    agreed: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Studies by what can be done with them."""

    mixups: int
    resolved: int
    desk: int
    other: int


def totals(facts: Facts) -> Totals | None:
    """Return the totals; None without `match`."""
    if facts.outcomes is None:
        return None
    refused = _refused(facts)
    mixups = sum(refused[reason] for reason in MIXUPS)
    desk = sum(refused[reason] for reason in DESK)
    resolved = sum(_resolved(facts).values())
    return Totals(mixups, resolved, desk, refused.total() - mixups - desk)


def _refused(facts: Facts) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, outcome, reason, _), count in (facts.outcomes or {}).items():
        if outcome == "refused":
            found[reason] += count
    return found


def _resolved(facts: Facts) -> Counter[str]:
    found: Counter[str] = Counter()
    for (status, outcome, _, _), count in (facts.outcomes or {}).items():
        if outcome == "resolved":
            found[status] += count
    return found


def section(facts: Facts, words: Words) -> Section | None:
    """Return what can be done; None without `match`."""
    all_in_all = totals(facts)
    if all_in_all is None:
        return None
    refused = _refused(facts)
    other = [reason for reason in refused if reason not in {*MIXUPS, *DESK}]
    outcomes: Counter[str] = Counter()
    for (_, outcome, _, _), count in (facts.outcomes or {}).items():
        outcomes[outcome] += count
    agreed = words("agreed", count=words.count(outcomes["conformant"], "study"))
    if outcomes["exempt"]:
        agreed += " " + words("exempt_are", count=words.count(outcomes["exempt"], "study"))
    if outcomes[""]:
        agreed += " " + words("unmatched", count=words.count(outcomes[""], "study"))
    return Section(
        _mixups(facts, words, refused, all_in_all.mixups),
        _correctable(facts, words, all_in_all.resolved),
        _desk(facts, words, refused, all_in_all.desk),
        Part(
            words("other_title", count=words.count(all_in_all.other, "study")),
            words("other_lead"),
            _by_reason(words, "other_caption", refused, other),
        )
        if all_in_all.other
        else None,
        _remarks(facts, words),
        agreed,
    )


def _mixups(facts: Facts, words: Words, refused: Counter[str], count: int) -> Part | None:
    if not count:
        return None
    listed = any((facts.listed or {}).get(reason) for reason in MIXUPS)
    return Part(
        words("mixups_title", count=words.count(count, "study")),
        words("mixups_lead"),
        _by_reason(words, "mixups_caption", refused, MIXUPS),
        words("mixups_listed" if listed else "mixups_unlisted"),
    )


def _correctable(facts: Facts, words: Words, count: int) -> Part:
    title = words("resolved_title", count=words.count(count, "study"))
    if not count:
        return Part(title, words("resolved_none"), None)
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_word"), "code"),
        (words("c_means"), "text"),
        (words("c_studies"), "number"),
    )
    rows = [
        (status, words.catalogue.statuses.get(status, ""), words.number(studies))
        for status, studies in _resolved(facts).most_common()
    ]
    found = table(words("resolved_caption"), columns, rows)
    return Part(title, words("resolved_lead"), found)


def _desk(facts: Facts, words: Words, refused: Counter[str], count: int) -> Part:
    title = words("desk_title", count=words.count(count, "study"))
    lines = sum((facts.listed or {}).get(reason, 0) for reason in DESK)
    where = words("desk_listed", count=words.count(lines, "line")) if lines else ""
    if not count:
        return Part(title, words("desk_none"), None, where)
    found = _by_reason(words, "desk_caption", refused, DESK)
    return Part(title, words("desk_lead"), found, where)


def _by_reason(words: Words, caption: str, found: Counter[str], reasons: Iterable[str]) -> Table:
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_reason"), "text"),
        (words("c_code"), "code"),
        (words("c_studies"), "number"),
    )
    ranked = sorted((-found[reason], reason) for reason in reasons if found[reason])
    rows = [
        (words.reason(reason), words.plain(reason), words.number(-minus))
        for minus, reason in ranked
    ]
    return table(words(caption), columns, rows)


def _remarks(facts: Facts, words: Words) -> Table | None:
    """Return the warnings of studies that are right already."""
    found = Counter(
        {
            word: count
            for (outcome, word), count in facts.warnings.items()
            if outcome == "conformant"
        }
    )
    if not found:
        return None
    made = _by_reason(words, "other_caption", found, found)
    total = words.count(found.total(), "remark")
    return table(words("warned_caption", count=total), made.columns, made.rows)
