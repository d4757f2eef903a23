"""Periods and the files' own dates, drifts, many sources, and dates that cannot be."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tables.lies import holds

from remediation.model.events import Event
from remediation.tables.daily import daily, probable
from remediation.tables.periods import Held, periods_table
from remediation.tables.rewrites import written_late
from remediation.tables.schemas import STUDIES

FIRST = date(2006, 1, 1)
MIGRATED = date(2011, 7, 4)
MIGRATION = Event("PACS-migratie", "pacs-migration", date(2011, 7, 1), date(2011, 7, 9), None)


def studies(rate, *, days=3000, a_day=2, source="Oost", seed=1, written=None, first=FIRST):
    """Rows of STUDIES; `rate` gives a coverage by day, `written` a file's day by day and status."""
    draw, rows = Random(seed), []
    for at in range(days):
        day = first + timedelta(days=at)
        for number in range(a_day):
            status = "conformant" if draw.random() < rate(day) else "absent"
            rows.append(
                {
                    "archive": "oost",
                    "source": source,
                    "StudyDate": day,
                    "status": status,
                    "StudyInstanceUID": f"1.2.{source}.{at}.{number}",
                    "file_date": written(day, status, at) if written else day + timedelta(days=1),
                }
            )
    return pa.Table.from_pylist(rows, schema=STUDIES)


def find(table, *events, today=None, provisional_from=None):
    axis = {"study": "StudyDate", "file": "file_date"}
    behind = table.filter(written_late())

    def between(archive, source, name, start, end):
        rows = table if name == "study" else behind
        day = rows[axis[name]]
        within = pc.and_(pc.greater_equal(day, start), pc.less(day, end))
        same = pc.and_(pc.equal(rows["archive"], archive), pc.equal(rows["source"], source))
        return rows.filter(pc.and_(within, same))

    counts = probable(daily(table), today)
    return periods_table(
        counts, daily(behind, "file_date"), Held(0.95, events, provisional_from), between
    ).to_pylist()


def steps(*pairs):
    """Give the rate of the last (day, rate) that is not after a day."""
    return lambda day: [rate for begin, rate in pairs if begin <= day][-1]


def rewritten(day, _status, at):
    """Return the file's day: written in a week of 2011 where it was older."""
    return MIGRATED + timedelta(days=at % 6) if day < MIGRATED else day + timedelta(days=1)


def test_a_migration_that_rewrote_everything_is_that_and_not_years_that_went_wrong():
    table = studies(steps((FIRST, 0.0), (MIGRATED, 0.97)), written=rewritten)
    (row,) = find(table, MIGRATION)
    assert (row["axis"], row["start"], row["end"]) == ("study", FIRST, MIGRATED)
    assert (row["written_start"], row["written_end"]) == (MIGRATED, MIGRATED + timedelta(days=6))
    assert row["written_share"] == 1.0
    assert (row["event"], row["event_distance_days"]) == ("PACS-migratie", 0)


def test_years_that_went_wrong_by_themselves_name_no_rewrite():
    (row,) = find(studies(steps((FIRST, 0.0), (MIGRATED, 0.97))), MIGRATION)
    assert row["written_start"] is row["written_share"] is None


def some_lost(day, status, at):
    """Return the file's day: one study in thirty was rewritten, and lost its number by that."""
    return MIGRATED + timedelta(days=at % 6) if status == "absent" else day + timedelta(days=1)


def test_a_few_studies_of_every_year_that_one_rewrite_broke_are_a_period_of_file_dates():
    table = studies(
        lambda day: 0.97 if day < MIGRATED - timedelta(days=200) else 1.0, written=some_lost
    )
    (row,) = find(table, MIGRATION)
    assert row["axis"] == "file"
    assert MIGRATED - timedelta(days=31) <= row["start"] <= MIGRATED
    assert row["event"] == "PACS-migratie"
    held = [one for one in table.to_pylist() if holds(row, one)]
    assert len(held) == row["studies"] > 50
    assert {one["status"] for one in held} == {"absent"}


def test_holds_goes_by_archive_source_and_days():
    (row,) = find(studies(steps((FIRST, 0.97), (MIGRATED, 0.1))))
    day = MIGRATED + timedelta(days=20)
    study = {"archive": "oost", "source": "Oost", "StudyDate": day, "file_date": None}
    assert holds(row, study)
    assert not holds(row, study | {"source": "West"})
    assert not holds(row, study | {"archive": "west"})
    assert not holds(row, study | {"StudyDate": FIRST})
    assert not holds(row, study | {"StudyDate": None})


