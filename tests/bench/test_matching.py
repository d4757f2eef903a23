"""The benchmark of match, small: nobody gets another's number, and both of its tables are made."""

from __future__ import annotations

import json
import sys

import pytest

from bench import matching, verdicts
from bench.adversary import KINDS, RIGHT, WRONG, told
from bench.town import Town, swapped
from remediation.model import bsn


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    found = verdicts.judged(Town(6_000, seed=5), folder, matching.crosswalk_of, matching.RULES)
    assert list(folder.iterdir()) == [], "no plain number is left behind"
    return found


def test_an_export_full_of_mistakes_gives_nobody_anothers_number(judged):
    assert judged.wrong == 0
    assert judged.unexpected == {}
    assert judged.studies > 5_000


def test_every_kind_of_mistake_comes_out_as_it_should(judged):
    assert judged.outcomes.keys() == {kind.name for kind in KINDS}
    for kind in KINDS:
        assert kind.expected & judged.outcomes[kind.name].keys(), kind.name
    right = sum(own.get(RIGHT, 0) for own in judged.outcomes.values())
    assert right > judged.studies / 4, "what is right is resolved"


def test_a_wrong_number_would_be_seen(judged, tmp_path, monkeypatch):
    """Where the export gives a person another's verified number, and only that, nobody can see."""
    town = Town(400, seed=5)

    def crossed(town_):
        for kind, pair in told(town_):
            if kind.name == "nothing happened":
                a, b = pair.lines
                yield kind, type(pair)((_with(a, b.bsn), _with(b, a.bsn)), pair.headers)

    def _with(line, number):
        return type(line)(*(number if v == line.bsn else v for v in _values(line)))

    def _values(line):
        return [getattr(line, name) for name in line.__slots__]

    monkeypatch.setattr(verdicts, "told", crossed)
    found = verdicts.judged(town, tmp_path, matching.crosswalk_of, matching.RULES)
    assert found.wrong == found.outcomes["nothing happened"][WRONG] > 50
    assert f"{found.wrong} wrong numbers" in verdicts.markdown(found)


def test_people_are_the_same_each_time_and_their_numbers_pass():
    one, other = Town(50), Town(50)
    people = [one.person(n) for n in range(50)]
    assert people == [other.person(n) for n in range(50)]
    assert all(bsn.passes(p.number) and not bsn.is_test_number(p.number) for p in people)
    assert len({p.number for p in people}) == 50
    assert swapped("1123", 0) == "1213"


@pytest.mark.slow
def test_a_small_town_gives_both_tables(tmp_path, monkeypatch, capsys):
    wanted = ["--studies", "480", "--rows", "600", "--people", "400", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["bench.matching", "--json", *wanted])
    matching.main()
    said = json.loads(capsys.readouterr().out)
    (speed,) = said["speed"]
    assert (speed["studies"], speed["instances"]) == (480, 4800)
    assert speed["outcomes"].keys() == {"conformant", "refused", "resolved"}
    assert speed["reasons"].keys() <= {"no-crosswalk-entry", "homonym"}
    assert said["truth"]["wrong"] == 0
    assert list(tmp_path.iterdir()) == []
    text = matching.markdown([matching.Result(**speed)])
    assert "| 480 | 4,800 |" in text
