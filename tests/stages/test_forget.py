"""Dropping undo data: of closed, proved, old runs only; the chain stays whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from small_hospital import PEOPLE, digests, study_uid

from remediation.errors import DatasetError, KeyFileError, LockedError, ManifestError, UsageError
from remediation.model.running import utc_now
from remediation.stages import forget, verify
from remediation.stages.forget import ForgetOptions
from remediation.store.files import IoError
from remediation.store.intents import study_logs
from remediation.store.journal import Type, journals, read
from remediation.store.keys import load_key_file
from remediation.store.locks import lock_root

FILES = 2 * PEOPLE
LATER = timedelta(days=400)


def drop(hospital, *, days=365, after=LATER, **more):
    session = hospital.session()
    options = ForgetOptions(
        session.output,
        session.roots(),
        session.run_id,
        utc_now() + after,
        days,
        "Petra Privacy",
        "beheer",
        "PACS-beheer (test)",
        **more,
    )
    return forget.run(options, session.keys)


def look(hospital, manifest, part=1, parts=1, seconds=5):
    """Verify, some seconds from now: in the second of the run itself it would not count."""
    session = hospital.session()
    options = session.verify_options(part, parts)
    options = replace(options, now=options.now + timedelta(seconds=seconds))
    return verify.run(options, manifest, session.keys)


def undo(hospital) -> int:
    """Return how many files have undo data."""
    found = (path.read_text().count('"undo":') for path in journals(hospital.output / "journal"))
    return sum(found)


@pytest.fixture
def applied(hospital, manifest):
    hospital.apply(manifest)
    return hospital


@pytest.fixture
def verified(applied, manifest):
    look(applied, manifest)
    return applied


def test_the_undo_data_of_an_old_verified_run_goes_and_nothing_else(verified, manifest):
    [path] = journals(verified.output / "journal")
    before, text, archive = read(path), path.read_text(), verified.digests()
    report = drop(verified)
    assert report.dropped == {path.stem: FILES}
    assert report.kept == {}
    assert undo(verified) == 0
    after = read(path)
    assert [one.type for one in after] == [*(one.type for one in before), Type.FORGOTTEN]
    assert after[-1].body["by"] == "Petra Privacy"
    assert after[-1].body["older_than_days"] == 365
    old, new = (
        [json.loads(line)["chain"] for line in one.splitlines()] for one in (text, path.read_text())
    )
    assert new[:-1] == old
    assert verified.digests() == archive
    assert path.stat().st_mode & 0o777 == 0o600


def test_afterwards_a_rollback_refuses_and_says_why_and_verify_works_still(verified, manifest):
    drop(verified)
    held = verified.digests()
    for dry in (True, False):
        with pytest.raises(ManifestError, match="was dropped after its retention time"):
            verified.rollback(manifest, dry_run=dry)
    assert verified.digests() == held
    assert look(verified, manifest).right


def test_what_is_dropped_cannot_be_opened_with_any_key(verified):
    drop(verified)
    [path] = journals(verified.output / "journal")
    keys = verified.session().keys
    intent = study_logs(read(path), keys)[0].intents[0]
    with pytest.raises(DatasetError, match="dropped"):
        intent.open_undo(keys)


def test_a_run_that_nobody_verified_keeps_it(applied, manifest):
    assert drop(applied).kept == {"unverified": 1}
    assert undo(applied) == FILES
    assert applied.rollback(manifest).complete


def test_a_younger_run_keeps_it(verified):
    assert drop(verified, after=timedelta(days=364)).kept == {"younger": 1}
    assert drop(verified, after=timedelta(days=-20)).kept == {"younger": 1}
    assert undo(verified) == FILES


def test_a_verification_that_found_something_wrong_does_not_count(applied, manifest):
    path = applied.file(2)
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    assert not look(applied, manifest).right
    assert drop(applied).kept == {"unverified": 1}
    path.write_bytes(right)
    assert look(applied, manifest, seconds=9).right
    assert drop(applied).files == FILES


def test_shares_count_once_all_of_them_were_right(applied, manifest):
    for part in (1, 2, 3):
        assert drop(applied).kept == {"unverified": 1}
        look(applied, manifest, part, 3)
    assert drop(applied).files == FILES


def test_a_share_of_another_division_that_was_found_wrong_later_undoes_the_proof(
    verified, manifest
):
    """Which of two shares the file is in does not matter: one of them finds it wrong."""
    path = verified.file(2)
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    assert not all(look(verified, manifest, part, 2, seconds=9).right for part in (1, 2))
    assert drop(verified).kept == {"unverified": 1}
    path.write_bytes(right)
    assert look(verified, manifest, 1, 3, seconds=12).right
    assert drop(verified).kept == {"unverified": 1}
    assert look(verified, manifest, seconds=15).right
    assert drop(verified).files == FILES


def test_the_shares_of_a_division_are_all_newer_than_what_another_found_wrong(applied, manifest):
    look(applied, manifest, 1, 2, seconds=5)
    path = applied.file(2)
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    assert not look(applied, manifest, seconds=7).right
    path.write_bytes(right)
    look(applied, manifest, 2, 2, seconds=9)
    assert drop(applied).kept == {"unverified": 1}
    look(applied, manifest, 1, 2, seconds=11)
    assert drop(applied).files == FILES


def test_an_open_run_keeps_it(applied, manifest):
    [path] = journals(applied.output / "journal")
    lines = path.read_bytes().splitlines(keepends=True)
    last = max(n for n, line in enumerate(lines) if b'"type":"CLOSED"' in line)
    look(applied, manifest)
    path.write_bytes(b"".join(lines[:last]))
    assert drop(applied).kept == {"open": 1}


def test_a_run_that_was_killed_counts_from_when_it_was_proved(verified):
    [path] = journals(verified.output / "journal")
    lines = path.read_bytes().splitlines(keepends=True)
    assert b'"type":"END"' in lines[-1]
    path.write_bytes(b"".join(lines[:-1]))
    assert drop(verified, after=timedelta(days=364)).kept == {"younger": 1}
    assert drop(verified).files == FILES


def test_a_complete_rollback_proves_itself_and_what_was_before_it(applied, manifest):
    applied.rollback(manifest)
    report = drop(applied)
    assert sorted(report.dropped.values()) == [FILES, FILES]
    assert undo(applied) == 0


def test_a_partial_rollback_does_not(applied, manifest):
    look(applied, manifest, seconds=2)
    time.sleep(2.1)  # the rollback ends after that
    verified = applied
    verified.rollback(manifest, studies=(study_uid(1),))
    report = drop(verified)
    assert (report.files, report.kept) == (FILES, {"unverified": 1})
    look(verified, manifest, seconds=10)
    assert drop(verified).files == 2


def test_a_run_of_an_older_version_is_read_as_ever_and_keeps_it(hospital, manifest, monkeypatch):
    """Its chain holds the undo bytes themselves: without them nothing could be proved."""
    before = hospital.digests()
    monkeypatch.setattr("remediation.store.journal.FORMAT", 1)
    hospital.apply(manifest)
    monkeypatch.undo()
    [path] = journals(hospital.output / "journal")
    assert b'"format"' not in path.read_bytes()
    look(hospital, manifest)
    assert drop(hospital).kept == {"older-format": 1}
    assert hospital.rollback(manifest).complete
    assert hospital.digests() == before


def test_a_dry_run_drops_nothing(verified):
    before = digests(verified.output)
    assert drop(verified, dry_run=True).files == FILES
    assert digests(verified.output) == before


def test_a_dry_run_leaves_a_torn_last_line_as_it_is(verified):
    [path] = journals(verified.output / "journal")
    path.write_bytes(path.read_bytes() + b'{"seq":99,"ty')
    before = digests(verified.output)
    assert drop(verified, dry_run=True).files == FILES
    assert digests(verified.output) == before
    assert drop(verified).files == FILES


def test_a_second_time_there_is_nothing_to_drop(verified):
    drop(verified)
    before = digests(verified.output)
    assert drop(verified).files == 0
    assert digests(verified.output) == before


def test_each_study_is_told_for_the_audit_log(verified):
    told = []
    drop(verified, seen=lambda *one: told.append(one))
    assert sorted(told) == [
        ("noord", study_uid(person), 2, "undo-dropped") for person in range(PEOPLE)
    ]


def test_undo_bytes_that_go_missing_by_themselves_are_damage(verified):
    """Without the record that says who dropped them, the chain alone would not tell."""
    [path] = journals(verified.output / "journal")
    drop(verified)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(DatasetError, match="damaged or was altered"):
        read(path)


@pytest.mark.parametrize("days", [0, -1])
def test_no_days_are_usage(verified, days):
    with pytest.raises(UsageError):
        drop(verified, days=days)
    assert undo(verified) == FILES


def test_while_another_run_works_nothing_is_dropped(verified):
    with lock_root(verified.root, "apply", in_place=False), pytest.raises(LockedError):
        drop(verified)
    assert undo(verified) == FILES


def test_with_another_key_nothing_is_dropped(verified):
    shutil.copy(verified.out / "keys/klein.key", verified.out / "keys/oud.key")
    (verified.out / "keys/klein.key").write_text("0" * 64 + "\n")
    with pytest.raises(KeyFileError):
        drop(verified)
    assert undo(verified) == FILES
    assert load_key_file(verified.out / "keys/oud.key")


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_without_room_nothing_is_dropped_and_later_it_is(verified, monkeypatch, call, fault):
    [path] = journals(verified.output / "journal")
    before = path.read_bytes()

    def failing(*_, **__):
        raise OSError(fault, os.strerror(fault))

    if call == "rename":
        monkeypatch.setattr("pathlib.Path.replace", failing)
    else:
        real = getattr(os, call)
        # The lock on the archive is written and made durable first: let that be.
        monkeypatch.setattr(
            f"remediation.store.journal.files.{'write_all' if call == 'write' else 'fsync'}",
            lambda *_: (_ for _ in ()).throw(IoError("full", os.strerror(fault), number=fault)),
        )
        assert real is getattr(os, call)
    with pytest.raises(IoError):
        drop(verified)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert drop(verified).files == FILES
