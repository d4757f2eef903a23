"""One run in the audit log; and runs that were killed, which the next one enters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from remediation.model.audit import Who
from remediation.store import audit, auditing
from remediation.store.audit import append, prove, read
from remediation.store.auditing import RunAudit
from remediation.store.files import IoError

WHO = Who("beheer", "", "PACS-beheer (test)", "werkplek", "0")
KILLED = """
import os, sys
from pathlib import Path
from remediation.model.audit import Who
from remediation.store.auditing import RunAudit
run = RunAudit(Path(sys.argv[1]), "r-killed", "apply", Who("beheer", "", "PACS", "pc", "0"))
run.begin({"manifest": "m1"})
run.study("sealed:AAAA", "noord", 2, "applied")
os.kill(os.getpid(), 9)
"""


def a_run(output, name="r1", command="apply") -> RunAudit:
    return RunAudit(output, name, command, WHO)


def events(output):
    return [(one.said["run"], one.said["event"]) for one in read(output)]


def test_a_run_is_entered_when_it_begins_for_each_study_and_when_it_ends(tmp_path):
    run = a_run(tmp_path)
    run.begin({"manifest": "m1"})
    assert events(tmp_path) == [("r1", "began")]
    run.study("sealed:AAAA", "noord", 2, "applied")
    run.patient("0123", "read")
    head = run.end("0", {"applied": 2}, None)
    said = [one.said for one in read(tmp_path)]
    assert [one["event"] for one in said] == ["began", "object", "object", "ended"]
    assert said[1]["study"] == "sealed:AAAA"
    assert said[2]["patient"] == "0123"
    assert (said[3]["result"], said[3]["counts"]) == ("0", {"applied": 2})
    assert prove(tmp_path).head == head.chain
    assert list((tmp_path / "audit/open").iterdir()) == []


def test_many_studies_are_entered_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(auditing, "_AT_ONCE", 3)
    run = a_run(tmp_path)
    run.begin({})
    for number in range(7):
        run.study(f"sealed:{number}", "noord", 1, "applied")
    assert len(events(tmp_path)) == 1 + 6
    run.end("0", {}, None)
    assert len(events(tmp_path)) == 1 + 7 + 1


def test_a_run_that_was_killed_is_entered_by_the_next(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert events(tmp_path) == [("r-killed", "began")]
    for name in ("r2", "r3"):
        run = a_run(tmp_path, name)
        run.begin({})
        run.end("0", {}, None)
    assert events(tmp_path)[1:] == [
        ("r2", "began"),
        ("r2", "ended"),
        ("r-killed", "ended"),
        ("r3", "began"),
        ("r3", "ended"),
    ]
    [last] = [one.said for one in read(tmp_path) if one.said["run"] == "r-killed"][1:]
    assert (last["result"], last["responsible"]) == ("broken-off", "PACS")


def test_a_run_that_goes_on_is_not_taken_for_killed(tmp_path):
    long, short = a_run(tmp_path, "r1"), a_run(tmp_path, "r2")
    long.begin({})
    short.begin({})
    short.end("0", {}, None)
    assert events(tmp_path) == [("r1", "began"), ("r2", "began"), ("r2", "ended")]
    long.end("0", {}, None)
    assert events(tmp_path)[-1] == ("r1", "ended")


def test_a_marker_of_a_run_that_never_began_is_cleared_away(tmp_path):
    (tmp_path / "audit/open").mkdir(parents=True)
    (tmp_path / "audit/open/r0").write_bytes(b"")
    run = a_run(tmp_path)
    run.begin({})
    run.end("0", {}, None)
    assert events(tmp_path) == [("r1", "began"), ("r1", "ended")]
    assert list((tmp_path / "audit/open").iterdir()) == []


def test_without_room_a_run_does_not_begin_and_leaves_no_marker(tmp_path, monkeypatch):
    append(tmp_path, [a_run(tmp_path)._entry(audit.Event.BEGAN)])

    def full(*_):
        raise IoError("a file cannot be written", "No space left on device")

    monkeypatch.setattr(audit.files, "write_all", full)
    with pytest.raises(IoError):
        a_run(tmp_path, "r2").begin({})
    assert list((tmp_path / "audit/open").iterdir()) == []
    assert prove(tmp_path).records == 1


@pytest.mark.parametrize("moment", range(1, 40))
def test_killed_at_any_moment_the_log_is_whole_and_every_run_has_an_end(tmp_path, moment):
    script = Path(__file__).with_name("audit_script.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(moment)], check=False, env=environment
    )
    assert done.returncode in {0, -9}
    whole = prove(tmp_path)
    run = a_run(tmp_path, "r-next")
    run.begin({})
    run.end("0", {}, None)
    assert prove(tmp_path).records >= whole.records + 2
    found = events(tmp_path)
    began = {name for name, event in found if event == "began"}
    ended = [name for name, event in found if event == "ended"]
    assert sorted(ended) == sorted(began)
    assert list((tmp_path / "audit/open").iterdir()) == []
