"""The benchmark of truth itself: its histories are what they say, and its scores are right."""

import dataclasses
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from bench.periods import __main__ as main
from bench.periods import calibration, layout, oracle, peers, report, score, tuning
from bench.periods.found import Edge, Found
from bench.periods.histories import SEEDS, VOLUMES, History, histories, history
from remediation.model import bsn
from remediation.model.events import Event
from remediation.tables.daily import DAILY

SOME = histories(77, 40, 6)


def handmade(*stretches, volume=200.0, days=3650, rate=0.9, low=0.4):
    """A history without noise: a study of every share each day, broken in the stretches given."""
    inner = [at for stretch in stretches for at in stretch]
    bounds = sorted({0, days, *inner})
    pieces = tuple(
        layout.Piece.level(one, other, low if any(a <= one < b for a, b in stretches) else rate)
        for one, other in pairwise(bounds)
    )
    planned = layout._planned(list(pieces))
    day = np.arange(days)
    share = np.concatenate([np.full(p.end - p.start, p.rate) for p in pieces])
    studies = np.full(days, 10)
    conformant = np.rint(studies * share).astype(int)
    return History("handmade", planned, day, studies, conformant, volume, 0.0, 0.0, None, ())


def period(start, end, kinds=("jump", "jump"), margin=None):
    low, high = (None, None) if margin is None else (-margin, margin)
    return Found(
        *(
            Edge(day, kind, *(None if m is None else day + m for m in (low, high)))
            for day, kind in zip((start, end), kinds, strict=True)
        )
    )


def test_pieces_cover_a_history_and_stretches_lie_so_far_below_all_that_is_good():
    for one in SOME:
        pieces = one.plan.pieces
        assert all(a.end == b.start for a, b in pairwise(pieces))
        assert all(0 <= rate <= 0.99 for p in pieces for rate in (p.rate, p.last))
        inside = [p for p in pieces if any(s.start <= p.start < s.end for s in one.stretches)]
        flat_inside = [p.rate for p in inside if p.rate == p.last]
        good = [p.rate for p in pieces if p not in inside and p.rate == p.last]
        if flat_inside:
            assert max(flat_inside) <= min(good) - layout.DROP + 1e-9
        assert all(s.drop > layout.DROP - 1e-9 for s in one.stretches)
        assert all(a.end < b.start for a, b in pairwise(one.stretches))


def test_lengths_volumes_and_counts_keep_to_what_is_said():
    for one in SOME:
        assert np.all(np.diff(one.days) > 0)
        assert np.all((one.conformant >= 0) & (one.conformant <= one.studies))
        first, last = one.plan.pieces[0].start, one.plan.pieces[-1].end
        assert 5 * 365 - 1 <= last - first <= 15 * 366
        assert VOLUMES[0] <= one.volume <= VOLUMES[1]
        told = one.studies.sum() * layout.MONTH / (last - first)
        assert 0.6 * one.volume < told < 1.4 * one.volume  # months may be empty
        for s in one.stretches:
            assert s.slides or 59 <= s.end - s.start <= 1097
            if s.start_kind == "jump" and s.end_kind == "jump":
                assert s.outer == (s.start, s.end)


def test_every_kind_of_history_is_among_them():
    many = histories(5, 120, 0)
    kinds = {kind for one in many for s in one.stretches for kind in (s.start_kind, s.end_kind)}
    assert kinds == {"jump", "drift", "first", "open"}
    assert {len(one.stretches) for one in many} == {1, 2, 3, 4, 5}
    assert any(one.renamed for one in many)
    assert any(len(one.days) and np.diff(one.days).max() > 27 for one in many if one.volume > 500)
    assert any(event.name.startswith("schijn") for one in many for event in one.events)
    assert {one.month_rho == 0 for one in many} == {True, False}
    assert any(len(one.plan.pieces) > 2 * len(one.stretches) + 1 for one in many)  # nested


def test_the_same_seed_gives_the_same_history_and_another_another():
    one, again = history(3, 8, is_flat=False), history(3, 8, is_flat=False)
    assert one.plan == again.plan
    assert np.array_equal(one.conformant, again.conformant)
    assert history(4, 8, is_flat=False).plan != one.plan
    assert SEEDS["tune"] != SEEDS["report"]


