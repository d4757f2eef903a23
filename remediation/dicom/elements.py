"""Elements and items as spans: where they stand in the head, not what they mean.

Offsets are bytes from the start of the file; where it is deflated, of the file as if the data set
had never been: meta header first, inflated data set behind it. Source: DICOM PS3.5 section 7
(data element structure, nesting of data sets).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydicom.datadict import DicomDictionary

from remediation.dicom.index import Index, index

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_GROUP = 0x7FE0
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
SHORT_VRS = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL"}
    | {"SS", "ST", "TM", "UI", "UL", "US"}
)
KNOWN_VRS = LONG_VRS | SHORT_VRS
_UNDEFINED_BYTES = b"\xff\xff\xff\xff"
_SHORT_HEADER = 8  # bytes of tag, VR and two-byte length


class _Inside:
    """The content of a sequence or an item, built when it is asked for: few ever are."""

    __slots__ = ("_built", "_first", "_last", "data", "spans")

    def __init__(self, data: bytes, spans: Sequence[Span], first: int, last: int) -> None:
        self.data, self.spans = data, spans
        self._first, self._last = first, last
        self._built: tuple[Any, ...] | None = None

    def parts(self) -> tuple[Any, ...]:
        """Return the elements of an item, or the items of a sequence."""
        if self._built is None:
            self._built = _level(self.data, self.spans, self._first, self._last)
        return self._built


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a sequence: `start` of its tag, `value` to `end` (delimiter included)."""

    start: int
    value: int
    end: int
    undefined: bool
    _inside: _Inside | None = field(default=None, repr=False, compare=False)

    @property
    def elements(self) -> tuple[Element, ...]:
        """Its elements."""
        return self._inside.parts() if self._inside else ()


@dataclass(frozen=True, slots=True)
class Element:
    """One element: `start` of its tag, `value` offset, `end` after the value or its delimiter."""

    tag: int
    vr: str
    start: int
    value: int
    end: int
    undefined: bool = False
    explicit: bool = True
    _inside: _Inside | None = field(default=None, repr=False, compare=False)

    @property
    def items(self) -> tuple[Item, ...]:
        """The items of a sequence."""
        return self._inside.parts() if self._inside else ()


# One element or item as the reader met it: tag, VR (empty for an item), start of its tag, value
# offset, end after the value or its delimiter, and whether its header is explicit. A container
# stands before its content.
Span = tuple[int, bytes, int, int, int, bool]


@dataclass(frozen=True)
class Head:
    """The head of a file as spans; reading is total, so a damaged one has its `error`.

    `data` holds the bytes that the offsets count in; `length` is the head's end in it. `spans` are
    those of the data set in the order of the file, `meta_spans` those of group 0002. `notes` name
    what a rewriter must refuse.
    """

    data: bytes = field(repr=False)
    syntax: str
    explicit: bool
    little: bool
    deflated: bool
    meta_spans: list[Span] = field(repr=False)
    spans: list[Span] = field(repr=False)
    length: int
    error: str = ""
    notes: frozenset[str] = field(default_factory=frozenset)
    pixel_end: int | None = None  # offset after defined-length Pixel Data; None if not known
    quick: bool = field(default=False, compare=False)  # made by the compiled pass, where it is

    @cached_property
    def meta(self) -> tuple[Element, ...]:
        """The elements of group 0002."""
        return tree(self.data, self.meta_spans)

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """The elements of the data set, with their items."""
        return tree(self.data, self.spans)

    @cached_property
    def index(self) -> Index:
        """The spans sorted out for those who look for something."""
        return index(self.spans, quick=self.quick)

    @cached_property
    def _first(self) -> dict[int, Element]:
        return {element.tag: element for element in reversed(self.elements)}

    @property
    def top(self) -> dict[int, Span]:
        """The first top-level span of each tag."""
        return self.index.top

    def find(self, tag: int) -> Element | None:
        """Return the first top-level element with this tag."""
        return self._first.get(tag)

    def raw(self, element: Element | None) -> bytes:
        """Return the bytes of a value, padding included; empty for None."""
        return self.data[element.value : element.end] if element else b""

    def text(self, element: Element | None) -> str:
        """Return a value as text, each byte one character, outer padding taken off."""
        return self.raw(element).decode("latin-1").strip(" \0")

    def bytes_of(self, tag: int) -> bytes:
        """Return the bytes of the first top-level element with this tag; empty for none."""
        span = self.top.get(tag)
        return self.data[span[3] : span[4]] if span else b""

    def text_of(self, tag: int) -> str:
        """Return the text of the first top-level element with this tag; empty for none."""
        span = self.top.get(tag)
        return self.data[span[3] : span[4]].decode("latin-1").strip(" \0") if span else ""


