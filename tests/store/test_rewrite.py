"""The write protocol for one file: what it keeps, what it notices, when it lets go."""

from __future__ import annotations

import errno
import os
import tracemalloc
from dataclasses import replace

import pytest
from store.byte_study import (
    KEYS,
    MTIME,
    ByteFile,
    lay_down,
    names,
    replace_by,
    rewrite_in_place,
    sha256,
    state,
)

from remediation.model.outcomes import Outcome, Reason, Result
from remediation.store import files, primitives, rewrite
from remediation.store.changes import NotWritten
from remediation.store.files import IoError, SyncError

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


def test_staged_switched_verified_finished(root, target):
    staged = stage(root)
    assert names(root) == [f"2007/03/{X}", FILE.relative]
    assert target.read_bytes() == FILE.old
    rewrite.switch(staged)
    assert (target.parent / A).read_bytes() == FILE.old
    assert target.read_bytes() == FILE.new
    rewrite.verify(staged)
    assert rewrite.finish(staged)
    assert names(root) == [FILE.relative]


def test_both_digests_are_of_the_whole_file(root):
    intent = stage(root).intent
    assert (intent.old.sha256, intent.new.sha256) == (sha256(FILE.old), sha256(FILE.new))
    assert (intent.old.size, intent.new.size) == (len(FILE.old), len(FILE.new))
    assert intent.old.mtime_ns == MTIME


# --- the copy -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, 0])
def test_a_share_that_cannot_copy_by_itself_is_served_through_memory(root, monkeypatch, number):
    def cannot(*_, **__):
        if number:
            raise OSError(number, "cannot")
        return 0

    monkeypatch.setattr(os, "copy_file_range", cannot)
    staged = stage(root)
    assert (root / "2007/03" / X).read_bytes() == FILE.new
    assert staged.intent.new.sha256 == sha256(FILE.new)


def test_short_copies_go_on(root, monkeypatch):
    real = os.copy_file_range
    monkeypatch.setattr(
        os, "copy_file_range", lambda a, b, n, offset_src: real(a, b, min(n, 100), offset_src)
    )
    stage(root)
    assert (root / "2007/03" / X).read_bytes() == FILE.new


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.ESTALE])
def test_a_copy_that_fails_leaves_nothing(root, monkeypatch, number):
    def fail(*_, **__):
        raise OSError(number, "no", "a path that must not show")

    monkeypatch.setattr(os, "copy_file_range", fail)
    with pytest.raises(IoError) as caught:
        stage(root)
    assert caught.value.errno == number
    assert "must not show" not in str(caught.value)
    assert names(root) == [FILE.relative]


@pytest.mark.parametrize("where", [0, len(FILE.new_head), len(FILE.new) - 1])
def test_a_share_that_kept_other_bytes_is_found_out_in_head_and_tail(root, monkeypatch, where):
    def corrupt(descriptor):
        with (root / "2007/03" / X).open("r+b") as copy:
            copy.seek(where)
            copy.write(b"\x00")

    monkeypatch.setattr(files, "fsync", corrupt)
    assert not_written(stage, root) == Outcome(Result.FAILED, Reason.READ_BACK)
    assert names(root) == [FILE.relative]


def test_a_share_that_only_says_that_it_copied_is_found_out(root, monkeypatch):
    monkeypatch.setattr(os, "copy_file_range", lambda *_, **__: 1)
    assert not_written(stage, root).reason == Reason.READ_BACK


def test_a_target_written_to_while_it_is_copied_has_drifted(root, target, monkeypatch):
    real = primitives.copy_range

    def scanner_writes(*arguments):
        real(*arguments)
        rewrite_in_place(target, FILE.old[:-1] + b"X")

    monkeypatch.setattr(primitives, "copy_range", scanner_writes)
    assert not_written(stage, root) == Outcome(Result.DRIFTED, Reason.MEANWHILE)
    assert names(root) == [FILE.relative]


def test_a_failed_fsync_is_not_tried_again(root, monkeypatch):
    tries = []

    def fail(_):
        tries.append(1)
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SyncError):
        stage(root)
    assert tries == [1]
    assert names(root) == [FILE.relative]


def test_a_full_disk_reported_at_close_is_noticed(root, monkeypatch):
    real = files.close_written

    def fail(descriptor):
        real(descriptor)
        raise IoError("a written file cannot be closed", number=errno.EDQUOT)

    monkeypatch.setattr(files, "close_written", fail)
    with pytest.raises(IoError):
        stage(root)
    assert names(root) == [FILE.relative]


def test_memory_stays_small_whatever_the_size(tmp_path):
    big = tmp_path / "big.dcm"
    head, size = b"h" * 1000, 64 << 20
    with big.open("wb") as made:
        made.write(head)
        made.truncate(size)
    new = replace(state(b"n" * 1000, b""), size=size)
    old = replace(state(head, b""), size=size)
    file = ByteFile("big.dcm", head, b"n" * 1000, b"")
    tracemalloc.start()
    stage(tmp_path, file, old=old, new=new)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


# --- owner, mode, attributes, times -------------------------------------------------------------


def applied(root, **other):
    staged = rewrite.stage(FILE.change(root), STEM, KEYS, **other)
    rewrite.switch(staged)
    assert rewrite.finish(staged)


def test_mode_and_times_are_kept(root, target):
    target.chmod(0o2751)
    os.utime(target, ns=(MTIME - 5, MTIME))
    applied(root)
    found = target.stat()
    assert (found.st_mode & 0o7777, found.st_mtime_ns) == (0o2751, MTIME)


def test_the_time_of_writing_stands_where_that_is_asked_for(root, target):
    applied(root, keep_mtime=False)
    assert target.stat().st_mtime_ns > MTIME


