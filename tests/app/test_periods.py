"""`periods`: what was found, told so that a reader can retell it, and drawn."""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from app.hospital_line import call
from app.report.conftest import cause

from remediation.app.report.told.columns import cells


def id_of(told, at=0):
    return told.periods[at]["period_id"]


def explained(capsys, told, *options, at=0):
    said = call(capsys, "periods", "explain", told.job, id_of(told, at), *options)
    assert (said.code, said.err) == (0, "")
    return " ".join(said.out.split())


# --- periods list ---------------------------------------------------------------------------------


def test_a_line_per_period_then_the_events_then_the_chance(broken, capsys):
    said = call(capsys, "periods", "list", broken.job)
    assert (said.code, said.err) == (0, "")
    heading, line, event, *rest = said.out.splitlines()
    assert heading.split()[:4] == ["Period", "Source", "Start", "End"]
    assert (
        line.split()
        == (
            f"{id_of(broken)} oost / Ziekenhuis Oost 2011-07-01 ±2 2012-03-01 ±3 80"
            " 100 > 0 > 100 misplaced"
        ).split()
    )
    assert event.strip() == "PACS-migratie (PACS migration), on the edge"
    text = " ".join(" ".join(rest).split())
    assert (
        "PACS-migratie (PACS migration), 1 July 2011 oost: Ziekenhuis Oost: coverage fell" in text
    )
    assert "change \u221295.0 points, interval \u221299.0 to \u221288.0" in text
    assert "at most 5% each are expected to be chance (false discovery rate)" in text
    assert max(map(len, said.out.splitlines())) <= 100


