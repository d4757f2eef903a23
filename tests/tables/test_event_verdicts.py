"""What events did to coverage, in made-up days of one or two sources."""

from datetime import date, timedelta
from random import Random

import pyarrow as pa
import pytest

from remediation.model.events import Event
from remediation.tables.daily import DAILY, daily
from remediation.tables.event_verdicts import events_table
from remediation.tables.schemas import EVENTS, PERIODS, STUDIES

EVENT = Event("PACS-migratie", "pacs-migration", date(2011, 7, 1), date(2011, 7, 2), "oost")
NONE = PERIODS.empty_table()


def history(
    rate, *, first=date(2010, 1, 1), days=1000, a_day=4, archive="oost", source="Oost", seed=1
):
    """Daily counts; `rate` gives a coverage by day."""
    draw, rows = Random(seed), []
    for at in range(days):
        day = first + timedelta(days=at)
        for _ in range(a_day):
            status = "conformant" if draw.random() < rate(day) else "absent"
            rows.append({"archive": archive, "source": source, "StudyDate": day, "status": status})
    return daily(pa.Table.from_pylist(rows, schema=STUDIES))


def steps(*pairs):
    """Give the rate of the last (day, rate) that is not after a day."""
    return lambda day: [rate for begin, rate in pairs if begin <= day][-1]


def verdicts(counts, *events, periods=NONE):
    return [row["verdict"] for row in events_table(counts, events, periods).to_pylist()]


BEGIN = date(2009, 1, 1)


def test_a_drop_is_told_with_its_interval():
    counts = history(steps((BEGIN, 0.96), (EVENT.start, 0.4)))
    table = events_table(counts, [EVENT], NONE)
    assert table.schema.equals(EVENTS, check_metadata=True)
    (row,) = table.to_pylist()
    assert row["verdict"] == "worse"
    assert (row["archive"], row["source"], row["event"]) == ("oost", "Oost", "PACS-migratie")
    assert row["low"] < -0.56 < row["high"] < -0.4
    assert (row["studies_before"], row["studies_in"], row["studies_after"]) == (732, 4, 732)
    assert row["q_value"] < 1e-9


def test_a_recovery_is_better_and_nothing_is_no_effect():
    assert verdicts(history(steps((BEGIN, 0.4), (EVENT.start, 0.96))), EVENT) == ["better"]
    assert verdicts(history(steps((BEGIN, 0.96))), EVENT) == ["no-effect"]


def test_what_passed_with_the_event_is_told_as_that():
    long = Event("Upgrade", "upgrade", date(2011, 7, 1), date(2011, 9, 1), None)
    rate = steps((BEGIN, 0.96), (long.start, 0.2), (long.end, 0.96))
    assert verdicts(history(rate), long) == ["passing"]


def test_few_studies_say_nothing():
    assert verdicts(history(steps((BEGIN, 0.96)), a_day=1, days=550), EVENT) == ["unclear"]
    early = Event("Vroeger", "other", date(1999, 1, 1), date(1999, 1, 2), None)
    late = Event("Later", "other", date(2031, 1, 1), date(2031, 1, 2), None)
    assert verdicts(history(steps((BEGIN, 0.9))), early, late) == ["no-studies", "no-studies"]


def test_overdispersion_makes_a_change_less_sure():
    rate = {True: 0.99, False: 0.80}
    counts = history(lambda day: rate[day.month % 2 == 0], a_day=2)
    (row,) = events_table(counts, [EVENT], NONE).to_pylist()
    assert row["verdict"] in {"unclear", "no-effect"}
    plain = history(steps((BEGIN, 0.895)), a_day=2)
    (other,) = events_table(plain, [EVENT], NONE).to_pylist()
    assert row["high"] - row["low"] > 1.3 * (other["high"] - other["low"])


def test_events_of_another_archive_are_not_judged_here_and_overlapping_ones_are_each():
    other = Event("West", "upgrade", EVENT.start, EVENT.end, "west")
    both = Event("Overal", "merger", date(2011, 6, 1), date(2011, 8, 1), None)
    counts = history(steps((BEGIN, 0.96), (EVENT.start, 0.4)))
    found = events_table(counts, [EVENT, other, both], NONE).to_pylist()
    assert [(row["event"], row["verdict"]) for row in found] == [
        ("Overal", "worse"),
        ("PACS-migratie", "worse"),
    ]


def test_many_events_without_effect_are_hardly_ever_told_as_one():
    events = [
        Event(f"e{at}", "other", day, day + timedelta(days=1), None)
        for at, day in enumerate(date(2010, 8, 1) + timedelta(days=30 * n) for n in range(20))
    ]
    told = sum(
        word in {"worse", "better"}
        for seed in range(10)
        for word in verdicts(history(steps((BEGIN, 0.9)), seed=seed), *events)
    )
    assert told <= 4  # of 200


def test_the_periods_that_are_linked_are_named():
    period = {
        "period_id": "0123abcd",
        "archive": "oost",
        "source": "Oost",
        "event": EVENT.name,
        "event_kind": EVENT.kind,
        "event_start": EVENT.start,
        "axis": "study",
        "start": EVENT.start,
        "end": date(2012, 1, 1),
    }
    periods = pa.Table.from_pylist([period], schema=PERIODS)
    again = Event(EVENT.name, EVENT.kind, date(2010, 6, 1), date(2010, 6, 2), None)
    rows = events_table(history(steps((BEGIN, 0.9))), [EVENT, again], periods).to_pylist()
    assert [(row["start"], row["periods"]) for row in rows] == [
        (again.start, []),
        (EVENT.start, ["0123abcd"]),
    ]


def test_a_period_of_file_dates_does_not_cut_the_days_of_studies():
    counts = history(lambda day: 0.99 if day.month % 2 else 0.80, a_day=2)
    cut = {"archive": "oost", "source": "Oost", "axis": "file"}
    cut |= {"start": date(2010, 2, 1), "end": date(2010, 3, 1)}
    periods = pa.Table.from_pylist([cut], schema=PERIODS)
    assert events_table(counts, [EVENT], periods).equals(events_table(counts, [EVENT], NONE))


@pytest.mark.parametrize("counts", [DAILY.empty_table(), history(steps((BEGIN, 0.0)), days=1)])
def test_next_to_nothing_is_no_trouble(counts):
    assert set(verdicts(counts, EVENT)) <= {"no-studies"}
    assert verdicts(counts) == []
