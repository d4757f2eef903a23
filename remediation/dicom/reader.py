"""The reader of data sets: one flat pass over bytes, spans out.

Strict and bounded: what is wrong raises `BrokenError` with a word of a closed list (see `header`),
what is merely odd becomes a note. The pass itself is one function: a call would cost more than an
element does, and an archive has thousands of millions of them.
Source: PS3.5 section 7 (element structures, nesting), section 6.2.2 (UN).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection
from functools import lru_cache
from itertools import repeat
from typing import NoReturn

from pydicom.datadict import DicomDictionary

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
_ITEM_GROUP = ITEM >> 16
_UNPACKERS = {
    order: tuple(struct.Struct(order + form).unpack_from for form in ("HH2sH", "HHL", "L"))
    for order in "<>"
}
_LEAST = 8  # bytes of a value that may be a sequence
# How the header of a VR goes on: a two-byte length, a four-byte one, or something to look at.
_PLAIN, _LONG, _ODD = 0, 1, 2
_FORMS = {vr.encode(): _LONG if vr in LONG_VRS else _PLAIN for vr in KNOWN_VRS}
_FRAGMENTED = frozenset({b"OB", b"OW"})
_SEQUENCES = frozenset({b"SQ", b"UN"})

# What is put aside while something inside is read: see `data_set`.
_State = tuple[int, int, bool, bool, int, int, frozenset[str] | None]


class BrokenError(Exception):
    """What is wrong with the bytes, from a closed list."""


def _broken(word: str) -> NoReturn:
    raise BrokenError(word)


VRS = {tag: dictionary_vr(tag).encode() for tag in DicomDictionary}


@lru_cache(1 << 14)
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
        self.short_form, self.implicit_form, self.long = _UNPACKERS[order]
        self.lead = _ITEM_LEAD[self.little]
        self.notes: set[str] = set()
        self.steps = repeat(0, STEP_CAP)

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
            group, number, vr, length = self.short_form(self.data, position)
            if group != META_GROUP:
                break
            tag, value = group << 16 | number, position + 8
            if form := _FORMS.get(vr, _ODD):
                if form == _ODD:
                    self.notes.add("implicit-meta")
                tag, vr, value, length = self._header(position, explicit=form != _ODD)
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

    def data_set(  # noqa: C901, PLR0912, PLR0915 - the hot loop: a call costs more than an element
        self,
        position: int,
        *,
        explicit: bool,
        until: int = PIXEL_GROUP,
        only: Collection[int] | None = None,
    ) -> tuple[list[Span], int, str]:
        """Read the data set up to Pixel Data or the end; return spans, offset, and error.

        It ends at the group `until`, what lies behind is not looked at; of sequences that say
        their length, the content is read for the tags of `only`, if these are given.

        The span of a container stands before those of its content. Where the data set is broken,
        the spans are those of the whole top-level elements before.
        """
        data, limit, forms, lead = self.data, self.limit, _FORMS, self.lead
        known_vr = VRS.get
        short_form, implicit_form, long = self.short_form, self.implicit_form, self.long
        spans: list[Span] = []
        add = spans.append
        # Of what is being read: its end (UNBOUNDED where only a delimiter says so), the nearest end
        # of what holds it, the form of its headers, whether it is a sequence, the tag before, its
        # own span, and the notes until then if it may turn out to be no sequence at all.
        end = limit if self.missing in ("", "truncated") else UNBOUNDED
        bound, items, last, index, mark = UNBOUNDED, False, -1, -1, None
        stack: list[_State] = []  # the same of what holds it
        cap = limit
        while True:
            try:
                for _ in self.steps:
                    if position >= end:
                        if not stack:
                            return spans, position, ""
                        end, bound, explicit, items, last, index, mark = stack.pop()
                        cap = min(bound, limit)
                        continue
                    value = position + 8
                    if explicit and not items:
                        group, number, vr, length = short_form(data, position)
                        form = forms.get(vr, _ODD)
                    else:
                        group, number, length = implicit_form(data, position)
                        vr, form = b"", _LONG
                        if not items:
                            tag = group << 16 | number
                            vr = known_vr(tag) or _implicit_vr(tag)
                            if length != UNDEFINED and vr not in _SEQUENCES:
                                form = _PLAIN
                    tag = group << 16 | number
                    if group >= until:
                        if not (stack or items) and (until < PIXEL_GROUP or group == PIXEL_GROUP):
                            return spans, position, ""
                        closing = tag == (SEQUENCE_END if items else ITEM_END)
                        if closing and end == UNBOUNDED and stack:
                            self._need(value, bound)
                            if implicit_form(data, position)[2]:
                                self.notes.add("delimiter-length")
                            whole = spans[index]
                            spans[index] = (*whole[:4], value, whole[5])
                            end, bound, explicit, items, last, index, mark = stack.pop()
                            cap, position = min(bound, limit), value
                            continue
                    if items:
                        if tag != ITEM:
                            _broken("no-item")
                        opens, inner, guess = False, explicit, None
                        stop = UNBOUNDED if length == UNDEFINED else value + length
                        if stop > cap and length != UNDEFINED:
                            self._need(stop, bound)
                    else:
                        if group >= _ITEM_GROUP or form == _ODD:
                            self._odd(tag, position, explicit=explicit)
                        if form == _LONG and explicit:
                            if length:
                                self.notes.add("reserved")
                            length, value = long(data, value)[0], position + 12
                            if length != UNDEFINED and vr not in _SEQUENCES:
                                form = _PLAIN
                        if tag <= last:
                            self.notes.add("order")
                        last = tag
                        stop = value + length
                        if form != _LONG:
                            if stop > cap:
                                self._need(stop, bound)
                            add((tag, vr, position, value, stop, explicit))
                            position = stop
                            continue
                        opens, inner, guess = True, explicit and vr == b"SQ", None
                        if length == UNDEFINED:
                            if vr not in _SEQUENCES:
                                if vr not in _FRAGMENTED:
                                    _broken("undefined-length")
                                stop, opens = self._fragments(value, bound), False
                            else:
                                stop = UNBOUNDED
                        else:
                            if stop > cap:
                                self._need(stop, bound)
                            if vr == b"UN" and length >= _LEAST and data[value : value + 4] == lead:
                                guess = frozenset(self.notes)
                            else:
                                opens = vr == b"SQ" and (only is None or tag in only)
                        if not opens:
                            add((tag, vr, position, value, stop, explicit))
                            position = stop
                            continue
                    if len(stack) >= 2 * DEPTH_CAP:
                        _broken("too-deep")
                    stack.append((end, bound, explicit, items, last, index, mark))
                    index = len(spans)
                    add((tag, vr, position, value, stop, explicit))
                    end, explicit, items, last, mark, position = (
                        stop,
                        inner,
                        opens,
                        -1,
                        guess,
                        value,
                    )
                    if stop != UNBOUNDED:
                        bound = stop
                        cap = min(stop, limit)
                _broken("too-many-elements")
            except BrokenError as broken:
                word = str(broken)
            except struct.error:  # `data` ends within a header
                word = self._lacking(position)
            while stack and (mark is None or word == SHORT):
                if len(stack) == 1:
                    del spans[index:]
                    return spans, position, word
                end, bound, explicit, items, last, index, mark = stack.pop()
            if mark is None:
                return spans, position, word
            # A value that only looked like a sequence: it is a plain one.
            self.notes = set(mark)
            del spans[index + 1 :]
            position = end
            end, bound, explicit, items, last, index, mark = stack.pop()
            cap = min(bound, limit)

    def _lacking(self, position: int) -> str:
        """Return the error where a header at `position` is not whole."""
        try:
            self._need(position + 8)
            self._need(position + 12)
        except BrokenError as broken:
            return str(broken)
        return "truncated"

    def _odd(self, tag: int, position: int, *, explicit: bool) -> None:
        """Refuse what is no element; note a VR that the standard does not know."""
        if explicit:
            self._header(position, explicit=True)
        if tag >> 16 == _ITEM_GROUP:
            raise BrokenError("stray-delimiter")

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
