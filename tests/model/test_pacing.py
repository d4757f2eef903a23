"""Pacing: a window on the clock, and turns that come at a steady rate."""

from datetime import UTC, datetime, time

import pytest

from remediation.model import pacing
from remediation.model.pacing import Hours, Pace, Window

NIGHT, DAY = Window(time(20), time(6)), Window(time(8), time(18))


@pytest.mark.parametrize(
    ("window", "moment", "seconds"),
    [
        (NIGHT, time(20), 0),
        (NIGHT, time(0), 0),
        (NIGHT, time(5, 59, 59), 0),
        (NIGHT, time(6), 14 * 3600),
        (NIGHT, time(19, 59, 59), 1),
        (DAY, time(8), 0),
        (DAY, time(17, 59), 0),
        (DAY, time(18), 14 * 3600),
        (DAY, time(7), 3600),
    ],
)
def test_a_window_is_half_open_and_may_go_over_midnight(window, moment, seconds):
    assert window.wait(moment) == seconds


def test_hours_are_those_of_the_jobs_clock():
    summer = datetime(2026, 7, 1, 18, 30, tzinfo=UTC)  # half past eight in Amsterdam
    assert Hours(NIGHT, "Europe/Amsterdam").wait(summer) == 0
    assert Hours(NIGHT, "UTC").wait(summer) == 90 * 60
    assert Hours(None, "UTC").wait(summer) == 0


def test_turns_come_at_a_steady_rate_and_idle_time_is_not_made_up_for(monkeypatch):
    now, slept = [100.0], []

    def sleep(seconds):
        slept.append(round(seconds, 6))
        now[0] += seconds

    monkeypatch.setattr(pacing.clock, "monotonic", lambda: now[0])
    monkeypatch.setattr(pacing.clock, "sleep", sleep)
    pace = Pace(10)
    for _ in range(3):
        pace()
    assert slept == [0.1, 0.1]
    now[0] += 5
    pace()
    pace()
    assert slept == [0.1, 0.1, 0.1]
    assert Pace(0)() is None