def test_flat_histories_have_nothing_planted_and_all_are_daily_tables():
    assert not any(one.stretches for one in SOME[40:])
    table = SOME[0].daily()
    assert table.schema == DAILY
    assert np.array_equal(np.add(table["conformant"], table["absent"]), table["studies"].to_numpy())


def test_studies_of_a_month_resemble_each_other_where_that_is_planted():
    rng = np.random.default_rng(1)
    drawn = np.array([np.unique(layoutless) for layoutless in _months(rng, 0.01)]).ravel()
    assert drawn.mean() == pytest.approx(0.8, abs=0.005)
    assert drawn.var() == pytest.approx(0.01 * 0.8 * 0.2, rel=0.2)


def _months(rng, rho):
    from bench.periods.histories import _shares

    for _ in range(2000):  # a January each
        yield _shares(rng, layout.Piece.level(0, 31, 0.8), rho)


def test_a_drift_is_broken_from_where_it_lies_so_far_below():
    pieces = [
        layout.Piece.level(0, 1000, 0.9),
        layout.Piece(1000, 1400, 0.9, 0.5),
        layout.Piece.level(1400, 2000, 0.5),
        layout.Piece.level(2000, 2500, 0.9),
    ]
    (stretch,) = layout._planned(pieces).stretches
    assert (stretch.start, stretch.end, stretch.outer) == (1100, 2000, (1000, 2000))
    assert (stretch.start_kind, stretch.end_kind) == ("drift", "jump")
    assert stretch.drop == pytest.approx((300 * 0.25 + 600 * 0.4) / 900)


def test_a_period_is_matched_to_one_stretch_and_that_by_half_of_both():
    one = handmade((500, 600), (1000, 1400))
    two = [period(480, 610), period(1000, 1200), period(1210, 1400), period(3000, 3100)]
    result = score.matched(one, two)
    assert [pair.found for pair in result.pairs] == [two[0], two[1]]
    assert list(result.extra) == two[2:]
    assert score.recall([result], score.of_goal).value == 1
    assert score.precision([result], lambda _: True) == score.Share(2, 4)
    assert not score.matched(one, [period(560, 1000)]).pairs[0].found  # too little in common


def test_edges_are_scored_where_something_jumps_and_the_datas_ends_are_named():
    one = handmade((0, 300), (1000, 1400))
    result = score.matched(one, [period(0, 310, ("first", "jump")), period(1003, 1398, margin=3)])
    errors = score.edge_errors([result], lambda _: True)
    assert [error.days for error in errors] == [10, 3, 2]
    assert [error.inside for error in errors] == [None, True, True]
    assert score.inside(errors) == score.Share(2, 2)
    assert score.named([result], ("first",), ("first",)) == score.Share(1, 1)
    assert score.named([result], ("drift",), ("drift",)).of == 0


def test_a_period_is_linked_to_the_event_at_its_start_or_to_another():
    event = Event("migratie", "pacs-migration", date(1971, 5, 16), date(1971, 5, 17), None)
    one = dataclasses.replace(handmade((500, 900)), events=(event,))
    told = [dataclasses.replace(period(500, 900), event=name) for name in ("migratie", "schijn 1")]
    results = [score.matched(one, [found]) for found in told]
    assert score.linked(results) == score.Share(1, 2)


def test_flat_histories_with_a_period_are_false_alarms():
    flat = handmade()
    results = [score.matched(flat, []), score.matched(flat, [period(5, 90), period(200, 300)])]
    assert score.false_alarms(results) == score.Share(1, 2)
    assert score.precision(results, lambda _: True).of == 0


def test_the_median_tells_apart_what_is_mostly_nought():
    assert score.middle([0] * 9 + [1]) < score.middle([0] * 6 + [1] * 4) < 0.5
    assert score.middle([2, 2, 2, 9]) == pytest.approx(1.5 + 2 / 3)
    assert np.isnan(score.middle([]))


def test_the_oracle_finds_an_edge_and_takes_the_middle_of_what_is_alike():
    one = handmade((500, 900))
    assert (oracle.edge_day(one, 500), oracle.edge_day(one, 900)) == (500, 900)
    days = np.array([0, 10, 20, 30])
    sparse = History("", one.plan, days, np.ones(4), np.array([1, 1, 0, 0]), 3, 0, 0, None, ())
    assert oracle.likeliest(sparse, (1, 29), 0.9, 0.1) == 15  # any of 11 to 20


