"""Opening beneath a root, reading, writing whole files: what is refused, and what errors say."""

from __future__ import annotations

import errno
import os
import pickle
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.store import files
from remediation.store.files import IoError, NotRegular, SyncError


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def refused(root, relative):
    with pytest.raises(NotRegular) as caught:
        os.close(files.open_beneath(root, relative))
    return str(caught.value)


def test_a_regular_file_is_opened_by_text_or_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b\n.dcm").write_bytes(b"12345")
    for relative in ("a/b\n.dcm", b"a/b\n.dcm"):
        descriptor = files.open_beneath(tmp_path, relative)
        assert files.read_head(descriptor, 3) == b"123"
        os.close(descriptor)


def test_a_name_that_is_not_utf8_is_opened(tmp_path):
    (tmp_path / os.fsdecode(b"\xff\xfe.dcm")).write_bytes(b"x")
    os.close(files.open_beneath(tmp_path, b"\xff\xfe.dcm"))


@pytest.mark.parametrize("relative", ["..", "../x", "a/../../x", "/etc/passwd", "", "a//b", "./a"])
def test_a_path_that_could_leave_the_root_is_refused(tmp_path, relative):
    assert "beneath its root" in refused(tmp_path, relative)


def test_a_nul_byte_is_refused(tmp_path):
    refused(tmp_path, b"a\0b")


def test_a_link_is_not_followed_wherever_it_stands(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.dcm").write_bytes(b"x")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file.dcm").symlink_to(outside / "x.dcm")
    (root / "dangling").symlink_to(root / "nowhere")
    assert "through a link" in refused(root, "folder/x.dcm")
    assert "regular" in refused(root, "file.dcm")
    refused(root, "dangling")


def test_the_root_itself_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").write_bytes(b"x")
    (tmp_path / "root").symlink_to(tmp_path / "real")
    os.close(files.open_beneath(tmp_path / "root", "x"))


def test_a_directory_a_pipe_and_a_socket_are_refused_without_waiting(tmp_path):
    (tmp_path / "folder.dcm").mkdir()
    os.mkfifo(tmp_path / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        for name in ("folder.dcm", "pipe.dcm", "s"):
            refused(tmp_path, name)


def test_a_file_for_a_folder_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"x")
    assert "through a link or a file" in refused(tmp_path, "x/y")


def test_errors_tell_the_errno_and_no_path(tmp_path):
    (tmp_path / "JANSEN").mkdir()
    for relative in ("JANSEN/missing.dcm", "missing/JANSEN.dcm"):
        with pytest.raises(IoError) as caught:
            files.open_beneath(tmp_path, relative)
        assert caught.value.errno == errno.ENOENT
        assert "JANSEN" not in f"{caught.value!r} {caught.value} {caught.value.__dict__}"
        assert caught.value.__suppress_context__
    with pytest.raises(IoError):
        files.open_beneath(tmp_path / "no-root", "x")


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(SyncError("not made durable", "why", number=errno.EIO)))
    assert (error.errno, str(error), error.exit_code) == (5, "not made durable (why)", 1)


def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"x")
    before = open_descriptors()
    for relative in ("a/x", "a/y", "b/x", "a", "a/x/y", ".."):
        try:
            os.close(files.open_beneath(tmp_path, relative))
        except (IoError, NotRegular):
            continue
    assert open_descriptors() == before


def test_reading_beyond_the_end_gives_what_there_is(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    descriptor = files.open_beneath(tmp_path, "x")
    assert files.read_head(descriptor, 99) == b"12345"
    assert files.read_at(descriptor, 3, 99) == b"45"
    assert files.read_at(descriptor, 9, 1) == b""
    os.close(descriptor)


def test_short_reads_are_joined(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(bytes(range(50)))
    descriptor = files.open_beneath(tmp_path, "x")
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, n, offset: pread(fd, min(n, 7), offset))
    assert files.read_head(descriptor, 40) == bytes(range(40))
    os.close(descriptor)


@given(st.binary(max_size=200), st.integers(1, 30))
def test_a_short_write_goes_on(data, most):
    read, write = os.pipe()
    real = os.write
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "write", lambda fd, rest: real(fd, rest[:most]))
        files.write_all(write, data)
    os.close(write)
    with os.fdopen(read, "rb") as end:
        assert end.read() == data


def test_the_digest_of_a_file_is_that_of_all_its_blocks(tmp_path, monkeypatch):
    import hashlib

    monkeypatch.setattr(files, "BLOCK", 10)
    (tmp_path / "x").write_bytes(bytes(range(95)))
    descriptor = files.open_beneath(tmp_path, "x")
    assert files.sha256_of(descriptor) == hashlib.sha256(bytes(range(95))).hexdigest()
    assert b"".join(files.blocks(descriptor, 90)) == bytes(range(90, 95))
    os.close(descriptor)


def test_folders_are_made_on_the_way_only_when_asked(tmp_path):
    with files.parent_of(tmp_path, "a/b/x", make=True) as (folder, name):
        assert name == b"x"
        assert stat.S_IMODE(os.fstat(folder).st_mode) == 0o700
    with files.parent_of(tmp_path, "a/c/../x".replace("../", "d/"), make=True):
        assert (tmp_path / "a" / "c" / "d").is_dir()
    with pytest.raises(IoError), files.parent_of(tmp_path, "z/x"):
        pass
    assert not (tmp_path / "z").exists()


def test_durable_write_replaces_whole_and_keeps_the_mode_whatever_the_umask(tmp_path):
    path = tmp_path / "manifest.json"
    former = os.umask(0o077)
    try:
        files.durable_write(path, b"one", 0o644)
    finally:
        os.umask(former)
    files.durable_write(path, b"two", 0o644)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    files.durable_write(path, b"three")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("step", ["write", "fsync", "close", "fchmod"])
def test_a_durable_write_that_fails_leaves_the_former_file_and_nothing_else(
    tmp_path, monkeypatch, step
):
    path = tmp_path / "manifest.json"
    files.durable_write(path, b"one")
    real = getattr(os, step)

    def full(*arguments):
        if step == "close":
            real(*arguments)
        raise OSError(errno.ENOSPC, "full", "a path that must not show")

    with monkeypatch.context() as patched:
        patched.setattr(os, step, full)
        with pytest.raises(IoError) as caught:
            files.durable_write(path, b"two")
    assert caught.value.errno == errno.ENOSPC
    assert "must not show" not in str(caught.value)
    assert path.read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_a_missing_folder_is_named_by_no_path(tmp_path):
    with pytest.raises(IoError, match=r"manifest\.json: No such file"):
        files.durable_write(tmp_path / "JANSEN" / "manifest.json", b"x")


def test_our_own_names_are_known():
    assert files.is_ours(b".remediation-r1-2-0.new")
    assert files.is_ours(".remediation-r1-2-0.old")
    assert not files.is_ours("IM0001.dcm")
