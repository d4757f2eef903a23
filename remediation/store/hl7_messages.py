"""HL7 v2 messages of a file, one by one: what frames them taken off, fields as plain text.

Tolerated: carriage returns or line feeds between segments, MLLP frames, batch and file headers.
Refused: a message, frame, batch or file that is cut off, for what is missing may be a patient.
The `hl7` package parses; this module only hands it one message at a time.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from remediation.errors import UsageError

_BEGIN, _END = "\x0b", "\x1c"  # MLLP
_WANTED = frozenset({"MSH", "EVN", "PID", "MRG"})
_HEADERS = frozenset({"MSH", "FHS", "BHS", "BTS", "FTS"})
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_HEADER_FIELDS = 9  # up to the type of the message
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?([+-]\d{4})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, repr=False)
class Repetition:
    """One of the values of a field: components, each of subcomponents."""

    components: tuple[tuple[str, ...], ...]

    def parts(self, component: int) -> tuple[str, ...]:
        """Return the subcomponents of a component, from 1."""
        there = component <= len(self.components)
        return self.components[component - 1] if there else ()

    def text(self, component: int) -> str:
        """Return a component's first subcomponent, or nothing."""
        return (*self.parts(component), "")[0]


Field = Sequence[Repetition]


@dataclass(frozen=True, slots=True, repr=False)
class Segment:
    """A segment of a message."""

    name: str
    _segment: Any
    _message: Any

    def field(self, number: int) -> Field:
        """Return the values of a field, from 1."""
        if number >= len(self._segment):
            return ()
        return tuple(self._repetition(one) for one in self._segment[number])

    def _repetition(self, one: Any) -> Repetition:
        components = [one] if isinstance(one, str) else one
        return Repetition(
            tuple(
                tuple(map(self._text, [parts] if isinstance(parts, str) else parts))
                for parts in components
            )
        )

    def _text(self, part: Any) -> str:
        text = str(part)
        if text == '""':  # "there is none"
            return ""
        unescaped: str = self._message.unescape(text) if self._message.esc in text else text
        return unescaped


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """One message: where it stands, and the segments that tell of patients."""

    number: int  # from 1
    path: Path
    type: str
    event: str
    _parsed: Any

    def segments(self) -> Iterator[Segment]:
        """Yield the segments in their order."""
        for one in self._parsed:
            yield Segment(str(one[0]), one, self._parsed)

    def refused(self, why: str) -> UsageError:
        """Return what to raise for this message."""
        return _refused(why, self.path, self.number)

    @property
    def day(self) -> str:
        """The day on which it was made, `YYYYMMDD`."""
        return self._made()[:8]

    def time(self, zone: str) -> int:
        """Return when it was made (MSH-7, else EVN-2), microseconds since 1970 UTC.

        Raises:
            UsageError: It does not say.
        """
        found = _TIME.fullmatch(self._made())
        try:
            if found:
                return _microseconds(found, zone)
        except ValueError:
            pass
        raise self.refused("does not say when it was made (MSH-7, EVN-2)")

    def _made(self) -> str:
        fields = ((one.name, one) for one in self.segments() if one.name in {"MSH", "EVN"})
        texts = {
            name: next((value.text(1) for value in one.field(7 if name == "MSH" else 2)), "")
            for name, one in fields
        }
        return texts.get("MSH") or texts.get("EVN", "")


def _microseconds(found: re.Match[str], zone: str) -> int:
    *digits, fraction, offset = found.groups()
    year, month, day, hour, minute, second = (int(one or 0) for one in digits)
    tz: Any = _zone(zone)
    if offset:
        sign = -1 if offset[0] == "-" else 1
        tz = timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:])))
    micro = int((fraction or "").ljust(6, "0"))
    at = datetime(year, month, day, hour, minute, second, micro, tzinfo=tz)
    return (at - _EPOCH) // timedelta(microseconds=1)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def messages(file: BinaryIO, encoding: str, path: Path) -> Iterator[Message]:
    """Yield the messages of an open file, whatever their type.

    Raises:
        UsageError: One of them, or what frames them, is cut off or is none.
    """
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        for number, lines in enumerate(_gathered(text, path), 1):
            yield _parsed(lines, number, path)
    finally:
        text.detach()


