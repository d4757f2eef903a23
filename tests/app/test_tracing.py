"""Tracing a patient or a study: all that was done is told, and the number goes nowhere."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta

import pyrage
import pytest
from app.hospital_line import call
from small_hospital import (
    BIRTHS,
    ISSUER,
    NUMBERS,
    WORDS,
    Hospital,
    copy,
    lay_down,
    ready,
    study_uid,
)

from remediation.app.cli import _run
from remediation.model.running import utc_now
from remediation.stages import forget, verify
from remediation.stages.forget import ForgetOptions
from remediation.store.audit import read

LOCAL = "704"  # person 4


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Hospital:
    """Return a hospital in which everything was done to everybody."""
    hospital = ready(tmp_path_factory.mktemp("klein") / "out")
    folder = hospital.load().folder
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    for line in (
        ("flag", hospital.job),
        ("match", hospital.job),
        ("export", folder, "--to", hospital.out / "a.age", "--recipient", recipient),
        ("apply", folder, "--in-place"),
        ("verify", folder),
        ("rollback", folder, "--study", study_uid(4)),
    ):
        assert _run([str(one) for one in line]) == 0, line
    return hospital


@pytest.fixture
def hospital(done, tmp_path) -> Hospital:
    return copy(done, tmp_path / "klein")


def traced(capsys, hospital, *options, code=0):
    said = call(capsys, "trace", hospital.job, *options, "--json")
    assert said.code == code, said.err
    return json.loads(said.out)


def patient(capsys, hospital, number=LOCAL):
    return traced(capsys, hospital, "--patient", number, "--issuer", ISSUER)


def whats(found, source):
    return [(one["what"], one["result"]) for one in found["events"] if one["source"] == source]


def test_everything_is_told_by_each_source(hospital, capsys):
    found = patient(capsys, hospital)
    assert found["studies"] == [study_uid(4)]
    assert {one["study"] for one in found["events"]} == {study_uid(4)}
    assert whats(found, "journal") == [("written", "new bytes"), ("rolled back", "new bytes")]
    assert [what for what, _ in whats(found, "manifest")] == ["planned", "approved", "approved"]
    assert whats(found, "identities") == [("matched", "resolved")]
    assert [what for what, _ in whats(found, "inventory")] == ["status"]
    assert whats(found, "export") == [("its manifest handed over as csv", "done")]
    assert whats(found, "verification") == [("verified, share 1/1 of its manifest", "as-promised")]
    assert whats(found, "audit") == [
        ("export", "handed-over"),
        ("apply", "applied"),
        ("verify", "as-promised"),
        ("rollback", "rolled-back"),
    ]
    assert found["unread"] == []


def test_a_study_gives_the_same_as_its_patient(hospital, capsys):
    by_patient = patient(capsys, hospital)
    by_study = traced(capsys, hospital, "--study", study_uid(4))
    told = [one for one in by_study["events"] if one["what"] != "trace"]
    assert told == by_patient["events"]


def test_who_asked_is_entered_and_told_the_next_time(hospital, capsys):
    line = ("--patient", LOCAL, "--issuer", ISSUER, "--by", "Petra Privacy")
    traced(capsys, hospital, *line)
    found = traced(capsys, hospital, *line)
    asked = [one for one in found["events"] if one["what"] == "trace"]
    assert {one["by"] for one in asked} == {"Petra Privacy"}
    assert {one["study"] for one in asked} == {"", study_uid(4)}


def test_of_somebody_unknown_there_is_nothing(hospital, capsys):
    found = patient(capsys, hospital, "888888")
    assert (found["studies"], found["events"]) == ([], [])
    said = call(capsys, "trace", hospital.job, "--study", "1.2.3")
    assert (said.code, said.out) == (0, "nothing was ever written down of that\n")


def test_the_number_of_another_issuer_is_somebody_else(hospital, capsys):
    hospital.edit('local_number = "patientnr"', 'local_number = "patientnr", issuer = "uitgever"')
    text = hospital.job.read_text().replace(
        "[privacy]",
        '[[archive]]\nname = "zuid"\nroot = "archive/zuid"\nlocal_issuer = "ZKH-ZUID"\n[privacy]',
        1,
    )
    (hospital.out / "archive/zuid").mkdir()
    hospital.job.write_text(text)
    found = traced(capsys, hospital, "--patient", LOCAL, "--issuer", "ZKH-ZUID")
    assert found["studies"] == []


def test_what_was_forgotten_is_told(hospital, capsys):
    session, now = hospital.session(), utc_now()
    later = replace(session.verify_options(), now=now + timedelta(seconds=9))
    verify.run(later, hospital.load(), session.keys)
    who = ("Petra Privacy", "beheer", "PACS-beheer (test)")
    forget.run(
        ForgetOptions(
            session.output, session.roots(), "r-later", now + timedelta(days=900), 700, *who
        ),
        session.keys,
    )
    found = patient(capsys, hospital)
    assert ("undo-dropped", "") in whats(found, "journal")
    assert {one["by"] for one in found["events"] if one["what"] == "undo-dropped"} == {
        "Petra Privacy"
    }


def test_what_cannot_be_read_is_named_and_the_rest_is_told(hospital, capsys):
    [path] = [
        one for one in (hospital.output / "journal").glob("*") if b"rollback" in one.read_bytes()
    ]
    path.write_bytes(path.read_bytes().replace(b"rollback", b"Rollback", 1))
    found = patient(capsys, hospital)
    assert [one.split(":")[0] for one in found["unread"]] == [f"journal/{path.name}"]
    assert whats(found, "journal") == [("written", "new bytes")]


def test_the_number_can_come_from_a_file_or_from_stdin(hospital, capsys, monkeypatch, tmp_path):
    wanted = patient(capsys, hospital)["studies"]
    (tmp_path / "nummer").write_text(f"{LOCAL}\n")
    asked = ("--patient-file", tmp_path / "nummer", "--issuer", ISSUER)
    assert traced(capsys, hospital, *asked)["studies"] == wanted
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{LOCAL}\n"))
    assert traced(capsys, hospital, "--patient", "-", "--issuer", ISSUER)["studies"] == wanted
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{study_uid(4)}\n"))
    assert traced(capsys, hospital, "--study", "-")["studies"] == wanted


@pytest.mark.parametrize(
    "options",
    [
        ("--patient", "7041234"),
        ("--patient", "7041234", "--study", "1.2.7041234"),
        ("--study", "1.2.7041234", "--issuer", ISSUER),
        ("--patient", "7041234", "--issuer", "NERGENS"),
        ("--patient", "7041234\n7041235", "--issuer", ISSUER),
        ("--patient", " ", "--issuer", ISSUER),
        ("7041234",),
        ("--study", "1.2.3", "7041234"),
        ("--patient", "7041234", "--nonsense"),
    ],
)
def test_wrong_usage_does_not_repeat_what_was_asked_for(hospital, capsys, options):
    said = call(capsys, "trace", hospital.job, *options)
    assert said.code == 2
    assert "704123" not in said.line + said.out


def test_neither_number_nor_name_comes_out_or_stays_behind(hospital, capsys, tmp_path):
    local = "70400456"
    before = {path for path in hospital.output.rglob("*") if path.is_file()}
    said = [
        call(capsys, "trace", hospital.job, "--patient", number, "--issuer", ISSUER, *form)
        for number in (LOCAL, local)
        for form in ((), ("--json",))
    ]
    shown = "".join(one.out + one.err for one in said)
    assert not any(word in shown for word in (*NUMBERS, *WORDS, *BIRTHS, local, f'"{LOCAL}"'))
    for path in hospital.output.rglob("*"):
        if path.is_file() and (path not in before or "audit" in path.parts):
            assert local.encode() not in path.read_bytes()
    events = [one.said for one in read(hospital.output) if one.said["command"] == "trace"]
    assert all(len(one["patient"]) == 32 for one in events if "patient" in one)


def test_a_study_that_was_refused_is_told_with_its_reason(tmp_path, capsys):
    hospital = lay_down(tmp_path / "weigering")
    hospital.edit_export("SchijnpersoonE;", "Heelanders;")
    hospital.look()
    hospital.plan()
    found = patient(capsys, hospital)
    assert whats(found, "manifest") == [("refused", "name-clash")]
    assert found["studies"] == [study_uid(4)]


def test_with_another_key_it_is_refused(hospital, capsys):
    (hospital.out / "keys/klein.key").write_text("0" * 64 + "\n")
    said = call(capsys, "trace", hospital.job, "--patient", LOCAL, "--issuer", ISSUER)
    assert said.code == 12
