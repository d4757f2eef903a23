"""Containers that are damaged, that lie, that are made to harm: told, and bounded."""

from __future__ import annotations

import itertools
import logging
import random
import struct
import tempfile
import time
import traceback
import tracemalloc
import warnings
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store.container_files import (
    END,
    FILES,
    MADE,
    WHOLE,
    block,
    directory_of,
    end_record,
    packed,
    padded,
    pax,
    read,
    read_open,
    record,
    resealed,
    tarred,
    zipped,
)

from remediation.store import container_streams, container_tar, container_zip
from remediation.store.container_streams import FIRST_READ
from remediation.store.containers import HEAD_CAP, MEMBER_CAP, ContainerError, kind_of, members

ERRORS = {"", "damaged", "encrypted", "unsupported", "member-path", "not-a-file"}
REASONS = {"", "container-damaged", "container-members", "container-inflated"}
DAMAGED = ([], "container-damaged")
MIB = 1 << 20
NOISE = random.Random(7).randbytes(90_000)

each_kind = pytest.mark.parametrize("made", MADE.values(), ids=MADE)


def everything(data, whole):
    return 0 if whole else 8 * len(data)


def endless(_data, _whole):
    return 1 << 40


def errors(made, kind=None):
    return [one.error for one in read(made, kind)[0]]


def cost(act):
    """Return what it gives, the memory it takes at most in bytes, and the seconds."""
    tracemalloc.start()
    begun = time.perf_counter()
    try:
        given = act()
        return given, tracemalloc.get_traced_memory()[1], time.perf_counter() - begun
    finally:
        tracemalloc.stop()


# --- damage --------------------------------------------------------------------------------------


@each_kind
def test_a_container_cut_anywhere_gives_what_is_before_the_cut_and_says_so(made):
    sound = list(FILES.values())
    some = {*range(0, 1200, 7), *range(1200, len(made), 1999), *range(0, len(made), 512)}
    for length in some:
        found, reason = read(made[:length], kind_of(made), need=everything)
        told = reason or any(one.error for one in found)
        assert told or [one.data for one in found] == sound, length
        for one in found:
            if one.name in FILES:  # too little of a tar.gz to be told from a gzip file
                assert FILES[one.name].startswith(one.data), length
                assert one.whole == (not one.error) == (one.data == FILES[one.name]), length


def test_a_gzip_file_that_breaks_off_gives_what_could_be_inflated():
    long = NOISE[: 3 * FIRST_READ]
    made = packed(long)
    for length in (0, 5, 9):
        assert read(made[:length], "gzip") == DAMAGED
    for cut in (1, 8, 30):  # in its checksum and length, and in its data
        (one,) = read(made[:-cut], need=everything)[0]
        assert (one.error, one.whole) == ("damaged", False)
        assert len(one.data) > len(long) - 50
        assert long.startswith(one.data)
        assert read(made[:-cut])[0][0].error == "", "its beginning is sound"


def test_bytes_before_damage_come_out_to_the_last_sound_one():
    made = packed(WHOLE)
    wrong = made[:-8] + bytes(4) + made[-4:]
    (one,) = read(wrong)[0]
    assert (one.data, one.whole, one.error) == (WHOLE, False, "damaged"), "its checksum is wrong"
    plain = bytes(n * n % 251 for n in range(5000))
    packer = zlib.compressobj(wbits=31)
    made = packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 50
    (one,) = read(made)[0]
    assert (one.data, one.error) == (plain, "damaged")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_member_that_is_not_what_its_checksum_says_is_damaged(method):
    made = directory_of(zipped(method=method), {16: b"\0\0\0\0"})
    assert errors(made) == ["damaged", "", ""]
    assert read(made)[0][0].data == WHOLE
    made = zipped({"x": WHOLE}, method)
    at = made.index(b"PK\1\2") - 40
    assert errors(made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]) == ["damaged"]


def test_a_damaged_header_in_a_tar_is_no_end():
    made = tarred({"a": b"1", "b": b"2", "c": b"3"})
    at = made.index(b"b" + bytes(99))
    for wrong in (b"\xff", b"\0"):
        found, reason = read(made[:at] + wrong + made[at + 1 :])
        assert ([one.name for one in found], reason) == (["a"], "container-damaged")
    found, reason = read(made[: made.index(b"c" + bytes(99))])
    assert ([one.name for one in found], reason) == (["a", "b"], "container-damaged"), "no zeros"


