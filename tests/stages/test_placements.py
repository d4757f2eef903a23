"""A hospital's own placement through the whole line: judged by, planned, written, verified, undone.

Golden at the level of files: before, the correction as the manifest tells it, and after, read back
by pydicom and DCMTK.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from builders import OID, el, identity, item
from builders import qualifiers as bsn_qualifiers
from pydicom import dcmread
from small_hospital import ISSUER, NUMBERS, PEOPLE, STATEMENT, digests, one_file, touch

from remediation.errors import ManifestError, UsageError
from remediation.model.bsn import test_number as number_of
from remediation.model.issuers import BSN_OID
from remediation.model.placement import Placement
from remediation.stages.apply import OUT
from remediation.store.manifests import load
from remediation.tables.schemas import CORRECTIONS, REFUSALS

AT = datetime(2026, 11, 24, 6, tzinfo=UTC)
MOMENT = "20261124060000.000000+0000"

BESIDE = """\
[placement]
name = "pacs-noord"
version = "2026-11"
base = "at-rest"
[bsn]
places = ["OtherPatientIDsSequence", "OtherPatientIDs"]
"""
OLD_NAME = """\
[placement]
name = "pacs-oud"
version = "3"
base = "at-rest"
[bsn]
issuer = "NLMINBIZA"
qualifiers = false
"""
SENT = """\
[placement]
name = "verzending"
version = "1"
base = "exchange"
original_attributes = false
[bsn]
type_of_patient_id = false
"""


def placed(hospital, text, *, in_job=False):
    """Write a placement file; it is the job's, or the path to ask for it is returned."""
    path = hospital.out / "plaatsing.toml"
    path.write_text(text, encoding="utf-8")
    if in_job:
        hospital.edit("[crosswalk]", '[placement]\ntarget = "plaatsing.toml"\n[crosswalk]')
    return str(path)


def planned(hospital, text, **options):
    return hospital.plan(target=placed(hospital, text), at=AT, **options)


def actions(stored):
    """Return the edits of each kind of row, as people read them."""
    return {
        tuple((edit["action"], edit["attribute"]) for edit in row["edits"])
        for row in stored.corrections.to_pylist()
    }


def statuses(hospital):
    """Return the status of each study, as `flag` has it."""
    table = pq.read_table(hospital.output / "studies.parquet", columns=["status"])
    return table["status"].to_pylist()


# --- before, the correction, after ----------------------------------------------------------------

ITEM, APPENDED = "OtherPatientIDsSequence.PatientID", ("append", "OriginalAttributesSequence")
GOLDEN = {
    "beside": (
        BESIDE,
        {
            (("add", ITEM), ("add", "OtherPatientIDs"), APPENDED),
            (("add", ITEM), APPENDED),  # of those that have it in OtherPatientIDs
        },
    ),
    "old name": (OLD_NAME, {(("add", ITEM), APPENDED)}),
    "as sent": (
        SENT,
        {
            (
                ("move", ITEM),
                ("set", "PatientID"),
                ("add", "IssuerOfPatientID"),
                ("add", "IssuerOfPatientIDQualifiersSequence"),
            )
        },
    ),
}


def expected(what, person, instance):
    """Return the elements of the closed list that the file is to have."""
    number, local = NUMBERS[person], f"70{person}"
    retired = [el(0x00101000, "LO", number)]
    if what == "as sent":
        sent = identity(number, OID, None, bsn_qualifiers())
        kept = retired if person % 3 == 1 else []
        return [*sent, *kept, others(item(*identity(local, ISSUER, "TEXT")))]
    if what == "old name":
        kept = retired if person % 3 == 1 else []
        made = item(*identity(number, "NLMINBIZA", "TEXT"))
        former = [el(0x00101002, "SQ", b"")]
    else:
        kept, made = retired, item(*identity(number, OID, "TEXT", bsn_qualifiers()))
        was = [] if person % 3 == 1 else [el(0x00101000, "LO", b"")]
        former = [*was, el(0x00101002, "SQ", b"")]
    return [el(0x00100020, "LO", local), *kept, others(made), original(former)]


def others(*items):
    return el(0x00101002, "SQ", list(items))


def original(former):
    told = [
        el(0x04000550, "SQ", [item(*former)]),
        el(0x04000562, "DT", MOMENT),
        el(0x04000563, "LO", "REMEDIATION"),
        el(0x04000564, "LO", ""),
        el(0x04000565, "CS", "COERCE"),
    ]
    return el(0x04000561, "SQ", [item(*told)])


