"""The truth about the demo hospital: what was planted, and what must come out of it.

Written from the scenarios as they were chosen. Nothing here runs the tool: the demo is a test.
Outcomes are final ones: `resolved` studies, and no others, are corrected; a study that is refused
has its reason whether matching or planning finds it. A file that names no study is in no study.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediation.app.demo.cases import failing
from remediation.app.demo.people import Person
from remediation.app.demo.scenarios import PLACEHOLDER, Scenario
from remediation.app.demo.story import BREAKS, Site
from remediation.model import bsn


@dataclass(frozen=True, slots=True)
class PlantedStudy:
    """One study as it was written; `spare` is a second number that stands in it, or empty."""

    site: Site
    uid: str
    day: str
    scenario: Scenario
    person: Person
    instances: int
    spare: str = ""


@dataclass(frozen=True, slots=True)
class PlantedFile:
    """One file of an archive: `kind` is `dicom`, `damaged` (cut in its head) or `junk`."""

    archive: str
    path: str
    sha256: str
    study_uid: str
    kind: str


def write_truth(
    folder: Path,
    studies: Sequence[PlantedStudy],
    files: Iterable[PlantedFile],
    people: Sequence[Person],
    settings: dict[str, int],
) -> None:
    """Write the files of `truth/` into a new folder; `settings` are the seed and the size."""
    folder.mkdir()
    _write_csv(
        folder / "studies.csv",
        "archive StudyInstanceUID StudyDate source status outcome reason scenario instances",
        map(_study_row, studies),
    )
    _write_csv(
        folder / "periods.csv",
        "archive source start end event dominant_status causes",
        (
            (
                *(b.site.archive, b.site.institution, b.start, b.end, b.event or "", b.status),
                causes_text(b.causes),
            )
            for b in BREAKS
        ),
    )
    _write_csv(
        folder / "numbers.csv",
        "StudyInstanceUID bsn",
        (
            (study.uid, study.person.number)
            for study in studies
            if study.scenario.verdict()[0] == "resolved"
        ),
    )
    _write_csv(
        folder / "files.csv",
        "archive path sha256 StudyInstanceUID kind",
        ((f.archive, f.path, f.sha256, f.study_uid, f.kind) for f in files),
    )
    planted = settings | _planted(studies, people)
    (folder / "planted.json").write_text(
        json.dumps(planted, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def causes_text(causes: Iterable[tuple[str, str | None, str | None]]) -> str:
    """Return causes as one text, whatever their order.

    >>> causes_text([("place", "PatientID", None)])
    'place: PatientID > '
    """
    return "; ".join(sorted(f"{signal}: {old or ''} > {new or ''}" for signal, old, new in causes))


def _write_csv(path: Path, columns: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("x", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns.split())
        writer.writerows(rows)


def _study_row(study: PlantedStudy) -> tuple[object, ...]:
    outcome, reason = study.scenario.verdict()
    local = study.person.local[study.site.archive]
    return (
        study.site.archive,
        study.uid,
        study.day,
        study.site.institution,
        study.scenario.status(local),
        outcome,
        reason,
        study.scenario.name,
        study.instances,
    )


def _planted(studies: Sequence[PlantedStudy], people: Sequence[Person]) -> dict[str, Any]:
    """Return every value that must not come out anywhere: the canaries of the privacy tests."""
    in_rows = {row.bsn for person in people for row in person.rows if row.bsn}
    in_headers = {person.written for person in people} | {s.spare for s in studies if s.spare}
    broken = {failing(s.person.written) for s in studies if s.scenario.header.name == "invalid"}
    numbers = in_rows | in_headers | broken | {PLACEHOLDER} | {p.number for p in people}
    local = {number for person in people for number in person.local.values()}
    return {
        "numbers": sorted(n for n in numbers if bsn.is_test_number(n)),
        "placeholders": sorted(n for n in numbers if bsn.is_placeholder(n)),
        "passing_local_numbers": sorted(n for n in local if bsn.passes(n)),
        "family_names": sorted({name for person in people for name in person.names.core}),
        "birth_dates": sorted(
            {p.birth for p in people if p.birth and p.birth < "2007" and p.birth != "19000101"}
        ),
    }
