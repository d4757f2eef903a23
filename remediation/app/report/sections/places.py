"""Where numbers stand: places with their pass rates, statuses, leaks, and files without a head."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from remediation.app.report.gather import Facts, Row
from remediation.app.report.shown import Kind, Table, capped, table
from remediation.app.report.told import places as told
from remediation.app.report.words import NONE, Words
from remediation.model.events import UNKNOWN_MONTH, month_number
from remediation.tables.calibration import demoted
from remediation.tables.schemas import STATUSES

_PLACES, _LEAKS, _LOUD = 80, 60, 20
_UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a source; `tone` is its verdict, `at`, `low` and `high` are 0 to 100."""

    name: str
    issuer: str
    stretch: str
    values: str
    well_formed: str
    passing: str
    rate: str
    interval: str
    at: float
    low: float
    high: float
    verdict: str
    tone: str
    probability: str


Groups = tuple[tuple[str, tuple[Place, ...]], ...]


@dataclass(frozen=True, slots=True)
class Places:
    """The places of each source; those with too few values apart, with how many they are."""

    proven: Groups
    unproven: Groups
    unproven_title: str
    note: str
    loud_title: str
    loud: tuple[str, ...]
    meanings: tuple[tuple[str, str], ...]


def places(facts: Facts, words: Words) -> Places | None:
    """Return the places per source, the fullest first; None without `flag`."""
    if facts.places is None:
        return None
    # A place without one number of the right length says nothing about BSNs; the workbook has it.
    telling = [row for row in facts.places if row["well_formed"]]
    ranked = sorted(telling, key=lambda row: (row["verdict"] == _UNPROVEN, -row["well_formed"]))
    kept, note = capped(ranked, _PLACES, words, sheet=True)
    unproven = [row for row in kept if row["verdict"] == _UNPROVEN]
    loud = [row for row in ranked if demoted(row)]
    return Places(
        _groups([row for row in kept if row["verdict"] != _UNPROVEN], words),
        _groups(unproven, words),
        words("places_unproven", count=words.count(len(unproven), "place")),
        note,
        words("loud_title", count=words.count(len(loud), "place")),
        tuple(told.loud(row, words) for row in loud[:_LOUD]),
        tuple(
            (words.catalogue.verdicts[verdict], meaning)
            for verdict, meaning in words.catalogue.meanings.items()
            if any(row["verdict"] == verdict for row in kept)
        ),
    )


def _groups(rows: Iterable[Row], words: Words) -> Groups:
    groups: dict[str, list[Place]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["archive"], row["source"], -row["well_formed"])):
        groups[words.source(row["archive"], row["source"])].append(_place(row, words))
    return tuple((name, tuple(places)) for name, places in groups.items())


def _place(row: Mapping[str, Any], words: Words) -> Place:
    return Place(
        name=told.name(row, words),
        issuer=words(
            "issuer_is",
            issuer=words.catalogue.issuer_kinds.get(row["issuer_kind"], row["issuer_kind"]),
        ),
        stretch=stretch(row, words),
        values=words.number(row["values"]),
        well_formed=words.number(row["well_formed"]),
        passing=words.number(row["passing"]),
        rate=words.share(row["pass_rate"]),
        interval=words.interval(row["low"], row["high"]),
        at=100 * (row["pass_rate"] or 0.0),
        low=100 * row["low"],
        high=100 * row["high"],
        verdict=words.catalogue.verdicts.get(row["verdict"], row["verdict"]),
        tone="loud" if demoted(row) else row["verdict"],
        probability=told.probability(row, words),
    )


def stretch(row: Mapping[str, Any], words: Words) -> str:
    """Return the months of a segment, shortly; its end is exclusive."""
    if UNKNOWN_MONTH in (row["start"], row["end"]):
        return words("undated")
    start, last = month_number(row["start"]), month_number(row["end"]) - 1
    first, until = words.short_month(start), words.short_month(last)
    return first if start >= last else words("from_to", first=first, last=until)


@dataclass(frozen=True, slots=True)
class Status:
    """One status: its word, what it means, and how many studies have it; `width` is 0 to 100."""

    word: str
    meaning: str
    studies: str
    share: str
    width: float


def mixed(facts: Facts, words: Words) -> str:
    """Return what the files of mixed studies are; nothing where there are none."""
    studies = (facts.statuses or {}).get("mixed", 0)
    if not studies or not facts.mixed:
        return ""
    counts: dict[str, int] = defaultdict(int)
    for (_, status), count in facts.mixed.items():
        counts[status] += count
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return words(
        "mixed_of",
        studies=words.count(studies, "study"),
        files=words.count(sum(counts.values()), "file"),
        statuses=words.listed([f"{words.number(n)} {words.plain(one)}" for one, n in ranked]),
    )


def statuses(facts: Facts, words: Words) -> tuple[Status, ...] | None:
    """Return the statuses that occur, in their own order; None without `flag`."""
    if facts.statuses is None:
        return None
    total = sum(facts.statuses.values())
    order = [status.replace("_", "-") for status in STATUSES]
    return tuple(
        Status(
            status,
            words.catalogue.statuses[status],
            words.number(facts.statuses[status]),
            words.share(facts.statuses[status] / total),
            100 * facts.statuses[status] / total,
        )
        for status in order
        if facts.statuses.get(status)
    )


def leaks(facts: Facts, words: Words) -> Table | None:
    """Return findings outside the identifier places; None where there are none."""
    if not facts.leaks:
        return None
    kept, note = capped(facts.leaks, _LEAKS, words, sheet=False)
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_place"), "code"),
        (words("c_kind"), "text"),
        (words("c_archive"), "text"),
        (words("c_findings"), "number"),
        (words("c_studies"), "number"),
    )
    rows = [
        (
            told.name(row, words),
            words.catalogue.place_kinds.get(row["place_kind"], row["place_kind"]),
            words.plain(row["archive"]),
            words.number(row["findings"]),
            words.number(row["studies"]),
        )
        for row in kept
    ]
    return table(words("leaks_caption"), columns, rows, note=note)


@dataclass(frozen=True, slots=True)
class Files:
    """How many files there are, and those that were not read whole."""

    lead: str
    table: Table | None


def files(facts: Facts, words: Words) -> Files:
    """Return what was read, and by state and error what was not; DICOM that broke comes first."""
    rest = unread(facts)
    total = sum(facts.files.values())
    read = total - sum(count for _, count in rest)
    lead = words("files_lead", total=words.count(total, "file"), read=words.number(read))
    if not rest:
        return Files(words("files_none") if total else "", None)
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_state"), "text"),
        (words("c_error"), "text"),
        (words("c_archive"), "text"),
        (words("c_files"), "number"),
    )
    rows = [
        (
            words.catalogue.states.get(state, state),
            file_error(error, words),
            words.plain(archive),
            words.number(count),
        )
        for (archive, state, error), count in rest
    ]
    return Files(lead, table(words("files_caption"), columns, rows))


def unread(facts: Facts) -> list[tuple[tuple[str, str, str], int]]:
    """Return (archive, state, error) of files that were not read whole, the broken ones first."""
    rest = [pair for pair in facts.files.items() if pair[0][1] != "read" or pair[0][2]]
    broken = {"unreadable", "read"}
    return sorted(rest, key=lambda pair: (pair[0][1] not in broken, -pair[1], pair[0]))


def file_error(error: str, words: Words) -> str:
    """Return why a file was not read; a file that is simply something else needs no reason."""
    if not error:
        return NONE
    return words.catalogue.file_reasons.get(error, words.plain(error))
