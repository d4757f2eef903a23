"""Plan: a manifest as a value; the same inputs and time give the same one."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from small_hospital import NUMBERS, PEOPLE, STORED, copy, study_uid, touch

from remediation.dicom.header import scan
from remediation.dicom.locate import BsnRules
from remediation.errors import DatasetError, KeyFileError, UsageError
from remediation.model.bsn import test_number as number_of
from remediation.model.files import FileRef, Layout
from remediation.model.placement import Placement
from remediation.stages import flag, plan
from remediation.store import datasets
from remediation.store.keys import new_key_file
from remediation.tables.heads import stands
from remediation.tables.rows import RowMaker
from remediation.tables.schemas import PERIODS

AT = datetime(2026, 11, 24, 6, tzinfo=UTC)
LATER = AT + timedelta(seconds=1)


def planned(hospital, **options):
    return hospital.plan(at=AT, **options)


def rows(stored):
    return stored.corrections.to_pylist()


def refusals(stored):
    return {row["StudyInstanceUID"]: row["reason"] for row in stored.refusals.to_pylist()}


def studies(stored):
    return {row["StudyInstanceUID"] for row in rows(stored)}


def person_of(path):
    return int(path.split("/")[0][1:])


# --- what a manifest says -------------------------------------------------------------------------


def test_every_file_of_every_resolved_study_is_in_it(hospital):
    stored = planned(hospital)
    assert len(rows(stored)) == 2 * PEOPLE
    assert studies(stored) == {study_uid(person) for person in range(PEOPLE)}
    assert stored.manifest.counts == {"files": 12, "studies": 6, "refused": 0}
    assert {row["rule"] for row in rows(stored)} == {"absent to at-rest", "candidate to at-rest"}
    assert stored.manifest.archives.keys() == {"noord"}
    assert stored.manifest.author == "Anna Auteur"
    assert stored.manifest.created == AT.isoformat()


def test_a_row_promises_what_the_file_is_and_what_it_becomes(hospital):
    stored = planned(hospital)
    keys = hospital.session().keys
    for row in rows(stored):
        path = keys.unseal(row["path"])
        data = (hospital.root / path).read_bytes()
        head = scan(data, len(data))
        assert (row["size"], row["mtime_ns"]) == (len(data), STORED)
        assert (row["head_length"], row["head_digest"]) == (
            head.length,
            keys.digest(data[: head.length]),
        )
        assert row["result_length"] > row["head_length"]
        assert row["bsn_token"] == keys.token("bsn", NUMBERS[person_of(path)])
        assert {edit["attribute"] for edit in row["edits"]} == {
            "OtherPatientIDsSequence.PatientID",
            "OriginalAttributesSequence",
        }


def test_planning_writes_nothing_in_the_archive(hospital):
    before = hospital.digests()
    planned(hospital)
    planned(hospital, target="exchange")
    assert hospital.digests() == before
    assert sorted(path.name for path in hospital.out.iterdir()) == [
        "archive",
        "epd",
        "job.toml",
        "keys",
        "uit",
    ]


@pytest.mark.parametrize("target", ["at-rest", "exchange"])
def test_the_manifests_folder_holds_no_number_no_name_and_no_birth_date(hospital, target):
    stored = planned(hospital, target=target)
    assert len(rows(stored)) == 12
    text = stored.raw.decode() + json.dumps([rows(stored), stored.refusals.to_pylist()])
    text += "".join(path.read_bytes().decode("latin-1") for path in stored.folder.rglob("*.*"))
    for canary in (*NUMBERS, "Schijnpersoon", "1950", "19530204", "S3/I0"):
        assert canary not in text


# --- the same again -------------------------------------------------------------------------------


def test_the_same_inputs_and_time_give_the_same_manifest(hospital):
    one = planned(hospital)
    assert planned(hospital).manifest == one.manifest
    assert hospital.plan(at=LATER).manifest.digest != one.manifest.digest


def test_without_a_time_it_is_that_of_the_crawl(hospital):
    one = hospital.plan()
    assert hospital.plan().manifest == one.manifest
    crawled = hospital.session().now.replace(tzinfo=UTC)
    assert datetime.fromisoformat(one.manifest.created) <= crawled


def test_the_order_of_export_and_crawl_does_not_matter(template, tmp_path):
    """A copy of the job folder, its export shuffled and its archive crawled anew, backwards."""
    one = copy(template, tmp_path / "one")
    other = copy(template, tmp_path / "other")
    export = other.out / "epd/patienten.csv"
    header, *lines = export.read_text(encoding="utf-8").splitlines()
    export.write_text("\n".join([header, *lines[::-1]]) + "\n", encoding="utf-8")
    for path in (other.output / "inventory", *other.output.glob("*.parquet")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    other.look()
    assert planned(other).raw == planned(one).raw


def test_what_counts_is_in_the_digest(hospital):
    digest = planned(hospital).manifest.digest
    assert planned(hospital, target="exchange").manifest.digest != digest
    assert planned(hospital, select=[("archive", "noord")]).manifest.digest != digest
    hospital.edit('in_place_statement = "Met', 'in_place_statement = "Zonder')
    assert planned(hospital).manifest.digest != digest


def test_an_approved_manifest_that_is_planned_again_keeps_its_approvals(hospital, manifest):
    assert hospital.plan().folder == manifest.folder
    assert len(list((manifest.folder / "approvals").iterdir())) == 2


# --- placements -----------------------------------------------------------------------------------


def test_for_exchange_the_primary_number_is_the_bsn(hospital):
    stored = planned(hospital, target="exchange")
    assert stored.manifest.placement["target"] == "exchange"
    for row in rows(stored):
        edits = {edit["attribute"]: edit for edit in row["edits"]}
        assert edits["PatientID"]["value_source"] == "crosswalk"
        assert edits["PatientID"]["token"] == row["bsn_token"]
        assert edits["OtherPatientIDsSequence.PatientID"]["token"] == row["local_token"]


def test_former_values_are_kept_unless_the_job_says_otherwise(hospital):
    hospital.edit("[crosswalk]", "[placement]\noriginal_attributes = false\n[crosswalk]")
    edits = {edit["attribute"] for row in rows(planned(hospital)) for edit in row["edits"]}
    assert edits == {"OtherPatientIDsSequence.PatientID"}


def test_the_promise_is_kept_by_the_bytes(hospital, manifest):
    """What is written stands, by the tool's own reading of the new file."""
    hospital.apply(manifest, "out", out=hospital.out / "other")
    session = hospital.session()
    for row in rows(manifest):
        path = hospital.out / "other" / "noord" / session.keys.unseal(row["path"])
        data = path.read_bytes()
        head = scan(data, len(data))
        assert session.keys.digest(data[: head.length]) == row["result_digest"]
        assert head.length == row["result_length"]
        maker = RowMaker(session.keys, "noord", Layout(""), BsnRules(), True, "run-1", AT)
        ref = FileRef("x", len(data), 0)
        assert stands(maker, ref, head, data[: head.length], Placement()) == {row["bsn_token"]}


