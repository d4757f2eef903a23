"""Approvals on disk: bound to the manifest's bytes, by other people, and every way to cheat."""

import json
import os
import shutil
import stat
import subprocess
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from remediation.errors import KeyFileError, ManifestError, ShareError, UsageError
from remediation.model import minisign
from remediation.model.manifest import Manifest
from remediation.store.approvals import (
    load_approver_key,
    new_approver_key,
    valid_approvals,
    write_signed,
    write_unsigned,
)
from remediation.store.manifests import Stored

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
DIGEST = "ab" * 32
AUTHOR, SECOND, THIRD = "Eerste Persoon", "Tweede Persoon", "Derde Persoon"
KEYS = {name: minisign.new_key_pair() for name in (AUTHOR, SECOND, THIRD)}


PLAIN = Manifest("", "", AUTHOR, "", "j", {}, {}, {}, "", "", "", digest=DIGEST)
EMPTY = pa.table({})


def stored(folder):
    """Return the manifest in a folder as it was read."""
    return Stored(folder, (folder / "manifest.json").read_bytes(), PLAIN, EMPTY, EMPTY)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "manifest-1"
    made.mkdir()
    (made / "manifest.json").write_text(json.dumps({"digest": DIGEST, "author": AUTHOR}))
    return made


def sign(folder, name, by_key_of=None, at=AT):
    return write_signed(stored(folder), name, KEYS[by_key_of or name][0], at)


def valid(folder, *, digest=DIGEST, author_key=None, approvers=(), required=1, now=AT, since=None):
    return valid_approvals(
        folder,
        (folder / "manifest.json").read_bytes(),
        digest,
        author=AUTHOR,
        author_key=author_key,
        approvers={name: KEYS[name][1] for name in approvers},
        required=required,
        now=now,
        since=since,
    )


def refused(match, folder, **options):
    with pytest.raises(ManifestError, match=match) as caught:
        valid(folder, **options)
    assert caught.value.exit_code == 5
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_signed_approval_tells_who_when_and_with_which_key(folder):
    sign(folder, SECOND)
    (approval,) = valid(folder, approvers=[SECOND])
    assert (approval.by, approval.at, approval.public_key) == (SECOND, AT, KEYS[SECOND][1])


def test_two_people_with_two_keys_are_two(folder):
    sign(folder, SECOND)
    sign(folder, THIRD)
    assert {approval.by for approval in valid(folder, required=2)} == {SECOND, THIRD}


@pytest.mark.skipif(shutil.which("minisign") is None, reason="needs the stock minisign")
def test_anybody_can_check_an_approval_with_the_stock_program(folder):
    sign(folder, SECOND)
    command = "minisign -Vm manifest.json -x approvals/tweede-persoon.minisig -P"
    told = subprocess.run(
        [*command.split(), KEYS[SECOND][1]], cwd=folder, capture_output=True, text=True, check=True
    )
    for field in (f"by:{SECOND}", f"digest:{DIGEST}", f"key:{KEYS[SECOND][1]}", "at:2026-11-23"):
        assert field in told.stdout


def test_an_unsigned_record_is_enough_where_one_is_asked_and_nobody_named(folder):
    write_unsigned(folder, SECOND, DIGEST, AT)
    assert [approval.public_key for approval in valid(folder)] == [None]
    refused("not signed", folder, required=2)
    refused("not signed", folder, approvers=[SECOND])


def test_no_approval_at_all_is_too_few(folder):
    refused("0 of 1", folder)
    (folder / "approvals").mkdir()
    refused("0 of 1", folder)
    assert valid(folder, required=0) == []


# --- cheats -------------------------------------------------------------------------------------


def test_every_changed_byte_of_the_manifest_voids_a_signature(folder):
    sign(folder, SECOND)
    manifest = folder / "manifest.json"
    content = manifest.read_bytes()
    for at in range(len(content)):
        manifest.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        refused("another manifest, or altered", folder)


def test_an_approval_copied_from_another_manifest_is_refused(folder, tmp_path):
    other = tmp_path / "manifest-2"
    other.mkdir()
    (other / "manifest.json").write_text(json.dumps({"digest": "cd" * 32}))
    sign(other, SECOND)
    write_unsigned(other, THIRD, "cd" * 32, AT)
    (folder / "approvals").mkdir()
    for path in sorted((other / "approvals").iterdir()):
        copied = folder / "approvals" / path.name
        shutil.copy(path, copied)
        refused("another manifest", folder)
        copied.unlink()


def test_a_signature_over_these_bytes_that_names_another_digest_is_refused(folder):
    sign(folder, SECOND)
    refused("another manifest", folder, digest="cd" * 32)


def test_the_author_cannot_approve_by_name_or_by_key(folder):
    sign(folder, AUTHOR).rename(folder / "approvals" / "nobody.minisig")
    refused("by the author", folder)
    refused("by the author", folder, approvers=[AUTHOR])
    (folder / "approvals" / "nobody.minisig").unlink()
    sign(folder, SECOND, by_key_of=AUTHOR)
    refused("author's key", folder, author_key=KEYS[AUTHOR][1])


