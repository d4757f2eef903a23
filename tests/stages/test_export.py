"""Handing over: on the same conditions as apply, the same numbers, and nothing plain on a disk."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import stat
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import hl7
import pyrage
import pytest
from pydicom import dcmread
from small_hospital import APPROVERS, BIRTHS, NUMBERS, PEOPLE, WORDS, digests, study_uid, touch

from remediation.app.demo import settings
from remediation.errors import KeyFileError, LockedError, ManifestError, ShareError, UsageError
from remediation.model.bsn import test_number as number_of
from remediation.model.issuers import BSN_OID
from remediation.model.placement import CLOSED_LIST
from remediation.model.running import utc_now
from remediation.stages import apply, approve, export, plan
from remediation.stages.apply import OUT
from remediation.store.locks import lock_root
from remediation.store.manifests import load
from remediation.tables.orders import OrderRules
from remediation.tables.schemas import CORRECTIONS, REFUSALS

IDENTITY = pyrage.x25519.Identity.generate()
FILES = 2 * PEOPLE


@pytest.fixture
def hand(hospital, tmp_path):
    """Return a function that exports a manifest."""

    def go(manifest, form="csv", to=None, now=None, **changes):
        session = hospital.session()
        same = session.apply_options("export", manifest)
        options = export.ExportOptions(
            output=session.output,
            to=to or tmp_path / f"{form}.age",
            recipient=str(IDENTITY.to_public()),
            form=form,
            by="Eva Export",
            person="eva",
            client="werkplek",
            version="1",
            roots=same.roots,
            conditions=same.conditions,
            rules=OrderRules(same.rules, same.run_id, now or same.now, same.bsn_rules),
        )
        options = replace(options, **changes)
        return export.run(options, manifest, session.crosswalk(), session.keys)

    return go


def opened(report) -> str:
    return pyrage.decrypt(report.to.read_bytes(), [IDENTITY]).decode("utf-8", "surrogateescape")


def rows(report, level="study"):
    found = csv.DictReader(io.StringIO(opened(report).lstrip("\ufeff"), newline=""), delimiter=";")
    return [row for row in found if row["level"] == level]


# --- what is handed over --------------------------------------------------------------------------


def test_the_table_has_every_study_of_the_manifest_with_its_number(hand, manifest):
    report = hand(manifest)
    assert (report.studies, report.files, report.left_out) == (PEOPLE, FILES, {})
    found = {row["StudyInstanceUID"]: (row["local_number"], row["bsn"]) for row in rows(report)}
    assert found == {study_uid(p): (f"70{p}", NUMBERS[p]) for p in range(PEOPLE)}
    assert {row["bsn_issuer"] for row in rows(report)} == {BSN_OID}
    assert len(rows(report, "instance")) == FILES
    assert not any(word in opened(report) for word in (*WORDS, *BIRTHS))


def test_the_record_says_who_gave_what_to_whom_and_no_number(hand, hospital, manifest):
    report = hand(manifest)
    said = json.loads(report.record.read_text())
    assert said["state"] == "done"
    assert (said["by"], said["person"], said["client"]) == ("Eva Export", "eva", "werkplek")
    assert said["responsible"] == "PACS-beheer (test)"
    assert said["digest"] == manifest.manifest.digest
    assert said["recipient"] == str(IDENTITY.to_public())
    assert (said["studies"], said["files"], said["format"]) == (PEOPLE, FILES, "csv")
    assert said["size"] == report.to.stat().st_size
    assert not any(word in report.record.read_text() for word in (*NUMBERS, *WORDS, *BIRTHS))
    assert stat.S_IMODE(report.record.stat().st_mode) == 0o600
    assert stat.S_IMODE(report.to.stat().st_mode) == 0o600


def test_the_archive_is_read_and_nothing_is_written_to_it(hand, hospital, manifest):
    before = hospital.digests()
    hand(manifest)
    assert hospital.digests() == before


def test_after_apply_the_files_count_as_corrected_and_the_numbers_are_the_same(
    hand, hospital, manifest, tmp_path
):
    first = rows(hand(manifest))
    assert hospital.apply(manifest).complete
    report = hand(manifest, to=tmp_path / "later.age")
    assert (report.studies, report.corrected, report.left_out) == (PEOPLE, FILES, {})
    later = rows(report)
    assert [row["bsn"] for row in later] == [row["bsn"] for row in first]
    assert {row["corrected"] for row in later} == {"yes"}
    assert [row["OtherPatientIDsSequence_now"] for row in later] == [
        f"{row['bsn']} ({BSN_OID})" for row in later
    ]
    script = opened(hand(manifest, "dcmodify"))
    assert not any(number in script for number in NUMBERS)


# --- the person and the crosswalk, as they are now ------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((f"{NUMBERS[2]};geverifieerd", f"{NUMBERS[2]};ingetrokken"), "not-verified"),
        ((f"702;{NUMBERS[2]}", f"702;{number_of(7777)}"), "no-crosswalk-entry"),
        (("03-02-1952", "04-02-1952"), "birth-date-clash"),
        ((WORDS[2], "Heelanders"), "name-clash"),
        (("1952;V", "1952;M"), "sex-clash"),
        (("\n702;", "\n799;"), "no-crosswalk-entry"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "adt"])
@pytest.mark.parametrize("applied", [False, True])
def test_a_study_that_the_crosswalk_no_longer_backs_is_left_out_and_counted(  # noqa: PLR0917
    hand, hospital, manifest, change, reason, form, applied
):
    if applied:
        hospital.apply(manifest)
    hospital.edit_export(*change)
    report = hand(manifest, form)
    assert report.left_out == {reason: 1}
    assert report.studies == PEOPLE - 1
    assert NUMBERS[2] not in opened(report)
    assert json.loads(report.record.read_text())["left_out"] == {reason: 1}


def test_a_study_of_which_one_file_changed_is_left_out_whole(hand, hospital, manifest):
    path = hospital.file(3, 1)
    touch(path, path.read_bytes() + b"\0\0")
    hospital.file(4).unlink()
    report = hand(manifest)
    assert report.left_out == {"size-changed": 1, "vanished": 1}
    assert not {study_uid(3), study_uid(4)} & {row["StudyInstanceUID"] for row in rows(report)}


# --- conditions -----------------------------------------------------------------------------------


def refused(hand, hospital, error, match, *arguments, **changes):
    before = digests(hospital.out)
    with pytest.raises(error, match=match) as caught:
        hand(*arguments, **changes)
    assert digests(hospital.out) == before
    return caught.value


@pytest.mark.parametrize("kept", [0, 1])
def test_too_few_approvals_are_refused(hand, hospital, manifest, tmp_path, kept):
    for path in sorted((manifest.folder / "approvals").iterdir())[kept:]:
        path.unlink()
    error = refused(hand, hospital, ManifestError, "approvals", manifest)
    assert error.exit_code == 5
    assert list(tmp_path.glob("*.age")) == []


def test_an_expired_manifest_is_refused(hand, hospital, manifest):
    later = utc_now() + timedelta(days=91)
    refused(hand, hospital, ManifestError, "expired", manifest, now=later)


def test_a_manifest_that_was_rolled_back_needs_a_new_approval(hand, hospital, manifest):
    hospital.apply(manifest)
    hospital.rollback(manifest)
    refused(hand, hospital, ManifestError, "rolled back since", manifest)


def test_another_key_or_archive_is_refused(hand, hospital, manifest):
    (hospital.out / "keys/klein.key").write_text("ab" * 32 + "\n")
    refused(hand, hospital, KeyFileError, "another key", manifest)


def test_the_archive_must_be_the_one_of_the_manifest(hand, hospital, manifest):
    (hospital.output / "state/archives.json").unlink()
    with pytest.raises(ManifestError, match="another archive"):
        hand(manifest)


def test_while_another_run_holds_the_archive_it_waits_for_nobody(hand, hospital, manifest):
    with lock_root(hospital.root, "apply", in_place=False):
        refused(hand, hospital, LockedError, "apply", manifest)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("lijst.csv", "ends in .age"),
        (".age", "ends in .age"),
        ("weg/lijst.age", "no such folder"),
        ("klein/archive/noord/lijst.age", "inside an archive"),
        ("klein/archive/noord/S0/lijst.age", "inside an archive"),
        ("er-al.age", "already"),
        ("er-al-een-link.age", "already"),
    ],
)
def test_a_name_or_place_that_will_not_do_is_refused(hand, hospital, tmp_path, name, match):
    (tmp_path / "er-al.age").write_bytes(b"x")
    (tmp_path / "er-al-een-link.age").symlink_to("nergens")
    refused(hand, hospital, UsageError, match, hospital.load(), to=tmp_path / name)


def test_messages_are_not_made_of_an_exchange_placement(hand, hospital):
    manifest = hospital.plan(target="exchange")
    hospital.approve(manifest)
    refused(hand, hospital, UsageError, "database of a PACS", manifest, "adt")


def test_a_share_that_goes_away_fails_the_export_and_that_is_recorded(
    hand, hospital, manifest, tmp_path, monkeypatch
):
    def gone(_row):
        raise ShareError("the share is gone")

    monkeypatch.setattr(export, "old_head", lambda *_arguments: gone(None))
    with pytest.raises(ShareError, match="gone"):
        hand(manifest)
    assert list(tmp_path.glob("*.age")) == []
    [record] = (hospital.output / "exports").iterdir()
    assert json.loads(record.read_text())["state"] == "failed"


def test_without_a_record_there_is_no_export(hand, hospital, manifest, tmp_path):
    (hospital.output / "exports").write_bytes(b"")
    with pytest.raises(OSError, match=r"."):
        hand(manifest)
    assert list(tmp_path.glob("*.age")) == []


# --- messages -------------------------------------------------------------------------------------


def messages(report):
    return list(hl7.parse_batch(opened(report)))


def test_every_patient_gets_one_message(hand, manifest):
    found = messages(hand(manifest, "adt"))
    told = {str(one.segment("PID")[3][0][0]): str(one.segment("PID")[3][1][0]) for one in found}
    assert told == {f"70{p}": NUMBERS[p] for p in range(PEOPLE)}
    assert {str(one.segment("EVN")[1]) for one in found} == {"A08"}


def with_survivor(hospital, person, new, row=""):
    """Say in the export that a local number was replaced."""
    hospital.edit('initials = "voorletters"', 'initials = "voorletters", replaced_by = "nu"')
    path = hospital.out / "epd/patienten.csv"
    lines = path.read_text().splitlines()
    lines[0] += ";nu"
    lines[1:] = [f"{one};{new if one.startswith(f'70{person};') else ''}" for one in lines[1:]]
    path.write_text("\n".join([*lines, *([row] if row else [])]) + "\n")


@pytest.mark.parametrize("known", [True, False])
def test_a_local_number_that_was_replaced_is_told_as_such(hand, hospital, manifest, known):
    row = f"8001;{NUMBERS[2]};geverifieerd;03-02-1952;V;{WORDS[2]};A.;"
    with_survivor(hospital, 2, "8001", row if known else "")
    report = hand(manifest, "adt")
    assert report.left_out == {}
    [message] = [one for one in messages(report) if str(one.segment("EVN")[1]) != "A08"]
    assert str(message.segment("EVN")[1]) == ("A40" if known else "A47")
    assert str(message.segment("PID")[3][0][0]) == "8001"
    assert str(message.segment("MRG")[1][0][0]) == "702"


def test_a_number_that_was_replaced_by_another_persons_is_left_out(hand, hospital, manifest):
    with_survivor(hospital, 2, "705")
    report = hand(manifest, "adt")
    assert report.left_out  # by the person check already
    assert NUMBERS[2] not in opened(report)
    assert {str(one.segment("EVN")[1]) for one in messages(report)} == {"A08"}


# --- the script, run for real ---------------------------------------------------------------------

TRAILING = 0xFFFCFFFC
needs_dcmtk = pytest.mark.skipif(
    not shutil.which("dcmodify"), reason="NOT TRIED: dcmodify (DCMTK) is not installed"
)


def identity(path: Path):
    """Return the identity elements of a file as pydicom reads them."""
    data = dcmread(path, force=True, stop_before_pixels=True)
    return {tag: data[tag] for tag in sorted(CLOSED_LIST) if tag in data}


def rest(path: Path):
    """Return all other elements, pixels included."""
    data = dcmread(path, force=True)
    kept = (one for one in data if one.tag not in CLOSED_LIST and one.tag.element)
    return {one.tag: one for one in kept if one.tag != TRAILING}  # dcmodify leaves padding out


def run_script(report, *roots):
    done = subprocess.run(
        ["sh", "-s", *map(str, roots)],
        input=pyrage.decrypt(report.to.read_bytes(), [IDENTITY]),
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@needs_dcmtk
@pytest.mark.parametrize("target", ["at-rest", "exchange"])
def test_dcmodify_makes_of_a_copy_what_apply_makes(hand, hospital, tmp_path, target):
    manifest = hospital.plan(target=target)
    hospital.approve(manifest)
    report = hand(manifest, "dcmodify")
    assert hospital.apply(manifest, OUT, out=tmp_path / "ours").complete
    theirs = tmp_path / "de kopie's"
    shutil.copytree(hospital.root, theirs, copy_function=shutil.copy2)
    code, said, errors = run_script(report, theirs)
    assert (code, said, errors) == (0, f"{FILES} files corrected, 0 left alone\n", "")
    ours = tmp_path / "ours/noord"
    assert digests(ours).keys() == digests(theirs).keys()
    for name in digests(ours):
        assert identity(theirs / name) == identity(ours / name)
        assert rest(theirs / name) == rest(ours / name)
    code, said, _ = run_script(report, theirs)
    assert (code, said) == (3, f"0 files corrected, {FILES} left alone\n")


def planned_and_approved(out, session, target):
    select = [("status", "misplaced")] if target == "exchange" else []  # a few, of all kinds
    options = session.plan_options(target=target, select=select, author="Demo Maker")
    folder = plan.run(options, session.crosswalk(), session.keys).folder
    manifest = load(folder, CORRECTIONS, REFUSALS)
    public = {one.name: one.public_key for one in session.job.approvers}
    for name, key in zip(settings.APPROVERS, sorted((out / "keys").glob("approver*")), strict=True):
        approve.run(approve.ApproveOptions(name, utc_now(), key, public, 2), manifest)
    return manifest


@needs_dcmtk
@pytest.mark.slow
@pytest.mark.parametrize("target", ["at-rest", "exchange"])
def test_dcmodify_corrects_the_demo_hospital_as_we_do(demo_copy, session_of, tmp_path, target):
    """All that the demo plants: both forms of sequences, implicit syntaxes, swapped identities."""
    session = session_of(demo_copy)
    manifest = planned_and_approved(demo_copy, session, target)
    same = session.apply_options(OUT, manifest, out=tmp_path / "ours")
    options = export.ExportOptions(
        output=session.output,
        to=tmp_path / "a.age",
        recipient=str(IDENTITY.to_public()),
        form="dcmodify",
        by="",
        person="",
        client="",
        version="",
        roots=same.roots,
        conditions=same.conditions,
        rules=OrderRules(same.rules, same.run_id, same.now, same.bsn_rules),
    )
    report = export.run(options, manifest, session.crosswalk(), session.keys)
    apply.run(same, manifest, session.crosswalk(), session.keys)
    roots = []
    for name, root in sorted(session.roots().items()):
        roots.append(tmp_path / "theirs" / name)
        shutil.copytree(root, roots[-1], copy_function=shutil.copy2)
    code, said, errors = run_script(report, *roots)
    assert (code, errors) == (0, ""), said
    made = [path for path in (tmp_path / "ours").rglob("*") if path.is_file()]
    assert len(made) >= report.files > 50
    assert report.left_out == {}
    for path in made:
        theirs = tmp_path / "theirs" / path.relative_to(tmp_path / "ours")
        assert identity(theirs) == identity(path), os.fspath(path.name)
        assert rest(theirs) == rest(path)


def test_nobody_but_the_named_people_appears(hand, hospital, manifest):
    record = hand(manifest).record.read_text()
    assert not any(name in record for name in APPROVERS)
