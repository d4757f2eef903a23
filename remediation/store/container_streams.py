"""What readers of containers share: a member, the one error, bounded streams, a member's start.

A stream gives at most the bytes that are asked for, and fewer only where it ends or is damaged.
Inflating goes in small steps, and a meter ends it where it is a bomb.
Sources: RFC 1950 to 1952 (deflated data come to 1,032 times their size at most).
"""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from remediation.store.files import read_at

FIRST_READ = 16 * 1024
HEAD_CAP = 64 * 1024 * 1024  # bytes of one member
MEMBER_CAP = 200_000  # members of one container, folders counted
INFLATED_CAP = 256 << 30  # bytes inflated of one container
BOMB_SIZE, BOMB_RATIO = 1 << 30, 200  # over both is no archive of images: those come to 50 at most
NAME_CAP = 4096
FAR = 1 << 62  # no file has such a size or offset

DAMAGED, MEMBERS, INFLATED = "container-damaged", "container-members", "container-inflated"
MEMBER_DAMAGED = "damaged"

_STEP = 16 * 1024  # compressed bytes inflated at a time
_SKIP = 64 * 1024

Need = Callable[[bytes, bool], int]


class ContainerError(Exception):
    """The rest of a container is not read; `reason` is a word of a closed list."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Member:
    """What is known of one file inside a container."""

    name: str  # path inside the container as it states it, bytes beyond UTF-8 as surrogates
    size: int  # uncompressed bytes as the container states them; -1 where it does not say
    mtime_ns: int  # since 1970 UTC (a zip has no zone: taken as UTC); 0 where unknown or impossible
    data: bytes  # the first bytes
    whole: bool  # they are all there are, and sound
    error: str = ""  # damaged, encrypted, unsupported, member-path, not-a-file


class Stream(Protocol):
    """Bytes from a position on."""

    @property
    def ended(self) -> bool:
        """Whether all were read, and they ended as they should."""

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, fewer only where they end or are damaged."""

    def skip(self, size: int, /) -> bool:
        """Pass over `size` bytes; false where there are fewer."""


class Span:
    """Bytes of an open file as they are, from one offset (`at`, which moves) to another."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor, self.at, self.end = descriptor, start, end

    @property
    def ended(self) -> bool:
        """Whether the end is reached."""
        return self.at >= self.end

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; without a size, all the rest."""
        left = max(self.end - self.at, 0)
        data = read_at(self._descriptor, self.at, left if size < 0 else min(size, left))
        self.at += len(data)
        return data

    def skip(self, size: int, /) -> bool:
        """Move on without reading; false beyond the end."""
        self.at += size
        return self.at <= self.end


class Part:
    """The next `left` bytes of a stream, as a stream."""

    def __init__(self, stream: Stream, left: int) -> None:
        self._stream, self.left = stream, left

    @property
    def ended(self) -> bool:
        """Whether all of it was read."""
        return self.left == 0

    def read(self, size: int, /) -> bytes:
        """Return the next bytes of it."""
        data = self._stream.read(min(size, self.left))
        self.left -= len(data)
        return data

    def skip(self, size: int, /) -> bool:
        """Pass over bytes of it; false where the stream has fewer."""
        self.left -= size
        return self._stream.skip(size)


class Meter:
    """Counts what is inflated of one container, and ends it where that is too much."""

    def __init__(self) -> None:
        self._consumed, self._inflated = 0, 0

    def add(self, consumed: int, inflated: int) -> None:
        """Count bytes.

        Raises:
            ContainerError: It is a bomb, or endless.
        """
        self._consumed += consumed
        self._inflated += inflated
        bomb = self._inflated > BOMB_SIZE and self._inflated > BOMB_RATIO * self._consumed
        if bomb or self._inflated > INFLATED_CAP:
            raise ContainerError(INFLATED)


class Inflated:
    """Deflated bytes, inflated: to the end of their first stream, each step kept small."""

    def __init__(self, source: Span, window: int, meter: Meter) -> None:
        self._source, self._meter = source, meter
        self._engine = zlib.decompressobj(window)
        self._held = b""  # one byte read ahead tells whether there are more
        self._broken = False

    @property
    def ended(self) -> bool:
        """Whether the stream came to its own end, its checksum right, and all was read."""
        return self._engine.eof and not self._held

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, inflating no more than one beyond them."""
        pieces, missing = [self._held], size + 1 - len(self._held)
        while missing > 0 and not (self._engine.eof or self._broken):
            pieces.append(self._step(missing))
            missing -= len(pieces[-1])
        data = b"".join(pieces)
        self._held = data[size:]
        return data[:size]

    def skip(self, size: int, /) -> bool:
        """Inflate and forget; false where it ends or is damaged before."""
        held, self._held = self._held, self._held[size:]
        size -= len(held) - len(self._held)
        while size > 0 and not (self._engine.eof or self._broken):
            size -= len(self._step(min(size, _SKIP)))
        return size == 0

    def _step(self, most: int) -> bytes:
        given = self._engine.unconsumed_tail or self._source.read(_STEP)
        before = self._engine.copy()
        try:
            data = self._engine.decompress(given, most)
            self._broken = not (given or data or self._engine.eof)
        except zlib.error:
            data, self._broken = _sound(before, given, most), True
        self._meter.add(len(given) - len(self._engine.unconsumed_tail), len(data))
        return data


def _sound(engine: zlib._Decompress, given: bytes, most: int) -> bytes:
    """Inflate what is sound before damage: a failed step gives nothing, so byte by byte."""
    data = bytearray()
    with contextlib.suppress(zlib.error):
        for at in range(len(given)):
            if len(data) >= most:
                break
            data += engine.decompress(given[at : at + 1])
    return bytes(data[:most])


def first_bytes(stream: Stream, need: Need) -> tuple[bytes, bool, str]:
    """Return the first bytes of a member, whether they are all there are, and what is wrong."""
    data, wanted = b"", FIRST_READ
    while True:
        data += stream.read(wanted - len(data))
        whole = stream.ended
        if len(data) < wanted and not whole:
            return data, False, MEMBER_DAMAGED
        wanted = min(need(data, whole), HEAD_CAP)
        if whole or wanted <= len(data):
            return data, whole, ""


def text_of(raw: bytes) -> str:
    r"""Return a name as text, whatever its bytes are.

    >>> text_of(b"caf\xe9")
    'caf\udce9'
    """
    return raw.decode("utf-8", "surrogateescape")


def leads_out(name: str) -> bool:
    r"""Tell whether a member's name is none, or could mean a place outside its container.

    >>> leads_out("./2011/IM0001"), leads_out("2011/../../x"), leads_out("C:x"), leads_out("a\\b")
    (False, True, True, True)
    """
    return (
        not name
        or name.startswith("/")
        or re.match("[A-Za-z]:", name) is not None
        or "\\" in name
        or "\0" in name
        or ".." in name.split("/")
        or len(name.encode("utf-8", "surrogateescape")) > NAME_CAP
    )
