"""Reading ahead: the same from one reader or many, and nothing left open."""

import os
import threading
import time
from pathlib import Path

import pytest
from builders import dicom, el, patient_head, pixels

from remediation.store import ahead
from remediation.store.ahead import Ahead, Begun
from remediation.store.archive import Seen


@pytest.fixture
def root(tmp_path):
    for n in range(40):
        path = tmp_path / "root" / f"{n % 3}" / f"{n:02}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % n * 20_000)
    return tmp_path / "root"


@pytest.fixture
def slow(monkeypatch):
    """A share that takes two milliseconds for each open; tells which threads opened."""
    opened, real = [], os.open

    def late(path, *args, **more):
        opened.append(threading.current_thread().name)
        time.sleep(0.002)
        return real(path, *args, **more)

    monkeypatch.setattr(os, "open", late)
    return opened


PATHS = [f"{n % 3}/{n:02}.dcm" for n in range(40)]


def read(root, paths=PATHS, readers=4, **more):
    found = {}
    for index, one in Ahead(root, readers, **more).read(paths):
        assert index not in found
        if isinstance(one, Begun):
            found[index] = (one.ref.path, one.ref.size, one.data[:8], one.read(16_384, 4))
            one.close()
        else:
            found[index] = (one.state, one.error)
    return found


def descriptors():
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def test_many_readers_give_what_one_gives(root, slow):
    one = read(root, readers=1)
    assert set(slow) == {"MainThread"}
    slow.clear()
    assert read(root, readers=4) == one
    assert len(set(slow)) > 2
    assert [one[n][0] for n in range(40)] == PATHS


def test_a_quick_share_is_read_without_threads(root, monkeypatch):
    monkeypatch.setattr(ahead, "SLOW", 10)
    monkeypatch.setattr(threading, "Thread", None)
    assert len(read(root)) == 40


def test_what_cannot_be_opened_is_seen_so_and_the_rest_is_read(root, slow):
    (root / "0" / "03.dcm").unlink()
    (root / "0" / "06.dcm").unlink()
    os.mkfifo(root / "0" / "06.dcm")
    (root / "2" / "05.dcm").unlink()
    (root / "2" / "05.dcm").symlink_to(root / "0" / "00.dcm")
    (root / "1").rename(root / "one")
    (root / "1").symlink_to(root / "one")
    before = descriptors()
    found = read(root)
    assert found[3] == ("unreadable", "unreadable")
    assert found[6] == found[5] == ("not-dicom", "not-a-file")
    assert all(found[n] == ("not-dicom", "not-a-file") for n in range(1, 40, 3)), "a link above"
    assert found[39][0] == "0/39.dcm"
    assert descriptors() == before


def test_one_open_a_file_and_one_read(root, monkeypatch):
    calls, opens, reads, stats = [], os.open, os.pread, os.fstat
    monkeypatch.setattr(os, "open", lambda *a, **k: calls.append("open") or opens(*a, **k))
    monkeypatch.setattr(os, "pread", lambda *a: calls.append("pread") or reads(*a))
    monkeypatch.setattr(os, "fstat", lambda *a: calls.append("fstat") or stats(*a))
    for _, one in Ahead(root, 1).read(PATHS):
        one.close()
    assert calls.count("pread") == calls.count("fstat") == 40
    assert calls.count("open") == 41, "each file, and the root"


def test_whoever_stops_early_leaves_nothing_open(root, slow):
    before, threads = descriptors(), threading.active_count()
    reading = Ahead(root, 4).read(PATHS)
    for _ in range(12):
        _, one = next(reading)
        one.close()
    reading.close()
    assert (descriptors(), threading.active_count()) == (before, threads)


def test_a_reader_that_fails_is_heard_of(root, slow, monkeypatch):
    real = Ahead._begin

    def fails(self, folder, base, path):
        if path.endswith("30.dcm"):
            raise ZeroDivisionError
        return real(self, folder, base, path)

    monkeypatch.setattr(Ahead, "_begin", fails)
    before = descriptors()
    with pytest.raises(ZeroDivisionError):
        read(root)
    assert descriptors() == before


def test_a_look_that_fails_leaves_nothing_open(root, slow, monkeypatch):
    def fails(*_args, **_more):
        raise MemoryError

    monkeypatch.setattr(ahead, "SLOW", 0)
    monkeypatch.setattr(ahead, "look", fails)
    before, threads = descriptors(), threading.active_count()
    with pytest.raises(MemoryError):
        read(root)
    assert (descriptors(), threading.active_count()) == (before, threads)


def test_every_file_waits_for_its_turn(root, slow):
    turns = []
    read(root, pace=lambda: turns.append(1))
    assert len(turns) == 40


def test_a_failing_read_is_seen_so(root, monkeypatch):
    def fails(*_):
        raise OSError(5, "no")

    monkeypatch.setattr(os, "pread", fails)
    before = descriptors()
    found = [one for _, one in Ahead(root, 1).read(PATHS[:3])]
    assert all(isinstance(one, Seen) and one.error == "unreadable" for one in found)
    assert descriptors() == before


def test_without_proc_every_folder_is_opened_instead(root, monkeypatch):
    def nowhere(path, *_):
        raise FileNotFoundError(2, "no")

    monkeypatch.setattr(os, "readlink", nowhere)
    monkeypatch.setattr(os.path, "realpath", str)
    (root / "1").rename(root / "one")
    (root / "1").symlink_to(Path("one"))
    found = read(root)
    assert found[0][0] == "0/00.dcm"
    assert found[1] == ("not-dicom", "not-a-file")


def test_as_much_is_read_at_once_as_the_head_before_had(tmp_path, monkeypatch):
    """Files of one series are alike: the second is read with one call, however long its head."""
    long = el(0x00104000, "UT", "x" * 60_000)
    for n in range(4):
        (tmp_path / f"{n}.dcm").write_bytes(dicom(patient_head(long), tail=pixels(size=90_000)))
    (tmp_path / "4.dcm").write_bytes(dicom(patient_head(), tail=pixels(size=90_000)))
    (tmp_path / "5.dcm").write_bytes(dicom(patient_head(), tail=pixels(size=90_000)))
    reads, real = [], os.pread
    monkeypatch.setattr(os, "pread", lambda *a: reads.append(a[1]) or real(*a))
    reading, took = Ahead(tmp_path, 1), []
    for _, one in reading.read([f"{n}.dcm" for n in range(6)]):
        assert reading.look(one).state == "read"
        one.close()
        took.append(len(reads))
        reads.clear()
    assert took == [2, 1, 1, 1, 1, 1]
    assert reading.first == ahead.FIRST_READ
