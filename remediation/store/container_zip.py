"""A zip's members: `zipfile` lists its central directory, their first bytes are read here.

Of the methods only "stored" and "deflated" are read: bzip2 and lzma inflate without a limit.
Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.4.
"""

from __future__ import annotations

import datetime as dt
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator

from remediation.store.container_streams import (
    DAMAGED,
    FAR,
    MEMBER_CAP,
    MEMBER_DAMAGED,
    MEMBERS,
    ContainerError,
    Inflated,
    Member,
    Meter,
    Need,
    Span,
    first_bytes,
    leads_out,
    text_of,
)
from remediation.store.files import IoError, read_at

DIRECTORY_CAP = 64 * 1024 * 1024  # bytes of a central directory
LOCAL, EMPTY = b"PK\x03\x04", b"PK\x05\x06"  # how a zip begins, with members and without

_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature; lengths of the name and the extra field
_END = struct.Struct("<4s4xHH10x")  # signature; entries of this disk, entries in all
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13  # the data; strongly; the central directory too
_PATCHED, _UTF8 = 1 << 5, 1 << 11
_BROKEN = b"", False, MEMBER_DAMAGED


class _Listing(Span):
    """A zip as `zipfile` reads it to list it: never too much at once."""

    def read(self, size: int = -1, /) -> bytes:
        if size > DIRECTORY_CAP:
            raise ContainerError(MEMBERS)
        data = super().read(size)
        if data.count(_ENTRY) > MEMBER_CAP:
            raise ContainerError(MEMBERS)
        return data

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        at = offset + (0, self.at, self.end)[whence]
        if at < 0:
            raise OSError("before the beginning")
        self.at = at
        return at


def zip_members(descriptor: int, size: int, need: Need) -> Iterator[Member]:
    """Yield the members of a zip of `size` bytes, as its central directory lists them.

    Raises:
        ContainerError: It cannot be listed, has too many members or inflates to too much.
        IoError: The descriptor cannot be read.
    """
    listed, meter = _listed(descriptor, size), Meter()
    rooms = _rooms(listed)
    for info in listed.infolist():
        name, mode = _name(info), info.external_attr >> 16
        if name.endswith("/") or stat.S_ISDIR(mode):
            continue
        data, whole, error = b"", False, _refusal(info, name, mode)
        if not error:
            room = rooms[info.header_offset]
            data, whole, error = _first(descriptor, info, room, meter, need)
        stated = info.file_size if info.file_size < FAR else -1
        yield Member(name, stated, _time(info), data, whole, error)
    if not _all_listed(descriptor, size, listed):
        raise ContainerError(DAMAGED)


def _listed(descriptor: int, size: int) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(_Listing(descriptor, 0, size))
    except (ContainerError, IoError):
        raise
    except Exception:  # noqa: BLE001 - whatever `zipfile` makes of hostile bytes
        raise ContainerError(DAMAGED) from None


def _all_listed(descriptor: int, size: int, listed: zipfile.ZipFile) -> bool:
    """Tell whether as many members were listed as the zip's last record states, which may wrap."""
    end = read_at(descriptor, max(size - len(listed.comment) - _END.size, 0), _END.size)
    if len(end) < _END.size or not end.startswith(EMPTY):
        return True  # something follows it
    many = 0xFFFF  # the number stands elsewhere
    return {*_END.unpack(end)[1:]} <= {len(listed.infolist()) & many, many}


def _rooms(listed: zipfile.ZipFile) -> dict[int, int]:
    """Return how many bytes there are from each member's start to what follows; overlaps: none."""
    starts = sorted(info.header_offset for info in listed.infolist())
    rooms: dict[int, int] = {}
    for start, follows in zip(starts, [*starts[1:], listed.start_dir], strict=False):
        rooms[start] = 0 if start in rooms else follows - start
    return rooms


def _name(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _UTF8:
        return info.orig_filename
    return text_of(info.orig_filename.encode("cp437"))  # what `zipfile` took the bytes for


def _refusal(info: zipfile.ZipInfo, name: str, mode: int) -> str:
    if leads_out(name):
        return "member-path"
    if stat.S_IFMT(mode) and not stat.S_ISREG(mode):  # as Unix tools store it
        return "not-a-file"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    known = info.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    return "" if known and not info.flag_bits & _PATCHED else "unsupported"


def _first(
    descriptor: int, info: zipfile.ZipInfo, room: int, meter: Meter, need: Need
) -> tuple[bytes, bool, str]:
    """Read a member's first bytes, and hold them against what the central directory states."""
    start, size = info.header_offset, info.file_size
    raw = read_at(descriptor, start, _LOCAL_HEADER.size) if 0 <= start < FAR else b""
    if len(raw) < _LOCAL_HEADER.size or not raw.startswith(LOCAL):
        return _BROKEN
    start += len(raw) + sum(_LOCAL_HEADER.unpack(raw)[1:])
    end = start + info.compress_size
    stored = info.compress_type == zipfile.ZIP_STORED
    if end - info.header_offset > room or (stored and info.compress_size != size):
        return _BROKEN
    packed = Span(descriptor, start, end)
    deflated = Inflated(packed, -zlib.MAX_WBITS, meter)
    data, whole, error = first_bytes(packed if stored else deflated, need)
    true = len(data) <= size and whole == (len(data) == size)
    if error or not true or (whole and zlib.crc32(data) != info.CRC):
        return data, False, MEMBER_DAMAGED
    return data, whole, ""


def _time(info: zipfile.ZipInfo) -> int:
    try:
        moment = dt.datetime(*info.date_time, tzinfo=dt.UTC)
    except ValueError:
        return 0
    return int(moment.timestamp()) * 10**9
