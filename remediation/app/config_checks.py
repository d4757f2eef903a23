"""Checks of single values in the job file, as annotated types for its tables.

A message completes the sentence "'key' in [table] ..." and never holds the value. What a check
needs to know of the rest of the file comes with the validation context.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from remediation.errors import UsageError
from remediation.model import bsn, issuers, minisign

FOREIGN, IGNORE = "foreign", "ignore"  # what an alias can mean beside an issuer of ours
LONGEST = 64  # characters of an LO value in every character set

_PLACEHOLDERS = ("yyyy", "mm", "dd")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Context:
    """What the check of one value needs to know of the rest; `seen` grows as tables are read.

    Attributes:
        folder: The job file's folder, absolute.
        today: The day that "yesterday" is the day before of; None for the clock's.
        ours: Every issuer that the file names as ours.
        local_issuers: Those of archives.
        archives: Names of all archives.
        seen: (kind, value) of what later tables may not repeat.
    """

    folder: Path
    today: date | None
    ours: frozenset[str]
    local_issuers: frozenset[str]
    archives: frozenset[str]
    seen: set[tuple[str, str]] = field(default_factory=set)


def context_of(data: dict[str, Any], folder: Path, today: date | None) -> Context:
    """Return the context of a whole file, from its unchecked TOML data with lists as tuples."""
    archives = _tables(data.get("archive"))
    periods = [p for archive in archives for p in _tables(archive.get("local_issuer_period"))]
    local = _texts((*archives, *periods), "local_issuer")
    crosswalk = data.get("crosswalk")
    rules = _tables(crosswalk.get("spelling")) if isinstance(crosswalk, dict) else []
    names = _texts(archives, "name")
    return Context(folder, today, local | _texts(rules, "issuer"), local, names)


def _texts(tables: Iterable[dict[str, Any]], key: str) -> frozenset[str]:
    return frozenset(value.strip() for table in tables if isinstance(value := table.get(key), str))


def _tables(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, tuple) else []


def context(info: ValidationInfo) -> Context:
    """Return the context that `load_job` gave."""
    assert isinstance(info.context, Context), "job files are read by load_job"
    return info.context


def filled(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """Accept a list with something in it."""
    if not value:
        raise ValueError("must not be empty")
    return value


def text(value: str) -> str:
    """Accept one line of printable text."""
    if not value.strip() or not value.isprintable():
        raise ValueError("must be one line of printable text, not empty")
    return value


def issuer(value: str) -> str:
    """Accept what can be written into an issuer attribute."""
    if not value.isascii() or "\\" in value or len(value) > LONGEST:
        raise ValueError("must be ASCII, at most 64 characters, without a backslash")
    return text(value).strip()


def local_issuer(value: str) -> str:
    """Accept an issuer of local numbers: a BSN issuer here would turn them all into BSNs."""
    if value.lower() in {FOREIGN, IGNORE} or issuers.kind(value) != issuers.OTHER_KIND:
        raise ValueError("is the issuer of local numbers: it cannot mean BSN, foreign or ignore")
    return value


def means(value: str, info: ValidationInfo) -> str:
    """Accept what an alias can mean."""
    if value not in {FOREIGN, IGNORE} | context(info).ours:
        raise ValueError("must be a local_issuer of this file, 'foreign' or 'ignore'")
    return value


def name(value: str) -> str:
    """Accept the name of an archive: it becomes part of paths."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise ValueError("may hold letters, digits, - and _ only, 64 at most")
    return value


def absolute(value: object, info: ValidationInfo) -> Path:
    """Return a path, relative ones seen from the job file's folder.

    By its text alone: a share that is away, or a link, must not change what a path means.
    """
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("must be a path, as text")
    return Path(os.path.abspath(context(info).folder / value))  # noqa: PTH100 - resolve() follows links


def pattern(value: object, info: ValidationInfo) -> Path:
    """Return an absolute glob pattern; the name of the job file's folder is taken literally."""
    absolute(value, info)
    folder = glob.escape(str(context(info).folder))
    return Path(os.path.abspath(Path(folder) / str(value)))  # noqa: PTH100 - as above


def root(value: Path, info: ValidationInfo) -> Path:
    """Accept a root beside the other roots: nested ones would hold files twice."""
    for other in _roots(info):
        if value.is_relative_to(other) or other.is_relative_to(value):
            raise ValueError("is, holds or lies in the root of another archive")
    context(info).seen.add(("root", str(value)))
    return value


def outside(value: Path, info: ValidationInfo) -> Path:
    """Accept a path that no crawl will come across."""
    if any(value.is_relative_to(other) for other in _roots(info)):
        raise ValueError("must not lie in the root of an archive")
    return value