def tree(data: bytes, spans: Iterable[Span]) -> tuple[Element, ...]:
    """Return elements with their items: what starts within a span is its content."""
    found = spans if isinstance(spans, list) else list(spans)
    return _level(data, found, 0, len(found))


def _level(data: bytes, spans: Sequence[Span], first: int, last: int) -> tuple[Any, ...]:
    """Return the elements or items of one level, in the order of the file."""
    made: list[Element | Item] = []
    at = first
    while at < last:
        tag, vr, start, value, end, explicit = spans[at]
        at += 1
        content = at
        while at < last and spans[at][2] < end:
            at += 1
        wide = not explicit or value - start != _SHORT_HEADER or tag == ITEM
        undefined = wide and data[value - 4 : value] == _UNDEFINED_BYTES
        inside = _Inside(data, spans, content, at) if at > content else None
        if tag == ITEM:
            made.append(Item(start, value, end, undefined, inside))
        else:
            name = vr.decode("latin-1")
            made.append(Element(tag, name, start, value, end, undefined, explicit, inside))
    return tuple(made)


def tag_number(group: int, element: int) -> int:
    """Join a tag's number pair.

    >>> f"{tag_number(0x0010, 0x1002):08x}"
    '00101002'
    """
    return group << 16 | element


def keyword(tag: int) -> str:
    """Return the DICOM keyword of a tag, or its number pair where it has none.

    >>> keyword(0x00100020), keyword(0x00311020), keyword(0x00020099)
    ('PatientID', '(0031,xx20)', '(0002,0099)')
    """
    entry = DicomDictionary.get(tag)
    if entry and entry[4]:
        return str(entry[4])
    group, number = tag >> 16, tag & 0xFFFF
    if is_private(tag) and number >= 0x1000:  # noqa: PLR2004 - PS3.5 section 7.8
        return f"({group:04x},xx{number & 0xFF:02x})"
    return f"({group:04x},{number:04x})"


def dictionary_vr(tag: int) -> str:
    """Return the VR that the data dictionary gives a tag; `UN` where it knows none.

    >>> dictionary_vr(0x00100020), dictionary_vr(0x00100000), dictionary_vr(0x00091001)
    ('LO', 'UL', 'UN')
    """
    entry = DicomDictionary.get(tag)
    if entry:
        return str(entry[0])[:2]
    if tag & 0xFFFF == 0:
        return "UL"
    return "LO" if is_creator(tag) else "UN"


def is_private(tag: int) -> bool:
    """Tell whether a tag's group is odd, and so private."""
    return bool(tag >> 16 & 1)


def is_creator(tag: int) -> bool:
    """Tell whether a tag reserves a private block: (odd, 0010-00FF)."""
    return is_private(tag) and 0x10 <= tag & 0xFFFF <= 0xFF  # noqa: PLR2004 - PS3.5 section 7.8


def walk(elements: tuple[Element, ...]) -> Iterator[Element]:
    """Yield every element, nested ones too, in the order of the file."""
    stack = [iter(elements)]
    while stack:
        for element in stack[-1]:
            yield element
            if element.items:
                stack.append(e for item in element.items for e in item.elements)
                break
        else:
            stack.pop()
