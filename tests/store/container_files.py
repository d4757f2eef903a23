"""Containers for tests, made by the standard library or block by block; and how they are read."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import tempfile
import zipfile

from builders import dicom, identity, patient_head, pixels

from remediation.store.containers import ContainerError, kind_of, members

WHOLE = dicom(patient_head(*identity("12345", "ZKH-OOST")), tail=pixels())
LONG = dicom(patient_head(*identity("54321", "ZKH-OOST")), tail=pixels(size=70_000))
FILES = {"2011/IM0001": WHOLE, "2011/IM0002.dcm": LONG, "2012/empty": b""}
MOMENT = 1_300_000_000
BLOCK = 512


def zipped(files=FILES, method=zipfile.ZIP_DEFLATED, *, moment=(2011, 3, 13, 7, 6, 40)):
    """Return a zip; `files` is a mapping, or pairs where a name comes twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in files.items() if isinstance(files, dict) else files:
            file.writestr(zipfile.ZipInfo(name, moment), data, method)
    return out.getvalue()


def tarred(files=FILES, mode="w", form=tarfile.PAX_FORMAT, *, moment=MOMENT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form, errors="surrogateescape") as file:
        for name, data in files.items() if isinstance(files, dict) else files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), moment
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


def tar_of_kinds(**kinds):
    """Return a tar of headers without data: name to type."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, kind in kinds.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "../../etc/passwd"
            file.addfile(info)
    return out.getvalue()


MADE = {
    "zip": zipped(),
    "stored zip": zipped(method=zipfile.ZIP_STORED),
    "tar, pax": tarred(),
    "tar, gnu": tarred(form=tarfile.GNU_FORMAT),
    "tar, ustar": tarred(form=tarfile.USTAR_FORMAT),
    "tar.gz": tarred(mode="w:gz"),
}


def block(name=b"IM0001", size=0, kind=b"0", *, mtime=b"0", magic=b"ustar\x0000", more=None):
    """Return the header block of a tar member; `size` is a number, or the twelve bytes as such."""
    raw = bytearray(BLOCK)
    fields = {0: name, 124: size if isinstance(size, bytes) else b"%011o" % size, 136: mtime}
    for at, value in {**fields, 156: kind, 257: magic, **(more or {})}.items():
        raw[at : at + len(value)] = value
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


def resealed(data):
    """Return a tar whose headers were altered with the checksums of what they say now."""
    raw = bytearray(data)
    for at in range(0, len(raw) - BLOCK, BLOCK):
        if raw[at + 257 : at + 262] == b"ustar":
            raw[at + 148 : at + 156] = b" " * 8
            raw[at + 148 : at + 156] = b"%06o\0 " % sum(raw[at : at + BLOCK])
    return raw


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def pax(payload, size=None, kind=b"x"):
    """Return a pax header and what it holds."""
    return block(b"PaxHeader", len(payload) if size is None else size, kind) + padded(payload)


def record(key, value):
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while length != len(rest) + len(b"%d" % length):
        length += 1
    return b"%d" % length + rest


END = bytes(2 * BLOCK)


def directory_of(data, change, at=0):
    """Return a zip with the entry `at` of its central directory changed: offset to bytes."""
    raw, start = bytearray(data), data.index(b"PK\1\2")
    for _ in range(at):
        start = data.index(b"PK\1\2", start + 4)
    for offset, value in change.items():
        raw[start + offset : start + offset + len(value)] = value
    return bytes(raw)


def end_record(entries, size, offset):
    """Return the record that ends a zip (APPNOTE section 4.3.16)."""
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries, entries, size, offset, 0)


def enough(_data, _whole):
    return 0


def read(data, kind=None, need=enough, name="IM0001.dcm.gz"):
    """Return a container's members, and the reason of the error that ended them, or nothing."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return read_open(file.fileno(), kind_of(data[:600]) if kind is None else kind, need, name)


def read_open(descriptor, kind, need=enough, name="IM0001.dcm.gz"):
    found = []
    try:
        for member in members(descriptor, kind, need, name):
            found.append(member)  # noqa: PERF402 - those before the error count
    except ContainerError as error:
        return found, error.reason
    finally:
        os.fstat(descriptor)  # still open
    return found, ""


def packed(data, moment=MOMENT):
    return gzip.compress(data, mtime=moment)
