"""Deflated files: opened, corrected and closed again, and nothing else in them changes."""

from __future__ import annotations

import random
import struct
import warnings
import zlib
from io import BytesIO

import pytest
from at_rest_cases import AT_REST_CASES
from builders import DEFLATED, EXPLICIT, data_set, dicom, el, meta, patient_head, pixels
from exchange_cases import EXCHANGE_CASES
from own_placement_cases import OWN_CASES
from placement_cases import BSN, MINE, order
from pydicom import dcmread
from rewriting import file_of, objects

from remediation.dicom import deflated
from remediation.dicom.correction import Refused
from remediation.dicom.header import scan
from remediation.dicom.rewrite import rewrite
from remediation.dicom.second import second_opinion
from remediation.dicom.splice import rewritable
from remediation.store.undo import difference, restore

CASES = [*AT_REST_CASES, *EXCHANGE_CASES, *OWN_CASES]
ids = [f"{one.order.placement.target}-{one.name}" for one in CASES]
every_case = pytest.mark.parametrize("one", CASES, ids=ids)
JPIP = ("1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")
START = 132 + len(meta(DEFLATED))
NOISE = random.Random(3)


def rewritten(data, ordered=None):
    return rewrite(scan(data, len(data)), len(data), ordered or order(), raw=data).head


def why(data):
    try:
        rewritten(data)
    except Refused as refused:
        return str(refused)
    return ""


def packed(plain, *, level=9, end=None):
    """Return a deflated file of a data set; `end` goes behind the stream."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    stream = packer.compress(plain) + packer.flush()
    end = bytes(len(stream) % 2) if end is None else end
    return bytes(128) + b"DICM" + meta(DEFLATED) + stream + end


def inflated(data):
    stream = zlib.decompressobj(-15)
    return stream.decompress(data[START:]), stream.unused_data


PLAIN = data_set(patient_head(*MINE)) + pixels()


# -- what is made -----------------------------------------------------------------------------


@every_case
@pytest.mark.parametrize("lengths", [False, True])
def test_each_case_becomes_what_it_should_to_the_byte(one, lengths):
    groups = (0x0010, 0x0400) if lengths else None
    data = file_of(one.given, DEFLATED, groups)
    new = rewritten(data, one.order)
    original = any(element.tag == 0x04000561 for element in one.given)
    assert new == file_of(one.result, DEFLATED, groups if original or not groups else groups[:1])
    assert rewritten(new, one.order) == new
    assert restore(new, difference(data, new)) == data
    assert second_opinion(data, new) is True


def test_pydicom_reads_the_result_and_its_pixels():
    data = packed(PLAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        was, now = dcmread(BytesIO(data)), dcmread(BytesIO(rewritten(data)))
        assert now.OtherPatientIDsSequence[0].PatientID == BSN
        assert now.PixelData == was.PixelData


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_however_it_was_packed_the_rest_inflates_to_what_it_was(level):
    data = packed(PLAIN, level=level)
    new = rewritten(data)
    assert new[:START] == data[:START]
    assert inflated(new)[0].endswith(pixels())
    assert inflated(new)[1] in (b"", b"\0")
    assert len(new) % 2 == len(data[:START]) % 2


def test_what_gzip_puts_behind_a_stream_is_made_anew():
    def seal(plain):
        return struct.pack("<LL", zlib.crc32(plain), len(plain))

    new = rewritten(packed(PLAIN, end=seal(PLAIN)))
    plain, behind = inflated(new)
    assert behind == seal(plain)
    assert why(packed(PLAIN, end=seal(PLAIN[:-1]))) == "deflated-unproven"


# -- what delta asks --------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 9])
def test_no_byte_of_a_new_file_can_change_come_or_go_unseen(level):
    old = packed(PLAIN, level=level)
    new = rewritten(old)
    assert not objects(old, new, order())
    for position in range(len(new)):
        for mask in (0x01, 0x80, 0xFF):
            flipped = bytearray(new)
            flipped[position] ^= mask
            assert objects(old, bytes(flipped), order()), (position, mask)
        assert objects(old, new[:position] + new[position + 1 :], order()), position
        assert objects(old, new[:position] + b"\0" + new[position:], order()), position
    assert objects(old, new + b"\0", order())


def test_another_rest_or_another_way_to_pack_it_is_suspicious():
    old = packed(PLAIN)
    right, _ = inflated(rewritten(old))
    assert not objects(old, packed(right), order())
    assert objects(old, packed(right, level=1), order())
    assert objects(old, packed(right[:-1] + b"\1"), order())
    assert objects(old, packed(right[:-1]), order())
    assert objects(old, packed(right, end=b"\0\0"), order())
    done = packed(right, level=1)
    assert not objects(done, done, order()), "where nothing is to change, nothing does"
    assert objects(done, packed(right), order())


def test_a_deflated_head_is_no_plain_one():
    plain = dicom(patient_head(*MINE), EXPLICIT)
    assert objects(plain, rewritten(packed(PLAIN)), order())
    assert objects(packed(data_set(patient_head(*MINE))), plain, order())


# -- what is refused --------------------------------------------------------------------------


def test_each_deflated_file_that_is_not_rewritten_has_its_reason(monkeypatch):
    data = packed(PLAIN)
    assert why(data) == ""
    for syntax in JPIP:
        assert why(data.replace(meta(DEFLATED), meta(syntax))) == "deflated"
    head = scan(data, len(data))
    assert rewritable(head, len(data), "") == "deflated", "without the file's bytes"
    for end in (b"\0\0", b"x", b"\0" * 8):
        assert why(packed(PLAIN, end=end)) == "deflated-unproven", end
    assert why(data[:-3]) in {"deflated-unproven", "head-truncated"}
    assert why(packed(PLAIN[:-3])) == "truncated"
    noise = data_set([*patient_head(*MINE), el(0x00420011, "OB", NOISE.randbytes(300_000))])
    assert why(packed(noise)) == "deflated-too-large"
    bomb = data_set([*patient_head(*MINE), el(0x00420011, "OB", bytes(17 << 20))])
    assert len(packed(bomb)) < deflated.FILE_CAP
    assert why(packed(bomb)) == "deflated-too-large"
    assert why(packed(data_set([*patient_head(*MINE), el(0x00420011, "OB", bytes(65 << 20))]))) == (
        "head-inflate-cap"
    )
    monkeypatch.setattr(deflated, "isal_zlib", None)
    assert why(data) == "deflated"


@pytest.mark.parametrize("lies", ["_by_zlib", "_by_isal"])
def test_one_inflater_that_finds_something_else_is_enough(lies, monkeypatch):
    honest = getattr(deflated, lies)
    data = packed(PLAIN)
    monkeypatch.setattr(deflated, lies, lambda *given: honest(*given)[:-1] + b"\7")
    assert why(data) == "deflated-unproven"
    seen = []

    def later(*given):
        seen.append(given)
        return honest(*given) if len(seen) == 1 else None

    monkeypatch.setattr(deflated, lies, later)
    assert why(data) == "deflated-unproven"
    assert len(seen) == 2, "the old stream, then the new one"
