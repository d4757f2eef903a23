"""What a survey estimates, held against what was planted, over many seeds."""

from __future__ import annotations

import pytest
from stages.share import DAY_LAYOUT
from stages.surveyed import by_days, by_patients, overall, remember, rows_of

SEEDS = range(60)


@pytest.fixture(scope="module")
def _read_once():
    with pytest.MonkeyPatch.context() as patch:
        remember(patch)
        yield


@pytest.fixture(scope="module")
def days(tmp_path_factory, _read_once):
    planted = by_days(tmp_path_factory.mktemp("days"))
    return planted, [planted.survey(12, seed, layout=DAY_LAYOUT) for seed in SEEDS]


@pytest.fixture(scope="module")
def patients(tmp_path_factory, _read_once):
    planted = by_patients(tmp_path_factory.mktemp("patients"))
    return planted, [planted.survey(60, seed) for seed in SEEDS]


def covered(rows, truth):
    return sum(row["low"] <= truth <= row["high"] for row in rows)


def test_with_a_layout_the_interval_of_each_stratum_covers_the_truth(days):
    planted, reports = days
    rows = [row for report in reports for row in rows_of(report, "month")]
    assert {(row["source"], row["study_month"]) for row in rows} == planted.studies.keys()
    for key in planted.studies:
        mine = [row for row in rows if (row["source"], row["study_month"]) == key]
        assert len(mine) == len(reports), "each source and month is found by each seed"
        assert covered(mine, planted.truth(*key)) >= 0.9 * len(mine), key


def test_months_are_put_together_by_their_size_not_by_what_was_drawn_of_them(days):
    planted, reports = days
    rows = [overall(report) for report in reports]
    assert covered(rows, planted.truth()) >= 0.9 * len(rows)
    mean = sum(row["coverage"] for row in rows) / len(rows)
    assert mean == pytest.approx(planted.truth(), abs=0.02)
    stands_for = sum(row["stands_for"] for row in rows) / len(rows)
    assert stands_for == pytest.approx(sum(map(len, planted.studies.values())), rel=0.1)


def test_enough_is_drawn_of_each_and_much_less_than_all(days):
    planted, reports = days
    for report in reports:
        assert all(row["studies"] >= 12 for row in rows_of(report, "month") if row["complete"])
        assert report.drawn[0].studies < 0.8 * planted.count
    told = [row["complete"] for report in reports for row in rows_of(report, "month")]
    assert sum(told) > 0.9 * len(told)


def test_without_a_layout_unequal_folders_do_not_bias(patients):
    planted, reports = patients
    rows = [overall(report) for report in reports]
    mean = sum(row["coverage"] for row in rows) / len(rows)
    plain = sum(row["conformant"] / row["studies"] for row in rows) / len(rows)
    assert mean == pytest.approx(planted.truth(), abs=0.03)
    assert plain > planted.truth() + 0.1, "the folders are not uneven enough to test anything"
    assert covered(rows, planted.truth()) >= 0.9 * len(rows)
    assert all(row["design_effect"] > 1.1 for row in rows), "unequal chances widen the interval"
