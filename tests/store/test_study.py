"""A study is written whole or not at all, whatever fails, and the run stops when it must."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from functools import partial
from itertools import count, product

import pytest
from store.byte_study import (
    KEYS,
    MTIME,
    STUDY,
    byte_study,
    changes,
    intents_of,
    lay_down,
    names,
    orphans,
    roots,
    standing,
)

from remediation.errors import KeyFileError
from remediation.model.outcomes import Outcome, Reason, Result
from remediation.model.secrets import Keys
from remediation.store import files, primitives, rewrite
from remediation.store.changes import NotWritten, undo_of
from remediation.store.files import IoError
from remediation.store.intents import Bytes, Kind, study_logs
from remediation.store.journal import Journal, Type, read
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


# --- done -----------------------------------------------------------------------------------------


def test_a_study_is_written_verified_and_finished(root, journal, writer):
    written = writer.write(STUDY, changes(root, FILES), group="period-7")
    assert results(written) == ["applied"] * 3
    assert written.done
    assert standing(root, FILES) == NEW
    assert len(orphans(root)) == 3, "the old files are aside until it is finished"
    assert log_of(journal).stands_new
    finished = writer.finish(written)
    assert (finished.switched, finished.halt, names(root)) == ((), "", ALL_NAMES)
    assert types(journal) == ["BEGIN", "STAGE", "INTENT", "STUDY_DONE", "CLOSED"]
    log = log_of(journal)
    assert (log.study, log.group, log.kind) == (STUDY, "period-7", Kind.APPLY)
    assert (log.closed, log.stands_new) == (Bytes.NEW, True)


def test_doing_it_again_is_a_state_and_no_luck(root, journal, writer):
    writer.finish(writer.write(STUDY, changes(root, FILES)))
    before = {path: path.stat().st_ctime_ns for path in root.rglob("*")}
    again = writer.finish(writer.write(STUDY, changes(root, FILES)))
    assert results(again) == ["already-applied"] * 3
    assert again.done
    assert {path: path.stat().st_ctime_ns for path in root.rglob("*")} == before
    assert types(journal)[-1] == "OUTCOME"


def test_files_that_are_right_already_are_left_out(root, writer):
    (root / FILES[1].relative).write_bytes(FILES[1].new)
    written = writer.finish(writer.write(STUDY, changes(root, FILES)))
    assert results(written) == ["applied", "already-applied", "applied"]
    assert standing(root, FILES) == NEW


def test_the_journal_holds_no_path_no_uid_and_no_bytes_of_a_head(tmp_path):
    file = replace(
        FILES[0], relative="JANSEN/999900006.dcm", old_head=b"JANSEN" * 60, new_head=b"PIETER" * 61
    )
    lay_down(tmp_path / "archive", (file,))
    with Journal.create(tmp_path / "journal", "r1", {}) as journal:
        writer = StudyWriter(journal, KEYS)
        writer.finish(writer.write(STUDY, changes(tmp_path / "archive", (file,))))
    text = journal.path.read_bytes()
    for value in (b"JANSEN", b"PIETER", b"999900006", STUDY.encode()):
        assert value not in text


# --- one of them refuses all ----------------------------------------------------------------------


@pytest.mark.parametrize("which", range(3))
def test_one_drifted_file_keeps_all_from_being_written(root, journal, writer, which):
    os.utime(root / FILES[which].relative, ns=(1, 1))
    written = writer.write(STUDY, changes(root, FILES))
    assert written.outcomes[which] == Outcome(Result.DRIFTED, Reason.MTIME)
    others = [outcome for number, outcome in enumerate(written.outcomes) if number != which]
    assert others == [Outcome(Result.REFUSED, Reason.OTHER_FILE)] * 2
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)
    assert types(journal) == ["BEGIN", "OUTCOME"], "nothing was even staged"


@pytest.mark.parametrize("which", range(3))
def test_one_refused_file_keeps_all_from_being_written(root, journal, writer, which):
    def refuse(_):
        raise NotWritten(Result.REFUSED, "suspicious-change")

    wanted = changes(root, FILES)
    wanted[which] = replace(wanted[which], rebuild=refuse)
    written = writer.write(STUDY, wanted)
    assert written.outcomes[which] == Outcome(Result.REFUSED, "suspicious-change")
    assert results(written) == ["refused"] * 3
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)
    assert log_of(journal).closed is Bytes.OLD
    assert not written.halt


def test_a_file_listed_twice_refuses_its_study(root, writer):
    written = writer.write(STUDY, [*changes(root, FILES), FILES[0].change(root)])
    assert written.outcomes[3] == Outcome(Result.REFUSED, Reason.LISTED_TWICE)
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt()])
@pytest.mark.parametrize("which", range(3))
def test_an_interrupt_or_a_bug_while_staging_leaves_nothing_and_comes_out(
    root, journal, writer, which, error
):
    def stop(_):
        raise error

    wanted = changes(root, FILES)
    wanted[which] = replace(wanted[which], rebuild=stop)
    with pytest.raises(type(error)):
        writer.write(STUDY, wanted)
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)
    assert log_of(journal).closed is Bytes.OLD


# --- nothing before the intent --------------------------------------------------------------------


def test_the_intent_is_on_the_disk_before_any_name_changes(root, journal, writer, monkeypatch):
    seen = []

    def look(real, *arguments, **named):
        seen.append(types(journal)[-1])
        return real(*arguments, **named)

    for call in ("link", "rename"):
        monkeypatch.setattr(os, call, partial(look, getattr(os, call)))
    writer.write(STUDY, changes(root, FILES))
    assert seen == ["INTENT"] * 6


def test_the_undo_that_is_on_the_disk_gives_the_old_head(root, journal, writer):
    writer.write(STUDY, changes(root, FILES))
    for file, intent in zip(FILES, intents_of(journal.path), strict=True):
        assert undo_of(intent, root, KEYS).rebuild(file.new_head) == file.old_head


def test_the_names_are_on_the_disk_before_any_is_made(root, journal, writer, monkeypatch):
    seen = []
    real = primitives.create

    def look(*arguments):
        seen.append((types(journal)[-1], arguments[1] in names_in(journal)))
        return real(*arguments)

    def names_in(journal):
        return [place.staged for place in log_of(journal).places]

    monkeypatch.setattr(primitives, "create", look)
    writer.write(STUDY, changes(root, FILES))
    assert seen == [("STAGE", True)] * 3


def broken_at(monkeypatch, journal, kind, number=errno.ENOSPC):
    real = Journal.append

    def append(self, what, body):
        if what is kind:
            self.broken = True
            raise IoError("the journal cannot be written", number=number)
        return real(self, what, body)

    monkeypatch.setattr(Journal, "append", append)


@pytest.mark.parametrize("kind", [Type.STAGE, Type.INTENT])
def test_without_an_intent_nothing_is_written_and_the_run_stops(
    root, journal, writer, monkeypatch, kind
):
    broken_at(monkeypatch, journal, kind)
    monkeypatch.setattr(os, "rename", lambda *_, **__: pytest.fail("renamed without an intent"))
    monkeypatch.setattr(os, "link", lambda *_, **__: pytest.fail("linked without an intent"))
    written = writer.write(STUDY, changes(root, FILES))
    assert Outcome(Result.FAILED, Reason.JOURNAL) in written.outcomes
    assert written.halt == Reason.JOURNAL
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)
    with pytest.raises(IoError, match="has stopped"):
        writer.write(STUDY, changes(root, FILES))


def test_a_journal_that_breaks_once_all_is_switched_stops_the_run(
    root, journal, writer, monkeypatch
):
    with monkeypatch.context() as patched:
        broken_at(patched, journal, Type.STUDY_DONE)
        written = writer.write(STUDY, changes(root, FILES))
    assert (results(written), written.halt) == (["applied"] * 3, Reason.JOURNAL)
    assert settled(root, journal) == NEW


# --- failures on the way: back as a whole ---------------------------------------------------------


def fail_at(monkeypatch, name, number, *, errno_=errno.EIO, make=IoError):
    real, calls = getattr(rewrite, name), count(1)

    def fail(*arguments, **named):
        if next(calls) == number:
            raise (
                make("no", number=errno_)
                if make is not NotWritten
                else make(Result.FAILED, Reason.READ_BACK)
            )
        return real(*arguments, **named)

    monkeypatch.setattr(rewrite, name, fail)


@pytest.mark.parametrize("where", product(["stage", "switch", "verify"], [1, 2, 3]), ids=str)
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
        fail_at(patched, "verify", number, make=NotWritten)
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
            theirs.with_name("other").write_bytes(b"from the scanner")
            theirs.with_name("other").rename(theirs)
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
            fail_at(patched, "stage", 2, errno_=errno.EACCES)
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


# --- the end of a study -------------------------------------------------------------------------


def test_a_written_study_can_be_put_back_by_its_caller(root, journal, writer):
    written = writer.write(STUDY, changes(root, FILES))
    back = writer.put_back(written, "second-reader-disagrees")
    assert back.outcomes == (Outcome(Result.ROLLED_BACK, "second-reader-disagrees"),) * 3
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)
    assert (log_of(journal).closed, log_of(journal).stands_new) == (Bytes.OLD, False)
    assert writer.put_back(back, "again") == back


def test_a_target_replaced_before_the_finish_keeps_its_old_file_aside(root, journal, writer):
    written = writer.write(STUDY, changes(root, FILES))
    theirs = root / FILES[1].relative
    theirs.with_name("other").write_bytes(b"from the scanner")
    theirs.with_name("other").rename(theirs)
    finished = writer.finish(written)
    assert finished.outcomes[1] == Outcome(Result.DRIFTED, Reason.MEANWHILE)
    assert finished.halt == Reason.UNSETTLED
    assert len(orphans(root)) == 1
    assert log_of(journal).closed is None


# --- rollback -------------------------------------------------------------------------------------


@pytest.fixture
def applied(root, journal, writer):
    writer.finish(writer.write(STUDY, changes(root, FILES)))
    return intents_of(journal.path)


@pytest.fixture
def back(tmp_path):
    with Journal.create(tmp_path / "journal", "r2", {"command": "rollback"}) as journal:
        yield StudyWriter(journal, KEYS, Kind.ROLLBACK)


def test_rollback_gives_the_old_bytes_time_and_mode(root, applied, back):
    for file in FILES:
        os.utime(root / file.relative, ns=(5, 5))  # the bytes decide, not the time
    written = back.write(STUDY, [undo_of(intent, root, KEYS) for intent in applied])
    assert results(back.finish(written)) == ["rolled-back"] * 3
    assert (standing(root, FILES), names(root)) == (OLD, ALL_NAMES)
    for file in FILES:
        found = (root / file.relative).stat()
        assert (found.st_mtime_ns, found.st_mode & 0o777) == (MTIME, 0o640)
    again = back.write(STUDY, [undo_of(intent, root, KEYS) for intent in applied])
    assert results(again) == ["already-applied"] * 3


@pytest.mark.parametrize("where", [0, -1])
@pytest.mark.parametrize("which", range(3))
def test_a_file_that_changed_since_is_not_rolled_back_nor_is_its_study(
    root, applied, back, which, where
):
    path = root / FILES[which].relative
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    written = back.write(STUDY, [undo_of(intent, root, KEYS) for intent in applied])
    assert written.outcomes[which].result is Result.DRIFTED
    assert path.read_bytes() == data
    assert standing(root, FILES) == ["other" if n == which else "new" for n in range(3)]
    assert names(root) == ALL_NAMES


@pytest.mark.parametrize("step", ["stage", "switch", "verify"])
def test_a_rollback_that_fails_leaves_the_applied_bytes(root, applied, back, monkeypatch, step):
    with monkeypatch.context() as patched:
        fail_at(patched, step, 2)
        written = back.write(STUDY, [undo_of(intent, root, KEYS) for intent in applied])
    assert written.outcomes[1] == Outcome(Result.FAILED, Reason.IO)
    assert (standing(root, FILES), names(root)) == (NEW, ALL_NAMES)


def test_undo_bytes_open_with_their_own_key_for_their_own_file_only(root, applied):
    with pytest.raises(KeyFileError):
        undo_of(applied[0], root, Keys.from_hex("6b" * 32))
    for swapped in (
        replace(applied[0], undo=applied[1].undo),
        replace(applied[0], place=applied[1].place),
        replace(applied[0], old=applied[1].old),
        replace(applied[0], undo=applied[0].undo[:-1] + b"x"),
    ):
        with pytest.raises(KeyFileError):
            undo_of(swapped, root, KEYS)


def test_undo_bytes_that_do_not_give_the_old_file_write_nothing(root, applied, back):
    wanted = [undo_of(intent, root, KEYS) for intent in applied]
    wanted[1] = replace(wanted[1], rebuild=lambda head: head)
    written = back.write(STUDY, wanted)
    assert written.outcomes[1] == Outcome(Result.REFUSED, Reason.NOT_AS_PLANNED)
    assert standing(root, FILES) == NEW