def test_the_author_cannot_approve_in_a_bare_record_either(folder):
    write_unsigned(folder, "eerste  PERSOON", DIGEST, AT)
    refused("by the author", folder)


def test_one_person_twice_is_one(folder):
    first = sign(folder, SECOND)
    first.rename(first.with_name("second.minisig"))
    sign(folder, "TWEEDE PERSOON", by_key_of=THIRD)
    refused("1 of 2", folder, required=2)


def test_one_key_under_two_names_is_one(folder):
    sign(folder, SECOND)
    sign(folder, THIRD, by_key_of=SECOND)
    refused("1 of 2", folder, required=2)


def test_a_copy_of_an_approval_is_still_one(folder):
    shutil.copy(sign(folder, SECOND), folder / "approvals" / "derde-persoon.minisig")
    refused("1 of 2", folder, required=2)


def test_a_signed_and_an_unsigned_one_of_a_person_are_one_and_the_signed_one_counts(folder):
    write_unsigned(folder, SECOND, DIGEST, AT)
    sign(folder, SECOND)
    assert [approval.public_key for approval in valid(folder)] == [KEYS[SECOND][1]]


def test_a_stranger_or_an_approvers_name_with_a_strangers_key_is_refused(folder):
    path = sign(folder, THIRD)
    refused("not an approver", folder, approvers=[SECOND])
    path.unlink()
    sign(folder, SECOND, by_key_of=THIRD)
    refused("not this approver's key", folder, approvers=[SECOND, THIRD])


def test_a_claimed_key_is_the_one_that_must_have_signed(folder):
    path = sign(folder, SECOND)
    path.write_text(path.read_text().replace(KEYS[SECOND][1], KEYS[THIRD][1]))
    refused("by another key", folder)


def test_the_key_in_the_comment_cannot_differ_from_the_signing_key(folder):
    comment = f"by:{SECOND}\tat:{AT.isoformat()}\tdigest:{DIGEST}\tkey:{KEYS[SECOND][1]}"
    message = (folder / "manifest.json").read_bytes()
    (folder / "approvals").mkdir()
    forged = minisign.sign(KEYS[THIRD][0], message, comment)
    (folder / "approvals" / "tweede-persoon.minisig").write_text(forged)
    refused("by another key", folder, approvers=[SECOND, THIRD])


def test_an_altered_name_date_or_digest_is_seen(folder):
    path = sign(folder, SECOND)
    text = path.read_text()
    for old, new in ((SECOND, THIRD), ("2026-11-23", "2026-11-22"), (DIGEST, "cd" * 32)):
        path.write_text(text.replace(old, new))
        refused("altered", folder)


def test_one_bad_approval_stops_the_run_beside_good_ones(folder):
    sign(folder, SECOND)
    path = sign(folder, THIRD)
    path.write_text(path.read_text()[:-20])
    refused("not an approval|altered", folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b"[" * 50_000,
        json.dumps({"by": SECOND, "at": AT.isoformat()}).encode(),
        json.dumps({"by": SECOND, "at": AT.isoformat(), "digest": 1}).encode(),
        json.dumps({"by": "", "at": AT.isoformat(), "digest": DIGEST}).encode(),
        json.dumps({"by": "a\u001b[2Jb", "at": AT.isoformat(), "digest": DIGEST}).encode(),
        json.dumps({"by": SECOND, "at": "yesterday", "digest": DIGEST}).encode(),
        json.dumps({"by": SECOND, "at": "2026-11-23T10:00:00", "digest": DIGEST}).encode(),
        json.dumps({"by": SECOND, "at": AT.isoformat(), "digest": DIGEST, "x": ""}).encode(),
    ],
)
@pytest.mark.parametrize("suffix", [".json", ".minisig"])
def test_what_is_no_approval_is_refused_in_one_line(folder, content, suffix):
    (folder / "approvals").mkdir()
    (folder / "approvals" / f"a{suffix}").write_bytes(content)
    refused("not an approval", folder)


def test_a_signature_made_for_another_purpose_is_no_approval(folder):
    (folder / "approvals").mkdir()
    message = (folder / "manifest.json").read_bytes()
    signature = minisign.sign(KEYS[SECOND][0], message, "timestamp:1\tfile:manifest.json\thashed")
    (folder / "approvals" / "a.minisig").write_text(signature)
    refused("not an approval", folder)


def test_a_link_or_a_pipe_is_not_opened(folder, tmp_path):
    path = sign(folder, SECOND)
    path.rename(tmp_path / "real")
    path.symlink_to(tmp_path / "real")
    refused("regular file", folder)
    path.unlink()
    os.mkfifo(path)
    refused("regular file", folder)


def test_an_approval_of_the_future_is_refused_and_a_small_skew_is_not(folder):
    sign(folder, SECOND, at=AT + timedelta(hours=1))
    refused("future", folder)
    sign(folder, SECOND, at=AT + timedelta(minutes=5))
    assert len(valid(folder)) == 1


