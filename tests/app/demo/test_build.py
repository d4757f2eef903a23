import hashlib
import json
import shutil
import stat
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest

from remediation.app.config import load_job
from remediation.app.demo.build import build
from remediation.app.demo.schedule import LEAST_STUDIES
from remediation.app.demo.story import BREAKS
from remediation.errors import UsageError
from remediation.model import bsn
from remediation.model.crosswalk import SpellingRule
from remediation.model.issuers import BSN_OID
from remediation.model.minisign import public_line_of
from remediation.store.crosswalk_files import CrosswalkSettings, read_crosswalk
from remediation.store.keys import load_key_file
from remediation.tables.crosswalk import Crosswalk

REASONS = {
    "unreadable-instance", "instances-disagree", "foreign-issuer", "ambiguous-issuer",
    "no-local-number", "no-crosswalk-entry", "two-numbers", "birth-date-clash", "sex-clash",
    "name-clash", "header-disagrees", "exempt", "no-number", "invalid-number",
    "placeholder-number", "not-verified", "shared-number", "unconfirmed-person", "homonym",
    "name-close", "outside-validity",
}  # fmt: skip


def listing(root: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(root)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".demo"
    }


@pytest.fixture(scope="session")
def studies(demo, rows):
    return {row["StudyInstanceUID"]: row for row in rows(demo.truth / "studies.csv")}


