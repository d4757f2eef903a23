"""Rollback gives the old bytes, and leaves what has changed since."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from store.byte_study import (
    KEYS,
    MTIME,
    STUDY,
    byte_study,
    changes,
    fail_at,
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
from remediation.store.changes import undo_of
from remediation.store.intents import Kind, study_logs
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
        replace(applied[0], undo=applied[0].undo[:-1] + bytes([applied[0].undo[-1] ^ 1])),
    ):
        with pytest.raises(KeyFileError):
            undo_of(swapped, root, KEYS)


def test_undo_bytes_that_do_not_give_the_old_file_write_nothing(root, applied, back):
    wanted = [undo_of(intent, root, KEYS) for intent in applied]
    wanted[1] = replace(wanted[1], rebuild=lambda head: head)
    written = back.write(STUDY, wanted)
    assert written.outcomes[1] == Outcome(Result.REFUSED, Reason.NOT_AS_PLANNED)
    assert standing(root, FILES) == NEW
