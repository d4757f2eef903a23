"""The workbook's sheets of periods, of events, and of the instances of mixed studies."""

from __future__ import annotations

from remediation.app.frames import Cell, Kind, Sheet
from remediation.app.report.gather import Facts
from remediation.app.report.told import causes, effects
from remediation.app.report.words import Words

MOST = 1_048_575  # rows that a sheet can hold below its heading


def text(words: Words, value: str | None) -> str | None:
    """Return foreign text for a cell; an empty cell for none."""
    return words.plain(value) if value else None


def periods(facts: Facts, words: Words) -> Sheet:
    """Return the periods, a row each."""
    columns: tuple[tuple[str, Kind], ...] = (
        ("c_number", "count"),
        ("c_period", "text"),
        ("c_archive", "text"),
        ("c_source", "text"),
        ("c_axis", "text"),
        ("c_start", "day"),
        ("c_start_kind", "text"),
        ("c_start_low", "day"),
        ("c_start_high", "day"),
        ("c_end", "day"),
        ("c_end_kind", "text"),
        ("c_end_low", "day"),
        ("c_end_high", "day"),
        ("c_studies", "count"),
        ("c_before", "share"),
        ("c_inside", "share"),
        ("c_after", "share"),
        ("c_low", "share"),
        ("c_high", "share"),
        ("c_chance", "share"),
        ("c_false", "share"),
        ("c_steps", "count"),
        ("c_status", "text"),
        ("c_written_start", "day"),
        ("c_written_end", "day"),
        ("c_written_share", "share"),
        ("c_event", "text"),
        ("c_event_kind", "text"),
        ("c_distance", "count"),
        ("c_cause", "text"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            number,
            row["period_id"],
            text(words, row["archive"]),
            text(words, row["source"]),
            row["axis"],
            *(row[name] for name in ("start", "start_kind", "start_low", "start_high")),
            *(row[name] for name in ("end", "end_kind", "end_low", "end_high", "studies")),
            *(row[name] for name in ("coverage_before", "coverage", "coverage_after")),
            *(row[name] for name in ("low", "high", "p_value", "q_value")),
            len(row["steps"] or ()),
            row["dominant_status"],
            *(row[name] for name in ("written_start", "written_end", "written_share")),
            text(words, row["event"]),
            words.event_kind(row["event_kind"]) if row["event"] else None,
            row["event_distance_days"],
            " ".join(causes.sentences(row, words)),
        )
        for number, row in enumerate((facts.periods or ())[:MOST], start=1)
    ]
    return Sheet(words("s_periods"), _named(columns, words), rows)


def events(facts: Facts, words: Words) -> Sheet:
    """Return the events, a row for each source."""
    columns: tuple[tuple[str, Kind], ...] = (
        ("c_event", "text"),
        ("c_event_kind", "text"),
        ("c_archive", "text"),
        ("c_source", "text"),
        ("c_start", "day"),
        ("c_end", "day"),
        ("c_studies_before", "count"),
        ("c_before", "share"),
        ("c_studies_during", "count"),
        ("c_during", "share"),
        ("c_studies_after", "count"),
        ("c_after", "share"),
        ("c_change_only", "share"),
        ("c_change_low", "share"),
        ("c_change_high", "share"),
        ("c_chance", "share"),
        ("c_false", "share"),
        ("c_code", "text"),
        ("c_verdict", "text"),
        ("c_linked", "text"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            text(words, row["event"]),
            words.event_kind(row["event_kind"]) if row["event_kind"] else None,
            text(words, row["archive"]),
            text(words, row["source"]),
            *(row[name] for name in ("start", "end", "studies_before", "coverage_before")),
            *(row[name] for name in ("studies_in", "coverage_in")),
            *(row[name] for name in ("studies_after", "coverage_after", "change")),
            *(row[name] for name in ("low", "high", "p_value", "q_value", "verdict")),
            effects.verdict(row, words),
            " ".join(row["periods"] or ()) or None,
        )
        for row in (facts.events or ())[:MOST]
    ]
    return Sheet(words("s_events"), _named(columns, words), rows)


def mixed(facts: Facts, words: Words) -> Sheet:
    """Return the instances of mixed studies, counted by archive and status."""
    columns: tuple[tuple[str, Kind], ...] = (
        ("c_archive", "text"),
        ("c_word", "text"),
        ("c_means", "text"),
        ("c_instances", "count"),
    )
    rows: list[tuple[Cell, ...]] = [
        (text(words, archive), status, words.catalogue.statuses.get(status), count)
        for (archive, status), count in sorted(facts.mixed.items())
    ]
    return Sheet(words("s_mixed"), _named(columns, words), rows)


def _named(columns: tuple[tuple[str, Kind], ...], words: Words) -> tuple[tuple[str, Kind], ...]:
    return tuple((words(key), kind) for key, kind in columns)
