"""`apply --paranoid` on the command line: what second readers said is told, and no value."""

from __future__ import annotations

import json

import pytest
from app.hospital_line import call
from small_hospital import NUMBERS, PEOPLE, WORDS, Hospital, ready

from remediation.stages import apply as apply_stage


@pytest.fixture
def hospital(tmp_path) -> Hospital:
    return ready(tmp_path / "klein")


def test_it_says_how_many_results_were_read(hospital, capsys):
    said = call(capsys, "apply", hospital.load().folder, "--dry-run", "--paranoid", "--json")
    assert said.code == 0
    assert json.loads(said.out)["second"] == {"agreed": 2 * PEOPLE}
    said = call(capsys, "apply", hospital.load().folder, "--in-place")
    assert "second readers:" in said.out
    assert "agreed" in said.out


def test_an_objection_is_exit_3_and_names_nobody(hospital, capsys, monkeypatch):
    monkeypatch.setattr(apply_stage, "second_opinion", lambda _old, _new: False)
    before = hospital.digests()
    said = call(capsys, "apply", hospital.load().folder, "--in-place", "--paranoid")
    assert said.code == 3
    assert "second-reader-disagrees" in said.out
    assert not any(one in said.out + said.err for one in (*NUMBERS, *WORDS))
    assert hospital.digests() == before
