"""`plan` at the command line: what is selected, where it works, and that this does not show."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from app.hospital_line import call
from small_hospital import NUMBERS, PEOPLE, Hospital, copy, lay_down

from remediation.app import planning, spread
from remediation.app.where import Where
from remediation.app.wiring import Session
from remediation.store import datasets
from remediation.tables.schemas import PERIODS

IDS = ("1a2b3c4d", "1a9f0000", "77770000")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    """A hospital of which every study lies in the first of three periods."""
    hospital = lay_down(tmp_path_factory.mktemp("klein") / "out")
    hospital.look()
    said = {"archive": "noord", "source": "unknown", "axis": "study"}
    days = [(date(2011, 7, 1), date(2011, 8, 1)), *[(date(2012, 1, 1), date(2012, 2, 1))] * 2]
    rows = [
        said | {"period_id": one, "start": start, "end": end}
        for one, (start, end) in zip(IDS, days, strict=True)
    ]
    table = pa.Table.from_pylist(rows, schema=PERIODS)
    key_id = hospital.session().keys.key_id
    datasets.write(hospital.output / "periods.parquet", table, key_id)
    return hospital


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


def said_of(capsys, hospital, *more):
    said = call(capsys, "plan", hospital.job, "--author", "Anna Auteur", "--json", *more)
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_period_is_named_by_as_much_of_its_id_as_no_other_has(hospital, capsys):
    told = said_of(capsys, hospital, "--period", "1a2")
    assert told["files"] == 2 * PEOPLE
    assert told["manifest_id"] == said_of(capsys, hospital, "--period", IDS[0])["manifest_id"]
    head = json.loads((hospital.load().folder / "manifest.json").read_text())
    assert head["selection"] == [f"period={IDS[0]}"]


@pytest.mark.parametrize(
    ("given", "line"),
    [("1a", "give more of the id: 1a2b3c4d, 1a9f0000"), ("ff", "`remediation periods list`")],
)
def test_a_period_that_is_none_or_several_is_one_line_with_the_mend(hospital, capsys, given, line):
    said = call(capsys, "plan", hospital.job, "--period", given)
    assert said.code == 2
    assert line in said.line


def test_several_selections_of_a_key_and_of_keys(hospital, capsys):
    both = ("--select", "status=absent", "--select", "status=candidate")
    assert said_of(capsys, hospital, *both)["files"] == 2 * PEOPLE
    one = said_of(capsys, hospital, *both, "--select", "places=PatientComments")
    assert (one["files"], one["refused"]) == (0, 0)


def test_a_selection_that_finds_nothing_says_so(hospital, capsys):
    said = call(capsys, "plan", hospital.job, "--select", "source=Ziekenhuis Nergens")
    assert said.code == 0
    assert "nothing is to be corrected there" in said.err


@pytest.mark.parametrize(
    "select", [f"PatientID={NUMBERS[0]}", f"patient_token={NUMBERS[0]}", f"status={NUMBERS[0]}"]
)
def test_a_number_that_is_given_where_none_belongs_is_not_repeated(hospital, capsys, select):
    said = call(capsys, "plan", hospital.job, "--select", select)
    assert said.code == 2
    assert "--select" in said.line
    assert NUMBERS[0] not in said.out + said.err


def test_a_share_that_is_away_is_told_of_before_anything_is_read(hospital, capsys):
    hospital.root.rename(hospital.root.with_name("weg"))
    said = call(capsys, "plan", hospital.job)
    assert said.code == 1
    assert "archive/noord" in said.line


# --- workers --------------------------------------------------------------------------------------


def test_few_heads_are_read_by_this_process_and_many_by_workers(monkeypatch):
    asked = []

    def fleet(where, _ready):
        asked.append(where.workers)
        return contextlib.nullcontext(map)

    monkeypatch.setattr(spread, "fleet", fleet)
    for tasks, workers in ((3, 1), (4, 2)):
        with spread.fleet_for_many(Where(2), lambda: None, few=3) as mapper:
            assert list(mapper(str, range(tasks))) == [str(n) for n in range(tasks)]
        assert asked.pop() == workers
    with spread.fleet_for_many(Where(1), lambda: None, few=3):
        assert asked == [1]
    with spread.fleet_for_many(Where(2, scheduler="tls://x:1"), lambda: None, few=3):
        assert asked == [1, 2], "workers that are there are asked at once"


@pytest.mark.slow
def test_two_workers_make_the_same_manifest_as_one(hospital, capsys, monkeypatch):
    alone = said_of(capsys, hospital, "--workers", "1")
    monkeypatch.setattr(planning, "_FEW", 0)
    whole = Session.plan_options
    monkeypatch.setattr(
        Session, "plan_options", lambda *one, **more: replace(whole(*one, **more), task_files=3)
    )
    two = said_of(capsys, hospital, "--workers", "2")
    assert two["manifest_id"] == alone["manifest_id"]
    assert two["heads"] == alone["heads"] == 2 * PEOPLE
