"""Weights, and estimates from unequal chances."""

from __future__ import annotations

import random
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.sampling import estimate, weight
from remediation.model.statistics import wilson

pairs = st.lists(st.tuples(st.booleans(), st.floats(1, 1e9)), min_size=1, max_size=60)


@given(pairs)
def test_an_interval_holds_its_share_and_rests_on_no_more_than_was_drawn(drawn):
    found = estimate(drawn)
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert 0 < found.effective <= len(drawn) * (1 + 1e-9)
    assert found.design_effect >= 1 - 1e-9
    assert isclose(found.stands_for, sum(part for _, part in drawn))


@given(pairs, st.floats(0.01, 1000))
def test_only_the_ratio_of_weights_counts_for_a_share(drawn, factor):
    one, other = estimate(drawn), estimate([(has, part * factor) for has, part in drawn])
    assert (one.share, one.low, one.high) == pytest.approx((other.share, other.low, other.high))


@given(st.integers(0, 40), st.integers(1, 40))
def test_equal_weights_give_the_plain_interval_of_wilson(right, wrong):
    found = estimate([(True, 3.0)] * right + [(False, 3.0)] * wrong)
    assert (found.low, found.high) == pytest.approx(wilson(right, right + wrong))
    assert found.design_effect == pytest.approx(1)


def test_a_weight_is_one_over_the_chance_of_being_drawn_at_all():
    assert weight({"a": 0.25}, {"a": 1}) == pytest.approx(4)
    assert weight({"a": 0.25}, {"a": 200}) == pytest.approx(1)
    assert weight({"a": 1e-18}, {"a": 5}) == pytest.approx(2e17)
    assert weight({"a": 1.0 + 1e-12}, {"a": 1}) == 1


def test_what_is_drawn_until_all_was_seen_counts_all_alike():
    heavy, light = weight({"a": 0.5}, {"a": 400}), weight({"a": 0.02}, {"a": 400})
    assert heavy == pytest.approx(light, rel=1e-3)


def drawn_from(folders, draws, seed):
    """Draw studies from folders of unequal size: a folder, then a study in it."""
    rng = random.Random(seed)
    found = {}
    for _ in range(draws):
        folder = rng.randrange(len(folders))
        study = rng.randrange(len(folders[folder]))
        found[folder, study] = 1 / len(folders) / len(folders[folder])
    return [
        (folders[folder][study], weight({"": chance}, {"": draws}))
        for (folder, study), chance in found.items()
    ]


@pytest.fixture(scope="module")
def uneven():
    """Small folders that are right, large ones that are mostly not: the worst for plain counts."""
    rng = random.Random(5)
    small = [[True] * rng.randint(1, 4) for _ in range(40)]
    large = [[rng.random() < 0.4 for _ in range(rng.randint(40, 80))] for _ in range(20)]
    return small + large


def truth_of(folders):
    every = [one for folder in folders for one in folder]
    return sum(every) / len(every)


def test_unequal_chances_do_not_bias_the_weighted_share(uneven):
    found = [estimate(drawn_from(uneven, 200, seed)) for seed in range(150)]
    truth = truth_of(uneven)
    plain = [drawn_from(uneven, 200, seed) for seed in range(150)]
    unweighted = sum(sum(has for has, _ in one) / len(one) for one in plain) / len(plain)
    assert sum(one.share for one in found) / len(found) == pytest.approx(truth, abs=0.015)
    assert unweighted > truth + 0.15, "the folders are not uneven enough to test anything"
    studies = sum(map(len, uneven))
    assert sum(one.stands_for for one in found) / len(found) == pytest.approx(studies, rel=0.03)


@pytest.mark.parametrize("draws", [60, 200])
def test_the_interval_covers_the_truth_in_more_than_nine_of_ten_draws(uneven, draws):
    found = [estimate(drawn_from(uneven, draws, seed)) for seed in range(300)]
    covered = sum(one.low <= truth_of(uneven) <= one.high for one in found)
    assert covered >= 0.92 * len(found)
