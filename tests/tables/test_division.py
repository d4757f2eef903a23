"""Daily series whose edges are known to the day."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.tables.division import MIN_DAYS, Series, divide
from remediation.tables.drifts import with_drifts

START = 14_000  # days since 1970


def series(rng, rates, mean, rho=0.0):
    """Draw days, successes and trials; with rho, months scatter (beta-binomial)."""
    days = np.arange(START, START + len(rates))
    rates = np.array(rates, dtype=float)
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    for one in np.unique(month) if rho else ():
        for rate in np.unique(rates[month == one]):
            if 0 < rate < 1:
                spread = (1 - rho) / rho
                drawn = rng.beta(rate * spread, (1 - rate) * spread)
                rates[(month == one) & (rates == rate)] = drawn
    trials = rng.poisson(mean / 30, len(rates))
    return days, rng.binomial(trials, rates), trials


def split(days, successes, trials):
    return divide(Series.of(days, successes, trials))


def starts(found):
    return [part.start - START for part in found.parts[1:]]


daily = st.lists(
    st.integers(0, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=300
)


@settings(deadline=None, max_examples=60)
@given(daily, st.integers(1, 40))
def test_parts_cover_the_series_and_keep_its_counts(counts, gap):
    days = [START + at * gap for at in range(len(counts))]
    found = split(days, [x for x, _ in counts], [n for _, n in counts])
    assert sum(part.trials for part in found.parts) == sum(n for _, n in counts)
    assert sum(part.successes for part in found.parts) == sum(x for x, _ in counts)
    assert len(found.edges) == max(0, len(found.parts) - 1)
    for one, other in pairwise(found.parts):
        assert one.end == other.start
    for edge, part in zip(found.edges, found.parts[1:], strict=True):
        assert edge.low <= part.start <= edge.high
    assert found.dispersion >= 1


@pytest.mark.parametrize("mean", [60, 300, 3000])
def test_an_edge_on_any_day_is_found_with_its_uncertainty(mean):
    rng = np.random.default_rng(mean)
    errors, held, edges, divided = [], 0, 0, 0
    for _ in range(40):
        start = int(rng.integers(500, 1500))
        length = int(rng.integers(100, 400))
        rates = np.full(2400, 0.95)
        rates[start : start + length] = 0.5
        found = split(*series(rng, rates, mean))
        if len(found.parts) != 3:  # something less was taken for an edge as well
            continue
        divided += 1
        truth = start, start + length
        errors += [abs(day - true) for day, true in zip(starts(found), truth, strict=True)]
        for edge, true in zip(found.edges, truth, strict=True):
            held += edge.low <= true + START <= edge.high
            edges += 1
    assert divided >= 36
    assert np.median(errors) <= 300 / mean + 1
    assert held >= 0.9 * edges


def test_an_edge_in_the_middle_of_a_month_makes_no_stretch_of_its_own():
    rng = np.random.default_rng(1)
    rates = np.full(2000, 0.95)
    rates[700:1076] = 0.1
    found = split(*series(rng, rates, 5000))
    assert starts(found) == [700, 1076]


def test_a_lesser_break_is_seen_beside_great_ones():
    rng = np.random.default_rng(2)
    rates = np.full(1900, 0.7)
    rates[600:960], rates[1100:1400], rates[1600:1665] = 0.14, 0.6, 0.08
    found = split(*series(rng, rates, 1200))
    assert len(found.parts) == 7
    assert found.dispersion < 2


@pytest.mark.parametrize("rho", [0.0, 0.005])
def test_flat_series_are_hardly_ever_divided(rho):
    rng = np.random.default_rng(3)
    divided = sum(
        len(split(*series(rng, [rate] * 2400, mean, rho)).parts) > 1
        for rate in (0.6, 0.95)
        for mean in (30, 300, 3000)
        for _ in range(40)
    )
    assert divided <= 12  # of 240; measured over 4,800: 1.3 %


def test_an_edge_between_two_studies_lies_on_the_first_of_a_month_if_that_is_between():
    good, bad = list(range(START, START + 300, 10)), list(range(START + 300, START + 600, 10))
    found = split(good + bad, [1] * 30 + [0] * 30, [1] * 60)
    (edge,) = found.edges
    assert (edge.low, edge.high) == (good[-1] + 1, bad[0])
    first = np.datetime64(found.parts[1].start, "D")
    month = first.astype("datetime64[M]").astype("datetime64[D]")
    possible = np.arange(edge.low, edge.high + 1).astype("datetime64[D]")
    assert (first == month) == any(possible == possible.astype("datetime64[M]"))


def test_one_odd_week_is_no_stretch():
    rates = np.full(1000, 0.95)
    rates[500:507] = 0.0
    found = split(*series(np.random.default_rng(4), rates, 900))
    assert all(part.end - part.start >= MIN_DAYS for part in found.parts[1:-1])


@pytest.mark.parametrize(
    ("days", "successes", "trials"),
    [([1, 1], [0, 0], [1, 1]), ([2, 1], [0, 0], [1, 1]), ([1], [2], [1]), ([1], [-1], [1])],
)
def test_impossible_series_are_refused(days, successes, trials):
    with pytest.raises(ValueError, match="each day"):
        split(days, successes, trials)


def test_nothing_and_one_study_are_no_trouble():
    assert split([], [], []).parts == ()
    assert split([START], [0], [0]).parts == ()
    (part,) = split([START], [1], [1]).parts
    assert (part.start, part.end, part.rate) == (START, START + 1, 1.0)


# --- slides --------------------------------------------------------------------------------------


def slid(rng, length, mean, last=0.4):
    rates = np.full(2400, 0.96)
    rates[900 : 900 + length] = np.linspace(0.96, last, length)
    rates[900 + length :] = last
    days, hits, all_ = series(rng, rates, mean)
    found = split(days, hits, all_)
    return found, with_drifts(found, Series.of(days, hits, all_))


@pytest.mark.parametrize("length", [365, 730])
def test_a_slide_is_one_part_and_its_ends_are_known_to_some_weeks(length):
    rng = np.random.default_rng(length)
    named = 0
    for _ in range(20):
        stairs, found = slid(rng, length, 300)
        assert len(stairs.parts) > 2
        drifts = [part for part in found.parts if part.drift]
        named += len(drifts)
        for part in drifts:
            assert abs(part.start - START - 900) < 75
            assert abs(part.end - START - 900 - length) < 75
        assert sum(part.trials for part in found.parts) == sum(p.trials for p in stairs.parts)
    assert named >= 19


def test_jumps_are_no_slides():
    rng = np.random.default_rng(5)
    for rates in (
        [0.96] * 900 + [0.4] * 900,
        [0.96] * 900 + [0.7] * 700 + [0.4] * 800,
        [0.96] * 900 + [0.1] * 200 + [0.96] * 900,
    ):
        for _ in range(10):
            days, hits, all_ = series(rng, rates, 300)
            found = split(days, hits, all_)
            assert with_drifts(found, Series.of(days, hits, all_)) == found
