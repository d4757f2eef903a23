"""Which folder is one study's, and what chance that gives it."""

from __future__ import annotations

from collections import Counter

import pytest

from remediation.model.draws import Hit, Hits, Leaf, Start, unit_level


def votes(**levels):
    """Return votes of one depth: `l1=(same, other)`."""
    found = Counter()
    for name, (same, other) in levels.items():
        found[3, int(name[1:]), True] += same
        found[3, int(name[1:]), False] += other
    return found


@pytest.mark.parametrize(
    ("seen", "unit"),
    [
        (votes(l3=(30, 0), l2=(20, 0), l1=(0, 30)), 2),  # day, study, series, file below a start
        (votes(l3=(29, 1), l2=(0, 29)), 3),  # one file that strayed
        (votes(l2=(0, 30)), 3),  # a single file in every series: nothing to part there
        (votes(l3=(3, 27)), 4),  # flat: a study is no folder
        (votes(l3=(30, 0), l2=(20, 0), l1=(12, 0)), 0),  # one study in all
        (votes(l3=(30, 0), l2=(18, 12), l1=(0, 18)), 2),  # patients, mostly of one study
    ],
)
def test_the_unit_lies_below_the_deepest_folder_in_which_studies_part(seen, unit):
    assert unit_level(3, seen) == unit


def test_paths_of_another_depth_have_votes_of_their_own():
    assert unit_level(1, votes(l1=(0, 30))) == 0


def way(folder, *chances, start=()):
    return Leaf(Start(start), folder, ("1.dcm",), chances)


def hits_of(*met, votes=(), **draws):
    """Return hits: (study, cell, leaf, name) each; votes as (depth, level, same)."""
    hits = Hits()
    hits.draws.update(draws)
    hits.votes.update(votes)
    for study, cell, leaf, name in met:
        hits.add(study, Hit(cell, leaf, name))
    return hits


PARTED = [(1, 1, True), (1, 0, False)]  # a folder below the start is one study's


def test_a_study_met_twice_in_its_folder_has_the_chance_of_the_folder():
    leaf = way(("S1",), 1.0, 0.25, 0.01)
    hits = hits_of(("a", "c", leaf, "1.dcm"), ("a", "c", leaf, "2.dcm"), votes=PARTED, c=1)
    assert hits.weight("a") == pytest.approx(4)
    assert (hits.times("a"), hits.is_split("a"), hits.by_file("a")) == (2, False, False)


def test_a_study_in_two_folders_has_the_chance_of_both_and_is_told():
    one, other = way(("S1",), 1.0, 0.25, 0.01), way(("S2",), 1.0, 0.25, 0.01)
    hits = hits_of(("a", "c", one, "1.dcm"), ("a", "c", other, "1.dcm"), votes=PARTED, c=1)
    assert hits.weight("a") == pytest.approx(2)
    assert hits.is_split("a")


def test_a_study_in_two_cells_may_be_missed_in_both():
    one, other = way(("S1",), 1.0, 0.5, 0.01), way(("S2",), 1.0, 0.5, 0.01)
    hits = hits_of(("a", "c", one, "1.dcm"), ("a", "d", other, "1.dcm"), votes=PARTED, c=1, d=1)
    assert hits.weight("a") == pytest.approx(1 / 0.75)


def test_where_studies_have_no_folder_files_are_drawn_but_a_container_is_as_good_as_one():
    flat = way((), 1.0, 0.1)
    hits = hits_of(("a", "c", flat, "1.dcm"), votes=[(0, 0, False)], c=1)
    assert hits.weight("a") == pytest.approx(10)
    assert hits.by_file("a")
    hits.add("b", Hit("c", flat, "b.zip", container=True))
    assert not hits.by_file("b")


def test_files_of_one_folder_that_name_no_study_are_one():
    here, there = way(("S1",), 1.0, 0.25, 0.01), way(("S2",), 1.0, 0.25, 0.01)
    met = [("u1", "c", here, "1"), ("u2", "c", here, "2"), ("u3", "c", there, "1")]
    hits = hits_of(*met, votes=PARTED, c=3)
    assert hits.join(["u1", "u2", "u3"]) == {"u1": "u1", "u2": "u1", "u3": "u3"}
    assert list(hits) == ["u1", "u3"]
    assert hits.times("u1") == 2