def test_a_tar_that_breaks_off_in_data_nobody_wanted_is_told():
    for mode in ("w", "w:gz"):
        made = tarred({"a": WHOLE, "b": NOISE}, mode)
        found, reason = read(made[: len(made) * 7 // 10])
        assert [one.error for one in found] == ["", "damaged"]
        assert (len(found[1].data), reason) == (FIRST_READ, "container-damaged")


@each_kind
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_the_bytes_are_members_come_out_and_one_word(made, data):
    raw = bytearray(made)
    places = st.one_of(st.integers(0, 700), st.integers(-300, -1), st.integers(0, len(raw) - 1))
    for at in data.draw(st.lists(places, max_size=8)):
        raw[at] = data.draw(st.integers(0, 255))
    at, more = data.draw(places), data.draw(st.binary(max_size=40))
    raw[at:at] = more
    if kind_of(made) == "tar" and data.draw(st.booleans()):
        raw = resealed(raw)
    raw = bytes(raw[: data.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))])
    found, reason = read(raw, kind_of(made), need=everything)
    assert reason in REASONS
    for one in found:
        assert one.error in ERRORS
        assert -1 <= one.size < 1 << 62
        assert 0 <= one.mtime_ns < 1 << 63
        assert len(one.name.encode("utf-8", "surrogateescape")) <= 4096 or one.error
        assert not (one.error and one.whole)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from(["zip", "tar", "gzip", "", "7z"]))
def test_bytes_of_any_kind_are_read_as_any_kind(raw, kind):
    assert read(raw, kind)[1] in REASONS


# --- lies ----------------------------------------------------------------------------------------


def test_a_zip_that_lies_about_a_member_is_found_out():
    def little(number):
        return number.to_bytes(4, "little")

    made, stored = zipped(), zipped(method=zipfile.ZIP_STORED)
    for size in (0, 1, len(WHOLE) - 1, len(WHOLE) + 1, 2**32 - 2):
        assert errors(directory_of(made, {24: little(size)})) == ["damaged", "", ""]
        assert errors(directory_of(stored, {24: little(size)})) == ["damaged", "", ""]
    for offset in (1, len(made), 2**32 - 2):  # where its local header should be
        assert errors(directory_of(made, {42: little(offset)}))[0] == "damaged"
    for length in (0, 5, 10_000, 2**32 - 2):  # compressed
        assert errors(directory_of(made, {20: little(length)})) == ["damaged", "", ""]


def entry_of(*fields):
    """Return an entry of a central directory, from its compressed size on."""
    return struct.pack("<4s6HL2L5H2L", b"PK\1\2", *[0] * 7, *fields)


def test_sizes_and_offsets_beyond_all_measure_are_damage():
    extra = struct.pack("<HHQQQ", 1, 24, 2**64 - 1, 2**64 - 1, 2**63 - 9)
    entry = entry_of(*[2**32 - 1] * 2, 1, len(extra), 0, 0, 0, 0, 2**32 - 1)
    made = entry + b"x" + extra
    made += end_record(1, len(made), 0)
    (one,) = read(made, "zip")[0]
    assert (one.size, one.error) == (-1, "damaged")


@pytest.mark.parametrize("offset", [0, 4, 8, 10, 12, 16])
def test_a_zip_that_lies_about_its_directory_is_damaged_or_read(offset):
    made = zipped()
    for value in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01\0\0\0"):
        at = len(made) - 22 + offset
        found, reason = read(made[:at] + value + made[at + 4 :])
        assert reason or [one.name for one in found] == list(FILES)


def test_members_of_a_zip_that_overlap_are_damaged():
    made = zipped(dict.fromkeys("abc", WHOLE))
    second = made.index(b"PK\3\4", 4)
    twice = directory_of(made, {42: bytes(4)}, at=1)  # b is a
    assert errors(twice) == ["damaged", "damaged", ""]
    around = (second + 100).to_bytes(4, "little")  # a holds b
    assert errors(directory_of(made, {20: around, 24: around})) == ["damaged", "", ""]


@pytest.mark.parametrize("size", [b"\xff" * 12, b"\xff" * 11 + b"\0", b"\x80" + b"\xff" * 11])
def test_a_tar_with_a_size_below_nothing_or_beyond_all_measure_is_damaged(size):
    for kind in (b"0", b"L", b"x", b"g", b"S", b"Z"):
        assert read(block(size=size, kind=kind) + END) == DAMAGED
    for text in (b"-1", b"9" * 19, b"9" * 5000, b"1e3", "٣".encode()):
        assert read(pax(record(b"size", text)) + block() + END) == DAMAGED


def test_a_tar_member_that_says_it_is_larger_than_the_tar_is_damaged():
    for mode in (bytes, packed):
        found, reason = read(mode(block(size=2**33 - 1) + padded(WHOLE) + END))
        assert [one.error for one in found] == ["damaged"]
        assert (found[0].data.startswith(WHOLE), reason) == (True, "container-damaged")


# --- made to harm --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"1" * MIB,
        b"2 " * (MIB // 2 - 300) + b"=",
        b"5 a=\n" * 1000 + b"6 a=\n",
        b"7 path=x",
        b"0 a=\n",
        b"12 nothing.\n",
        b" a=\n",
        b"99999999 a=\n",
        b"hdrcharset=BINARY\n",
    ],
)
def test_a_pax_header_that_is_none_is_damage_at_once(payload):
    made = pax(payload) + block() + END
    given, memory, seconds = cost(lambda: read(made))
    assert given == DAMAGED
    assert memory < 8 * MIB
    assert seconds < 2


def test_sound_pax_headers_that_would_cost_tarfile_hours_are_read_in_no_time():
    for key, value in ((b"comment", b"1" * (MIB - 600)), (b"GNU.sparse.map", b"1," * 500_000)):
        made = pax(record(key, value)) + block() + END
        (found, reason), memory, seconds = cost(lambda made=made: read(made))
        assert ([one.name for one in found], reason) == (["IM0001"], "")
        assert memory < 8 * MIB
    assert seconds < 2