# --- writing ------------------------------------------------------------------------------------


def test_approving_again_replaces_ones_own_approval(folder):
    sign(folder, SECOND)
    later = AT + timedelta(days=1)
    sign(folder, " tweede   PERSOON", by_key_of=SECOND, at=later)
    (approval,) = valid(folder, now=later)
    assert approval.at == later
    write_unsigned(folder, THIRD, "cd" * 32, AT)
    write_unsigned(folder, THIRD, DIGEST, AT)
    assert len(valid(folder, now=later)) == 2


def test_another_persons_file_is_not_overwritten(folder):
    signed = write_signed(stored(folder), "J. de Vries", KEYS[SECOND][0], AT)
    unsigned = write_unsigned(folder, "J. de Vries", DIGEST, AT)
    before = signed.read_bytes(), unsigned.read_bytes()
    with pytest.raises(UsageError, match="another person's"):
        write_signed(stored(folder), "J de Vries", KEYS[SECOND][0], AT)
    with pytest.raises(UsageError, match="another person's"):
        write_signed(stored(folder), "J. de Vries", KEYS[THIRD][0], AT)
    with pytest.raises(UsageError, match="another person's"):
        write_unsigned(folder, "J de Vries", DIGEST, AT)
    assert (signed.read_bytes(), unsigned.read_bytes()) == before


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "a\x1bb", "\ud800"])
def test_a_name_that_nobody_can_read_is_refused(folder, name):
    with pytest.raises(UsageError):
        write_signed(stored(folder), name, KEYS[SECOND][0], AT)
    with pytest.raises(UsageError):
        write_unsigned(folder, name, DIGEST, AT)


@pytest.mark.parametrize(
    "name", ["../../x", "José Ñu", "李雷", "a/b\\c", "x" * 500, ".hidden", "key:a"]
)
def test_any_readable_name_stays_in_the_folder_and_comes_back(folder, name):
    path = write_signed(stored(folder), name, KEYS[SECOND][0], AT)
    assert path.parent == folder / "approvals"
    assert path.exists()
    assert [approval.by for approval in valid(folder)] == [name]


def test_nothing_half_written_is_left_or_counted_when_the_disk_is_full(folder, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(ShareError):
            sign(folder, SECOND)
    assert list((folder / "approvals").iterdir()) == []
    (folder / "approvals" / ".tweede-persoon.minisig.1.tmp").write_text("half")
    refused("0 of 1", folder)


def test_what_was_read_and_checked_is_signed_whatever_lies_there_by_now(folder):
    read = stored(folder)
    whole = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_text(json.dumps({"digest": DIGEST, "author": THIRD}))
    write_signed(read, SECOND, KEYS[SECOND][0], AT)
    refused("another manifest, or altered", folder)
    (folder / "manifest.json").write_bytes(whole)
    assert len(valid(folder)) == 1


def test_a_missing_folder_is_one_clear_line(folder, tmp_path):
    read = stored(folder)
    folder.rename(tmp_path / "weg")
    with pytest.raises(ShareError):
        write_signed(read, SECOND, KEYS[SECOND][0], AT)
    with pytest.raises(ShareError):
        write_unsigned(tmp_path / "none", SECOND, DIGEST, AT)


# --- since a rollback -----------------------------------------------------------------------------


def test_who_signed_before_a_rollback_and_approves_unsigned_after_it_counts(folder):
    # The signed one stands first, and of one person's two the first counts.
    sign(folder, SECOND)
    back, later = AT + timedelta(hours=1), AT + timedelta(hours=2)
    refused("rolled back since it was approved", folder, since=back, now=later)
    write_unsigned(folder, SECOND, DIGEST, later)
    assert [(one.at, one.public_key) for one in valid(folder, since=back, now=later)] == [
        (later, None)
    ]


def test_too_few_in_all_are_not_blamed_on_the_rollback(folder):
    sign(folder, SECOND)
    refused(
        "0 of 2 approvals, 1 before it was rolled back",
        folder,
        required=2,
        since=AT + timedelta(hours=1),
    )


def test_an_approval_that_is_not_good_stops_the_run_from_before_a_rollback_too(folder):
    sign(folder, AUTHOR)
    later = AT + timedelta(hours=2)
    sign(folder, SECOND, at=later)
    refused("by the author", folder, since=AT + timedelta(hours=1), now=later)


def test_a_new_approver_key_is_guarded_and_signs(folder, tmp_path):
    path = tmp_path / "second.key"
    public = new_approver_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_signed(stored(folder), SECOND, load_approver_key(path), AT)
    assert valid(folder)[0].public_key == public
    with pytest.raises(UsageError):
        new_approver_key(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="0644"):
        load_approver_key(path)


def test_a_file_that_is_no_signing_key_is_refused(tmp_path):
    path = tmp_path / "k"
    path.write_bytes(b"ab" * 32 + b"\xff\n")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="not a minisign secret key"):
        load_approver_key(path)