@dataclass(frozen=True, slots=True, repr=False)
class _Line:
    """A line of the file: its text without what frames it, and what it says of frames."""

    text: str
    begins: bool
    ends: bool
    whole: bool  # it is terminated

    @classmethod
    def of(cls, raw: str) -> _Line:
        bare = raw.strip("\r\n ")
        ends = bare.endswith(_END)
        text = bare.strip(_BEGIN + _END + " ")
        return cls(text, bare.startswith(_BEGIN), ends, ends or raw.endswith(("\r", "\n")))

    @property
    def name(self) -> str:
        return self.text[:3]


def _gathered(text: Iterable[str], path: Path) -> Iterator[list[str]]:
    """Yield the segments of each message that are wanted, the header first."""
    frame, message, number = _Frame(path), list[str](), 0
    last = _Line("", begins=False, ends=False, whole=True)
    for line in map(_Line.of, text):
        if line.begins:
            frame.begin(number)
        if line.name in _HEADERS:
            if message:
                yield message
            message = [line.text] if line.name == "MSH" else []
            number += len(message)
            frame.header(line, number)
        elif line.text and (not number or not _SEGMENT.match(line.text)):
            raise _refused("is no HL7 message, or is broken into lines", path, max(number, 1))
        elif line.name in _WANTED:
            message.append(line.text)
        if line.ends:
            frame.end()
        last = line if line.text else last
    if not last.whole and last.name in _WANTED:
        raise _refused("is cut off", path, number)
    if message:
        yield message
    frame.close(number)


class _Frame:
    """What stands around messages: it must be whole."""

    def __init__(self, path: Path) -> None:
        self._path, self._framed = path, False
        self._open: dict[str, int] = {}  # header to messages before it

    def begin(self, number: int) -> None:
        """Hear of the begin of an MLLP frame, after so many messages."""
        if self._framed:
            raise _refused("is cut off", self._path, number)
        self._framed = True

    def end(self) -> None:
        """Hear of its end."""
        self._framed = False

    def header(self, line: _Line, number: int) -> None:
        """Hear of a header or a trailer, so many messages read with it."""
        if line.name in {"FHS", "BHS"}:
            self._open[line.name] = number
        elif line.name == "FTS":
            self._open.pop("FHS", None)
        elif line.name == "BTS":
            count = (*line.text.split(line.text[3:4] or "|"), "")[1]
            if count.isdigit() and int(count) != number - self._open.get("BHS", 0):
                raise _refused("is not the last that its batch announces", self._path, number)
            self._open.pop("BHS", None)

    def close(self, number: int) -> None:
        """Hear of the end of the file."""
        if self._framed or self._open:
            raise _refused("is the last before the file is cut off", self._path, number)


def _parsed(lines: list[str], number: int, path: Path) -> Message:
    import hl7

    fields = lines[0].split(lines[0][3:4] or "|")
    if len(fields) < _HEADER_FIELDS:
        raise _refused("is cut off", path, number)
    try:
        parsed = hl7.parse("\r".join(lines) + "\r")
        header = Segment("MSH", parsed[0], parsed)
        type_ = next(iter(header.field(9)), Repetition(()))
    except Exception:  # noqa: BLE001 - whatever the parser stumbles on; its message may quote
        raise _refused("is no HL7 message", path, number) from None
    return Message(number, path, type_.text(1), type_.text(2), parsed)


def _refused(why: str, path: Path, number: int) -> UsageError:
    return UsageError(
        f"the crosswalk has a message that {why}", f"{path}, message {number}", "export it again"
    )