@pytest.mark.skipif(os.geteuid() != 0, reason="OWNER NOT TRIED: only root gives files away")
def test_the_owner_is_kept(root, target):
    os.chown(target, 1234, 4321)
    applied(root)
    assert (target.stat().st_uid, target.stat().st_gid) == (1234, 4321)


def test_extended_attributes_are_kept(root, target):
    try:
        os.setxattr(target, "user.retention", b"until 2041")
    except OSError:
        pytest.skip("ATTRIBUTES NOT TRIED: this filesystem has none")
    applied(root)
    assert os.getxattr(target, "user.retention") == b"until 2041"


@pytest.mark.parametrize("call", ["fchmod", "setxattr", "utime"])
def test_what_cannot_be_kept_leaves_the_file_alone(root, target, monkeypatch, call):
    def fail(*_, **__):
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "listxattr", lambda _: ["user.x"])
    monkeypatch.setattr(os, "getxattr", lambda *of: str(of[0]).encode())
    monkeypatch.setattr(os, "setxattr", lambda *_: None)
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(primitives.AttributeLossError):
        stage(root)
    assert names(root) == [FILE.relative]


def test_a_filesystem_without_attributes_is_well(root, monkeypatch):
    def none(_):
        raise OSError(errno.EOPNOTSUPP, "none here")

    monkeypatch.setattr(os, "listxattr", none)
    stage(root)


# --- the switch -----------------------------------------------------------------------------------


CHANGED = {
    "written to, its time set back": lambda t: rewrite_in_place(t, FILE.old[:-1] + b"X"),
    "replaced by an equal file": lambda t: replace_by(t, FILE.old),
    "another mode": lambda t: t.chmod(0o600),
    "linked": lambda t: os.link(t, t.with_name("second")),
    "gone": lambda t: t.unlink(),
    "staged file written to": lambda t: (t.parent / X).write_bytes(FILE.new),
    "staged file gone": lambda t: (t.parent / X).unlink(),
}


@pytest.mark.parametrize("how", CHANGED)
def test_what_changed_between_staging_and_switch_is_not_switched(root, target, how):
    staged = stage(root)
    CHANGED[how](target)
    found = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert not_written(rewrite.switch, staged) == Outcome(Result.DRIFTED, Reason.MEANWHILE)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == found


def test_a_target_replaced_at_the_last_moment_is_not_written_over(root, target, monkeypatch):
    staged = stage(root)
    real = primitives.link

    def link_and_race(*arguments):
        real(*arguments)
        replace_by(target, b"from the scanner")

    monkeypatch.setattr(primitives, "link", link_and_race)
    assert not_written(rewrite.switch, staged).result is Result.DRIFTED
    assert target.read_bytes() == b"from the scanner"
    assert (target.parent / A).read_bytes() == FILE.old


def lost_reply(monkeypatch, call, times=1):
    real, left = getattr(os, call), [times]

    def done_but_unanswered(*arguments, **named):
        if not left[0]:
            return real(*arguments, **named)
        left[0] -= 1
        real(*arguments, **named)
        raise OSError(errno.ENOENT, "the reply was lost")

    monkeypatch.setattr(os, call, done_but_unanswered)


@pytest.mark.parametrize("call", ["link", "rename", "unlink"])
def test_a_call_that_was_done_though_it_failed_counts_as_done(root, target, monkeypatch, call):
    lost_reply(monkeypatch, call)
    applied(root)
    assert target.read_bytes() == FILE.new
    assert names(root) == [FILE.relative]


@pytest.mark.parametrize("call", ["link", "rename", "unlink"])
def test_a_call_that_was_not_done_though_it_succeeded_is_a_failure(root, monkeypatch, call):
    monkeypatch.setattr(os, call, lambda *_, **__: None)
    with pytest.raises(IoError, match="and did not"):
        applied(root)


@pytest.mark.parametrize("call", ["link", "rename", "unlink"])
@pytest.mark.parametrize("number", [errno.EINTR, errno.EAGAIN, errno.EBUSY])
def test_a_busy_share_is_asked_again_a_few_times(root, target, monkeypatch, call, number):
    real, tries = getattr(os, call), []

    def busy(*arguments, **named):
        tries.append(1)
        if len(tries) < 3:
            raise OSError(number, "busy")
        return real(*arguments, **named)

    monkeypatch.setattr(os, call, busy)
    monkeypatch.setattr("time.sleep", lambda _: None)
    applied(root)
    assert target.read_bytes() == FILE.new


def test_a_share_that_stays_busy_is_given_up(root, target, monkeypatch):
    tries = []

    def busy(*_, **__):
        tries.append(1)
        raise OSError(errno.EBUSY, "busy")

    staged = stage(root)
    monkeypatch.setattr(os, "rename", busy)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(IoError) as caught:
        rewrite.switch(staged)
    assert caught.value.errno == errno.EBUSY
    assert len(tries) == 4
    assert target.read_bytes() == FILE.old


def test_what_the_disk_gives_back_after_the_switch_is_compared(root, target):
    staged = stage(root)
    rewrite.switch(staged)
    rewrite.verify(staged)
    rewrite_in_place(target, FILE.new[:-1] + b"X")
    assert not_written(rewrite.verify, staged) == Outcome(Result.FAILED, Reason.READ_BACK)


def test_the_old_file_is_kept_where_the_target_is_not_the_verified_one_any_more(root, target):
    staged = stage(root)
    rewrite.switch(staged)
    rewrite_in_place(target, b"from the scanner", mtime=1)
    assert not rewrite.finish(staged)
    assert (target.parent / A).read_bytes() == FILE.old