# --- selecting ------------------------------------------------------------------------------------


def test_a_selection_leaves_the_rest_out_and_says_so(hospital):
    stored = planned(hospital, select=[("status", "candidate")])
    assert studies(stored) == {study_uid(1), study_uid(4)}
    assert stored.manifest.selection == ("status=candidate",)
    one = planned(hospital, select=[("status", "candidate"), ("StudyInstanceUID", study_uid(4))])
    assert studies(one) == {study_uid(4)}
    assert planned(hospital, select=[("study_month", "2011-07")]).manifest.counts["files"] == 12
    assert planned(hospital, select=[("archive", "zuid")]).manifest.counts["files"] == 0


def test_a_selection_by_what_is_not_known_is_refused(hospital):
    with pytest.raises(UsageError, match="study_month") as caught:
        planned(hospital, select=[("PatientID", "701")])
    assert "701" not in str(caught.value)


def test_a_period_that_is_not_known_is_refused(hospital):
    with pytest.raises(UsageError, match="no such period"):
        planned(hospital, periods=["0123456789ab"])


def with_period(hospital, start, end, archive="noord"):
    """Write one broken period, [start, end) of July 2011; all studies are of the 4th."""
    said = {"period_id": "p1", "archive": archive, "source": "unknown", "axis": "study"}
    days = {"start": date(2011, 7, start), "end": date(2011, 7, end)}
    table = pa.Table.from_pylist([said | days], schema=PERIODS)
    key_id = hospital.session().keys.key_id
    datasets.write(hospital.output / "periods.parquet", table, key_id)
    return planned(hospital, periods=["p1"])


