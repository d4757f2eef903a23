"""Is it the file that was planned for, and is the new head the one that was approved?"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from store.byte_study import (
    KEYS,
    MTIME,
    ByteFile,
    lay_down,
    names,
    orphans,
    rewrite_in_place,
    sha256,
)

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.store import files, rewrite
from remediation.store.changes import NotWritten, examine, rehearse
from remediation.store.files import IoError

FILE = ByteFile("2007/03/IM1.dcm", b"old head " * 20, b"new head, longer " * 20, b"tail" * 999)
STEM = ".remediation-r1-2-0"
X, A = f"{STEM}.new", f"{STEM}.old"


@pytest.fixture
def root(tmp_path):
    lay_down(tmp_path / "archive", (FILE,))
    return tmp_path / "archive"


@pytest.fixture
def target(root):
    return root / FILE.relative


def stage(root, file=FILE, **other):
    return rewrite.stage(file.change(root, **other), STEM, KEYS)


def not_written(call, *arguments):
    with pytest.raises(NotWritten) as caught:
        call(*arguments)
    return caught.value.outcome


# --- is it the file that was planned for? ---------------------------------------------------------


DRIFTS = {
    Reason.SIZE: lambda path: rewrite_in_place(path, FILE.old + b"x"),
    Reason.MTIME: lambda path: os.utime(path, ns=(MTIME, MTIME + 1)),
    Reason.HEAD: lambda path: rewrite_in_place(path, b"X" + FILE.old[1:]),
    Reason.VANISHED: lambda path: path.unlink(),
}


@pytest.mark.parametrize("reason", DRIFTS)
def test_a_file_that_changed_since_the_plan_has_drifted_and_is_left_alone(root, target, reason):
    DRIFTS[reason](target)
    before = [(path, path.stat().st_mtime_ns) for path in root.rglob("*")]
    assert examine(FILE.change(root), KEYS) == Outcome(Result.DRIFTED, reason)
    assert not_written(stage, root) == Outcome(Result.DRIFTED, reason)
    assert [(path, path.stat().st_mtime_ns) for path in root.rglob("*")] == before


def test_a_study_folder_that_is_gone_is_drift_but_a_missing_share_is_not(root, target):
    target.unlink()
    target.parent.rmdir()
    assert examine(FILE.change(root), KEYS) == Outcome(Result.DRIFTED, Reason.VANISHED)
    with pytest.raises(IoError):
        examine(FILE.change(root / "not-mounted"), KEYS)


def test_a_file_that_has_the_new_head_is_already_applied(root, target):
    rewrite_in_place(target, FILE.new, mtime=1)
    assert examine(FILE.change(root), KEYS) == Outcome(Result.ALREADY_APPLIED)
    assert not_written(stage, root) == Outcome(Result.ALREADY_APPLIED)


def test_where_the_whole_file_is_known_a_changed_tail_is_drift(root, target):
    change = FILE.change(root)
    known = replace(change, old=replace(change.old, sha256=sha256(FILE.old)))
    rewrite_in_place(target, FILE.old[:-1] + b"X")
    assert examine(known, KEYS) is None, "told only once the file is read whole"
    outcome = not_written(rewrite.stage, known, STEM, KEYS)
    assert outcome == Outcome(Result.DRIFTED, Reason.CONTENT)
    rewrite_in_place(target, FILE.new[:-1] + b"X")
    known = replace(change, new=replace(change.new, sha256=sha256(FILE.new)))
    assert examine(known, KEYS) == Outcome(Result.DRIFTED, Reason.CONTENT)
    assert orphans(root) == []


def test_a_second_name_refuses_the_file(root, target):
    os.link(target, root / "second.dcm")
    assert examine(FILE.change(root), KEYS) == Outcome(Result.REFUSED, Reason.HARD_LINK)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/hosts")])
def test_what_is_no_regular_file_is_refused(root, target, make):
    target.unlink()
    make(target)
    assert examine(FILE.change(root), KEYS) == Outcome(Result.REFUSED, Reason.NOT_REGULAR)


def test_a_link_in_the_path_is_refused_and_nothing_written_behind_it(root, tmp_path):
    (root / "2007").rename(tmp_path / "elsewhere")
    (root / "2007").symlink_to(tmp_path / "elsewhere")
    assert not_written(stage, root) == Outcome(Result.REFUSED, Reason.NOT_REGULAR)
    assert orphans(tmp_path) == []


def test_a_folder_swapped_for_a_link_after_staging_stops_the_switch(root, tmp_path):
    staged = stage(root)
    (root / "2007").rename(tmp_path / "elsewhere")
    (root / "2007").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(files.NotRegular):
        rewrite.switch(staged)
    assert (tmp_path / "elsewhere/03/IM1.dcm").read_bytes() == FILE.old


# --- the new head ---------------------------------------------------------------------------------


def test_rebuild_can_refuse(root):
    def rebuild(head):
        raise NotWritten(Result.REFUSED, "suspicious-change")

    assert not_written(lambda: stage(root, rebuild=rebuild)).reason == "suspicious-change"
    assert orphans(root) == []


@pytest.mark.parametrize("head", [FILE.new_head[:-1] + b"!", FILE.new_head[:-1], FILE.old_head])
def test_another_head_than_was_planned_and_approved_is_refused(root, head):
    change = FILE.change(root, rebuild=lambda _: head)
    assert not_written(rewrite.stage, change, STEM, KEYS).reason == Reason.NOT_AS_PLANNED
    assert rehearse(change, KEYS) == Outcome(Result.REFUSED, Reason.NOT_AS_PLANNED)


def test_a_rehearsal_says_what_would_be_done_and_writes_nothing(root, monkeypatch):
    monkeypatch.setattr(os, "write", lambda *_: pytest.fail("written"))
    assert rehearse(FILE.change(root), KEYS) == Outcome(Result.APPLIED)
    assert names(root) == [FILE.relative]