def _roots(info: ValidationInfo) -> list[Path]:
    return [Path(value) for kind, value in context(info).seen if kind == "root"]


def unique(kind: str) -> AfterValidator:
    """Return a check that no earlier table has the same value, in whatever case."""

    def check(value: str, info: ValidationInfo) -> str:
        seen = context(info).seen
        if (kind, value.casefold()) in seen:
            raise ValueError("is the same as in an earlier table")
        seen.add((kind, value.casefold()))
        return value

    return AfterValidator(check)


def known_archive(value: str, info: ValidationInfo) -> str:
    """Accept the name of an archive of this file."""
    if value not in context(info).archives:
        raise ValueError("must be the name of an [[archive]] of this file")
    return value


def not_before_from(value: date | None, info: ValidationInfo) -> date | None:
    """Accept a last day that is not before the first."""
    start = info.data.get("start")
    if value and start and value < start:
        raise ValueError("is before 'from'")
    return value


def yesterday(value: object, info: ValidationInfo) -> object:
    """Return the date that "yesterday" was in the job's time zone; anything else as it is."""
    if value != "yesterday":
        return value
    zone = ZoneInfo(info.data.get("timezone", "UTC"))
    return (context(info).today or datetime.now(zone).date()) - timedelta(days=1)


def zone(value: str) -> str:
    """Accept the name of a time zone."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone like Europe/Amsterdam") from None
    return value


def layout(value: str) -> str:
    """Accept folders below the root in which {yyyy}, {mm} and {dd} stand."""
    names = re.findall(r"{([^{}]*)}", value)
    if re.search(r"[{}]", re.sub(r"{[^{}]*}", "", value)) or set(names) - set(_PLACEHOLDERS):
        raise ValueError("knows the placeholders {yyyy}, {mm} and {dd} only")
    if not names or sorted(names) != sorted(_PLACEHOLDERS[: len(names)]):
        raise ValueError("needs {yyyy}, or {yyyy} and {mm}, or all three, each once")
    if {"", ".", ".."} & set(value.split("/")):
        raise ValueError("must be folders below the root, joined by single slashes")
    return value


def target(value: str, info: ValidationInfo) -> str:
    """Accept a placement by name, or return the absolute path of its file."""
    if value in {"at-rest", "exchange"}:
        return value
    if not value.endswith(".toml"):
        raise ValueError("must be 'at-rest', 'exchange' or the path of a .toml file")
    return str(absolute(value, info))


def number(value: str) -> str:
    """Return the nine digits of a number."""
    normal = bsn.normalise(value)
    if normal is None:
        raise ValueError("must be a number of eight or nine digits")
    return normal


def prefix(value: str) -> str:
    """Accept what can stand before a local number in a header."""
    if not re.fullmatch(r"[!-\[\]-~]{0,16}", value):
        raise ValueError("must be at most 16 ASCII characters, without blanks or a backslash")
    return value


def public_key(value: str, info: ValidationInfo) -> str:
    """Accept the line of a minisign public key that no other approver has.

    The key itself counts: its number in the line can be changed at will.
    """
    try:
        key = minisign.key_bytes_of(value).hex()
    except UsageError:
        raise ValueError("must be a minisign public key: the line that begins with RW") from None
    if ("public key", key) in context(info).seen:
        raise ValueError("is the same as in an earlier table")
    context(info).seen.add(("public key", key))
    return value


def recipient(value: str) -> str:
    """Accept an age recipient, or none."""
    if not re.fullmatch(r"(age1[0-9a-z]{20,})?", value):
        raise ValueError("must be an age recipient, age1...")
    return value


def scheduler(value: str) -> str:
    """Accept an encrypted address, or one that does not leave this machine."""
    try:
        url = urlsplit(value)
        host = url.hostname if url.port else None
    except ValueError:
        host = None
    if host and (url.scheme == "tls" or (url.scheme == "tcp" and host in _LOOPBACK)):
        return value
    raise ValueError("must be tls://host:port, or tcp:// with a port of this machine")


def window(value: str) -> str:
    """Accept a window of two times of day; it may span midnight."""
    clock = r"(?:[01]\d|2[0-3]):[0-5]\d"
    match = re.fullmatch(rf"({clock})-({clock})", value, re.ASCII)
    if not match or match[1] == match[2]:
        raise ValueError("must be two different times, like 20:00-06:00")
    return value


Text = Annotated[str, AfterValidator(text)]
Issuer = Annotated[str, AfterValidator(issuer)]
LocalIssuer = Annotated[Issuer, AfterValidator(local_issuer)]
Location = Annotated[Path, BeforeValidator(absolute)]
Pattern = Annotated[Path, BeforeValidator(pattern)]
LastDay = Annotated[date | None, AfterValidator(not_before_from)]