def test_a_period_holds_its_first_day_and_not_its_end(hospital):
    stored = with_period(hospital, 4, 5)
    assert {row["period_id"] for row in rows(stored)} == {"p1"}
    assert (stored.manifest.counts["files"], stored.manifest.selection) == (12, ("period=p1",))
    assert with_period(hospital, 1, 4).corrections.num_rows == 0
    assert with_period(hospital, 5, 9).corrections.num_rows == 0
    assert with_period(hospital, 1, 9, archive="zuid").corrections.num_rows == 0
    assert {row["period_id"] for row in rows(planned(hospital))} == {None}


def test_more_files_than_allowed_are_refused_with_how_to_select_less(hospital):
    manifests = hospital.output / "manifests"
    before = sorted(manifests.iterdir())
    hospital.edit("canary = 4", "canary = 4\nmax_files = 11")
    with pytest.raises(UsageError) as caught:
        planned(hospital)
    assert "12 files" in str(caught.value)
    assert "--select" in str(caught.value)
    assert caught.value.exit_code == 2
    assert sorted(manifests.iterdir()) == before
    assert planned(hospital, select=[("status", "absent")]).manifest.counts["files"] == 8


# --- refusals -------------------------------------------------------------------------------------


def crawled_anew(hospital):
    hospital.look()
    return hospital


def test_a_study_is_refused_whole_for_one_of_its_files(hospital):
    path = hospital.file(2, 1)
    touch(path, path.read_bytes()[:-9])
    stored = planned(crawled_anew(hospital))
    assert refusals(stored) == {study_uid(2): "truncated-pixel-data"}
    assert study_uid(2) not in studies(stored)
    assert stored.manifest.counts == {"files": 10, "studies": 5, "refused": 1}
    (row,) = stored.refusals.to_pylist()
    assert (row["archive"], row["instances"]) == ("noord", 2)


def test_a_study_with_a_file_that_cannot_be_read_is_refused(hospital):
    path = hospital.file(2, 1)
    data = path.read_bytes()
    touch(path, data[: data.index(b"\x28\0\x10\0") + 9])  # behind the StudyInstanceUID
    stored = planned(crawled_anew(hospital))
    assert refusals(stored) == {study_uid(2): "unreadable-instance"}
    assert stored.refusals["instances"].to_pylist() == [2]


def test_a_file_that_does_not_tell_its_study_is_refused_by_itself(hospital):
    path = hospital.file(2, 1)
    data = path.read_bytes()
    touch(path, data[: data.index(b"Schijnpersoon") + 5])
    stored = planned(crawled_anew(hospital))
    ((study, reason),) = refusals(stored).items()
    assert (study[:11], reason) == ("unreadable-", "unreadable-instance")
    assert len(rows(stored)) == 2 * PEOPLE - 1


def test_what_match_refused_is_refused_for_that_reason(hospital):
    hospital.edit_export("703;", "793;")
    hospital.edit_export(f"{NUMBERS[4]};geverifieerd", f"{NUMBERS[4]};ingetrokken")
    stored = planned(crawled_anew(hospital))
    assert refusals(stored) == {
        study_uid(3): "no-crosswalk-entry",
        study_uid(4): "not-verified",
    }


