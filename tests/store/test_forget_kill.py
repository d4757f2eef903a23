"""Killed at any moment while undo data is dropped: all of it is there, or none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from store.byte_study import KEYS, byte_study, intents_of, lay_down
from store.fault_script import ARCHIVE, JOURNAL, apply

from remediation.store.journal import Journal, read

SCRIPT = Path(__file__).with_name("forget_script.py")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    work = tmp_path_factory.mktemp("vergeten")
    lay_down(work / ARCHIVE, byte_study())
    (work / JOURNAL).mkdir()
    apply(work)
    return work / JOURNAL


def test_at_any_moment_all_of_it_is_there_or_none(template, tmp_path):
    states = []
    for moment in range(1, 60):
        folder = tmp_path / str(moment)
        shutil.copytree(template, folder)
        path = folder / "run-apply.jsonl"
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, str(SCRIPT), str(path), str(moment)]
        done = subprocess.run(command, check=False, env=environment)
        assert done.returncode in {0, -9}
        there = [bool(intent.undo) for intent in intents_of(path)]
        assert set(there) in ({True}, {False})
        states.append((done.returncode, there[0]))
        if there[0]:
            assert all(intent.open_undo(KEYS) for intent in intents_of(path))
        journal, _ = Journal.reopen(path)
        with journal:
            journal.forget({"by": "iemand"})
        assert not any(intent.undo for intent in intents_of(path))
        assert read(path)[-1].body == {"by": "iemand"}
        assert [one.name for one in folder.iterdir()] == [path.name]
        if done.returncode == 0:
            break
    assert states[0] == (-9, True)
    assert states[-1] == (0, False)
