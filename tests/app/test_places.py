"""`places`: where numbers stand, and whether they are BSNs."""

from __future__ import annotations

import json

import pytest
from app.hospital_line import call

from remediation.stages.flag import FlagReport


@pytest.fixture
def placed(told):
    told.study()
    told.place("OtherPatientIDsSequence.PatientID", 1234, 1200, 1190, low=0.985, high=0.996)
    told.place("PatientID", 1300, 1290, 118, verdict="not-bsn", low=0.077, high=0.11)
    told.place("PatientID", 9, 9, 1, verdict="not-bsn", issuer_kind="none", source="West")
    told.place("(0031,xx20)", 30, 30, 17, verdict="mixture", private_creator="MITRA 1.0")
    told.place("AdmissionID", 3, 0, 0, verdict="unproven", start="unknown", end="unknown")
    told.write()
    return told


def test_places_stand_in_columns_with_their_verdict_and_its_meaning(placed, capsys):
    said = call(capsys, "places", placed.job)
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 100
    text = " ".join(said.out.split())
    assert "2011-01..2011-03 1,234 1,200 1,190 99.2% 98.5..99.6 0.990 bsn" in text
    assert "(0031,xx20) (MITRA 1.0)" in text
    assert "undated 3 0 0 \u2013" in text
    assert "not-bsn: passes as often as any random number: local numbers, dates" in text
    assert "unproven: too few values to tell" in text


def test_a_field_that_says_bsn_and_is_none_comes_first_and_loud(placed, capsys):
    said = call(capsys, "places", placed.job).out
    first, second, *_ = said.splitlines()
    assert first == "!! Called a BSN, and none: 1 place"
    assert second.startswith("!! oost: Ziekenhuis Oost, PatientID: the issuer says BSN")
    assert said.count("!! not-bsn") == 1


def test_places_can_be_chosen(placed, capsys):
    def chosen(*options):
        said = call(capsys, "places", placed.job, "--json", *options)
        assert said.code == 0
        return [one["place"] for one in json.loads(said.out)["places"]]

    assert chosen("--source", "West") == ["PatientID"]
    assert chosen("--verdict", "mixture") == ["(0031,xx20)"]
    assert len(chosen("--archive", "oost")) == 5
    assert call(capsys, "places", placed.job, "--verdict", "mixture", "--source", "West").out == (
        "No place is like that.\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--source", "Noord"), "there is: West, Ziekenhuis Oost"),
        (("--archive", "noord"), "it has oost"),
        (("--verdict", "maybe"), "mixture"),
    ],
)
def test_a_choice_that_is_none_is_usage(placed, capsys, options, said):
    found = call(capsys, "places", placed.job, *options)
    assert found.code == 2
    assert said in found.line


def test_flag_tells_names_of_headers_without_what_a_terminal_would_obey(
    placed, capsys, monkeypatch
):
    named = "oost / Zkh.\x1b[2J\u202eOost / PatientID"
    report = FlagReport(1, {}, 0, {}, (named,), (named,), 0)
    monkeypatch.setattr("remediation.stages.flag.run", lambda _options: report)
    said = call(capsys, "flag", placed.job)
    assert said.code == 0
    assert said.err.count("oost / Zkh. [2J Oost / PatientID says BSN") == 2
    assert not {"\x1b", "\u202e"} & set(said.err)
