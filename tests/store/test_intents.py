"""The journal's words of a study: read back as they were written, believed only if whole."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from store.byte_study import (
    KEYS,
    STUDY,
    byte_study,
    changes,
    lay_down,
    orphans,
    roots,
)

from remediation.errors import DatasetError
from remediation.store.intents import study_logs
from remediation.store.journal import Journal, read
from remediation.store.recovery import State, recover
from remediation.store.study import StudyWriter

FILES = byte_study()
ALL_NAMES = sorted(file.relative for file in FILES)
OLD, NEW = ["old"] * 3, ["new"] * 3


def test_a_record_that_names_a_file_of_somebody_else_is_not_believed(tmp_path):
    with Journal.create(tmp_path, "r1", {}) as journal:
        entry = {"archive": "oost", "path": KEYS.seal("a"), "stem": "../IM0001"}
        body = {"study": KEYS.seal(STUDY), "kind": "apply", "group": "", "files": [entry]}
        journal.append("STAGE", body)
    with pytest.raises(DatasetError, match="record 2"):
        recover({"oost": tmp_path}, [journal.path], KEYS)


@pytest.mark.parametrize("body", [{}, {"stage": 99}, {"stage": "x"}])
def test_a_record_of_a_study_never_staged_is_not_believed(tmp_path, body):
    with Journal.create(tmp_path, "r1", {}) as journal:
        journal.append("STUDY_DONE", body)
    with pytest.raises(DatasetError, match="record 2"):
        study_logs(read(journal.path), KEYS)


def test_paths_that_are_not_utf8_come_back_from_the_journal(tmp_path):
    file = replace(FILES[0], relative=os.fsdecode(b"2007/\xff\n.dcm"))
    lay_down(tmp_path / "archive", (file,))
    with Journal.create(tmp_path / "journal", "r1", {}) as journal:
        StudyWriter(journal, KEYS).write(STUDY, changes(tmp_path / "archive", (file,)))
    (intent,) = study_logs(read(journal.path), KEYS)[0].intents
    assert intent.place.relative == b"2007/\xff\n.dcm"
    assert recover(roots(tmp_path / "archive"), [journal.path], KEYS)[0].state is State.NEW
    assert orphans(tmp_path) == []
