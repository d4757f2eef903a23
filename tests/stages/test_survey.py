"""A survey of small shares: what is drawn, what is counted, what is said of it."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stages.share import DAY_LAYOUT, Share
from stages.surveyed import EAST, WEST, Planted, options, overall, rows_of
from tables.heads_of import bsn_item, el, file_of, local

from remediation.errors import ShareError
from remediation.model import bsn
from remediation.model.pacing import Hours, Window
from remediation.model.placement import Placement
from remediation.stages import survey
from remediation.store import datasets
from remediation.tables.judge import Sources
from remediation.tables.schemas import SURVEY

BROKEN = bytes(128) + b"DICM" + b"\2\0\0\0UL\4"  # says that it is one, and breaks off


@pytest.fixture
def planted(tmp_path):
    return Planted(Share(tmp_path / "share"))


@pytest.fixture
def months(planted):
    """Two months of folders by day, of six studies each: the first right, the second wrong."""
    for day in ("20110704", "20110705", "20110801"):
        for number in range(3 if day < "201108" else 6):
            planted.study(
                f"{day[:4]}/{day[4:6]}/{day[6:]}", day, right=day < "201108", series=1 + number % 2
            )
    return planted


def files_of(share):
    return sorted(path for path in share.output.rglob("*") if path.is_file())


# --- what it says ---------------------------------------------------------------------------------


def test_months_years_archive_and_all_each_have_their_row(months):
    report = months.survey(25, seed=3, layout=DAY_LAYOUT)
    told = [
        (row["scope"], row["archive"], row["source"], row["study_month"], row["study_year"])
        for row in report.rows
    ]
    assert told == [
        ("all", None, None, None, None),
        ("archive", "oost", None, None, None),
        ("year", "oost", None, None, "2011"),
        ("month", "oost", EAST, "2011-07", "2011"),
        ("month", "oost", EAST, "2011-08", "2011"),
    ]
    july, august = rows_of(report, "month")
    assert (july["studies"], july["conformant"], july["coverage"]) == (6, 6, 1.0)
    assert (august["studies"], august["absent"], august["coverage"]) == (6, 6, 0.0)
    assert july["high"] == 1.0
    assert july["low"] == pytest.approx(0.61, abs=0.01), "the interval of a census of six"
    assert overall(report)["coverage"] == pytest.approx(0.5, abs=0.05)


def test_nearly_all_that_there_is_counts_as_complete(months):
    report = months.survey(25, layout=DAY_LAYOUT)
    assert all(row["complete"] for row in report.rows)
    [drawn] = report.drawn
    assert (drawn.strata, drawn.complete, drawn.cells) == (2, 2, 2)
    there = sum(1 for path in months.share.root.rglob("*") if path.is_file())
    assert drawn.draws > 2 * there
    assert drawn.reads < 4 * there, "no file is read twice, but to be held against others"


def test_it_stops_where_enough_was_drawn(months):
    report = months.survey(1, layout=DAY_LAYOUT)
    assert all(row["complete"] for row in report.rows)
    assert report.drawn[0].draws == 2 * survey._BATCH, "one batch of each month"


def test_it_is_written_with_how_it_was_drawn_and_nothing_else_is(months):
    report = months.survey(25, seed=7, layout=DAY_LAYOUT)
    share = months.share
    path = share.output / survey.FILE
    assert files_of(share) == [path]
    table = datasets.read(path, SURVEY, share.keys.key_id, "crawl --sample")
    assert table.to_pylist() == list(report.rows)
    how = json.loads(pq.read_schema(path).metadata[survey.DRAWN])
    assert (how["seed"], how["sample"], how["target"]) == (7, 25, "at-rest")
    assert how["drawn"][0]["frame"] == "layout"
    assert how["drawn"][0]["draws"] == report.drawn[0].draws


def test_no_number_name_or_path_stands_in_it(planted):
    number = bsn.test_number(4711)
    own = [*local("7654321"), bsn_item(number)]
    planted.share.put(f"Schijn/{number}/1", file_of(*own, name="Schijn^Anna", birth="19500203"))
    planted.share.put(f"Schijn/{number}/2", BROKEN)
    report = planted.survey(5)
    assert overall(report)["studies"] == 2
    written = (planted.share.output / survey.FILE).read_bytes() + json.dumps(
        [dict(row) for row in report.rows]
    ).encode()
    for word in (number, "7654321", "Schijn", "19500203", "1950", str(planted.share.root)):
        assert word.encode() not in written


def test_the_inventory_is_left_alone(months):
    months.share.crawl()
    before = [(path, path.read_bytes()) for path in files_of(months.share)]
    months.survey(5)
    assert [(path, path.read_bytes()) for path, _ in before] == before
    assert len(files_of(months.share)) == len(before) + 1


# --- the draw -------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["", DAY_LAYOUT])
def test_the_same_seed_draws_the_same_another_draws_another(months, layout, monkeypatch):
    first = months.survey(3, seed=5, layout=layout)
    monkeypatch.setattr(survey, "THREADS", 1)
    assert months.survey(3, seed=5, layout=layout) == first
    others = [months.survey(3, seed=seed, layout=layout) for seed in range(6, 12)]
    assert any(other.drawn != first.drawn for other in others)


def test_the_range_of_the_job_holds_with_and_without_a_layout(months):
    august = {"start": date(2011, 8, 1), "end": date(2011, 8, 31)}
    for layout in ("", DAY_LAYOUT):
        report = months.survey(25, layout=layout, **august)
        assert [row["study_month"] for row in rows_of(report, "month")] == ["2011-08"]
        [drawn] = report.drawn
        assert (drawn.outside > 0) == (not layout), "folders of other days are not opened"
    stored = months.survey(25, layout=DAY_LAYOUT, prunes=False, **august)
    assert stored.drawn[0].outside > 0, "folders that are no StudyDates pass nothing over"
    assert overall(stored)["studies"] == 6


def test_a_study_without_a_date_is_in_every_range(planted):
    planted.share.put("a/1", file_of(*local(), day=""))
    report = planted.survey(3, start=date(2011, 8, 1), end=date(2011, 8, 31))
    assert [row["study_month"] for row in rows_of(report, "month")] == ["unknown"]


def test_months_come_from_headers_not_from_folders(planted):
    planted.study("2011/07/04", "20110704", right=True)
    planted.study("2011/07/05", "20110830", right=False)
    report = planted.survey(5, layout=DAY_LAYOUT)
    found = {row["study_month"]: row["coverage"] for row in rows_of(report, "month")}
    assert found == {"2011-07": 1.0, "2011-08": 0.0}


def test_what_lies_beside_the_layout_is_drawn_as_well(planted):
    planted.study("2011/07/04", "20110704", right=True)
    planted.study("incoming", "20110704", right=False)
    report = planted.survey(5, layout=DAY_LAYOUT)
    assert report.drawn[0].cells == 2
    assert overall(report)["studies"] == 2


def test_sources_are_those_of_the_job(planted):
    for source, right in ((EAST, True), (WEST, False)):
        planted.study("x", "20110704", right=right, source=source)
    report = planted.survey(5, sources=Sources(rename={WEST: "West"}))
    found = {row["source"]: row["coverage"] for row in rows_of(report, "month")}
    assert found == {EAST: 1.0, "West": 0.0}


def test_several_archives_are_one_survey(tmp_path):
    east, west = (Planted(Share(tmp_path / "share", name)) for name in ("oost", "west"))
    for number, one in enumerate((east, west)):
        for _ in range(4):
            one.study("x", "20110704", right=number == 0)
    both = replace(
        options(east.share, 9),
        archives=options(east.share, 9).archives + options(west.share, 9).archives,
    )
    report = survey.run(both, east.share.keys)
    assert [row["archive"] for row in rows_of(report, "archive")] == ["oost", "west"]
    assert [row["coverage"] for row in rows_of(report, "archive")] == [1.0, 0.0]
    assert overall(report)["studies"] == 8


# --- studies, series, instances -------------------------------------------------------------------


def test_a_study_counts_once_and_a_series_is_judged_once(planted):
    planted.study("a", "20110704", right=True, series=3, files=4)
    report = planted.survey(30)
    assert overall(report)["studies"] == 1
    assert report.drawn[0].again > 0


def test_instances_that_differ_make_a_study_mixed_once_both_were_drawn(planted):
    for series, own in enumerate(([*local(), bsn_item(bsn.test_number(5))], local())):
        data = file_of(*own, el(0x0020000E, "UI", f"1.2.{series}"), uid="1.2")
        planted.share.put(f"S/{series}/1", data)
    row = overall(planted.survey(10))
    assert (row["studies"], row["mixed"], row["coverage"]) == (1, 1, 0.0)


def test_a_number_that_no_issuer_vouches_for_stays_a_candidate(planted):
    for number in range(60):
        planted.share.put(
            f"S{number}/1", file_of(*local(bsn.test_number(number), ""), uid=f"1.{number}")
        )
    row = overall(planted.survey(60))
    assert row["candidate"] == row["studies"] >= 40, "flag would have calibrated the place"


def test_the_target_is_that_of_the_job(months):
    assert overall(months.survey(25, placement=Placement("exchange")))["conformant"] == 0


def test_large_studies_do_not_count_for_more_where_they_have_a_folder(planted):
    for number in range(8):
        planted.study("x", "20110704", right=number % 2 == 0, files=1 if number % 2 else 30)
    found = [overall(planted.survey(5, seed)) for seed in range(20)]
    mean = sum(row["coverage"] for row in found) / len(found)
    assert mean == pytest.approx(0.5, abs=0.08)
    assert planted.survey(5).drawn[0].by_file == 0


def test_studies_without_a_folder_are_counted_as_such(planted):
    for _ in range(12):
        planted.study("flat", "20110704", right=True, files=2, own_folder=False)
    [drawn] = planted.survey(6).drawn
    assert (drawn.by_file, drawn.split) == (drawn.studies, 0)


def test_studies_in_several_folders_are_counted_as_such(planted):
    for number in range(12):
        for series in range(3):
            data = file_of(
                *local(), el(0x0020000E, "UI", f"1.{number}.{series}"), uid=f"1.{number}"
            )
            planted.share.put(f"series-{number * 3 + series}/1", data)
    [drawn] = planted.survey(12).drawn
    assert drawn.by_file == 0
    assert drawn.split > 6


# --- shares as they are ---------------------------------------------------------------------------


def test_unreadable_files_of_a_folder_are_one_unreadable_study(planted):
    for number in range(5):
        planted.study("x", "20110704", right=True)
        planted.share.put(f"x/broken/{number}", BROKEN)
    report = planted.survey(20)
    row = overall(report)
    assert (row["studies"], row["unreadable"], row["conformant"]) == (6, 1, 5)
    assert row["coverage"] == pytest.approx(5 / 6, abs=0.02)
    assert report.incomplete
    assert report.drawn[0].unreadable > 0


def test_an_empty_archive_has_no_rows(planted):
    report = planted.survey(5)
    assert report.rows == ()
    assert not report.incomplete
    assert report.drawn[0].studies == 0
    assert (
        datasets.read(
            planted.share.output / survey.FILE, SURVEY, planted.share.keys.key_id, ""
        ).num_rows
        == 0
    )
    assert planted.survey(5, layout=DAY_LAYOUT).drawn[0].cells == 0


def test_folders_without_dicom_are_said_to_have_been_drawn_for_nothing(planted):
    for number in range(3):
        planted.study("x", "20110704", right=True)
        planted.share.put(f"docs/{number}/note.txt", b"no dicom here")
    (planted.share.root / "empty").mkdir()
    report = planted.survey(10)
    assert overall(report)["studies"] == 3
    assert report.drawn[0].empty > 0


@pytest.mark.parametrize("layout", ["", DAY_LAYOUT])
def test_one_folder_of_one_study_is_enough(planted, layout):
    planted.study("2011/07/04", "20110704", right=True)
    row = overall(planted.survey(25, layout=layout))
    assert (row["studies"], row["coverage"], row["complete"]) == (1, 1.0, True)
    assert row["stands_for"] == pytest.approx(1)


def test_links_are_never_followed(planted, tmp_path):
    other = Planted(Share(tmp_path / "elsewhere"))
    other.study("y", "20110704", right=False)
    planted.study("x", "20110704", right=True)
    (planted.share.root / "away").symlink_to(other.share.root)
    (planted.share.root / "x" / "S1" / "0" / "link").symlink_to(other.share.root / "y/S1/0/0")
    row = overall(planted.survey(25))
    assert (row["studies"], row["coverage"]) == (1, 1.0)


def test_a_lost_folder_is_told(months, monkeypatch):
    real = os.scandir

    def stale(path):
        if Path(path).name == "05":
            raise OSError(errno.ESTALE, "stale")
        return real(path)

    monkeypatch.setattr(os, "scandir", stale)
    report = months.survey(25, layout=DAY_LAYOUT)
    assert (report.drawn[0].folders_lost, report.incomplete) == (1, True)
    assert overall(report)["studies"] == 9


@pytest.mark.parametrize("layout", ["", DAY_LAYOUT])
def test_a_missing_share_is_an_error_and_nothing_is_written(months, layout):
    months.share.root.rename(months.share.folder / "unmounted")
    with pytest.raises(ShareError):
        months.survey(5, layout=layout)
    assert files_of(months.share) == []


def test_each_folder_and_file_that_is_read_waits_for_its_turn(months):
    turns = []
    report = survey.run(
        options(months.share, 3, layout=DAY_LAYOUT),
        months.share.keys,
        pace=lambda: turns.append(1),
    )
    [drawn] = report.drawn
    assert len(turns) >= drawn.reads + drawn.folders_listed


def test_it_waits_for_the_window(months, monkeypatch):
    now = [datetime(2026, 11, 23, 12, 0, tzinfo=UTC)]
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += timedelta(hours=9)

    monkeypatch.setattr(survey, "utc_now", lambda: now[0])
    night = Hours(Window.parse("20:00-06:00"), "UTC")
    survey.run(options(months.share, 1, hours=night), months.share.keys, sleep=sleep)
    assert slept == [60]


def test_progress_is_told_of_draws(months):
    told = []
    report = survey.run(options(months.share, 3), months.share.keys, advance=told.append)
    assert sum(told) == report.drawn[0].draws
