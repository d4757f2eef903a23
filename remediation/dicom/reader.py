"""The reader of data sets: one flat pass over bytes, spans out.

Strict and bounded: what is wrong raises `BrokenError` with a word of a closed list (see `header`),
what is merely odd becomes a note. The pass itself is one function: a call would cost more than an
element does, and an archive has thousands of millions of them.
Source: PS3.5 section 7 (element structures, nesting), section 6.2.2 (UN).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

from remediation.dicom.elements import (
    ITEM,
    ITEM_END,
    KNOWN_VRS,
    LONG_VRS,
    PIXEL_GROUP,
    SEQUENCE_END,
    UNDEFINED,
    Span,
    dictionary_vr,
)

META_GROUP = 0x0002
DEPTH_CAP = 64
STEP_CAP = 400_000  # elements, items and fragments, and looks at what begins or ends them
PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # float, double, integer
PIXEL_GROUP_LENGTH = 0x7FE00000
SHORT = "short"  # more bytes of the file are needed
UNBOUNDED = 1 << 62
VR_FORM = re.compile(rb"[A-Z]{2}")

_ITEM_LEAD = {True: b"\xfe\xff\x00\xe0", False: b"\xff\xfe\xe0\x00"}
_LEAST = 8  # bytes of a value that may be a sequence
# How the header of a VR goes on: a two-byte length, a four-byte one, or something to look at.
_PLAIN, _LONG, _NESTS, _ODD = 0, 1, 2, 3
_FORMS = {vr.encode(): _LONG if vr in LONG_VRS else _PLAIN for vr in KNOWN_VRS} | {b"SQ": _NESTS}
_FRAGMENTED = frozenset({b"OB", b"OW"})
_SEQUENCES = frozenset({b"SQ", b"UN"})


class BrokenError(Exception):
    """What is wrong with the bytes, from a closed list."""


@dataclass(slots=True)
class _Frame:
    """A data set or a sequence (`items`) that is being read."""

    end: int  # UNBOUNDED where only a delimiter says so
    bound: int  # the nearest end of what holds it: nothing inside goes further
    explicit: bool
    items: bool = False
    index: int = -1  # its span
    last: int = -1  # the tag before
    # Notes so far, where the bytes may turn out to be no sequence: then all is taken back.
    notes: frozenset[str] | None = None


@lru_cache(1 << 16)
def _implicit_vr(tag: int) -> bytes:
    return dictionary_vr(tag).encode()


class Reader:
    """One pass over bytes; `notes` gather what a rewriter must know.

    `missing` is the error where bytes are needed that `data` lacks though the file's size, `total`,
    allows for them; empty where `data` ends as it should.
    """

    def __init__(self, data: bytes, order: str, missing: str, total: int) -> None:
        self.data, self.missing, self.total, self.little = data, missing, total, order == "<"
        self.limit = len(data)
        self.short_form = struct.Struct(order + "HH2sH").unpack_from
        self.implicit_form = struct.Struct(order + "HHL").unpack_from
        self.long = struct.Struct(order + "L").unpack_from
        self.lead = _ITEM_LEAD[self.little]
        self.notes: set[str] = set()
        self.spans: list[Span] = []
        self.steps = repeat(0, STEP_CAP)
        self.at = 0  # where it was broken

    def _need(self, end: int, bound: int = UNBOUNDED) -> None:
        if end > bound:
            raise BrokenError("overrun")
        if end > self.limit:
            raise BrokenError((end <= self.total and self.missing) or "truncated")

    def _header(self, position: int, *, explicit: bool) -> tuple[int, bytes, int, int]:
        """Return tag, VR, offset of the value, and its length."""
        self._need(position + 8)
        group, number, length = self.implicit_form(self.data, position)
        tag = group << 16 | number
        if not explicit:
            return tag, _implicit_vr(tag), position + 8, length
        _, _, vr, length = self.short_form(self.data, position)
        form = _FORMS.get(vr, _ODD)
        if form == _ODD:
            if not VR_FORM.fullmatch(vr):
                raise BrokenError("bad-vr")
            self.notes.add("unknown-vr")
        if form in (_PLAIN, _ODD):
            return tag, vr, position + 8, length
        self._need(position + 12)
        if length:
            self.notes.add("reserved")
        return tag, vr, position + 12, self.long(self.data, position + 8)[0]

    def meta(self, start: int) -> tuple[list[Span], int]:
        """Read group 0002 (always explicit, little endian) by its tags, not by its length."""
        position, spans, last = start, list[Span](), -1
        while self.missing == SHORT or position + 8 <= self.limit:
            self._need(position + 8)
            group, _, raw, _ = self.short_form(self.data, position)
            if group != META_GROUP:
                break
            explicit = raw in _FORMS
            if not explicit:
                self.notes.add("implicit-meta")
            tag, vr, value, length = self._header(position, explicit=explicit)
            end = value + length
            self._need(end)
            if tag <= last:
                self.notes.add("order")
            spans.append((tag, vr, position, value, end, True))
            position, last = end, tag
        return spans, position

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

    def data_set(self, position: int, *, explicit: bool) -> tuple[list[Span], int, str]:
        """Read the data set up to Pixel Data or the end; return spans, offset, and error.

        The span of a container stands before those of its content. Where the data set is broken,
        the spans are those of the whole top-level elements before.
        """
        end = self.limit if self.missing in ("", "truncated") else UNBOUNDED
        stack = [_Frame(end, UNBOUNDED, explicit)]
        self.at = position
        while True:
            try:
                while stack:
                    position = self.at = self._step(stack, position)
            except BrokenError as broken:
                back = None if str(broken) == SHORT else self._taken_back(stack)
                if back is None:
                    del self.spans[stack[1].index if len(stack) > 1 else len(self.spans) :]
                    return self.spans, self.at, str(broken)
                position = back
            else:
                return self.spans, position, ""

    def _step(self, stack: list[_Frame], position: int) -> int:
        """Go on to the next begin or end of a container."""
        frame = stack[-1]
        if position < frame.end:
            if frame.items:
                return self._in_sequence(stack, frame, position)
            position = self.at = self._elements(frame, position)
            if position < frame.end:
                return self._special(stack, frame, position)
        stack.pop()
        return position

    def _elements(self, frame: _Frame, position: int) -> int:  # noqa: C901, PLR0912 - the hot loop
        """Read plain elements of one data set; return where something else stands."""
        data, add, long, forms = self.data, self.spans.append, self.long, _FORMS
        short_form, implicit_form, lead = self.short_form, self.implicit_form, self.lead
        explicit, end, last = frame.explicit, frame.end, frame.last
        cap = min(frame.bound, self.limit)
        try:
            for _ in self.steps:
                if position >= end:
                    break
                value = position + 8
                if explicit:
                    group, number, vr, length = short_form(data, position)
                    form = forms.get(vr, _ODD)
                    if form:
                        if form != _LONG:
                            break
                        if length:
                            self.notes.add("reserved")
                        length, value = long(data, value)[0], position + 12
                else:
                    group, number, length = implicit_form(data, position)
                    vr = _implicit_vr(group << 16 | number)
                    form = _LONG
                    if vr == b"SQ":
                        break
                if group >= PIXEL_GROUP:
                    break
                if form and (
                    length == UNDEFINED or (vr == b"UN" and data[value : value + 4] == lead)
                ):
                    break
                tag = group << 16 | number
                if tag <= last:
                    self.notes.add("order")
                stop = value + length
                if stop > cap:
                    self.at = position
                    self._need(stop, frame.bound)
                add((tag, vr, position, value, stop, explicit))
                last, position = tag, stop
            else:
                raise BrokenError("too-many-elements")
        except struct.error:  # `data` ends within a header
            pass
        frame.last = last
        return position

    def _special(self, stack: list[_Frame], frame: _Frame, position: int) -> int:
        """Read what is no plain element: the end of an item or of the head, a container."""
        self._need(position + 8)
        group, number, length = self.implicit_form(self.data, position)
        tag = group << 16 | number
        if group == PIXEL_GROUP and len(stack) == 1:
            stack.clear()
            return position
        if tag == ITEM_END and frame.end == UNBOUNDED and len(stack) > 1:
            return self._closed(stack, position, length)
        tag, vr, value, length = self._header(position, explicit=frame.explicit)
        if tag >> 16 == ITEM >> 16:
            raise BrokenError("stray-delimiter")
        if tag <= frame.last:
            self.notes.add("order")
        frame.last = tag
        if length == UNDEFINED:
            if vr in _FRAGMENTED:
                end = self._fragments(value, frame.bound)
                self._add(tag, vr, position, value, end, explicit=frame.explicit)
                return end
            if vr not in _SEQUENCES:
                raise BrokenError("undefined-length")
            explicit = vr == b"SQ" and frame.explicit
            return self._open(stack, frame, (tag, vr, position, value, UNBOUNDED), explicit)
        end = value + length
        self._need(end, frame.bound)
        looks = vr == b"UN" and length >= _LEAST and self.data[value : value + 4] == self.lead
        if vr != b"SQ" and not looks:
            self._add(tag, vr, position, value, end, explicit=frame.explicit)
            return end
        notes = frozenset(self.notes) if looks else None
        explicit = frame.explicit and not looks
        return self._open(stack, frame, (tag, vr, position, value, end), explicit, notes)

    def _in_sequence(self, stack: list[_Frame], frame: _Frame, position: int) -> int:
        self._need(position + 8)
        group, number, length = self.implicit_form(self.data, position)
        tag = group << 16 | number
        if tag == SEQUENCE_END and frame.end == UNBOUNDED:
            return self._closed(stack, position, length)
        if tag != ITEM:
            raise BrokenError("no-item")
        value = position + 8
        end = UNBOUNDED if length == UNDEFINED else value + length
        self._need(value if length == UNDEFINED else end, frame.bound)
        return self._open(stack, frame, (tag, b"", position, value, end), frame.explicit)

    def _open(
        self,
        stack: list[_Frame],
        frame: _Frame,
        opened: tuple[int, bytes, int, int, int],
        explicit: bool,  # noqa: FBT001 - of what stands inside
        notes: frozenset[str] | None = None,
    ) -> int:
        tag, vr, start, value, end = opened
        if len(stack) > 2 * DEPTH_CAP:
            raise BrokenError("too-deep")
        bound = frame.bound if end == UNBOUNDED else end
        index = len(self.spans)
        stack.append(_Frame(end, bound, explicit, tag != ITEM, index, -1, notes))
        self._add(tag, vr, start, value, end, explicit=frame.explicit)
        return value

    def _closed(self, stack: list[_Frame], position: int, length: int) -> int:
        """End a container at its delimiter: now its span has an end."""
        if length:
            self.notes.add("delimiter-length")
        frame, after = stack.pop(), position + 8
        self._need(after, frame.bound)
        tag, vr, start, value, _, explicit = self.spans[frame.index]
        self.spans[frame.index] = (tag, vr, start, value, after, explicit)
        return after

    def _taken_back(self, stack: list[_Frame]) -> int | None:
        """Make a value that only looked like a sequence plain again; None where it was none."""
        for depth in range(len(stack) - 1, 0, -1):
            frame = stack[depth]
            if frame.notes is not None:
                del stack[depth:], self.spans[frame.index + 1 :]
                self.notes = set(frame.notes)
                return frame.end
        return None

    def _add(self, *span: Any, explicit: bool) -> None:
        if next(self.steps, 1):
            raise BrokenError("too-many-elements")
        self.spans.append((*span, explicit))

    def _fragments(self, position: int, bound: int) -> int:
        """Skip encapsulated fragments inside an item (an icon's pixels, for one)."""
        while True:
            self._need(position + 8)
            group, number, length = self.implicit_form(self.data, position)
            tag = group << 16 | number
            position += 8
            if tag == SEQUENCE_END:
                if length:
                    self.notes.add("delimiter-length")
                self._need(position, bound)
                return position
            if tag != ITEM or length == UNDEFINED:
                raise BrokenError("fragments")
            if next(self.steps, 1):
                raise BrokenError("too-many-elements")
            position += length
            self._need(position, bound)
