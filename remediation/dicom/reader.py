"""The reader of data sets: one pass over bytes with an explicit stack, bytes in, spans out.

Strict and bounded: what is wrong raises `BrokenError` with a word of a closed list (see `header`),
what is merely odd becomes a note. Source: PS3.5 section 7 (element structures, nesting).
"""

from __future__ import annotations

import re
import struct
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
    Item,
    dictionary_vr,
)

META_GROUP = 0x0002
DEPTH_CAP = 64
ELEMENT_CAP = 200_000
PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # float, double, integer
PIXEL_GROUP_LENGTH = 0x7FE00000
SHORT = "short"  # more bytes of the file are needed
UNBOUNDED = 1 << 62
VR_FORM = re.compile(rb"[A-Z]{2}")

_ITEM_LEAD = {True: b"\xfe\xff\x00\xe0", False: b"\xff\xfe\xe0\x00"}


class BrokenError(Exception):
    """What is wrong with the bytes, from a closed list."""


@dataclass(slots=True)
class _Frame:
    """A data set (`items` is None) or a sequence that is being read."""

    end: int | None  # None: undefined length
    explicit: bool
    opened: tuple[int, str, int, int]  # tag, VR, start, value of the element or item
    elements: list[Element] = field(default_factory=list)
    items: list[Item] | None = None
    bound: int = UNBOUNDED  # the nearest end of what holds it: nothing inside goes further
    # Notes so far, where the bytes may turn out to be no sequence: then all is taken back.
    tentative: frozenset[str] | None = None


