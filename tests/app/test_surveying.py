"""`crawl --sample`: what it prints, its exit codes, and what it leaves alone."""

from __future__ import annotations

import json

import pytest
from app.hospital_line import call
from small_hospital import BIRTHS, NUMBERS, WORDS, copy, lay_down


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return lay_down(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template, tmp_path):
    return copy(template, tmp_path / "klein")


def test_it_says_how_it_was_drawn_and_what_it_found(hospital, capsys):
    said = call(capsys, "crawl", hospital.job, "--sample", "3", "--seed", "9")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith("A sample of 3 studies of each source and month, seed 9; target")
    assert any("draws, " in line and "files read" in line for line in lines)
    assert any(line.startswith("in all") and "design effect" in line for line in lines)
    assert any(line.startswith("Whole interval below 95%: ") for line in lines)
    assert "not calibrated" in lines[-1]


def test_json_is_one_document_without_numbers_names_or_dates_of_birth(hospital, capsys):
    said = call(capsys, "crawl", hospital.job, "--sample", "3", "--json")
    found = json.loads(said.out)
    assert found["sample"] == 3
    assert found["seed"] == 1
    assert {row["scope"] for row in found["rows"]} == {"all", "archive", "year", "month"}
    assert found["drawn"][0]["draws"] > 0
    assert found["caveats"]
    assert found["file"].endswith("survey.parquet")
    root = str(hospital.job.parent / "archive")
    assert not any(word in said.out for word in (*NUMBERS, *WORDS, *BIRTHS, root))


def test_the_same_seed_says_the_same(hospital, capsys):
    first, second = (call(capsys, "crawl", hospital.job, "--sample", "2").out for _ in range(2))
    assert first == second


def test_it_makes_no_inventory_and_is_recorded(hospital, capsys):
    assert call(capsys, "crawl", hospital.job, "--sample", "2").code == 0
    [out] = {path.parent for path in hospital.job.parent.rglob("survey.parquet")}
    assert not (out / "inventory").exists()
    [record] = [json.loads(path.read_text()) for path in (out / "runs").glob("*.json")]
    assert record["command"] == "crawl"
    assert record["counts"]["survey"]
    assert call(capsys, "flag", hospital.job).code == 1, "there is nothing to flag yet"


def test_unreadable_files_are_exit_three(hospital, capsys):
    for path in (hospital.job.parent / "archive").rglob("*"):
        if path.is_file():
            path.write_bytes(bytes(128) + b"DICM" + b"\2\0\0\0UL\4")
    said = call(capsys, "crawl", hospital.job, "--sample", "2")
    assert said.code == 3
    assert "could not be read" in said.err


def test_an_archive_without_studies_is_a_warning(hospital, capsys):
    for path in (hospital.job.parent / "archive").rglob("*"):
        if path.is_file():
            path.unlink()
    said = call(capsys, "crawl", hospital.job, "--sample", "2")
    assert said.code == 0
    assert "warning: no study was found in archive" in said.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--sample", "0"), 2),
        (("--sample", "2", "--fresh"), 2),
        (("--sample", "2", "--archive", "nowhere"), 2),
    ],
)
def test_wrong_words_are_usage(hospital, capsys, words, code):
    assert call(capsys, "crawl", hospital.job, *words).code == code


def test_a_missing_share_is_exit_one(hospital, capsys):
    (hospital.job.parent / "archive").rename(hospital.job.parent / "unmounted")
    said = call(capsys, "crawl", hospital.job, "--sample", "2")
    assert said.code == 1
    assert said.err.startswith("remediation: ")


def test_a_range_and_an_archive_narrow_it(hospital, capsys):
    said = call(
        capsys,
        "crawl",
        hospital.job,
        "--sample",
        "2",
        "--from",
        "1990-01-01",
        "--to",
        "1990-01-02",
        "--json",
    )
    found = json.loads(said.out)
    assert [row for row in found["rows"] if row["study_year"] not in (None, "unknown")] == []
