"""Revocations: an approval that is taken back stays taken back, and only its own people can."""

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from remediation.errors import ManifestError
from remediation.model import minisign
from remediation.model.approvals import Revocation
from remediation.model.manifest import Manifest
from remediation.store import revocations
from remediation.store.approvals import opened, paths, valid_approvals, write_signed, write_unsigned
from remediation.store.manifests import keep
from remediation.tables.schemas import CORRECTIONS, REFUSALS

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
AUTHOR, SECOND, THIRD, STRANGER = "Eerste Persoon", "Tweede Persoon", "Derde Persoon", "Een Vreemde"
KEYS = {name: minisign.new_key_pair() for name in (AUTHOR, SECOND, THIRD, STRANGER)}
APPROVERS = {name: KEYS[name][1] for name in (SECOND, THIRD)}
PLAIN = Manifest("2026", "2027", AUTHOR, "", "j", {"target": "at-rest"}, {}, {}, "", "0" * 16, "")


@pytest.fixture
def output(tmp_path):
    return tmp_path / "uit"


@pytest.fixture
def stored(output):
    tables = (pa.Table.from_pylist([], schema=one) for one in (CORRECTIONS, REFUSALS))
    found = keep(output / "manifests", PLAIN, *tables)
    for name in (SECOND, THIRD):
        write_signed(found, name, KEYS[name][0], AT)
    return found


def valid(stored, output=None, *, approvers=APPROVERS, required=2, now=LATER):
    return valid_approvals(
        stored.folder,
        stored.raw,
        stored.manifest.digest,
        author=AUTHOR,
        author_key=None,
        approvers=approvers,
        required=required,
        now=now,
        output=output,
    )


def approval_of(stored, name):
    found = [opened(path, stored.raw, stored.manifest.digest) for path in paths(stored.folder)]
    return next(one for one in found if one.by == name)


def revoke(stored, of, by, output=None, *, by_key_of=None, at=LATER, **changes):
    approval = approval_of(stored, of)
    secret, public = KEYS[by_key_of or by]
    said = Revocation(
        approval.approval_id,
        of,
        approval.public_key,
        approval.at,
        by,
        at,
        public,
        "bij nader inzien",
    )
    return revocations.write(stored, replace(said, **changes), secret, output)


def refused(stored, match, output=None, **options):
    with pytest.raises(ManifestError, match=match) as caught:
        valid(stored, output, **options)
    assert caught.value.exit_code == 5
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("by", [SECOND, THIRD])
def test_who_approved_or_another_approver_takes_it_back_with_their_own_key(stored, by):
    assert len(valid(stored)) == 2
    path = revoke(stored, SECOND, by)
    refused(stored, "1 of 2 approvals, 1 revoked")
    assert path.parent == stored.folder / "revocations"
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(shutil.which("minisign") is None, reason="needs the stock minisign")
def test_anybody_can_check_it_with_the_stock_program(stored):
    path = revoke(stored, SECOND, THIRD)
    command = ["minisign", "-Vm", "manifest.json", "-x", path, "-P", KEYS[THIRD][1]]
    said = subprocess.run(command, cwd=stored.folder, capture_output=True, text=True, check=True)
    assert f"revokes:{path.name[:16]}\tof:{SECOND}" in said.stdout


def test_who_took_it_back_can_approve_anew(stored):
    revoke(stored, SECOND, SECOND)
    write_signed(stored, SECOND, KEYS[SECOND][0], LATER + timedelta(seconds=1))
    assert len(valid(stored, now=LATER + timedelta(minutes=1))) == 2


def test_an_unsigned_approval_is_taken_back_unsigned_by_who_gave_it(stored, output):
    shutil.rmtree(stored.folder / "approvals")
    write_unsigned(stored.folder, SECOND, stored.manifest.digest, AT)
    one = approval_of(stored, SECOND)
    said = Revocation(one.approval_id, SECOND, None, AT, SECOND, LATER, None, "toch niet")
    path = revocations.write(stored, said, None, output)
    assert json.loads(path.read_text())["key"] == "-"
    refused(stored, "0 of 1 approvals, 1 revoked", approvers={}, required=1)


# --- cheats ---------------------------------------------------------------------------------------


