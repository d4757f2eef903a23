"""Check: is everything there that the other stages will need? Reads, and writes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from remediation.dicom.quick import PASS
from remediation.errors import RemediationError
from remediation.store.crosswalk_files import CrosswalkSettings, read_crosswalk
from remediation.store.keys import load_key_file
from remediation.store.walking import check_root
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.crosswalk_quality import Quality, quality

_LITTLE_SPACE = 1 << 30  # bytes
Counts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the job file names."""

    key_file: Path
    output: Path
    roots: Mapping[str, Path]
    crosswalk: CrosswalkSettings | None
    now: datetime
    writable_statuses: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `ok`, `note` or `wrong`, a line about it, counts for data."""

    what: str
    verdict: str
    line: str
    counts: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything that was looked at, and the exit code of the worst."""

    findings: tuple[Finding, ...]
    exit_code: int


def run(options: CheckOptions) -> CheckReport:
    """Look at key, archives, crosswalk and disk; the first fault's exit code counts."""
    checks: list[tuple[str, Callable[[], str | tuple[str, Counts]]]] = [
        ("key file", lambda: _key(options.key_file))
    ]
    checks += [(f"archive {name}", _root(root)) for name, root in options.roots.items()]
    checks += [("output folder", lambda: _disk(options.output))]
    if options.crosswalk is not None:
        settings = options.crosswalk
        checks.append(("crosswalk", lambda: _crosswalk(options, settings)))
    checks.append(("header pass", lambda: PASS))
    code = 0
    findings = []
    for what, look in checks:
        try:
            said = look()
            line, counts = (said, {}) if isinstance(said, str) else said
            verdict = "note" if line.startswith("note: ") else "ok"
            findings.append(Finding(what, verdict, line.removeprefix("note: "), counts))
        except RemediationError as error:
            findings.append(Finding(what, "wrong", str(error)))
            code = code or error.exit_code
    findings += list(_missing(options))
    return CheckReport(tuple(findings), code)


def _key(path: Path) -> str:
    return f"key id {load_key_file(path).key_id}"


def _root(root: Path) -> Callable[[], str]:
    def look() -> str:
        check_root(root)
        writable = os.access(root, os.W_OK)
        return "can be read and written" if writable else "can be read; not written: use --out"

    return look


def _disk(output: Path) -> str:
    there = next(one for one in (output, *output.parents) if one.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 1e9:.1f} GB free"
    return f"note: little space, {text}" if free < _LITTLE_SPACE else text


def _crosswalk(options: CheckOptions, settings: CrosswalkSettings) -> tuple[str, Counts]:
    crosswalk = Crosswalk.read(read_crosswalk(settings, options.now), settings.spelling)
    found = quality(crosswalk, options.writable_statuses, options.placeholders)
    return _told(found), found.counts()


def _told(found: Quality) -> str:
    """Return what is wrong in words; what is not wrong is left out, the first few aside."""
    always = (
        f"{found.rows} rows; {found.without_number} without a number, "
        f"{found.invalid_numbers} invalid, {found.unverified} unverified, "
        f"{found.two_numbers} with two numbers, {found.shared_numbers} numbers shared"
    )
    rest = {
        "duplicates": found.duplicates,
        "messages that later ones replace": found.superseded,
        "without local number": found.without_local_number,
        "without issuer": found.without_issuer,
        "placeholders": found.placeholders,
        "test numbers": found.test_numbers,
        "without birth date": found.without_birth_date,
        "without family name": found.without_family_name,
        "replaced": found.replaced,
        "of these by a number without a row": found.replaced_by_nobody,
        "of these by itself": found.replaced_by_itself,
        "within some days only": found.bounded,
    }
    more = "".join(f", {count} {words}" for words, count in rest.items() if count)
    return (
        f"{always}{more}; statuses: {_words(found.by_status)}; "
        f"issuers: {_words(found.by_issuer)}; kinds: {_words(found.by_kind)}"
    )


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word or 'empty'} {count}" for word, count in counts.items())


def _missing(options: CheckOptions) -> Iterator[Finding]:
    if options.crosswalk is None:
        line = "none in the job file: crawl and flag work, match does not"
        yield Finding("crosswalk", "note", line)