def test_the_oracle_is_hard_to_beat_and_never_far_off():
    errors = [
        abs(oracle.edge_day(one, day) - day)
        for one in SOME
        for s in one.stretches
        for day, kind in ((s.start, s.start_kind), (s.end, s.end_kind))
        if kind == "jump"
    ]
    assert len(errors) > 30
    assert max(errors) <= 62
    assert np.mean(errors) < 8


def test_the_threshold_finds_what_lies_below_it():
    one = handmade((500, 900))
    (found,) = peers.by_threshold(peers.Threshold("relative", 0.2, 2))(one)
    assert abs(found.start.day - 500) < 31
    assert abs(found.end.day - 900) < 31
    assert not peers.by_threshold(peers.Threshold("absolute", 0.2, 2))(one)


@pytest.mark.parametrize(("model", "bins"), tuning.MODELS)
def test_the_tuning_divides_as_ruptures_does(model, bins):
    pytest.importorskip("ruptures")
    for one in SOME[:3]:
        if one.volume > 2000 and bins == "week":
            continue
        settings = peers.Ruptures(model, bins, 4, 3.0, 0.1)
        counted = peers.Bins.of(one, bins)
        price = settings.penalty * peers.unit(counted, model)
        cost = tuning.matrix(counted, model)
        ours = tuning.optimum(cost, settings.min_size, price)
        theirs = peers._pelt(counted, settings, price)
        assert _total(cost, ours, price) <= _total(cost, theirs, price) + 1e-6
        assert len(ours) == len(theirs)


def _total(cost, cuts, price):
    return sum(cost[a, b] for a, b in pairwise([0, *cuts, len(cost) - 1])) + price * len(cuts)


def test_passing_is_the_products_elfproef():
    rng = np.random.default_rng(0)
    numbers = np.concatenate([rng.integers(0, 10**9, 2000), calibration._test_range()[:200], [0]])
    told = calibration.passing(numbers)
    assert [bsn.passes(f"{number:09d}") for number in numbers] == list(told)


def test_a_typing_error_changes_one_digit_or_swaps_two_and_never_passes():
    rng = np.random.default_rng(0)
    right = rng.choice(calibration._test_range(), 3000)
    wrong = calibration.mistyped(rng, right)
    assert not calibration.passing(wrong).any()
    for one, other in zip(right, wrong, strict=True):
        before, after = f"{one:09d}", f"{other:09d}"
        differ = [at for at in range(9) if before[at] != after[at]]
        assert len(differ) == 1 or (len(differ) == 2 and sorted(before) == sorted(after))


@pytest.mark.parametrize("field", calibration.FIELDS, ids=lambda field: field.name)
def test_fields_are_numbers_of_at_most_nine_digits(field):
    rng = np.random.default_rng(2)
    numbers = field.make(rng, (20, 60))
    assert numbers.shape == (20, 60)
    assert numbers.min() >= 10**5
    assert numbers.max() < 10**9
    passing = calibration.passing(numbers).mean()
    if field.right == "not-bsn":
        assert passing == pytest.approx(1 / 11, abs=0.06)
    elif field.right == "bsn":
        assert passing > 0.9


def test_local_numbers_are_no_bsns_and_bsns_are():
    told = [
        calibration.judged(f, 200, 20, 1) for f in (calibration.FIELDS[0], calibration.FIELDS[7])
    ]
    assert told[0]["bsn"] == 0
    assert told[1]["bsn"] == 20
    assert sum(told[0].values()) == 20


def test_a_few_histories_give_the_whole_table():
    all_ = SOME[:4] + SOME[40:42]
    text = "\n".join(main.periods(all_, tell=True))
    for line in report.lines(main.run(all_)[0]):
        assert f"| {line.what} |" in text
        assert line.goal == "" or line.met is not None
    table = calibration.table(3, 1, sizes=(5, 200))
    assert sum(line.startswith("| ") for line in table) == len(calibration.FIELDS) + 4


def test_a_stretch_stands_out_more_where_more_is_missing_and_less_where_studies_are_alike():
    faint, plain = handmade((500, 900), low=0.8), handmade((500, 900))
    alike = dataclasses.replace(plain, month_rho=0.01, day_rho=0.02)
    told = [oracle.clearness(one, one.stretches[0]) for one in (faint, alike, plain)]
    assert told == sorted(told)
    # 4,000 studies, 50 points; the variance of 0.4 and 0.9 in the mean
    assert told[2] == pytest.approx(0.5 * (4000 / 0.165) ** 0.5)
