"""One run at a time on a root: across processes, users' folders, hosts, and after a kill."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from remediation.errors import LockedError, ShareError
from remediation.store import locks
from remediation.store.locks import MARKER, STATE_VARIABLE, Holder, lock_path, lock_root

HOLD = """
import sys
from pathlib import Path
from remediation.store.locks import lock_root
with lock_root(Path(sys.argv[1]), "apply", in_place=sys.argv[2] == "in-place"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "archive"
    made.mkdir()
    return made


@contextlib.contextmanager
def another_run(root, *, in_place=False):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root), "in-place" if in_place else "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def locked(root, *, in_place=False):
    with pytest.raises(LockedError) as caught, lock_root(root, "crawl", in_place=in_place):
        pass
    assert caught.value.exit_code == 11
    assert "\n" not in str(caught.value)
    return caught.value.where


def lies(root, holder):
    (root / MARKER).write_bytes(holder.to_json() if isinstance(holder, Holder) else holder)


def here(**changes):
    return replace(Holder.this_run("apply"), **changes)


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_process_is_told_who_holds_the_root(root):
    with another_run(root) as process:
        where = locked(root)
        assert f"pid {process.pid}" in where
        assert socket.gethostname() in where
        assert "apply on" in where
        process.communicate("go\n")
        assert process.returncode == 0
    with lock_root(root, "crawl", in_place=False):
        pass


def test_a_second_lock_in_the_same_process_is_refused_too(root):
    with lock_root(root, "crawl", in_place=False):
        assert f"pid {os.getpid()}" in locked(root)


def test_of_many_at_once_exactly_one_holds(root):
    held, refused, go = [], [], threading.Barrier(8)
    release = threading.Event()

    def run():
        go.wait()
        try:
            with lock_root(root, "crawl", in_place=True):
                held.append(1)
                release.wait(10)
        except LockedError:
            refused.append(1)
        finally:
            if len(refused) == 7:
                release.set()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 7)


def test_every_path_to_a_root_is_the_same_lock(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    with lock_root(root, "crawl", in_place=False):
        locked(tmp_path / "link")
        locked(root / ".." / "archive")


def test_another_root_is_another_lock(root, tmp_path):
    (tmp_path / "other").mkdir()
    with another_run(root), lock_root(tmp_path / "other", "crawl", in_place=True):
        pass


def test_a_killed_run_blocks_nobody_and_its_marker_is_replaced(root):
    with another_run(root, in_place=True) as process:
        assert f"pid {process.pid}" in locked(root, in_place=True)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert (root / MARKER).exists()
        with lock_root(root, "recover", in_place=True):
            marker = json.loads((root / MARKER).read_text())
            assert (marker["pid"], marker["command"]) == (os.getpid(), "recover")
    assert list(root.iterdir()) == []


def test_the_marker_lies_in_the_root_only_while_in_place_work_lasts(root):
    with lock_root(root, "crawl", in_place=False):
        assert list(root.iterdir()) == []
    with lock_root(root, "apply", in_place=True):
        marker = json.loads((root / MARKER).read_text())
        assert set(marker) == {"host", "machine", "pid", "process", "user", "command", "since"}
    assert list(root.iterdir()) == []


def test_the_marker_and_the_lock_go_when_the_work_fails(root):
    with pytest.raises(ZeroDivisionError), lock_root(root, "apply", in_place=True):
        raise ZeroDivisionError
    assert list(root.iterdir()) == []
    with lock_root(root, "crawl", in_place=False):
        pass


def test_the_state_of_a_user_is_for_that_user_alone(root, state):
    with lock_root(root, "crawl", in_place=False):
        pass
    assert stat.S_IMODE((state / "locks").stat().st_mode) == 0o700
    (path,) = (state / "locks").iterdir()
    assert path == lock_path(root)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b""
    assert root.name not in path.name


# --- markers of others --------------------------------------------------------------------------


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {"host": "pacs-node-2"},
        {"machine": "0123456789abcdef"},
        {"host": "pacs-node-2", "pid": 1 << 22, "process": ""},
        {},
        {"process": ""},
    ],
    ids=["host", "container", "dead there", "alive here", "start unknown"],
)
def test_a_marker_that_may_be_alive_stops_every_run_and_stays(root, changes, in_place):
    lies(root, here(user="beheer", **changes))
    before = (root / MARKER).read_bytes()
    where = locked(root, in_place=in_place)
    assert "user beheer" in where
    assert changes.get("host", socket.gethostname()) in where
    assert (root / MARKER).read_bytes() == before


