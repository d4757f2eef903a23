"""Which parts of a history are broken, and the chance that they are nothing."""

import pytest

from remediation.tables.broken import stretches
from remediation.tables.division import Division, Edge, Part


def division(*parts, dispersion=1.0):
    """Parts of (days, rate, studies), or with a fourth value: slides."""
    at, made = 0, []
    for days, rate, studies, *slide in parts:
        made.append(Part(at, at + days, round(rate * studies), studies, drift=bool(slide)))
        at += days
    edges = tuple(Edge(part.start - 2, part.start + 2) for part in made[1:])
    months = at // 30
    return Division(tuple(made), edges, dispersion, months - 3, months)


def spans(found, target=0.95, best=0.0):
    return [(one.start, one.end) for one in stretches(found, target, best)]


def test_what_is_clearly_below_target_and_the_rest_is_broken():
    found = division((900, 0.97, 900), (200, 0.2, 200), (900, 0.96, 900))
    (one,) = stretches(found, 0.95)
    assert (one.start, one.end, one.successes, one.trials) == (900, 1100, 40, 200)
    assert (one.before, one.after) == (found.parts[0], found.parts[2])
    assert (one.start_edge, one.end_edge) == found.edges
    assert one.p_value < 1e-20


def test_neighbouring_broken_parts_are_one_stretch():
    found = division((900, 0.97, 900), (200, 0.5, 200), (200, 0.1, 200), (900, 0.96, 900))
    assert spans(found) == [(900, 1300)]


def test_a_short_part_that_is_good_by_chance_makes_the_rest_no_worse():
    lucky = division((900, 0.75, 600), (60, 0.86, 40), (900, 0.74, 600), (200, 0.3, 150))
    assert spans(lucky) == [(1860, 2060)]


def test_a_recent_repair_is_what_years_are_held_against():
    assert spans(division((2000, 0.3, 2000), (120, 0.96, 400))) == [(0, 2000)]


def test_a_small_difference_or_one_above_target_is_not_broken():
    assert spans(division((900, 0.97, 900), (900, 0.92, 900))) == []
    assert spans(division((900, 0.99, 900), (900, 0.91, 900)), target=0.90) == []


def test_what_may_be_as_good_as_the_rest_is_not_broken():
    few = division((900, 0.96, 900), (60, 0.85, 20), (900, 0.96, 900))
    assert spans(few) == []
    assert spans(division((900, 0.96, 900), (60, 0.85, 900), (900, 0.96, 900))) == [(900, 960)]


def test_overdispersion_makes_a_stretch_less_sure():
    parts = (900, 0.95, 900), (120, 0.8, 100), (900, 0.95, 900)
    (sure,) = stretches(division(*parts), 0.95)
    unsure = list(stretches(division(*parts, dispersion=3.0), 0.95))
    assert sure.p_value < 0.01
    assert all(one.p_value > sure.p_value for one in unsure)


def test_a_source_that_was_never_right_is_one_stretch_that_nothing_is_held_against():
    (one,) = stretches(division((900, 0.1, 900), (900, 0.02, 900)), 0.95)
    assert (one.start, one.end, one.p_value) == (0, 1800, None)
    assert one.before is one.after is one.start_edge is one.end_edge is None


def test_a_best_that_is_known_from_elsewhere_counts():
    flat = division((900, 0.6, 900))
    assert spans(flat) == []
    assert spans(flat, best=0.95) == [(0, 900)]


@pytest.mark.parametrize(("last", "expected"), [(0.4, [(900, 2000)]), (0.94, [])])
def test_a_slide_belongs_to_what_it_leads_to(last, expected):
    found = division((900, 0.96, 900), (500, (0.96 + last) / 2, 500, "slide"), (600, last, 600))
    assert spans(found) == expected


def test_nothing_has_no_stretch():
    assert spans(Division((), (), 1.0, 0, 0)) == []