@pytest.fixture(scope="session")
def planted(demo):
    return json.loads((demo.truth / "planted.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def datasets(demo, rows):
    """Every readable file, read by pydicom to its last value, with its row of the truth."""
    read = []
    for row in rows(demo.truth / "files.csv"):
        if row["kind"] == "dicom":
            dataset = pydicom.dcmread(demo.out / "archive" / row["archive"] / row["path"])
            assert list(dataset.iterall())
            read.append((row, dataset))
    return read


def test_the_same_seed_gives_the_same_archive_byte_for_byte(demo, tmp_path):
    again = build(tmp_path / "again", LEAST_STUDIES, archive_only=True)
    assert listing(again.out / "archive") == listing(demo.out / "archive")
    assert sorted(p.name for p in again.out.iterdir()) == ["archive"]


def test_another_seed_gives_other_people(demo, tmp_path):
    other = build(tmp_path / "other", LEAST_STUDIES, seed=8)
    first, second = (
        set(json.loads((p.truth / "planted.json").read_text())["birth_dates"])
        for p in (demo, other)
    )
    assert first != second


def test_the_truth_lists_every_file_with_its_digest(demo, rows):
    listed = {
        f"{row['archive']}/{row['path']}": row["sha256"] for row in rows(demo.truth / "files.csv")
    }
    found = listing(demo.out / "archive")
    assert listed == {path: digest for path, (_, digest) in found.items()}
    stored = [datetime.fromtimestamp(ns / 1e9, UTC).year for ns, _ in found.values()]
    assert min(stored) >= 2007
    assert max(stored) <= 2017


def test_the_archives_have_different_layouts(demo):
    oost = [p.relative_to(demo.oost).parts for p in demo.oost.rglob("*.dcm")]
    assert Counter(map(len, oost)).most_common(1)[0][0] == 5
    west = list(demo.west.iterdir())
    assert all(path.is_file() for path in west)
    assert sum(path.name.startswith("IM") and not path.suffix for path in west) > 1000


def test_truth_totals(demo, studies, rows):
    assert len(studies) == LEAST_STUDIES
    files = rows(demo.truth / "files.csv")
    of_studies = Counter(row["StudyInstanceUID"] for row in files if row["StudyInstanceUID"])
    assert of_studies == {uid: int(row["instances"]) for uid, row in studies.items()}
    assert Counter(row["kind"] for row in files if not row["StudyInstanceUID"]) == {
        "junk": 6,
        "damaged": 2,
    }
    resolved = {uid for uid, row in studies.items() if row["outcome"] == "resolved"}
    numbers = rows(demo.truth / "numbers.csv")
    assert {row["StudyInstanceUID"] for row in numbers} == resolved
    assert all(bsn.is_test_number(row["bsn"]) and bsn.passes(row["bsn"]) for row in numbers)


def test_every_status_reason_and_outcome_is_planted(studies):
    assert {row["status"] for row in studies.values()} == {
        "unreadable", "conflict", "conformant", "wrong-issuer", "misplaced", "invalid",
        "placeholder", "candidate", "absent", "mixed",
    }  # fmt: skip
    assert {row["reason"] for row in studies.values()} == REASONS | {""}
    assert {row["outcome"] for row in studies.values()} == {
        "resolved", "conformant", "refused", "exempt",
    }  # fmt: skip


def test_periods_are_those_of_the_story(demo, rows):
    periods = rows(demo.truth / "periods.csv")
    assert [row["start"] for row in periods] == [b.start.isoformat() for b in BREAKS]
    assert [row["event"] for row in periods] == ["PACS-migratie", "", "Fusie Oost en West"]
    assert periods[0]["dominant_status"] == "misplaced"


def test_a_migration_period_is_misplaced_from_its_first_to_its_last_study(studies):
    for period in BREAKS[:2]:
        inside = [
            row["status"]
            for row in studies.values()
            if row["archive"] == period.site.archive
            and period.start.isoformat() <= row["StudyDate"] < period.end.isoformat()
        ]
        assert set(inside) == {period.status}


def test_the_headers_tell_what_the_truth_says(datasets, studies):
    """A second opinion on the simple statuses, by pydicom alone."""
    for row, dataset in datasets:
        status = studies[row["StudyInstanceUID"]]["status"]
        items = dataset.get("OtherPatientIDsSequence", [])
        right = [
            item.PatientID
            for item in items
            if item.get("IssuerOfPatientID") == BSN_OID and bsn.passes(item.PatientID)
        ]
        right = [number for number in right if not bsn.is_placeholder(number)]
        if status in ("conformant", "conflict"):
            assert right
        elif status not in ("mixed", "unreadable"):
            assert not right
        if status == "absent":
            values = [dataset.PatientID, *(item.PatientID for item in items)]
            assert "OtherPatientIDs" not in dataset
            assert not [value for value in values if bsn.passes(value)]


def test_conformant_studies_carry_the_number_of_the_export(demo, datasets, studies):
    crosswalk = crosswalk_of(demo)
    checked = 0
    for row, dataset in datasets:
        study = studies[row["StudyInstanceUID"]]
        if study["scenario"] != "conformant":
            continue
        issuer = "ZKH-OOST" if row["archive"] == "oost" else "KL-WEST"
        (entry,) = crosswalk.by_local(issuer, dataset.PatientID)
        assert dataset.OtherPatientIDsSequence[-1].PatientID == entry.bsn
        assert dataset.PatientBirthDate == entry.birth_date
        checked += 1
    assert checked > 1000


def crosswalk_of(demo):
    job = tomllib.loads(demo.job.read_text(encoding="utf-8"))
    settings = CrosswalkSettings(
        files=(demo.epd,),
        columns=job["crosswalk"]["columns"],
        spelling=(SpellingRule("ZKH-OOST", width=7),),
        max_age_days=0,
    )
    return Crosswalk.read(read_crosswalk(settings, datetime.now(UTC)), settings.spelling)


def test_nobody_is_a_namesake_or_shares_a_number_by_chance(demo, studies):
    crosswalk = crosswalk_of(demo)
    scenarios = Counter(row["scenario"].partition("/")[2] for row in studies.values())
    namesakes = [entry for entry in crosswalk.entries if crosswalk.homonyms(entry)]
    pairs = sum(count for name, count in scenarios.items() if name.startswith("namesake"))
    assert len(namesakes) == 2 * pairs + 2 * scenarios["two-numbers"]
    assert len(crosswalk.shared_numbers) == scenarios["shared"]
    assert len(crosswalk.two_numbers) == scenarios["two-numbers"]


def test_some_patients_have_a_local_number_in_both_hospitals_and_one_number(demo):
    crosswalk = crosswalk_of(demo)
    both = [e for e in crosswalk.entries if len({x.issuer for x in crosswalk.by_bsn(e.bsn)}) == 2]
    assert len(both) > 20


def test_the_export_is_one_that_windows_makes(demo):
    data = demo.epd.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfpatientnr;uitgever;bsn;bsn_status;")
    assert data.count(b"\r\n") == data.count(b"\n") > 300


def test_keys_are_private_and_the_job_names_both_approvers(demo):
    for path in (demo.key, *demo.approver_keys):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key_file(demo.key).key_id
    job = tomllib.loads(demo.job.read_text(encoding="utf-8"))
    assert [(a["name"], a["public_key"]) for a in job["approver"]] == [
        (name, public_line_of(path.read_text()))
        for name, path in zip(demo.approvers, demo.approver_keys, strict=True)
    ]
    assert job["apply"]["approvals"] == len(demo.approvers) == 2
    assert job["output"]["dir"] == "."
    assert "DEMO" in job["apply"]["in_place_statement"]


def test_the_job_file_is_valid_and_leads_to_what_was_built(demo):
    job = load_job(demo.job)
    assert [Path(archive.root) for archive in job.archives] == [demo.oost, demo.west]
    assert job.output.dir == demo.out
    assert job.privacy.key_file == demo.key
    assert job.allow_test_numbers


def test_the_job_lists_the_migration_and_the_merger_only(demo):
    job = tomllib.loads(demo.job.read_text(encoding="utf-8"))
    assert [(e["name"], e["kind"]) for e in job["event"]] == [
        ("PACS-migratie", "pacs-migration"),
        ("Fusie Oost en West", "merger"),
    ]


def test_planted_numbers_are_test_numbers_and_stand_in_no_uid_or_name(planted, datasets, studies):
    numbers = set(planted["numbers"])
    assert all(map(bsn.is_test_number, numbers))
    assert {n for n in numbers if not bsn.passes(n)}  # the invalid ones
    assert all(not bsn.is_test_number(n) for n in planted["passing_local_numbers"])
    for row, dataset in datasets:
        text = f"{dataset.SOPInstanceUID} {row['StudyInstanceUID']}"
        if studies[row["StudyInstanceUID"]]["scenario"] != "named-file":
            text += row["path"]
        assert not numbers & set(bsn.runs(text))
    assert not [n for n in numbers if any(n in uid for uid in studies)]


def test_every_number_in_a_header_is_among_the_planted(planted, datasets):
    known = {*planted["numbers"], *planted["placeholders"], *planted["passing_local_numbers"]}
    for _, dataset in datasets:
        for element in dataset.iterall():
            if element.VR in ("LO", "SH", "LT", "UN", "UT", "ST"):
                value = element.value
                text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                found = {n for n in bsn.runs(text) if bsn.passes(n)}
                assert found <= known, element.tag


def test_names_and_birth_dates_to_look_for_are_no_words_of_the_job_file(demo, planted):
    job = demo.job.read_text(encoding="utf-8")
    assert len(planted["family_names"]) > 100
    assert len(planted["birth_dates"]) > 100
    for canary in planted["family_names"] + planted["birth_dates"]:
        assert len(canary) >= 6
        assert canary not in job


def test_building_again_replaces_a_demo(demo, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(demo.out, out)
    (out / "report").mkdir()
    (out / "archive" / "oost" / "stray.dcm").touch()
    again = build(out, LEAST_STUDIES)
    assert listing(again.out / "archive") == listing(demo.out / "archive")
    assert (out / "report").is_dir()


@pytest.mark.parametrize("name", ["archive", "keys", "truth"])
def test_a_folder_that_is_no_demo_is_left_alone(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine").touch()
    with pytest.raises(UsageError, match="no demo"):
        build(tmp_path, LEAST_STUDIES)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_too_small_a_demo_writes_nothing(tmp_path):
    with pytest.raises(UsageError):
        build(tmp_path / "out", 10)
    assert not list(tmp_path.iterdir())
