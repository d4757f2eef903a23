"""Rewrites: studies broken by a migration that wrote their files anew."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from remediation.tables.rewrites import rewrite
from remediation.tables.schemas import STUDIES

MIGRATED = date(2011, 7, 4)


def studies(count, status, written, *, first=date(2006, 1, 1), axis="file_date", step=10):
    days = [first + timedelta(days=step * at) for at in range(count)]
    rows = [
        {"status": status, "StudyDate": day, axis: written(at, day)} for at, day in enumerate(days)
    ]
    return pa.Table.from_pylist(rows, schema=STUDIES)


def on_time(_at, day):
    return day + timedelta(days=1)


def in_a_week(at, _day):
    return MIGRATED + timedelta(days=at % 6)


@pytest.mark.parametrize("axis", ["file_date", "InstanceCreationDate", "SeriesDate"])
def test_years_that_were_rewritten_in_a_week_are_seen_as_that_week(axis):
    broken = studies(150, "absent", in_a_week, axis=axis)
    later = studies(50, "conformant", on_time, first=date(2012, 1, 1), axis=axis)
    found = rewrite(broken, pa.concat_tables([broken, later]))
    assert (found.start, found.end) == tuple(
        (day - date(1970, 1, 1)).days for day in (MIGRATED, MIGRATED + timedelta(days=6))
    )
    assert found.share == 1.0


def test_studies_that_went_wrong_as_they_were_made_are_no_rewrite():
    broken = studies(150, "absent", on_time)
    assert rewrite(broken, broken) is None


def test_an_archive_that_was_copied_whole_tells_nothing():
    broken = studies(150, "absent", in_a_week)
    right = studies(150, "conformant", in_a_week, first=date(2001, 1, 1))
    assert rewrite(broken, pa.concat_tables([broken, right])) is None
    assert rewrite(broken, broken) is None


def test_where_nothing_is_right_files_written_otherwise_are_enough():
    broken = studies(150, "absent", in_a_week)
    since = studies(20, "absent", on_time, first=date(2012, 1, 1))
    assert rewrite(broken, pa.concat_tables([broken, since])) is not None


def test_a_rewrite_must_explain_most_of_what_is_broken():
    some = studies(60, "absent", in_a_week)
    rest = studies(90, "absent", on_time, first=date(2008, 1, 1))
    both = pa.concat_tables([some, rest])
    assert rewrite(both, both) is None


def test_files_written_over_years_are_no_rewrite():
    slowly = studies(150, "absent", lambda at, day: day + timedelta(days=200 + 7 * at))
    since = studies(20, "conformant", on_time, first=date(2012, 1, 1))
    assert rewrite(slowly, pa.concat_tables([slowly, since])) is None


def test_few_studies_and_unknown_dates_are_no_rewrite():
    few = studies(9, "absent", in_a_week)
    undated = studies(150, "absent", lambda *_: None)
    assert rewrite(few, few) is None
    assert rewrite(undated, undated) is None
    assert rewrite(STUDIES.empty_table(), STUDIES.empty_table()) is None
