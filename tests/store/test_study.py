"""A study is written whole or not at all, and nothing before its intent is on the disk."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from functools import partial

import pytest
from store.byte_study import (
    KEYS,
    STUDY,
    byte_study,
    changes,
    intents_of,
    lay_down,
    names,
    orphans,
    replace_by,
    roots,
    standing,
)

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.store import primitives
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
    replace_by(theirs, b"from the scanner")
    finished = writer.finish(written)
    assert finished.outcomes[1] == Outcome(Result.DRIFTED, Reason.MEANWHILE)
    assert finished.halt == Reason.UNSETTLED
    assert len(orphans(root)) == 1
    assert log_of(journal).closed is None