def test_on_a_wide_terminal_the_event_stands_on_the_line(broken, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    lines = call(capsys, "periods", "list", broken.job).out.splitlines()
    assert lines[1].endswith("misplaced  PACS-migratie (PACS migration), on the edge")


def test_a_long_or_wide_name_is_cut_and_the_columns_stand(told, capsys):
    for number, name in enumerate(("N" * 90, "\u5317\u4eac" * 30), start=1):
        start = date(2011, number, 1)
        told.period(start, date(2012, 3, 1), source=name, studies=1234567)
    told.study().write()
    lines = call(capsys, "periods", "list", told.job).out.splitlines()
    assert max(map(len, lines)) <= 100
    assert "…" in lines[1]
    before = [line[: line.index("2011-")] for line in lines if line.startswith("a0b1")]
    assert len({cells(text) for text in before}) == 1


def test_kinds_of_edges_are_told_apart(told, capsys):
    none = {"end_low": None, "end_high": None, "coverage_after": None}
    told.study()
    told.period(date(2011, 7, 4), date(2012, 3, 1), start_kind="drift")
    told.period(date(2011, 7, 4), date(2012, 3, 1), end_kind="open", **none)
    told.period(date(2011, 7, 4), date(2012, 3, 1), end_kind="stopped", **none)
    told.period(date(2011, 7, 4), date(2012, 3, 1), axis="file")
    told.write()
    said = call(capsys, "periods", "list", told.job).out
    lines = [line for line in said.splitlines() if line.startswith("a0b1")]
    assert "~2011-07-04 ±3" in lines[0]
    assert "still open" in lines[1]
    assert "stopped 2012-02" in lines[2]
    assert f"not the day of the study: {id_of(told, 3)}" in said


def test_without_periods_or_events_it_says_so(told, capsys):
    told.study().write()
    said = call(capsys, "periods", "list", told.job)
    assert said.code == 0
    assert said.out.startswith("No broken periods were found.\n")
    assert "The job file lists no events." in said.out


def test_many_sources_of_one_event_are_named_or_counted(told, capsys):
    told.study()
    for number in range(12):
        verdict = ("worse", "no-effect", "unclear")[min(number // 5, 2)]
        told.effect(verdict=verdict, source=f"Kliniek {number:02d}")
    told.effect(verdict="no-studies", change=None, source="Leeg")
    told.write()
    said = " ".join(call(capsys, "periods", "list", told.job).out.split())
    assert "oost: Kliniek 02: coverage fell, 98.0% to 3.0%; 2 sources: coverage fell;" in said
    assert "5 sources: no effect; 2 sources: not clear" in said
    assert "1 source: no studies beside it to compare" in said


# --- periods explain ------------------------------------------------------------------------------


def test_the_story_can_be_retold(broken, capsys):
    text = explained(capsys, broken)
    story = f"""
Period {id_of(broken)}, oost: Ziekenhuis Oost, July 2011 to February 2012
It began between 29 June and 3 July 2011 (95% certain), most likely on 1 July 2011: coverage fell at
    one moment.
Coverage went from 100.0% to 0.0% (95% interval 0.0% to 4.6%; 80 studies in it).
What stands there instead is mostly misplaced: BSN in another place for patient identifiers.
It ended between 27 February and 4 March 2012 (95% certain), most likely on 1 March 2012: coverage
    rose at one moment.
After it coverage is 100.0%.
The nearest event of the job file: PACS-migratie (PACS migration), on the edge. The verdict on that
    event for this source: coverage fell (98.0% before it, 0.0% during it, 3.0% after it; change
    \u221295.0 points, interval \u221299.0 to \u221288.0).
From 1 July 2011 the BSN is in OtherPatientIDs instead of OtherPatientIDsSequence.PatientID.
Chance alone shows such a stretch less than once in 10,000 histories in which nothing changes. Of
    all periods that are at least as clear, all sources together, the share that would be chance is
    < 0.1% (q-value).
Next, see what can be corrected: remediation plan {broken.job} --period {id_of(broken)}. Nothing is
    written before people have approved it.
"""
    assert text == " ".join(story.split())
    assert "vary" not in text  # these months do not


def test_in_dutch(broken, capsys):
    text = explained(capsys, broken, "--lang", "nl")
    assert "De periode begon tussen 29 juni en 3 juli 2011 (95 % zeker)" in text
    assert (
        "Vanaf 1 juli 2011 staat het BSN in OtherPatientIDs in plaats van in"
        " OtherPatientIDsSequence.PatientID."
    ) in text


def test_what_changed_at_both_edges(told, capsys):
    changes = [
        cause("ImplementationVersionName", "OLDPACS_3", "NEWPACS_1"),
        cause("place", "OtherPatientIDsSequence", "OtherPatientIDs"),
        cause("patient_id_shape", "9999999", "A99999999"),
        cause("file_age", "month", "later"),
        cause("StationName", None, "CT2", "end"),
        cause("bsn_issuer", "2.16.840.1.113883.2.4.6.3", "NLMINBIZA", "end"),
        cause("Unheard", "of", "it"),
    ]
    told.study().period(date(2011, 7, 4), date(2012, 3, 1), causes=changes).write()
    text = explained(capsys, told)
    assert (
        "From 4 July 2011 files are written by NEWPACS_1 instead of OLDPACS_3; the BSN is in"
        " OtherPatientIDs instead of OtherPatientIDsSequence; PatientID has the shape A########"
        " instead of 7 digits; files are written more than a year after the study instead of within"
        " a month of the study."
    ) in text
    assert (
        "From 1 March 2012 the name of the station is missing, instead of CT2; the issuer beside"
        " the BSN is the BSN OID instead of NLMINBIZA."
    ) in text
    assert "Unheard" not in text


def test_a_drift_a_rewrite_steps_and_uneven_months(told, capsys):
    told.study()
    told.period(
        date(2011, 7, 4),
        date(2012, 3, 1),
        start_kind="drift",
        end_kind="drift",
        dispersion=2.34,
        p_value=0.004,
        q_value=0.03,
        written_start=date(2015, 7, 4),
        written_end=date(2015, 7, 10),
        written_share=0.96,
        steps=[
            {"start": date(2011, 7, 4), "end": date(2011, 10, 1), "studies": 50, "conformant": 1},
            {"start": date(2011, 10, 1), "end": date(2012, 3, 1), "studies": 30, "conformant": 12},
        ],
    ).write(events=())
    text = explained(capsys, told)
    assert "coverage slid down slowly, not at one moment" in text
    assert "coverage rose slowly, not at one moment" in text
    assert (
        "96.0% of its broken studies lie in files written 4 to 9 July 2015, long after the studies:"
        " a rewrite lost the number, not the years themselves."
    ) in text
    assert (
        "in 2 steps: from 4 July 2011 2.0% (50 studies) and from 1 October 2011 40.0% (30 studies)"
    ) in text
    assert "vary 2.3 times as much" in text
    assert "about once in 250 histories" in text
    assert "is 3.0% (q-value)" in text
    assert "No event of the job file lies within 180 days" in text


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("open", "It is still open: the data end in it, on 29 February 2012."),
        ("stopped", "the studies of this source stop in it, on 29 February 2012."),
    ],
)
def test_what_did_not_end(told, capsys, kind, said):
    none = {"end_low": None, "end_high": None, "coverage_after": None}
    told.study().period(date(2011, 7, 4), date(2012, 3, 1), end_kind=kind, **none).write()
    assert said in explained(capsys, told)
    assert "After it" not in explained(capsys, told)


def test_broken_from_the_first_day_and_never_right(told, capsys):
    none = {"start_low": None, "start_high": None, "coverage_before": None, "p_value": None}
    told.study()
    told.period(date(2011, 7, 4), date(2012, 3, 1), start_kind="first", causes=[], **none).write()
    text = explained(capsys, told)
    assert "from the beginning of the data, on 4 July 2011" in text
    assert "In it coverage is 0.0%" in text
    assert "No feature of the files clearly changed at its edges." in text
    assert "This source was never right" in text


def test_days_of_files_are_told_for_what_they_are(told, capsys, tmp_path):
    for number in range(40):
        status = "misplaced" if 10 <= number < 30 else "conformant"
        day = date(2015, 1 + number // 4, 5)
        told.study("2009-03", status, file_date=day)
    told.study("2009-03", "conformant", file_date=date(2009, 3, 6))  # not long after its study
    told.period(date(2015, 3, 5), date(2015, 8, 5), axis="file").write()
    assert "Its days are those on which files were written" in explained(capsys, told)
    path = tmp_path / "f.svg"
    said = call(capsys, "periods", "explain", told.job, "a0", "--plot", path)
    assert said.code == 0
    drawn = path.read_text()
    assert "by the month in which files were written" in drawn
    assert "2009" not in " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", drawn))