@pytest.mark.parametrize("kind", ["dead", "pid of another since", "restarted"])
def test_a_marker_of_an_ended_run_of_this_machine_is_taken_over(root, kind):
    if kind == "dead":
        stale = here(pid=dead_pid())
    elif kind == "restarted":
        stale = here(process="another-boot 1")
    else:
        boot, started = here().process.split()
        stale = here(process=f"{boot} {int(started) - 1}")
    lies(root, stale)
    with lock_root(root, "crawl", in_place=False):
        assert (root / MARKER).read_bytes() == stale.to_json()
    with lock_root(root, "apply", in_place=True):
        assert (root / MARKER).read_bytes() != stale.to_json()
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b'{"pid": 1}',
        b"\xff" * 9,
        here(pid=0).to_json(),
        here(pid=-1).to_json(),
        here(pid=1 << 40).to_json(),
        here().to_json().replace(b'"apply"', b"7"),
    ],
)
def test_a_marker_that_says_nothing_is_taken_for_a_live_one(root, content):
    lies(root, content)
    assert MARKER in locked(root, in_place=True)
    assert (root / MARKER).read_bytes() == content


def test_a_marker_cannot_write_on_the_terminal(root):
    lies(root, here(host="x\x1b[2J\ny" + "z" * 3000))
    where = locked(root)
    assert where.isprintable()
    assert len(where) < 600


def test_a_link_or_a_pipe_for_a_marker_is_not_followed(root, tmp_path):
    (root / MARKER).symlink_to(tmp_path / "elsewhere")
    locked(root, in_place=True)
    assert not (tmp_path / "elsewhere").exists()
    (root / MARKER).unlink()
    os.mkfifo(root / MARKER)
    locked(root)


def test_a_marker_that_came_in_between_is_not_overwritten(root, monkeypatch):
    monkeypatch.setattr(locks, "_stale_marker", lambda _path: None)
    lies(root, here(host="pacs-node-2"))
    assert "pacs-node-2" in locked(root, in_place=True)
    assert (root / MARKER).exists()


def test_a_stale_marker_that_was_replaced_meanwhile_is_left_alone(root, monkeypatch):
    monkeypatch.setattr(locks, "_stale_marker", lambda _path: here(pid=dead_pid()).to_json())
    lies(root, here(host="pacs-node-2"))
    locked(root, in_place=True)
    assert b"pacs-node-2" in (root / MARKER).read_bytes()


def test_a_marker_that_was_taken_over_by_hand_is_not_removed_at_the_end(root):
    with lock_root(root, "apply", in_place=True):
        lies(root, here(host="pacs-node-2"))
    assert b"pacs-node-2" in (root / MARKER).read_bytes()


# --- folders that do not serve ------------------------------------------------------------------


def test_a_root_that_cannot_be_marked_is_one_clear_line_and_frees_the_lock(tmp_path):
    missing = tmp_path / "none"
    with pytest.raises(ShareError, match="cannot be written"):
        lock_root(missing, "apply", in_place=True).__enter__()
    missing.mkdir()
    with lock_root(missing, "apply", in_place=True):
        pass


def test_a_full_share_leaves_no_half_marker(root, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ShareError, match="No space left"):
        lock_root(root, "apply", in_place=True).__enter__()
    assert list(root.iterdir()) == []


def test_a_state_folder_that_cannot_be_made_says_what_to_set(root, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(ShareError, match=STATE_VARIABLE):
        lock_root(root, "crawl", in_place=False).__enter__()


def test_the_state_folder_follows_the_environment(root, tmp_path, monkeypatch):
    monkeypatch.delenv(STATE_VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert lock_path(root).parent == tmp_path / "xdg" / "remediation" / "locks"
    for ignored in ("relative", ""):
        monkeypatch.setenv("XDG_STATE_HOME", ignored)
        assert lock_path(root).parent == tmp_path / ".local/state/remediation/locks"
    monkeypatch.setenv("HOME", "nowhere")
    with pytest.raises(ShareError, match=STATE_VARIABLE):
        lock_path(root)


def test_a_holder_survives_its_json():
    holder = here(command="apply --in-place", user="Ünal")
    assert Holder.from_json(holder.to_json()) == holder
    assert not holder.is_gone()
