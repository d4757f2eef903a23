"""Which sources are drawn apart, which together, and over which months."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.app.report.panels import panels, span_of
from remediation.model.events import Event, month_number
from remediation.model.statistics import wilson


def month(source, text, studies=10, conformant=9, *, archive="oost", provisional=False):
    low, high = wilson(conformant, studies) if studies else (0, 1)
    return {
        "archive": archive,
        "source": source,
        "study_month": text,
        "studies": studies,
        "conformant": conformant,
        "low": low,
        "high": high,
        "provisional": provisional,
        "improbable": text in {"1901-01", "2099-01"},
    }


def period(source, start, end, archive="oost"):
    return {"archive": archive, "source": source, "start": start, "end": end}


def test_each_source_of_each_archive_has_its_panel_in_order():
    rows = [month("B", "2011-03"), month("A", "2011-03", archive="west"), month("A", "2011-03")]
    made = panels(rows, (), ())
    assert [(one.archive, one.source) for one in made] == [
        ("oost", "A"),
        ("oost", "B"),
        ("west", "A"),
    ]


def test_months_without_a_date_or_without_studies_are_left_out():
    rows = [month("A", "unknown"), month("A", "2011-03", 0, 0), month("A", "2011-04")]
    (only,) = panels(rows, (), ())
    assert [point.month for point in only.points] == [month_number("2011-04")]
    assert panels([month("A", "unknown")], (), ()) == ()
    assert panels([*rows, month("A", "1901-01"), month("A", "2099-01")], (), ()) == (only,)


def test_a_source_with_a_broken_period_goes_before_larger_ones():
    rows = [
        month(name, "2011-03", studies, 0)
        for name, studies in zip("ABCD", (1, 9, 8, 7), strict=True)
    ]
    made = panels(rows, [period("A", date(2011, 3, 1), date(2011, 4, 1))], (), most=2)
    assert [one.source for one in made] == ["A", "B", None]
    assert made[-1].sources == 2
    assert made[-1].studies == 15


def test_the_rest_is_added_up_month_by_month():
    rows = [month("A", "2011-03", 100, 90)]
    rows += [month(name, "2011-04", 4, 1, provisional=name == "C") for name in "BC"]
    *_, rest = panels(rows, (), (), most=1)
    (point,) = rest.points
    assert (point.studies, point.conformant, point.provisional) == (8, 2, True)
    assert (point.low, point.high) == wilson(2, 8)


def test_periods_keep_their_number_in_the_list():
    rows = [month(name, "2011-03") for name in "AB"]
    days = date(2011, 3, 1), date(2011, 5, 1)
    made = panels(rows, [period("B", *days), period("A", *days), period("B", *days)], ())
    assert [[span.number for span in one.spans] for one in made] == [[2], [1, 3]]
    assert made[0].spans[0].end - made[0].spans[0].start == 2


def test_edges_lie_at_fractions_of_a_month_with_their_uncertainty():
    one = period("A", date(2011, 3, 17), date(2011, 5, 1))
    one |= {"start_low": date(2011, 3, 1), "start_high": date(2011, 4, 16)}
    one |= {"end_low": None, "end_high": None, "end_kind": "open"}
    ((span,),) = [made.spans for made in panels([month("A", "2011-03")], [one], ())]
    march = month_number("2011-03")
    assert span.start == pytest.approx(march + 16 / 31)
    assert (span.end, span.begin, span.close) == (march + 2, (march, march + 1.5), None)
    assert span.open


def test_a_period_of_files_has_its_number_and_no_place_among_months_of_studies():
    days = date(2011, 3, 1), date(2011, 5, 1)
    rows = [period("A", *days) | {"axis": axis} for axis in ("file", "study")]
    (made,) = panels([month("A", "2011-03")], rows, ())
    assert [span.number for span in made.spans] == [2]


def test_events_go_to_their_archive_or_to_all():
    day = date(2011, 3, 1), date(2011, 3, 2)
    events = (Event("alle", "other", *day, None), Event("west", "other", *day, "west"))
    rows = [month("A", "2011-03"), month("A", "2011-03", archive="west")]
    made = panels(rows, (), events)
    assert [[mark.name for mark in one.marks] for one in made] == [["alle"], ["alle", "west"]]


def test_the_span_holds_every_panel_and_is_at_least_half_a_year():
    made = panels([month("A", "2011-03"), month("B", "2009-12")], (), ())
    assert span_of(made) == (month_number("2009-12"), month_number("2011-04"))
    assert span_of(made[:1]) == (month_number("2011-03"), month_number("2011-09"))
    with pytest.raises(ValueError, match="empty"):
        span_of(())


@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDEFG"), st.integers(1, 12), st.integers(1, 50)),
        unique_by=lambda row: row[:2],
        min_size=1,
    ),
    st.integers(1, 8),
)
def test_no_study_is_lost_or_drawn_twice(cells, most):
    rows = [month(name, f"2011-{number:02d}", n, 0) for name, number, n in cells]
    made = panels(rows, (), (), most)
    assert sum(one.studies for one in made) == sum(n for _, _, n in cells)
    assert len(made) <= most + 1