def test_what_could_not_be_read_is_not_planned(told, capsys):
    told.study().period(date(2011, 7, 4), date(2012, 3, 1), dominant_status="unreadable").write()
    assert "look for another copy" in explained(capsys, told)


def test_a_period_is_named_by_as_much_of_its_id_as_no_other_has(told, capsys):
    told.study()
    for _ in range(2):
        told.period(date(2011, 7, 4), date(2012, 3, 1))
    told.write()
    assert call(capsys, "periods", "explain", told.job, "A0B1C2D1").code == 0
    both = call(capsys, "periods", "explain", told.job, "a0b1")
    assert both.code == 2
    assert both.line.endswith("give more of the id: a0b1c2d0, a0b1c2d1")
    unknown = call(capsys, "periods", "explain", told.job, "ffff")
    assert unknown.code == 2
    assert unknown.line.endswith("no such period: `remediation periods list` shows them")


# --- plots ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "begins"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".PDF", b"%PDF")]
)
def test_a_plot_in_each_form(broken, capsys, suffix, begins):
    path = broken.output / f"beeld{suffix}"
    for line in (("list", broken.job), ("explain", broken.job, "a0b1")):
        said = call(capsys, "periods", *line, "--plot", path)
        assert (said.code, said.err) == (0, f"plot: {path}\n")
        first = path.read_bytes()
        assert first.startswith(begins)
        assert path.stat().st_mode & 0o777 == 0o600
        call(capsys, "periods", *line, "--plot", path)
        assert path.read_bytes() == first  # made twice it is the same


def test_a_plot_stands_by_itself_and_says_what_is_what(broken, capsys, tmp_path):
    path = tmp_path / "beeld.svg"
    call(capsys, "periods", "list", broken.job, "--plot", path)
    drawn = path.read_text()
    assert "var(--" not in drawn
    texts = [one.text for one in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    for text in (
        "Coverage per month, periods and events",
        "oost: Ziekenhuis Oost",
        "PACS-migratie",
        "target 95%",
        "broken period",
        "edge lies in here (95%)",
        f"1  {id_of(broken)}: July 2011 to February 2012, 0.0% of 80 studies",
    ):
        assert text in texts
    assert "provisional month" not in texts


@pytest.mark.parametrize("name", ["beeld.gif", "beeld", "weg/beeld.svg"])
def test_a_plot_that_cannot_be_is_refused_first(broken, capsys, tmp_path, name):
    (broken.output / "periods.parquet").unlink()
    said = call(capsys, "periods", "list", broken.job, "--plot", tmp_path / name)
    assert said.code == 2
    assert "--plot" in said.line


def test_without_a_date_there_is_nothing_to_draw(told, capsys, tmp_path):
    told.study("unknown", count=3).write()
    said = call(capsys, "periods", "list", told.job, "--plot", tmp_path / "x.svg")
    assert said.code == 1
    assert "no study of it has a usable date" in said.line
    assert not (tmp_path / "x.svg").exists()