def slide(day):
    along = (day - date(2009, 1, 1)).days / 730
    return 0.96 - 0.6 * min(1.0, max(0.0, along))


def test_a_slow_drift_is_named_as_one():
    (row,) = find(studies(slide, a_day=6))
    assert (row["start_kind"], row["end_kind"]) == ("drift", "open")
    assert abs((row["start"] - date(2009, 1, 1)).days) < 75
    assert row["start_low"] <= row["start"] <= row["start_high"]
    assert len(row["steps"]) == 2


def test_of_many_sources_in_which_nothing_happens_hardly_any_is_told():
    sources = [studies(lambda _: 0.93, days=1200, source=f"Bron {n}", seed=n) for n in range(20)]
    broken = studies(steps((FIRST, 0.93), (date(2008, 1, 1), 0.5)), days=1200, source="Kapot")
    found = find(pa.concat_tables([*sources, broken]))
    assert [row["source"] for row in found if row["source"] == "Kapot"] == ["Kapot"]
    assert len(found) <= 2
    assert all(row["p_value"] <= row["q_value"] <= 0.05 for row in found)


@pytest.mark.parametrize("odd", [date(1900, 1, 1), date(2099, 12, 31)])
def test_a_date_that_cannot_be_takes_no_part(odd):
    table = studies(steps((FIRST, 0.97), (MIGRATED, 0.1)))
    strange = studies(lambda _: 0.0, days=1, a_day=20, first=odd)
    today = date(2026, 11, 25)
    plain, mixed = find(table, today=today), find(pa.concat_tables([table, strange]), today=today)
    assert mixed == plain


@pytest.mark.parametrize("days", [1, 2, 40, 95])
def test_a_source_of_days_or_three_months_is_no_trouble(days):
    assert find(studies(lambda _: 0.97, days=days)) == []
    (row,) = find(studies(lambda _: 0.0, days=days, a_day=12))
    assert (row["start_kind"], row["end_kind"], row["p_value"]) == ("first", "open", None)


def test_events_beyond_the_data_are_linked_to_nothing():
    early = Event("Vroeger", "other", date(1990, 1, 1), date(1990, 1, 2), None)
    late = Event("Later", "other", date(2040, 1, 1), date(2040, 1, 2), None)
    (row,) = find(studies(steps((FIRST, 0.97), (MIGRATED, 0.1))), early, late)
    assert row["event"] is None


BROKE, LATER = date(2012, 3, 1), date(2013, 11, 1)


def until(end, rate):
    return studies(rate, days=(end - FIRST).days)


def test_a_period_after_which_provisional_months_look_better_is_not_settled():
    better = until(date(2014, 1, 1), steps((FIRST, 0.97), (BROKE, 0.1), (LATER, 0.97)))
    (row,) = find(better, provisional_from=LATER)
    assert (row["end"], row["end_kind"], row["coverage_after"]) == (LATER, "provisional", None)
    as_bad = until(date(2014, 1, 1), steps((FIRST, 0.97), (BROKE, 0.1)))
    (row,) = find(as_bad, provisional_from=LATER)
    assert (row["end"], row["end_kind"]) == (date(2014, 1, 1), "open")


def test_a_provisional_month_without_studies_is_passed_over():
    table = until(date(2014, 1, 1), steps((FIRST, 0.97), (BROKE, 0.1)))
    gap = pc.and_(
        pc.greater_equal(table["StudyDate"], LATER),
        pc.less(table["StudyDate"], date(2013, 12, 1)),
    )
    (row,) = find(table.filter(pc.invert(gap)), provisional_from=LATER)
    assert (row["end"], row["end_kind"]) == (date(2014, 1, 1), "open")


def test_a_source_that_ends_in_a_period_while_its_archive_goes_on_has_stopped():
    ending = until(date(2013, 1, 1), steps((FIRST, 0.97), (BROKE, 0.1)))
    going_on = studies(lambda _: 0.97, source="West")
    (row,) = find(pa.concat_tables([ending, going_on]))
    assert (row["source"], row["end"], row["end_kind"]) == ("Oost", date(2013, 1, 1), "stopped")


def test_of_two_events_with_one_name_a_period_has_the_one_that_is_near():
    early, near = (
        Event("Upgrade", "upgrade", day, day + timedelta(days=1), None)
        for day in (date(2009, 6, 1), BROKE)
    )
    (row,) = find(until(LATER, steps((FIRST, 0.97), (BROKE, 0.1))), early, near)
    assert (row["event"], row["event_start"]) == ("Upgrade", BROKE)
