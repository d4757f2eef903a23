"""History: manifests, and what became of them by journals and verifications; counts only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remediation.errors import RemediationError
from remediation.model.manifest import Manifest
from remediation.store import journal, manifests
from remediation.store.journal import Record, Type
from remediation.tables.schemas import CORRECTIONS, REFUSALS

MOST = 20  # manifests that are held against their digest and shown


@dataclass(frozen=True, slots=True)
class Run:
    """One apply or rollback: files per result; `complete` is None where it has no end."""

    command: str
    mode: str
    at: str
    complete: bool | None
    results: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Verification:
    """One result of verify: files per verdict, and which part of the files."""

    at: str
    part: str
    verdicts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Planned:
    """One manifest, what was refused in it, and what was done with it, oldest first."""

    manifest: Manifest
    refused: Mapping[str, int]
    runs: tuple[Run, ...] = ()
    verifications: tuple[Verification, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """The last run of a command."""

    command: str
    run_id: str
    at: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class History:
    """The `MOST` manifests that matter, newest first, how many more there are; what is damaged."""

    manifests: tuple[Planned, ...] = ()
    left_off: int = 0
    damaged: tuple[str, ...] = ()
    journal_damaged: bool = False
    verification_damaged: bool = False
    commands: tuple[Command, ...] = field(default=())


def history(output: Path) -> History:
    """Read manifests, journals, verifications and run records; damage is told, never raised."""
    runs, journal_damaged = _runs(output / "journal")
    verifications, verification_damaged = _verifications(output / "verifications")
    heads, damaged = [], []
    for folder in sorted(one.parent for one in (output / "manifests").glob(f"*/{manifests.NAME}")):
        try:
            heads.append((manifests.head(folder), folder))
        except RemediationError:
            damaged.append(folder.name)
    # Those that were used come first: of a plan for every night, most led to nothing.
    heads.sort(key=lambda one: (one[0].digest in runs, one[0].created), reverse=True)
    planned = []
    for manifest, folder in heads[:MOST]:
        try:
            stored = manifests.load(folder, CORRECTIONS, REFUSALS)
        except RemediationError:
            damaged.append(folder.name)
            continue
        planned.append(
            Planned(
                manifest,
                Counter(stored.refusals["reason"].to_pylist()),
                tuple(runs.get(manifest.digest, ())),
                tuple(verifications.get(manifest.digest, ())),
            )
        )
    planned.sort(key=lambda one: (one.manifest.created, one.manifest.digest), reverse=True)
    return History(
        tuple(planned),
        max(0, len(heads) - MOST),
        tuple(sorted(damaged)),
        journal_damaged,
        verification_damaged,
        _commands(output / "runs"),
    )


def _runs(folder: Path) -> tuple[dict[str, list[Run]], bool]:
    found: dict[str, list[Run]] = {}
    damaged = False
    for path in journal.journals(folder):
        try:
            records = journal.read(path)
        except RemediationError:
            damaged = True
            continue
        if records:
            digest = str(records[0].body.get("manifest", ""))
            found.setdefault(digest, []).append(_run(records))
    return found, damaged


def _run(records: tuple[Record, ...]) -> Run:
    begin = records[0].body
    results: Counter[str] = Counter()
    complete = None
    for record in records:
        if record.type in {Type.CLOSED, Type.OUTCOME}:
            results.update(str(one["result"]) for one in record.body.get("files", ()))
        elif record.type is Type.END:
            complete = bool(record.body.get("complete"))
    text = [str(begin.get(key, "")) for key in ("command", "mode", "at")]
    return Run(text[0], text[1], text[2], complete, results)


def _verifications(folder: Path) -> tuple[dict[str, list[Verification]], bool]:
    found: dict[str, list[Verification]] = {}
    damaged = False
    for said in map(_json, sorted(folder.glob("*.json"))):
        try:
            verdicts = {str(word): int(count) for word, count in said["verdicts"].items()}
            one = Verification(str(said["at"]), str(said["slice"]), verdicts)
            found.setdefault(str(said["manifest"]), []).append(one)
        except (KeyError, TypeError, ValueError, AttributeError):
            damaged = True
    for each in found.values():
        each.sort(key=lambda one: one.at)
    return found, damaged


def _commands(folder: Path) -> tuple[Command, ...]:
    """Return the last run of each command, newest first; a record that is damaged is left out."""
    last: dict[str, Command] = {}
    for said in map(_json, sorted(folder.glob("*.json"))):
        try:
            one = Command(
                str(said["command"]),
                str(said["run_id"]),
                str(said["ended"]),
                int(said["exit_code"]),
            )
        except (KeyError, TypeError, ValueError):
            continue
        last[one.command] = max(one, last.get(one.command, one), key=lambda run: run.at)
    return tuple(sorted(last.values(), key=lambda run: run.at, reverse=True))


def _json(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
