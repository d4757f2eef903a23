"""The header scanner: bytes in, spans out; strict, bounded and total.

Any bytes give a `Head`; what is wrong with them is its `error`, never an exception. Pixel Data is
not read. No recursion: nesting, elements and inflated bytes have caps. Source: PS3.5 section 7
(explicit and implicit VR, nesting), annex A (transfer syntaxes); PS3.10 section 7 (meta header).
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field

from remediation.dicom.elements import (
    ITEM,
    ITEM_END,
    KNOWN_VRS,
    LONG_VRS,
    PIXEL_GROUP,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Head,
    Item,
    dictionary_vr,
)

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95"})
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

META_GROUP = 0x0002
DEPTH_CAP = 64
ELEMENT_CAP = 200_000
INFLATE_CAP = 64 * 1024 * 1024
PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # float, double, integer
SHORT = "short"  # more bytes of the file are needed

_ITEM_LEAD = {True: b"\xfe\xff\x00\xe0", False: b"\xff\xfe\xe0\x00"}
_CONTAINERS = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf")
_VR_FORM = re.compile(rb"[A-Z]{2}")


class _BrokenError(Exception):
    """What is wrong with the bytes, from a closed list."""


@dataclass(slots=True)
class _Frame:
    """A data set (`items` is None) or a sequence that is being read."""

    end: int | None  # None: undefined length
    explicit: bool
    opened: tuple[int, str, int, int]  # tag, VR, start, value of the element or item
    elements: list[Element] = field(default_factory=list)
    items: list[Item] | None = None
    tentative: int | None = None  # offset to go on from where these bytes were no sequence


def looks_like_dicom(data: bytes) -> bool:
    """Tell whether bytes begin as a DICOM file does, with preamble or without."""
    if data[128:132] == b"DICM":
        return True
    if len(data) < 8:  # noqa: PLR2004 - the shortest element
        return False
    if _bare_big_endian(data):
        return True
    group, element = struct.unpack_from("<HH", data)
    if group not in (0x0002, 0x0008) or element > 0x0100:  # noqa: PLR2004 - the first groups
        return False
    return data[4:6].decode("latin-1") in KNOWN_VRS or data[6:8] == b"\0\0"


def _bare_big_endian(data: bytes) -> bool:
    return data[:2] == b"\0\x08" and data[4:6].decode("latin-1") in KNOWN_VRS


def looks_like_container(data: bytes) -> bool:
    """Tell whether bytes begin as an archive of files does: zip, gzip, bzip2, 7z, tar."""
    return data.startswith(_CONTAINERS) or data[257:262] == b"ustar"


def scan(data: bytes, total: int) -> Head:
    """Read the first bytes of a file into a `Head`.

    Args:
        data: the file's first bytes, from its start.
        total: the file's size in bytes; where `data` is less and the head goes on, the error is
            `short`: call again with more.
    """
    start = 132 if data[128:132] == b"DICM" else 0
    complete = len(data) >= total
    reader = _Reader(data, order="<", complete=complete)
    try:
        meta, position = reader.meta(start)
        error = ""
    except _BrokenError as broken:
        return Head(data, "", True, True, False, (), (), start, str(broken))
    syntax = _value(data, meta, 0x00020010)
    notes = set() if meta else {"no-meta"}
    if not meta and _bare_big_endian(data[start:]):
        syntax = EXPLICIT_BIG
    body, deflated = data, syntax in DEFLATED
    if deflated:
        body, complete = _inflate(data[position:], complete=complete)
        position = 0
    little = syntax != EXPLICIT_BIG
    reader = _Reader(body, order="<" if little else ">", complete=complete)
    explicit = _VR_FORM.fullmatch(body[position + 4 : position + 6]) is not None
    if syntax and explicit == (syntax == IMPLICIT_LITTLE):
        notes.add("syntax-mismatch")
    syntax = syntax or (EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE)
    elements, position, error = reader.data_set(position, explicit=explicit)
    notes |= reader.notes
    pixel_end = None if error or deflated else reader.pixel_end(position, explicit=explicit)
    return Head(
        body,
        syntax,
        explicit,
        little,
        deflated,
        meta,
        tuple(elements),
        position,
        error,
        frozenset(notes),
        pixel_end,
    )


def _value(data: bytes, elements: tuple[Element, ...], tag: int) -> str:
    found = next((e for e in elements if e.tag == tag), None)
    return data[found.value : found.end].decode("latin-1").strip(" \0") if found else ""


def _inflate(data: bytes, *, complete: bool) -> tuple[bytes, bool]:
    """Return inflated bytes, capped, and whether they are all that can be had."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        body = stream.decompress(data, INFLATE_CAP)
    except zlib.error:
        return b"", complete
    return body, complete or stream.eof or len(body) >= INFLATE_CAP


