"""Review on the command line: of a manifest, and of the warnings of a job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from app.hospital_line import call
from small_hospital import APPROVERS, AUTHOR, NUMBERS, PEOPLE, Hospital, copy, ready, study_uid

from remediation.model.acceptances import StudyFacts
from remediation.store.acceptances import Acceptances

WHY = "nagevraagd bij de balie"
REASON = "unconfirmed-person"


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


@pytest.fixture
def folder(hospital) -> Path:
    return hospital.load().folder


# --- of a manifest --------------------------------------------------------------------------------


def review(capsys, folder, *more, by=APPROVERS[0], why=WHY):
    return call(capsys, "review", folder, "--by", by, "--why", why, *more)


def test_a_study_is_left_out_and_the_rest_goes_on_under_new_approvals(hospital, folder, capsys):
    before = hospital.study(2)
    said = review(capsys, folder, "--exclude", study_uid(2))
    assert (said.code, said.err) == (0, "")
    made = Path(said.out.splitlines()[-1])
    assert made.is_absolute()
    old = call(capsys, "apply", folder, "--in-place")
    assert old.code == 5
    assert made.name in old.line
    assert call(capsys, "apply", made, "--in-place").code == 5
    for name in APPROVERS[:2]:
        key = hospital.key(name)
        assert call(capsys, "approve", folder, "--by", name, "--key", key).code == 5
        assert call(capsys, "approve", made, "--by", name, "--key", key).code == 0
    assert call(capsys, "apply", made, "--in-place").code == 0
    assert call(capsys, "verify", made).code == 0
    assert hospital.study(2) == before
    shown = call(capsys, "show", made).out
    assert f"made by a review of {folder.name}" in shown
    assert f"1 studies taken out ({WHY})" in shown
    assert "excluded-by-review" in shown
    assert f"superseded by a review: use {made.name}" in call(capsys, "show", folder).out


def test_options_may_come_first_and_the_word_may_be_typed(hospital, folder, capsys):
    line = ("--exclude", study_uid(2), "--by", APPROVERS[0], "--why", WHY)
    said = call(capsys, "review", "--exclude", study_uid(2), *line[2:], folder, "--json")
    assert said.code == 0
    made = json.loads(said.out)["manifest"]
    assert call(capsys, "review", "manifest", made, "--exclude", study_uid(1), *line[2:]).code == 0


def test_what_is_no_decision_is_usage_and_changes_nothing(hospital, folder, capsys):
    assert review(capsys, folder).code == 2
    assert review(capsys, folder, "--exclude", "1.2.3").code == 2
    said = review(capsys, folder, "--exclude", study_uid(2), why=f"nummer {NUMBERS[2]}")
    assert said.code == 2
    assert NUMBERS[2] not in said.line
    assert call(capsys, "review", folder, "--exclude", study_uid(2)).code == 2
    assert call(capsys, "review").code == 2
    assert call(capsys, "apply", folder, "--dry-run").code == 0


def test_the_page_tells_what_a_review_took_out(folder, tmp_path, capsys):
    review(capsys, folder, "--exclude", study_uid(2))
    (made,) = [one for one in folder.parent.iterdir() if one != folder]
    page = tmp_path / "tekenen.html"
    call(capsys, "show", made, "--html", page)
    text = page.read_text(encoding="utf-8")
    assert f"{APPROVERS[0]} liet op " in text
    assert f"Reden: {WHY}" in text
    call(capsys, "show", folder, "--html", page)
    text = page.read_text(encoding="utf-8")
    assert "kan niet meer worden goedgekeurd" in text
    assert "remediation approve" not in text


# --- of warnings ----------------------------------------------------------------------------------


def accept(capsys, hospital, name, *more, signed=True):
    key = ("--key", hospital.key(name)) if signed else ()
    more = more or ("--study", study_uid(1))
    return call(
        capsys,
        *("review", "accept", hospital.job, "--by", name, "--why", WHY, "--reason", REASON),
        *more,
        *key,
    )


def holds(hospital, **facts):
    job = hospital.session().job
    approvers = {one.name: one.public_key for one in job.approvers}
    found = Acceptances.load(hospital.output / "acceptances", approvers, job.apply.approvals)
    return found.holds(REASON, StudyFacts(**{"archive": "noord", "study": study_uid(1)} | facts))


def test_two_people_accept_one_study_and_it_says_when_it_counts(hospital, capsys):
    first = accept(capsys, hospital, APPROVERS[0], "--study", study_uid(1), "--json")
    assert (first.code, json.loads(first.out)["counts"]) == (0, False)
    assert "one of 2 people" in accept(capsys, hospital, APPROVERS[0]).out
    assert not holds(hospital)
    assert "counts from the next match on" in accept(capsys, hospital, APPROVERS[1]).out
    assert holds(hospital)
    assert not holds(hospital, study=study_uid(2))


def test_two_people_accept_one_rule(hospital, capsys):
    rule = ("--rule", "StationName=CT1", "--rule", "to=2003-12-31")
    turned = ("--rule", "to=2003-12-31", "--rule", "StationName=CT1")
    accept(capsys, hospital, APPROVERS[0], *rule)
    accept(capsys, hospital, APPROVERS[1], *turned)
    listed = json.loads(call(capsys, "review", "list", hospital.job, "--json").out)["acceptances"]
    assert {one["about"] for one in listed} == {"StationName=CT1 to=2003-12-31"}
    assert {one["state"] for one in listed} == {"counts"}


def test_it_is_withdrawn_by_its_id(hospital, capsys):
    said = accept(capsys, hospital, APPROVERS[0], "--study", study_uid(1), "--json")
    accept(capsys, hospital, APPROVERS[1])
    number = json.loads(said.out)["id"]
    line = ("review", "withdraw", hospital.job, number, "--by", APPROVERS[2])
    assert call(capsys, *line).code == 0
    assert not holds(hospital)
    listed = call(capsys, "review", "list", hospital.job).out
    assert f"{number}  {APPROVERS[0]}" in listed
    assert listed.count(": withdrawn (") == 1
    assert listed.count(": waits for another person (") == 1
    assert call(capsys, *line[:3], "0" * 16, *line[4:]).code == 2


def test_nothing_accepted_is_said(hospital, capsys):
    assert call(capsys, "review", "list", hospital.job).out == "nobody accepted anything\n"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--study", study_uid(1), "--rule", "archive=noord"), 2),
        ((), 2),
        (("--study", "x"), 2),
        (("--rule", "archive"), 2),
        (("--rule", f"StationName={NUMBERS[0]}"), 2),
    ],
)
def test_what_cannot_be_accepted_is_usage_and_nothing_is_written(hospital, capsys, more, code):
    line = ("review", "accept", hospital.job, "--by", APPROVERS[0], "--why", WHY)
    key = ("--key", hospital.key(APPROVERS[0]))
    said = call(capsys, *line, "--reason", REASON, *more, *key)
    assert said.code == code
    assert NUMBERS[0] not in said.err
    for reason in ("birth-date-clash", "sex-clash", "header-disagrees", "name-clash", "x"):
        said = call(capsys, *line, "--reason", reason, "--study", study_uid(1), *key)
        assert said.code == 2
        assert "cannot be accepted" in said.line
    assert not (hospital.output / "acceptances").exists()


def test_who_the_job_does_not_name_or_does_not_sign_accepts_nothing(hospital, capsys):
    assert accept(capsys, hospital, APPROVERS[0], signed=False).code == 2
    line = ("review", "accept", hospital.job, "--why", WHY, "--reason", REASON)
    line = (*line, "--study", study_uid(1), "--key", hospital.key(APPROVERS[0]))
    assert call(capsys, *line, "--by", "Vreemde Eend").code == 5
    assert call(capsys, *line, "--by", APPROVERS[1]).code == 5
    assert not (hospital.output / "acceptances").exists()


def test_an_altered_acceptance_stops_whoever_reads_it(hospital, capsys):
    accept(capsys, hospital, APPROVERS[0])
    accept(capsys, hospital, APPROVERS[1])
    (path, *_) = (hospital.output / "acceptances").glob("*.json")
    path.write_text(path.read_text().replace(study_uid(1), study_uid(2)))
    said = call(capsys, "review", "list", hospital.job)
    assert said.code == 5
    assert "altered" in said.line


def test_the_author_may_review_and_still_not_approve(hospital, folder, capsys):
    said = review(capsys, folder, "--exclude", study_uid(PEOPLE - 1), by=AUTHOR)
    made = said.out.splitlines()[-1]
    said = call(capsys, "approve", made, "--by", AUTHOR, "--key", hospital.key(AUTHOR))
    assert said.code == 5
    assert "by the author" in said.line
