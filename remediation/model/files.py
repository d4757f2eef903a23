"""Files of an archive: a reference relative to a named root, and the dates in its path.

Paths are text with surrogate escapes, so that any bytes survive; `shown` and `stored` turn them
into text that can be written and read back.
"""

from __future__ import annotations

import calendar
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from remediation.model.secrets import SEALED, Keys

INSIDE = "//"  # between a container's path and that of a file inside; no path on a disk has it

_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_PARTS = {"yyyymmdd": r"(?P<yyyymmdd>\d{8})", "yyyy": r"(?P<yyyy>\d{4})"}
_PARTS |= {"mm": r"(?P<mm>\d{2})", "dd": r"(?P<dd>\d{2})"}


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file: path relative to the archive root, size in bytes, mtime in nanoseconds."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ArchiveRoot:
    """One archive as those who read it see it; `layout` is the template of its folders."""

    name: str
    root: Path
    layout: str = ""
    prunes: bool = False  # the folders are StudyDates


def escaped(path: str) -> str:
    r"""Return a path as clean text: bytes that are not UTF-8, and backslashes, as `\xNN`.

    >>> escaped("a/b.dcm"), escaped(os.fsdecode(b"a\xff"))
    ('a/b.dcm', 'a\\xff')
    """
    raw = os.fsencode(path).replace(b"\\", b"\\x5c")
    return raw.decode("utf-8", "backslashreplace")


def unescaped(text: str) -> str:
    r"""Return the path that `escaped` was made of.

    >>> unescaped(escaped("odd\\name")) == "odd\\name"
    True
    """
    raw = b"".join(
        bytes([int(part, 16)]) if position % 2 else part.encode()
        for position, part in enumerate(_ESCAPED.split(text))
    )
    return os.fsdecode(raw)


def stored(path: str, keys: Keys, *, seal: bool) -> str:
    """Return a path as artefacts hold it: sealed, or as clean text where the job says so."""
    if seal:
        return keys.seal(path)
    text = escaped(path)
    # A file may be called so; nothing that stands in an archive may look like sealed text.
    return f"\\x{ord(text[0]):02x}{text[1:]}" if text.startswith(SEALED) else text


def resolved(text: str, keys: Keys) -> str:
    """Return the path that `stored` was made of."""
    return keys.unseal(text) if text.startswith(SEALED) else unescaped(text)


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout template such as `{yyyy}/{mm}/{dd}`: one pattern per directory level.

    >>> Layout("{yyyy}/{mm}/{dd}").span(["2011", "07"])
    (datetime.date(2011, 7, 1), datetime.date(2011, 7, 31))
    >>> Layout("{yyyy}/{mm}").span(["incoming"]) is None
    True
    """

    template: str

    @property
    def levels(self) -> int:
        """The number of directory levels that the template names; 0 where there is none."""
        return self.template.count("/") + 1 if self.template else 0

    def matches(self, parts: Sequence[str]) -> bool:
        """Tell whether directories of these names, from the root down, are as the template says.

        >>> Layout("data/{yyyy}/{mm}").matches(["data"]), Layout("{yyyy}/{mm}").matches(["data"])
        (True, False)
        """
        return self._found(parts) is not None

    def span(self, parts: Sequence[str]) -> tuple[date, date] | None:
        """Return first and last day that directories of these names hold; None if they say none."""
        found = self._found(parts)
        return _span(found) if found else None

    def outside(self, parts: Sequence[str], start: date | None, end: date | None) -> bool:
        """Tell whether all days of a folder lie outside a range, whose last day belongs to it.

        >>> Layout("{yyyy}/{mm}").outside(["2011"], date(2011, 12, 31), None)
        False
        >>> Layout("{yyyy}/{mm}").outside(["2011", "07"], None, date(2011, 6, 30))
        True
        """
        span = self.span(parts)
        return span is not None and bool((start and span[1] < start) or (end and span[0] > end))

    def _found(self, parts: Sequence[str]) -> dict[str, str] | None:
        """Return the digits of the date that these names give; None where a name does not match."""
        if not self.template:
            return None
        found: dict[str, str] = {}
        for pattern, part in zip(_levels(self.template), parts, strict=False):
            match = pattern.fullmatch(part)
            if not match:
                return None
            found |= match.groupdict()
        return found


@lru_cache(16)
def _levels(template: str) -> list[re.Pattern[str]]:
    """Return one pattern for each directory level."""
    patterns = []
    for level in template.split("/"):
        regex = re.escape(level)
        for name, group in _PARTS.items():
            regex = regex.replace(re.escape("{" + name + "}"), group)
        patterns.append(re.compile(regex, re.ASCII))
    return patterns


def _span(found: dict[str, str]) -> tuple[date, date] | None:
    whole = found.get("yyyymmdd", "")
    year, month, day = (
        (whole[:4], whole[4:6], whole[6:])
        if whole
        else (found.get("yyyy", ""), found.get("mm", ""), found.get("dd", ""))
    )
    if not year:
        return None
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        if month and day:
            return first, first
        last_month = first.month if month else 12
        last = calendar.monthrange(first.year, last_month)[1]
        return first, date(first.year, last_month, last)
    except ValueError:
        return None