def test_a_number_that_left_the_export_since_match_is_not_planned(hospital):
    hospital.edit_export(NUMBERS[4], number_of(4000))
    assert refusals(planned(hospital)) == {study_uid(4): "no-crosswalk-entry"}


CHANGES = {
    "longer": lambda path: touch(path, path.read_bytes() + b"\0\0"),
    "newer": lambda path: os.utime(path, ns=(STORED, STORED + 1)),
    "another head": lambda path: touch(path, path.read_bytes().replace(b"^A", b"^B", 1)),
    "no DICOM": lambda path: touch(path, b"x" * path.stat().st_size),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_file_that_changed_since_the_crawl_refuses_its_study(hospital, how):
    CHANGES[how](hospital.file(5, 1))
    stored = planned(hospital)
    assert refusals(stored) == {study_uid(5): "changed-since-crawl"}
    assert len(studies(stored)) == PEOPLE - 1


def test_a_file_that_vanished_since_the_crawl_refuses_its_study(hospital):
    hospital.file(5, 1).unlink()
    assert refusals(planned(hospital)).keys() == {study_uid(5)}


# --- studies that are right -----------------------------------------------------------------------


def test_what_is_right_is_not_planned_again(hospital, manifest):
    hospital.apply(manifest)
    crawled_anew(hospital)
    stored = planned(hospital)
    assert stored.manifest.counts == {"files": 0, "studies": 0, "refused": 0}
    assert stored.corrections.num_rows == 0
    turned = planned(hospital, target="exchange")
    assert turned.manifest.counts["files"] == 12, "for another placement it is not right"


def test_of_a_mixed_study_only_the_files_that_are_wrong_are_planned(hospital, manifest):
    hospital.apply(manifest, "out", out=hospital.out / "other")
    right = (hospital.out / "other/noord/S0/I0").read_bytes()
    touch(hospital.file(0, 0), right)
    crawled_anew(hospital)
    stored = planned(hospital)
    keys = hospital.session().keys
    paths = {keys.unseal(row["path"]) for row in rows(stored)}
    assert "S0/I1" in paths
    assert "S0/I0" not in paths


# --- what must have run before --------------------------------------------------------------------


def test_each_earlier_stage_is_asked_for_by_name(template, tmp_path):
    hospital = copy(template, tmp_path / "klein")
    session = hospital.session()

    def missing(name):
        with pytest.raises(DatasetError, match=name):
            planned(hospital)

    (hospital.output / "identities.parquet").unlink()
    missing("remediation match")
    (hospital.output / "periods.parquet").unlink()
    missing("remediation flag")
    shutil.rmtree(hospital.output / "inventory")
    missing("remediation crawl")
    with pytest.raises(DatasetError):
        flag.run(session.flag_options())


def test_artefacts_of_another_key_are_not_planned(hospital):
    key = hospital.out / "keys/klein.key"
    key.unlink()
    new_key_file(key)
    with pytest.raises(KeyFileError, match="another key"):
        planned(hospital)


def test_an_archive_that_became_empty_gives_an_empty_plan(hospital):
    shutil.rmtree(hospital.root)
    hospital.root.mkdir()
    crawled_anew(hospital)
    stored = hospital.plan()
    assert stored.manifest.counts == {"files": 0, "studies": 0, "refused": 0}


def test_the_report_names_folder_and_counts(hospital):
    session = hospital.session()
    told = []
    options = session.plan_options(author="Anna Auteur", at=AT)
    report = plan.run(options, session.crosswalk(), session.keys, advance=told.append)
    assert (report.files, report.studies, report.refused, sum(told)) == (12, 6, 0, 6)
    assert report.folder.is_absolute()
    assert report.folder.name == report.manifest_id