@pytest.mark.parametrize("what", GOLDEN)
def test_the_files_become_what_was_agreed_to_the_byte(hospital, what):
    text, wanted = GOLDEN[what]
    before = hospital.digests()
    stored = planned(hospital, text)
    assert actions(stored) == wanted
    assert stored.manifest.counts == {"files": 2 * PEOPLE, "studies": PEOPLE, "refused": 0}
    hospital.approve(stored)
    after = hospital.out / "na"
    assert hospital.apply(stored, OUT, out=after).complete
    assert hospital.digests() == before
    for person in range(PEOPLE):
        for instance in range(2):
            made = (after / f"noord/S{person}/I{instance}").read_bytes()
            own = expected(what, person, instance)
            assert made == one_file(person, instance, own=own), (person, instance)
    assert hospital.verify(stored).right


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="DCMTK's dcmdump is not installed")
@pytest.mark.parametrize("what", GOLDEN)
def test_other_readers_see_what_was_agreed(hospital, what):
    stored = planned(hospital, GOLDEN[what][0])
    hospital.approve(stored)
    hospital.apply(stored, OUT, out=hospital.out / "na")
    paths = sorted(map(str, (hospital.out / "na/noord").rglob("I*")))
    done = subprocess.run(["dcmdump", *paths], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    for person in range(PEOPLE):
        data = dcmread(hospital.out / f"na/noord/S{person}/I1")
        was = dcmread(hospital.file(person, 1))
        (one,) = data.OtherPatientIDsSequence
        top, beside = (data.PatientID, data.get("IssuerOfPatientID")), one
        if what == "as sent":
            assert top == (NUMBERS[person], BSN_OID)
            assert "TypeOfPatientID" not in data
            assert (beside.PatientID, beside.IssuerOfPatientID) == (was.PatientID, ISSUER)
        else:
            issuer = "NLMINBIZA" if what == "old name" else BSN_OID
            assert top == (was.PatientID, None)
            assert (beside.PatientID, beside.IssuerOfPatientID) == (NUMBERS[person], issuer)
            assert ("IssuerOfPatientIDQualifiersSequence" in beside) is (what == "beside")
            (former,) = data.OriginalAttributesSequence
            assert str(former.AttributeModificationDateTime) == MOMENT
        if what == "beside":
            assert data.OtherPatientIDs == NUMBERS[person]
        assert data.PixelData == was.PixelData


def test_in_place_and_back_again(hospital):
    before = hospital.digests()
    stored = planned(hospital, BESIDE)
    hospital.approve(stored)
    assert hospital.apply(stored).complete
    assert hospital.digests() != before
    assert hospital.verify(stored).right
    assert hospital.rollback(stored).complete
    assert hospital.digests() == before


# --- the manifest records it, and apply never reads the file again --------------------------------


def test_the_manifest_records_the_whole_placement(hospital):
    stored = planned(hospital, OLD_NAME)
    said = json.loads(stored.raw)["placement"]
    assert said == {
        "target": "pacs-oud",
        "version": "3",
        "base": "at-rest",
        "digest": hashlib.sha256(OLD_NAME.encode()).hexdigest(),
        "issuer": "NLMINBIZA",
        "typed": True,
        "qualifiers": False,
        "beside_retired": False,
        "original_attributes": True,
        "remove_retired": False,
    }
    assert Placement.recorded(said).issuer == "NLMINBIZA"
    assert {row["rule"] for row in stored.corrections.to_pylist()} == {
        "absent to pacs-oud",
        "candidate to pacs-oud",
    }


@pytest.mark.parametrize("fate", ["gone", "changed", "no TOML"])
def test_what_becomes_of_the_file_after_the_plan_changes_nothing(hospital, fate):
    placed(hospital, OLD_NAME, in_job=True)
    stored = hospital.plan(at=AT)
    hospital.approve(stored)
    path = hospital.out / "plaatsing.toml"
    if fate == "gone":
        path.unlink()
    else:
        path.write_text(BESIDE if fate == "changed" else "[", encoding="utf-8")
    assert hospital.apply(stored).complete
    assert hospital.verify(stored).right
    data = dcmread(hospital.file(3))
    assert data.OtherPatientIDsSequence[0].IssuerOfPatientID == "NLMINBIZA"
    assert "OtherPatientIDs" not in data


def test_every_word_of_the_file_counts_in_the_manifests_digest(hospital):
    one = planned(hospital, OLD_NAME)
    assert planned(hospital, OLD_NAME).manifest.digest == one.manifest.digest
    newer = planned(hospital, OLD_NAME.replace('"3"', '"4"'))
    commented = planned(hospital, OLD_NAME + "# agreed by telephone\n")
    assert len({m.manifest.digest for m in (one, newer, commented)}) == 3
    promised = [m.corrections["result_digest"].to_pylist() for m in (one, newer, commented)]
    assert promised[0] == promised[1] == promised[2], "what is written is the same"


def test_a_record_that_was_turned_round_is_altered(hospital):
    stored = planned(hospital, SENT)
    path = stored.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"base": "exchange"', b'"base": "at-rest"'))
    with pytest.raises(ManifestError, match="altered"):
        load(stored.folder, CORRECTIONS, REFUSALS)


def test_a_placement_with_the_bsn_as_patient_id_is_never_written_in_place(hospital):
    stored = planned(hospital, SENT)
    hospital.approve(stored)
    before = hospital.digests()
    with pytest.raises(UsageError, match="with the BSN as PatientID"):
        hospital.apply(stored)
    assert hospital.digests() == before
    assert stored.manifest.in_place_statement == STATEMENT


# --- judged by it ---------------------------------------------------------------------------------


def corrected(hospital, text):
    """Correct everything for a placement, in place, and look again."""
    stored = planned(hospital, text)
    hospital.approve(stored)
    assert hospital.apply(stored).complete
    hospital.look()


def test_statuses_are_judged_by_the_placement_of_the_job(hospital):
    placed(hospital, OLD_NAME, in_job=True)
    corrected(hospital, OLD_NAME)
    assert set(statuses(hospital)) == {"conformant"}
    assert hospital.plan().manifest.counts["files"] == 0
    hospital.edit('target = "plaatsing.toml"', 'target = "at-rest"')
    hospital.look()
    assert set(statuses(hospital)) == {"wrong-issuer"}
    assert hospital.plan().manifest.counts["files"] == 2 * PEOPLE


def test_what_is_conformant_and_does_not_stand_beside_yet_is_planned(hospital, manifest):
    hospital.apply(manifest)
    hospital.look()
    placed(hospital, BESIDE, in_job=True)
    hospital.look()
    assert set(statuses(hospital)) == {"conformant"}, "OtherPatientIDs has no status of its own"
    stored = hospital.plan(at=AT)
    files = 2 * sum(person % 3 != 1 for person in range(PEOPLE))
    assert (stored.manifest.counts["files"], actions(stored)) == (
        files,
        {(("add", "OtherPatientIDs"), APPENDED)},
    )
    hospital.approve(stored)
    assert hospital.apply(stored).complete
    hospital.look()
    assert hospital.plan().manifest.counts == {"files": 0, "studies": 0, "refused": 0}


def test_a_plan_does_not_trust_what_flag_was_told_of_another_placement(hospital, manifest):
    hospital.apply(manifest)
    hospital.look()
    placed(hospital, OLD_NAME, in_job=True)
    assert set(statuses(hospital)) == {"conformant"}, "by the placement of that day"
    assert hospital.plan().manifest.counts["files"] == 2 * PEOPLE


# --- the hospital's own numbers that mean nothing -------------------------------------------------


def test_a_placeholder_of_the_job_in_an_item_is_replaced(hospital):
    nobody = number_of(4321)
    labelled = others(item(*identity(nobody, OID)))
    for instance in range(2):
        own = [el(0x00100020, "LO", "703"), labelled]
        touch(hospital.file(3, instance), one_file(3, instance, own=own))
    hospital.edit("[crosswalk]", f'[bsn]\nplaceholders = ["{nobody}"]\n[crosswalk]')
    hospital.look()
    stored = hospital.plan(at=AT)
    assert stored.manifest.counts == {"files": 2 * PEOPLE, "studies": PEOPLE, "refused": 0}
    hospital.approve(stored)
    assert hospital.apply(stored).complete
    made = hospital.file(3).read_bytes()
    assert nobody.encode() not in made
    assert dcmread(hospital.file(3)).OtherPatientIDsSequence[0].PatientID == NUMBERS[3]


def test_a_number_that_became_a_placeholder_since_match_is_not_planned(hospital):
    hospital.edit("[crosswalk]", f'[bsn]\nplaceholders = ["{NUMBERS[2]}"]\n[crosswalk]')
    stored = hospital.plan()
    assert stored.refusals["reason"].to_pylist() == ["placeholder-number"]
    assert stored.manifest.counts["files"] == 2 * (PEOPLE - 1)


# --- nothing plain --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [BESIDE, OLD_NAME, SENT])
def test_the_manifest_holds_no_number_and_no_name(hospital, text):
    stored = planned(hospital, text)
    held = b"".join(path.read_bytes() for path in stored.folder.rglob("*") if path.is_file())
    held += json.dumps(stored.corrections.to_pylist()).encode()
    for canary in (*NUMBERS, "Schijnpersoon", "19530204"):
        assert canary.encode() not in held


def test_a_refused_placement_file_leaves_everything_alone(hospital):
    before, folders = hospital.digests(), digests(hospital.output)
    with pytest.raises(UsageError, match="nowhere") as caught:
        planned(hospital, BESIDE.replace('["OtherPatientIDsSequence", "OtherPatientIDs"]', "[]"))
    assert "line 6" in str(caught.value)
    assert (hospital.digests(), digests(hospital.output)) == (before, folders)
