"""Builders: DICOM bytes written by hand, without pydicom and without the code under test.

An element is `el(tag, vr, value)`; a value is text (padded), bytes (as they are) or a list of items
(`item(...)`, a sequence). `data_set` encodes elements, `dicom` makes a whole file of them.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
BIG, DEFLATED, JPEG = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50"
MR = "1.2.840.10008.5.1.4.1.1.4"
OID = "2.16.840.1.113883.2.4.6.3"
STUDY_UID, INSTANCE_UID = "1.2.826.0.1.3680043.9.7777.1", "1.2.826.0.1.3680043.9.7777.1.1"

UNDEFINED = 0xFFFFFFFF
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}


@dataclass(frozen=True)
class It:
    elements: tuple[El, ...]
    undefined: bool = False


@dataclass(frozen=True)
class El:
    tag: int
    vr: str
    value: bytes | tuple[It, ...] = b""
    undefined: bool = False
    length: int | None = None  # what the header states, where it is not the truth


def el(tag, vr, value="", *, undefined=False, length=None):
    if isinstance(value, str):
        value = value.encode("latin-1")
        value += (b"\0" if vr in {"UI", "UN", "OB"} else b" ") * (len(value) % 2)
    elif isinstance(value, list):
        value = tuple(value)
    return El(tag, vr, value, undefined, length)


def item(*elements, undefined=False):
    return It(tuple(elements), undefined)


def private(group, creator, *numbered, block=0x10):
    """Return a private block: the creator, then (number, VR, value) triples."""
    tag = group << 16
    inside = [el(tag | block << 8 | number, vr, value) for number, vr, value in numbered]
    return [el(tag | block, "LO", creator), *inside]


class Form:
    """Explicit or implicit VR, little or big endian."""

    def __init__(self, syntax=EXPLICIT):
        self.order = ">" if syntax == BIG else "<"
        self.explicit = syntax != IMPLICIT

    def tag(self, tag):
        return struct.pack(self.order + "HH", tag >> 16, tag & 0xFFFF)

    def header(self, tag, vr, length):
        if not self.explicit:
            return self.tag(tag) + struct.pack(self.order + "L", length)
        if vr in LONG:
            return self.tag(tag) + vr.encode() + b"\0\0" + struct.pack(self.order + "L", length)
        return self.tag(tag) + vr.encode() + struct.pack(self.order + "H", length)

    def element(self, one):
        if isinstance(one.value, bytes):
            body = one.value
        else:
            inner = self.implicit() if one.vr == "UN" else self
            body = b"".join(inner.item(it) for it in one.value)
        end = b""
        length = len(body)
        if one.undefined:
            length, end = UNDEFINED, self.tag(0xFFFEE0DD) + bytes(4)
        if one.length is not None:
            length = one.length
        return self.header(one.tag, one.vr, length) + body + end

    def item(self, it):
        body = self.elements(it.elements)
        lead = self.tag(0xFFFEE000)
        if it.undefined:
            end = self.tag(0xFFFEE00D) + bytes(4)
            return lead + struct.pack(self.order + "L", UNDEFINED) + body + end
        return lead + struct.pack(self.order + "L", len(body)) + body

    def elements(self, elements):
        return b"".join(self.element(one) for one in elements)

    def implicit(self):
        """Return the form of what stands inside UN (PS3.5 section 6.2.2)."""
        other = Form(IMPLICIT)
        other.order = self.order
        return other


def data_set(elements, syntax=EXPLICIT):
    return Form(syntax).elements(elements)


def with_group_lengths(elements, syntax=EXPLICIT, groups=None):
    """Put a group length element before each group (or each of `groups`)."""
    result, form = [], Form(syntax)
    for group in sorted({one.tag >> 16 for one in elements}):
        inside = [one for one in elements if one.tag >> 16 == group]
        if groups is None or group in groups:
            size = struct.pack(form.order + "L", len(form.elements(inside)))
            result.append(el(group << 16, "UL", size))
        result += inside
    return result


def meta(syntax=EXPLICIT, sop_class=MR, *more):
    """Return group 0002, its group length first."""
    inside = [
        el(0x00020001, "OB", b"\0\1"),
        el(0x00020002, "UI", sop_class),
        el(0x00020003, "UI", INSTANCE_UID),
        *([el(0x00020010, "UI", syntax)] if syntax else []),
        el(0x00020012, "UI", "1.2.826.0.1.3680043.9.7777.9"),
        *more,
    ]
    return data_set(with_group_lengths(inside))


def dicom(elements, syntax=EXPLICIT, *, preamble=bytes(128), header=True, tail=b"", states=None):
    """Return a file: preamble (None: none), meta header, data set, and what follows.

    `states` is the transfer syntax that the meta header states, where it is not the truth.
    """
    lead = b"" if preamble is None else preamble + b"DICM"
    if header:
        lead += meta(states or syntax)
    if syntax == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        body = packer.compress(data_set(elements) + tail) + packer.flush()
        return lead + body + b"\0" * (len(body) % 2)
    return lead + data_set(elements, syntax) + tail


def pixels(syntax=EXPLICIT, size=16):
    """Return native Pixel Data, or encapsulated where the syntax compresses."""
    form = Form(syntax)
    if syntax not in {EXPLICIT, IMPLICIT, BIG, DEFLATED}:
        table = form.tag(0xFFFEE000) + bytes(4)
        fragment = (
            form.tag(0xFFFEE000) + struct.pack("<L", size) + b"\xfe\xff\x00\xe0" * (size // 4)
        )
        end = form.tag(0xFFFEE0DD) + bytes(4)
        return form.header(0x7FE00010, "OB", UNDEFINED) + table + fragment + end
    return form.header(0x7FE00010, "OW", size) + bytes(n % 251 for n in range(size))


def qualifiers(oid=OID, code="NNNLD", *, undefined=False):
    parts = [el(0x00400032, "UT", oid), el(0x00400033, "CS", "ISO"), el(0x00400035, "CS", code)]
    return el(0x00100024, "SQ", [item(*parts, undefined=undefined)], undefined=undefined)


def identity(number=None, issuer=None, kind=None, described=None):
    """Return the elements of an identity group; None leaves one out."""
    texts = ((0x00100020, "LO", number), (0x00100021, "LO", issuer), (0x00100022, "CS", kind))
    return [el(tag, vr, value) for tag, vr, value in texts if value is not None] + (
        [described] if described else []
    )


def patient_head(*own, name="Schijn^Anna", birth="19500203", sex="F", more=()):
    """Return a small data set whose group 0010 holds `own` beside name, birth date and sex."""
    elements = [
        el(0x00080005, "CS", "ISO_IR 100"),
        el(0x00080016, "UI", MR),
        el(0x00080018, "UI", INSTANCE_UID),
        el(0x00080020, "DA", "20110704"),
        el(0x00080060, "CS", "MR"),
        el(0x00100010, "PN", name),
        el(0x00100030, "DA", birth),
        el(0x00100040, "CS", sex),
        el(0x0020000D, "UI", STUDY_UID),
        el(0x00280010, "US", b"\x04\x00"),
        *own,
        *more,
    ]
    return sorted(elements, key=lambda one: one.tag)


def with_length(one, length):
    return replace(one, length=length)
