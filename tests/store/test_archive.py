"""The archive share: what is walked, what is passed over, and what lies there beside DICOM."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import socket
import stat
import tarfile
import threading
import zipfile

import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    Form,
    dicom,
    el,
    identity,
    meta,
    patient_head,
    pixels,
    private,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.errors import ShareError
from remediation.model.files import FileRef
from remediation.store import archive
from remediation.store.archive import FIRST_READ, check_root, see, walk

HEAD = patient_head(*identity("12345", "ZKH-OOST"))
WHOLE = dicom(HEAD, tail=pixels())
DIRECTORY = "1.2.840.10008.1.3.10"


def put(root, path, data=WHOLE):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def walked(root, skip=lambda _parts: False):
    """Return what a walk finds, path to word, and the number of folders that were lost."""
    lost = []
    found = list(walk(root, skip, lambda: lost.append(1)))
    assert len(found) == len({ref.path for ref, _ in found})
    return {ref.path: word for ref, word in found}, len(lost)


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
    refs = [ref for ref, word in walk(tmp_path, lambda _parts: False, list) if word == "file"]
    assert [ref.path for ref in refs] == ["c.dcm", "a/x/1.dcm", "b/1.dcm", "b/2.dcm"]
    assert {(ref.size, ref.mtime_ns) for ref in refs} == {(len(WHOLE), 7)}


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
        return parts == ["2011", "07"]

    assert walked(tmp_path, skip)[0].keys() == {"2011/08/1", "2012/07/1"}
    assert sorted(asked) == [["2011"], ["2011", "07"], ["2011", "08"], ["2012"], ["2012", "07"]]


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
    for ref, _ in walk(tmp_path, lambda _parts: False, lambda: lost.append(1)):
        found.append(ref.path)
        if ref.path == "a/1":
            (tmp_path / "b" / "1").unlink()
            (tmp_path / "b").rmdir()
    assert (found, len(lost)) == (["a/1", "c/1"], 1)


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
            list(walk(root, lambda _parts: False, list))
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


# --- what lies there ------------------------------------------------------------------------------


def containers():
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("1.dcm", WHOLE)
    with tarfile.open(fileobj=tarred, mode="w") as file:
        file.addfile(tarfile.TarInfo("1.dcm"), io.BytesIO())
    return {"zip": zipped.getvalue(), "tar": tarred.getvalue(), "gzip": gzip.compress(WHOLE)}


@pytest.mark.parametrize("kind", ["zip", "tar", "gzip"])
def test_a_container_is_told_and_not_opened(tmp_path, kind):
    assert state(tmp_path, containers()[kind]) == ("container", "")


def test_an_empty_file_and_other_files_are_no_dicom(tmp_path):
    assert state(tmp_path, b"") == ("not-dicom", "empty")
    for data in (
        b"x",
        b"Thumbs",
        b"\xd0\xcf\x11\xe0" + bytes(600),
        bytes(5000),
        b"%PDF-1.4\n" * 90,
    ):
        assert state(tmp_path, data) == ("not-dicom", "")


def test_a_dicomdir_is_told_and_its_records_are_not_read(tmp_path):
    records = el(0x00041220, "SQ", [])
    file = bytes(128) + b"DICM" + meta(EXPLICIT, DIRECTORY) + Form().element(records)
    one = seen(tmp_path, "DICOMDIR", file)
    assert (one.state, one.error, one.head) == ("dicomdir", "", None)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED, JPEG])
def test_a_whole_file_of_every_syntax_is_read(tmp_path, syntax):
    one = seen(tmp_path, "x", dicom(HEAD, syntax, tail=pixels(syntax)))
    assert (one.state, one.error) == ("read", "")
    assert one.head.text(one.head.find(0x00100020)) == "12345"


def test_a_file_without_preamble_or_meta_header_is_read(tmp_path):
    for more in ({"preamble": None}, {"preamble": None, "header": False}):
        assert state(tmp_path, dicom(HEAD, tail=pixels(), **more)) == ("read", "")


def test_the_head_is_given_as_it_stands_in_the_file(tmp_path):
    one = seen(tmp_path, "x", WHOLE)
    assert one.head_bytes == WHOLE[: -len(pixels())]
    assert seen(tmp_path, "x", dicom(HEAD, DEFLATED)).head_bytes == b"", "its bytes are packed"


def test_a_file_without_pixel_data_is_whole(tmp_path):
    assert state(tmp_path, dicom(HEAD)) == ("read", "")


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, JPEG])
def test_pixel_data_that_breaks_off_is_told(tmp_path, syntax):
    head = dicom(HEAD, syntax)
    whole = head + pixels(syntax, size=64)
    for length in (len(head) + 8, len(head) + 12, len(head) + 30, len(whole) - 2):
        one = seen(tmp_path, "x", whole[:length])
        assert (one.state, one.error) == ("read", "truncated-pixel-data"), length
        assert one.head_bytes == head, "the head is whole all the same"
    assert state(tmp_path, whole) == ("read", "")
    half_a_tag = whole[: len(head) + 4]
    assert state(tmp_path, half_a_tag) == ("unreadable", "truncated"), "of pixels or not: who knows"


def test_pixel_data_with_offset_tables_is_whole_or_not(tmp_path):
    tables = [el(0x7FE00001, "OV", bytes(16)), el(0x7FE00002, "OV", bytes(16))]
    head = dicom(HEAD, JPEG)
    whole = head + Form().elements(tables) + pixels(JPEG)
    assert state(tmp_path, whole) == ("read", "")
    for length in (len(head) + 20, len(head) + 40, len(whole) - 8):
        assert state(tmp_path, whole[:length]) == ("read", "truncated-pixel-data")


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_native_pixel_data_behind_another_element_of_its_group_is_whole_or_not(tmp_path, syntax):
    head = dicom(HEAD, syntax) + Form(syntax).element(el(0x7FE00003, "UV", bytes(8)))
    whole = head + pixels(syntax)
    assert state(tmp_path, whole) == ("read", "")
    after = Form(syntax).element(el(0xFFFCFFFC, "OB", bytes(20)))
    assert state(tmp_path, whole + after) == ("read", "")
    for length in (len(head) + 4, len(head) + 9, len(whole) - 2):
        assert state(tmp_path, whole[:length]) == ("read", "truncated-pixel-data")


def test_fragments_that_state_an_impossible_length_are_told(tmp_path):
    form = Form()
    lead = form.header(0x7FE00010, "OB", 0xFFFFFFFF)
    for length in (0xFFFFFFFE, 0xFFFFFFFF, 1000):
        bad = lead + form.tag(0xFFFEE000) + length.to_bytes(4, "little") + bytes(40)
        assert state(tmp_path, dicom(HEAD, JPEG, tail=bad)) == ("read", "truncated-pixel-data")


def test_what_follows_encapsulated_pixel_data_does_not_matter(tmp_path):
    after = Form().element(el(0xFFFCFFFC, "OB", bytes(20)))
    assert state(tmp_path, dicom(HEAD, JPEG, tail=pixels(JPEG) + after)) == ("read", "")


def test_a_head_that_breaks_off_is_unreadable_and_says_why(tmp_path):
    one = seen(tmp_path, "x", WHOLE[: WHOLE.index(b"19500203") + 3])
    assert (one.state, one.error) == ("unreadable", "truncated")
    assert one.head.text(one.head.find(0x00100010)) == "Schijn^Anna"


def test_a_head_longer_than_the_first_read_is_read_whole(tmp_path):
    long = private(0x0099, "LANG", (0x10, "OB", bytes(3 * FIRST_READ)), (0x11, "LO", "achter"))
    one = seen(tmp_path, "x", dicom([*HEAD, *long], tail=pixels()))
    assert (one.state, one.error) == ("read", "")
    assert len(one.head_bytes) > 3 * FIRST_READ


def test_a_head_beyond_the_cap_is_not_read_on(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "HEAD_CAP", 4 * FIRST_READ)
    long = private(0x0099, "LANG", (0x10, "OB", bytes(9 * FIRST_READ)), (0x11, "LO", "achter"))
    assert state(tmp_path, dicom([*HEAD, *long])) == ("unreadable", "head-too-long")


def test_a_large_file_is_not_read_for_its_head(tmp_path, monkeypatch):
    read, real = [], os.pread
    monkeypatch.setattr(os, "pread", lambda fd, n, at: read.append(n) or real(fd, n, at))
    path = put(tmp_path, "x", dicom(HEAD, tail=pixels(size=1 << 20)))
    os.truncate(path, path.stat().st_size)
    assert seen(tmp_path, "x").state == "read"
    assert sum(read) <= 2 * FIRST_READ


def test_a_sparse_giant_is_judged_by_its_first_bytes(tmp_path):
    path = put(tmp_path, "x", WHOLE)
    os.truncate(path, 1 << 40)
    assert seen(tmp_path, "x").state == "read"
    path.write_bytes(b"")
    os.truncate(path, 1 << 40)
    assert seen(tmp_path, "x").state == "not-dicom"


def test_a_file_that_shrinks_while_it_is_read_gives_a_row(tmp_path, monkeypatch):
    long = private(0x0099, "LANG", (0x10, "OB", bytes(5 * FIRST_READ)), (0x11, "LO", "achter"))
    path, real = put(tmp_path, "x", dicom([*HEAD, *long])), os.pread

    def shrinks(descriptor, length, offset):
        found = real(descriptor, length, offset)
        os.truncate(path, FIRST_READ)
        return found

    monkeypatch.setattr(os, "pread", shrinks)
    done = []
    thread = threading.Thread(target=lambda: done.append(seen(tmp_path, "x")), daemon=True)
    thread.start()
    thread.join(20)
    assert done, "it did not come to an end"
    assert done[0].state == "unreadable"


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=40),
    st.integers(0, len(WHOLE)),
    st.booleans(),
    st.sampled_from([EXPLICIT, JPEG]),
)
def test_reading_is_total(tmp_path_factory, junk, at, goes_on, syntax):
    root = tmp_path_factory.getbasetemp()
    whole = dicom(HEAD, syntax, tail=pixels(syntax))
    data = whole[:at] + junk + (whole[at + len(junk) :] if goes_on else b"")
    one = seen(root, "junk", data)
    assert one.state in {"read", "unreadable", "not-dicom", "dicomdir", "container"}
    assert one.ref.size == len(data)
