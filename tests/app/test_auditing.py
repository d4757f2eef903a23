"""The audit log from the command line: every run is in it, tells its head, and can be proved."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys

import pytest
from app.hospital_line import call
from small_hospital import (
    AUTHOR,
    BIRTHS,
    NUMBERS,
    PEOPLE,
    STATEMENT,
    WORDS,
    Hospital,
    copy,
    ready,
    study_uid,
)

from remediation.store import audit
from remediation.store.audit import read
from remediation.store.files import IoError


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


def said(hospital, command=""):
    found = [one.said for one in read(hospital.output)]
    return [one for one in found if command in {"", one["command"]}]


def test_every_run_tells_the_head_that_stands_in_its_record_and_proves_the_log(hospital, capsys):
    folder, heads = hospital.load().folder, []
    for line in (
        ("crawl", hospital.job),
        ("flag", hospital.job),
        ("match", hospital.job),
        ("plan", hospital.job, "--author", AUTHOR),
        ("apply", folder, "--dry-run"),
        ("apply", folder, "--in-place"),
        ("verify", folder),
        ("rollback", folder),
        ("recover", hospital.job),
    ):
        one = call(capsys, *line)
        assert one.code == 0, line
        assert one.audit.startswith("audit: record "), line
        heads.append(one.head)
    records = [json.loads(path.read_bytes()) for path in (hospital.output / "runs").glob("*")]
    assert {one["audit"]["head"] for one in records} == set(heads)
    options = [word for head in heads for word in ("--head", head)]
    proof = call(capsys, "audit", "verify", hospital.job, *options, "--json")
    assert proof.code == 0
    assert json.loads(proof.out)["head"] == heads[-1]
    assert proof.err == ""
    text = call(capsys, "audit", "verify", hospital.job)
    assert heads[-1] in text.out


def test_apply_verify_and_rollback_are_entered_for_each_study(hospital, capsys):
    folder, keys = hospital.load().folder, hospital.session().keys
    call(capsys, "apply", folder, "--in-place")
    call(capsys, "verify", folder)
    call(capsys, "rollback", folder)
    for command, result in (
        ("apply", "applied"),
        ("verify", "as-promised"),
        ("rollback", "rolled-back"),
    ):
        found = said(hospital, command)
        studies = [one for one in found if one["event"] == "object"]
        assert [one["result"] for one in studies] == [result] * PEOPLE
        assert {keys.unseal(one["study"]) for one in studies} == set(map(study_uid, range(PEOPLE)))
        assert {one["archive"] for one in studies} == {"noord"}
        assert {one["responsible"] for one in found} == {"PACS-beheer (test)"}
        assert [one["event"] for one in found][:: PEOPLE + 1] == ["began", "ended"]
    assert said(hospital, "apply")[0]["counts"]["in_place_statement"] == STATEMENT


def test_what_failed_is_entered_with_its_exit_code(hospital, capsys):
    shutil.rmtree(hospital.load().folder / "approvals")
    one = call(capsys, "apply", hospital.load().folder, "--in-place")
    assert one.code == 5
    assert said(hospital)[-1]["result"] == "5"


def test_an_altered_log_is_exit_5_and_names_the_record(hospital, capsys):
    call(capsys, "flag", hospital.job)
    [path] = (hospital.output / "audit").glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"flag"', b'"plan"', 1))
    one = call(capsys, "audit", "verify", hospital.job)
    assert one.code == 5
    assert f"{path.name}, line 1" in one.line


def test_a_log_that_was_begun_anew_does_not_hold_the_heads_of_the_run_records(hospital, capsys):
    call(capsys, "flag", hospital.job)
    shutil.rmtree(hospital.output / "audit")
    call(capsys, "flag", hospital.job)
    one = call(capsys, "audit", "verify", hospital.job)
    assert one.code == 5
    assert "runs/" in one.line


@pytest.mark.parametrize("head", ["", "nonsense", "A" * 64])
def test_what_is_no_head_is_usage(hospital, capsys, head):
    assert call(capsys, "audit", "verify", hospital.job, "--head", head).code == 2


def test_a_name_with_a_number_in_it_is_refused_before_it_is_entered(hospital, capsys):
    folder = hospital.load().folder
    one = call(capsys, "approve", folder, "--by", f"Jan {NUMBERS[0]}", "--key", "geen.key")
    assert one.code == 2
    assert NUMBERS[0] not in one.line
    assert said(hospital) == []


def test_there_is_no_number_name_or_birth_date_in_the_log(hospital, capsys):
    folder = hospital.load().folder
    for line in (
        ("crawl", hospital.job, "--fresh"),
        ("flag", hospital.job),
        ("match", hospital.job),
        ("apply", folder, "--in-place"),
        ("rollback", folder),
    ):
        call(capsys, *line)
    text = "".join(path.read_text() for path in (hospital.output / "audit").glob("*.jsonl"))
    assert len(text.splitlines()) > 2 * PEOPLE
    locals_ = [f'"70{person}"' for person in range(PEOPLE)]
    uids = [study_uid(person) for person in range(PEOPLE)]
    assert not any(word in text for word in (*NUMBERS, *WORDS, *BIRTHS, *locals_, *uids))


def test_forget_is_entered_with_who_decided_it_and_what_it_dropped(hospital, capsys):
    folder = hospital.load().folder
    call(capsys, "apply", folder, "--in-place")
    call(capsys, "rollback", folder)
    one = call(capsys, "forget", hospital.job, "--older-than", 1, "--by", "Petra Privacy")
    assert one.code == 0
    assert "2  younger" in one.out
    began, ended = said(hospital, "forget")
    assert (began["by"], began["action"]) == ("Petra Privacy", "D")
    assert began["counts"]["older_than_days"] == 1
    assert ended["counts"]["kept"] == {"younger": 2}


KILLED_AT_THE_THIRD_STUDY = """
import os, sys
from remediation.app.cli import _run
from remediation.store.study import StudyWriter
real, done = StudyWriter.finish, []
def finish(self, result):
    if len(done) == 2:
        os.kill(os.getpid(), 9)
    done.append(result)
    return real(self, result)
