"""Events linked to the edges of periods, and months as numbers."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.events import Event, first_day, month_number, month_text, nearest

START, END = date(2011, 7, 1), date(2012, 3, 1)


def event(name, start, days=1, archive=None):
    return Event(name, "upgrade", start, start + timedelta(days), archive)


def test_the_event_nearest_to_either_edge_is_linked():
    near_start, near_end = event("begin", date(2011, 6, 1)), event("einde", date(2012, 2, 20))
    linked = nearest([near_start, near_end], [START, END], "oost")
    assert linked == (near_end, 10)


def test_a_single_date_is_as_far_from_the_day_before_as_from_the_day_after():
    one = event("dag", START)
    assert [one.distance(START + timedelta(days)) for days in (-1, 0, 1)] == [1, 0, 1]


def test_an_edge_within_a_long_event_has_distance_zero_up_to_its_last_day():
    long = event("migratie", date(2011, 6, 1), days=30)
    assert long.end == START
    assert long.distance(date(2011, 6, 15)) == long.distance(date(2011, 6, 30)) == 0
    assert long.distance(START) == 1


@pytest.mark.parametrize(("days", "linked"), [(180, True), (181, False)])
def test_beyond_180_days_nothing_is_linked(days, linked):
    for far in (event("voor", START - timedelta(days)), event("na", END + timedelta(days))):
        assert (nearest([far], [START, END], "oost") is not None) is linked


def test_an_event_of_another_archive_is_not_linked_and_one_of_all_is():
    other, every = event("west", START, archive="west"), event("alle", date(2011, 5, 1))
    assert nearest([other, every], [START, END], "oost") == (every, 61)
    assert nearest([other], [START, END], "oost") is None


def test_of_equally_near_events_the_earlier_wins_whatever_the_order():
    before, after = event("b", START - timedelta(5)), event("a", START + timedelta(5))
    assert nearest([after, before], [START], "oost") == (before, 5)
    assert nearest([before, after], [START], "oost") == (before, 5)


def test_no_events_no_link():
    assert nearest([], [START, END], "oost") is None
    assert nearest([event("x", START)], [], "oost") is None


def test_edges_may_be_an_iterator():
    first, second = event("ver", date(2011, 6, 1)), event("dicht", date(2012, 3, 2))
    assert nearest([first, second], iter([START, END]), "oost") == (second, 1)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_months_as_text_and_number_are_each_others_inverse(day):
    number = month_number(f"{day:%Y-%m}")
    assert month_text(number) == f"{day:%Y-%m}"
    assert first_day(number) == day.replace(day=1)
    assert first_day(number) <= day < first_day(number + 1)


@pytest.mark.parametrize(
    "text",
    ["2011-13", "2011-00", "2011-1", "11-01", "2011-01-01", "", "\u0662\u0660\u0661\u0661-01"],
)
def test_what_is_not_a_month_is_refused(text):
    with pytest.raises(ValueError, match="YYYY-MM"):
        month_number(text)