class Reader:
    """One pass over bytes with an explicit stack; `notes` gather what a rewriter must know.

    `missing` is the error where bytes are needed that `data` lacks though the file's size, `total`,
    allows for them; empty where `data` ends as it should.
    """

    def __init__(self, data: bytes, order: str, missing: str, total: int) -> None:
        self.data, self.missing, self.total, self.little = data, missing, total, order == "<"
        self.limit = len(data)
        self.tag_of = struct.Struct(order + "HH").unpack_from
        self.long = struct.Struct(order + "L").unpack_from
        self.word = struct.Struct(order + "H").unpack_from
        self.count = 0
        self.notes: set[str] = set()

    def _need(self, end: int, bound: int = UNBOUNDED) -> None:
        if end > bound:
            raise BrokenError("overrun")
        if end > self.limit:
            raise BrokenError((end <= self.total and self.missing) or "truncated")

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
            if not VR_FORM.fullmatch(raw):
                raise BrokenError("bad-vr")
            self.notes.add("unknown-vr")
        return tag, vr, position + 8, self.word(self.data, position + 6)[0]

    def _delimiter(self, position: int) -> None:
        if self.long(self.data, position + 4)[0]:
            self.notes.add("delimiter-length")

    def meta(self, start: int) -> tuple[tuple[Element, ...], int]:
        """Read group 0002 (always explicit, little endian) by its tags, not by its length."""
        position, found = start, list[Element]()
        while self.missing == SHORT or position + 8 <= self.limit:
            if self._tag(position) >> 16 != META_GROUP:
                break
            explicit = self.data[position + 4 : position + 6].decode("latin-1") in KNOWN_VRS
            if not explicit:
                self.notes.add("implicit-meta")
            tag, vr, value, length = self._header(position, explicit=explicit)
            self._need(value + length)
            if found and tag <= found[-1].tag:
                self.notes.add("order")
            found.append(Element(tag, vr, position, value, value + length))
            position = value + length
        return tuple(found), position

    def pixel_end(self, position: int, *, explicit: bool) -> int | None:
        """Return the offset after Pixel Data of defined length, as its header states it.

        None where there is none, or where it is encapsulated. Past the file's end where the file
        ends inside that header.

        Raises:
            BrokenError: `short`, or no element stands there.
        """
        while position < self.limit or self.missing == SHORT:
            least = position + (12 if explicit else 8)
            if self.missing == "truncated" and least > self.limit:
                return least
            tag, _, value, length = self._header(position, explicit=explicit)
            if tag in PIXEL_DATA and length != UNDEFINED:
                return value + length
            if tag != PIXEL_GROUP_LENGTH:
                return None
            position = value + length
        return None

    def data_set(self, position: int, *, explicit: bool) -> tuple[list[Element], int, str]:
        """Read the data set up to Pixel Data or the end; return elements, offset, and error."""
        ends = self.missing in ("", "truncated")
        top = _Frame(self.limit if ends else None, explicit, (0, "", position, position))
        stack = [top]
        while True:
            try:
                following = self._step(stack, position)
            except BrokenError as broken:
                following = self._unwind(stack, broken)
                if following is None:
                    return top.elements, position, str(broken)
            if following is None:
                return top.elements, position, ""
            position = following

    def _unwind(self, stack: list[_Frame], broken: BrokenError) -> int | None:
        """Take back a value that only looked like a sequence; None where it was none of these."""
        if str(broken) == SHORT:
            return None
        for depth in range(len(stack) - 1, 0, -1):
            frame = stack[depth]
            if frame.tentative is not None:
                assert frame.end is not None
                del stack[depth:]
                self.notes = set(frame.tentative)
                self._add(stack[-1], frame.opened, frame.end)
                return frame.end
        return None

    @staticmethod
    def _add(
        frame: _Frame,
        opened: tuple[int, str, int, int],
        end: int,
        items: tuple[Item, ...] = (),
        *,
        undefined: bool = False,
    ) -> None:
        tag, vr, start, value = opened
        explicit = frame.explicit
        frame.elements.append(Element(tag, vr, start, value, end, undefined, items, explicit))

    def _step(self, stack: list[_Frame], position: int) -> int | None:
        frame = stack[-1]
        if frame.end is not None and position >= frame.end:
            return None if len(stack) == 1 else self._close(stack, position)
        tag = self._tag(position)
        if frame.items is not None:
            return self._step_items(stack, frame, position, tag)
        if len(stack) == 1 and tag >> 16 == PIXEL_GROUP:
            return None
        if tag == ITEM_END and frame.end is None and len(stack) > 1:
            self._delimiter(position)
            return self._close(stack, position + 8)
        return self._element(stack, frame, position)

    def _counted(self) -> None:
        self.count += 1
        if self.count > ELEMENT_CAP:
            raise BrokenError("too-many-elements")

    def _element(self, stack: list[_Frame], frame: _Frame, position: int) -> int:
        self._counted()
        tag, vr, value, length = self._header(position, explicit=frame.explicit)
        if tag >> 16 == ITEM >> 16:
            raise BrokenError("stray-delimiter")
        if frame.elements and tag <= frame.elements[-1].tag:
            self.notes.add("order")
        opened = (tag, vr, position, value)
        if length == UNDEFINED:
            if vr in ("OB", "OW"):
                end = self._fragments(value, frame.bound)
                self._add(frame, opened, end, undefined=True)
                return end
            if vr not in ("SQ", "UN"):
                raise BrokenError("undefined-length")
            return self._open(stack, _Frame(None, vr == "SQ" and frame.explicit, opened, items=[]))
        end = value + length
        self._need(end, frame.bound)
        if vr == "SQ":
            return self._open(stack, _Frame(end, frame.explicit, opened, items=[]))
        if vr == "UN" and length >= 8 and self.data[value : value + 4] == _ITEM_LEAD[self.little]:  # noqa: PLR2004
            notes = frozenset(self.notes)
            return self._open(stack, _Frame(end, False, opened, items=[], tentative=notes))
        self._add(frame, opened, end)
        return end

    @staticmethod
    def _open(stack: list[_Frame], frame: _Frame) -> int:
        if len(stack) > 2 * DEPTH_CAP:
            raise BrokenError("too-deep")
        frame.bound = stack[-1].bound if frame.end is None else frame.end
        stack.append(frame)
        return frame.opened[3]

    def _step_items(self, stack: list[_Frame], frame: _Frame, position: int, tag: int) -> int:
        length = self.long(self.data, position + 4)[0]
        if tag == SEQUENCE_END and frame.end is None:
            self._delimiter(position)
            return self._close(stack, position + 8)
        if tag != ITEM:
            raise BrokenError("no-item")
        self._counted()
        value = position + 8
        end = None if length == UNDEFINED else value + length
        self._need(end or value, frame.bound)
        return self._open(stack, _Frame(end, frame.explicit, (tag, "", position, value)))

    def _close(self, stack: list[_Frame], after: int) -> int:
        """End a sequence or an item; it becomes part of what holds it."""
        frame = stack.pop()
        undefined = frame.end is None
        self._need(after, frame.bound)
        if frame.items is not None:
            self._add(stack[-1], frame.opened, after, tuple(frame.items), undefined=undefined)
            return after
        holder = stack[-1].items
        assert holder is not None
        _, _, start, value = frame.opened
        holder.append(Item(start, value, after, undefined, tuple(frame.elements)))
        return after

    def _fragments(self, position: int, bound: int) -> int:
        """Skip encapsulated fragments inside an item (an icon's pixels, for one)."""
        while True:
            tag = self._tag(position)
            length = self.long(self.data, position + 4)[0]
            if tag == SEQUENCE_END:
                self._delimiter(position)
                self._need(position + 8, bound)
                return position + 8
            if tag != ITEM or length == UNDEFINED:
                raise BrokenError("fragments")
            self._counted()
            position += 8 + length
            self._need(position, bound)