StudyWriter.finish = finish
_run(sys.argv[1:])
"""


def test_a_run_that_was_killed_is_entered_by_the_next_with_the_studies_of_its_journal(
    hospital, capsys
):
    folder, keys = hospital.load().folder, hospital.session().keys
    command = [sys.executable, "-c", KILLED_AT_THE_THIRD_STUDY, "apply", str(folder), "--in-place"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == -9
    assert [one["event"] for one in said(hospital)] == ["began"]
    assert call(capsys, "recover", hospital.job).code == 0
    killed = said(hospital, "apply")
    assert [one["event"] for one in killed] == ["began", "object", "object", "object", "ended"]
    assert [one["result"] for one in killed[1:]] == [*["apply-new"] * 3, "broken-off"]
    found = {keys.unseal(one["study"]) for one in killed if one["event"] == "object"}
    assert found == set(map(study_uid, range(3)))
    assert call(capsys, "audit", "verify", hospital.job).code == 0
    again = call(capsys, "flag", hospital.job)
    assert again.code == 0
    assert said(hospital, "apply") == killed


def test_on_a_full_disk_nothing_is_written_to_the_archive_that_is_not_entered(
    hospital, capsys, monkeypatch
):
    before = hospital.digests()

    def full(*_):
        raise IoError("a file cannot be written", "No space left on device", number=errno.ENOSPC)

    monkeypatch.setattr("remediation.store.audit.files.write_all", full)
    one = call(capsys, "apply", hospital.load().folder, "--in-place")
    assert one.code == 1
    assert "No space left" in one.line
    assert hospital.digests() == before
    assert said(hospital) == []


def test_a_run_whose_end_cannot_be_entered_fails_and_the_next_one_enters_it(
    hospital, capsys, monkeypatch
):
    real = audit.append

    def full_at_the_end(output, entries):
        if entries[-1].event == "ended" and entries[-1].command == "flag":
            raise IoError("a file cannot be written", "No space left on device")
        return real(output, entries)

    monkeypatch.setattr(audit, "append", full_at_the_end)
    one = call(capsys, "flag", hospital.job)
    assert one.code == 1
    assert "No space left" in one.line
    monkeypatch.undo()
    assert call(capsys, "match", hospital.job).code == 0
    assert [entry["result"] for entry in said(hospital, "flag") if "result" in entry] == [
        "broken-off"
    ]
