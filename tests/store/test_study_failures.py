"""Whatever fails on the way, a study goes back as a whole, and the run stops when it must."""

from __future__ import annotations

import errno
import os
from itertools import count, product

import pytest
from store.byte_study import (
    KEYS,
    STUDY,
    byte_study,
    changes,
    fail_at,
    lay_down,
    names,
    orphans,
    replace_by,
    roots,
    standing,
)

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.store import files, rewrite
from remediation.store.changes import NotWritten
from remediation.store.files import IoError
from remediation.store.intents import Bytes, study_logs
from remediation.store.journal import Journal, read
from remediation.store.recovery import recover
from remediation.store.study import StudyWriter

FILES = byte_study()
ALL_NAMES = sorted(file.relative for file in FILES)
OLD, NEW = ["old"] * 3, ["new"] * 3


@pytest.fixture
def root(tmp_path):
    lay_down(tmp_path / "archive", FILES)
    return tmp_path / "archive"


@pytest.fixture
def journal(tmp_path):
    with Journal.create(tmp_path / "journal", "r1", {"command": "apply"}) as journal:
        yield journal


@pytest.fixture
def writer(journal):
    return StudyWriter(journal, KEYS)


def results(written):
    return [str(outcome.result) for outcome in written.outcomes]


def log_of(journal):
    return study_logs(read(journal.path), KEYS)[-1]


def types(journal):
    return [str(record.type) for record in read(journal.path)]


def settled(root, journal):
    """Recovery finds nothing left to do, or does it."""
    journal.close()
    recover(roots(root), [journal.path], KEYS)
    assert orphans(root) == []
    assert names(root) == ALL_NAMES
    return standing(root, FILES)


# --- failures on the way: back as a whole ---------------------------------------------------------


@pytest.mark.parametrize("where", list(product(["stage", "switch", "verify"], [1, 2, 3])), ids=str)
def test_a_failure_on_any_file_at_any_step_puts_the_study_back(
    root, journal, writer, monkeypatch, where
):
    step, number = where
    before = {path: path.stat().st_ino for path in root.rglob("*.dcm")}
    with monkeypatch.context() as patched:
        fail_at(patched, step, number)
        written = writer.write(STUDY, changes(root, FILES))
    assert written.outcomes[number - 1] == Outcome(Result.FAILED, Reason.IO)
    assert not written.halt, "one failure does not stop the run"
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)
    assert {path: path.stat().st_ino for path in root.rglob("*.dcm")} == before
    assert log_of(journal).closed is Bytes.OLD
    assert log_of(journal).put_back == (step != "stage")
    assert results(writer.write(STUDY, changes(root, FILES))) == ["applied"] * 3


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_target_that_reads_back_wrong_puts_the_study_back_and_stops_the_run(
    root, journal, writer, monkeypatch, number
):
    with monkeypatch.context() as patched:
        fail_at(patched, "verify", number, NotWritten(Result.FAILED, Reason.READ_BACK))
        written = writer.write(STUDY, changes(root, FILES))
    assert written.outcomes[number - 1] == Outcome(Result.FAILED, Reason.READ_BACK)
    assert written.halt == Reason.READ_BACK
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_file_replaced_while_its_study_is_switched_stays_and_the_others_go_back(
    root, journal, writer, monkeypatch, number
):
    real, calls = rewrite.switch, count(1)
    theirs = root / FILES[number - 1].relative

    def race(staged):
        if next(calls) == number:
            replace_by(theirs, b"from the scanner")
        real(staged)

    monkeypatch.setattr(rewrite, "switch", race)
    written = writer.write(STUDY, changes(root, FILES))
    assert written.outcomes[number - 1] == Outcome(Result.DRIFTED, Reason.MEANWHILE)
    assert theirs.read_bytes() == b"from the scanner"
    assert sorted(standing(root, FILES)) == ["old", "old", "other"]
    assert names(root) == ALL_NAMES
    assert log_of(journal).closed is Bytes.OLD


def test_an_interrupt_in_the_middle_of_the_switch_puts_back_and_comes_out(
    root, journal, writer, monkeypatch
):
    real, calls = rewrite.switch, count(1)

    def interrupted(staged):
        if next(calls) == 2:
            raise KeyboardInterrupt
        real(staged)

    monkeypatch.setattr(rewrite, "switch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writer.write(STUDY, changes(root, FILES))
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)


def test_what_cannot_be_put_back_is_left_to_recovery_and_stops_the_run(
    root, journal, writer, monkeypatch
):
    with monkeypatch.context() as patched:
        fail_at(patched, "verify", 3)
        fail_at(patched, "put_back", 2)
        written = writer.write(STUDY, changes(root, FILES))
    assert written.outcomes == (Outcome(Result.FAILED, Reason.UNSETTLED),) * 3
    assert written.halt == Reason.UNSETTLED
    assert standing(root, FILES) == ["old", "new", "old"], "the others went back all the same"
    assert log_of(journal).closed is None
    assert settled(root, journal) == OLD


# --- when the run stops ---------------------------------------------------------------------------


def test_three_failed_files_stop_the_run(root, journal, writer, monkeypatch):
    for attempt in (1, 2, 3):
        with monkeypatch.context() as patched:
            fail_at(patched, "stage", 2, IoError("no", number=errno.EACCES))
            written = writer.write(STUDY, changes(root, FILES))
        assert written.outcomes[1] == Outcome(Result.FAILED, Reason.NO_PERMISSION)
        assert bool(written.halt) == (attempt == 3)
    with pytest.raises(IoError, match="no-permission"):
        writer.write(STUDY, changes(root, FILES))


def test_drift_and_refusals_stop_nothing(root, writer):
    os.utime(root / FILES[0].relative, ns=(1, 1))
    for _ in range(9):
        assert not writer.write(STUDY, changes(root, FILES)).halt


@pytest.mark.parametrize("number", range(1, 6))
def test_a_failed_fsync_stops_the_run_at_once(root, journal, writer, monkeypatch, number):
    with monkeypatch.context() as patched:
        real, calls = files.fsync, count(1)

        def fail(descriptor):
            if descriptor != journal._descriptor and next(calls) == number:
                raise files.SyncError("not made durable", number=errno.EIO)
            real(descriptor)

        patched.setattr(files, "fsync", fail)
        written = writer.write(STUDY, changes(root, FILES))
    assert Outcome(Result.FAILED, Reason.SYNC) in written.outcomes
    assert written.halt == Reason.SYNC if number <= 3 else written.halt
    assert standing(root, FILES) == OLD
    assert settled(root, journal) == OLD


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_skips_the_study_and_leaves_nothing(root, writer, monkeypatch, number):
    def full(*_, **__):
        raise OSError(number, "full")

    monkeypatch.setattr(os, "copy_file_range", full)
    written = writer.write(STUDY, changes(root, FILES))
    assert Outcome(Result.FAILED, Reason.NO_SPACE) in written.outcomes
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)
