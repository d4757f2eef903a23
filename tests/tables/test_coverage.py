"""Coverage per archive, source and month, on small tables of studies."""

from datetime import date

import pyarrow as pa
import pytest

from remediation.model.statistics import wilson
from remediation.tables import coverage
from remediation.tables.coverage import overall
from remediation.tables.daily import daily
from remediation.tables.schemas import COVERAGE, STATUSES, STUDIES


def coverage_table(studies, provisional_from):
    return coverage.coverage_table(daily(studies), provisional_from)


def day_of(month, n):
    """Return a day of a month, another for each n; null for none."""
    return None if month == "unknown" else date.fromisoformat(f"{month}-{n % 28 + 1:02}")


def studies(*rows):
    """Rows of (archive, source, month, status, how many)."""
    lines = [
        {"archive": archive, "source": source, "study_month": month, "status": status}
        | {"StudyDate": day_of(month, n)}
        for archive, source, month, status, count in rows
        for n in range(count)
    ]
    return pa.Table.from_pylist(lines, schema=STUDIES)


def test_each_status_has_its_column_and_the_columns_add_up():
    rows = [("oost", "A", "2011-03", s.replace("_", "-"), n) for n, s in enumerate(STATUSES, 1)]
    table = coverage_table(studies(*rows), None)
    assert table.schema.equals(COVERAGE, check_metadata=True)
    (row,) = table.to_pylist()
    assert [row[status] for status in STATUSES] == list(range(1, len(STATUSES) + 1))
    assert row["studies"] == sum(row[status] for status in STATUSES)


def test_coverage_is_the_conformant_share_with_its_wilson_interval():
    table = coverage_table(
        studies(("oost", "A", "2011-03", "conformant", 9), ("oost", "A", "2011-03", "absent", 1)),
        None,
    )
    (row,) = table.to_pylist()
    assert row["coverage"] == pytest.approx(0.9)
    assert (row["low"], row["high"]) == pytest.approx(wilson(9, 10))


def test_unreadable_studies_stay_in_the_denominator():
    table = coverage_table(
        studies(
            ("oost", "A", "2011-03", "conformant", 1), ("oost", "A", "2011-03", "unreadable", 1)
        ),
        None,
    )
    assert table["coverage"].to_pylist() == [0.5]


def test_archives_sources_and_months_are_apart_in_order_and_unknown_last():
    table = coverage_table(
        studies(
            ("west", "A", "2011-03", "conformant", 1),
            ("oost", "B", "2011-03", "conformant", 2),
            ("oost", "A", "unknown", "absent", 3),
            ("oost", "A", "2011-04", "conformant", 4),
            ("oost", "A", "2010-12", "absent", 5),
        ),
        None,
    )
    keys = ("archive", "source", "study_month", "studies")
    assert [tuple(row[key] for key in keys) for row in table.to_pylist()] == [
        ("oost", "A", "2010-12", 5),
        ("oost", "A", "2011-04", 4),
        ("oost", "A", "unknown", 3),
        ("oost", "B", "2011-03", 2),
        ("west", "A", "2011-03", 1),
    ]


def test_the_month_of_the_date_and_later_ones_are_provisional_and_unknown_is_not():
    rows = [("oost", "A", m, "absent", 1) for m in ("2011-03", "2011-04", "2012-01", "unknown")]
    table = coverage_table(studies(*rows), date(2011, 4, 20))
    assert table["provisional"].to_pylist() == [False, True, True, False]
    assert not any(coverage_table(studies(*rows), None)["provisional"].to_pylist())


def test_no_studies_give_an_empty_table_and_no_coverage():
    assert coverage_table(studies(), date(2011, 4, 1)).num_rows == 0
    nothing = overall(studies())
    assert (nothing.studies, nothing.coverage, nothing.low, nothing.high) == (0, None, 0.0, 1.0)


def test_overall_counts_studies_without_a_date_too():
    everything = overall(
        studies(
            ("oost", "A", "2011-03", "conformant", 6),
            ("west", "B", "unknown", "conformant", 1),
            ("west", "B", "unknown", "mixed", 3),
        )
    )
    assert (everything.studies, everything.conformant) == (10, 7)
    assert everything.coverage == pytest.approx(0.7)
    assert (everything.low, everything.high) == wilson(7, 10)


def test_a_missing_source_is_a_source_of_its_own():
    table = coverage_table(
        studies(("oost", None, "2011-03", "absent", 2), ("oost", "A", "2011-03", "absent", 1)), None
    )
    assert table.select(["source", "studies"]).to_pylist() == [
        {"source": "A", "studies": 1},
        {"source": None, "studies": 2},
    ]
