"""Builds the demo hospital: archives, EPD export, keys, job file and truth, all from one seed.

The archives are the same bytes, names and modification times on every run. Only the approvers'
keys, which are random, and so the job file, differ.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random

from remediation.app.demo import settings, story
from remediation.app.demo.cases import failing
from remediation.app.demo.epd import write_export
from remediation.app.demo.headers import Position, file_bytes, study_uid
from remediation.app.demo.people import Person, Registry
from remediation.app.demo.scenarios import Subject
from remediation.app.demo.schedule import Slot, schedule
from remediation.app.demo.story import OOST, WEST, Site
from remediation.app.demo.templates import Template, load_templates
from remediation.app.demo.truth import PlantedFile, PlantedStudy, write_truth
from remediation.errors import UsageError

_MADE = ("archive", "epd", "keys", "truth")
_PEOPLE_PER_STUDY, _MOST_PEOPLE = 0.24, 6000
_RETURNING = 6  # one in so many patients of Oost comes to West after the merger
_JUNK = {
    "oost": {
        "2010/05/Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
        "2012/leesmij.txt": b"Deze map niet aanpassen. PACS-beheer\r\n",
        "2014/03/leeg.dcm": b"",
    },
    "west": {
        "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
        "LEESMIJ.TXT": b"Import van de vorige leverancier\r\n",
        "IM": b"",
    },
}
_CUT_SHORT = {"oost": "2013/11/afgebroken.dcm", "west": "AFGEBROKEN"}


@dataclass(frozen=True, slots=True)
class DemoPaths:
    """Where everything lies. After `archive_only` only `out` and the archive roots exist."""

    out: Path
    oost: Path
    west: Path
    epd: Path
    key: Path
    approver_keys: tuple[Path, ...]
    approvers: tuple[str, ...]
    job: Path
    truth: Path


def build(
    out: Path, studies: int = 2400, seed: int = 7, *, archive_only: bool = False
) -> DemoPaths:
    """Build the demo hospital in `out`, a folder that is made where it is missing.

    A demo hospital that stands there is replaced; anything else in the way is left alone. With
    `archive_only` the archives alone are written, for trials of size and speed.

    Args:
        out: the folder; the job file is `out/job.toml`.
        studies: how many studies in all, at least 1200.
        seed: the same seed and size give the same archives, byte for byte.
        archive_only: no export, keys, job file and truth.

    Raises:
        UsageError: too few studies, or `out` holds an archive that is not a demo's.
        RemediationError: pydicom's sample files are missing.
    """
    slots = schedule(studies, seed)
    templates = load_templates()
    _clear(out)
    hospital = _Hospital(out, seed, templates)
    paths = _paths(out)
    for site in story.SITES:
        (out / "archive" / site.archive).mkdir(parents=True)
    (out / "archive" / ".demo").touch()
    hospital.write(slots)
    if archive_only:
        return paths
    for folder in ("epd", "keys"):
        (out / folder).mkdir()
    write_export(paths.epd, (row for person in hospital.people for row in person.rows))
    _, approvers = settings.write_keys(out / "keys", seed)
    paths.job.write_text(settings.job_text(approvers), encoding="utf-8")
    write_truth(
        paths.truth,
        hospital.studies,
        hospital.files,
        hospital.people,
        {"seed": seed, "studies": studies},
    )
    return paths


def _paths(out: Path) -> DemoPaths:
    count = len(settings.APPROVERS)
    return DemoPaths(
        out=out,
        oost=out / "archive" / OOST.archive,
        west=out / "archive" / WEST.archive,
        epd=out / "epd" / "patienten.csv",
        key=out / "keys" / "demo.key",
        approver_keys=tuple(out / "keys" / f"approver-{n}.key" for n in range(1, count + 1)),
        approvers=settings.APPROVERS,
        job=out / "job.toml",
        truth=out / "truth",
    )


def _clear(out: Path) -> None:
    """Take away an earlier demo hospital, known by its mark; refuse what has none."""
    if not any((out / name).exists() for name in (*_MADE, "job.toml")):
        return
    if not (out / "archive" / ".demo").is_file():
        raise UsageError("the folder holds something that is no demo", str(out), "choose another")
    for name in _MADE:
        if (out / name).is_dir():
            shutil.rmtree(out / name)
    (out / "job.toml").unlink(missing_ok=True)


@dataclass(slots=True)
class _Hospital:
    """Writes the archives, and keeps what it planted."""

    out: Path
    seed: int
    templates: list[tuple[Template, int]]
    people: list[Person] = field(default_factory=list)
    studies: list[PlantedStudy] = field(default_factory=list)
    files: list[PlantedFile] = field(default_factory=list)

    def write(self, slots: list[Slot]) -> None:
        registry = Registry(self.seed)
        regulars = _regulars(registry, round(len(slots) * _PEOPLE_PER_STUDY))
        self.people = list(dict.fromkeys(p for known in regulars.values() for p in known))
