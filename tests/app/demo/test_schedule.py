from collections import Counter

import pytest

from remediation.app.demo import story
from remediation.app.demo.schedule import LEAST_STUDIES, MITRA_FROM, MITRA_STUDIES, schedule
from remediation.app.demo.story import EPD_UPGRADE, OOST, PACS_MIGRATION, SITES, WEST
from remediation.errors import UsageError

SIZES = [LEAST_STUDIES, 1701, 2400, 5000]


def broken(slot):
    return slot.scenario.header.status != "conformant"


@pytest.mark.parametrize("studies", SIZES)
@pytest.mark.parametrize("seed", [7, 8])
def test_every_study_of_a_break_is_broken_in_its_way(studies, seed):
    for slot in schedule(studies, seed):
        period = story.break_of(slot.site, slot.day)
        if period:
            assert slot.scenario.header.name == period.header
            assert slot.scenario.header.status == period.status


@pytest.mark.parametrize("studies", SIZES)
@pytest.mark.parametrize("seed", [7, 8])
def test_outside_the_breaks_a_month_has_one_broken_study_at_most_and_none_near_an_edge(
    studies, seed
):
    single = [
        slot
        for slot in schedule(studies, seed)
        if broken(slot) and not story.break_of(slot.site, slot.day)
    ]
    months = Counter((slot.site, slot.day.replace(day=1)) for slot in single)
    assert set(months.values()) == {1}
    assert all(story.quiet(site, month) for site, month in months)


@pytest.mark.parametrize("studies", SIZES)
def test_studies_spread_evenly_over_archives_and_months(studies):
    slots = schedule(studies, 7)
    assert len(slots) == studies
    counts = Counter((slot.site.archive, slot.day.replace(day=1)) for slot in slots)
    assert len(counts) == 2 * len(story.months())
    assert max(counts.values()) - min(counts.values()) <= 2


@pytest.mark.parametrize("studies", SIZES)
def test_fields_that_must_be_calibrated_have_enough_studies(studies):
    slots = schedule(studies, 7)
    retired = [s for s in slots if s.site is OOST and PACS_MIGRATION.covers(s.day)]
    private = [s for s in slots if s.scenario.header.name == "conformant-mitra"]
    assert len(retired) >= 43
    assert len(private) == MITRA_STUDIES >= 60
    assert {s.site for s in private} == {OOST}
    alone = [s for s in slots if s.scenario.header.name == "mitra-only"]
    assert len(alone) == 3
    assert min(s.day for s in [*private, *alone]) >= MITRA_FROM > PACS_MIGRATION.end


@pytest.mark.parametrize("seed", [7, 8])
def test_fields_that_must_stay_candidates_have_too_few_studies(seed):
    single = [s for s in schedule(5000, seed) if s.scenario.header.status == "candidate"]
    fields = Counter((s.site.archive, s.scenario.header.name) for s in single)
    assert fields
    assert max(fields.values()) < 39


def test_most_patients_of_a_break_can_be_resolved():
    slots = schedule(2400, 7)
    for period in story.BREAKS:
        inside = [s for s in slots if s.site is period.site and period.covers(s.day)]
        resolved = [s for s in inside if s.scenario.verdict() == ("resolved", "")]
        assert len(inside) * 0.6 < len(resolved) < len(inside)


def test_too_small_a_demo_is_refused():
    with pytest.raises(UsageError, match="at least 1200"):
        schedule(LEAST_STUDIES - 1, 7)


def test_special_patients_are_planted_in_every_size_alike():
    names = [
        Counter(s.scenario.name for s in schedule(studies, 7) if s.special) for studies in SIZES
    ]
    assert names[0] == names[1] == names[2] == names[3]
    assert {s.site for s in schedule(2400, 7) if s.special} == set(SITES)
    assert any(s.site is WEST and EPD_UPGRADE.covers(s.day) for s in schedule(2400, 7) if s.special)
