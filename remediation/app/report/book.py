"""The workbook beside the page: counts as numbers, in sheets that a spreadsheet can work with."""

from __future__ import annotations

from collections import Counter

from remediation.app.frames import Cell, Sheet
from remediation.app.report.book_periods import MOST, events, mixed, periods, text
from remediation.app.report.gather import Facts
from remediation.app.report.sections.places import file_error, unread
from remediation.app.report.words import Words
from remediation.model.events import UNKNOWN_MONTH
from remediation.tables.schemas import STATUSES


def sheets(facts: Facts, words: Words) -> list[Sheet]:
    """Return the sheets; one whose stage has not run has headings only."""
    return [
        _coverage(facts, words),
        periods(facts, words),
        events(facts, words),
        mixed(facts, words),
        _places(facts, words),
        _identities(facts, words),
        _files(facts, words),
    ]


def _coverage(facts: Facts, words: Words) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        (
            text(words, row["archive"]),
            text(words, row["source"]),
            words("undated") if row["study_month"] == UNKNOWN_MONTH else row["study_month"],
            row["studies"],
            *(row[status] for status in STATUSES),
            *(row[name] for name in ("coverage", "low", "high")),
            words("yes" if row["provisional"] else "no"),
        )
        for row in (facts.coverage or ())[:MOST]
    ]
    return Sheet(
        words("s_coverage"),
        (
            (words("c_archive"), "text"),
            (words("c_source"), "text"),
            (words("c_month"), "text"),
            (words("c_studies"), "count"),
            *((status.replace("_", "-"), "count") for status in STATUSES),
            (words("c_coverage"), "share"),
            (words("c_low"), "share"),
            (words("c_high"), "share"),
            (words("c_provisional"), "text"),
        ),
        rows,
    )


def _places(facts: Facts, words: Words) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        (
            *(text(words, row[name]) for name in ("archive", "source", "place")),
            text(words, row["private_creator"]),
            words.catalogue.issuer_kinds.get(row["issuer_kind"], row["issuer_kind"]),
            *(row[name] for name in ("start", "end", "values", "well_formed", "passing")),
            *(row[name] for name in ("pass_rate", "low", "high", "probability")),
            words.catalogue.verdicts.get(row["verdict"], row["verdict"]),
        )
        for row in (facts.places or ())[:MOST]
    ]
    return Sheet(
        words("s_places"),
        (
            (words("c_archive"), "text"),
            (words("c_source"), "text"),
            (words("c_place"), "text"),
            (words("c_creator"), "text"),
            (words("c_issuer"), "text"),
            (words("c_first"), "text"),
            (words("c_end"), "text"),
            (words("c_values"), "count"),
            (words("c_well_formed"), "count"),
            (words("c_passing"), "count"),
            (words("c_pass_rate"), "share"),
            (words("c_low"), "share"),
            (words("c_high"), "share"),
            (words("c_probability"), "share"),
            (words("c_verdict"), "text"),
        ),
        rows,
    )


def _identities(facts: Facts, words: Words) -> Sheet:
    counts: Counter[tuple[str, str]] = Counter()
    for (_, outcome, reason, _), count in (facts.outcomes or {}).items():
        counts[outcome, reason] += count
    rows: list[tuple[Cell, ...]] = [
        (outcome, reason or None, words.reason(reason) if reason else None, count)
        for (outcome, reason), count in sorted(counts.items())
    ]
    return Sheet(
        words("s_identities"),
        (
            (words("c_outcome"), "text"),
            (words("c_code"), "text"),
            (words("c_reason"), "text"),
            (words("c_studies"), "count"),
        ),
        rows,
    )


def _files(facts: Facts, words: Words) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        (
            text(words, archive),
            words.catalogue.states.get(state, state),
            file_error(error, words) if error else None,
            error or None,
            count,
        )
        for (archive, state, error), count in unread(facts)
    ]
    return Sheet(
        words("s_files"),
        (
            (words("c_archive"), "text"),
            (words("c_state"), "text"),
            (words("c_error"), "text"),
            (words("c_code"), "text"),
            (words("c_files"), "count"),
        ),
        rows,
    )
