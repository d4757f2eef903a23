"""Show and approve on the command line: the page to sign, stale files, an approval taken back."""

from __future__ import annotations

import json
import re

import pytest
from app.hospital_line import call
from small_hospital import (
    APPROVERS,
    BIRTHS,
    NUMBERS,
    PEOPLE,
    WORDS,
    Hospital,
    copy,
    ready,
    study_uid,
)

from remediation.app.demo.canaries import leaks

FILES = 2 * PEOPLE
PLANTED = (*NUMBERS, *WORDS, *BIRTHS)


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


@pytest.fixture
def folder(hospital):
    return hospital.load().folder


def test_counts_come_first_and_then_every_kind_of_change(folder, capsys):
    said = call(capsys, "show", folder)
    assert (said.code, said.err) == (0, "")
    order = [
        *("it would correct:", "files by rule:", "files by archive:", "files by period:"),
        *("files by source:", "files by month:", "approvals: 2 of 2 asked for"),
        *("it does not do:", "8 files of 4 studies, absent to at-rest:", "noord 1.2.826"),
    ]
    assert [said.out.index(one) for one in order] == sorted(said.out.index(one) for one in order)
    assert "OtherPatientIDsSequence.PatientID: absent > bsn from crosswalk (token " in said.out
    assert not any(word in said.out for word in PLANTED)


def test_json_tells_the_same_as_one_document(folder, capsys):
    said = json.loads(call(capsys, "show", folder, "--json", "--stale").out)
    assert said["by_month"] == {"2011-07": FILES}
    assert said["required"] == 2
    assert [one["state"] for one in said["approvals"]] == ["counts", "counts"]
    assert said["stale"] == {"files": {"same": FILES}, "studies": []}


def test_a_plan_is_shown_where_its_job_file_is_gone(hospital, folder, capsys):
    hospital.job.unlink()
    said = call(capsys, "show", folder)
    assert said.code == 0
    assert "approvals: 2\n" in said.out
    assert said.out.count(": unchecked") == 2
    assert call(capsys, "show", folder, "--stale").code == 2
    assert call(capsys, "show", folder, "--job", hospital.job).code == 2


# --- the page -------------------------------------------------------------------------------------


def test_the_page_is_written_whole_and_private_in_dutch_unless_asked(folder, tmp_path, capsys):
    path = tmp_path / "tekenen.html"
    assert call(capsys, "show", folder, "--html", path).code == 0
    text = path.read_text(encoding="utf-8")
    assert '<html lang="nl">' in text
    assert "mogen 12 bestanden van 6 studies worden herschreven" in text
    assert path.stat().st_mode & 0o777 == 0o600
    assert call(capsys, "show", folder, "--html", path, "--lang", "en").code == 0
    assert '<html lang="en">' in path.read_text(encoding="utf-8")


def test_the_command_on_the_page_is_the_one_to_type(hospital, folder, tmp_path, capsys):
    path = tmp_path / "tekenen.html"
    call(capsys, "show", folder, "--html", path)
    text = re.sub("<wbr>", "", path.read_text(encoding="utf-8")).replace("&#34;", '"')
    command = f'remediation approve {folder} --by "Uw Naam" --key uw.key'
    assert f"<code>{command}</code>" in text


def test_nobodys_number_name_or_birth_date_is_on_the_page(hospital, folder, tmp_path, capsys):
    (tmp_path / "uit").mkdir()
    for lang in ("nl", "en"):
        page = tmp_path / "uit" / f"{lang}.html"
        call(capsys, "show", folder, "--html", page, "--lang", lang, "--stale")
        assert leaks([page], NUMBERS, [*WORDS, *BIRTHS]) == []
        tokens = {row["bsn_token"] for row in hospital.load().corrections.to_pylist()}
        assert not any(token in page.read_text() for token in tokens)


def test_a_page_that_cannot_be_written_is_said(folder, tmp_path, capsys):
    said = call(capsys, "show", folder, "--html", tmp_path / "geen" / "map" / "x.html")
    assert said.code == 1
    assert said.out == ""


# --- stale ----------------------------------------------------------------------------------------


def test_stale_files_are_counted_their_studies_listed_and_the_mend_is_said(
    hospital, folder, capsys
):
    hospital.file(0).unlink()
    hospital.file(3, 1).write_bytes(b"anders")
    said = call(capsys, "show", folder, "--stale")
    assert said.code == 5
    assert "review --exclude" in said.line
    assert f"  noord {study_uid(0)}: vanished" in said.out
    assert f"  noord {study_uid(3)}: changed" in said.out
    assert call(capsys, "show", folder).code == 0


def test_to_look_again_takes_the_key(hospital, folder, capsys):
    (hospital.out / "keys/klein.key").unlink()
    assert call(capsys, "show", folder, "--stale").code == 12
    assert call(capsys, "show", folder).code == 0


# --- taken back -----------------------------------------------------------------------------------


def revoke(capsys, hospital, folder, which, by, *more):
    return call(
        capsys,
        *("approve", folder, "--revoke", which, "--by", by, "--key", hospital.key(by)),
        *more,
    )


def test_an_approval_is_taken_back_and_apply_does_nothing(hospital, folder, capsys):
    before = hospital.digests()
    said = revoke(
        capsys, hospital, folder, APPROVERS[0], APPROVERS[1], "--why", "verkeerde periode"
    )
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"taken back by {APPROVERS[1]}: ")
    shown = call(capsys, "show", folder)
    assert "approvals: 1 of 2 asked for" in shown.out
    assert f"revoked ({APPROVERS[1]}: verkeerde periode)" in shown.out
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 5
    assert "1 of 2 approvals, 1 revoked" in said.line
    assert hospital.digests() == before


def test_taking_back_needs_a_reason_without_a_number(hospital, folder, capsys):
    assert revoke(capsys, hospital, folder, APPROVERS[0], APPROVERS[0]).code == 2
    said = call(capsys, "approve", folder, "--by", APPROVERS[0], "--why", "zomaar")
    assert said.code == 2
    said = revoke(
        capsys, hospital, folder, APPROVERS[0], APPROVERS[0], "--why", f"zie {NUMBERS[0]}"
    )
    assert said.code == 2
    assert NUMBERS[0] not in said.line
    assert call(capsys, "apply", folder, "--dry-run").code == 0


def test_a_record_of_the_run_tells_which_manifest(hospital, folder, capsys):
    revoke(capsys, hospital, folder, APPROVERS[0], APPROVERS[0], "--why", "toch niet")
    records = [json.loads(one.read_text()) for one in (hospital.output / "runs").glob("*.json")]
    (record,) = [one for one in records if one["command"] == "approve"]
    assert record["counts"] == {"manifest": hospital.load().manifest.digest, "revoked": True}