class _Reader:
    """One pass over bytes with an explicit stack; `notes` gather what a rewriter must know."""

    def __init__(self, data: bytes, *, order: str, complete: bool) -> None:
        self.data, self.complete, self.little = data, complete, order == "<"
        self.limit = len(data)
        self.tag_of = struct.Struct(order + "HH").unpack_from
        self.long = struct.Struct(order + "L").unpack_from
        self.word = struct.Struct(order + "H").unpack_from
        self.count = 0
        self.notes: set[str] = set()

    def _need(self, end: int) -> None:
        if end > self.limit:
            raise _BrokenError("truncated" if self.complete else SHORT)

    def _tag(self, position: int) -> int:
        self._need(position + 8)
        group, element = self.tag_of(self.data, position)
        return int(group) << 16 | int(element)

    def _header(self, position: int, *, explicit: bool) -> tuple[int, str, int, int]:
        """Return tag, VR, offset of the value, and its length."""
        tag = self._tag(position)
        if not explicit:
            return tag, dictionary_vr(tag), position + 8, self.long(self.data, position + 4)[0]
        raw = self.data[position + 4 : position + 6]
        vr = raw.decode("latin-1")
        if vr in LONG_VRS:
            self._need(position + 12)
            if self.data[position + 6 : position + 8] != b"\0\0":
                self.notes.add("reserved")
            return tag, vr, position + 12, self.long(self.data, position + 8)[0]
        if vr not in KNOWN_VRS:
            if not _VR_FORM.fullmatch(raw):
                raise _BrokenError("bad-vr")
            self.notes.add("unknown-vr")
        return tag, vr, position + 8, self.word(self.data, position + 6)[0]

    def _delimiter(self, position: int) -> None:
        if self.long(self.data, position + 4)[0]:
            self.notes.add("delimiter-length")

    def meta(self, start: int) -> tuple[tuple[Element, ...], int]:
        """Read group 0002 (always explicit, little endian) by its tags, not by its length."""
        position, found = start, []
        while position + 8 <= self.limit and self._tag(position) >> 16 == META_GROUP:
            explicit = self.data[position + 4 : position + 6].decode("latin-1") in KNOWN_VRS
            if not explicit:
                self.notes.add("implicit-meta")
            tag, vr, value, length = self._header(position, explicit=explicit)
            self._need(value + length)
            found.append(Element(tag, vr, position, value, value + length))
            position = value + length
        return tuple(found), position

    def pixel_end(self, position: int, *, explicit: bool) -> int | None:
        """Return the offset after Pixel Data of defined length, as its header states it."""
        while position + 12 <= self.limit:
            try:
                tag, _, value, length = self._header(position, explicit=explicit)
            except _BrokenError:
                return None
            if length == UNDEFINED:
                return None
            if tag in PIXEL_DATA:
                return value + length
            position = value + length
        return None

    def data_set(self, position: int, *, explicit: bool) -> tuple[list[Element], int, str]:
        """Read the data set up to Pixel Data or the end; return elements, offset, and error."""
        top = _Frame(self.limit if self.complete else None, explicit, (0, "", position, position))
        stack = [top]
        while True:
            try:
                following = self._step(stack, position)
            except _BrokenError as broken:
                following = self._unwind(stack, broken)
                if following is None:
                    return top.elements, position, str(broken)
            if following is None:
                return top.elements, position, ""
            position = following

    @staticmethod
    def _unwind(stack: list[_Frame], broken: _BrokenError) -> int | None:
        """Take back a value that only looked like a sequence; None where it was none of these."""
        if str(broken) == SHORT:
            return None
        for depth in range(len(stack) - 1, 0, -1):
            after = stack[depth].tentative
            if after is not None:
                tag, vr, start, value = stack[depth].opened
                explicit = stack[depth - 1].explicit
                del stack[depth:]
                stack[-1].elements.append(Element(tag, vr, start, value, after, explicit=explicit))
                return after
        return None

    def _step(self, stack: list[_Frame], position: int) -> int | None:
        frame = stack[-1]
        if frame.end is not None and position >= frame.end:
            if position > frame.end:
                raise _BrokenError("overrun")
            return None if len(stack) == 1 else self._close(stack, position, position)
        if frame.items is not None:
            return self._step_items(stack, frame, position)
        if len(stack) == 1 and position == self.limit and not self.complete:
            raise _BrokenError(SHORT)
        tag = self._tag(position)
        if tag == ITEM_END and frame.end is None and len(stack) > 1:
            self._delimiter(position)
            return self._close(stack, position, position + 8)
        if len(stack) == 1 and tag >> 16 == PIXEL_GROUP:
            return None
        return self._element(stack, frame, position)

    def _element(self, stack: list[_Frame], frame: _Frame, position: int) -> int:
        self.count += 1
        if self.count > ELEMENT_CAP:
            raise _BrokenError("too-many-elements")
        tag, vr, value, length = self._header(position, explicit=frame.explicit)
        if tag >> 16 == ITEM >> 16:
            raise _BrokenError("stray-delimiter")
        if frame.elements and tag <= frame.elements[-1].tag:
            self.notes.add("order")
        opened = (tag, vr, position, value)
        if length == UNDEFINED:
            if vr in ("OB", "OW"):
                end = self._fragments(value)
                frame.elements.append(
                    Element(tag, vr, position, value, end, True, explicit=frame.explicit)
                )
                return end
            if vr not in ("SQ", "UN"):
                raise _BrokenError("undefined-length")
            return self._open(stack, _Frame(None, vr == "SQ" and frame.explicit, opened, items=[]))
        end = value + length
        if end > (self.limit if frame.end is None else frame.end):
            self._need(end)
            raise _BrokenError("overrun")
        if vr == "SQ":
            return self._open(stack, _Frame(end, frame.explicit, opened, items=[]))
        if vr == "UN" and length >= 8 and self.data[value : value + 4] == _ITEM_LEAD[self.little]:  # noqa: PLR2004
            return self._open(stack, _Frame(end, False, opened, items=[], tentative=end))
        frame.elements.append(Element(tag, vr, position, value, end, explicit=frame.explicit))
        return end

    @staticmethod
    def _open(stack: list[_Frame], frame: _Frame) -> int:
        if len(stack) > 2 * DEPTH_CAP:
            raise _BrokenError("too-deep")
        stack.append(frame)
        return frame.opened[3]

    def _step_items(self, stack: list[_Frame], frame: _Frame, position: int) -> int:
        tag = self._tag(position)
        length = self.long(self.data, position + 4)[0]
        if tag == SEQUENCE_END and frame.end is None:
            self._delimiter(position)
            return self._close(stack, position, position + 8)
        if tag != ITEM:
            raise _BrokenError("no-item")
        self.count += 1
        if self.count > ELEMENT_CAP:
            raise _BrokenError("too-many-elements")
        value = position + 8
        end = None if length == UNDEFINED else value + length
        if end is not None and end > (self.limit if frame.end is None else frame.end):
            self._need(end)
            raise _BrokenError("overrun")
        return self._open(stack, _Frame(end, frame.explicit, (tag, "", position, value)))

    @staticmethod
    def _close(stack: list[_Frame], value_end: int, after: int) -> int:
        """End a sequence or an item; it becomes part of what holds it."""
        frame = stack.pop()
        tag, vr, start, value = frame.opened
        undefined = frame.end is None
        if frame.items is None:
            holder = stack[-1].items
            assert holder is not None
            holder.append(Item(start, value, after, undefined, tuple(frame.elements)))
        else:
            explicit = stack[-1].explicit
            items = tuple(frame.items)
            stack[-1].elements.append(
                Element(tag, vr, start, value, after, undefined, items, explicit)
            )
        assert value_end <= after
        return after

    def _fragments(self, position: int) -> int:
        """Skip encapsulated fragments inside an item (an icon's pixels, for one)."""
        while True:
            tag = self._tag(position)
            length = self.long(self.data, position + 4)[0]
            if tag == SEQUENCE_END:
                return position + 8
            if tag != ITEM or length == UNDEFINED:
                raise _BrokenError("fragments")
            self.count += 1
            if self.count > ELEMENT_CAP:
                raise _BrokenError("too-many-elements")
            self._need(position + 8 + length)
            position += 8 + length