def test_taking_the_revocation_away_does_not_bring_the_approval_back(stored, output):
    revoke(stored, SECOND, SECOND, output)
    shutil.rmtree(stored.folder / "revocations")
    refused(stored, "1 of 2 approvals, 1 revoked", output)


def test_nor_does_taking_the_jobs_memory_of_it_away(stored, output):
    revoke(stored, SECOND, SECOND, output)
    shutil.rmtree(output / "state")
    refused(stored, "1 of 2 approvals, 1 revoked", output)


def test_an_older_approval_put_back_in_its_place_does_not_count_either(stored):
    path = stored.folder / "approvals" / "tweede-persoon.minisig"
    older = path.read_bytes()
    write_signed(stored, SECOND, KEYS[SECOND][0], AT + timedelta(minutes=1))
    revoke(stored, SECOND, SECOND)
    path.write_bytes(older)
    refused(stored, "1 of 2 approvals, 1 revoked")
    path.rename(path.with_name("zomaar.minisig"))
    refused(stored, "1 of 2 approvals, 1 revoked")


def test_an_approval_dated_ahead_is_taken_back_all_the_same(stored):
    write_signed(stored, SECOND, KEYS[SECOND][0], LATER + timedelta(minutes=5))
    revoke(stored, SECOND, THIRD)
    refused(stored, "1 of 2 approvals, 1 revoked")


def test_another_name_with_the_same_key_does_not_get_past_it(stored):
    revoke(stored, SECOND, SECOND)
    (stored.folder / "approvals" / "tweede-persoon.minisig").unlink()
    write_signed(stored, STRANGER, KEYS[SECOND][0], AT)
    refused(stored, "1 of 2 approvals, 1 revoked", approvers={})


def test_a_stranger_takes_nothing_back(stored):
    revoke(stored, SECOND, STRANGER)
    refused(stored, "not an approver")
    refused(stored, "somebody else", approvers={})


def test_an_approvers_name_with_a_strangers_key_takes_nothing_back(stored):
    revoke(stored, SECOND, THIRD, by_key_of=STRANGER)
    refused(stored, "not this approver's key")


def test_where_nobody_is_named_only_the_key_that_approved_takes_back(stored):
    path = revoke(stored, SECOND, THIRD)
    refused(stored, "somebody else", approvers={})
    path.unlink()
    revoke(stored, SECOND, "Iemand", by_key_of=SECOND)
    refused(stored, "1 of 2 approvals, 1 revoked", approvers={})


def test_an_unsigned_revocation_of_a_signed_approval_stops_the_run(stored):
    one = approval_of(stored, SECOND)
    said = Revocation(one.approval_id, SECOND, one.public_key, AT, SECOND, LATER, None, "x")
    revocations.write(stored, said, None, None)
    refused(stored, "not signed")
    refused(stored, "somebody else", approvers={})


def test_every_changed_byte_of_a_revocation_stops_the_run_or_leaves_it_in_force(stored):
    path = revoke(stored, SECOND, THIRD)
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        refused(stored, "altered|not a revocation|another key|1 revoked|not an approver")


def test_a_revocation_of_another_manifest_stops_the_run(stored, output):
    tables = (pa.Table.from_pylist([], schema=one) for one in (CORRECTIONS, REFUSALS))
    other = keep(output / "manifests", replace(PLAIN, job="k"), *tables)
    write_signed(other, SECOND, KEYS[SECOND][0], AT)
    path = revoke(other, SECOND, SECOND)
    (stored.folder / "revocations").mkdir()
    shutil.copy(path, stored.folder / "revocations" / path.name)
    refused(stored, "another manifest, or altered")


def test_a_revocation_is_no_approval_and_an_approval_no_revocation(stored):
    path = revoke(stored, SECOND, THIRD)
    copied = stored.folder / "approvals" / "iemand.minisig"
    shutil.copy(path, copied)
    refused(stored, "not an approval")
    copied.unlink()
    shutil.copy(stored.folder / "approvals" / "derde-persoon.minisig", path)
    refused(stored, "not a revocation")


@pytest.mark.parametrize("text", ["", "{}", "[]", "[" * 9999, '{"by": "x"}'])
def test_what_is_no_revocation_stops_the_run(stored, text):
    (stored.folder / "revocations").mkdir()
    (stored.folder / "revocations" / "x.json").write_text(text)
    refused(stored, "not a revocation")
