"""Intervals, calibration of a field by its pass rate, and association."""

import random
from collections import Counter
from math import comb, exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.bsn import passes, test_number
from remediation.model.statistics import (
    bsn_probability,
    calibrate,
    cramers_v,
    difference,
    expected_probability,
    wilson,
)

counts = st.integers(0, 5000).flatmap(
    lambda trials: st.tuples(st.integers(0, trials), st.just(trials))
)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # R: prop.test(x, n, correct = FALSE)$conf.int
    [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (95, 100, 0.8882, 0.9785)],
)
def test_wilson_agrees_with_published_values(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(counts)
def test_wilson_holds_the_share_and_mirrors(pair):
    successes, trials = pair
    low, high = wilson(successes, trials)
    assert 0 <= low <= high <= 1
    if trials:
        assert low <= successes / trials <= high
    mirrored = wilson(trials - successes, trials)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-12)


def test_wilson_covers_the_true_share_about_95_times_in_100():
    share, trials = 0.9, 60
    covered = sum(
        comb(trials, k) * share**k * (1 - share) ** (trials - k)
        for k in range(trials + 1)
        if wilson(k, trials)[0] <= share <= wilson(k, trials)[1]
    )
    assert 0.92 < covered < 0.98


def test_no_trials_say_nothing():
    assert wilson(0, 0) == (0.0, 1.0)
    assert calibrate(0, 0).pass_rate is None


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ValueError, match="between 0 and the number of trials"):
        wilson(successes, trials)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_probability_rises_with_the_pass_rate(one, other):
    low, high = sorted((one, other))
    assert 0 <= bsn_probability(low) <= bsn_probability(high) <= 1


def test_half_of_the_values_passing_is_not_enough_and_91_percent_just_is():
    assert bsn_probability(0.5) == pytest.approx(0.9)
    assert bsn_probability(0.909) < 0.99 < bsn_probability(0.91)


def test_the_probability_agrees_with_a_simulated_mixture():
    draw = random.Random(3)
    kinds = [
        (True, test_number(draw.randrange(9090)))
        if draw.random() < 0.4
        else (False, f"{draw.randrange(10**9):09d}")
        for _ in range(40_000)
    ]
    passing = [is_bsn for is_bsn, number in kinds if passes(number)]
    expected = bsn_probability(len(passing) / len(kinds))
    assert sum(passing) / len(passing) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("well_formed", "passing", "verdict"),
    [
        (43, 43, "bsn"),
        (200, 199, "bsn"),
        (300, 285, "bsn"),  # 5 % typing errors
        (200, 184, "bsn"),
        (20, 20, "unproven"),
        (43, 38, "unproven"),
        (200, 180, "unproven"),
        (200, 18, "not-bsn"),
        (20, 2, "not-bsn"),
        (10, 1, "not-bsn"),
        (200, 100, "mixture"),
        (2000, 1700, "mixture"),
    ],
)
def test_verdicts(well_formed, passing, verdict):
    assert calibrate(well_formed, passing).verdict == verdict


@pytest.mark.parametrize(("well_formed", "passing"), [(1, 0), (2, 1), (3, 2), (10, 8), (20, 17)])
def test_a_few_typing_errors_do_not_demote_a_small_field(well_formed, passing):
    assert calibrate(well_formed, passing).verdict == "unproven"


@pytest.mark.parametrize(("well_formed", "passing"), [(50, 48), (200, 18), (7, 7), (400, 10)])
def test_the_probability_is_the_average_over_what_the_rate_may_be(well_formed, passing):
    rates = [1 / 11 + (at + 0.5) * 10 / 11 / 20_000 for at in range(20_000)]
    failing = well_formed - passing
    logs = [passing * log(rate) + failing * log(1 - rate) for rate in rates]
    weights = [exp(one - max(logs)) for one in logs]
    average = sum(
        weight * bsn_probability(rate) for weight, rate in zip(weights, rates, strict=True)
    ) / sum(weights)
    assert expected_probability(well_formed, passing) == pytest.approx(average, abs=1e-4)


def test_a_difference_holds_the_true_one_as_often_as_it_says():
    draw = random.Random(3)
    held = 0
    for _ in range(1000):
        one, other = (sum(draw.random() < rate for _ in range(60)) for rate in (0.9, 0.75))
        low, high = difference((one, 60), (other, 60))
        held += low <= -0.15 <= high
    assert 930 <= held <= 975


def test_local_numbers_are_never_taken_for_bsns():
    draw = random.Random(11)
    verdicts = []
    for _ in range(1000):
        passing = sum(draw.random() < 1 / 11 for _ in range(200))
        verdicts.append(calibrate(200, passing).verdict)
    assert set(verdicts) == {"not-bsn"}


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50)),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50)),
)
def test_association_is_a_share_and_symmetric(one, other):
    strength = cramers_v(one, other)
    assert 0 <= strength <= 1
    assert strength == pytest.approx(cramers_v(other, one))


def test_association_of_a_table_worked_by_hand():
    # Chi-square of 80 studies is 20, so plain V is 0.5; corrected, 1/79 goes off above and below.
    corrected = ((20 / 80 - 1 / 79) / (1 - 1 / 79)) ** 0.5
    assert cramers_v({"a": 30, "b": 10}, {"a": 10, "b": 30}) == pytest.approx(corrected)


def test_a_value_that_nobody_has_changes_nothing():
    assert cramers_v({"a": 3, "b": 4}, {"a": 9, "c": 0}) == cramers_v({"a": 3, "b": 4}, {"a": 9})


def test_many_rare_values_are_no_strong_association():
    draw = random.Random(5)
    strengths = []
    for _ in range(200):
        groups = (
            Counter(str(draw.randrange(40)) for _ in range(60)),
            Counter(str(draw.randrange(40)) for _ in range(30)),
        )
        strengths.append(cramers_v(*groups))
    # Plain V is about 0.65 here.
    assert sum(strengths) / len(strengths) < 0.15
