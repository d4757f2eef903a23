"""Containers: what is inside comes out member by member, by its first bytes, and named as it is."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import zipfile

import pytest
from store.container_files import (
    END,
    FILES,
    LONG,
    MADE,
    MOMENT,
    WHOLE,
    block,
    directory_of,
    enough,
    packed,
    padded,
    pax,
    read,
    read_open,
    record,
    tar_of_kinds,
    tarred,
    zipped,
)

from remediation.store import container_streams
from remediation.store.container_streams import FIRST_READ
from remediation.store.containers import Member, kind_of, members
from remediation.store.files import IoError

each_kind = pytest.mark.parametrize("made", MADE.values(), ids=MADE)
both = pytest.mark.parametrize("make", [zipped, tarred])


def everything(data, whole):
    return 0 if whole else 8 * len(data)


# --- what comes out ------------------------------------------------------------------------------


@each_kind
def test_every_member_comes_out_with_its_name_size_time_and_bytes(made):
    found, reason = read(made, need=everything)
    assert reason == ""
    assert {one.name: one.data for one in found} == FILES
    assert [one.size for one in found] == [len(data) for data in FILES.values()]
    assert {one.mtime_ns for one in found} == {MOMENT * 10**9}
    assert all(one.whole and not one.error for one in found)


@each_kind
def test_no_more_is_given_than_was_asked_for(made):
    long = read(made)[0][1]
    assert (long.data, long.whole, long.size) == (LONG[:FIRST_READ], False, len(LONG))


@each_kind
def test_a_caller_is_asked_until_it_has_enough(made):
    asked = []

    def need(data, whole):
        asked.append((len(data), whole))
        return {len(WHOLE): 10**9, FIRST_READ: 20_000, 20_000: 20_000}.get(len(data), 0)

    found, _ = read(made, need=need)
    assert asked == [(len(WHOLE), True), (FIRST_READ, False), (20_000, False), (0, True)]
    assert found[1].data == LONG[:20_000]


@each_kind
def test_one_member_never_costs_more_than_the_cap(made, monkeypatch):
    monkeypatch.setattr(container_streams, "HEAD_CAP", 30_000)
    long = read(made, need=lambda _data, _whole: 10**12)[0][1]
    assert (long.data, long.whole, long.error) == (LONG[:30_000], False, "")


def test_a_gzip_file_is_one_member_named_without_gz():
    for name, shown in {"x.dcm.gz": "x.dcm", "IM1.GZ": "IM1", "x": "x", ".gz": ".gz"}.items():
        found, reason = read(packed(WHOLE), name=name)
        assert (found, reason) == ([Member(shown, -1, MOMENT * 10**9, WHOLE, True)], "")


@pytest.mark.parametrize("size", [0, 1, FIRST_READ - 1, FIRST_READ, FIRST_READ + 1])
def test_the_end_of_a_member_is_known_at_once(size):
    data = bytes(n % 251 for n in range(size))
    for made in (packed(data), zipped({"x": data}), tarred({"x": data}, "w:gz")):
        (one,) = read(made)[0]
        assert (one.data, one.whole) == (data[:FIRST_READ], size <= FIRST_READ), size


def test_of_a_gzip_file_only_the_first_stream_counts():
    assert read(packed(WHOLE) + packed(LONG))[0][0].data == WHOLE
    assert read(packed(WHOLE) + b"and so on")[0][0].whole


@both
def test_folders_are_left_out(make):
    assert [one.name for one in read(make({"2011/": b"", "2011/x": b"y"}))[0]] == ["2011/x"]
    assert read(tar_of_kinds(a=tarfile.DIRTYPE, b=b"D")) == ([], "")


def test_an_empty_container_has_no_members():
    for made, kind in ((zipped({}), "zip"), (tarred({}), "tar"), (bytes(512), "tar")):
        assert read(made, kind) == ([], "")


@both
def test_of_two_members_with_one_name_both_come_out(make):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_args, **_more: None)  # zipfile's, as it writes
        made = make([("x", b"first"), ("x", b"second")])
    assert [(one.name, one.data) for one in read(made)[0]] == [("x", b"first"), ("x", b"second")]


@both
def test_a_container_inside_is_a_member_like_others(make):
    for inside in MADE.values():
        (one,) = read(make({"inside": inside}), need=everything)[0]
        assert (one.data, one.error) == (inside, "")


def test_a_zip_after_other_bytes_and_with_a_comment_is_read():
    out = io.BytesIO(b"#!/bin/sh\n" * 9)
    out.seek(0, 2)
    with zipfile.ZipFile(out, "a") as file:
        file.writestr("x", WHOLE)
        file.comment = b"PK" * 99
    assert [one.data for one in read(out.getvalue(), "zip")[0]] == [WHOLE]


def test_a_zip_written_to_a_pipe_is_read():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_args):
            raise io.UnsupportedOperation

        tell = seek

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in FILES.items():
            file.writestr(name, data)
    assert [one.data for one in read(out.getvalue(), need=everything)[0]] == list(FILES.values())


def test_zip64_is_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file, file.open("x", "w", force_zip64=True) as member:
        member.write(WHOLE)
    assert [one.data for one in read(out.getvalue())[0]] == [WHOLE]


def test_kinds_are_told_by_first_bytes():
    kinds = {name: kind_of(data[:262]) for name, data in MADE.items()}
    assert kinds == {
        name: "zip" if "zip" in name else "gzip" if "gz" in name else "tar" for name in MADE
    }
    assert kind_of(zipped({})) == "zip"
    for other in (
        b"",
        b"BZh91AY&SY",
        b"7z\xbc\xaf\x27\x1c",
        b"\xfd7zXZ\0",
        WHOLE,
        b"PK",
        bytes(600),
    ):
        assert kind_of(other) == ""
    assert read(WHOLE, "") == ([], "container-damaged")


# --- how it is read ------------------------------------------------------------------------------


def test_data_of_a_tar_that_nobody_wants_are_passed_over_unread(monkeypatch):
    read_bytes = []

    def counted(descriptor, offset, length):
        data = os.pread(descriptor, length, offset)
        read_bytes.append(len(data))
        return data

    monkeypatch.setattr(container_streams, "read_at", counted)
    found, reason = read(tarred({str(n): bytes(2 << 20) for n in range(4)}))
    assert (len(found), reason) == (4, "")
    assert sum(read_bytes) < 4 * (FIRST_READ + 4 * 512)


@each_kind
def test_the_descriptor_stays_open_where_it_was(made):
    with tempfile.TemporaryFile() as file:
        file.write(made)
        file.seek(7)
        assert len(read_open(file.fileno(), kind_of(made))[0]) == len(FILES)
        assert file.tell() == 7


@each_kind
def test_what_the_share_or_the_caller_raises_is_not_called_damage(made, monkeypatch):
    def need(_data, _whole):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read(made, need=need)

    def lost(*_span):
        raise IoError("a file cannot be read", number=5)

    monkeypatch.setattr(container_streams, "read_at", lost)
    with pytest.raises(IoError):
        read(made)


@each_kind
def test_a_caller_may_stop_early(made, tmp_path):
    (tmp_path / "x").write_bytes(made)
    with (tmp_path / "x").open("rb") as file:
        found = members(file.fileno(), kind_of(made), enough)
        assert next(found).name == "2011/IM0001"
        found.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    "name", ["./a", "é/ü", "\udce9\udcff", "x" * 300, "d/" * 120 + "x", "a\nb"]
)
def test_names_of_a_tar_are_kept_whatever_their_bytes(name, form):
    if form == tarfile.GNU_FORMAT or "\udce9" not in name:
        assert [one.name for one in read(tarred({name: b""}, form=form))[0]] == [name]
    raw = pax(record(b"path", name.encode("utf-8", "surrogateescape"))) + block() + END
    assert [one.name for one in read(raw)[0]] == [name]


def test_the_two_parts_of_a_ustar_name_are_joined_and_gnu_times_are_no_part():
    made = tarred({"f/" * 60 + "x": b""}, form=tarfile.USTAR_FORMAT)
    assert [one.name for one in read(made)[0]] == ["f/" * 60 + "x"]
    times = {345: b"14652173042\0" * 2}
    made = block(b"IM0002", magic=b"ustar  \0", more=times) + END
    assert [one.name for one in read(made)[0]] == ["IM0002"]


def test_names_of_a_zip_are_utf8_where_they_say_so_and_bytes_elsewhere():
    assert [one.name for one in read(zipped({"é": b""}))[0]] == ["é"]
    for raw, shown in (
        (b"\xe9.dcm", "\udce9.dcm"),
        (b"\xc3\xa9.dc", "é.dc"),
        (b"\x82.dcm", "\udc82.dcm"),
    ):
        made = zipped({"12345"[: len(raw)]: b"data"}).replace(b"12345"[: len(raw)], raw)
        assert [(one.name, one.data) for one in read(made)[0]] == [(shown, b"data")]


LEADING_OUT = [
    "/etc/x",
    "../x",
    "a/../../x",
    "a/..",
    "C:\\x",
    "c:x",
    "a\\b",
    "x" * 4097,
    "é" * 2049,
]


@pytest.mark.parametrize("name", LEADING_OUT)
@both
def test_a_member_whose_name_leads_out_is_told_and_not_read(make, name):
    found, reason = read(make({name: WHOLE, "x": WHOLE}))
    assert reason == ""
    assert (found[0].name, found[0].error, found[0].data, found[0].whole) == (
        *(name, "member-path", b"", False),
    )
    assert found[0].size == len(WHOLE)
    assert (found[1].name, found[1].error, found[1].data) == ("x", "", WHOLE)


def test_a_name_with_a_nul_or_none_at_all_is_told():
    made = zipped({"a?b": b"data"}).replace(b"a?b", b"a\0b")
    assert [(one.name, one.error) for one in read(made)[0]] == [("a\0b", "member-path")]
    assert [one.error for one in read(zipped({"": b"x"}))[0]] == ["member-path"]
    made = pax(record(b"path", b"a\0b")) + block() + block(b"") + END
    assert [(one.name, one.error) for one in read(made)[0]] == [
        ("a\0b", "member-path"),
        ("", "member-path"),
    ]


# --- what is no file, and what cannot be read ----------------------------------------------------


def test_links_pipes_and_devices_of_a_tar_are_told():
    made = tar_of_kinds(a=b"1", b=b"2", c=b"3", d=b"4", e=b"6", f=b"V")
    found, reason = read(made)
    assert ([one.name for one in found], reason) == (list("abcdef"), "")
    assert {(one.error, one.data, one.whole) for one in found} == {("not-a-file", b"", False)}


def test_a_link_stored_in_a_zip_is_told_and_a_folder_by_its_mode_left_out():
    made = zipped({"link": b"/etc/passwd", "x": b""})
    link = directory_of(made, {38: (0o120777 << 16).to_bytes(4, "little")})
    assert [(one.name, one.error, one.data) for one in read(link)[0]] == [
        ("link", "not-a-file", b""),
        ("x", "", b""),
    ]
    folder = directory_of(made, {38: (0o040755 << 16).to_bytes(4, "little")})
    assert [one.name for one in read(folder)[0]] == ["x"]


@pytest.mark.parametrize("bit", [0, 6, 13])
def test_encrypted_members_are_told(bit):
    made = directory_of(zipped(), {8: (1 << bit).to_bytes(2, "little")})
    assert [one.error for one in read(made)[0]] == ["encrypted", "", ""]


def test_methods_that_are_not_read_are_told():
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert {one.error for one in read(zipped(method=method))[0]} == {"unsupported"}
    for method in (1, 9, 93, 99):
        made = directory_of(zipped(), {10: method.to_bytes(2, "little")}, at=1)
        assert [one.error for one in read(made)[0]] == ["", "unsupported", ""]
    assert read(directory_of(zipped(), {8: b"\x20\0"}))[0][0].error == "unsupported"  # a patch


def test_sparse_members_are_told_and_what_follows_is_read():
    data, after = bytes(700), block(b"after", 4) + padded(b"data") + END
    old = block(b"x", len(data), b"S", magic=b"ustar  \0", more={482: b"\1", 483: b"%011o" % 2**33})
    more = bytes(504) + b"\1" + bytes(7) + bytes(512)
    new = record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.name", b"x")
    for made in (
        old + more + padded(data) + after,
        pax(new) + block(b"GNUSparseFile.0/x", len(data)) + padded(data) + after,
    ):
        found, reason = read(made)
        assert reason == ""
        assert [(one.name, one.size, one.error) for one in found] == [
            ("x", -1, "unsupported"),
            ("after", 4, ""),
        ]


# --- times and sizes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    {
        b"1300000000.25": 1_300_000_000_250_000_000,
        b"1.0000000019999": 1_000_000_001,
        b"0": 0,
        b"-5": 0,
        b"9999999999": 0,
        b"9" * 400: 0,
        b"1e9": 0,
        b"nan": 0,
        b"": 8 * 10**9,
    }.items(),
)
def test_times_of_a_tar_are_told_where_they_can_be(text, moment):
    made = pax(record(b"mtime", text)) + block(mtime=b"00000000010") + END
    assert [one.mtime_ns for one in read(made)[0]] == [moment]


def test_times_of_a_header_beyond_all_measure_are_none():
    for raw in (b"\x80" + b"\xff" * 11, b"\xff" * 12):
        assert [one.mtime_ns for one in read(block(mtime=raw) + END)[0]] == [0]


@pytest.mark.parametrize(("day", "time"), [(0, 0), (0x3C00, 0), (0x3C21, 0xFFFF), (0x3C5F, 0)])
def test_an_impossible_time_of_a_zip_is_none(day, time):
    stamp = time.to_bytes(2, "little") + day.to_bytes(2, "little")
    assert read(directory_of(zipped(), {12: stamp}))[0][0].mtime_ns == 0


def test_a_size_in_a_pax_header_counts():
    made = pax(record(b"size", b"4")) + block(size=0) + padded(b"data") + block(b"x") + END
    assert [(one.data, one.size) for one in read(made)[0]] == [(b"data", 4), (b"", 0)]
