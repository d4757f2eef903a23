"""Names of runs, and the time they are made of."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from remediation.model.running import new_run_id, utc_now


def test_names_of_runs_sort_by_time_and_do_not_repeat():
    days = [datetime(2026, 11, day, 23, 59, 59, tzinfo=UTC) for day in (9, 10, 30)]
    names = [new_run_id(day) for day in days]
    assert names == sorted(names)
    assert re.fullmatch(r"20261109T235959Z-[0-9a-f]{4}", names[0])
    assert len({new_run_id(days[0]) for _ in range(50)}) > 40


def test_the_time_is_utc_to_the_second():
    now = utc_now()
    assert (now.tzinfo, now.microsecond) == (UTC, 0)
