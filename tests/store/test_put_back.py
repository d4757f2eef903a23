"""Old bytes back without reading them, and new files elsewhere: nothing else is lost."""

from __future__ import annotations

import os

import pytest
from store.byte_study import (
    KEYS,
    MTIME,
    ByteFile,
    lay_down,
    names,
    orphans,
    replace_by,
    standing,
)

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.store import primitives, rewrite
from remediation.store.changes import NotWritten

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


# --- back -----------------------------------------------------------------------------------------


def test_put_back_gives_the_very_file_back_before_and_after_the_switch(root, target):
    before = target.stat()
    staged = stage(root)
    assert rewrite.put_back(staged)
    assert names(root) == [FILE.relative]
    staged = stage(root)
    rewrite.switch(staged)
    assert rewrite.put_back(staged)
    after = target.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (names(root), standing(root, (FILE,))) == ([FILE.relative], ["old"])
    assert rewrite.put_back(staged), "again is well"


def test_put_back_between_link_and_rename(root, target):
    staged = stage(root)
    os.link(target, target.with_name(A))
    assert rewrite.put_back(staged)
    assert names(root) == [FILE.relative]
    assert target.stat().st_nlink == 1


def test_put_back_does_not_need_to_read_the_target(root, target):
    staged = stage(root)
    rewrite.switch(staged)
    with target.open("r+b") as damaged:
        damaged.write(b"the disk lost this")
    assert rewrite.put_back(staged)
    assert standing(root, (FILE,)) == ["old"]


def test_a_file_that_somebody_else_put_there_stays(root, target):
    staged = stage(root)
    replace_by(target, b"from the scanner")
    assert rewrite.put_back(staged)
    assert target.read_bytes() == b"from the scanner"
    assert orphans(root) == []
    lay_down(root, (FILE,))
    staged = stage(root)
    rewrite.switch(staged)
    replace_by(target, b"from the scanner")
    assert not rewrite.put_back(staged)
    assert target.read_bytes() == b"from the scanner"
    assert (target.parent / A).read_bytes() == FILE.old, "for a person to decide"


def test_without_its_second_name_a_switched_file_cannot_be_put_back(root, target):
    staged = stage(root)
    rewrite.switch(staged)
    (target.parent / A).unlink()
    assert not rewrite.put_back(staged)
    assert target.read_bytes() == FILE.new


# --- elsewhere ------------------------------------------------------------------------------------


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_a_mirror_gets_the_new_file_and_the_archive_is_left_alone(root, target, out):
    before = [(path, path.stat().st_mtime_ns) for path in root.rglob("*")]
    assert rewrite.mirror(FILE.change(root), out, KEYS) == Outcome(Result.APPLIED)
    assert (out / FILE.relative).read_bytes() == FILE.new
    assert (out / FILE.relative).stat().st_mtime_ns == MTIME
    assert (out / FILE.relative).stat().st_nlink == 1
    assert names(out) == [FILE.relative]
    assert [(path, path.stat().st_mtime_ns) for path in root.rglob("*")] == before


def test_mirroring_again_changes_nothing_and_clears_what_a_killed_run_left(root, out, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(primitives, "link", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            rewrite.mirror(FILE.change(root), out, KEYS)
    assert len(orphans(out)) == 1
    assert rewrite.mirror(FILE.change(root), out, KEYS) == Outcome(Result.APPLIED)
    assert names(out) == [FILE.relative]
    assert rewrite.mirror(FILE.change(root), out, KEYS) == Outcome(Result.ALREADY_APPLIED)


def test_a_mirror_never_replaces_what_is_there(root, out):
    (out / FILE.relative).parent.mkdir(parents=True)
    (out / FILE.relative).write_bytes(b"something else")
    outcome = rewrite.mirror(FILE.change(root), out, KEYS)
    assert outcome == Outcome(Result.REFUSED, Reason.OCCUPIED)
    assert (out / FILE.relative).read_bytes() == b"something else"


def test_a_mirror_of_a_drifted_file_is_not_made(root, target, out):
    os.utime(target, ns=(1, 1))
    assert rewrite.mirror(FILE.change(root), out, KEYS).reason == Reason.MTIME
    assert names(out) == []
