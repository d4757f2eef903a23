"""Walking an archive: what is met, what is passed over, what may not be read."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat

import pytest
from builders import (
    dicom,
    identity,
    patient_head,
    pixels,
)

from remediation.errors import ShareError
from remediation.model.files import FileRef
from remediation.store.archive import see
from remediation.store.walking import Folder, check_root, walk

HEAD = patient_head(*identity("12345", "ZKH-OOST"))
WHOLE = dicom(HEAD, tail=pixels())
DIRECTORY = "1.2.840.10008.1.3.10"


def put(root, path, data=WHOLE):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def files_of(root, prune=lambda _parts: False):
    """Yield path, word, size and mtime of every file that a walk finds."""
    for one in walk(root, prune):
        for name, size, mtime, word in one.files if isinstance(one, Folder) else ():
            yield "/".join((*one.parts, name)), word, size, mtime


def walked(root, prune=lambda _parts: False):
    """Return what a walk finds, path to word, and how much of it was lost."""
    found, lost = {}, 0
    for one in walk(root, prune):
        lost += one.untold if isinstance(one, Folder) else one.lost
        for name, _, _, word in one.files if isinstance(one, Folder) else ():
            assert found.setdefault("/".join((*one.parts, name)), word) is word
    return found, lost


def seen(root, path, data=None):
    if data is not None:
        put(root, path, data)
    return see(root, FileRef(path, 0, 0))


def state(tmp_path, data):
    one = seen(tmp_path, "x", data)
    assert (one.ref.size, one.ref.mtime_ns) == (len(data), (tmp_path / "x").stat().st_mtime_ns)
    return one.state, one.error


# --- walking --------------------------------------------------------------------------------------


def test_every_file_is_walked_once_in_order_with_its_size_and_time(tmp_path):
    for path in ("b/2.dcm", "b/1.dcm", "a/x/1.dcm", "c.dcm"):
        os.utime(put(tmp_path, path), ns=(5, 7))
    found = list(files_of(tmp_path))
    assert [path for path, *_ in found] == ["c.dcm", "a/x/1.dcm", "b/1.dcm", "b/2.dcm"]
    assert {tuple(rest) for _, *rest in found} == {("file", len(WHOLE), 7)}


def test_links_are_told_and_never_followed(tmp_path):
    outside = tmp_path / "outside"
    put(outside, "secret.dcm")
    root = tmp_path / "root"
    put(root, "real.dcm")
    (root / "folder").symlink_to(outside)
    (root / "file.dcm").symlink_to(outside / "secret.dcm")
    (root / "dangling.dcm").symlink_to(root / "nowhere")
    (root / "round").symlink_to(root)
    found, _ = walked(root)
    assert found == {
        "real.dcm": "file",
        "folder": "link",
        "file.dcm": "link",
        "dangling.dcm": "link",
        "round": "link",
    }
    for path in ("file.dcm", "folder/secret.dcm", "dangling.dcm"):
        assert seen(root, path).state == "not-dicom"
        assert seen(root, path).error == "not-a-file"


def test_a_pipe_does_not_block_and_a_folder_called_dcm_is_a_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe.dcm")
    put(tmp_path, "folder.dcm/1")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.dcm"))
        found, _ = walked(tmp_path)
    assert found == {"pipe.dcm": "special", "folder.dcm/1": "file", "s.dcm": "special"}
    for path in ("pipe.dcm", "folder.dcm", "s.dcm"):
        assert (seen(tmp_path, path).state, seen(tmp_path, path).error) == (
            "not-dicom",
            "not-a-file",
        )


def test_snapshots_and_names_of_our_own_are_passed_over(tmp_path):
    for path in (
        ".snapshot/daily/1.dcm",
        "2011/~snapshot/1.dcm",
        ".zfs/snapshot/1.dcm",
        ".remediation-r1-2-0.new",
        "2011/.remediation-lock",
        "2011/1.dcm",
        "snapshot/1.dcm",
        ".hidden/1.dcm",
    ):
        put(tmp_path, path)
    assert walked(tmp_path)[0].keys() == {"2011/1.dcm", "snapshot/1.dcm", ".hidden/1.dcm"}


NAMES = [
    b"new\nline.dcm",
    b"\xff\xfe.dcm",
    b"-rf",
    b" ",
    b"a\\b",
    b"caf\xc3\xa9",
    b"x" * 255,
    b";=cmd",
]


def test_odd_names_are_walked_and_read(tmp_path):
    for name in NAMES:
        with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:  # noqa: PTH123 - bytes
            file.write(WHOLE)
    found, _ = walked(tmp_path)
    assert {os.fsencode(path) for path in found} == set(NAMES)
    assert {seen(tmp_path, path).state for path in found} == {"read"}


def test_a_folder_is_pruned_by_its_names_from_the_root_down(tmp_path):
    for path in ("2011/07/1", "2011/08/1", "2012/07/1"):
        put(tmp_path, path)
    asked = []

    def skip(parts):
        asked.append(parts)
        return parts == ("2011", "07")

    assert walked(tmp_path, skip)[0].keys() == {"2011/08/1", "2012/07/1"}
    assert sorted(asked) == [
        ("2011",),
        ("2011", "07"),
        ("2011", "08"),
        ("2012",),
        ("2012", "07"),
    ]


def test_a_deep_tree_is_walked_without_recursion(tmp_path):
    deep = tmp_path
    for _ in range(400):
        deep /= "d"
    os.makedirs(deep)  # noqa: PTH103 - Path.mkdir recurses
    put(deep, "1.dcm", b"")
    assert list(walked(tmp_path)[0]) == ["d/" * 400 + "1.dcm"]


def test_a_folder_that_vanishes_during_the_walk_is_lost_and_the_rest_is_walked(tmp_path):
    for path in ("a/1", "b/1", "c/1"):
        put(tmp_path, path)
    lost, found = [], []
    for one in walk(tmp_path, lambda _parts: False):
        if not isinstance(one, Folder):
            lost.append((one.parts, one.lost))
            continue
        found += ["/".join((*one.parts, name)) for name, *_ in one.files]
        if one.parts == ("a",):
            (tmp_path / "b" / "1").unlink()
            (tmp_path / "b").rmdir()
    assert (found, lost) == (["a/1", "c/1"], [(("b",), True)])


class Entry:
    """What `os.scandir` yields, from a server that fails for one name."""

    def __init__(self, real, error):
        self.real, self.name, self.error = real, real.name, error

    def is_dir(self, **more):
        return self._told("is_dir", **more)

    def stat(self, **more):
        return self._told("stat", **more)

    def _told(self, what, **more):
        if self.name == "b" and self.error[0] == what:
            raise OSError(self.error[1], "no")
        return getattr(self.real, what)(**more)


@pytest.mark.parametrize("what", ["is_dir", "stat"])
@pytest.mark.parametrize("name", ["ENOENT", "ESTALE", "EACCES"])
def test_an_entry_that_the_server_does_not_tell_is_lost_unless_it_is_gone(
    tmp_path, monkeypatch, what, name
):
    for path in ("a", "b", "c"):
        put(tmp_path, path)
    real, error = os.scandir, (what, getattr(errno, name))

    @contextlib.contextmanager
    def scandir(path):
        with real(path) as found:
            yield [Entry(entry, error) for entry in found]

    monkeypatch.setattr(os, "scandir", scandir)
    found, lost = walked(tmp_path)
    assert (found.keys(), lost) == ({"a", "c"}, 0 if name == "ENOENT" else 1)


def test_an_empty_archive_is_walked(tmp_path):
    assert walked(tmp_path) == ({}, 0)


def test_a_missing_root_or_a_file_for_a_root_is_one_error(tmp_path):
    put(tmp_path, "file")
    for root in (tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(ShareError) as caught:
            check_root(root)
        assert "\n" not in str(caught.value)
        with pytest.raises(ShareError):
            list(walk(root, lambda _parts: False))
    check_root(tmp_path)


# --- permission -----------------------------------------------------------------------------------

not_root = pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0,
    reason="root may read everything: run the tests as another user to see these",
)


@not_root
def test_what_may_not_be_read_is_told_and_the_rest_goes_on(tmp_path):
    put(tmp_path, "a.dcm").chmod(0)
    put(tmp_path, "closed/1.dcm")
    (tmp_path / "closed").chmod(0)
    put(tmp_path, "z.dcm")
    try:
        found, lost = walked(tmp_path)
        assert (found.keys(), lost) == ({"a.dcm", "z.dcm"}, 1)
        one = seen(tmp_path, "a.dcm")
        assert (one.state, one.error) == ("unreadable", "no-permission")
    finally:
        (tmp_path / "closed").chmod(stat.S_IRWXU)


@not_root
def test_a_root_that_may_not_be_read_is_one_error(tmp_path):
    root = tmp_path / "root"
    root.mkdir(mode=0)
    with pytest.raises(ShareError, match="permission"):
        check_root(root)


@pytest.mark.parametrize("number", ["EACCES", "EPERM", "EIO", "ESTALE", "ENOENT"])
def test_a_failing_open_gives_a_row(tmp_path, monkeypatch, number):
    """As the system says it, whoever runs the tests."""
    code = getattr(errno, number)
    put(tmp_path, "x")
    real = os.open

    def fails(path, flags, *args, **more):
        if path == b"x":
            raise OSError(code, "no")
        return real(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", fails)
    one = see(tmp_path, FileRef("x", 3, 4))
    denied = number in {"EACCES", "EPERM"}
    assert (one.state, one.error) == ("unreadable", "no-permission" if denied else "unreadable")
    assert (one.ref, one.head) == (FileRef("x", 3, 4), None)


def test_a_failing_read_gives_a_row_and_leaves_no_descriptor_open(tmp_path, monkeypatch):
    put(tmp_path, "x")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    def fails(*_):
        raise OSError(5, "no")

    monkeypatch.setattr(os, "pread", fails)
    assert (seen(tmp_path, "x").state, seen(tmp_path, "x").error) == ("unreadable", "unreadable")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_file_that_vanished_gives_a_row(tmp_path):
    one = seen(tmp_path, "gone/x.dcm")
    assert (one.state, one.error, one.head) == ("unreadable", "unreadable", None)


def test_a_path_that_leaves_the_root_is_no_file(tmp_path):
    put(tmp_path, "x")
    (tmp_path / "root").mkdir()
    assert seen(tmp_path / "root", "../x").state == "not-dicom"