@pytest.mark.parametrize("kind", [b"x", b"X", b"g", b"L", b"K"])
def test_headers_of_more_than_a_mebibyte_are_damage(kind):
    for made in (
        pax(b"", MIB + 1, kind) + padded(b"x" * MIB) + block() + END,
        pax(b"", 8**11 - 1, kind) + block() + END,
        pax(b"x" * (MIB // 4) if kind in b"LK" else record(b"a", b"x" * (MIB // 4)), kind=kind) * 5
        + block() + END,
        pax(b"", 0, kind) * 2100 + block() + END,
    ):  # fmt: skip
        given, memory, _ = cost(lambda made=made: read(made))
        assert given == DAMAGED
        assert memory < 8 * MIB


def test_a_map_of_a_sparse_file_without_end_is_damage():
    made = block(kind=b"S", more={482: b"\1"}) + (bytes(504) + b"\1" + bytes(7)) * 9000
    (found, reason), memory, _ = cost(lambda: read(made))
    assert ([one.error for one in found], reason) == (["unsupported"], "container-damaged")
    assert memory < MIB


def test_a_zip_of_too_many_entries_is_never_listed():
    made = entry_of(*[0] * 9) * (MEMBER_CAP + 1)
    made += end_record(7, len(made), 0)  # it lies
    given, memory, seconds = cost(lambda: read(made, "zip"))
    assert given == ([], "container-members")
    assert memory < 2 * len(made)
    assert seconds < 2


def test_a_directory_of_more_than_the_cap_is_never_read():
    size = container_zip.DIRECTORY_CAP + 1
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        file.seek(size)
        file.write(end_record(7, size, 0))
        file.flush()
        given, memory, _ = cost(lambda: read_open(file.fileno(), "zip"))
    assert given == ([], "container-members")
    assert memory < MIB


def test_a_tar_of_too_many_members_stops_there(monkeypatch):
    monkeypatch.setattr(container_tar, "MEMBER_CAP", 2)
    found, reason = read(tarred())
    assert ([one.name for one in found], reason) == (list(FILES)[:2], "container-members")
    assert read(tarred({"a": b"", "b": b""}))[1] == ""


def zeros(count, first=b"x"):
    """Return a gzip file of some first bytes and `count` MiB of zeros, made in no time."""
    packer = zlib.compressobj(wbits=31)
    made = packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, wbits=-15)
    return made + (packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)) * count


def test_a_bomb_of_two_gibibytes_is_left_halfway():
    made = zeros(2048, block(b"bomb", 2048 * MIB))
    assert len(made) < 4 * MIB
    given, memory, _ = cost(lambda: read(made))
    assert given == ([], "container-inflated")
    assert memory < 2 * MIB


def test_a_bomb_that_is_wanted_whole_costs_the_cap():
    (found, reason), memory, _ = cost(lambda: read(zeros(200), need=endless))
    assert (len(found[0].data), found[0].whole, reason) == (HEAD_CAP, False, "")
    assert memory < 4 * HEAD_CAP


def test_many_small_bombs_in_one_zip_are_counted_together(monkeypatch):
    made = zipped({str(n): bytes(FIRST_READ) for n in range(100)})
    assert read(made)[1] == ""
    monkeypatch.setattr(container_streams, "BOMB_SIZE", 50 * FIRST_READ)
    monkeypatch.setattr(container_streams, "BOMB_RATIO", 100)
    found, reason = read(made)
    assert (len(found), reason) == (50, "container-inflated")


def test_images_do_not_pass_for_bombs_but_endless_ones_end(monkeypatch):
    monkeypatch.setattr(container_streams, "BOMB_SIZE", 1)
    monkeypatch.setattr(container_streams, "BOMB_RATIO", 300)
    assert read(MADE["tar.gz"])[1] == ""
    monkeypatch.setattr(container_streams, "INFLATED_CAP", 10_000)
    assert read(MADE["tar.gz"])[1] == "container-inflated"


# --- leaks ---------------------------------------------------------------------------------------


def test_no_error_log_or_warning_holds_a_name_or_bytes(caplog):
    caplog.set_level(logging.DEBUG)
    secret, told = "Jansen-123456782", []
    files = {f"{secret}/{n}": secret.encode() * 99 for n in range(3)}
    mades = [zipped(files), tarred(files), tarred(files, "w:gz"), zipped({secret + "é": b"x"})]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for made, flip in itertools.product(mades, range(-1000, -1, 9)):
            raw = bytearray(made)
            raw[flip % len(raw)] ^= 0xFF
            with tempfile.TemporaryFile() as file:
                file.write(raw)
                file.flush()
                try:
                    list(members(file.fileno(), kind_of(made), everything, secret + ".gz"))
                except ContainerError as error:
                    told += [repr(error), *traceback.format_exception(error)]
    assert told
    assert secret not in "".join(told) + caplog.text + "".join(str(one) for one in warned)
