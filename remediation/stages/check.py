"""Check: is everything there that the other stages will need? Reads, and writes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediation.dicom.quick import PASS
from remediation.errors import RemediationError
from remediation.store.crosswalk_files import CrosswalkSettings, quality, read_crosswalk
from remediation.store.keys import load_key_file
from remediation.store.walking import check_root

_LITTLE_SPACE = 1 << 30  # bytes


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the job file names."""

    key_file: Path
    output: Path
    roots: Mapping[str, Path]
    crosswalk: CrosswalkSettings | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `ok`, `note` or `wrong`, and a line about it."""

    what: str
    verdict: str
    line: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything that was looked at, and the exit code of the worst."""

    findings: tuple[Finding, ...]
    exit_code: int


def run(options: CheckOptions) -> CheckReport:
    """Look at key, archives, crosswalk and disk; the first fault's exit code counts."""
    checks: list[tuple[str, Callable[[], str]]] = [("key file", lambda: _key(options.key_file))]
    checks += [(f"archive {name}", _root(root)) for name, root in options.roots.items()]
    checks += [("output folder", lambda: _disk(options.output))]
    if options.crosswalk is not None:
        settings = options.crosswalk
        checks.append(("crosswalk", lambda: _crosswalk(settings, options.now)))
    checks.append(("header pass", lambda: PASS))
    code = 0
    findings = []
    for what, look in checks:
        try:
            line = look()
            verdict = "note" if line.startswith("note: ") else "ok"
            findings.append(Finding(what, verdict, line.removeprefix("note: ")))
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


def _crosswalk(settings: CrosswalkSettings, now: datetime) -> str:
    counts = quality(read_crosswalk(settings, now))
    words = ", ".join(f"{word or 'empty'} {count}" for word, count in counts["by_status"].items())
    return (
        f"{counts['rows']} rows; {counts['without_number']} without a number, "
        f"{counts['invalid_numbers']} invalid, {counts['two_numbers']} with two numbers, "
        f"{counts['shared_numbers']} numbers shared; statuses: {words}"
    )


def _missing(options: CheckOptions) -> Iterator[Finding]:
    if options.crosswalk is None:
        line = "none in the job file: crawl and flag work, match does not"
        yield Finding("crosswalk", "note", line)
