"""Checking a job before it runs: what is wrong, all at once, and nothing written."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

import pytest
from small_hospital import BIRTHS, NUMBERS, WORDS, digests

from remediation.app.cli import _run
from remediation.dicom.quick import PASS
from remediation.stages import check


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def checked(hospital, capsys):
    """Run `check --json`; return the exit code and the findings by what was looked at."""

    def run():
        code = _run(["check", str(hospital.job), "--json"])
        said = json.loads(capsys.readouterr().out)
        assert said["exit_code"] == code
        return code, {one["what"]: (one["verdict"], one["line"]) for one in said["findings"]}

    return run


def test_a_sound_job_is_all_ok_and_nothing_is_written(hospital, checked):
    before = digests(hospital.out)
    code, found = checked()
    assert code == 0
    assert {what: verdict for what, (verdict, _) in found.items()} == {
        "key file": "ok",
        "archive noord": "ok",
        "output folder": "ok",
        "crosswalk": "ok",
        "header pass": "ok",
    }
    assert found["header pass"][1] == PASS
    assert digests(hospital.out) == before


def test_what_it_says_of_the_export_holds_nobody(hospital, capsys):
    assert _run(["check", str(hospital.job)]) == 0
    said = capsys.readouterr()
    text = said.out + said.err
    assert "6 rows" in text
    assert "geverifieerd 6" in text
    assert not any(word in text for word in (*NUMBERS, *WORDS, *BIRTHS))


def test_the_counts_of_the_export_are_there_as_data(hospital, capsys):
    assert _run(["check", str(hospital.job), "--json"]) == 0
    said = capsys.readouterr().out
    counts = {one["what"]: one["counts"] for one in json.loads(said)["findings"]}
    assert counts["key file"] == {}
    found = counts["crosswalk"]
    assert (found["rows"], found["unverified"], found["two_numbers"]) == (6, 0, 0)
    assert (found["by_status"], found["by_kind"]) == ({"geverifieerd": 6}, {"csv": 6})
    assert not any(word in said for word in (*NUMBERS, *WORDS, *BIRTHS))


@pytest.mark.parametrize(
    ("fault", "what", "code"),
    [
        ("key missing", "key file", 12),
        ("key open", "key file", 12),
        ("share missing", "archive noord", 1),
        ("column missing", "crosswalk", 2),
        ("export missing", "crosswalk", 2),
        ("export old", "crosswalk", 2),
    ],
)
def test_one_fault_is_named_and_gives_its_exit_code(hospital, checked, fault, what, code):
    key, export = hospital.out / "keys/klein.key", hospital.out / "epd/patienten.csv"
    {
        "key missing": key.unlink,
        "key open": lambda: key.chmod(0o644),
        "share missing": lambda: hospital.root.rename(hospital.out / "weg"),
        "column missing": lambda: hospital.edit_export("geboren", "gewist"),
        "export missing": export.unlink,
        "export old": lambda: os.utime(export, (1_300_000_000, 1_300_000_000)),
    }[fault]()
    found = checked()
    assert found[0] == code
    assert [name for name, (verdict, _) in found[1].items() if verdict == "wrong"] == [what]
    assert "\n" not in found[1][what][1]


def test_every_fault_is_said_at_once_and_the_first_gives_the_code(hospital, checked):
    (hospital.out / "keys/klein.key").unlink()
    hospital.root.rename(hospital.out / "weg")
    hospital.edit_export("geboren", "gewist")
    code, found = checked()
    assert code == 12
    wrong = [what for what, (verdict, _) in found.items() if verdict == "wrong"]
    assert wrong == ["key file", "archive noord", "crosswalk"]


def test_little_space_is_a_note_and_no_fault(hospital, checked, monkeypatch):
    monkeypatch.setattr(check.shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 10**6))
    code, found = checked()
    assert code == 0
    assert found["output folder"] == ("note", "little space, 0.0 GB free")


def test_a_job_without_an_export_can_crawl_and_is_told_that_it_cannot_match(hospital, checked):
    text = hospital.job.read_text()
    start, end = text.index("[crosswalk]"), text.index("[[approver]]")
    hospital.job.write_text(text[:start] + text[end:])
    code, found = checked()
    assert code == 0
    assert found["crosswalk"][0] == "note"
    assert "match does not" in found["crosswalk"][1]


def test_an_archive_that_cannot_be_written_is_fine_for_out(hospital, checked, monkeypatch):
    may = os.access
    root = hospital.root
    monkeypatch.setattr(check.os, "access", lambda path, how: path != root and may(path, how))
    code, found = checked()
    assert code == 0
    assert "use --out" in found["archive noord"][1]
