"""Reading heads from a share: what lies there beside DICOM, and how far a head is read."""

from __future__ import annotations

import gzip
import io
import os
import random
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

from remediation.dicom.deflated import FILE_CAP
from remediation.dicom.header import glance
from remediation.model.files import FileRef
from remediation.store import archive
from remediation.store.archive import FIRST_READ, see

HEAD = patient_head(*identity("12345", "ZKH-OOST"))
WHOLE = dicom(HEAD, tail=pixels())
DIRECTORY = "1.2.840.10008.1.3.10"


def put(root, path, data=WHOLE):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def seen(root, path, data=None):
    if data is not None:
        put(root, path, data)
    return see(root, FileRef(path, 0, 0))


def state(tmp_path, data):
    one = seen(tmp_path, "x", data)
    assert (one.ref.size, one.ref.mtime_ns) == (len(data), (tmp_path / "x").stat().st_mtime_ns)
    return one.state, one.error


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


def test_of_a_deflated_file_all_bytes_are_its_head(tmp_path):
    more = el(0x00420011, "OB", random.Random(1).randbytes(100_000))
    packed = dicom([*HEAD, more], DEFLATED, tail=pixels())
    one = seen(tmp_path, "x", packed)
    assert (one.error, one.head_bytes) == ("", packed)
    assert one.head.data.endswith(pixels()), "however little of it would do for its head"
    assert see(tmp_path, one.ref, glance).head_bytes == b""
    large = dicom([*HEAD, el(0x00420011, "OB", random.Random(1).randbytes(FILE_CAP))], DEFLATED)
    one = seen(tmp_path, "x", large)
    assert (one.error, one.head_bytes) == ("", b""), "it is never rewritten"
    damaged = packed[:-9_000] + bytes(9_000)
    assert seen(tmp_path, "x", damaged).error == "deflate"


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
